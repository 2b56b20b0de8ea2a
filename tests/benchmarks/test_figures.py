"""Statistics, goals, the table."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Goal, Row, json_line, median, percentile, show, table

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@given(VALUES, st.floats(0, 1))
def test_a_percentile_is_that_of_numpy(values: list[float], share: float) -> None:
    assert percentile(values, share) == pytest.approx(float(np.percentile(values, 100 * share)), abs=1e-6)


@given(VALUES)
def test_the_median_does_not_depend_on_the_order(values: list[float]) -> None:
    assert median(values) == median(reversed(values)) == percentile(values, 0.5)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("time", 1.0, "s", 2.0, goal=Goal(0.5)), True),
        (Row("time", 1.1, "s", 2.0, goal=Goal(0.5)), False),
        (Row("rate", 1.9, "tokens/s", 2.0, goal=Goal(0.95, at_least=True)), True),
        (Row("rate", 1.8, "tokens/s", 2.0, goal=Goal(0.95, at_least=True)), False),
        (Row("latency", 0.004, "s", goal=Goal(0.005, "value")), True),
        (Row("count", 0, "count", goal=Goal(0, "value")), True),
        (Row("count", 1, "count", goal=Goal(0, "value")), False),
        (Row("given", 1.0, "s", 2.0, ratio_is=3.0, goal=Goal(2)), False),
        (Row("not measured", goal=Goal(2)), None),
        (Row("no best", 1.0, goal=Goal(2)), None),
        (Row("broken", math.nan, goal=Goal(2, "value")), None),
        (Row("no goal", 1.0, "s", 2.0), None),
    ],
)
def test_a_goal_is_met_missed_or_open(row: Row, met: bool | None) -> None:
    assert row.met is met


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234, "s", "1.23 s"),
        (0.0123, "s", "12.3 ms"),
        (45e-6, "s", "45.0 µs"),
        (-0.02, "s", "-20.0 ms"),
        (1.8e9, "B", "1.80 GB"),
        (3e8, "B", "300 MB"),
        (0.975, "share", "98 %"),
        (1234, "count", "1,234"),
        (18.5, "tokens/s", "18.5 tokens/s"),
        (0.95, "ratio", "0.95"),
        (None, "s", "–"),
    ],
)
def test_figures_read_well(value: float | None, unit: str, text: str) -> None:
    assert show(value, unit) == text  # type: ignore[arg-type]


def test_the_table_is_square_and_says_everything() -> None:
    rows = [
        Row("slice", 1.2, "s", 1.0, "raw loop", goal=Goal(1.05), note="n = 3"),
        Row("llama-server", note="not built"),
        Row("memory", 2e8, "B", goal=Goal(3e8, "value")),
    ]
    lines = table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert all(line.count("|") == 7 for line in lines)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert cells[2] == ["slice", "1.20 s (n = 3)", "1.00 s (raw loop)", "1.20", "ratio ≤ 1.05", "**no**"]
    assert cells[3] == ["llama-server", "not built", "", "", "", ""]
    assert cells[4] == ["memory", "200 MB", "", "", "≤ 300 MB", "yes"]


def test_json_is_one_line_with_every_figure() -> None:
    rows = [Row("a", 0.5, "s", 0.25, "raw loop", goal=Goal(3)), Row("b", math.nan, note="–")]
    line = json_line({"machine": "here"}, rows)
    assert "\n" not in line
    read = json.loads(line)
    assert read["machine"] == "here"
    assert read["rows"][0] == {
        "model": "", "what": "a", "value": 0.5, "unit": "s", "best": 0.25, "best_is": "raw loop", "ratio": 2.0,
        "goal": "ratio ≤ 3", "met": True, "note": "",
    }  # fmt: skip
    assert read["rows"][1]["value"] is None
