"""What a conversation has taken, from the events of the server."""

from __future__ import annotations

from typing import Any

import pytest

from clients.stats import Stats


def slice_event(
    number: int = 1, kind: str = "speech", *, first: float | None = 9.26, total: float = 1234.5, **tokens: int
) -> dict[str, Any]:
    counts = {"reused": 22, "prefilled": 8, "sampled": 11, "guessed": 0, "dropped": 0} | tokens
    return {
        "type": "duplex.slice",
        "number": number,
        "kind": kind,
        "tokens": counts,
        "ms": {"first_token": first, "total": total},
    }


def done(status: str, reason: str | None = None) -> dict[str, Any]:
    usage = {"input_tokens": 21, "output_tokens": 8, "input_token_details": {"cached_tokens": 5}}
    return {
        "type": "response.done",
        "response": {"status": status, "status_details": {"reason": reason}, "usage": usage},
    }


def after(*events: dict[str, Any]) -> Stats:
    stats = Stats()
    for event in events:
        stats.take(event)
    return stats


def test_the_last_slice_is_told_of() -> None:
    assert after().last == ()
    stats = after(slice_event(), slice_event(2, guessed=11, first=0.25, reused=40))
    assert stats.last == ("slice 2", "first token 0.2 ms", "40 reused", "1/2 guessed")
    assert after(slice_event(first=None)).last == ("slice 1", "22 reused", "0/1 guessed")


def test_the_report_adds_up() -> None:
    created = {"type": "response.created", "response": {}}
    resumed = [{"type": "duplex.resumed"}, {"type": "session.resumed"}]
    slices = [
        slice_event(),
        slice_event(2, "silence", guessed=11, first=20.0, total=30.0),
        slice_event(3, first=None, dropped=5),
    ]
    stats = after(created, *slices, done("cancelled", "turn_detected"), created, done("completed"), *resumed)
    assert stats.report == [
        "slices        3: 2 speech, 1 silence",
        "first token   median 9.3 ms, 95 % 20 ms, most 20 ms",
        "whole slice   median 1.2 s, 95 % 1.2 s, most 1.2 s",
        "tokens        66 reused, 24 prefilled, 33 sampled",
        "guessed       1 of 3 slices, 11 of the sampled tokens; 5 more were dropped",
        "replies       2, 1 interrupted",
        "false alarms  1",
        "came back     1",
    ]


def test_turn_by_turn_there_are_replies_and_no_slices() -> None:
    created = {"type": "response.created", "response": {}}
    stats = after(created, done("completed"), created, done("cancelled", "client_cancelled"))
    assert stats.report == ["tokens        10 reused, 32 prefilled, 16 sampled", "replies       2, 1 stopped"]


def test_where_nothing_was_said_there_is_nothing_to_report() -> None:
    assert after({"type": "session.created"}).report == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "duplex.slice"},
        {**slice_event(), "tokens": {"reused": 1}},
        {**slice_event(), "ms": {"first_token": "soon", "total": 1}},
        {**slice_event(), "ms": {"first_token": 1, "total": None}},
        {**slice_event(), "number": "7"},
        {**slice_event(), "number": 10**5000},
        {**slice_event(), "ms": {"first_token": None, "total": 10**400}},
        {**slice_event(), "ms": {"first_token": float("inf"), "total": 1}},
        {**slice_event(), "tokens": {**slice_event()["tokens"], "reused": -1}},
        {"type": "response.done", "response": []},
        {"type": "response.done", "response": {"status_details": 1, "usage": {"input_token_details": 3}}},
    ],
)
def test_events_that_are_not_what_they_should_be_count_for_nothing(event: dict[str, Any]) -> None:
    assert after(event).last == ()
    assert after(event).report == []
