"""What rows share: limits, turns, the check for memory."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bench import FULL, QUICK, Bench, alternating
from benchmarks.real_shape import REAL_CONFIG
from benchmarks.workers import BenchmarkError


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"x" * 1000)
    return Bench("real", path, REAL_CONFIG, FULL["real"], 2, io.BytesIO(), bandwidth=60e9, quiet=True)


def test_a_token_of_the_real_shape_takes_360_kib(bench: Bench) -> None:
    assert bench.cell_bytes == 360 * 1024


def test_the_limit_of_a_step_is_what_must_be_read(bench: Bench) -> None:
    assert bench.step_limit(0, 1.8e9) == pytest.approx(0.03)
    assert bench.step_limit(1000, 1.8e9) == pytest.approx((1.8e9 + 1000 * 360 * 1024) / 60e9)


@given(st.integers(1, 6), st.integers(1, 12))
def test_in_every_round_everyone_has_a_turn_and_all_begin_equally_often(contenders: int, rounds: int) -> None:
    names = [str(number) for number in range(contenders)]
    taken = list(alternating(names, rounds))
    assert [number for number, _ in taken] == list(range(1, rounds + 1))
    assert all(sorted(turn) == names for _, turn in taken)
    first = Counter(turn[0] for _, turn in taken)
    assert max(first.values()) - min(first[name] for name in names) <= 1


def test_too_little_memory_is_told_before_anything_starts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.bench.available_memory", lambda: 8 * 2**30)
    bench.need_memory(1, 2048)
    with pytest.raises(BenchmarkError, match=r"needs about 10\.\d GiB of memory and 8\.0 are free: .*--model pocket"):
        bench.need_memory(6, 4096)
    monkeypatch.setattr("benchmarks.bench.available_memory", lambda: None)
    bench.need_memory(6, 3000)  # where the system does not say, it is tried


def test_plans_ask_for_something_everywhere() -> None:
    for plan in (*FULL.values(), *QUICK.values()):
        assert all(value for value in vars(plan).values())
        assert plan.ticks >= 2
        assert list(plan.lengths) == sorted(plan.lengths)
    assert 340 in FULL["real"].lengths
    assert 2000 in FULL["real"].lengths
    assert set(FULL["real"].sessions) == {1, 2, 4, 8}
