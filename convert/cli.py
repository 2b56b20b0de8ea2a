"""`edge-convert`. Knows options, messages and exit codes; the work is in `conversion`, `ladder`, `imatrix_collect`."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from command_line import complete
from command_line.page import Page, command, group, version_option
from convert import ladder, ladder_limits
from convert.conversion import Options, check_output, convert
from convert.errors import ConversionError, InputError
from convert.imatrix_collect import TOKENS, ImatrixOptions, make_imatrix
from convert.ladder_plot import check_plot, plot
from convert.ladder_report import tables
from convert.ladder_source import write_json
from convert.progress import Progress
from convert.quantize import FILE_TYPES

if TYPE_CHECKING:
    from types import FrameType

# The command line's own complaint; which package its class lives in depends on typer's version.
_UsageError: Any = typer.BadParameter.__mro__[1]


_CONVERTING = (
    ("edge-convert pocket", "the pocket model that comes with the project, to models/pocket-q4_k_m.gguf"),
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
            "edge-convert imatrix models/minicpm-duplex --out duplex.imatrix --tokens 20000",
            "of a folder, in half the time",
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

_INPUT, _OUTPUT, _MACHINE, _MEASURING = "Input", "Output", "Machine", "Measuring"
_TYPES = tuple(FILE_TYPES)
_MODEL = "a folder with a checkpoint, a hub id (owner/name), or pocket for the one that is shipped"
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help=f"The model: {_MODEL}.",
        show_default=False,
        autocompletion=complete.words("pocket", then=[complete.checkpoints]),
    ),
]
FloatModel = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help=f"The model: {_MODEL}; or a bf16 or f16 GGUF file.",
        show_default=False,
        autocompletion=complete.words("pocket", then=[complete.checkpoints, complete.gguf_files]),
    ),
]
Tokenizer = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_INPUT,
        help="Where to take the small files from that MODEL lacks (tokenizer.model, config.json, ...).",
        show_default="none",
        autocompletion=complete.files,
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_INPUT,
        help="A branch, tag or commit of a hub repository.",
        show_default="its default branch",
        autocompletion=complete.files,
    ),
]
Corpus = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        rich_help_panel=_INPUT,
        help="The transcripts to read: duplex, pocket, or a file of JSON lines.",
        show_default="pocket for the pocket model, else duplex",
        autocompletion=complete.words("duplex", "pocket"),
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="COUNT",
        rich_help_panel=_MACHINE,
        help="Threads to work with, 1 or more.",
        show_default="one a processor",
    ),
]
GpuLayers = Annotated[
    int,
    typer.Option(
        min=-1,
        metavar="LAYERS",
        rich_help_panel=_MACHINE,
        help="How many layers run on the GPU, where there is one: -1 all, 0 none.",
    ),
]
Force = Annotated[bool, typer.Option("--force", rich_help_panel=_OUTPUT, help="Overwrite the file if it is there.")]


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
    model: Model,
    tokenizer: Tokenizer = None,
    revision: Revision = None,
    quant: Annotated[
        str,
        typer.Option(
            metavar="TYPE",
            rich_help_panel=_OUTPUT,
            help="The type to write, by llama.cpp's name: q4_k_m, q8_0, bf16, ... (a wrong one lists them all).",
            autocompletion=complete.words(*_TYPES),
        ),
    ] = "q4_k_m",
    imatrix: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="An importance matrix, as edge-convert imatrix or llama-imatrix writes it.",
            show_default="none",
            autocompletion=complete.files,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="The file to write.",
            show_default="models/NAME-TYPE.gguf",
            autocompletion=complete.files,
        ),
    ] = None,
    force: Force = False,
    threads: Threads = None,
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
    model: FloatModel,
    tokenizer: Tokenizer = None,
    revision: Revision = None,
    corpus: Corpus = None,
    types: Annotated[
        str,
        typer.Option(
            metavar="TYPE,TYPE,...",
            rich_help_panel=_MEASURING,
            help="The types to compare, by llama.cpp's names, with commas.",
            autocompletion=complete.listed(_TYPES),
        ),
    ] = ladder.TYPES,
    limits: Annotated[
        str,
        typer.Option(
            metavar="LIMIT,LIMIT,...",
            rich_help_panel=_MEASURING,
            help="What the type to be named must keep, with commas: FIGURE<=NUMBER or FIGURE>=NUMBER.",
            autocompletion=complete.files,
        ),
    ] = ladder_limits.DEFAULT,
    tokens: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="TOKENS",
            rich_help_panel=_MEASURING,
            help="How many tokens of the assistant are predicted, about; 1 or more.",
        ),
    ] = 4000,
    imatrix: Annotated[
        str,
        typer.Option(
            metavar="auto|none|FILE",
            rich_help_panel=_MEASURING,
            help="The importance matrix: auto collects one, and measures with it and without.",
            autocompletion=complete.words("auto", "none"),
        ),
    ] = "auto",
    evaluation: Annotated[
        str,
        typer.Option(
            "--eval",
            metavar="none|SET|FILE",
            rich_help_panel=_MEASURING,
            help="Scenarios for edge-chat eval, played against each type.",
            show_default="pocket for the pocket model, else none",
            autocompletion=complete.words("none", "pocket"),
        ),
    ] = "auto",
    eval_args: Annotated[
        str,
        typer.Option(
            metavar="OPTIONS",
            rich_help_panel=_MEASURING,
            help="More options for edge-chat eval, in quotes, such as '--limit 5'.",
            autocompletion=complete.files,
        ),
    ] = "",
    speed: Annotated[
        bool,
        typer.Option("--speed/--no-speed", rich_help_panel=_MEASURING, help="Whether to time prefill and decoding."),
    ] = True,
    fresh: Annotated[
        bool, typer.Option("--fresh", rich_help_panel=_MEASURING, help="Measure again what was measured before.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=_OUTPUT,
            help="Where results and files are kept.",
            show_default="models/NAME-ladder",
            autocompletion=complete.files,
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", rich_help_panel=_OUTPUT, help="Keep the files of all types.")] = False,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Write everything that was measured to this file.",
            autocompletion=complete.files,
        ),
    ] = None,
    plot_file: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Draw it to this .png or .svg file (needs matplotlib).",
            autocompletion=complete.files,
        ),
    ] = None,
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


@app.command("imatrix", cls=command(_IMATRIX))
def imatrix_command(
    model: FloatModel,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="The file to write.",
            show_default=False,
            autocompletion=complete.files,
        ),
    ],
    tokenizer: Tokenizer = None,
    revision: Revision = None,
    corpus: Corpus = None,
    tokens: Annotated[
        int,
        typer.Option(min=1, metavar="TOKENS", rich_help_panel=_INPUT, help="How many are read at most, 1 or more."),
    ] = TOKENS,
    force: Force = False,
    threads: Threads = None,
    gpu_layers: GpuLayers = -1,
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
