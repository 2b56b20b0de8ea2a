"""A converted file computes what the checkpoint computes and tokenises as the reference does."""

from __future__ import annotations

import itertools
import random
import re
import string
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest
from gguf import GGUFReader

from convert.conversion import Options, convert
from convert.gguf_file import read_header
from convert.progress import Progress
from convert.report import Report
from convert.verify import ReferenceTokenizer
from convert.vocabulary import read_vocabulary
from tests.convert import reference
from tests.convert.decoding import loaded, logits, tokenize
from tests.convert.models import config, parameters, random_weights, write_folder, write_json

pytestmark = pytest.mark.real

REAL = Path(__file__).resolve().parents[3] / "shared" / "minicpm-duplex"
TOKENS = [1, 300, 17, 280, 5, 275, 290, 3, 270, 301, 299, 60]


class _Silent:
    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def run(model: Path, out: Path, quant: str = "f32", **options: Any) -> Report:
    return convert(Options(str(model), quant, out, **options), Progress(_Silent()))  # type: ignore[arg-type]


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "grouped queries": {"num_attention_heads": 4, "num_key_value_heads": 2},
    "one key head": {"num_attention_heads": 4, "num_key_value_heads": 1},
    "linear rope scaling": {"rope_scaling": {"type": "linear", "factor": 2.5}},
    "other rope base": {"rope_theta": 500.0},
    "output of its own": {"tie_word_embeddings": False},
    "three layers, other scales": {"num_hidden_layers": 3, "scale_emb": 3, "scale_depth": 0.7, "dim_model_base": 64},
}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_logits_are_the_reference_forward_pass(tmp_path: Path, changes: dict[str, Any]) -> None:
    settings = config(**changes)
    weights = random_weights(settings)
    model = write_folder(tmp_path / "model", settings=settings, weights=weights)
    run(model, tmp_path / "model.gguf")
    found, expected = logits(tmp_path / "model.gguf", TOKENS), reference.logits(weights, settings, TOKENS)
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)


def test_each_variant_matters_to_the_forward_pass() -> None:
    """Otherwise the test above could not fail."""
    expected = [reference.logits(random_weights(config(**c)), config(**c), TOKENS) for c in VARIANTS.values()]
    for one, other in itertools.pairwise(expected):
        assert np.linalg.norm(one - other) > 1e-2 * np.linalg.norm(one)


@pytest.mark.parametrize(
    ("form", "dtype"),
    [("safetensors", "f16"), ("bin", "bf16"), ("sharded-safetensors", "bf16"), ("sharded-bin", "f32")],
)
def test_every_file_form_and_type_gives_the_same_model(tmp_path: Path, form: str, dtype: str) -> None:
    model = write_folder(tmp_path / "model", form=form, dtype=dtype)
    run(model, tmp_path / "model.gguf")
    expected = reference.logits(random_weights(config()), config(), TOKENS)
    assert np.linalg.norm(logits(tmp_path / "model.gguf", TOKENS) - expected) < 1e-3 * np.linalg.norm(expected)


def test_the_gguf_package_reads_what_was_written(tmp_path: Path) -> None:
    """An independent reader sees the weights themselves, at bf16 bit for bit."""
    weights = random_weights(config())
    run(write_folder(tmp_path / "model", weights=weights, dtype="bf16"), tmp_path / "model.gguf", "bf16")
    reader = GGUFReader(tmp_path / "model.gguf")
    found = {tensor.name: tensor for tensor in reader.tensors}
    assert "output.weight" not in found
    assert len(found) == len(weights)
    bits = found["blk.1.ffn_down.weight"].data.reshape(-1).view(np.uint16).astype(np.uint32) << 16
    assert np.array_equal(bits.view(np.float32), weights["model.layers.1.mlp.down_proj.weight"].ravel())
    assert found["blk.1.attn_norm.weight"].tensor_type.name == "F32"
    assert reader.fields["duplex.idle_token_id"].contents() == config()["vocab_size"] - 2


def test_a_tied_output_is_stored_once(tmp_path: Path) -> None:
    weights = random_weights(config())
    report = run(
        write_folder(tmp_path / "m", weights={**weights, "lm_head.weight": weights["model.embed_tokens.weight"]}),
        tmp_path / "model.gguf",
    )
    assert report.parameters == parameters(weights)
    assert "output.weight" not in read_header(tmp_path / "model.gguf").tensors


def test_metadata_says_what_the_server_needs(tmp_path: Path) -> None:
    run(write_folder(tmp_path / "parrot"), tmp_path / "model.gguf")
    metadata = read_header(tmp_path / "model.gguf").metadata
    ours = {key: value for key, value in metadata.items() if key.startswith("duplex.")}
    assert ours == {
        "duplex.version": 1,
        "duplex.user_marker": "<用户>",
        "duplex.assistant_marker": "<AI>",
        "duplex.idle_token_id": config()["vocab_size"] - 2,
        "duplex.slice_seconds": 2.0,
        "duplex.slice_tokens": 10,
        "duplex.source": "parrot",
    }
    assert metadata["tokenizer.ggml.add_space_prefix"] is False
    assert metadata["tokenizer.ggml.add_bos_token"] is True


def test_a_bias_that_the_checkpoint_asks_for_is_passed_on(tmp_path: Path) -> None:
    run(write_folder(tmp_path / "parrot", settings=config(duplex_idle_bias=1.5)), tmp_path / "model.gguf")
    assert read_header(tmp_path / "model.gguf").metadata["duplex.idle_bias"] == 1.5


def test_a_tokenizer_without_idle_gives_a_turn_based_model(tmp_path: Path) -> None:
    settings = config(vocab_size=config()["vocab_size"] - 2)
    model = write_folder(tmp_path / "plain", settings=settings)
    (model / "added_tokens.json").unlink()
    (model / "tokenizer_config.json").unlink()
    report = run(model, tmp_path / "model.gguf")
    assert "duplex.idle_token_id" not in read_header(tmp_path / "model.gguf").metadata
    assert "no <idle> token" in str(report)
    assert "no chat template" in str(report)


def test_quantised_files_are_verified_and_smaller(tmp_path: Path) -> None:
    settings = config(hidden_size=256, intermediate_size=320)
    model = write_folder(tmp_path / "model", settings=settings, dtype="bf16")
    sizes = {quant: run(model, tmp_path / f"{quant}.gguf", quant).size for quant in ("bf16", "q8_0", "q4_k_m", "q2_0")}
    assert sizes["bf16"] > sizes["q8_0"] > sizes["q4_k_m"] > sizes["q2_0"]
    expected = reference.logits(random_weights(settings), settings, TOKENS)
    found = logits(tmp_path / "q8_0.gguf", TOKENS)
    assert np.linalg.norm(found - expected) < 0.05 * np.linalg.norm(expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["model", *(f"{quant}.gguf" for quant in sizes)])


def test_a_space_prefix_that_the_tokenizer_asks_for_is_put(tmp_path: Path) -> None:
    from tests.convert.models import NORMAL, PIECES, USER_DEFINED, sentencepiece_model, tokenizer_config

    model = write_folder(tmp_path / "model")
    # llama.cpp puts the space after user-defined pieces too, SentencePiece does not: this tokenizer has none.
    pieces = [(text, NORMAL if kind == USER_DEFINED else kind) for text, kind in PIECES]
    (model / "tokenizer.model").write_bytes(sentencepiece_model(pieces, prefix=1))
    settings = tokenizer_config()
    del settings["add_prefix_space"]
    write_json(model / "tokenizer_config.json", settings)
    run(model, tmp_path / "model.gguf")
    assert read_header(tmp_path / "model.gguf").metadata["tokenizer.ggml.add_space_prefix"] is True


@pytest.fixture(scope="module")
def real_tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a hidden size of 64 and MiniCPM-duplex's own tokenizer."""
    if not REAL.is_dir():
        pytest.skip(f"MiniCPM-duplex's tokenizer is not at {REAL}")
    folder = tmp_path_factory.mktemp("real")
    settings = config(vocab_size=122760)
    model = write_folder(folder / "model", settings=settings, dtype="bf16")
    for name in ("tokenizer.model", "tokenizer_config.json", "added_tokens.json"):
        (model / name).write_bytes((REAL / name).read_bytes())
    run(model, folder / "model.gguf", "bf16")
    return folder / "model.gguf"


_WORDS = """
the capital of France, is Paris. well (actually) "no" I'd say: 1,000 km! really? --- ... ok/maybe *that* 你好 世界，
今天 天气。 Ünïcode naïve Москва مرحبا 東京 한국 🙂 👍🏽 ½ <td> </b> `code` x=y+1 {a: [b]} https://e.org/?q=1
"""


def _strings() -> list[str]:
    """Several hundred: slices between markers, code, markup, many scripts, whitespace, added tokens, random noise."""
    random_source = random.Random(7)
    words = _WORDS.split()
    between = ["", " ", "  ", "\n", ", ", ". ", "\t", "…", "<idle>", "</s>", "<s0>", "<用户>", "<AI>"]
    strings = ["", " ", "\n\n", "<s>", "a<idle>b", "<idle", "idle>", "<unk>", "\x00", "\u2581", "\r\n", "<s6>"]
    for _ in range(300):
        picked = random_source.choices(words, k=random_source.randint(1, 7))
        strings.append("".join(word + random_source.choice(between) for word in picked))
    for _ in range(100):
        slices = [" ".join(random_source.choices(words, k=random_source.randint(1, 6))) for _ in range(2)]
        strings.append(f"<用户>{slices[0]}<AI>{slices[1]}</s><用户>")
    alphabet = string.printable + "用户AI，。！？áéñ\u00a0\u200b\ufeff🙂"
    strings += ["".join(random_source.choices(alphabet, k=random_source.randint(1, 40))) for _ in range(200)]
    return strings


@pytest.mark.parametrize("parse_special", [True, False], ids=["special tokens parsed", "plain text"])
def test_the_real_tokenizer_is_reproduced_on_several_hundred_strings(
    real_tokenizer_file: Path, parse_special: bool
) -> None:
    files = {path.name: path for path in REAL.iterdir()}
    expected = ReferenceTokenizer(read_vocabulary(files, 122760), files["tokenizer.model"])
    with loaded(real_tokenizer_file, vocab_only=True) as model:
        vocab = llama_cpp.llama_model_get_vocab(model)
        different = [
            text
            for text in _strings()
            if tokenize(vocab, text, parse_special=parse_special) != expected.encode(text, parse_special=parse_special)
        ]
    assert not different


def test_the_real_tokenizer_has_the_known_tokens(real_tokenizer_file: Path) -> None:
    """Token ids that the reference is known to give (not computed by our own code)."""
    with loaded(real_tokenizer_file, vocab_only=True) as model:
        vocab = llama_cpp.llama_model_get_vocab(model)
        assert tokenize(vocab, "<用户>", parse_special=True) == [95396, 4194, 95388]
        assert tokenize(vocab, "<AI>", parse_special=True) == [95396, 10850, 95388]
        assert tokenize(vocab, "<idle>", parse_special=True) == [122753]
        assert tokenize(vocab, "</s><s0><s5>", parse_special=True) == [2, 122754, 122759]
        assert tokenize(vocab, " <AI>", parse_special=True)[0] == 1786
        assert 78926 in tokenize(vocab, "Australia,<AI>", parse_special=True)


def test_plain_text_never_becomes_a_control_token(real_tokenizer_file: Path) -> None:
    with loaded(real_tokenizer_file, vocab_only=True) as model:
        vocab = llama_cpp.llama_model_get_vocab(model)
        texts = [*_strings(), "<idle>", "<s></s>", *(f"<s{number}>" for number in range(6))]
        tokens = {token for text in texts for token in tokenize(vocab, text, parse_special=False)}
        assert not tokens & {0, 1, 2, *range(122753, 122760)}


def test_the_report_counts(tmp_path: Path) -> None:
    report = run(write_folder(tmp_path / "model"), tmp_path / "model.gguf")
    text = str(report)
    assert report.parameters == parameters(random_weights(config()))
    assert f"{report.parameters:,}" in text
    assert report.size == (tmp_path / "model.gguf").stat().st_size
    assert re.search(r"\d+\.\d\d bits per weight", text)
    assert report.converter_memory > 10 << 20
    assert report.llama_memory > 10 << 20
