"""The conversation of the JSON protocol as its clients see it: messages, in order, each half of a turn.

Pure. The session holds turns as tokens; what it holds is told by a turn's number, and what it should hold by `turns`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from edge_server.events import Kept, Told
from edge_server.realtime_wire import WireError

# The oldest items go: their words have long slid out of the context.
MAX_ITEMS = 2000
MAX_CHARACTERS = 2**20


@dataclass
class Message:
    """One item. ``turn``: the number of the session's turn that has it; None: the session has not been told."""

    id: str
    role: Literal["user", "assistant"]
    text: str
    status: Literal["in_progress", "completed", "incomplete"] = "completed"
    turn: int | None = None
    heard: int = 0  # characters, as far as was reported
    keep: int | None = None  # characters that are to stay, where the session has more

    def wire(self, *, empty: bool = False) -> dict[str, Any]:
        """As events carry it. ``empty``: without its content, which is still to come."""
        kind = "input_text" if self.role == "user" else "output_text"
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
            "content": [] if empty else [{"type": kind, "text": self.text}],
        }


class Items:
    """The messages of one conversation, oldest first."""

    def __init__(self) -> None:
        self._items: list[Message] = []
        self._silenced: set[int] = set()  # turns whose reply was deleted
        self._wordless: set[int] = set()  # turns whose words of the user's were
        self._made = 0

    def __iter__(self) -> Iterator[Message]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def last(self) -> Message | None:
        """The newest."""
        return self._items[-1] if self._items else None

    def find(self, item_id: str) -> Message:
        """By its id. Raises WireError."""
        for item in reversed(self._items):
            if item.id == item_id:
                return item
        raise WireError("item_not_found", f"there is no item {item_id[:64]!a} in the conversation", "item_id")

    def new_id(self) -> str:
        """One that no item has, nor was given from here."""
        taken = {item.id for item in self._items}
        while True:
            self._made += 1
            if (item_id := f"item_{self._made:06d}") not in taken:
                return item_id

    def add(self, item: Message, *, after: str | None = None) -> str | None:
        """Put an item behind another (None: at the end; "root": first); the id of the one before. Raises WireError."""
        if any(other.id == item.id for other in self._items):
            raise WireError("item_exists", f"there is an item {item.id!a} already", "item.id")
        place = len(self._items)
        if after == "root":
            place = 0
        elif after is not None:
            try:
                place = self._items.index(self.find(after)) + 1
            except WireError as error:
                raise WireError(error.code, error.message, "previous_item_id") from None
        self._items.insert(place, item)
        self._trim()
        return self.before(item)

    def _trim(self) -> None:
        del self._items[:-MAX_ITEMS]
        characters = sum(len(item.text) for item in self._items)
        while characters > MAX_CHARACTERS and len(self._items) > 1:
            characters -= len(self._items.pop(0).text)

    def before(self, item: Message) -> str | None:
        """The id of the item before one."""
        place = self._items.index(item) if item in self._items else 0
        return self._items[place - 1].id if place else None

    def can_follow(self, item_id: str | None) -> bool:
        """Whether something can be put behind an item of that id, or first ("root")."""
        return item_id == "root" or any(item.id == item_id for item in self._items)

    def remove(self, item: Message) -> None:
        """Take one out."""
        self._items.remove(item)
        if item.turn is not None:
            (self._silenced if item.role == "assistant" else self._wordless).add(item.turn)

    def untold(self, *, but_last: bool) -> bool:
        """Whether there are items that the session has not been told; ``but_last``: besides the newest."""
        return any(item.turn is None for item in (self._items[:-1] if but_last else self._items))

    def turns(self, new_turn: Callable[[], int], *, but_last: bool) -> tuple[Kept | Told, ...]:
        """What the session should hold; what it has not been told gets its turn's number now."""
        items = self._items[:-1] if but_last else self._items
        present = {item.turn for item in items if item.turn is not None}
        self._silenced &= present
        self._wordless &= present
        count = Counter(item.turn for item in items)
        turns: list[Kept | Told] = []
        at = 0
        while at < len(items):
            user = items[at] if items[at].role == "user" else None
            at += user is not None
            reply = items[at] if at < len(items) and items[at].role == "assistant" else None
            at += reply is not None
            turns.append(self._turn([half for half in (user, reply) if half is not None], count, new_turn))
        return tuple(turns)

    def _turn(self, halves: list[Message], count: Counter[int | None], new_turn: Callable[[], int]) -> Kept | Told:
        """``count``: how many items of each turn there are."""
        held = halves[0].turn
        texts = {half.role: half for half in halves}
        reply = texts.get("assistant")
        if held is not None and [half.turn for half in halves] == [held] * count[held]:
            characters = reply.keep if reply is not None else 0 if held in self._silenced else None
            return Kept(held, held not in self._wordless, characters)
        turn = new_turn()
        for half in halves:
            half.turn = turn
        user = texts.get("user")
        return Told(turn, "" if user is None else user.text, "" if reply is None else reply.text[: reply.keep])
