"""The command that measures the pocket model: its options, its table, what it says of bad input."""

from __future__ import annotations

import sys
from pathlib import Path

import evaluate
import pytest
from measure import Tally

pytestmark = pytest.mark.real  # the measurement imports llama.cpp


def test_slides_are_measured_at_the_default_quantisation_with_fewer_cases() -> None:
    plain, slides = evaluate.parse([]), evaluate.parse(["--slides"])
    assert (tuple(plain.quants), plain.cases) == (("f16", "q8_0", "q4_k_m"), 200)
    assert (tuple(slides.quants), slides.cases) == (("q4_k_m",), 50)
    asked = evaluate.parse(["--slides", "--quants", "f16", "--cases", "7"])
    assert (asked.quants, asked.cases) == (["f16"], 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cases", "0"), "--cases 0 cannot be used: give 2 or more"),
        (("--cases", "1"), "--cases 1 cannot be used: give 2 or more"),  # half of it would be none
        (("--slides", "--temperature", "0.8"), "--slides is measured greedily: leave --temperature out"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        evaluate.parse([*options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {message}\n")


def test_the_table_has_a_column_for_each_type_and_shows_goals_as_shares() -> None:
    def rows(right: int) -> list[evaluate.Row]:
        return [("silent", 0.995, Tally(right, 200)), ("goes on", None, Tally(200, 200))]

    assert evaluate.table({"f16": rows(200), "q4_k_m": rows(187)}).splitlines() == [
        "| behaviour | goal | n | f16 | q4_k_m |",
        "|---|---|---|---|---|",
        "| silent | >= 99.5 % | 200 | 100.0 % | 93.5 % |",
        "| goes on |  | 200 | 100.0 % | 100.0 % |",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--temperature", "-1"), "evaluate: "),
        (("--checkpoint", "nowhere", "--quants", "f16"), "edge-convert: "),
        (("--quants", "q9_9"), "edge-convert: "),
    ],
)
def test_bad_input_is_told_in_one_line(
    options: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *options])
    monkeypatch.chdir(tmp_path)
    assert evaluate.main() == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.startswith(message)
    assert told.err.count("\n") == 1
