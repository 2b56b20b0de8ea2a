"""Measures what forgetting costs: the pocket model's behaviours in conversations that have outgrown the context.

A full transcript forgets its oldest pairs and the rest is shifted in place, so what stays has attended to what left.
Each case is played with several shares of the context forgotten at a time, shifted as the server does it and, for
comparison, with what stays prefilled afresh. Cases and what was said before them are the same throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from driver import Talk
from measure import AFTER_ONE, ANSWERS, BEHAVIOURS, Case, answered_kinds, earlier, long_before, right_answer
from slices import DuplexTokenizer

from edge_server.backend import Backend
from edge_server.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_server.engine import Handle

SHARES: Final = (0.125, 0.25, 0.5, 0.75)
ROOM: Final = 330  # tokens: what the longest case may take, so that before the first slide there is none in it
STAGES: Final = {"the first slide": 1010, "many slides": 3072}
"""How many tokens were said before a case begins; a transcript has room for 1,008."""


@dataclass(frozen=True)
class Way:
    """How a full transcript forgets: a share of the context at a time; what stays is shifted or prefilled `afresh`."""

    share: float
    afresh: bool


@dataclass
class Outcome:
    """Every case of one way and stage, in the same order in all of them."""

    cases: list[tuple[str, bool, str]] = field(default_factory=list)
    """Behaviour, whether it was right, what was asked and said."""
    slides: list[int] = field(default_factory=list)
    """For each conversation before cases, how often it slid."""
    slid_within: int = 0
    """Cases that slid once more."""

    def share(self, name: str | None = None) -> float:
        """The share of right cases of a behaviour; None: of all."""
        right = [passed for behaviour, passed, _ in self.cases if name in (None, behaviour)]
        return sum(right) / len(right)

    def count(self, name: str | None = None) -> int:
        return sum(name in (None, behaviour) for behaviour, _, _ in self.cases)

    def differs(self, other: Outcome) -> float:
        """The share of cases in which something else was said."""
        pairs = zip(self.cases, other.cases, strict=True)
        return sum(one != two for one, two in pairs) / len(self.cases)


def checks(start: int) -> Iterator[tuple[str, Callable[[Case], tuple[bool, str]]]]:
    """The cases after one conversation; all kinds of questions have their turn."""
    kinds = answered_kinds()
    for index in range(AFTER_ONE):
        for behaviour in BEHAVIOURS:
            yield behaviour.name, behaviour.check
        for half in (0, 1):
            yield ANSWERS, right_answer(kinds[(2 * (start + index) + half) % len(kinds)])


def _play(
    talk: Callable[[], Talk], handle: Handle, tokenizer: DuplexTokenizer, length: int | None, cases: int
) -> Outcome:
    """`length`: tokens said before; None: as many as leave room for a case without a slide."""
    outcome = Outcome()
    for start in range(0, cases, AFTER_ONE):
        seed = f"before/{length}/{start}"
        handle.release()  # what has slid is no beginning for another conversation
        base = talk()
        before = earlier(seed, tokenizer, ROOM) if length is None else long_before(seed, tokenizer, length)
        for pair in before.pairs:
            base.play(pair.said, pair.heard)
        outcome.slides.append(base.slides)
        for index, (name, check) in enumerate(checks(start)):
            case = Case(f"slides/{start}/{index}", base.fork(), tokenizer, None)
            outcome.cases.append((name, *check(case)))
            outcome.slid_within += case.talk.slides > base.slides
    return outcome


def measure_way(path: Path, tokenizer: Path, way: Way | None, cases: int) -> list[Outcome]:
    """One `Outcome` a stage for one way, with `cases` of each behaviour; None: before the first slide, a single one.

    Raises ModelError, ConfigError or EngineError, each one line.
    """
    # On a CPU flash attention makes a decode call near the end of this context take four times as long.
    config = Config(path, sessions=1, threads=1, look_ahead=False, flash_attention="off")
    with Backend(path, config) as backend:
        handle, pieces = backend.engine.open(), DuplexTokenizer(tokenizer)
        settings = backend.settings if way is None else replace(backend.settings, forget=way.share)

        def talk() -> Talk:
            return Talk(backend, handle, settings=settings, afresh=way is not None and way.afresh)

        lengths = [None] if way is None else STAGES.values()
        return [_play(talk, handle, pieces, length, cases) for length in lengths]


def ways() -> list[Way | None]:
    """All that is compared, what takes longest first."""
    return [*(Way(share, afresh) for afresh in (False, True) for share in SHARES), None]


def differences(results: dict[Way | None, list[Outcome]], most: int) -> list[str]:
    """For each share and stage, some of the cases in which shifted and prefilled afresh were not the same."""
    found: list[str] = []
    for share in SHARES:
        for one, two in zip(results[Way(share, False)], results[Way(share, True)], strict=True):
            different = [(left, right) for left, right in zip(one.cases, two.cases, strict=True) if left != right]
            found += [f"{share:.1%}: {left[0]}: {left[2]}, afresh {right[2]}" for left, right in different[:most]]
    return found


def table(results: dict[Way | None, list[Outcome]]) -> str:
    """A markdown table for each stage: shifted / prefilled afresh, a column for each share."""
    (before,) = results[None]
    names = [ANSWERS, *(behaviour.name for behaviour in BEHAVIOURS)]
    lines: list[str] = []
    for stage, title in enumerate(STAGES):
        columns = [(results[Way(share, False)][stage], results[Way(share, True)][stage]) for share in SHARES]
        lines += [
            f"After {title}; shifted / prefilled afresh:",
            "",
            f"| forgotten at a time | n | before any | {' | '.join(f'{share:.1%}' for share in SHARES)} |",
            f"|---|---|---|{'---|' * len(SHARES)}",
        ]
        for name in (*names, None):
            cells = [f"{100 * one.share(name):.1f} / {100 * two.share(name):.1f} %" for one, two in columns]
            first = f"{before.count(name)} | {100 * before.share(name):.1f} %"
            lines.append(f"| {name or 'all'} | {first} | {' | '.join(cells)} |")
        for label, numbers in (
            ("said something else than afresh", [f"{100 * one.differs(two):.1f} %" for one, two in columns]),
            ("slides before a case", [f"{sum(one.slides) / len(one.slides):.1f}" for one, _ in columns]),
            ("slides within the case", [f"{100 * one.slid_within / one.count():.0f} %" for one, _ in columns]),
        ):
            lines.append(f"| {label} | {before.count()} | | {' | '.join(numbers)} |")
        lines.append("")
    return "\n".join(lines)
