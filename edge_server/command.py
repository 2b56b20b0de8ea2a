"""`edge-server`'s command line: reads options, hands them to `serve`, `tune` or `doctor`, and turns how that ended into
an exit code.

What does the work needs llama.cpp and much else: it is imported when a command runs, so that help and completion come
at once.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from command_line.page import Page, command, group, version_option
from edge_server import options
from edge_server.config import RESUME_WINDOW, Config, Fault
from edge_server.context import EngineError

_UNUSABLE = ("2", "an option or a model that cannot be used")
_PROTOCOLS = ("docs/protocol.md", "the text protocol, and --compat")
_REALTIME = ("docs/realtime.md", "the JSON protocol at /v1/realtime")
_TUNING = ("docs/tuning.md", "what the defaults are and why; --idle-bias and --slice-tokens")
_STARTING = ("docs/getting-started.md", "from nothing to a conversation; what to do when something goes wrong")
_NETWORK = ("docs/network.md", "from another machine: --host, --allow-origin, a tunnel, a proxy")

_PROGRAM = Page(
    examples=(
        ("edge-server run", "serves the newest model in models/, with a page at http://localhost:8765/"),
        ("edge-server doctor", "says what is missing or slow on this machine, and what to do about it"),
        ("edge-server tune", "measures which options are fastest on this machine"),
    ),
    more=(
        ("edge-server run --help", "its options; so for the other commands"),
        _STARTING,
        _TUNING,
        _NETWORK,
        _PROTOCOLS,
        _REALTIME,
    ),
)
_RUN = Page(
    examples=(
        ("edge-server run", "serves the newest model in models/, with a page at http://localhost:8765/"),
        (
            "edge-server run --model models/pocket-q4_k_m.gguf --seed 1",
            "serves this model, with the same words each time",
        ),
        (
            "edge-server run --host 0.0.0.0 --port 9000",
            "lets other machines connect too, on another port",
        ),
        ("edge-server run --idle-bias 2 --slice-tokens 10", "waits longer before it speaks, and says less at a time"),
    ),
    ends=(
        ("0", "it was asked to stop: Ctrl-C or a signal"),
        ("1", "a port is taken, there is not enough memory, or llama.cpp failed"),
        _UNUSABLE,
        ("130", "Ctrl-C before it was ready"),
    ),
    more=(_TUNING, _NETWORK, _PROTOCOLS, _REALTIME),
)
_TUNE = Page(
    examples=(
        ("edge-server tune", "measures the model that run would take, for 110 seconds at most"),
        ("edge-server tune --model models/pocket-q4_k_m.gguf --seconds 30", "measures this one, more coarsely"),
        ("edge-server tune --sessions 2 --no-table", "for two conversations; prints only what came of it"),
    ),
    ends=(("0", "measured"), ("1", "nothing could be measured"), _UNUSABLE, ("130", "Ctrl-C")),
    more=(("docs/tuning.md", "what is measured, and how to read it"),),
)
_DOCTOR = Page(
    examples=(
        ("edge-server doctor", "looks at everything that edge-server run needs"),
        ("edge-server doctor --model models/pocket-q4_k_m.gguf --ctx 1024", "would this model fit, and keep up?"),
        ("edge-server doctor --json --no-speed", "for programs, without measuring"),
    ),
    ends=(
        ("0", "nothing is in the way"),
        ("1", "there is a problem"),
        _UNUSABLE,
        ("130", "Ctrl-C"),
    ),
    more=(("docs/tuning.md", "what is measured; what to do where it is too slow"), _STARTING),
)

app = typer.Typer(cls=group(_PROGRAM), rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def program(_version: Annotated[bool, version_option("edge-server", "llama-cpp-python")] = False) -> None:
    """Serve a duplex language model: it listens while it speaks, and stops when it is interrupted."""


@app.command(cls=command(_RUN))
def run(
    model: options.Model = None,
    chat_model: options.ChatModel = None,
    gpu_layers: options.GpuLayers = Config.gpu_layers,
    host: options.Host = Config.host,
    port: options.PortNumber = Config.port,
    chat_port: options.ChatPort = Config.chat_port,
    allow_origin: options.AllowOrigin = None,
    resume_window: options.ResumeWindow = RESUME_WINDOW,
    compat: options.CompatWith = None,
    ctx: options.Ctx = None,
    on_full: options.FullContext = options.OnFull.slide,
    slice_tokens: options.SliceTokens = None,
    idle_bias: options.IdleBias = None,
    temperature: options.Temperature = Config.temperature,
    top_p: options.TopP = Config.top_p,
    top_k: options.TopK = Config.top_k,
    seed: options.Seed = None,
    assume_wpm: options.AssumeWpm = None,
    sessions: options.Sessions = Config.sessions,
    threads: options.Threads = None,
    look_ahead: options.LookAhead = True,
    flash_attention: options.FlashAttentionMode = options.FlashAttention.auto,
    kv_type: options.KvTypeName = options.KvType.f16,
    kv_cells: options.KvCells = None,
    park_memory: options.ParkMemory = None,
    batch: options.Batch = Config.batch,
    ration: options.Ration = Config.ration,
    verbose: options.Verbose = False,
) -> None:
    """Run the server until Ctrl-C.

    When it is ready it prints one line that begins with "ready" and carries both URLs, the model's name and, for a
    browser, the URL of a page to talk to. All else goes to standard error.
    """
    with _importing():
        from edge_server.loading import choose_model, log_to_stderr
        from edge_server.serve import serve

    log_to_stderr(verbose)
    serve(
        Config(
            model=choose_model(model),
            chat_model=chat_model,
            host=host,
            port=port,
            chat_port=chat_port,
            ctx=ctx,
            sessions=sessions,
            slice_tokens=slice_tokens,
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            idle_bias=idle_bias,
            seed=seed,
            slide=on_full is options.OnFull.slide,
            look_ahead=look_ahead,
            park_memory=park_memory,
            upstream=compat is options.Compat.upstream,
            gpu_layers=gpu_layers,
            threads=threads,
            kv_type=kv_type.value,
            flash_attention=flash_attention.value,
            batch=batch,
            ration=ration,
            kv_cells=kv_cells,
            allow_origins=tuple(allow_origin or ()),
            assume_wpm=assume_wpm,
            resume_window=resume_window,
        )
    )


@app.command(cls=command(_DOCTOR))
def doctor(
    model: options.DoctorModel = None,
    gpu_layers: options.GpuLayers = Config.gpu_layers,
    host: options.Host = Config.host,
    port: options.PortNumber = Config.port,
    chat_port: options.ChatPort = Config.chat_port,
    ctx: options.Ctx = None,
    slice_tokens: options.SliceTokens = None,
    sessions: options.Sessions = Config.sessions,
    threads: options.Threads = None,
    speed: options.Speed = True,
    in_json: options.InJson = False,
) -> None:
    """Look at this machine, the models and the ports, and say what to do about whatever is not fine.

    A problem keeps run from starting or from answering in time; a note is worth knowing. Give the options that run
    will get. Measuring takes a few seconds; edge-server tune measures more, and finds the fastest options.
    """
    with _importing():
        from edge_server.doctor import report

    config = Config(
        model=model or Path(),
        host=host,
        port=port,
        chat_port=chat_port,
        ctx=ctx,
        sessions=sessions,
        slice_tokens=slice_tokens,
        gpu_layers=gpu_layers,
        threads=threads,
    )
    if report(config, model, speed=speed, in_json=in_json):
        raise typer.Exit(1)


@app.command(cls=command(_TUNE))
def tune(
    model: options.Model = None,
    gpu_layers: options.GpuLayers = Config.gpu_layers,
    ctx: options.Ctx = None,
    slice_tokens: options.SliceTokens = None,
    sessions: options.Sessions = Config.sessions,
    seconds: options.Seconds = 110,
    show_table: options.Table = None,
) -> None:
    """Measure this machine with a model and print the options to use, in under two minutes.

    The last line is the command to start the server with; before it stands whether the machine keeps up, and if it does
    not, what would help. Run it while the machine has nothing else to do.
    """
    with _importing():
        from edge_server.tune import tune as measure

    measure(model, ctx, sessions, slice_tokens, gpu_layers, seconds, show_table)


class BrokenSetupError(Exception):
    """What the commands need cannot be imported. The message is one line for the user."""


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """For imports that take a while: Ctrl-C ends the process at once and without a traceback, as in `cli`.

    Raises BrokenSetupError.
    """
    handler = signal.getsignal(signal.SIGINT)
    interruptible = handler is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    except (ImportError, OSError, RuntimeError) as error:  # the bindings raise the last two for a library of theirs
        raise BrokenSetupError(f"cannot start: {error}; run: rm -r .venv && make setup") from error
    finally:
        if interruptible:
            signal.signal(signal.SIGINT, handler)


# The command line's own complaint; which package its class lives in depends on typer's version.
_UsageError: Any = typer.BadParameter.__mro__[1]


def _fail(message: str, code: int) -> int:
    print(f"edge-server: {' '.join(message.split())}", file=sys.stderr)
    return code


def execute() -> int:
    """Runs the command line. Returns the exit code: 0, 1 (failed), 2 (bad usage or bad input).

    Raises KeyboardInterrupt where Ctrl-C came before the server was ready.
    """
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False, prog_name="edge-server") or 0
        return code if sys.argv[1:] else 2
    except _UsageError as error:
        where = error.ctx.command_path if error.ctx else "edge-server"
        return _fail(f"{error.format_message()} ({where} --help shows the options)", 2)
    except typer.Abort:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt from None
    except BrokenSetupError as error:
        return _fail(str(error), 1)
    except Fault as error:
        from edge_server.server import ListenError

        return _fail(str(error), 1 if isinstance(error, ListenError) else 2)
    except EngineError as error:
        return _fail(str(error), 1)
