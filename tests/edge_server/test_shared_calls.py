"""What sharing decode calls, and parking, does to the numbers: real llama.cpp, a tiny model.

A call's shape, and the other sequences in the pool, change rounding (`sequence.py`), so words of sessions that share
calls may differ from those of one that is alone. How much, over 400 conversations, 4 at a time, with prompts of 5 to 80
tokens and 16 tokens each (on x86-64: the largest difference of a logit as a share of the largest logit; the words that
were others, all those behind a first other one included):

    cells and attention                       temperature 0.8, top-p 0.8    greedy
    f32, no flash attention                   4.3e-6, none of 6,400         6.4e-6, none of 6,400
    f16, flash attention (the server's own)   1.8e-3, none of 6,400         1.1e-3, none of 6,400
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_server.context import Feed, Sampling
from edge_server.engine import EngineError, Generated, Request
from edge_server.llama import Context, Model
from edge_server.parking import Parking
from tests.edge_server.stepping import Asker, SteppedEngine

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = pytest.mark.real

SESSIONS, NEW, CHUNK = 4, 16, 8
EXACT: dict[str, Any] = {"kv_type": "f32", "flash_attention": False}
DEFAULT: dict[str, Any] = {"kv_type": "f16", "flash_attention": None}


class Recording(Context):
    """Keeps a copy of all logits that were sampled from, by slot."""

    def __init__(self, model: Model, *, slots: int, cells: int = 512, **options: Any) -> None:
        super().__init__(model, cells=cells, slots=slots, batch=CHUNK, threads=1, **options)
        self.seen = defaultdict[int, list["NDArray[np.float32]"]](list)
        self.broken: int | None = None  # a slot whose logits are NaN
        self._slots: list[int] = []

    def __enter__(self) -> Recording:
        return self

    def decode(self, feeds: Sequence[Feed]) -> list[int]:
        self._slots = [feed.slot for feed in feeds]
        return super().decode(feeds)

    def logits(self, row: int) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = super().logits(row).copy()
        if self._slots[row] == self.broken:
            logits[7] = np.nan
        self.seen[self._slots[row]].append(logits)
        return logits


@pytest.fixture(scope="module")
def model(tiny_gguf: Path) -> Iterator[Model]:
    with Model.load(tiny_gguf, gpu_layers=0) as loaded:
        yield loaded


def requests(number: int, n_vocab: int, *, temperature: float) -> list[Request]:
    """What four sessions ask for."""
    numbers = random.Random(number)
    return [
        Request(
            (1, *(numbers.randrange(3, n_vocab - 1) for _ in range(numbers.randint(5, 80)))),
            NEW,
            frozenset(),
            Sampling(temperature, 0, 0.8, numbers.randrange(2**32)),
        )
        for _ in range(SESSIONS)
    ]


def answers(
    model: Model, asked: list[Request], options: dict[str, Any]
) -> list[tuple[Generated, list[NDArray[np.float32]]]]:
    """What sessions that ask at the same time are told, and the logits that it was drawn from."""
    with Recording(model, slots=len(asked), **options) as context:
        engine = SteppedEngine(context)
        askers = [Asker(engine) for _ in asked]
        for asker, request in zip(askers, asked, strict=True):
            asker.submit(request)
        engine.run()
        slots = [asker.handle.sequence.slot for asker in askers if asker.handle.sequence]
        engine.close()
        return [(asker.last, context.seen[slot]) for asker, slot in zip(askers, slots, strict=True)]


def compare(model: Model, rounds: int, options: dict[str, Any], *, temperature: float) -> tuple[float, float]:
    """The largest difference of a logit as a share of the largest logit, and the share of words that differ."""
    largest, changed = 0.0, 0
    for number in range(rounds):
        asked = requests(number, model.n_vocab, temperature=temperature)
        together = answers(model, asked, options)
        for request, (done, logits) in zip(asked, together, strict=True):
            ((alone, alone_logits),) = answers(model, [request], options)
            same = [one == other for one, other in zip(done.tokens, alone.tokens, strict=True)]
            first = [*same, False].index(False)
            changed += NEW - first
            for one, other in list(zip(logits, alone_logits, strict=True))[: first + 1]:
                largest = max(largest, float(np.abs(one - other).max() / np.abs(other).max()))
    return largest, changed / (rounds * SESSIONS * NEW)


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_sharing_calls_changes_no_more_than_rounding(model: Model, temperature: float) -> None:
    difference, changed = compare(model, 4, EXACT, temperature=temperature)
    assert 0 < difference < 2e-5
    assert changed < 0.02


def test_sharing_calls_changes_few_words_as_the_server_runs(model: Model) -> None:
    difference, changed = compare(model, 4, DEFAULT, temperature=0.8)
    assert difference < 3e-2
    assert changed < 0.1


@pytest.mark.parametrize("options", [EXACT, DEFAULT], ids=["f32", "default"])
@pytest.mark.parametrize("memory", [0, 2**30], ids=["disk", "memory"])
def test_a_session_that_was_parked_goes_on_in_the_same_bits(
    model: Model, tmp_path: Path, options: dict[str, Any], memory: int
) -> None:
    first, other, *_ = requests(1, model.n_vocab, temperature=0.8)
    seen = []
    for leaves in (False, True):
        with Recording(model, slots=1, **options) as context:
            parking = Parking(memory, tmp_path)
            engine = SteppedEngine(context, parking=parking)
            one, visitor = Asker(engine), Asker(engine)
            one.submit(first)
            engine.run()
            if leaves:
                visitor.submit(other)
                engine.run()
                assert (one.cells, parking.on_disk > 0, parking.in_memory > 0) == ((), memory == 0, memory > 0)
                visitor.handle.close()
                engine.run()
            context.seen.clear()
            calls = context.calls
            going_on = (*first.tokens, *one.last.tokens, 9, 8, 7)
            one.submit(Request(going_on, NEW, frozenset(), first.sampling))
            engine.run()
            assert (one.last.reused, context.calls - calls) == (len(going_on) - 4, NEW)
            seen.append((one.last.tokens, np.stack(context.seen[0]).tobytes()))
            assert list(tmp_path.iterdir()) == []
            engine.close()
    assert seen[0] == seen[1]


def test_logits_that_are_no_numbers_hurt_only_their_own_session(model: Model) -> None:
    asked = requests(2, model.n_vocab, temperature=0.8)
    with Recording(model, slots=SESSIONS, **EXACT) as context:
        context.broken = 2
        engine = SteppedEngine(context)
        askers = [Asker(engine) for _ in asked]
        for asker, request in zip(askers, asked, strict=True):
            asker.submit(request)
        engine.run()
        assert isinstance(askers[2].results[0], EngineError)
        assert "nan" in str(askers[2].results[0])
        for which in (0, 1, 3):
            ((alone, _),) = answers(model, [asked[which]], EXACT)
            assert askers[which].last.tokens == alone.tokens
        engine.close()
