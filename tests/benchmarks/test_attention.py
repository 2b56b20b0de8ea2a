"""The cost of attention, in small: a tiny model, real contexts."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from benchmarks.attention import PIECE, PLACES, Place, main
from edge_server.llama import Context, Model
from tests.benchmarks.tiny import write_tiny

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heads as wide as the real ones: llama.cpp fails to shift a quantised cache of narrower ones."""
    return write_tiny(tmp_path_factory.mktemp("tiny"))


def test_the_table_has_a_row_for_each_length_and_size(capsys: pytest.CaptureFixture[str], model_file: Path) -> None:
    assert main([str(model_file), "--lengths", "500,250", "--sizes", "8,1", "--others", "1", "--rounds", "2"]) == 0
    head, rule, *rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert head == ["context", "call of", *(name for name, *_ in PLACES)]
    assert rule
    assert [row[:2] for row in rows] == [["250", "1"], ["250", "8"], ["500", "1"], ["500", "8"]]
    assert all(float(cell) > 0 for row in rows for cell in row[2:])


def test_a_context_holds_as_many_cells_as_it_says(model_file: Path) -> None:
    with Model.load(model_file) as model:
        place = Place(model, 4 * PIECE + 70, 1, 1, "f16", False)
        place.fill(1, 2 * PIECE)
        place.grow(2 * PIECE)
        context: Context = place._context
        # Saved without their keys and values they are told apart by size alone: twice the cells, twice the bytes.
        sizes = [len(context.save(slot)) for slot in range(3)]
        assert sizes[0] == sizes[1]
        assert sizes[0] > 1.9 * len(place._piece)
        assert sizes[2] < 100
        assert place.seconds(8) > 0
        assert len(context.save(0)) == sizes[0]  # what was measured was taken back


def test_what_llama_cpp_refuses_is_told_in_one_line(capsys: pytest.CaptureFixture[str], model_file: Path) -> None:
    assert main([str(model_file), "--lengths", "250", "--sizes", "1", "--others", "300"]) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("attention: ")


def test_ctrl_c_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model_file: Path
) -> None:
    monkeypatch.setattr(Place, "seconds", lambda *_: signal.raise_signal(signal.SIGINT))
    assert main([str(model_file), "--lengths", "500", "--sizes", "1"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "attention: stopped"


def test_bad_usage_is_told(tmp_path: Path, tiny_gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing.gguf")]) == 2
    assert "missing.gguf" in capsys.readouterr().err
    for bad in (["--lengths", "300"], ["--sizes", "65"], ["--threads", "0"], ["--others", "-1"], ["--sizes", "x"]):
        with pytest.raises(SystemExit) as error:
            main([str(tiny_gguf), *bad])
        assert error.value.code == 2
