"""Talks with a converted model through the server's own session and engine, one slice after the other, without a clock.

Knows the server's packages; knows nothing of what is asked or what would be right.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from edge_server.engine import EngineError, Generated, Request, Sampling
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
    from collections.abc import Sequence

    from edge_server.backend import Backend
    from edge_server.engine import Handle
    from edge_server.events import Action


class Talk:
    """One conversation, greedy. Talks that follow each other on one handle decode what begins alike only once."""

    def __init__(self, backend: Backend, handle: Handle) -> None:
        self._backend = backend
        self._session = DuplexSession(backend.vocabulary, backend.settings, Mode.DUPLEX, 0)
        self._handle = handle

    @property
    def length(self) -> int:
        """Tokens of the transcript."""
        return len(self._session.transcript)

    @property
    def engaged(self) -> bool:
        """Whether the next silent slice would be run."""
        return self._session.engaged

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
                self._handle.prepare(_request(action.next), forget=action.next.forget)
            elif isinstance(action, Generate):
                actions += self._session.receive(self._generate(action))
        return words

    def play(self, text: str | None, heard: Sequence[int] | None) -> bool:
        """Send one slice and put these tokens into the model's mouth, `None` for silence.

        Returns whether the model was asked at all.
        """
        asked = any(isinstance(action, Generate) for action in self._session.receive(_event(text)))
        if asked:
            vocabulary = self._backend.vocabulary
            assert vocabulary.idle is not None, "a duplex model has an idle token"
            tokens = (vocabulary.idle,) if heard is None else (*heard, vocabulary.eos)
            rest: list[Action] = self._session.receive(SliceDone(tokens, Finish.STOP))
            assert not any(isinstance(action, Generate) for action in rest)
        return asked

    def message(self, text: str, most: int = 40) -> str:
        """Send a text, then silence until the model has no more to say; return all its words."""
        words = self.say(text)
        for _ in range(most):
            if not self.engaged:
                break
            words += self.say(None)
        return words

    def _generate(self, action: Generate) -> SliceDone:
        results: list[Generated | EngineError] = []
        over = threading.Event()

        def on_done(result: Generated | EngineError) -> None:  # on the engine's thread
            results.append(result)
            over.set()

        self._handle.submit(_request(action), on_done, forget=action.forget)
        over.wait()
        result = results[0]
        if isinstance(result, EngineError):
            raise result
        return SliceDone(result.tokens, Finish(result.finish.value), result.likeliest_next)


def _request(asked: Generate) -> Request:
    greedy = Sampling(temperature=0, top_k=0, top_p=1, seed=asked.seed)
    return Request(asked.tokens, asked.max_new, asked.stop, greedy, asked.peek, asked.cuts)


def _event(text: str | None) -> Event:
    return Silence() if text is None else UserText(text)
