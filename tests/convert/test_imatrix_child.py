"""The sums of an importance matrix are those of the model's own forward pass, and nothing is believed unchecked."""

from __future__ import annotations

import ctypes
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert import imatrix_child, llama
from convert.errors import ConversionError, InputError
from convert.gguf_file import read_header
from convert.imatrix import read_imatrix
from convert.imatrix_child import Collector
from convert.imatrix_collect import ImatrixOptions, make_imatrix
from convert.llama_model import Context, Log, Model, TaskError
from convert.quality_corpus import DuplexFormat, lay_out, other_half, read_corpus
from tests.convert.ladders import BLOCKS_FIT, corpus
from tests.convert.models import config, random_weights, write_folder
from tests.convert.test_cli import _signal_handlers as _signal_handlers  # fixtures
from tests.convert.test_cli import edge_convert as edge_convert
from tests.convert.test_conversion import _Silent, run
from tests.convert.test_quality_child import TALKS

pytestmark = pytest.mark.real

SETTINGS = config(max_position_embeddings=512)
MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as a float32 file, and a corpus whose collected half has more than one decode call in it."""
    folder = tmp_path_factory.mktemp("imatrix")
    write_folder(folder / "m", settings=SETTINGS)
    run(folder / "m", folder / "m.gguf", "f32")
    talks = [TALKS[3], TALKS[0], TALKS[1]]
    corpus(folder).write_text("".join(json.dumps({"pairs": pairs}) + "\n" for pairs in talks))
    return folder


def form(folder: Path) -> DuplexFormat:
    return DuplexFormat.read(read_header(folder / "m.gguf").metadata, "m")


def collect(folder: Path, out: Path, budget: int = 10_000) -> dict[str, Any]:
    arguments = {"path": str(folder / "m.gguf"), "corpus": str(corpus(folder)), "form": asdict(form(folder))}
    return llama.ask("collect", lambda _told: None, out=str(out), budget=budget, gpu_layers=0, threads=1, **arguments)


def normed(values: Any, weight: Any) -> Any:
    return values / np.sqrt((values**2).mean(axis=1, keepdims=True) + SETTINGS["rms_norm_eps"]) * weight


def test_the_first_layers_sums_are_the_squares_of_its_normed_embeddings(folder: Path, tmp_path: Path) -> None:
    answer = collect(folder, tmp_path / "i.gguf")
    model = Model(str(folder / "m.gguf"), Log(), vocabulary_only=True)
    tokens: list[int] = []
    for talk in other_half(read_corpus(corpus(folder))):
        for each in lay_out(talk, form(folder), model.tokenize)[0]:
            tokens += each.tokens
    assert answer == {"tokens": len(tokens), "conversations": 2, "matrices": 2 * len(MATRICES)}
    weights = {name: values.astype(np.float64) for name, values in random_weights(SETTINGS).items()}
    inputs = weights["model.embed_tokens.weight"][tokens] * SETTINGS["scale_emb"]
    expected = (normed(inputs, weights["model.layers.0.input_layernorm.weight"]) ** 2).mean(axis=0)
    found = read_imatrix(tmp_path / "i.gguf")
    assert found.keys() == {f"blk.{layer}.{name}.weight" for layer in range(2) for name in MATRICES}
    for name in ("attn_q", "attn_k", "attn_v"):
        assert found[f"blk.0.{name}.weight"] == pytest.approx(expected, rel=1e-5)
    assert not np.allclose(found["blk.1.attn_q.weight"], expected, rtol=0.1)
    assert (found["blk.1.ffn_gate.weight"] == found["blk.1.ffn_up.weight"]).all()


def test_every_matrix_has_seen_every_token(folder: Path, tmp_path: Path) -> None:
    """In the last layer llama.cpp leaves out the tokens whose logits nobody asks for."""
    tokens = collect(folder, tmp_path / "i.gguf")["tokens"]
    header, data = read_header(tmp_path / "i.gguf"), (tmp_path / "i.gguf").read_bytes()
    offsets = [record.offset for name, record in header.tensors.items() if name.endswith(".counts")]
    assert [np.frombuffer(data, "<f4", 1, offset)[0] for offset in offsets] == [tokens] * 2 * len(MATRICES)
    assert header.metadata["general.type"] == "imatrix"
    assert header.metadata["imatrix.chunk_count"] == -(-tokens // header.metadata["imatrix.chunk_size"])


def test_the_budget_ends_the_corpus_early(folder: Path, tmp_path: Path) -> None:
    assert collect(folder, tmp_path / "i", budget=1)["conversations"] == 1


def one_call(folder: Path, collector: Collector) -> None:
    model = Model(str(folder / "m.gguf"), Log())
    Context(model, cells=128, batch=32, threads=1, on_node=collector.callback).decode([1, 7, 8], 0, range(3))
    collector.check()


def test_a_shape_that_is_not_the_files_is_refused(folder: Path) -> None:
    records = read_header(folder / "m.gguf").tensors
    one_call(folder, collector := Collector(records))
    assert set(collector.counts.values()) == {3}
    name = "blk.1.ffn_up.weight"
    other = Collector({**records, name: replace(records[name], shape=(96, 32))})
    with pytest.raises(TaskError, match=r"cannot be collected: blk\.1\.ffn_up\.weight is \[64, 96, 1, 1\] in"):
        one_call(folder, other)


def test_another_layout_of_tensors_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imatrix_child, "_OBJECT_BYTES", 40)
    with pytest.raises(TaskError, match=r"tensors are not those of 0\.3\.36"):
        Collector({})
    monkeypatch.undo()

    class Shifted(ctypes.Structure):  # as large, with the name elsewhere
        _fields_ = (*imatrix_child.Tensor._fields_[:10], *reversed(imatrix_child.Tensor._fields_[10:]))

    monkeypatch.setattr(imatrix_child, "Tensor", Shifted)
    with pytest.raises(TaskError, match="have their names elsewhere"):
        one_call(folder, Collector(read_header(folder / "m.gguf").tensors))


def options(folder: Path, out: Path, **changes: Any) -> ImatrixOptions:
    return ImatrixOptions(str(folder / "m"), out, str(corpus(folder)), threads=1, **changes)


def test_a_checkpoint_is_converted_for_it_and_nothing_else_is_left(folder: Path, tmp_path: Path) -> None:
    from convert.progress import Progress

    make_imatrix(options(folder, tmp_path / "i.gguf"), Progress(_Silent()))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["i.gguf"]
    with pytest.raises(InputError, match="exists already; --force overwrites it"):
        make_imatrix(options(folder, tmp_path / "i.gguf"), Progress(_Silent()))  # type: ignore[arg-type]
    (tmp_path / "none.jsonl").write_text("")
    empty = replace(options(folder, tmp_path / "i.gguf", force=True), corpus=str(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="has no conversation"):
        make_imatrix(empty, Progress(_Silent()))  # type: ignore[arg-type]
    (tmp_path / "none.jsonl").write_text(json.dumps({"pairs": [["sea " * 1000, "wet"]]}))
    with pytest.raises(ConversionError, match="begins with a pair that fits"):
        make_imatrix(empty, Progress(_Silent()))  # type: ignore[arg-type]


def test_a_failing_child_leaves_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convert.progress import Progress

    (tmp_path / "m.gguf").write_bytes((folder / "m.gguf").read_bytes()[:-5000])  # its last tensor is cut off
    cut = replace(options(folder, tmp_path / "i.gguf"), model=str(tmp_path / "m.gguf"))
    with pytest.raises(ConversionError, match=r"llama\.cpp: "):
        make_imatrix(cut, Progress(_Silent()))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["m.gguf"]


def test_the_command_makes_what_the_converter_takes(tmp_path: Path, edge_convert: Any) -> None:
    model = write_folder(tmp_path / "m", settings=BLOCKS_FIT, dtype="bf16")
    corpus(tmp_path).write_text("".join(json.dumps({"pairs": pairs}) + "\n" for pairs in TALKS[:3]))
    path = tmp_path / "i.gguf"
    code, output, errors = edge_convert("imatrix", model, "--out", path, "--corpus", corpus(tmp_path), "--threads", "1")
    assert (code, output.startswith(f"{path}: 7 matrices, ")) == (0, True), errors
    assert "collecting an importance matrix" in errors
    for quant in ("iq2_m", "iq3_xxs", "q2_k_s"):
        out = tmp_path / f"{quant}.gguf"
        code, _, errors = edge_convert(model, "--quant", quant, "--imatrix", path, "--out", out)
        assert (code, out.is_file()) == (0, True), errors
