"""A picture of a ladder, the same for the same ladder, and a clear word where none can be drawn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from convert.errors import InputError
from convert.ladder_plot import check_plot, plot
from tests.convert.ladders import ladder, row

LADDER = ladder(
    row("bf16", 16, kl=0), row("q8_0", 8.5, kl=1e-5), row("q4_0", 4.6), row("q4_0+imatrix", 4.6, kl=0.02, idle=900)
)


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs the extra plot")
def test_both_formats_are_drawn(tmp_path: Path) -> None:
    for name in ("l.png", "l.svg", "again.svg"):
        check_plot(tmp_path / name)
        plot(LADDER, tmp_path / name)
    assert (tmp_path / "l.png").read_bytes().startswith(b"\x89PNG")
    picture = (tmp_path / "l.svg").read_text()
    assert "<svg" in picture
    assert picture.count("<!-- q4_0  4.60 -->") == 2  # once in each panel, though measured twice
    assert "<!-- bf16 -->" not in picture
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "l.svg").read_bytes()


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs the extra plot")
def test_a_ladder_of_the_source_alone_is_drawn_too(tmp_path: Path) -> None:
    plot(ladder(row("bf16", 16, kl=0)), tmp_path / "l.svg")
    assert (tmp_path / "l.svg").stat().st_size > 1000


def test_what_cannot_be_drawn_is_refused_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"l\.gif: give a name that ends in \.png or \.svg"):
        check_plot(tmp_path / "l.gif")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"needs matplotlib; install it with: pip install 'edge-duplex\[plot\]'"):
        check_plot(tmp_path / "l.png")
