"""edge-chat's command line: reads it, puts a conversation together, and turns how it ended into an exit code.

0: the user left, or the script, the recording or the input is over. 1: no connection, or not all could be said. 2: bad
usage. 130: Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from clients.chat import Mode
from clients.cli import INTERRUPTED
from clients.connection import UrlError
from clients.conversation import TalkError
from clients.eval_command import evaluate
from clients.recording import RecordingError, read_recording
from clients.replay import replay
from clients.script import ScriptError
from clients.talk import OptionError, Options, Protocol, Talk, read_options, shown

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True, no_args_is_help=False)
def chat(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            help="The server's address.",
            show_default="ws://localhost:8765, with --mode chat --protocol text ws://localhost:8766",
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="json: what the server offers at /v1/realtime, with all that is below; text: the reference's frames.",
            metavar=f"[{'|'.join(one.value for one in Protocol)}]",
        ),
    ] = Protocol.JSON.value,
    mode: Annotated[
        str,
        typer.Option(
            help="duplex: both may speak at any time; chat: one line, one reply.",
            metavar=f"[{'|'.join(one.value for one in Mode)}]",
        ),
    ] = Mode.DUPLEX.value,
    tick: Annotated[
        str | None,
        typer.Option(
            help="Length of a time slice in seconds.", metavar="SECONDS", show_default="the server's, with text 2.0"
        ),
    ] = None,
    wpm: Annotated[
        str | None,
        typer.Option(
            help="Words appear at this rate, and only what has appeared counts as heard. With --voice: the voice's.",
            metavar="WORDS A MINUTE",
            show_default="off: what was sent was heard",
        ),
    ] = None,
    voice: Annotated[bool, typer.Option("--voice", help="Speak with the system's own voice.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="At the end, print what the slices took, in time and in tokens.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Write the conversation to this file, as the page's “Save as JSON” does.")
    ] = None,
    play: Annotated[
        Path | None,
        typer.Option("--replay", help="Show a recorded conversation, at its own pace on a terminal; needs no server."),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            help="Play the user's part in this file, a script (docs/conversation.txt is one) or a recording, and print "
            "the transcript."
        ),
    ] = None,
    times: Annotated[bool, typer.Option(help="Whether the transcript begins its lines with the seconds.")] = True,
    wait: Annotated[
        str,
        typer.Option(
            help="Seconds to wait for a server where there is no terminal, or with --script.", metavar="SECONDS"
        ),
    ] = "10.0",
) -> None:
    """Talk with the assistant on a terminal, also while it speaks.

    Finished words are sent at each slice, and the rest when you press Enter. Ctrl-C interrupts the assistant, twice
    leaves; /new begins a new conversation, /help explains, /quit leaves.

    Without a terminal, lines are read from standard input, each said when the assistant is silent.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
    try:
        options = read_options(
            url=url,
            protocol=protocol,
            mode=mode,
            tick=tick,
            wpm=wpm,
            voice=voice,
            stats=stats,
            record=record,
            script=script,
            times=times,
            wait=wait,
        )
        if play is not None:
            _refuse_options_beside(context, "--replay", {"times", "stats", "play"})
            recording = read_recording(play)
    except (UrlError, OptionError, ScriptError, RecordingError) as error:
        _fail(str(error), 2)
    try:
        if play is None:
            _talk(options)
        else:
            paced = sys.stdout.isatty()
            asyncio.run(replay(recording, out=sys.stdout, notes=sys.stderr, times=times, paced=paced, stats=stats))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (TalkError, RecordingError) as error:
        _fail(str(error), 1)
    except OSError as error:
        # What could not be written would be tried again, and complained about, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read it has had enough
            raise typer.Exit(1) from None
        _fail(f"cannot write what was said: {error.strerror or error}", 1)


def _talk(options: Options) -> None:
    reason = asyncio.run(Talk(options).run())
    if reason is not None:
        _fail(reason, 1)


app.command("eval")(evaluate)


def _refuse_options_before(context: typer.Context) -> None:
    """They are the conversation's, and a command has its own of the same names."""
    for option in _given(context, but=set()):
        _fail(f"{option} stands before {context.invoked_subcommand}: write options behind it", 2)


def _refuse_options_beside(context: typer.Context, option: str, fitting: set[str]) -> None:
    for other in _given(context, but=fitting):
        raise OptionError(f"{other} does not go with {option}, which talks with no server: leave it out")


def _given(context: typer.Context, *, but: set[str]) -> list[str]:
    """The options on the command line, by their names there, but for some parameters."""
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if (source := context.get_parameter_source(parameter.name or "")) is not None
        and source.name == "COMMANDLINE"
        and parameter.name not in but
    ]


def _fail(message: str, code: int) -> NoReturn:
    print(f"edge-chat: {message}", file=sys.stderr)
    raise typer.Exit(code)


# The command line's own complaint; which package its class lives in depends on typer's version.
_UsageError: Any = typer.BadParameter.__mro__[1]


def run() -> int:
    """Does what the command line asks for; returns the exit code."""
    try:
        return app(standalone_mode=False) or 0
    except _UsageError as error:
        print(f"edge-chat: {shown(error.format_message())} (edge-chat --help lists the options)", file=sys.stderr)
        return 2
    except typer.Abort:  # Ctrl-C, while the command line was read
        return INTERRUPTED
