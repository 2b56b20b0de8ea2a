"""What the session of the JSON protocol is asked for, and that it holds what it should before it is.

Items may be made, deleted and cut at any time; the session takes such changes between two slices only. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_server.events import Limit, Output, Rewrite, Silence, Speak, Stop, TooLong, UserText
from edge_server.realtime_floor import Drive, Floor, Send, left_of, truncated, wire_error
from edge_server.realtime_items import Items, Message


@dataclass(frozen=True)
class Answer:
    """A reply that is wanted: to a message of the user's, or (None) to none."""

    to: Message | None
    limit: int | None = None
    instructions: str = ""


class Asking:
    """Set `driver` before anything is asked."""

    driver: Drive

    def __init__(self, items: Items, floor: Floor, send: Send) -> None:
        self._items = items
        self._floor = floor
        self._send = send
        self._wanted: Answer | None = None  # it waits for the slice that runs
        self._changed = False  # whether the session holds what it should not
        self._cut: list[Message] = []  # whose words are to be cut
        self._instructions = ""  # those that the session has
        self._limit: int | None = None  # the one that it has
        self._rewriting = self._refused = False
        self._stopping = False  # whether the slice that runs was stopped

    @property
    def waits(self) -> bool:
        """Whether something is asked for that the session was not told yet."""
        return self._wanted is not None

    def start_over(self) -> None:
        """The session has forgotten everything."""
        self._wanted, self._changed, self._cut = None, False, []
        self._instructions, self._limit = "", None

    def answer(self, wanted: Answer) -> None:
        """Ask for a reply; a slice that runs is stopped for it."""
        driver = self.driver
        last = wanted.to if wanted.to is self._items.last else None
        stale = self._stale(wanted.instructions, but_last=last is not None)
        self._floor.late = driver.busy and (stale or self._stopping or last is not None)
        if stale:
            if driver.busy:
                self.stop()
                self._wanted = wanted
                return
            driver.take(Stop())  # what was not heard goes first
            if not self._rewrite(wanted.instructions, but_last=last is not None):
                return
        if wanted.limit != self._limit:
            self._limit = wanted.limit
            driver.take(Limit(wanted.limit))
        if last is None and driver.busy:  # what runs will say it, unless it was stopped
            self._wanted = wanted if self._stopping else None
            return
        turn = self._floor.next_turn()
        if last is None:
            driver.take(Speak(turn))
        else:
            last.turn = turn
            driver.take(UserText(last.text, turn))
        self._floor.settle()

    def go_on(self) -> None:
        """A slice without words of the user's."""
        if self._stale(self._instructions, but_last=False) and (self.driver.busy or not self._refresh()):
            return
        self.driver.take(Silence())

    def stop(self) -> None:
        """Whatever is asked for is not wanted any more."""
        self._wanted, self._stopping = None, self.driver.busy
        self.driver.take(Stop())
        self._floor.settle()
        self.carry_out()

    def over(self) -> None:
        """A slice is over."""
        self._stopping = False
        if self.driver.busy:
            return
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.answer(wanted)
        else:
            self.carry_out()

    def carry_out(self) -> None:
        """Cut what is to be cut, between two slices; what is held back would be lost by it, and comes first."""
        if self._cut and not self.driver.busy and not self._floor.holding:
            self._refresh()

    def take_out(self, item: Message) -> None:
        """An item was deleted."""
        self._cut = [other for other in self._cut if other is not item]
        self._changed = self._changed or item.turn is not None

    def cut(self, item: Message, characters: int) -> None:
        """Of an item, only so many characters stay."""
        held = None if item.turn is None else self.driver.session.reply(item.turn)
        slid = 0 if held is None else len(item.text) - len(held)
        item.heard, item.keep = characters, max(0, characters - slid)
        self._cut.append(item)
        self.carry_out()

    def refuses(self, output: Output) -> bool:
        """Whether what the session says is about its being rewritten; nobody else needs to know then."""
        self._refused = self._rewriting and isinstance(output, TooLong)
        return self._refused

    def _stale(self, instructions: str, *, but_last: bool) -> bool:
        changed = self._changed or bool(self._cut) or instructions != self._instructions
        return changed or self._items.untold(but_last=but_last)

    def _refresh(self) -> bool:
        """Rewrite the session between two slices. False: nothing is left of what it was saying, or it does not fit."""
        done = self._rewrite(self._instructions, but_last=self._floor.turn_by_turn)
        if not self.driver.session.engaged:
            self._floor.finish("completed")
        return done and self.driver.session.engaged

    def _rewrite(self, instructions: str, *, but_last: bool) -> bool:
        """Tell the session all that it should hold. False: the instructions do not fit; the client was told."""
        turns = self._items.turns(self._floor.new_turn, but_last=but_last and self._unanswered())
        self._rewriting, self._refused = True, False
        self.driver.take(Rewrite(turns, instructions))
        self._rewriting = False
        if self._refused:
            text = "the instructions do not fit into the context"
            self._send(wire_error("context_length_exceeded", text))
            self._floor.finish("failed", "context_length_exceeded", text)
            return False
        self._instructions, self._changed = instructions, False
        self._floor.rewritten(turns[-1].turn if turns else None)
        cut, self._cut = self._cut, []
        for item in cut:
            item.text = left_of(item, None if item.turn is None else self.driver.session.reply(item.turn))
            item.keep = None
            self._send({"type": "conversation.item.truncated", **truncated(item)})
        return True

    def _unanswered(self) -> bool:
        last = self._items.last
        return last is not None and last.role == "user" and last.turn is None
