"""Slots and cells: which session holds them, who gives them up when others need them, and how it gets them back.

Knows sequences and parking, not threads, jobs or requests: of a session it knows a `Holder`. Everything here belongs to
the one thread that owns the context.

Cells are a cache of the transcript, so any session without unfinished work can give them up. In this order: guesses
(they are not part of any transcript), then the cells of sessions that are not speaking, least recently active first,
then those of sessions that wait between two slices of a reply. What is given up whole is parked and comes back by
restore; what was lost on the way is prefilled again.
"""

from __future__ import annotations

import logging
from typing import Protocol

from edge_server.context import Context, EngineError, PoolFull
from edge_server.parking import Parking
from edge_server.sequence import Sequence

_log = logging.getLogger(__name__)


class Holder(Protocol):
    """A session as the pool sees it."""

    def __hash__(self) -> int: ...

    sequence: Sequence | None
    """Its tokens and cells, while it has a slot."""

    @property
    def busy(self) -> bool:
        """Whether its work was begun; then its cells stay."""

    @property
    def speaking(self) -> bool:
        """Whether its next slice is expected soon."""

    def give_guess(self) -> bool:
        """Drops what was only guessed, from the cells too. False: there was nothing."""


class Pool:
    """The slots of a context. After use you must call `close`."""

    def __init__(self, context: Context, parking: Parking, *, chunk: int) -> None:
        self._context = context
        self._parking = parking
        self._chunk = chunk
        self._free_slots = list(range(context.slots))
        self._holders: dict[Holder, None] = {}  # those with a slot, least recently active first
        self.parked = 0
        """Sessions that gave up their cells, so far; those that could not be saved are among them."""
        self.restored = 0
        """Sessions that came back without prefill, so far."""

    @property
    def free_cells(self) -> int:
        """Cells that hold nothing."""
        return self._context.cells - sum(len(holder.sequence or ()) for holder in self._holders)

    @property
    def holders(self) -> list[Holder]:
        """Who has a slot, least recently active first."""
        return list(self._holders)

    def touch(self, holder: Holder) -> None:
        """Notes that a holder of a slot is active now."""
        del self._holders[holder]
        self._holders[holder] = None

    def admit(self, holder: Holder, *, speaking_too: bool, reclaim: bool = True) -> bool:
        """Gives `holder` a slot, and back the cells that it had. False: no slot is free or, with `reclaim`, made free.

        `speaking_too`: a session between two slices of a reply may have to give its slot as well as a silent one. Cells
        that do not fit are not restored; they are prefilled again. (Without `reclaim` nothing changes then.)
        """
        if holder.sequence is not None:
            return True
        if not reclaim and not self.has_room(self._parking.tokens(holder)):
            return False
        if not self._free_slots:
            victim = self._victim(speaking_too=speaking_too) if reclaim else None
            if victim is None:
                return False
            self._park(victim)
        saved = self._parking.take(holder)
        holder.sequence = Sequence(self._context, self._free_slots.pop(0), chunk=self._chunk)
        self._holders[holder] = None
        if saved is not None and self.make_room(len(saved.tokens), holder):
            try:
                holder.sequence.restore(saved)
                self.restored += 1
            except PoolFull as error:
                _log.warning("a parked session is prefilled again: %s", error)
        return True

    def has_room(self, cells: int) -> bool:
        """Whether so many cells are free."""
        return cells <= self.free_cells

    def make_room(self, cells: int, keep: Holder | None = None) -> bool:
        """Frees cells, but not those of `keep`, until `cells` are free. False: not so many can be freed."""
        for holder in self.holders:
            if self.has_room(cells):
                return True
            holder.give_guess()
        while not self.has_room(cells):
            victim = self._victim(speaking_too=True, keep=keep)
            if victim is None:
                return False
            self._park(victim)
        return True

    def release(self, holder: Holder) -> None:
        """Takes slot and cells, parked ones too, for good."""
        self._parking.drop(holder)
        if holder.sequence is not None:
            holder.sequence.release()
            self._free_slots.append(holder.sequence.slot)
            holder.sequence = None
            del self._holders[holder]

    def close(self) -> None:
        """Releases everybody. A second call does nothing. The parking is its owner's to close."""
        for holder in self.holders:
            self.release(holder)

    def _victim(self, *, speaking_too: bool, keep: Holder | None = None) -> Holder | None:
        idle = [holder for holder in self._holders if not holder.busy and holder is not keep]
        silent = [holder for holder in idle if not holder.speaking]
        return next(iter([*silent, *(idle if speaking_too else [])]), None)

    def _park(self, holder: Holder) -> None:
        assert holder.sequence is not None, "who is parked has a slot"
        holder.give_guess()
        saved = None
        try:
            saved = holder.sequence.save()
        except EngineError as error:
            _log.warning("a session could not be parked and will be prefilled again: %s", error)
        self.release(holder)
        if saved is not None and saved.tokens:
            self._parking.park(holder, saved)
        self.parked += 1
