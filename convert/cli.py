"""`edge-convert`. Knows options, messages and exit codes; the work is in `conversion`, `ladder`, `imatrix_collect`."""

from __future__ import annotations

import shlex
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from command_line.page import Page, command, group, version_option
from convert import ladder, ladder_limits, options
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


_CONVERTING = (
    ("edge-convert pocket --quant q8_0", "the pocket model that comes with the project, to models/pocket-q8_0.gguf"),
    (
        "edge-convert xinrongzhang2022/MiniCPM-duplex",
        "downloads the checkpoint (5.5 GB), and writes models/MiniCPM-duplex-q4_k_m.gguf (2 GB)",
    ),
    ("edge-convert models/minicpm-duplex --quant q8_0 --force", "a folder, to another type, replacing what is there"),
)
_ENDS = (
    ("0", "done"),
    ("1", "failed on the way; nothing was written"),
    ("2", "an option or a checkpoint that cannot be used"),
    ("130", "Ctrl-C; nothing was written (other signals: 128 and their number)"),
)
_QUANTIZATION = ("docs/quantization.md", "which type to take, what each costs, importance matrices")
_GGUF = ("docs/gguf.md", "what is in the file")
_CONVERT = Page(
    examples=_CONVERTING,
    ends=_ENDS,
    more=(_QUANTIZATION, _GGUF),
    usage="edge-convert [convert] [OPTIONS] MODEL",
)
_PROGRAM = Page(
    examples=_CONVERTING,
    ends=_ENDS,
    more=(("edge-convert ladder --help", "its options; so for imatrix"), _QUANTIZATION, _GGUF),
    usage="edge-convert [COMMAND] [OPTIONS] MODEL",
)
_IMATRIX = Page(
    examples=(
        ("edge-convert imatrix pocket --out pocket.imatrix", "of the pocket model, from its own transcripts"),
        (
            "edge-convert imatrix models/minicpm-duplex --out it.imatrix --corpus my.jsonl",
            "of a folder, from transcripts of one's own",
        ),
        ("edge-convert pocket --quant iq3_xxs --imatrix pocket.imatrix", "takes it"),
    ),
    ends=_ENDS,
    more=(("docs/quantization.md", "how it is collected, and which types cannot be made without"),),
)
_LADDER = Page(
    examples=(
        ("edge-convert ladder pocket", "the pocket model: two to four minutes on two idle cores"),
        (
            "edge-convert ladder models/minicpm-duplex --types q8_0,q4_0 --plot it.svg",
            "a folder, in two types, with a picture",
        ),
        (
            "edge-convert ladder pocket --eval none --no-speed --limits 'kl<=0.001'",
            "only how alike they predict, and the smallest that hardly differs",
        ),
    ),
    ends=(
        ("0", "measured, whether a type keeps the limits or none does"),
        ("1", "failed on the way; what was measured is kept"),
        ("2", "an option or a checkpoint that cannot be used"),
        ("130", "Ctrl-C; what was measured is kept (other signals: 128 and their number)"),
    ),
    more=(("docs/quantization.md", "what is measured, the limits, corpora, the results of the pocket model"),),
)

app = typer.Typer(cls=group(_PROGRAM, default="convert"), rich_markup_mode=None, pretty_exceptions_enable=False)


class Interrupted(BaseException):
    """A signal asked the conversion to end. Not an Exception: nothing on the way may take it for a failure."""

    def __init__(self, number: int) -> None:
        self.number = number


@app.callback()
def program(_version: Annotated[bool, version_option("edge-convert", "llama-cpp-python")] = False) -> None:
    """Convert a MiniCPM checkpoint to a GGUF file for llama.cpp, and verify it.

    The word convert may be left out: the options below are its own, and those of ladder and imatrix stand on their
    pages.
    """


@app.command("convert", cls=command(_CONVERT))
def convert_command(
    model: options.Model,
    tokenizer: options.Tokenizer = None,
    revision: options.Revision = None,
    quant: options.Quant = "q4_k_m",
    imatrix: options.Imatrix = None,
    out: options.Out = None,
    force: options.Force = False,
    threads: options.Threads = None,
) -> None:
    """Convert a MiniCPM checkpoint to a GGUF file for llama.cpp, and verify it. The word convert may be left out.

    Every conversion compares llama.cpp's tokens with the original tokenizer's; one that fails or is interrupted leaves
    nothing. A download is resumed by the same command.
    """
    progress = Progress(sys.stderr)
    try:
        report = convert(Options(model, quant, out, tokenizer, revision, imatrix, threads, force), progress)
    finally:
        progress.end()
    print(report)


@app.command("ladder", cls=command(_LADDER))
def ladder_command(
    model: options.FloatModel,
    tokenizer: options.Tokenizer = None,
    revision: options.Revision = None,
    corpus: options.Corpus = None,
    types: options.Types = ladder.TYPES,
    limits: options.Limits = ladder_limits.DEFAULT,
    tokens: options.LadderTokens = 4000,
    imatrix: options.LadderImatrix = "auto",
    evaluation: options.Evaluation = "auto",
    eval_args: options.EvalArgs = "",
    speed: options.Speed = True,
    fresh: options.Fresh = False,
    out: options.LadderOut = None,
    keep: options.Keep = False,
    json: options.Json = None,
    plot_file: options.PlotFile = None,
    threads: options.Threads = None,
    gpu_layers: options.GpuLayers = -1,
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
    request = ladder.LadderOptions(
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
        found = ladder.climb(request, progress)
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


@app.command("imatrix", cls=command(_IMATRIX))
def imatrix_command(
    model: options.FloatModel,
    out: options.ImatrixOut,
    tokenizer: options.Tokenizer = None,
    revision: options.Revision = None,
    corpus: options.Corpus = None,
    tokens: options.ImatrixTokens = TOKENS,
    force: options.Force = False,
    threads: options.Threads = None,
    gpu_layers: options.GpuLayers = -1,
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
    try:
        code = app(sys.argv[1:] or ["convert"], standalone_mode=False, prog_name="edge-convert")
    except InputError as error:
        code = _fail(str(error), 2)
    except ConversionError as error:
        code = _fail(str(error), 1)
    except Interrupted as error:
        kept = "what was measured is kept" if sys.argv[1:2] == ["ladder"] else "nothing was written"
        code = _fail(f"interrupted; {kept}", 128 + error.number)
    except _UsageError as error:
        where = error.ctx.command_path if error.ctx else "edge-convert"
        code = _fail(f"{error.format_message()} ({where} --help shows the options)", 2)
    sys.exit(code or 0)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # the temporary files are being removed
    raise Interrupted(number)


def _fail(message: str, code: int) -> int:
    print(f"edge-convert: {' '.join(message.split())}", file=sys.stderr)
    return code
