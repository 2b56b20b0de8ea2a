"""The plot: a picture of the report, the same for the same report, and a clear word where it cannot be drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clients.eval_plot import MISSING, PlotError, check_plot, draw
from clients.eval_report import report
from clients.eval_scenarios import ScenarioSet
from tests.clients.test_eval_report import SETTINGS, made

pytestmark = pytest.mark.real


def test_a_picture_is_drawn_and_does_not_change_from_run_to_run(tmp_path: Path) -> None:
    svg, png = tmp_path / "one.svg", tmp_path / "one.PNG"
    draw(made(), svg)
    draw(made(), png)
    first = svg.read_bytes()
    assert png.read_bytes().startswith(b"\x89PNG")
    for label in (b"right answers", b"reset", b"cities: 3 scenarios"):
        assert label in first.replace(b"<!-- ", b"").replace(b" -->", b"")
    draw(made(), svg)
    assert svg.read_bytes() == first


def test_a_report_without_scenarios_can_be_drawn_too(tmp_path: Path) -> None:
    draw(report(ScenarioSet("cities", "none", ()), {}, SETTINGS), tmp_path / "none.svg")
    assert (tmp_path / "none.svg").stat().st_size > 1000


def test_where_nothing_can_be_drawn_it_says_so_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_plot(tmp_path / "plot.svg")
    with pytest.raises(PlotError, match=r"end its name in \.png or \.svg"):
        check_plot(tmp_path / "plot.pdf")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlotError) as missing:
        check_plot(tmp_path / "plot.png")
    assert str(missing.value) == MISSING
