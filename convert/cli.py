"""`edge-convert`. Knows options, messages and exit codes; the work is in `conversion`, `ladder`, `imatrix_collect`."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from convert import ladder, ladder_limits
from convert.conversion import Options, check_output, convert
from convert.errors import ConversionError, InputError
from convert.imatrix_collect import TOKENS, ImatrixOptions, make_imatrix
from convert.ladder_plot import check_plot, plot
from convert.ladder_report import tables
from convert.ladder_source import write_json
from convert.progress import Progress

if TYPE_CHECKING:
    from types import FrameType

# The command line's own complaint; which package its class lives in depends on typer's version.
_UsageError: Any = typer.BadParameter.__mro__[1]


_COMMANDS = ("convert", "imatrix", "ladder")  # any other first word is a model to be converted
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

_MODEL = "a folder, a hub id (owner/name), or pocket"
Model = Annotated[str, typer.Argument(metavar="MODEL", help=_MODEL, show_default=False)]
FloatModel = Annotated[
    str, typer.Argument(metavar="MODEL", help=f"{_MODEL}; or a bf16 or f16 GGUF file", show_default=False)
]
Tokenizer = Annotated[
    Path | None, typer.Option(help="folder with the small files that MODEL lacks (tokenizer.model, config.json, ...)")
]
Revision = Annotated[str | None, typer.Option(help="branch, tag or commit of a hub repository")]
Threads = Annotated[int | None, typer.Option(min=1, help="default one a processor")]
GpuLayers = Annotated[int, typer.Option(min=-1, help="how many layers run on the GPU where there is one; -1 all")]
Corpus = Annotated[
    str | None,
    typer.Option(help="transcripts: duplex, pocket or a file of JSON lines; default pocket for the pocket model"),
]


class Interrupted(BaseException):
    """A signal asked the conversion to end. Not an Exception: nothing on the way may take it for a failure."""

    def __init__(self, number: int) -> None:
        self.number = number


@app.command("convert")
def command(
    model: Model,
    quant: Annotated[
        str, typer.Option(help="llama.cpp's name of a type, in lower case: q4_k_m, q8_0, bf16, ...")
    ] = "q4_k_m",
    out: Annotated[Path | None, typer.Option(help="the file to write; default models/NAME-QUANT.gguf")] = None,
    tokenizer: Tokenizer = None,
    revision: Revision = None,
    imatrix: Annotated[
        Path | None, typer.Option(help="importance matrix, as edge-convert imatrix or llama-imatrix writes it")
    ] = None,
    threads: Threads = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite an existing file")] = False,
) -> None:
    """Convert a MiniCPM checkpoint to a GGUF file for llama.cpp, and verify it. The word convert may be left out.

    edge-convert ladder MODEL compares types, edge-convert imatrix MODEL makes an importance matrix; --help behind them.
    """
    progress = Progress(sys.stderr)
    try:
        report = convert(Options(model, quant, out, tokenizer, revision, imatrix, threads, force), progress)
    finally:
        progress.end()
    print(report)


@app.command("imatrix")
def imatrix_command(
    model: FloatModel,
    out: Annotated[Path, typer.Option(help="the file to write", show_default=False)],
    corpus: Corpus = None,
    tokens: Annotated[int, typer.Option(min=1, help="how many are read at most")] = TOKENS,
    tokenizer: Tokenizer = None,
    revision: Revision = None,
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
    force: Annotated[bool, typer.Option("--force", help="overwrite an existing file")] = False,
) -> None:
    """Collect an importance matrix from duplex transcripts, for --imatrix.

    Every second conversation is left out: the ladder measures on those.
    """
    progress = Progress(sys.stderr)
    request = ImatrixOptions(model, out, corpus, tokens, tokenizer, revision, threads, gpu_layers, force)
    try:
        told = make_imatrix(request, progress)
    finally:
        progress.end()
    print(f"{out}: {told['matrices']} matrices, {told['tokens']:,} tokens of {told['conversations']} conversations")


@app.command("ladder")
def ladder_command(
    model: FloatModel,
    types: Annotated[str, typer.Option(help="llama.cpp's names, with commas")] = ladder.TYPES,
    corpus: Corpus = None,
    tokens: Annotated[int, typer.Option(min=1, help="of the assistant to predict, about")] = 4000,
    imatrix: Annotated[
        str, typer.Option(help="a file; none; or auto: collect one, and measure with and without")
    ] = "auto",
    evaluation: Annotated[
        str,
        typer.Option(
            "--eval", help="scenarios for edge-chat eval, or none; default pocket for the pocket model, else none"
        ),
    ] = "auto",
    eval_args: Annotated[str, typer.Option(help="options for edge-chat eval, in quotes")] = "",
    limits: Annotated[
        str, typer.Option(help="what the type to be named must keep, with commas")
    ] = ladder_limits.DEFAULT,
    out: Annotated[Path | None, typer.Option(help="folder of results and files; default models/NAME-ladder")] = None,
    json: Annotated[Path | None, typer.Option(help="write everything that was measured to this file")] = None,
    plot_file: Annotated[Path | None, typer.Option("--plot", help="draw it to this .png or .svg file")] = None,
    speed: Annotated[bool, typer.Option("--speed/--no-speed", help="time prefill and decoding")] = True,
    keep: Annotated[bool, typer.Option("--keep", help="keep the files of all types")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="measure again what was measured before")] = False,
    tokenizer: Tokenizer = None,
    revision: Revision = None,
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
) -> None:
    """Compare a model in several types with itself unquantised, and name the smallest that keeps the limits.

    Reports size, perplexity, divergence, whether each falls silent where the original does, speed, and the scores of
    edge-chat eval. What was measured is kept in the folder: a run that was interrupted goes on where it was.
    """
    for path, option in ((json, "--json"), (plot_file, "--plot")):
        if path is not None:
            check_output(path, force=True, option=option)
    if plot_file is not None:
        check_plot(plot_file)
    options = ladder.LadderOptions(
        model=model,
        types=types,
        corpus=corpus,
        tokens=tokens,
        imatrix=imatrix,
        evaluation=evaluation,
        eval_arguments=_split(eval_args),
        limits=limits,
        out=out,
        tokenizer=tokenizer,
        revision=revision,
        threads=threads,
        gpu_layers=gpu_layers,
        speed=speed,
        keep=keep,
        fresh=fresh,
    )
    progress = Progress(sys.stderr)
    try:
        found = ladder.climb(options, progress)
    finally:
        progress.end()
    print(tables(found))
    try:
        if json is not None:
            write_json(json, found)
        if plot_file is not None:
            plot(found, plot_file)
    except OSError as error:
        raise ConversionError(f"{error.filename or 'the results'}: {error.strerror or error}") from error


def _split(arguments: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(arguments))
    except ValueError as error:
        raise InputError(f"--eval-args {arguments!r}: {error}") from error


def main() -> NoReturn:
    """Runs the command; every expected failure is one line on standard error.

    Exit codes: 0, 1 (failed), 2 (bad usage or input), 128 + the number of the signal that ended it (Ctrl-C: 130).
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
            signal.signal(number, _interrupt)
    arguments = sys.argv[1:]
    if not arguments or arguments[0] not in _COMMANDS:
        arguments = ["convert", *arguments]
    try:
        code = app(arguments, standalone_mode=False, prog_name="edge-convert")
    except InputError as error:
        code = _fail(str(error), 2)
    except ConversionError as error:
        code = _fail(str(error), 1)
    except Interrupted as error:
        kept = "what was measured is kept" if arguments[0] == "ladder" else "nothing was written"
        code = _fail(f"interrupted; {kept}", 128 + error.number)
    except _UsageError as error:
        code = _fail(f"{error.format_message()} (--help shows the options)", 2)
    sys.exit(code or 0)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # the temporary files are being removed
    raise Interrupted(number)


def _fail(message: str, code: int) -> int:
    print(f"edge-convert: {' '.join(message.split())}", file=sys.stderr)
    return code
