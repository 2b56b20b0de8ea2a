"""edge-chat's command line: reads it, puts a conversation together, and turns how it ended into an exit code.

0: the user left, or the script or the input is over. 1: no connection, or not all could be said. 2: bad usage. 130:
Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from clients.chat import DRAFT_SUBPROTOCOL, Chat, Mode
from clients.cli import INTERRUPTED
from clients.connection import Connection, UrlError, check_url, public_url
from clients.conversation import Conversation, TalkError, Ticker
from clients.eval_command import evaluate
from clients.lines import Lines, read_lines
from clients.script import Cue, ScriptError, ScriptFrontEnd, read_script
from clients.terminal import Terminal

SHORTEST_TICK, LONGEST_TICK = 0.01, 60.0

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True, no_args_is_help=False)
def chat(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            help="The server's address.", show_default="ws://localhost:8765, in chat mode ws://localhost:8766"
        ),
    ] = None,
    tick: Annotated[str, typer.Option(help="Length of a time slice in seconds.", metavar="SECONDS")] = "2.0",
    mode: Annotated[
        str,
        typer.Option(
            help="duplex: both may speak at any time; chat: one line, one reply.",
            metavar=f"[{'|'.join(one.value for one in Mode)}]",
        ),
    ] = Mode.DUPLEX.value,
    script: Annotated[
        Path | None,
        typer.Option(help="Play the conversation in this file and print the transcript; docs/conversation.txt is one."),
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

    Finished words are sent at each tick, and the rest when you press Enter. Ctrl-C interrupts the assistant, twice
    leaves; /new begins a new conversation, /help explains, /quit leaves.

    Without a terminal, lines are read from standard input, each said when the assistant is silent.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
    try:
        turns = _read_mode(mode)
        address = check_url(url if url is not None else turns.default_url)
        length = _read_seconds(tick)
        if not SHORTEST_TICK <= length <= LONGEST_TICK:
            raise OptionError(
                f"--tick {_shown(tick)} is not a length: it takes {SHORTEST_TICK:g} to {LONGEST_TICK:g} seconds"
            )
        patience = _read_seconds(wait)
        if not 0 <= patience < float("inf"):
            raise OptionError(f"--wait {_shown(wait)} is not a time: it takes 0 seconds or more")
        cues = read_script(script) if script is not None else None
    except (UrlError, OptionError, ScriptError) as error:
        _fail(str(error), 2)
    interactive = cues is None and sys.stdin.isatty() and sys.stdout.isatty()
    connection = Connection(
        address,
        patience=None if interactive else patience,
        reopen=cues is None,
        # Where nobody types, lines come whole.
        offer=DRAFT_SUBPROTOCOL if interactive and turns is Mode.DUPLEX else None,
    )
    conversation = Conversation(Chat(turns), connection, Ticker(length))
    try:
        if interactive:
            work = _talk_on_terminal(conversation, public_url(address))
        elif cues is not None:
            work = _play(conversation, cues, times=times)
        else:
            work = _talk_in_lines(conversation)
        reason = asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except TalkError as error:
        _fail(str(error), 1)
    except OSError as error:
        # What could not be written would be tried again, and complained about, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read it has had enough
            raise typer.Exit(1) from None
        _fail(f"cannot write what was said: {error.strerror or error}", 1)
    if reason is not None:
        _fail(reason, 1)


app.command("eval")(evaluate)


def _refuse_options_before(context: typer.Context) -> None:
    """They are the conversation's, and a command has its own of the same names."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            _fail(f"{parameter.opts[0]} stands before {context.invoked_subcommand}: write options behind it", 2)


class OptionError(ValueError):
    """The message is one line for the user."""


# Options are read here: what the library says of one that it cannot read depends on its version.


def _read_mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        modes = " or ".join(one.value for one in Mode)
        raise OptionError(f"--mode {_shown(text)} is no way to talk: it takes {modes}") from None


def _read_seconds(text: str) -> float:
    """A number, or one that is in no range."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _shown(text: str) -> str:
    return "".join(c for c in text if c.isprintable()) or "''"


async def _talk_on_terminal(conversation: Conversation, where: str) -> str | None:
    """Talks until the end; returns why there is no connection, if that ended it. So do the next two."""
    _leave_on_signals(conversation)
    return await Terminal(conversation, where=where).run()


async def _talk_in_lines(conversation: Conversation) -> str | None:
    _leave_on_signals(conversation)
    person = sys.stdin.isatty()
    lines = Lines(conversation, out=sys.stdout, notes=sys.stderr, in_turn=not person)
    if person:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, conversation.interrupt)
    read_lines(sys.stdin.fileno(), lines.bring)
    try:
        return await conversation.run(lines)
    finally:
        lines.close()


async def _play(conversation: Conversation, cues: list[Cue], *, times: bool) -> str | None:
    _leave_on_signals(conversation)
    player = ScriptFrontEnd(conversation, cues, out=sys.stdout, notes=sys.stderr, times=times)
    try:
        return await conversation.run(player)
    finally:
        player.close()


def _leave_on_signals(conversation: Conversation) -> None:
    """Being told to end is leaving: the terminal is put back as it was, and the connection closed."""
    with suppress(NotImplementedError):  # not every event loop has signals
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, conversation.leave)


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
        print(f"edge-chat: {error.format_message()} (edge-chat --help lists the options)", file=sys.stderr)
        return 2
    except typer.Abort:  # Ctrl-C, while the command line was read
        return INTERRUPTED
