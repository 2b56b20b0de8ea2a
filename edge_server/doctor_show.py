"""Findings as lines for people, in columns and on a terminal in colors, or as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from edge_server.doctor_judge import Finding, State

_STYLES = {State.fine: "green", State.note: "yellow", State.problem: "red"}
_MARK = max(len(state.value) for state in State)
_GAP = "  "
_LEAST_NAME = len("disk for converting")
_LEAST_WIDTH = 40  # columns of text: below, it is not broken into lines


def summary(findings: Sequence[Finding]) -> str:
    """The last line."""
    problems, notes = (sum(one.state is state for one in findings) for state in (State.problem, State.note))
    told = f"{notes or 'no'} note{'' if notes == 1 else 's'}"
    if problems:
        return f"{problems} problem{'' if problems == 1 else 's'}, {told}: what to do about each is above"
    if notes:
        return f"no problems, {told}: edge-server run will do"
    return "all is fine: edge-server run"


def lines(findings: Sequence[Finding], width: int | None = None) -> list[tuple[State | None, str]]:
    """Each line as the state that it begins with (None: it goes on with the one before) and the rest of it.

    width: columns, the state's among them, that no line exceeds if its words allow; None: nothing is broken.
    """
    names = max((len(one.what) for one in findings), default=0)
    if width is not None:
        names = min(names, max(_LEAST_NAME, width // 3))  # a long path must not push all else to the right
    room = None if width is None else width - _MARK - names - 2 * len(_GAP)
    out: list[tuple[State | None, str]] = []
    for one in findings:
        texts = [one.detail, *([f"-> {one.remedy}"] if one.remedy else [])]
        for number, part in enumerate(part for text in texts for part in _broken(text, room)):
            what = "" if number else one.what
            out.append((None if number else one.state, f"{_GAP}{what:<{names}}{_GAP}{part}"))
    return out


def _broken(text: str, room: int | None) -> list[str]:
    if room is None or room < _LEAST_WIDTH:
        return [text]
    indent = "   " if text.startswith("-> ") else ""
    return textwrap.wrap(text, room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def show(findings: Sequence[Finding], console: Console) -> None:
    """Prints the lines and the summary. What is no terminal gets every text in one line, and no colors."""
    for state, rest in lines(findings, console.width if console.is_terminal else None):
        mark = Text(" " * _MARK) if state is None else Text(f"{state.value:<{_MARK}}", style=_STYLES[state])
        console.print(Text.assemble(mark, rest), soft_wrap=True)
    console.print(Text(summary(findings)), soft_wrap=True)


def as_json(findings: Sequence[Finding]) -> str:
    """One object: the findings in order, and how many there are of each state."""
    counts = {state.value: sum(one.state is state for one in findings) for state in State}
    rows = [
        {"what": one.what, "state": one.state.value, "detail": one.detail, "remedy": one.remedy} for one in findings
    ]
    return json.dumps({"findings": rows, "counts": counts}, indent=2)
