"""llama.cpp behind our own names: the context, its return codes, and who frees what."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_server.context import EngineError, Feed, PoolFull, Sampling
from edge_server.llama import KV_TYPES, Context, ContextError, Model
from tests.tiny import logits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

PROMPT = [5, 300, 301, 302, 40, 41]


@pytest.fixture
def context(model: Model) -> Iterator[Context]:
    with Context(model, cells=256, slots=3, batch=8, threads=1, kv_type="f32", flash_attention=False) as context:
        yield context


def decode(context: Context, slot: int, position: int, tokens: list[int]) -> int:
    """One slot's tokens in a call of their own."""
    (kept,) = context.decode([Feed(slot, position, tokens)])
    return kept


# --- contexts ---


@pytest.mark.parametrize("kv_type", KV_TYPES)
def test_every_kind_of_cell_works(model: Model, kv_type: str) -> None:
    with Context(model, cells=256, slots=1, threads=1, kv_type=kv_type) as context:
        assert decode(context, 0, 0, PROMPT) == len(PROMPT)
        assert np.isfinite(logits(context)).all()


def test_the_bytes_of_a_cell_are_those_of_its_keys_and_values(model: Model) -> None:
    assert [model.cell_bytes(kv_type) for kv_type in ("f32", "f16", "q8_0")] == [1536, 768, 408]


def test_a_context_that_cannot_be_made_says_why(model: Model) -> None:
    with pytest.raises(ContextError, match="unknown KV cache type 'q3'"):
        Context(model, cells=256, slots=1, kv_type="q3")
    with pytest.raises(ContextError, match="at least 1"):
        Context(model, cells=256, slots=0)
    with pytest.raises(ContextError, match="requires flash_attn"):
        Context(model, cells=256, slots=1, kv_type="q8_0", flash_attention=False)


def test_the_pool_is_at_least_as_large_as_asked_and_says_its_size(model: Model) -> None:
    with Context(model, cells=300, slots=2, batch=16, threads=1) as context:
        assert context.cells >= 300
        assert (context.slots, context.batch) == (2, 16)
        for position in range(0, context.cells, 16):
            decode(context, 0, position, [9] * 16)
        with pytest.raises(PoolFull, match=f"pool of {context.cells}"):
            decode(context, 1, 0, [9])


def test_one_pool_serves_one_slot_or_all(context: Context) -> None:
    for position in range(0, context.cells, 8):
        decode(context, 2, position, [9] * 8)
    with pytest.raises(PoolFull, match="256"):
        decode(context, 0, 0, [9])
    context.remove(2, 200)
    assert decode(context, 0, 0, [9] * 8) == 8


def test_a_full_pool_is_as_it_was_before_the_call(context: Context) -> None:
    for position in range(0, context.cells - 8, 8):
        decode(context, 0, position, [9] * 8)
    decode(context, 1, 0, PROMPT)
    with pytest.raises(PoolFull):
        decode(context, 1, len(PROMPT), [9] * 8)
    assert decode(context, 1, len(PROMPT), [9]) == 1


@pytest.mark.parametrize("tokens", [[], [9] * 9])
def test_a_call_takes_one_token_to_a_batch(context: Context, tokens: list[int]) -> None:
    with pytest.raises(ContextError, match="1 to 8"):
        decode(context, 0, 0, tokens)


@pytest.mark.parametrize(
    ("slot", "position", "token"), [(0, 0, -1), (0, 0, 10**6), (7, 0, 9), (-1, 0, 9), (0, 5, 9), (0, 3, 9)]
)
def test_a_call_that_llama_refuses_is_an_error_and_changes_nothing(
    context: Context, slot: int, position: int, token: int
) -> None:
    decode(context, 0, 0, [9] * 4)
    with pytest.raises(EngineError, match="code -1"):
        decode(context, slot, position, [token])
    assert decode(context, 0, 4, [9]) == 1


def test_an_abort_stops_calls_until_it_is_taken_back(context: Context) -> None:
    context.abort()
    assert decode(context, 0, 0, PROMPT) == 0
    assert decode(context, 0, 0, PROMPT) == 0
    context.resume()
    assert decode(context, 0, 0, PROMPT) == len(PROMPT)


def test_another_number_of_threads_computes_the_same(context: Context) -> None:
    decode(context, 0, 0, PROMPT)
    with_one = logits(context)
    context.remove(0, 0)
    context.use_threads(2)
    assert context.threads == 2
    decode(context, 0, 0, PROMPT)
    assert np.allclose(logits(context), with_one, rtol=1e-4, atol=1e-4)


def test_state_cannot_be_saved_while_a_shift_is_pending(context: Context) -> None:
    decode(context, 0, 0, PROMPT)
    context.remove(0, 0, 2)
    context.shift(0, 2, -2)
    with pytest.raises(ContextError, match="shift"):
        context.save(0)
    decode(context, 1, 0, PROMPT)  # any call applies it
    assert len(context.save(0)) > 0


def test_state_that_was_tampered_with_is_refused_and_the_slot_is_empty(context: Context) -> None:
    decode(context, 0, 0, PROMPT)
    state = context.save(0)
    assert context.restore(1, state[: len(state) // 2]) is False
    assert context.restore(1, b"") is False
    assert decode(context, 1, 0, PROMPT) == len(PROMPT)
    assert context.restore(2, state) is True
    assert decode(context, 2, len(PROMPT), [9]) == 1


# --- sampling ---


def draw(context: Context, sampling: Sampling, count: int = 1) -> list[int]:
    sampler = context.sampler(sampling)
    return [sampler.sample(0) for _ in range(count)]


def test_temperature_zero_takes_the_likeliest(context: Context) -> None:
    decode(context, 0, 0, PROMPT)
    best = int(logits(context).argmax())
    assert context.likeliest(0) == best
    assert draw(context, Sampling(0, 0, 1, 0), 3) == [best] * 3
    assert set(draw(context, Sampling(5, 1, 1, 0), 20)) == {best}


def test_draws_follow_temperature_then_top_k_then_top_p(context: Context) -> None:
    decode(context, 0, 0, PROMPT)
    temperature, top_k, top_p, count = 2.0, 12, 0.8, 20_000
    scaled = logits(context).astype(np.float64) / temperature
    order = np.argsort(-scaled)[:top_k]
    shares = np.exp(scaled[order] - scaled[order[0]])
    shares /= shares.sum()
    kept = int(np.searchsorted(shares.cumsum(), top_p)) + 1  # the fewest that reach top_p
    expected = shares[:kept] / shares[:kept].sum()
    assert 1 < kept < top_k, "the example must cut by both"
    drawn = Counter(draw(context, Sampling(temperature, top_k, top_p, 3), count))
    assert set(drawn) == set(order[:kept].tolist())
    for token, share in zip(order[:kept].tolist(), expected, strict=True):
        deviation = (share * (1 - share) / count) ** 0.5
        assert abs(drawn[token] / count - share) < 6 * deviation


def test_the_seed_decides_the_draws_and_any_integer_is_one(context: Context) -> None:
    decode(context, 0, 0, PROMPT)
    runs = {seed: draw(context, Sampling(2, 0, 1, seed), 16) for seed in (0, 1, 2**32 - 1, 2**32, -5)}
    assert len({tuple(run) for run in runs.values()}) >= 3
    for seed, run in runs.items():
        assert draw(context, Sampling(2, 0, 1, seed), 16) == run


# --- who frees what ---


def test_closing_is_done_once_and_in_any_order(tiny_gguf: Path) -> None:
    model = Model.load(tiny_gguf, gpu_layers=0)
    first = Context(model, cells=256, slots=1, threads=1)
    second = Context(model, cells=256, slots=1, threads=1)
    first.close()
    first.close()
    model.close()
    model.close()
    second.close()
    for context in (first, second):
        with pytest.raises(ContextError, match="closed"):
            decode(context, 0, 0, PROMPT)
        with pytest.raises(ContextError, match="closed"):
            context.remove(0, 0)
        with pytest.raises(ContextError, match="closed"):
            context.likeliest(0)


def test_a_process_that_closes_nothing_ends_quietly(tiny_gguf: Path) -> None:
    script = f"""
import logging
logging.basicConfig(level=logging.INFO)
from edge_server.engine import Engine, Request, Sampling
from edge_server.llama import Context, Model
context = Context(Model.load({str(tiny_gguf)!r}, gpu_layers=0), cells=256, slots=1, threads=1)
engine = Engine(context)
engine.start()
engine.open().submit(Request((5,) * 200, 50, frozenset(), Sampling(0, 0, 1, 0)), lambda result: None)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
