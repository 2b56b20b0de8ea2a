"""What is counted, and the table, of the measurement of slides."""

from __future__ import annotations

import pytest
from measure import AFTER_ONE, ANSWERS, BEHAVIOURS, long_before
from slices import DuplexTokenizer
from sliding import ROOM, SHARES, STAGES, Outcome, Way, checks, differences, table, ways

pytestmark = pytest.mark.real  # the measurement imports llama.cpp
NAMES = [ANSWERS, *(behaviour.name for behaviour in BEHAVIOURS)]


def outcome(wrong: int = 0, slid: int = 0) -> Outcome:
    """Ten cases of each behaviour, the first `wrong` of each not right."""
    cases = [(name, index >= wrong, f"{name} {index}: {index < wrong}") for name in NAMES for index in range(10)]
    return Outcome(cases, slides=[3, 4], slid_within=slid)


def test_shares_are_of_one_behaviour_or_of_all() -> None:
    one = outcome(wrong=2)
    one.cases += [(ANSWERS, True, "")] * 10
    assert (one.share(ANSWERS), one.count(ANSWERS)) == (0.9, 20)
    assert (one.share(BEHAVIOURS[0].name), one.count(BEHAVIOURS[0].name)) == (0.8, 10)
    assert one.count() == 10 * len(NAMES) + 10
    assert one.share() == pytest.approx(1 - 2 * len(NAMES) / one.count())


def test_outcomes_differ_in_cases_in_which_something_else_was_said() -> None:
    assert outcome().differs(outcome()) == 0
    assert outcome(wrong=1).differs(outcome(wrong=3)) == pytest.approx(0.2)


def test_every_conversation_before_is_followed_by_cases_of_every_behaviour() -> None:
    names = [name for name, _ in checks(0)]
    assert {name: names.count(name) for name in NAMES} == {
        name: AFTER_ONE * (2 if name == ANSWERS else 1) for name in NAMES
    }


def test_the_tables_have_a_column_for_each_share_and_a_row_for_each_behaviour() -> None:
    results = {way: [outcome(wrong=way.afresh, slid=11)] * len(STAGES) if way else [outcome()] for way in ways()}
    text = table(results)
    for name in NAMES:
        cells = " | ".join(["100.0 / 90.0 %"] * len(SHARES))
        assert text.count(f"| {name} | 10 | 100.0 % | {cells} |") == len(STAGES)
    cases = 10 * len(NAMES)
    within = f"{100 * 11 / cases:.0f} %"
    assert text.count(f"| said something else than afresh | {cases} | | " + " | ".join(["10.0 %"] * len(SHARES))) == 2
    assert text.count(f"| slides before a case | {cases} | | " + " | ".join(["3.5"] * len(SHARES))) == 2
    assert text.count(f"| slides within the case | {cases} | | " + " | ".join([within] * len(SHARES))) == 2
    shown = differences(results, 1)
    assert len(shown) == len(SHARES) * len(STAGES)
    assert shown[0] == f"12.5%: {ANSWERS}: {ANSWERS} 0: False, afresh {ANSWERS} 0: True"


def test_every_share_is_compared_shifted_and_afresh_and_with_what_was_before() -> None:
    assert set(ways()) == {None, *(Way(share, afresh) for share in SHARES for afresh in (False, True))}


def test_a_long_conversation_ends_with_something_said_and_outgrows_the_context() -> None:
    for length in STAGES.values():
        for seed in range(5):
            talk = long_before(str(seed), DuplexTokenizer(), length)
            assert length <= len(talk.tokens) < length + ROOM + 300
            assert talk.pairs[-1].heard is not None
