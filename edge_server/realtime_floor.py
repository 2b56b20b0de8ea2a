"""Who has the floor in the JSON protocol: the response that is made, what of it was heard, and what is taken back.

Between the session's outputs and the events of a response. No I/O, no clock. See `realtime.py` for the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from edge_server.context import Sampling
from edge_server.driver import Cost
from edge_server.events import Event, Output, ReplyEnd, Say, SliceKind, SliceOver, TooLong, Unheard
from edge_server.realtime_items import Items, Message
from edge_server.realtime_response import Ending, Response

Send = Callable[[dict[str, Any]], None]


class Talk(Protocol):
    """What is needed of a session."""

    @property
    def engaged(self) -> bool: ...

    def reply(self, turn: int) -> str | None:
        """The words of a turn's reply that are in the conversation; None: the turn is not."""


class Drive(Protocol):
    """What is needed of a driver."""

    sampling: Sampling

    @property
    def session(self) -> Talk: ...

    @property
    def cost(self) -> Cost | None: ...

    @property
    def busy(self) -> bool: ...

    def take(self, event: Event) -> None: ...

    def give_up(self) -> None: ...


@dataclass(frozen=True)
class Plan:
    """What the next response is made with. ``limit``: the most tokens."""

    limit: int | None = None
    metadata: dict[str, str] | None = None


class Floor:
    """The assistant's side of one conversation. Set `driver` before anything is passed."""

    driver: Drive

    def __init__(self, items: Items, conversation_id: str, send: Send) -> None:
        self.response: Response | None = None
        self.plan = Plan()
        """Of responses that begin by themselves."""
        self.heard_reported = False
        """Whether the client says what was heard; else what was sent was."""
        self.turn_by_turn = True
        """Whether a response ends with its turn; else with its message."""
        self.late = False
        """Whether the slice that runs is none of the response's: what ends with it has ended already."""
        self._items = items
        self._conversation_id = conversation_id
        self._send = send
        self._responses = 0
        self._slices = 0
        self._behind: str | None = None  # the item that the next reply stands behind
        self._turns = self._turn = 0
        self._newest: Message | None = None  # the newest reply, which may not be heard to its end yet
        self._said = 0  # characters that the session has said of it
        self._held: list[Output] | None = None  # what is said while the assistant is held back
        self._cut: Message | None = None  # taken back, and the client was not told what is left
        self._tell = False  # also if all of it is left
        self._whole = 0  # characters that the session had said of it then
        self._cancelling = False  # the session has to hear of its slice's end first

    @property
    def speaking(self) -> bool:
        """Whether there is something to interrupt: a response, or the rest of one that is not heard yet."""
        if self.response is not None:
            return True
        item = self._newest
        return self.heard_reported and item is not None and item.heard < len(item.text)

    @property
    def holding(self) -> bool:
        """Whether words that come wait for `resume` or `interrupt`."""
        return self._held is not None

    @property
    def waits(self) -> bool:
        """Whether the client is to be told what is left of a reply."""
        return self._cut is not None

    def start_over(self) -> None:
        """The session has forgotten everything."""
        self._newest, self._cut, self._behind, self._said = None, None, None, 0

    def new_turn(self) -> int:
        """A number that no turn has had."""
        self._turns += 1
        return self._turns

    def next_turn(self) -> int:
        """The session goes on to another turn: its number. The reply will stand behind the newest item."""
        self._behind = None if self._items.last is None else self._items.last.id
        self._turn = self.new_turn()
        self._newest, self._said = None, 0
        return self._turn

    def is_newest(self, item: Message) -> bool:
        """Whether an item is the reply of the turn that the session is at."""
        return item is self._newest

    def is_speaking(self, item: Message) -> bool:
        """Whether an item's words are being made."""
        return self.response is not None and self.response.item is item

    def hear(self, item: Message, characters: int) -> None:
        """So much of a reply was heard, the client says. What is being cut was heard as far as it is cut."""
        if item is not self._cut and item.keep is None:
            item.heard = max(item.heard, min(characters, len(item.text)))

    def take_out(self, item: Message) -> None:
        """An item was deleted."""
        self._newest = None if self._newest is item else self._newest
        self._cut = None if self._cut is item else self._cut
        if self._behind == item.id:
            self._behind = self._items.before(item) or "root"

    def rewritten(self, last: int | None) -> None:
        """The session was written anew and ends with a turn: a reply of another is none to be interrupted any more."""
        turn = self._turn if self._newest is None else self._newest.turn
        if turn != last:
            self._newest, self._said = None, 0

    def begin(self, plan: Plan) -> Response:
        """A response begins."""
        self._responses += 1
        number = f"resp_{self._responses:06d}"
        self._said = 0
        self.response = Response(number, self._conversation_id, self._send, plan.limit, plan.metadata)
        return self.response

    def finish(self, ending: Ending, reason: str | None = None, message: str | None = None) -> None:
        """The response that is made, if any, ends."""
        response, self.response = self.response, None
        if response is not None:
            previous = None if response.item is None else self._items.before(response.item)
            response.finish(ending, reason, message, previous=previous)

    # --- what the session says

    def say(self, output: Output) -> None:
        """In order; what is said while the assistant is held back is kept."""
        if isinstance(output, Say):
            if self.response is None:
                self.begin(self.plan)
            self._said += len(output.text)
        elif isinstance(output, SliceOver):
            self._count(output)
        if self._held is not None:
            self._held.append(output)
        else:
            self._pass_on(output)

    def _pass_on(self, output: Output) -> None:
        if isinstance(output, Say):
            self._deliver(output.text)
        elif isinstance(output, TooLong):
            text = "what came does not fit into the context; it is forgotten"
            self._send(wire_error("context_length_exceeded", text))
            self.finish("failed", "context_length_exceeded", text)
        elif self.late:
            return
        elif isinstance(output, ReplyEnd):
            self.finish("completed")
        elif output.kind is SliceKind.LIMIT:
            self.finish("incomplete", "max_output_tokens")
        elif output.kind is not SliceKind.INTERRUPTED and not output.more and not self.turn_by_turn:
            self.finish("completed")

    def _deliver(self, text: str) -> None:
        response = self.response
        if response is None:
            return
        if response.item is None:
            self._newest = Message(self._items.new_id(), "assistant", "", "in_progress", turn=self._turn)
            behind = self._behind if self._items.can_follow(self._behind) else None  # so old an item may be gone
            response.begin(self._newest, self._items.add(self._newest, after=behind))
        response.delta(text)

    def _count(self, over: SliceOver) -> None:
        """What a slice was, and what it took."""
        self._slices += 1
        cost = self.driver.cost
        if cost is None:
            return
        if self.response is not None and not self.late:
            self.response.count(cost)
        if self.turn_by_turn:
            return
        item = self._newest
        names = ("reused", "prefilled", "sampled", "guessed", "dropped")
        report = {
            "number": self._slices,
            "kind": over.kind.value,
            "more": over.more,
            "item_id": None if item is None or over.kind is SliceKind.SILENCE else item.id,
            "tokens": {name: getattr(cost, name) for name in names},
            "ms": {"first_token": _milliseconds(cost.first_token), "total": _milliseconds(cost.total)},
        }
        self._send({"type": "duplex.slice", **report})

    # --- barge-in

    def hold_back(self) -> None:
        """Words that come from now on wait for `resume` or `interrupt`."""
        self._held = []
        self._send({"type": "duplex.barge_in", **self.heard_so_far()})

    def resume(self, reason: str, text: str) -> None:
        """It was a false alarm: go on from where the assistant was heard, with what was kept. ``text``: the words."""
        held, self._held = self._held or [], None
        self._send({"type": "duplex.resumed", "reason": reason, "text": text, **self.heard_so_far()})
        for output in held:
            self._pass_on(output)

    def interrupt(
        self, reason: str, *, ending: Ending = "cancelled", heard: int | None = None, tell: bool = False
    ) -> None:
        """The reply ends where it was heard: the session is told how much it has to take back.

        It must be told next why: by words, or by a `Stop`. ``heard``: characters; None: as far as it was reported.
        ``tell``: the client wants to be told what is left in any case.
        """
        self._held = None
        item, kept = self._newest, 0
        if item is not None:
            kept = len(item.text)
            if heard is not None or self.heard_reported:
                kept = min(kept, item.heard if heard is None else heard)
            if item is self._cut:  # the session, which is at its slice's end, is to take back the more of the two
                self._said, kept, tell = self._whole, min(kept, item.heard), tell or self._tell
            item.heard, self._whole = kept, self._said
            self._cut, self._cancelling, self._tell = item, self.driver.busy, tell
        if self._said > kept:
            self.driver.take(Unheard(self._said - kept))
        self._said = kept
        self.finish(ending, reason)

    def fail(self, code: str, message: str) -> bool:
        """The response fails. Whether words wait that will never go out: then the session must be stopped."""
        waits = self._held is not None
        if self.late:
            return False
        if waits:
            self.interrupt(code, ending="failed", heard=0 if self._newest is None else len(self._newest.text))
        else:
            self.finish("failed", code, message)
        return waits

    def over(self) -> None:
        """A slice is over, and what its end led to is done."""
        self._cancelling = self.late = False
        self.settle()

    def settle(self) -> None:
        """Tell the client what is left of a reply that was taken back, as soon as it has been."""
        item = self._cut
        if item is None or item.turn is None or self._cancelling:
            return
        self._cut = None
        left = self.driver.session.reply(item.turn)
        if self._tell or (left is not None and not item.text.endswith(left)) or item.heard < len(item.text):
            item.text = left_of(item, left)
            if item is self._newest:
                self._said = len(item.text)
            self._send({"type": "conversation.item.truncated", **truncated(item)})

    def heard_so_far(self) -> dict[str, Any]:
        """The newest reply of the turn that the session is at, and how many characters of it were heard."""
        item = self._newest
        response = None if self.response is None else self.response.id
        if item is None:
            return {"response_id": response, "item_id": None, "characters": 0}
        heard = item.heard if self.heard_reported else len(item.text)
        return {"response_id": response, "item_id": item.id, "characters": heard}


def left_of(item: Message, held: str | None) -> str:
    """What of an item's text stays, where it is cut at ``item.heard`` characters and the session has ``held`` of it.

    The session cuts at a token, so it may be less; and the beginning may have slid out of its context.
    """
    if not held:
        return item.text[: item.heard] if held is None else ""
    ends = range(min(item.heard, len(item.text)), 0, -1)
    return next((item.text[:end] for end in ends if item.text[:end].endswith(held)), held)


def truncated(item: Message) -> dict[str, Any]:
    """What `conversation.item.truncated` says: what is left of an item. Clients of the API expect ``audio_end_ms``."""
    return {
        "item_id": item.id,
        "content_index": 0,
        "audio_end_ms": 0,
        "characters": len(item.text),
        "text": item.text,
    }


def wire_error(
    code: str, message: str, param: str | None = None, event_id: str | None = None, kind: str = "invalid_request_error"
) -> dict[str, Any]:
    """An `error` event. ``event_id``: of the client's event that it is about."""
    error = {"type": kind, "code": code, "message": message, "param": param, "event_id": event_id}
    return {"type": "error", "error": error}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
