"""A conversation over the JSON protocol (docs/realtime.md), as its client knows it. Pure, as `chat.py` says.

The server keeps the clock, says what each slice was, and puts the user's words in their place: they are shown when it
says that they were committed, so nothing has to be guessed about what crossed them.

Where speech is `aloud`, what was sent is not yet heard: it goes to whoever speaks it (`Speak`), is shown and reported
as it is heard (`heard`), and what was not heard is not in the conversation once it is interrupted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from clients.chat import (
    CUT_MARK,
    FULL_NOTE,
    Action,
    Flush,
    Hush,
    Mode,
    Press,
    Presses,
    Reconnect,
    Replied,
    Show,
    Slice,
    Speak,
    Speaker,
    in_sentence,
    note,
)
from clients.realtime_session import EventError, Session, Tap, parse
from clients.stats import Stats
from clients.words import clean, in_slices

# A frame has 64 KiB, of which JSON may take two bytes for one.
SLICE_BYTES = 24 * 1024
LONGEST_SLICE_MS = 10_000

_T = TypeVar("_T")


@dataclass
class _Said:
    """Words that the server has not put into the conversation yet; `ids` of the events that carry them."""

    text: str
    ids: list[str] = field(default_factory=list)


@dataclass
class _Reply:
    """The newest reply. All lengths in characters of its text, as it came."""

    item: str
    text: str = ""
    shown: int = 0
    heard: int = 0  # as far as it was reported
    cut: bool = False  # no more of it will be heard
    marked: bool = False  # as broken off, on the screen


class RealtimeChat:
    """One conversation, as `chat.Chat`: it survives a lost connection.

    Args:
        slice_ms: How long a slice is; None: as the server has it.
        client_clock: It is this client that says when a slice is over, by `tick`.
        aloud: What is sent is spoken, and counts as heard only when `heard` says so.
        tap: Is told every event, of both sides.
    """

    def __init__(
        self,
        mode: Mode,
        *,
        slice_ms: int | None = None,
        client_clock: bool = False,
        aloud: bool = False,
        tap: Tap | None = None,
    ) -> None:
        self.mode = mode
        self.stats = Stats()
        self.slice_seconds: float | None = None
        self._session = Session(tap)
        self._client_clock = client_clock
        self._aloud = aloud and mode is Mode.DUPLEX
        self._wanted: dict[str, Any] = {
            "clock": "client" if client_clock else "server",
            "heard": "reported" if aloud else "assumed",
        }
        if slice_ms is not None:
            self._wanted["slice_ms"] = slice_ms
        self._pending: deque[_Said] = deque()
        self._presses = Presses()
        self._renewing = False
        self._begun = False  # there was a session before
        self._rubbish = False  # it was said that the server is none of ours
        self._begin()

    def _begin(self) -> None:
        self._draft = ""  # what the server holds
        self._reply: _Reply | None = None
        self._response: str | None = None
        self._stopped = False  # the user wants no more of the response
        self._more = False  # the assistant may have more to say
        self._worded = False  # the slice, or reply, that goes on has words
        self.waiting = False
        self._full = False  # something of the user's last words did not fit
        self._full_told = False

    # --- what there is to know

    @property
    def listening(self) -> bool:
        return self._session.connected or self._renewing

    @property
    def full(self) -> bool:
        return self._full and not self._pending

    @property
    def unheard(self) -> list[Slice]:
        slices = [Slice(Speaker.YOU, clean(said.text)) for said in self._pending]
        if slices and self._cuts():
            slices[0] = Slice(Speaker.YOU, slices[0].text, interrupts=True)
        return slices

    @property
    def speaking(self) -> bool:
        return self._response is not None or self._rest

    @property
    def silent(self) -> bool:
        return not (self._pending or self._more or self.speaking)

    @property
    def takes_drafts(self) -> bool:
        return self.mode is Mode.DUPLEX and self._session.connected

    @property
    def status(self) -> tuple[str, ...]:
        return self.stats.last

    @property
    def _rest(self) -> bool:
        """Whether something is still to be heard."""
        reply = self._reply
        return self._aloud and reply is not None and not reply.cut and reply.heard < len(reply.text)

    def _cuts(self) -> bool:
        """Whether words that come now interrupt a sentence."""
        reply = self._reply
        if reply is None or not reply.shown or reply.marked:
            return False
        return (reply.cut or self.speaking) and in_sentence(reply.text[: reply.shown])

    # --- connections

    def query(self) -> str:
        return self._session.query()

    def opened(self, subprotocol: str | None = None) -> list[Action]:
        return []  # the session says itself when it is there

    def lost(self) -> list[Action]:
        self._session.lost()
        self._renewing = False
        return [Hush()] if self._aloud else []

    def ended(self) -> list[Action]:
        actions: list[Action] = [Show(slice_) for slice_ in self.unheard]
        self._pending.clear()
        self._session.lost()
        return actions

    def renew(self) -> list[Action]:
        """The user wants a new conversation, for which a session ends and another begins."""
        connected = self._session.connected
        actions = self.ended()
        self._session.forget()
        self._begin()
        self._begun = False
        self.stats.renew()
        actions += [Hush()] if self._aloud else []
        if self._renewing:
            return [*actions, note("A new conversation.")]  # a connection for it is being made
        if not connected:
            return [*actions, note("Not connected: a new conversation begins when the server is back.")]
        self._renewing = True
        return [*actions, note("A new conversation."), Reconnect()]

    # --- what the user does

    def tick(self) -> list[Action]:
        if not self._client_clock or self.mode is not Mode.DUPLEX or not self._session.connected:
            return []
        return self._session.send("duplex.tick")[1]

    def say(self, words: str) -> list[Action]:
        if not self.listening:
            return []
        self._full = self._full_told = False
        return [action for part in _parts(words) for action in self._say(_Said(part))]

    def _say(self, said: _Said) -> list[Action]:
        self._pending.append(said)
        if not self._session.connected:
            return []  # it is said as soon as there is a session
        return self._commit(said) if self.mode is Mode.DUPLEX else self._ask(said)

    def _commit(self, said: _Said) -> list[Action]:
        actions: list[Action] = []
        if said.text != self._draft:
            actions += self._send(said, "input_text_buffer.append", text=said.text, replace=True)
        self._draft = ""
        return actions + self._send(said, "input_text_buffer.commit")

    def _ask(self, said: _Said) -> list[Action]:
        actions: list[Action] = []
        if self._response is not None or self._more or len(self._pending) > 1:  # one may be about to begin
            actions += self._session.send("response.cancel")[1]
        content = [{"type": "input_text", "text": said.text}]
        item = {"type": "message", "role": "user", "content": content}
        actions += self._send(said, "conversation.item.create", item=item)
        return actions + self._send(said, "response.create")

    def _send(self, said: _Said, kind: str, **fields: Any) -> list[Action]:
        identity, actions = self._session.send(kind, **fields)
        said.ids.append(identity)
        return actions

    def draft(self, line: str) -> list[Action]:
        if not self.takes_drafts:
            return []
        text = next(iter(_parts(line)), "")
        if text == self._draft:
            return []
        self._draft = text
        return self._session.send("input_text_buffer.append", text=text, replace=True)[1]

    def stop(self) -> list[Action]:
        hush: list[Action] = [Hush()] if self._aloud else []
        if self._response is not None:
            self._stopped = True
            return [*hush, *self._session.send("response.cancel")[1]]
        return [*hush, *self._cut_rest()]

    def _cut_rest(self) -> list[Action]:
        """What of a complete reply is not heard is not to be heard."""
        reply = self._reply
        if reply is None or not self._rest:
            return []
        reply.cut = True
        fields = {"item_id": reply.item, "characters": reply.heard}
        return [*self._mark(), *self._session.send("conversation.item.truncate", **fields)[1]]

    def _mark(self) -> list[Action]:
        """The assistant was told to stop, and does so in the middle of a sentence."""
        reply = self._reply
        if reply is None or not self._cuts():
            return []
        reply.marked = True
        return [Show(Slice(Speaker.ASSISTANT, CUT_MARK, continues=True))]

    def heard(self, item: str, characters: int) -> list[Action]:
        reply = self._reply
        if reply is None or reply.item != item or reply.cut:
            return []
        characters = min(characters, len(reply.text))
        actions = self._show(reply, characters, continues=True)
        if characters > reply.heard:
            reply.heard = characters
            actions += self._session.send("conversation.item.heard", item_id=item, characters=characters)[1]
        return actions

    def press(self, now: float) -> Press:
        return self._presses.meaning(now, stoppable=self.speaking and self._session.connected)

    def passed(self, number: int) -> list[Action]:
        return []  # the server says itself where the words belong

    # --- what the server says

    def hear(self, frame: str) -> list[Action]:
        try:
            return self.take(parse(frame))
        except EventError as error:
            if self._rubbish:
                return []
            self._rubbish = True
            return [note(f"The server sent {error}: it may be none that this client knows. That was left out.")]

    def take(self, event: Mapping[str, Any]) -> list[Action]:
        """As `hear`, with the event that is in the frame.

        Raises:
            EventError: It lacks something, or something in it is of the wrong kind.
        """
        known, again = self._session.connected, self._session.receive(event)
        self.stats.take(event)
        if known and event["type"] == "session.resumed":
            return again
        handle = self._handlers.get(event["type"])
        return [*again, *(handle(self, event) if handle is not None else [])]

    def _on_created(self, event: Mapping[str, Any]) -> list[Action]:
        """There is a session: what it is to be like, and what waits to be said."""
        actions: list[Action] = []
        if self._begun:
            actions.append(note("Connected again: that conversation is gone, and a new one begins."))
        self._begun, self._renewing = True, False
        self._begin()
        if self.mode is Mode.DUPLEX:
            session = {"type": "realtime", "duplex": self._wanted}
            actions += self._session.send("session.update", session=session)[1]
        waiting, self._pending = list(self._pending), deque()
        return actions + [action for said in waiting for action in self._say(_Said(said.text))]

    def _on_resumed(self, event: Mapping[str, Any]) -> list[Action]:
        return [note("Connected again: the conversation goes on."), *self._speak_on()]

    def _speak_on(self) -> list[Action]:
        """Speech that was hushed, and is not to be cut, goes on from where it was heard."""
        reply = self._reply
        if reply is None or not self._rest or self._stopped or self.waiting or not self._session.connected:
            return []
        rest = Speak(reply.item, reply.heard, reply.text[reply.heard :])
        return [rest] if self._worded else [rest, Flush()]

    def _on_updated(self, event: Mapping[str, Any]) -> list[Action]:
        duplex = _of(event, "session", dict).get("duplex")
        if not isinstance(duplex, dict):
            return []
        if not self._client_clock:
            slice_ms = _of(duplex, "slice_ms", int)
            if not 0 < slice_ms <= LONGEST_SLICE_MS:
                raise EventError(f"slices of {str(slice_ms)[:20]} ms")
            self.slice_seconds = slice_ms / 1000
        self._aloud = duplex.get("heard") == "reported"
        reply = self._reply
        return [] if self._aloud or reply is None or reply.cut else self._show(reply, len(reply.text), continues=True)

    def _on_committed(self, event: Mapping[str, Any]) -> list[Action]:
        return self._heard_words(_of(event, "text", str))

    def _on_added(self, event: Mapping[str, Any]) -> list[Action]:
        item = _of(event, "item", dict)
        if self.mode is Mode.DUPLEX or item.get("role") != "user":
            return []
        parts = [part for part in _of(item, "content", list) if isinstance(part, dict)]
        return self._heard_words("".join(_of(part, "text", str) for part in parts))

    def _heard_words(self, text: str) -> list[Action]:
        if self._pending:
            self._pending.popleft()
        interrupts = self._cuts()
        hush: list[Action] = [Hush()] if self._aloud else []
        self._reply, self._more, self._worded, self.waiting = None, True, False, False
        return [*hush, Show(Slice(Speaker.YOU, clean(text), interrupts=interrupts)), *self._tell_full()]

    def _tell_full(self) -> list[Action]:
        """Once of all that was said, and below it: it may be long."""
        if not self._full or self._full_told or self._pending:
            return []
        self._full_told = True
        return [note(FULL_NOTE)]

    def _on_response(self, event: Mapping[str, Any]) -> list[Action]:
        self._response = _of(_of(event, "response", dict), "id", str)
        self._worded = self._stopped = False
        return []

    def _on_delta(self, event: Mapping[str, Any]) -> list[Action]:
        item, delta = _of(event, "item_id", str), _of(event, "delta", str)
        if self._reply is None or self._reply.item != item:
            self._reply = _Reply(item)
        reply, continues, self._worded = self._reply, self._worded, True
        start = len(reply.text)
        reply.text += delta
        if self._aloud:
            missed = not self._session.connected  # it is spoken when all that was missed is there
            return [] if self._stopped or missed else [Speak(item, start, delta)]
        return self._show(reply, len(reply.text), continues=continues)

    def _show(self, reply: _Reply, until: int, *, continues: bool) -> list[Action]:
        """Words of a reply that are not on the screen yet; they may go on with the slice of those before."""
        text = clean(reply.text[reply.shown : until])
        if not text:
            return []
        first, reply.shown = reply.shown == 0, until
        return [Show(Slice(Speaker.ASSISTANT, text, continues=continues and not first))]

    def _on_slice(self, event: Mapping[str, Any]) -> list[Action]:
        self._more = _of(event, "more", bool)
        actions: list[Action] = [Flush()] if self._aloud else []
        if self._worded and event.get("kind") != "interrupted":
            actions.append(Replied())
        self._worded = False
        return actions

    def _on_done(self, event: Mapping[str, Any]) -> list[Action]:
        status = _of(_of(event, "response", dict), "status", str)
        self._response = None
        self.waiting = self.waiting and status == "completed"  # what was said before may still be unheard
        actions: list[Action] = []
        if self.mode is Mode.CHAT:
            self._more = False
            actions += [Replied()] if self._worded else []
            self._worded = False
        if status in ("cancelled", "failed"):
            self._more = False
            if self._reply is not None:
                self._reply.cut = True
            actions += [Hush()] if self._aloud else []
            actions += self._mark() if self._stopped else []
        elif self._stopped:  # it was complete before the server heard of that
            actions += self._cut_rest()
        elif self._aloud:
            actions.append(Flush())
        return actions

    def _on_truncated(self, event: Mapping[str, Any]) -> list[Action]:
        reply = self._reply
        if reply is None or reply.item != event.get("item_id"):
            return []
        reply.text, reply.cut = _of(event, "text", str), True
        reply.shown = min(reply.shown, len(reply.text))
        self.waiting = False
        return [Hush()] if self._aloud else []

    def _on_barge_in(self, event: Mapping[str, Any]) -> list[Action]:
        self.waiting = True
        return [Hush()] if self._aloud else []

    def _on_false_alarm(self, event: Mapping[str, Any]) -> list[Action]:
        """What was typed asks for nothing: the assistant speaks on. If it was committed, it was as a back-channel."""
        actions: list[Action] = []
        if event.get("reason") != "withdrawn":
            if self._pending:
                self._pending.popleft()
            actions.append(Show(Slice(Speaker.YOU, f"({clean(_of(event, 'text', str))})")))
        held, self.waiting = self.waiting, False
        return [*actions, *self._speak_on()] if held else actions

    def _on_error(self, event: Mapping[str, Any]) -> list[Action]:
        error = _of(event, "error", dict)
        code, message = error.get("code"), clean(_of(error, "message", str))
        if code == "session_not_found" and self._session.asked_for:
            self._session.forget()
            return [Reconnect()]  # at once: the server is there, and only does not know this conversation
        identity = error.get("event_id")
        self._pending = deque(said for said in self._pending if identity is None or identity not in said.ids)
        if code in ("response_cancel_not_active", "input_text_buffer_commit_empty"):
            return []  # the reply had ended by itself; there was nothing to say
        if error.get("type") == "server_error":
            self._more = False
        if code == "context_length_exceeded":
            self._more, self._full = False, True
            return self._tell_full()
        return [note(f"The server says: {message}.")]

    _handlers: ClassVar[dict[str, Callable[[RealtimeChat, Mapping[str, Any]], list[Action]]]] = {
        "session.created": _on_created,
        "session.resumed": _on_resumed,
        "session.updated": _on_updated,
        "input_text_buffer.committed": _on_committed,
        "conversation.item.added": _on_added,
        "conversation.item.truncated": _on_truncated,
        "response.created": _on_response,
        "response.output_text.delta": _on_delta,
        "response.done": _on_done,
        "duplex.slice": _on_slice,
        "duplex.barge_in": _on_barge_in,
        "duplex.resumed": _on_false_alarm,
        "error": _on_error,
    }


def _parts(words: str) -> list[str]:
    return in_slices(" ".join(clean(words).split()), SLICE_BYTES)


def _of(event: Mapping[str, Any], key: str, kind: type[_T]) -> _T:
    value = event.get(key)
    if not isinstance(value, kind):
        raise EventError(f"an event without the {key} that belongs to it")
    return value
