"""`edge-convert`. Knows options, messages and exit codes; the work is in `conversion`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from convert.conversion import Options, convert
from convert.errors import ConversionError, InputError
from convert.progress import Progress

if TYPE_CHECKING:
    from types import FrameType

# The command line's own complaint; which package its class lives in depends on typer's version.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


class Interrupted(BaseException):
    """A signal asked the conversion to end. Not an Exception: nothing on the way may take it for a failure."""

    def __init__(self, number: int) -> None:
        self.number = number


@app.command()
def command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="a folder, a hub id (owner/name), or pocket", show_default=False)
    ],
    quant: Annotated[
        str, typer.Option(help="llama.cpp's name of a type, in lower case: q4_k_m, q8_0, bf16, ...")
    ] = "q4_k_m",
    out: Annotated[Path | None, typer.Option(help="the file to write; default models/NAME-QUANT.gguf")] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="folder with the small files that MODEL lacks (tokenizer.model, config.json, ...)"),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="branch, tag or commit of a hub repository")] = None,
    imatrix: Annotated[Path | None, typer.Option(help="importance matrix, as llama-imatrix writes it")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="for quantising; default one a processor")] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite an existing file")] = False,
) -> None:
    """Convert a MiniCPM checkpoint to a GGUF file for llama.cpp, and verify it."""
    progress = Progress(sys.stderr)
    try:
        report = convert(Options(model, quant, out, tokenizer, revision, imatrix, threads, force), progress)
    finally:
        progress.end()
    print(report)


def main() -> NoReturn:
    """Runs the command; every expected failure is one line on standard error.

    Exit codes: 0, 1 (failed), 2 (bad usage or input), 128 + the number of the signal that ended it (Ctrl-C: 130).
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
            signal.signal(number, _interrupt)
    try:
        code = app(standalone_mode=False, prog_name="edge-convert")
    except InputError as error:
        code = _fail(str(error), 2)
    except ConversionError as error:
        code = _fail(str(error), 1)
    except Interrupted as error:
        code = _fail("interrupted; nothing was written", 128 + error.number)
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
