"""`edge-server`'s command line: options in, a running server out. Everything is put together here.

Standard output carries one line, when the server is ready; all else goes to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_server.backend import Backend
from edge_server.config import RESUME_WINDOW, Config, ConfigError
from edge_server.doctor import doctor
from edge_server.engine import EngineError
from edge_server.llama import KV_TYPES, ModelError
from edge_server.loading import Interruptible, choose_model, loading, log_to_stderr
from edge_server.metrics import exposition
from edge_server.protocol import subprotocols
from edge_server.server import LOOPBACK, ListenError, Port, Server, listen
from edge_server.tune import tune

app = typer.Typer(
    help="Serves a duplex language model: it listens while it speaks and stops when interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_log = logging.getLogger("edge_server")

KvType = Enum("KvType", {name: name for name in KV_TYPES}, type=str)  # type: ignore[misc]


class OnFull(str, Enum):
    """What a full context does."""

    slide = "slide"
    stop = "stop"


class FlashAttention(str, Enum):
    """Whether attention is computed in one pass."""

    auto = "auto"
    on = "on"
    off = "off"


class Compat(str, Enum):
    """Whose wire behaviour to copy."""

    upstream = "upstream"


app.command()(tune)
app.command()(doctor)


@app.command()
def run(
    model: Annotated[
        Path | None,
        typer.Option(
            help="GGUF file by edge-convert. Default: the newest in models/, the shipped pocket model last.",
            readable=False,  # loading it says what to do; so below
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; localhost is 127.0.0.1 and ::1.")] = "localhost",
    port: Annotated[int, typer.Option(help="Port of the duplex server; 0 takes a free one.")] = 8765,
    chat_port: Annotated[int, typer.Option(help="Port of the ordinary, turn-based server; 0 takes a free one.")] = 8766,
    chat_model: Annotated[
        Path | None,
        typer.Option(
            help="A model of its own for the chat port; it needs no idle token. Default: --model.", readable=False
        ),
    ] = None,
    ctx: Annotated[
        int | None,
        typer.Option(help="Tokens of context a session. Default: what the model was trained on, at most 4096."),
    ] = None,
    sessions: Annotated[
        int, typer.Option(help="Conversations that can speak at the same time; silent ones beyond it are parked.")
    ] = 4,
    park_memory: Annotated[
        int | None,
        typer.Option(help="MiB of memory for parked conversations, the rest on disk. Default: an eighth of it."),
    ] = None,
    slice_tokens: Annotated[
        int | None,
        typer.Option(help="The most tokens said in a slice. Default: half more than the model's own (15 for 10)."),
    ] = None,
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.8,
    top_p: Annotated[float, typer.Option(help="1 is off.")] = 0.8,
    top_k: Annotated[int, typer.Option(help="0 is off.")] = 0,
    idle_bias: Annotated[
        float,
        typer.Option(help="Added to <idle>'s logit where a slice begins: above 0 waits longer, below 0 speaks sooner."),
    ] = 0.0,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same words. Default: a new one each conversation.")
    ] = None,
    on_full: Annotated[
        OnFull, typer.Option(help="A full context forgets its oldest slices, or ends the conversation.")
    ] = OnFull.slide,
    look_ahead: Annotated[
        bool,
        typer.Option(help="Prepare the answer to silence before it comes, while the processor is idle. Same words."),
    ] = True,
    compat: Annotated[
        Compat | None, typer.Option(help="upstream: the reference server's wire behaviour, byte for byte.")
    ] = None,
    gpu_layers: Annotated[int, typer.Option(help="Layers on the GPU (Metal); -1 is all, 0 none.")] = -1,
    threads: Annotated[int | None, typer.Option(help="Threads that decode. Default: the physical cores.")] = None,
    kv_type: Annotated[KvType, typer.Option(help="Numbers in the KV cache.")] = KvType("f16"),
    flash_attention: Annotated[
        FlashAttention, typer.Option(help="Attention in one pass over the KV cache; auto: on a GPU, where it can.")
    ] = FlashAttention.auto,
    batch: Annotated[int, typer.Option(help="The most tokens that one decode call takes, of all sessions.")] = 64,
    ration: Annotated[
        int, typer.Option(help="Tokens of others' prefill in a call that somebody decodes in: more delays them more.")
    ] = 16,
    kv_cells: Annotated[
        int | None,
        typer.Option(help="Tokens that the KV cache holds, all sessions together. Default: a quarter of the memory."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="Let pages from this origin connect too (localhost may always). Repeatable."),
    ] = None,
    assume_wpm: Annotated[
        float | None,
        typer.Option(help="When text interrupts, forget what was not yet spoken at this pace (words a minute)."),
    ] = None,
    resume_window: Annotated[
        float, typer.Option(help="JSON protocol: for how many seconds a session can be come back to. 0: not at all.")
    ] = RESUME_WINDOW,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more, llama.cpp's messages too.")] = False,
) -> None:
    """Run the server until Ctrl-C.

    When it is ready it prints one line that begins with "ready" and carries both URLs, the model's name and,
    for a browser, the URL of a page to talk to.
    """
    log_to_stderr(verbose)
    config = Config(
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
        slide=on_full is OnFull.slide,
        look_ahead=look_ahead,
        park_memory=park_memory,
        upstream=compat is Compat.upstream,
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
    with contextlib.ExitStack() as stack:
        # Before the model: a taken port is told at once.
        sockets = listen(host, port), listen(host, chat_port, "--chat-port")
        for listening in [*sockets[0], *sockets[1]]:
            stack.callback(listening.close)
        if host not in LOOPBACK:
            _log.warning("listening on %s: everyone who reaches this address can talk to the model", host)
        with Interruptible() as interruptible:
            share = 1 if chat_model is None else 2
            duplex = stack.enter_context(_load(config.model, config, share, interruptible))
            chat = stack.enter_context(_load(chat_model, config, share, interruptible)) if chat_model else duplex
            ports = [
                Port(
                    each.conversing(chat=each_is_chat),
                    bound,
                    each.name,
                    each.facts.slice_seconds,
                    each.alive,
                    subprotocols(upstream=config.upstream, ordinary_port=each_is_chat),
                    None if each_is_chat or config.upstream else each.realtiming(),
                )
                for each, each_is_chat, bound in ((duplex, False, sockets[0]), (chat, True, sockets[1]))
            ]
            for backend in dict.fromkeys([duplex, chat]):
                if backend.ctx > backend.model.n_ctx_train:
                    _log.warning("%s was trained on %d tokens of context", backend.name, backend.model.n_ctx_train)
                backend.warm_up()
                interruptible.check()
        engines = {"duplex": duplex.counters} | ({} if chat is duplex else {"chat": chat.counters})
        metrics = exposition(engines)
        asyncio.run(_serve(Server(ports, config.allow_origins, metrics=metrics), ports, config.host, chat.name))


def _load(path: Path, config: Config, share: int, interruptible: Interruptible) -> Backend:
    with loading(path, interruptible) as progress:
        return Backend(path, config, share=share, on_progress=progress)


async def _serve(server: Server, ports: list[Port], host: str, chat_name: str) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if server.stopping:  # asked twice: without waiting for anyone
            task.cancel()
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    async with server:
        host, name = f"[{host}]" if ":" in host else host, ports[0].model_name
        urls = [f"ws://{host}:{port.number}" for port in ports]
        chat_model = "" if chat_name == name else f" ({chat_name})"
        page = "" if ports[0].realtime is None else f" page http://{host}:{ports[0].number}/"
        print(f"ready duplex {urls[0]} chat {urls[1]}{chat_model} model {name}{page}", flush=True)
        await server.wait()
        _log.info("stopping")


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
        return app(standalone_mode=False, prog_name="edge-server") or 0
    except _UsageError as error:
        message = error.format_message()  # empty where the help was shown instead
        return _fail(f"{message} (edge-server run --help shows the options)", 2) if message else 2
    except typer.Abort:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt from None
    except (ConfigError, ModelError) as error:
        return _fail(str(error), 2)
    except (EngineError, ListenError) as error:
        return _fail(str(error), 1)
