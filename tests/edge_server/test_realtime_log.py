"""The numbered events of a session: in order, bounded, and gone where they are gone."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server.realtime_log import EventLog, Lost, event_number


def rest(log: EventLog, after: int) -> list[int]:
    """What a reader gets that has seen everything up to a number: the events' own numbers."""
    return [json.loads(log.after(number))["n"] for number in range(after, log.last)]


def test_events_are_numbered_from_one_and_keep_what_they_say() -> None:
    log = EventLog()
    assert log.last == 0
    log.append({"type": "first", "text": "你好"})
    log.append({"type": "second"})
    assert json.loads(log.after(0)) == {"event_id": "event_00000001", "type": "first", "text": "你好"}
    assert json.loads(log.after(1))["event_id"] == "event_00000002"
    assert "你好" in log.after(0), "as characters, not as escapes"
    assert log.last == 2


def test_what_is_not_there_yet_is_lost_to_nobody() -> None:
    log = EventLog()
    assert log.holds(0)
    assert not log.holds(1)
    with pytest.raises(Lost):
        log.after(0)
    log.append({"n": 1})
    assert log.holds(1)
    with pytest.raises(Lost):
        log.after(1)
    with pytest.raises(Lost):
        log.after(-1)


def test_the_oldest_go_where_there_are_too_many() -> None:
    log = EventLog(events=3)
    for number in range(1, 6):
        log.append({"n": number})
    assert rest(log, 2) == [3, 4, 5]
    assert not log.holds(1)
    with pytest.raises(Lost):
        log.after(1)


def test_the_oldest_go_where_they_are_too_long_but_never_the_newest() -> None:
    log = EventLog(size=200)
    log.append({"n": 1, "text": "长" * 30})
    log.append({"n": 2, "text": "长" * 30})
    assert rest(log, 1) == [2], "bytes are counted, not characters"
    log.append({"n": 3, "text": "x" * 10_000})
    assert rest(log, 2) == [3]


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(1, 8), st.integers(100, 300))
def test_whatever_comes_what_is_held_is_the_newest_in_order(sizes: list[int], events: int, size: int) -> None:
    log = EventLog(events=events, size=size)
    for number, length in enumerate(sizes, 1):
        log.append({"n": number, "text": "x" * length})
    held = [number for number in range(-2, len(sizes) + 3) if log.holds(number)]
    assert held == list(range(held[0], len(sizes) + 1))
    assert rest(log, held[0]) == list(range(held[0] + 1, len(sizes) + 1))
    assert len(held) <= events + 1
    if sizes:
        assert len(held) >= 2, "the newest is always there"


async def test_a_reader_waits_for_the_next_event_and_only_for_that() -> None:
    log = EventLog()
    readers = [asyncio.ensure_future(log.wait(0)), asyncio.ensure_future(log.wait(1))]
    await asyncio.sleep(0)
    log.append({"n": 1})
    await asyncio.wait_for(readers[0], 5)
    assert not readers[1].done()
    log.append({"n": 2})
    await asyncio.wait_for(readers[1], 5)
    await asyncio.wait_for(log.wait(1), 5)


async def test_who_falls_behind_is_told_once_what_is_next_is_gone() -> None:
    log = EventLog(events=2)
    position = [0]
    slow = asyncio.ensure_future(log.outrun(lambda: position[0]))
    for number in range(1, 9):
        log.append({"n": number})
        position[0] = number
        await asyncio.sleep(0)
        assert not slow.done()
    position[0] = 5
    log.append({"n": 9})
    await asyncio.wait_for(slow, 5)


@pytest.mark.parametrize(
    ("event_id", "number"),
    [
        ("event_00000001", 1),
        ("event_00012345", 12345),
        ("event_123456789", 123456789),
        ("event_1", None),
        ("event_-0000001", None),
        ("event_" + "9" * 40, None),
        ("event_0000001x", None),
        ("event_00000001\n", None),
        ("event_\N{ARABIC-INDIC DIGIT ONE}0000001", None),
        ("1", None),
        ("", None),
    ],
)
def test_only_ids_that_are_given_have_a_number(event_id: str, number: int | None) -> None:
    assert event_number(event_id) == number
