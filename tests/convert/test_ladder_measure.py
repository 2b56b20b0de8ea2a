"""Speeds are medians, and ratios are those of rounds that were measured side by side."""

from __future__ import annotations

import pytest

from convert.ladder_measure import Rung, compare_speeds


def rounds(*speeds: float) -> list[dict[str, float]]:
    return [{"decode": speed, "prefill_32": 10 * speed} for speed in speeds]


def test_a_model_is_once_as_fast_as_itself() -> None:
    once = compare_speeds(rounds(3, 1, 2), rounds(3, 1, 2))
    assert once == {"decode": 2, "prefill_32": 20, "decode_ratio": 1, "prefill_32_ratio": 1}


def test_a_machine_that_drifts_does_not_change_the_ratio() -> None:
    drift = (1, 0.5, 0.1, 0.7, 0.2)
    found = compare_speeds(rounds(*(30 * each for each in drift)), rounds(*(20 * each for each in drift)))
    assert found["decode_ratio"] == pytest.approx(1.5)
    # One burst of other work, within a round, changes nothing either.
    found = compare_speeds(rounds(30, 30, 3, 30, 30), rounds(20, 20, 20, 2, 20))
    assert found["prefill_32_ratio"] == pytest.approx(1.5)


def test_a_rung_is_told_by_its_type_and_matrix() -> None:
    from pathlib import Path

    assert [Rung("q4_0").label, Rung("q4_0", Path("i")).label] == ["q4_0", "q4_0+imatrix"]
