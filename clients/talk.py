"""A conversation put together from the command line's options: which protocol, which front end, what is beside it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prompt_toolkit.utils import is_dumb_terminal

from clients.chat import Chat, Mode
from clients.chat_realtime import RealtimeChat
from clients.chat_text import DRAFT_SUBPROTOCOL, TextChat
from clients.connection import Connection, check_url, public_url
from clients.conversation import Conversation, Ticker
from clients.deeds import Deed, users_part
from clients.lines import Lines, read_lines
from clients.pace import Heard, PacedSpeaker, ReplySpeaker
from clients.protocols import Protocol
from clients.realtime_session import Tap
from clients.recording import LARGEST_FILE, Recorder, RecordingError, Sender, parse_recording
from clients.replay import DeedsFrontEnd
from clients.script import AfterReplies, Cue, ScriptError, ScriptFrontEnd, read_script
from clients.terminal import Terminal
from clients.voice import Voice, VoiceSpeaker, find_voice

SHORTEST_TICK, LONGEST_TICK = 0.01, 60.0  # seconds
SHORTEST_SLICE, LONGEST_SLICE = 0.2, 10.0  # of those whose clock the server keeps
SLOWEST, FASTEST = 20.0, 1000.0  # words a minute
VOICE_WPM = 175.0
DEFAULT_TICK = 2.0
PATH = "/v1/realtime"
NO_JSON = (
    "has no JSON protocol: it may be the chat port (8766 by default; this wants 8765), an older server, or one that "
    "runs with --compat upstream; add --protocol text"
)


class OptionError(ValueError):
    """The message is one line for the user."""


@dataclass(frozen=True)
class Options:
    """What `edge-chat` was asked for, checked."""

    url: str
    protocol: Protocol
    mode: Mode
    tick: float | None
    wpm: float | None
    voice: Voice | None
    stats: bool
    record: Path | None
    cues: list[Cue] | None
    deeds: list[Deed] | None
    times: bool
    wait: float


def read_options(
    *,
    url: str | None,
    protocol: str,
    mode: str,
    tick: str | None,
    wpm: str | None,
    voice: bool,
    stats: bool,
    record: Path | None,
    script: Path | None,
    times: bool,
    wait: str,
) -> Options:
    """The options, checked one by one and against each other.

    Raises:
        OptionError, UrlError, ScriptError, RecordingError: One of them cannot be used.
    """
    spoken = _one_of(Protocol, "--protocol", protocol, "no protocol")
    turns = _one_of(Mode, "--mode", mode, "no way to talk")
    cues, deeds = (None, None) if script is None else _users_part(script)
    for option, given in (("--wpm", wpm), ("--voice", voice), ("--stats", stats), ("--record", record)):
        if given and spoken is Protocol.TEXT:
            raise OptionError(f"{option} needs to know more than the text protocol says: leave out --protocol text")
    for option, given in (("--wpm", wpm), ("--voice", voice)):
        if given and turns is Mode.CHAT:
            raise OptionError(f"{option} needs an assistant that can be interrupted: leave out --mode chat")
    if deeds is not None and spoken is Protocol.TEXT:
        raise OptionError("--script with a recording needs the JSON protocol: leave out --protocol text")
    if turns is Mode.CHAT:
        for cue in cues or []:
            if isinstance(cue.moment, AfterReplies) and cue.moment.count > 1:
                text = (
                    f"line {cue.line_number} of the script waits for {cue.moment.count} replies, and with --mode chat"
                )
                raise OptionError(f"{text} a line has one: leave out --mode chat")
    ours = spoken is Protocol.TEXT or cues is not None  # the clock
    shortest, longest = (SHORTEST_TICK, LONGEST_TICK) if ours else (SHORTEST_SLICE, LONGEST_SLICE)
    patience = _number(wait)
    if not 0 <= patience < float("inf"):
        raise OptionError(f"--wait {shown(wait)} is not a time: it takes 0 seconds or more")
    return Options(
        url=_address(url, spoken, turns),
        protocol=spoken,
        mode=turns,
        tick=_between("--tick", tick, shortest, longest, "not a length", "seconds"),
        wpm=_between("--wpm", wpm, SLOWEST, FASTEST, "no rate", "words a minute"),
        voice=_find_voice() if voice else None,
        stats=stats,
        record=_new_file(record),
        cues=cues,
        deeds=deeds,
        times=times,
        wait=patience,
    )


# Options are read here: what the library says of one that it cannot read depends on its version.


def _one_of(kind: type[Any], option: str, text: str, what: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise OptionError(
            f"{option} {shown(text)} is {what}: it takes {' or '.join(one.value for one in kind)}"
        ) from None


def _between(option: str, text: str | None, least: float, most: float, what: str, unit: str) -> float | None:
    if text is None:
        return None
    number = _number(text)
    if not least <= number <= most:
        raise OptionError(f"{option} {shown(text)} is {what}: it takes {least:g} to {most:g} {unit}")
    return number


def _number(text: str) -> float:
    """A number, or one that is in no range."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def shown(text: str) -> str:
    """What somebody wrote, fit for a line of a message."""
    return "".join(c for c in text if c.isprintable()) or "''"


def _address(url: str | None, protocol: Protocol, mode: Mode) -> str:
    if url is None:
        # Turn by turn, only the text protocol has a port of its own.
        url = f"ws://localhost:{8766 if protocol is Protocol.TEXT and mode is Mode.CHAT else 8765}"
    parts = urlsplit(check_url(url))
    if protocol is Protocol.JSON and parts.path in ("", "/"):
        return parts._replace(path=PATH).geturl()
    return url


def _users_part(script: Path) -> tuple[list[Cue] | None, list[Deed] | None]:
    """What is said in a file: a script, or a recording. It is read once, since it may be a pipe."""
    try:
        with script.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ScriptError(f"cannot read the script {shown(str(script))}: {error.strerror or error}") from None
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None, users_part(parse_recording(data, script))
    return read_script(data, shown(str(script))), None


def _new_file(path: Path | None) -> Path | None:
    if path is None:
        return None
    if path.exists():
        raise OptionError(f"--record {shown(str(path))} exists: give another name, or delete it")
    if not path.absolute().parent.is_dir():
        raise OptionError(f"--record {shown(str(path))}: there is no folder {shown(str(path.parent))}")
    return path


def _find_voice() -> Voice:
    voice = find_voice()
    if voice is None:
        raise OptionError("--voice: nothing here can speak; install espeak-ng (Debian: sudo apt-get install espeak-ng)")
    return voice


class Talk:
    """One conversation as the options say."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._realtime: RealtimeChat | None = None
        self._note: Callable[[str], None]

    async def run(self) -> str | None:
        """Talks until the end; returns why there is no connection, or no recording, if that ended it.

        Raises:
            TalkError: As `Conversation.run`. So does OSError.
        """
        options = self._options
        played = options.cues is not None or options.deeds is not None
        # On a dumb terminal, such as an editor's shell, nothing can be drawn: there a conversation is lines.
        interactive = not played and sys.stdin.isatty() and sys.stdout.isatty() and not is_dumb_terminal()
        tape = None if options.record is None else _Tape(options.record)
        conversation = self._conversation(interactive, tape)
        if tape is not None:
            tape.tell = conversation.note
        _leave_on_signals(conversation)
        printed: dict[str, Any] = {"out": sys.stdout, "notes": sys.stderr, "times": options.times}
        try:
            if interactive:
                reason = await Terminal(conversation, where=_shown_address(options.url)).run()
            elif options.cues is not None:
                reason = await _until_over(conversation, ScriptFrontEnd(conversation, options.cues, **printed))
            elif options.deeds is not None:
                reason = await _until_over(conversation, DeedsFrontEnd(conversation, options.deeds, **printed))
            else:
                reason = await _in_lines(conversation)
        finally:
            if tape is not None:
                tape.close()
            if options.stats and self._realtime is not None:
                for line in self._realtime.stats.report:
                    print(line, file=sys.stderr)
        return reason or (None if tape is None else tape.failure)

    def _conversation(self, interactive: bool, tap: Tap | None) -> Conversation:
        options = self._options
        chat: Chat
        if options.protocol is Protocol.TEXT:
            chat = TextChat(options.mode)
        else:
            chat = self._realtime = RealtimeChat(
                options.mode,
                slice_ms=None if options.tick is None or options.cues else round(options.tick * 1000),
                client_clock=options.cues is not None,
                aloud=self._aloud,
                tap=tap,
            )
        connection = Connection(
            options.url,
            patience=None if interactive else options.wait,
            reopen=options.cues is None and options.deeds is None,
            # Where nobody types, lines come whole.
            offer=DRAFT_SUBPROTOCOL
            if interactive and options.mode is Mode.DUPLEX and options.protocol is Protocol.TEXT
            else None,
            query=chat.query,
            not_found=NO_JSON if options.protocol is Protocol.JSON else None,
        )
        conversation = Conversation(
            chat,
            connection,
            Ticker(options.tick or DEFAULT_TICK),
            # The JSON protocol says when nothing more is to be expected.
            quiet_seconds=0.0 if self._realtime is not None else 1.0,
            voice=self._speaker if self._aloud else None,
        )
        self._note = conversation.note
        return conversation

    @property
    def _aloud(self) -> bool:
        return self._options.wpm is not None or self._options.voice is not None

    def _speaker(self, tell: Callable[[Heard], None]) -> ReplySpeaker:
        voice, rate = self._options.voice, self._options.wpm or VOICE_WPM
        if voice is None:
            return PacedSpeaker(rate, tell)
        return VoiceSpeaker(voice, rate, tell, lambda line: self._note(line))


class _Tape:
    """Writes events down from the first on; says once if that fails."""

    def __init__(self, path: Path) -> None:
        self.tell: Callable[[str], None] = lambda _: None
        self.failure: str | None = None
        self._path = path
        self._recorder: Recorder | None = None
        self._began = 0.0

    def __call__(self, sender: Sender, event: Mapping[str, Any]) -> None:
        if self.failure is not None:
            return
        now = asyncio.get_running_loop().time()
        try:
            if self._recorder is None:
                self._recorder, self._began = Recorder(self._path), now
            self._recorder.add(sender, event, now - self._began)
        except RecordingError as error:
            self.failure = str(error)
            self.tell(f"{self.failure[0].upper()}{self.failure[1:]}.")

    def close(self) -> None:
        if self._recorder is not None:
            self._recorder.close()


def _shown_address(url: str) -> str:
    return public_url(url).removesuffix(PATH)


async def _in_lines(conversation: Conversation) -> str | None:
    person = sys.stdin.isatty()
    lines = Lines(conversation, out=sys.stdout, notes=sys.stderr, in_turn=not person)
    if person:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, conversation.interrupt)
    read_lines(sys.stdin.fileno(), lines.bring)
    return await _until_over(conversation, lines)


async def _until_over(conversation: Conversation, front_end: Lines | ScriptFrontEnd | DeedsFrontEnd) -> str | None:
    try:
        return await conversation.run(front_end)
    finally:
        front_end.close()


def _leave_on_signals(conversation: Conversation) -> None:
    """Being told to end is leaving: the terminal is put back as it was, and the connection closed."""
    with suppress(NotImplementedError):  # not every event loop has signals
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, conversation.leave)
