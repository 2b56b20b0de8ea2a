"""Turn by turn with a plain chat model, one that has no idle token: what `--chat-model` runs on port 8766.

The rules are those of `session.py`, but that a text is a turn: its reply is one, in slices that follow each other
without silent ones between, until ``</s>`` or until nothing more fits.
"""

from __future__ import annotations

from edge_server.conversation import Conversation
from edge_server.events import Action, Finish, Mode, SliceDone, SliceKind, SliceOver


class TurnSession(Conversation):
    """One conversation. It knows one mode only: whatever mode is asked for, it is turn by turn."""

    def _start_over(self, mode: Mode, seed: int) -> None:
        super()._start_over(Mode.ORDINARY, seed)

    def _deliver(self, done: SliceDone) -> list[Action]:
        rest, words = self._rest(done)
        self._transcript.extend(rest)
        full = self._limit is not None and self._spoken >= self._limit
        capped = done.finish is Finish.CAP
        self._engaged = capped and not full and self._transcript.make_room(0, keep=1)
        actions = self._say(words, done.likeliest_next)
        kind = SliceKind.SPEECH if self._engaged else SliceKind.LIMIT if capped else SliceKind.END
        actions.append(SliceOver(kind, self._engaged))
        if self._engaged:
            return [*actions, *self._generate()]
        self._delivery.close()
        return [*actions, *self._end_reply()]
