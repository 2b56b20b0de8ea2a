"""A session of the JSON protocol, as its client keeps it: events are neither lost nor sent twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.chat import Action, Send
from clients.realtime_session import KEPT, EventError, Session, parse


def frames(actions: list[Action]) -> list[dict[str, Any]]:
    return [json.loads(action.frame) for action in actions if isinstance(action, Send)]


def opened(session: Session) -> Session:
    session.receive({"type": "session.created", "event_id": "event_00000001", "session": {"resume": {"token": "a&b"}}})
    return session


def resumed(last: str | None) -> dict[str, Any]:
    return {"type": "session.resumed", "event_id": "event_00000009", "session": {}, "last_client_event_id": last}


def test_events_have_ids_of_their_own() -> None:
    session = opened(Session())
    one, actions = session.send("duplex.tick")
    other, _ = session.send("duplex.tick")
    assert one != other
    assert frames(actions) == [{"type": "duplex.tick", "event_id": one}]


def test_the_next_connection_asks_for_the_session_and_what_came_last() -> None:
    session = Session()
    assert session.query() == ""
    opened(session)
    assert session.query() == "?resume=a%26b&after=event_00000001"
    session.receive({"type": "x", "event_id": "event_00000002"})
    session.receive({"type": "x"})
    assert session.query() == "?resume=a%26b&after=event_00000002"
    session.forget()
    assert session.query() == ""


def test_what_did_not_come_is_sent_again_and_only_that() -> None:
    session = opened(Session())
    first, second = (session.send("duplex.tick")[0] for _ in range(2))
    session.lost()
    third, actions = session.send("duplex.tick")
    assert actions == [], "there is no connection"
    assert [event["event_id"] for event in frames(session.receive(resumed(first)))] == [second, third]
    assert session.receive(resumed(first)) == [], "of an earlier connection: it is sent once a connection"
    session.lost()
    assert frames(session.receive(resumed(third))) == []
    session.lost()
    assert session.receive(resumed("another's")) == []


def test_if_nothing_came_all_is_sent_again() -> None:
    session = opened(Session())
    sent = [session.send("duplex.tick")[0] for _ in range(3)]
    session.lost()
    assert [event["event_id"] for event in frames(session.receive(resumed(None)))] == sent


def test_what_is_kept_is_bounded() -> None:
    session = opened(Session())
    for _ in range(KEPT + 5):
        session.send("duplex.tick")
    session.lost()
    assert len(frames(session.receive(resumed(None)))) == KEPT


def test_every_event_is_told_once() -> None:
    told: list[tuple[str, str]] = []
    session = opened(Session(lambda sender, event: told.append((sender, event["type"]))))
    session.send("duplex.tick")
    session.lost()
    session.receive(resumed(None))
    assert told == [("server", "session.created"), ("client", "duplex.tick"), ("server", "session.resumed")]


@pytest.mark.parametrize(
    "frame",
    ["", "x", "1", "null", "{}", '{"type": null}', "[" * 10_000,
     '{"type": "x", "a": NaN}', '{"type": "x", "a": -Infinity}', '{"type": "x", "a": 1e999}'],
)  # fmt: skip
def test_what_is_no_event_is_refused(frame: str) -> None:
    with pytest.raises(EventError):
        parse(frame)


def test_half_a_character_in_an_id_of_the_servers_can_be_sent() -> None:
    session = Session()
    session.receive({"type": "session.created", "event_id": "\ud800", "session": {"resume": {"token": "\ud800"}}})
    (frame,) = [action.frame for action in session.send("x", item_id="\ud800é")[1] if isinstance(action, Send)]
    assert json.loads(frame.encode())["item_id"] == "\ud800é"
    assert session.query().isascii()
