"""How `edge-server doctor` shows findings: columns, colors only on a terminal, JSON."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from edge_server.doctor_judge import Finding, State
from edge_server.doctor_show import as_json, lines, show, summary

FINE = Finding("Python", State.fine, "3.12.1")
NOTE = Finding("port 8765", State.note, "an edge-server [has] it", "give another --port")
PROBLEM = Finding("memory", State.problem, "too little " * 20 + "of it", "take a smaller model " * 8 + "instead")
ALL = [FINE, NOTE, PROBLEM]


def shown(findings: list[Finding], **options: object) -> str:
    out = io.StringIO()
    show(findings, Console(file=out, highlight=False, **options))  # type: ignore[arg-type]
    return out.getvalue()


def test_columns_are_aligned_and_nothing_is_broken_off_a_terminal() -> None:
    text = shown(ALL)
    assert "\x1b" not in text
    rows = text.splitlines()
    assert rows[0] == "fine     Python     3.12.1"
    assert rows[1] == "note     port 8765  an edge-server [has] it"
    assert rows[2] == "                    -> give another --port"
    assert rows[3] == f"problem  memory     {PROBLEM.detail}"
    assert rows[4] == f"                    -> {PROBLEM.remedy}"
    assert rows[5] == "1 problem, 1 note: what to do about each is above"
    assert len(rows) == 6


@pytest.mark.parametrize("width", [60, 80, 132])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width: int) -> None:
    found = lines(ALL, width)
    assert all(7 + len(rest) <= width for _, rest in found)
    assert [state for state, _ in found if state is not None] == [State.fine, State.note, State.problem]
    told = " ".join(rest for _, rest in found).split()
    assert told == [
        word for one in ALL for word in f"{one.what} {one.detail} {one.remedy and '->'} {one.remedy}".split()
    ]


def test_a_narrow_terminal_and_a_long_path_break_nothing() -> None:
    long = Finding(f"model /{'deep/' * 30}m.gguf", State.fine, "duplex, " * 10 + "fine")
    for width in (10, 40, 80):
        assert "".join(rest for _, rest in lines([long], width)).replace(" ", "").startswith("model/deep/")


def test_colors_are_for_terminals_and_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    colored = shown(ALL, force_terminal=True, width=100)
    assert all(f"\x1b[{code}m" in colored for code in (31, 32, 33))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(ALL, force_terminal=True, width=100)


def test_the_summary_counts() -> None:
    assert summary([FINE]) == "all is fine: edge-server run"
    assert summary([FINE, NOTE, NOTE]) == "no problems, 2 notes: edge-server run will do"
    assert summary([PROBLEM, PROBLEM]).startswith("2 problems, no notes: ")


def test_json_has_everything() -> None:
    told = json.loads(as_json(ALL))
    assert told["counts"] == {"fine": 1, "note": 1, "problem": 1}
    assert told["findings"][1] == {
        "what": "port 8765",
        "state": "note",
        "detail": "an edge-server [has] it",
        "remedy": "give another --port",
    }
