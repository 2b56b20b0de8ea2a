"""What the user did in a recorded conversation: worked out from its events, to be done again before a server. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clients.recording import Recorded, Recording, RecordingError

LONGEST_DRAFT = 32_768  # characters; the server takes no more
MOST_TYPED = 32 * 1024 * 1024  # characters, of all drafts together as each was


@dataclass(frozen=True)
class Typed:
    """`text` is the whole draft as it was from then on; empty: there was none any more. `at` in seconds, as below."""

    at: float
    text: str


@dataclass(frozen=True)
class Said:
    """`text` became final: a message."""

    at: float
    text: str


@dataclass(frozen=True)
class Stopped:
    """The assistant was told to be silent."""

    at: float


@dataclass(frozen=True)
class Renewed:
    """A new conversation began."""

    at: float


Deed = Typed | Said | Stopped | Renewed


def users_part(recording: Recording) -> list[Deed]:
    """What the user did, in order, to be done again before a server with `commit: "client"`.

    What the server committed by itself, at the end of a slice (`commit: "slices"`), the user has said then. Events that
    no server would have taken are passed over.

    Raises:
        RecordingError: The drafts are together larger than any that were typed.
    """
    user = _User()
    for recorded in recording.events:
        user.take(recorded)
    return user.deeds


class _User:
    def __init__(self) -> None:
        self.deeds: list[Deed] = []
        self._draft = ""
        # The drafts that were committed, each with what was said by it; and None for each that was cleared.
        self._unanswered: list[tuple[str, Said] | None] = []
        self._sessions = 0
        self._reply: object = None  # the id of the newest
        self._typed = 0

    def take(self, recorded: Recorded) -> None:
        at, event = recorded.at, recorded.event
        handlers = _OF_CLIENT if recorded.sender == "client" else _OF_SERVER
        if handler := handlers.get(event["type"]):
            handler(self, at, event)

    # --- the client's

    def append(self, at: float, event: dict[str, Any]) -> None:
        if isinstance(text := event.get("text"), str):
            self._type(at, text if event.get("replace") is True else self._draft + text)

    def clear(self, at: float, event: dict[str, Any]) -> None:
        self._unanswered.append(None)
        self._type(at, "")

    def commit(self, at: float, event: dict[str, Any]) -> None:
        words, self._draft = self._draft.strip(), ""
        if words:
            said = Said(at, words)
            self._unanswered.append((words, said))
            self.deeds.append(said)

    def create(self, at: float, event: dict[str, Any]) -> None:
        item = event.get("item")
        if not isinstance(item, dict) or item.get("role") != "user" or not isinstance(item.get("content"), list):
            return
        parts = [part.get("text") for part in item["content"] if isinstance(part, dict)]
        if words := "".join(part for part in parts if isinstance(part, str)).strip():
            self.deeds.append(Said(at, words))

    def cancel(self, at: float, event: dict[str, Any]) -> None:
        self.deeds.append(Stopped(at))

    def truncate(self, at: float, event: dict[str, Any]) -> None:
        if self._reply is not None and event.get("item_id") == self._reply:
            self.deeds.append(Stopped(at))

    # --- the server's

    def created(self, at: float, event: dict[str, Any]) -> None:
        self._sessions += 1
        if self._sessions > 1:
            # What never came into the conversation before was not said there: a client says it again.
            lost = [one[1] for one in self._unanswered if one is not None]
            self.deeds = [deed for deed in self.deeds if not any(deed is one for one in lost)]
            self.deeds.append(Renewed(at))
        self._draft, self._unanswered, self._reply = "", [], None

    def replied(self, at: float, event: dict[str, Any]) -> None:
        item = event.get("item")
        self._reply = item.get("id") if isinstance(item, dict) else None

    def cleared(self, at: float, event: dict[str, Any]) -> None:
        del self._unanswered[:1]

    def committed(self, at: float, event: dict[str, Any]) -> None:
        words = event.get("text")
        if not isinstance(words, str) or not words.strip():
            return
        if self._unanswered:
            # A slice may have taken the beginning of it when the rest was committed: then that is answered too.
            waiting = self._unanswered.pop(0)
            rest = _behind(waiting[0], words) if waiting is not None else None
            if waiting is not None and rest:
                self._unanswered.insert(0, (rest, waiting[1]))
        elif (left := _behind(self._draft, words)) is not None:
            self.deeds.append(Said(at, words))
            self._draft = ""
            if left:
                self._type(at, left)

    def _type(self, at: float, draft: str) -> None:
        if draft == self._draft or len(draft) > LONGEST_DRAFT:
            return
        self._draft = draft
        self._typed += len(draft)
        if self._typed > MOST_TYPED:
            raise RecordingError(f"the drafts of this recording have over {MOST_TYPED} characters: choose another")
        self.deeds.append(Typed(at, draft))


_OF_CLIENT = {
    "input_text_buffer.append": _User.append,
    "input_text_buffer.clear": _User.clear,
    "input_text_buffer.commit": _User.commit,
    "conversation.item.create": _User.create,
    "conversation.item.truncate": _User.truncate,
    "response.cancel": _User.cancel,
}
_OF_SERVER = {
    "session.created": _User.created,
    "response.output_item.added": _User.replied,
    "input_text_buffer.cleared": _User.cleared,
    "input_text_buffer.committed": _User.committed,
}


def _behind(draft: str, words: str) -> str | None:
    """What is left of a draft when its first words are gone; None: it does not begin with them."""
    begun = draft.strip()
    return begun[len(words) :].lstrip() if begun.startswith(words) else None
