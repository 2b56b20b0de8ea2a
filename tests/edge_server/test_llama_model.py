"""llama.cpp behind our own names: the model file and its vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as api
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_server.context import Feed
from edge_server.llama import Context, ContextError, Model, ModelError
from tests.tiny import logits, vocabulary, write_tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real


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
        assert context.decode([Feed(0, 0, [5, 300, 301, 302, 40, 41])]) == [6]
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
