"""Turn by turn with a plain chat model, one that has no idle token: what `--chat-model` runs on port 8766.

The rules are those of `session.py`, but that a text is a turn: its reply is one, in slices that follow each other
without silent ones between, until ``</s>``, the limit, or until nothing more fits.
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
        capped, pair = done.finish is Finish.CAP, self._transcript.last
        self._engaged = capped and not self._full and self._transcript.make_room(0, keep=1)
        actions = self._say(words, done.likeliest_next)
        if self._engaged:
            return [*actions, SliceOver(SliceKind.SPEECH, True), *self._generate()]
        kind = SliceKind.LIMIT if capped else SliceKind.END if pair.words else SliceKind.SILENCE
        self._delivery.cut(pair.words)
        return [*actions, SliceOver(kind, False), *self._end_reply()]
