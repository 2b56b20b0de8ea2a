"""Every type that llama.cpp's quantiser makes can be asked for; those that need an importance matrix are refused."""

from __future__ import annotations

from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from convert.errors import InputError
from convert.gguf_file import float_types, read_header, write_header
from convert.minicpm import PlannedTensor, read_config
from convert.quantize import FILE_TYPES, check_quant, plan_quantization
from tests.convert.models import config, random_weights, write_folder
from tests.convert.test_conversion import run
from tests.convert.test_imatrix import write_gguf, write_legacy

NEED_IMATRIX = ["iq1_m", "iq1_s", "iq2_m", "iq2_s", "iq2_xs", "iq2_xxs", "iq3_xs", "iq3_xxs", "q2_k_s"]
BLOCKS_FIT = config(hidden_size=256, intermediate_size=512, num_hidden_layers=1)


def test_the_types_are_those_of_the_bindings() -> None:
    prefix = "LLAMA_FTYPE_MOSTLY_"
    known = {name.removeprefix(prefix).lower(): number for name, number in vars(llama_cpp).items() if prefix in name}
    known["f32"] = llama_cpp.LLAMA_FTYPE_ALL_F32
    del known["nvfp4"]  # llama.cpp reads it; its quantiser does not make it
    assert known == FILE_TYPES


def test_names_are_accepted_in_either_case_and_with_llama_cpps_aliases() -> None:
    assert check_quant("Q4_K_M") == "q4_k_m"
    assert [check_quant(name) for name in ("q3_k", "q4_k", "Q5_K")] == ["q3_k_m", "q4_k_m", "q5_k_m"]


def test_an_unknown_type_is_refused_with_all_names() -> None:
    with pytest.raises(InputError, match="--quant q9: unknown; choose one of ") as refusal:
        check_quant("q9")
    assert all(name in str(refusal.value) for name in FILE_TYPES)


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[PlannedTensor]]:
    """A file whose weights are not there yet, as the plan sees it."""
    from convert.metadata import uint32
    from convert.vocabulary import read_vocabulary

    folder = write_folder(tmp_path_factory.mktemp("quantize") / "m", settings=BLOCKS_FIT)
    model = read_config(BLOCKS_FIT, "c")
    vocabulary = read_vocabulary({path.name: path for path in folder.iterdir()}, model.vocabulary)
    path, plan = folder.parent / "skeleton", model.tensors()
    entries = [uint32("general.file_type", 32), *model.metadata(), *vocabulary.metadata()]
    write_header(path, entries, plan, float_types(plan, "bf16"))
    return path, plan


@pytest.mark.real
@pytest.mark.parametrize("quant", NEED_IMATRIX)
def test_types_that_need_an_importance_matrix_are_refused_without(
    skeleton: tuple[Path, list[PlannedTensor]], quant: str
) -> None:
    with pytest.raises(
        InputError, match=f"--quant {quant}: this type needs an importance matrix; give one with --imat"
    ):
        plan_quantization(skeleton[0], quant, skeleton[1], None)


@pytest.mark.real
@pytest.mark.parametrize("quant", sorted({*FILE_TYPES} - {*NEED_IMATRIX, "f32"}))
def test_every_other_type_is_planned_for_every_tensor(skeleton: tuple[Path, list[PlannedTensor]], quant: str) -> None:
    path, plan = skeleton
    types = plan_quantization(path, quant, plan, None)
    assert types.keys() == {tensor.name for tensor in plan}
    assert types["blk.0.attn_norm.weight"] == "f32"
    assert quant == "bf16" or types["blk.0.ffn_gate.weight"] != "bf16"


@pytest.mark.real
def test_a_type_that_does_not_fit_the_model_is_refused(tmp_path: Path) -> None:
    model = write_folder(tmp_path / "m")  # 64 inputs; q1_0 takes 128 at a time
    with pytest.raises(InputError, match="--quant q1_0: does not fit this model"):
        run(model, tmp_path / "x.gguf", "q1_0")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.real
@pytest.mark.parametrize("quant", NEED_IMATRIX)
def test_with_an_importance_matrix_they_are_planned(
    skeleton: tuple[Path, list[PlannedTensor]], quant: str, tmp_path: Path
) -> None:
    path, plan = skeleton
    values = {tensor.name: [1.0] * tensor.shape[-1] for tensor in plan if tensor.name.startswith("blk.")}
    types = plan_quantization(path, quant, plan, write_legacy(tmp_path / "i", values))
    assert types["blk.0.ffn_gate.weight"].startswith(("iq", "q2_k"))


@pytest.mark.real
def test_an_importance_matrix_reaches_the_quantiser(tmp_path: Path) -> None:
    """Another matrix gives other bits."""
    model = write_folder(tmp_path / "m", settings=BLOCKS_FIT)
    plan = [tensor for tensor in read_config(BLOCKS_FIT, "c").tensors() if tensor.name.startswith("blk.")]
    outcomes = set()
    for favoured in (0, 1):
        values = {t.name: [1000.0 if i % 2 == favoured else 0.1 for i in range(t.shape[-1])] for t in plan}
        path = write_gguf(tmp_path / f"i{favoured}", values)
        run(model, tmp_path / f"{favoured}.gguf", "q4_k_s", imatrix=path)
        outcomes.add((tmp_path / f"{favoured}.gguf").read_bytes())
    assert len(outcomes) == 2


@pytest.mark.real
@pytest.mark.parametrize("quant", ["q4_0", "q5_0", "iq4_xs", "iq3_xxs"])
def test_with_an_importance_matrix_other_types_may_be_chosen(tmp_path: Path, quant: str) -> None:
    """llama.cpp gives some tensors of the first eighth of the layers, and V, another type then; the plan must know."""
    settings = config(hidden_size=256, intermediate_size=256, num_hidden_layers=8)
    model = write_folder(tmp_path / "m", settings=settings)
    plan = [tensor for tensor in read_config(settings, "c").tensors() if tensor.name.startswith("blk.")]
    path = write_gguf(tmp_path / "i", {tensor.name: [1.0] * tensor.shape[-1] for tensor in plan})
    kinds = []
    for imatrix in (None, path) if quant != "iq3_xxs" else (path,):
        run(model, tmp_path / f"{imatrix is None}.gguf", quant, imatrix=imatrix)
        kinds.append(
            {name: record.type for name, record in read_header(tmp_path / f"{imatrix is None}.gguf").tensors.items()}
        )
    assert len(kinds) == 1 or kinds[0] != kinds[1]


@pytest.mark.real
def test_an_importance_matrix_of_another_model_is_refused(tmp_path: Path) -> None:
    model = write_folder(tmp_path / "m", settings=BLOCKS_FIT)
    path = write_gguf(tmp_path / "i", {"blk.0.attn_q.weight": [1.0] * 64})
    with pytest.raises(InputError, match=r"has 64 values for blk\.0\.attn_q\.weight, which has 256 inputs"):
        run(model, tmp_path / "x.gguf", "iq2_xs", imatrix=path)


@pytest.mark.real
def test_quantised_weights_come_close_to_the_originals(tmp_path: Path) -> None:
    from gguf import GGUFReader, dequantize

    model = write_folder(tmp_path / "m", settings=BLOCKS_FIT)
    run(model, tmp_path / "x.gguf", "q8_0")
    tensor = next(t for t in GGUFReader(tmp_path / "x.gguf").tensors if t.name == "blk.0.ffn_up.weight")
    found = dequantize(tensor.data, tensor.tensor_type)
    expected = random_weights(BLOCKS_FIT)["model.layers.0.mlp.up_proj.weight"]
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()
