"""edge-chat: reads the command line, puts a conversation together, and turns how it ended into an exit code.

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

from clients.chat import Chat, Mode
from clients.connection import Connection, UrlError, check_url, public_url
from clients.conversation import Conversation, TalkError, Ticker
from clients.lines import Lines, read_lines
from clients.script import Cue, ScriptError, ScriptFrontEnd, read_script
from clients.terminal import Terminal

SHORTEST_TICK, LONGEST_TICK = 0.01, 60.0

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(no_args_is_help=False)
def chat(
    url: Annotated[
        str | None,
        typer.Option(
            help="The server's address.", show_default="ws://localhost:8765, in chat mode ws://localhost:8766"
        ),
    ] = None,
    tick: Annotated[float, typer.Option(help="Length of a time slice in seconds.")] = 2.0,
    mode: Annotated[
        Mode, typer.Option(help="duplex: both may speak at any time; chat: one line, one reply.")
    ] = Mode.DUPLEX,
    script: Annotated[
        Path | None,
        typer.Option(help="Play the conversation in this file and print the transcript; docs/conversation.txt is one."),
    ] = None,
    times: Annotated[bool, typer.Option(help="Whether the transcript begins its lines with the seconds.")] = True,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for a server where there is no terminal, or with --script.")
    ] = 10.0,
) -> None:
    """Talk with the assistant on a terminal, also while it speaks.

    Finished words are sent at each tick, and the rest when you press Enter. Ctrl-C interrupts the assistant, twice
    leaves; /new begins a new conversation, /help explains, /quit leaves.

    Without a terminal, lines are read from standard input, each said when the assistant is silent.
    """
    try:
        address = check_url(url if url is not None else mode.default_url)
        if not SHORTEST_TICK <= tick <= LONGEST_TICK:
            raise OptionError(
                f"--tick {tick:g} is not a length: it takes {SHORTEST_TICK:g} to {LONGEST_TICK:g} seconds"
            )
        if not 0 <= wait < float("inf"):
            raise OptionError(f"--wait {wait:g} is not a time: it takes 0 seconds or more")
        cues = read_script(script) if script is not None else None
    except (UrlError, OptionError, ScriptError) as error:
        _fail(str(error), 2)
    interactive = cues is None and sys.stdin.isatty() and sys.stdout.isatty()
    connection = Connection(address, patience=None if interactive else wait, reopen=cues is None)
    conversation = Conversation(Chat(mode), connection, Ticker(tick))
    try:
        if interactive:
            work = _talk_on_terminal(conversation, public_url(address))
        elif cues is not None:
            work = _play(conversation, cues, times=times)
        else:
            work = _talk_in_lines(conversation)
        reason = asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
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


class OptionError(ValueError):
    """The message is one line for the user."""


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


def main() -> NoReturn:
    """The command `edge-chat`."""
    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        print(f"edge-chat: {error.format_message()} (edge-chat --help lists the options)", file=sys.stderr)
        code = 2
    sys.exit(code or 0)
