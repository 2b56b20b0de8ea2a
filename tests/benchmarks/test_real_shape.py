"""The model file with random quantised weights."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import gguf
import llama_cpp.llama_cpp as api
import numpy as np
import pytest

from benchmarks.real_shape import (
    FILE_TYPES,
    PEAKED_SPREAD,
    REAL_CONFIG,
    set_logit_spread,
    tensor_kind,
    write_model,
)
from benchmarks.workers import Worker
from convert.gguf_file import read_header, tensor_bytes, type_name
from convert.minicpm import read_config
from tests.benchmarks.tiny import CONFIG, write_tiny


def test_the_real_shape_has_the_size_of_the_converted_checkpoint() -> None:
    model = read_config(REAL_CONFIG, "here")
    size = sum(
        tensor_bytes(tensor.shape, tensor_kind(tensor, model, "q4_k_m").name.lower()) for tensor in model.tensors()
    )
    assert size == pytest.approx(1.80e9, rel=0.005)  # 5.29 bits a weight, as edge-convert measured


def test_another_mix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="q2_k cannot be written: use one of q4_k_m, q4_0"):
        write_model(tmp_path / "x.gguf", CONFIG, quant="q2_k")


@pytest.mark.real
@pytest.mark.parametrize("quant", FILE_TYPES)
def test_every_tensor_has_the_type_that_llama_cpps_quantiser_gives_it(tmp_path: Path, quant: str) -> None:
    path, again = write_tiny(tmp_path, quant), tmp_path / "again.gguf"
    params = api.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize, params.nthread = FILE_TYPES[quant], True, 1
    assert api.llama_model_quantize(str(path).encode(), str(again).encode(), ctypes.byref(params)) == 0
    ours, theirs = read_header(path).tensors, read_header(again).tensors
    assert {name: type_name(one.type) for name, one in ours.items()} == {
        name: type_name(one.type) for name, one in theirs.items()
    }


@pytest.mark.real
@pytest.mark.parametrize("quant", FILE_TYPES)
def test_weights_have_no_mean_and_the_spread_that_keeps_activations_level(tmp_path: Path, quant: str) -> None:
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(write_tiny(tmp_path, quant)).tensors}
    for name, tensor in tensors.items():
        weights: Any = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if weights.ndim == 1:
            assert (weights == 1).all(), name
            continue
        if name == "token_embd.weight":
            rows = weights.std(axis=1)
            muted = rows < 0.2 * rows.max()
            assert muted[:259].all()  # <unk>, <s>, </s>, bytes
            assert muted[-7:].all()  # <idle> and the unused ones
            assert not muted.all()
            weights = weights[~muted]
        spread = 0.001 if name == "token_embd.weight" else weights.shape[1] ** -0.5
        assert weights.std() == pytest.approx(spread, rel=0.05), name
        assert abs(weights.mean()) < 0.05 * spread, name


@pytest.mark.real
def test_llama_cpp_runs_it_and_its_slices_do_not_end_early(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    with (tmp_path / "log").open("w+b") as log:
        spreads = []
        for wanted in (None, PEAKED_SPREAD):
            set_logit_spread(path, CONFIG, wanted)
            with Worker("benchmarks.raw", str(path), "256", "2", "64", "1", "-1", log=log) as raw:
                hello = raw.ask("hello")
                text = raw.ask("tokenize", text="<用户>tell me a story<AI>")["tokens"]
                assert len(text) == 10  # three a marker, one a word
                answer = raw.ask("slice", tokens=[hello["bos"], *text], count=15)
                assert len(answer["tokens"]) == 15
                assert not set(answer["tokens"]) & {hello["bos"], hello["eos"], *range(259), *range(1993, 2000)}
                drawn = raw.ask("sample", temperature=0.8, top_p=0.8, times=2)
                assert np.isfinite(drawn["highest"])
                spreads.append(drawn["spread"])
        assert 0.002 < spreads[0] < 0.006  # sqrt(256) weights of 0.001, divided by 256 / 64
        assert 0.5 * PEAKED_SPREAD < spreads[1] < 1.2 * PEAKED_SPREAD
