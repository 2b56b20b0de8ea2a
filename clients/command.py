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
from clients.eval_command import PAGE as EVAL_PAGE
from clients.eval_command import evaluate
from clients.protocols import Protocol
from command_line import complete
from command_line.page import Page, command, group, one_of, version_option

PAGE = Page(
    examples=(
        ("edge-chat", "talks with the server on this machine"),
        ("edge-chat --voice", "speaks the replies; what is not heard yet when you interrupt is forgotten"),
        ("edge-chat --record talk.json --stats", "keeps the conversation, and says at the end what it took"),
        ("edge-chat --replay talk.json", "shows it again as it was"),
        ("edge-chat --script talk.json --no-times", "says the same words again, and prints what is answered"),
        ("edge-chat --mode chat", "takes turns: a line, and the whole reply"),
    ),
    ends=(
        ("0", "you left; the script, the recording or the input is over"),
        ("1", "no connection, or not all could be said or written"),
        ("2", "an option or a file that cannot be used"),
        ("130", "Ctrl-C in a script or a replay, or where input comes from a pipe"),
    ),
    more=(
        ("edge-chat eval --help", "scripted conversations, and scores"),
        ("docs/terminal.md", "the keys, what is shown, scripts and recordings"),
        ("docs/realtime.md", "the JSON protocol; docs/protocol.md the text protocol"),
    ),
)  # fmt: skip
_SERVER, _TALKING, _FILES = "Server", "Conversation", "Files and figures"

app = typer.Typer(cls=group(PAGE), rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True, no_args_is_help=False)
def chat(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=_SERVER,
            help="The server's address, ws:// or wss://. The JSON protocol's path is added where there is none.",
            show_default="ws://localhost:8765; with --mode chat --protocol text ws://localhost:8766",
            autocompletion=complete.words("ws://localhost:8765", "ws://localhost:8766"),
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar=one_of(Protocol),
            rich_help_panel=_SERVER,
            help="What is spoken: json has all that is below; text is what the reference's server speaks too.",
            autocompletion=complete.words(*(one.value for one in Protocol)),
        ),
    ] = Protocol.JSON.value,
    wait: Annotated[
        str,
        typer.Option(
            metavar="SECONDS",
            rich_help_panel=_SERVER,
            help="How long to wait for a server where nobody is at a terminal, 0 or more.",
        ),
    ] = "10",
    mode: Annotated[
        str,
        typer.Option(
            metavar=one_of(Mode),
            rich_help_panel=_TALKING,
            help="How turns are taken. duplex: both may speak at any time; chat: one line, one reply.",
            autocompletion=complete.words(*(one.value for one in Mode)),
        ),
    ] = Mode.DUPLEX.value,
    tick: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS",
            rich_help_panel=_TALKING,
            help="Length of a slice, 0.2 to 10; with a script or the text protocol, 0.01 to 60.",
            show_default="what the model was trained with; with a script or the text protocol 2",
        ),
    ] = None,
    wpm: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            rich_help_panel=_TALKING,
            help="Words appear at so many a minute, 20 to 1000, and only what has appeared counts as heard. With "
            "--voice: how fast it speaks.",
            show_default="off, what was sent counts as heard; with --voice 175",
        ),
    ] = None,
    voice: Annotated[
        bool,
        typer.Option(
            "--voice",
            rich_help_panel=_TALKING,
            help="Speak the replies with the system's own voice: say on macOS, else espeak-ng. What was spoken counts "
            "as heard.",
        ),
    ] = False,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_FILES,
            help="Play the user's part in this file and print the transcript: a script (docs/conversation.txt is one), "
            "or a recording.",
            autocompletion=complete.files,
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_FILES,
            help="Write the conversation to this new file, as JSON, which the page in the browser can replay too.",
            autocompletion=complete.files,
        ),
    ] = None,
    play: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            metavar="FILE",
            rich_help_panel=_FILES,
            help="Show a recorded conversation, without a server: at its own pace on a terminal, else at once.",
            autocompletion=complete.files,
        ),
    ] = None,
    times: Annotated[
        bool,
        typer.Option(rich_help_panel=_FILES, help="Whether lines of a transcript begin with the seconds."),
    ] = True,
    stats: Annotated[
        bool,
        typer.Option(
            "--stats",
            rich_help_panel=_FILES,
            help="Print at the end what the slices took, in time and in tokens, to standard error.",
        ),
    ] = False,
    _version: Annotated[bool, version_option("edge-chat")] = False,
) -> None:
    """Talk with the assistant on a terminal, also while it speaks.

    Finished words are sent at each slice, and the rest when you press Enter. Ctrl-C interrupts the assistant, twice
    leaves; /new begins a new conversation, /help explains, /quit leaves.

    Without a terminal, lines are read from standard input, each said when the assistant is silent.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
    # Help and completion come without what a conversation needs.
    from clients.connection import UrlError
    from clients.conversation import TalkError
    from clients.recording import RecordingError, read_recording
    from clients.replay import replay
    from clients.script import ScriptError
    from clients.talk import OptionError, Talk, read_options

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
            if others := _given(context, but={"times", "stats", "play"}):
                text = f"{others[0]} does not go with --replay, which talks with no server: leave it out"
                raise OptionError(text)
            recording = read_recording(play)
    except (UrlError, OptionError, ScriptError, RecordingError) as error:
        _fail(str(error), 2)
    try:
        if play is None:
            reason = asyncio.run(Talk(options).run())
        else:
            reason, paced = None, sys.stdout.isatty()
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
    if reason is not None:
        _fail(reason, 1)


app.command("eval", cls=command(EVAL_PAGE))(evaluate)


def _refuse_options_before(context: typer.Context) -> None:
    """They are the conversation's, and a command has its own of the same names."""
    for option in _given(context, but=set()):
        _fail(f"{option} stands before {context.invoked_subcommand}: write options behind it", 2)


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
        return app(standalone_mode=False, prog_name="edge-chat") or 0
    except _UsageError as error:
        print(f"edge-chat: {error.format_message()} (edge-chat --help lists the options)", file=sys.stderr)
        return 2
    except typer.Abort:  # Ctrl-C, while the command line was read
        return INTERRUPTED
