"""Talks with a converted model through the server's own session and engine, one slice after the other, without a clock.

Knows the server's packages; knows nothing of what is asked or what would be right.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edge_server.driver import request_for
from edge_server.engine import Generated, Sampling
from edge_server.events import (
    Event,
    Finish,
    Generate,
    Mode,
    Prepare,
    Release,
    Say,
    Silence,
    SliceDone,
    UserText,
)
from edge_server.session import DuplexSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_server.backend import Backend
    from edge_server.engine import Handle
    from edge_server.events import Action
    from edge_server.sequence import SavedSequence
    from edge_server.settings import Settings
    from edge_server.tokens import Forgotten


GREEDY: Final = Sampling(temperature=0, top_k=0, top_p=1, seed=0)


class Talk:
    """One conversation, greedy by default.

    Talks that follow each other on one handle decode what begins alike only once.
    What the session says to prepare is not decoded beforehand: nobody waits between two slices here, and the slice that
    comes makes the same decode calls anyway.
    """

    def __init__(
        self,
        backend: Backend,
        handle: Handle,
        *,
        settings: Settings | None = None,
        afresh: bool = False,
        sampling: Sampling = GREEDY,
    ) -> None:
        """`settings`: other ones than the backend's. `afresh`: after a slide, what stays is prefilled again.

        `sampling`: how tokens are drawn; its seed is that of the conversation.
        """
        self.slides = 0
        """How often the transcript forgot its oldest pairs."""
        self._backend = backend
        self._session = DuplexSession(backend.vocabulary, settings or backend.settings, Mode.DUPLEX, sampling.seed)
        self._handle = handle
        self._afresh = afresh
        self._sampling = sampling
        self._forgotten: list[Forgotten] = []  # still in the cells
        self._played: Generate | None = None  # what the cells would hold if it had been said
        self._saved: SavedSequence | None = None

    @property
    def length(self) -> int:
        """Tokens of the transcript."""
        return len(self._session.transcript)

    @property
    def engaged(self) -> bool:
        """Whether the next silent slice would be run."""
        return self._session.engaged

    def fork(self) -> Talk:
        """A talk that goes on from here on the same handle, as often as wanted; nothing may be said in this one then.

        The cells are put back as they are now, also where a talk that was made before has slid.
        """
        self._settle()
        self._backend.engine.between(self._put_back)
        other = copy.copy(self)
        shared = (self._backend.vocabulary, self._session._settings)
        other._session = copy.deepcopy(self._session, {id(one): one for one in shared})
        other._forgotten = []
        other._saved = None
        return other

    def _put_back(self) -> None:
        """On the engine's thread: keep the cells as they are the first time, later have them as they were."""
        sequence = self._handle.sequence
        assert sequence is not None, "a talk that was begun has a slot"
        if self._saved is None:
            self._saved = sequence.save()
        else:
            sequence.restore(self._saved)

    def say(self, text: str | None) -> str:
        """Send one slice, `None` for a silent one; return the words that come back, none being silence.

        Raises EngineError if the engine failed.
        """
        words = ""
        actions = self._session.receive(_event(text))
        while actions:
            action, *actions = actions
            if isinstance(action, Say):
                words += action.text
            elif isinstance(action, Release):
                self._handle.release()
            elif isinstance(action, Prepare):
                self._forget(action.next.forget)
            elif isinstance(action, Generate):
                self._forget(action.forget)
                result = self._run(action)
                done = SliceDone(result.tokens, Finish(result.finish.value), result.likeliest_next)
                actions += self._session.receive(done)
        return words

    def play(self, text: str | None, heard: Sequence[int] | None) -> bool:
        """Send one slice and put these tokens into the model's mouth, `None` for silence.

        Returns whether the model was asked at all. Nothing is decoded before it has to be.
        """
        asked = self._asked(self._session.receive(_event(text)))
        if asked is not None:
            vocabulary = self._backend.vocabulary
            assert vocabulary.idle is not None, "a duplex model has an idle token"
            tokens = (vocabulary.idle,) if heard is None else (*heard, vocabulary.eos)
            self._played = replace(asked, tokens=(*asked.tokens, *tokens[:-1]))
            again = self._asked(self._session.receive(SliceDone(tokens, Finish.STOP)))
            assert again is None
        return asked is not None

    def message(self, text: str, most: int = 40) -> str:
        """Send a text, then silence until the model has no more to say; return all its words."""
        words = self.say(text)
        for _ in range(most):
            if not self.engaged:
                break
            words += self.say(None)
        return words

    def _asked(self, actions: Iterable[Action]) -> Generate | None:
        asked = None
        for action in actions:
            if isinstance(action, Generate):
                asked = action
            if isinstance(action, (Generate, Prepare)):
                self._forget((action.next if isinstance(action, Prepare) else action).forget)
        return asked

    def _forget(self, forgotten: tuple[Forgotten, ...]) -> None:
        self.slides += len(forgotten)
        if forgotten and self._afresh:
            self._played = self._present()
        elif forgotten:
            if self._played is not None:
                self._prefill(self._played)  # what stays has attended to what leaves
            self._forgotten += forgotten

    def _settle(self) -> None:
        """Let the cells hold what they would hold if everything had been said."""
        if self._played is not None:
            self._prefill(self._played)
        self._backend.engine.between(lambda: None)  # what was released is
        if self._forgotten or self._handle.sequence is None:
            self._prefill(self._present())

    def _present(self) -> Generate:
        return Generate(self._session.transcript, 0, frozenset(), 0, peek=False)

    def _prefill(self, action: Generate) -> None:
        self._run(replace(action, max_new=0, peek=False, cuts=()))

    def _run(self, action: Generate) -> Generated:
        """Raises EngineError if the engine failed."""
        self._played = None
        forget, self._forgotten = self._forgotten, []
        return self._handle.run(request_for(action, self._sampling), forget=forget)


def _event(text: str | None) -> Event:
    return Silence() if text is None else UserText(text)
