"""llama.cpp behind our own names: the model file, the vocabulary, the context and its return codes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as api
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_server.context import EngineError, Feed, PoolFull, Sampling
from edge_server.llama import KV_TYPES, Context, ContextError, Model, ModelError
from tests.tiny import logits, vocabulary, write_tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

PROMPT = [5, 300, 301, 302, 40, 41]


@pytest.fixture(scope="module")
def model(tiny_gguf: Path) -> Iterator[Model]:
    with Model.load(tiny_gguf, gpu_layers=0) as model:
        yield model


@pytest.fixture
def context(model: Model) -> Iterator[Context]:
    with Context(model, cells=256, slots=3, batch=8, threads=1, kv_type="f32", flash_attention=False) as context:
        yield context


def decode(context: Context, slot: int, position: int, tokens: list[int]) -> int:
    """One slot's tokens in a call of their own."""
    (kept,) = context.decode([Feed(slot, position, tokens)])
    return kept


# --- the file ---


def test_a_model_says_what_it_is(model: Model) -> None:
    assert (model.n_vocab, model.n_ctx_train, model.bos, model.eos) == (len(vocabulary()), 512, 1, 2)
    assert model.parameters * 4 == model.size  # float32
    assert "minicpm" in model.description


def test_metadata_is_read_whole(tmp_path: Path) -> None:
    long = "语" * 3000
    path = write_tiny_gguf(tmp_path / "tiny.gguf", extra={"duplex.long": long})
    with Model.load(path, gpu_layers=0) as model:
        assert model.metadata["duplex.long"] == long
        assert model.metadata["duplex.user_marker"] == "<用户>"
        assert int(model.metadata["duplex.idle_token_id"]) == model.n_vocab - 1


def test_loading_tells_its_progress(tiny_gguf: Path) -> None:
    shares: list[float] = []
    Model.load(tiny_gguf, gpu_layers=0, on_progress=shares.append).close()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_an_interrupt_while_loading_comes_through(tiny_gguf: Path) -> None:
    def interrupt(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Model.load(tiny_gguf, gpu_layers=0, on_progress=interrupt)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a GGUF file"),
        (b"PK\x03\x04 something else", "not a GGUF file"),
        (b"GGUF", "cannot load"),
        (b"GGUF\x03\x00\x00\x00" + b"\xff" * 16, "cannot load"),
    ],
)
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        Model.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        Model.load(tmp_path / "absent.gguf")
    with pytest.raises(ModelError, match="not a regular file"):
        Model.load(tmp_path)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.999])
def test_a_truncated_model_is_refused_with_the_reason(tiny_gguf: Path, tmp_path: Path, share: float) -> None:
    whole = tiny_gguf.read_bytes()
    path = tmp_path / "short.gguf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"failed to read|not within the file"):
        Model.load(path, gpu_layers=0)


def test_a_path_may_have_any_name(tiny_gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "模型 ü.gguf"
    path.write_bytes(tiny_gguf.read_bytes())
    Model.load(path, gpu_layers=0).close()


@pytest.mark.parametrize("kind", ["Q4_0", "Q8_0"])
def test_a_quantised_model_computes_on_this_machine(tiny_gguf: Path, tmp_path: Path, kind: str) -> None:
    params = api.llama_model_quantize_default_params()
    params.ftype = getattr(api, f"LLAMA_FTYPE_MOSTLY_{kind}")
    path = tmp_path / f"{kind}.gguf"
    assert api.llama_model_quantize(bytes(tiny_gguf), bytes(path), params) == 0
    with Model.load(path, gpu_layers=0) as model, Context(model, cells=256, slots=1, threads=1) as context:
        decode(context, 0, 0, PROMPT)
        assert np.isfinite(logits(context)).all()


# --- the vocabulary ---


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=200)
def test_tokens_of_a_text_spell_the_text(text: str) -> None:
    tokens = shared_model().tokenize(text, parse_special=False)
    spelled = b"".join(shared_model().piece(token) for token in tokens)
    assert spelled.decode("utf-8") == text
    assert not any(shared_model().is_control(token) for token in tokens)


_shared: list[Model] = []


@pytest.fixture(scope="module", autouse=True)
def share_model(model: Model) -> Iterator[None]:
    """hypothesis calls a test many times: it may have no fixture that it would have to set up anew."""
    _shared.append(model)
    yield
    _shared.clear()


def shared_model() -> Model:
    return _shared[0]


def test_no_token_is_added_to_a_text(model: Model) -> None:
    assert model.tokenize("", parse_special=False) == []
    assert b"".join(model.piece(token) for token in model.tokenize("of", parse_special=True)) == b"of"


def test_control_tokens_in_a_text_are_parsed_only_on_request(model: Model) -> None:
    idle = model.n_vocab - 1
    assert model.tokenize("a<idle></s>", parse_special=True)[-2:] == [idle, model.eos]
    plain = model.tokenize("a<idle></s>", parse_special=False)
    assert idle not in plain
    assert model.eos not in plain
    assert b"".join(model.piece(token) for token in plain) == b"a<idle></s>"


def test_a_long_text_of_many_tokens_fits(model: Model) -> None:
    text = "😀" * 20_000
    assert len(model.tokenize(text, parse_special=False)) == 80_000


def test_half_a_surrogate_pair_is_a_question_mark(model: Model) -> None:
    assert model.tokenize("\ud83d", parse_special=False) == model.tokenize("?", parse_special=False)


def test_a_control_token_has_no_bytes_unless_they_are_asked_for(model: Model) -> None:
    idle = model.n_vocab - 1
    assert model.piece(idle) == b""
    assert model.piece(idle, special=True) == b"<idle>"
    assert model.is_control(idle)


def test_a_byte_token_is_that_byte(model: Model) -> None:
    assert [model.piece(3 + byte) for byte in range(256)] == [bytes([byte]) for byte in range(256)]


@pytest.mark.parametrize("token", [-1, 10**6])
def test_a_token_outside_the_vocabulary_is_refused(model: Model, token: int) -> None:
    with pytest.raises(ContextError, match="vocabulary"):
        model.piece(token)


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
