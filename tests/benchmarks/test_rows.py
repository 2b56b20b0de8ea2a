"""Every row, on a shape small enough for a test, with the real server and the real contenders."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bench import Bench
from benchmarks.rows import barge_in, footprint, park, sampling, sessions, slices, ticks
from tests.benchmarks.tiny import PLAN, tiny_bench

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    with (folder / "log").open("w+b") as log:
        yield tiny_bench(folder, log)


def test_slices_are_measured_for_every_contender_at_every_length(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no llama-server: its rows say so
    monkeypatch.setattr("benchmarks.bench.ROOT", Path("nowhere"))
    rows = {row.what: row for row in slices.run(bench)}
    contenders = (slices.RAW, slices.OTHER[-1], slices.EDGE, slices.HIGH, slices.AGAIN)
    for length in PLAN.lengths:
        for name in contenders:
            row = rows.pop(f"slice at {length} tokens: {name}")
            assert row.value is not None
            assert row.value > 0
            assert row.best
    assert rows.pop(f"slice: {slices.SERVER}").note == "not built: make llama-server"
    assert all(math.isfinite(row.value) for row in rows.values() if row.value is not None)
    assert sum(row.goal is not None for row in rows.values()) == len(rows)


@pytest.mark.parametrize("module", [footprint, ticks, sampling], ids=lambda module: module.__name__)
def test_rows_have_figures(bench: Bench, module: object) -> None:
    rows = module.run(bench)  # type: ignore[attr-defined]
    assert rows
    for row in rows:
        assert row.note or row.value is not None
        assert row.value is None or math.isfinite(row.value)


def test_interruptions_parking_and_many_sessions_are_measured(bench: Bench) -> None:
    rows = [*barge_in.run(bench), *park.run(bench), *sessions.run(bench)]
    assert len(rows) == 6 + 2 + 2 * len(PLAN.sessions)
    assert [row.what for row in rows if row.value is None and not row.note] == []
    shares = [row.value for row in rows if row.unit == "share"]
    assert all(share is not None and 0 <= share <= 1 for share in shares)
