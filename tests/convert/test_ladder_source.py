"""What stands in MODEL's place becomes a float file, once, and anything else is refused."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from convert.errors import InputError
from convert.ladder_measure import weigh
from convert.ladder_source import float_model, name_of
from convert.progress import Progress
from tests.convert.models import config, random_weights, write_folder, write_safetensors
from tests.convert.test_conversion import run

pytestmark = pytest.mark.real


def made(model: Path | str, folder: Path) -> tuple[str, list[str]]:
    """The digest, and the stages that were gone through."""
    shown = io.StringIO()
    found = float_model(str(model), folder, None, None, Progress(shown))
    assert found.digest == hashlib.sha256(found.path.read_bytes()).hexdigest()
    assert (found.quant, found.name) == ("bf16", "m")
    assert (found.form.user_marker, found.form.context) == ("<用户>", 128)
    return found.digest, shown.getvalue().splitlines()


def test_a_checkpoint_is_converted_once(tmp_path: Path) -> None:
    model, out = write_folder(tmp_path / "m"), tmp_path / "out"
    out.mkdir()
    first, stages = made(model, out)
    assert stages == ["writing bf16", "verifying", "reading m-bf16.gguf"]
    assert made(model, out) == (first, [])


def test_another_checkpoint_or_a_changed_file_is_converted_again(tmp_path: Path) -> None:
    model, out = write_folder(tmp_path / "m"), tmp_path / "out"
    out.mkdir()
    first, _ = made(model, out)
    weights = random_weights(config(), seed=1)
    write_safetensors(model / "model.safetensors", weights, "f32")
    second, stages = made(model, out)
    assert second != first
    assert stages
    os.truncate(out / "m-bf16.gguf", 1000)
    assert made(model, out)[0] == second


def test_a_float_file_is_taken_as_it_is(tmp_path: Path) -> None:
    run(write_folder(tmp_path / "m"), tmp_path / "m.gguf", "bf16")
    assert made(tmp_path / "m.gguf", tmp_path)[1] == ["reading m.gguf"]
    assert name_of(str(tmp_path / "m.gguf"), None, None, Progress(io.StringIO())) == "m"
    assert name_of(str(tmp_path / "m"), None, None, Progress(io.StringIO())) == "m"


def test_a_quantised_file_and_one_without_idle_are_refused(tmp_path: Path) -> None:
    run(write_folder(tmp_path / "m"), tmp_path / "q.gguf", "q8_0")
    with pytest.raises(InputError, match=r"is quantised already \(q8_0\); give a bf16 or f16 file"):
        float_model(str(tmp_path / "q.gguf"), tmp_path, None, None, Progress(io.StringIO()))
    with pytest.raises(InputError, match=r"none\.gguf: there is no such file"):
        float_model(str(tmp_path / "none.gguf"), tmp_path, None, None, Progress(io.StringIO()))
    (tmp_path / "x.gguf").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a GGUF file"):
        float_model(str(tmp_path / "x.gguf"), tmp_path, None, None, Progress(io.StringIO()))


@pytest.mark.parametrize("quant", ["f32", "bf16", "q8_0", "q4_k_m", "iq4_nl"])
def test_bits_per_weight_are_those_that_the_gguf_package_counts(tmp_path: Path, quant: str) -> None:
    settings = config(hidden_size=256, intermediate_size=256, num_hidden_layers=1)
    run(write_folder(tmp_path / "m", settings=settings), tmp_path / "q.gguf", quant)
    tensors = GGUFReader(tmp_path / "q.gguf").tensors
    weights, size = sum(int(t.n_elements) for t in tensors), sum(int(t.n_bytes) for t in tensors)
    found = weigh(tmp_path / "q.gguf")
    assert found["parameters"] == weights
    assert found["bits_per_weight"] == pytest.approx(8 * size / weights, rel=1e-12)
    assert found["bytes"] == (tmp_path / "q.gguf").stat().st_size > size
    assert np.isfinite(found["bits_per_weight"])
