"""A conversation as its clients see it, and what of it the session is told: turns kept, told, shortened, taken out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server import realtime_items
from edge_server.events import Kept, Told
from edge_server.realtime_items import Items, Message
from edge_server.realtime_wire import WireError


def conversation(*halves: tuple[str, str, int | None]) -> Items:
    """Of (id, text, turn); the id's first letter says whose words they are."""
    items = Items()
    for item_id, text, turn in halves:
        items.add(Message(item_id, "user" if item_id.startswith("u") else "assistant", text, turn=turn))
    return items


def numbers() -> Callable[[], int]:
    numbers = count(100)
    return lambda: next(numbers)


def turns(items: Items, *, but_last: bool = False) -> list[Kept | Told]:
    return list(items.turns(numbers(), but_last=but_last))


def refused(items: Items, item: Message, after: str | None = None) -> tuple[str, str | None]:
    before = list(items)
    with pytest.raises(WireError) as error:
        items.add(item, after=after)
    assert list(items) == before
    return error.value.code, error.value.param


# --- places and ids


def test_items_stand_at_the_end_first_or_behind_another() -> None:
    items = conversation(("u1", "a", None), ("a1", "b", None))
    assert items.add(Message("u2", "user", "c")) == "a1"
    assert items.add(Message("u0", "user", "d"), after="root") is None
    assert items.add(Message("u3", "user", "e"), after="u1") == "u1"
    assert [item.id for item in items] == ["u0", "u1", "u3", "a1", "u2"]
    assert items.last is items.find("u2")
    assert items.before(items.find("a1")) == "u3"


def test_an_id_is_given_once_and_a_place_must_be_there() -> None:
    items = conversation(("u1", "a", None))
    assert refused(items, Message("u1", "user", "again")) == ("item_exists", "item.id")
    assert refused(items, Message("u2", "user", "b"), after="nobody") == ("item_not_found", "previous_item_id")
    with pytest.raises(WireError, match="nobody") as error:
        items.find("nobody")
    assert error.value.param == "item_id"


def test_new_ids_keep_clear_of_those_that_clients_gave() -> None:
    items = Items()
    items.add(Message("item_000002", "user", "mine"))
    assert [items.new_id() for _ in range(3)] == ["item_000001", "item_000003", "item_000004"]


def test_the_oldest_go_where_there_are_too_many_or_they_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime_items, "MAX_ITEMS", 3)
    items = conversation(*((f"u{number}", "x", None) for number in range(5)))
    assert [item.id for item in items] == ["u2", "u3", "u4"]
    monkeypatch.setattr(realtime_items, "MAX_CHARACTERS", 10)
    items.add(Message("u5", "user", "y" * 9))
    assert [item.id for item in items] == ["u4", "u5"]
    items.add(Message("u6", "user", "z" * 99))
    assert [item.id for item in items] == ["u6"], "the newest is always there"


def test_an_item_on_the_wire() -> None:
    reply = Message("a1", "assistant", "so", "in_progress")
    assert reply.wire(empty=True)["content"] == []
    assert reply.wire() == {
        "id": "a1",
        "object": "realtime.item",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "so"}],
    }
    assert Message("u1", "user", "hi").wire()["content"] == [{"type": "input_text", "text": "hi"}]


# --- what the session is told


def test_what_the_session_has_is_kept() -> None:
    items = conversation(("u1", "a", 1), ("a1", "b", 1), ("u2", "c", 2), ("a2", "d", 2))
    assert turns(items) == [Kept(1), Kept(2)]
    assert not items.untold(but_last=False)


def test_what_it_has_not_is_told_once_and_kept_from_then_on() -> None:
    items = conversation(("u1", "a", None), ("a1", "b", None), ("a2", "c", None), ("u2", "d", None), ("u3", "e", None))
    assert items.untold(but_last=False)
    told = turns(items)
    assert told == [Told(100, "a", "b"), Told(101, "", "c"), Told(102, "d", ""), Told(103, "e", "")]
    assert turns(items) == [Kept(100), Kept(101), Kept(102), Kept(103)]


def test_the_newest_can_be_left_to_be_said() -> None:
    items = conversation(("u1", "a", 1), ("a1", "b", 1), ("u2", "c", None))
    assert not items.untold(but_last=True)
    assert turns(items, but_last=True) == [Kept(1)]
    assert items.find("u2").turn is None


def test_a_half_of_one_turn_beside_that_of_another_is_told() -> None:
    items = conversation(("u1", "a", 1), ("a1", "b", 1), ("u2", "c", 2), ("a2", "d", 2))
    items.remove(items.find("a1"))
    items.remove(items.find("u2"))
    assert turns(items) == [Told(100, "a", "d")]


def test_an_item_between_the_halves_of_a_turn_parts_them() -> None:
    items = conversation(("u1", "a", 1), ("a1", "b", 1))
    items.add(Message("u2", "user", "c"), after="u1")
    assert turns(items) == [Told(100, "a", ""), Told(101, "c", "b")]


def test_deleted_halves_are_silence() -> None:
    items = conversation(("u1", "a", 1), ("a1", "b", 1), ("u2", "c", 2), ("a2", "d", 2))
    items.remove(items.find("a1"))
    items.remove(items.find("u2"))
    items.add(Message("u3", "user", "between"), after="u1")
    assert turns(items)[0] == Kept(1, user=True, characters=0)
    other = conversation(("u1", "a", 1), ("a1", "b", 1))
    other.remove(other.find("u1"))
    assert turns(other) == [Kept(1, user=False)]


def test_a_turn_of_which_nothing_is_left_is_not_named() -> None:
    items = conversation(("u1", "a", 1), ("a1", "b", 1), ("u2", "c", 2))
    items.remove(items.find("u1"))
    items.remove(items.find("a1"))
    assert turns(items) == [Kept(2)]
    assert turns(conversation()) == []


def test_a_shortened_reply_is_kept_as_far_as_it_is_to_stay() -> None:
    items = conversation(("u1", "a", 1), ("a1", "one two", 1), ("a2", "three four", None))
    items.find("a1").keep = 3
    items.find("a2").keep = 5
    assert turns(items) == [Kept(1, True, 3), Told(100, "", "three")]


_STEP = st.tuples(st.sampled_from(["add", "reply", "remove", "tell"]), st.integers(0, 5))


@given(st.lists(_STEP, max_size=25))
def test_whatever_is_done_the_session_is_told_what_the_client_sees(steps: list[tuple[str, int]]) -> None:
    """The turns that are named, read as texts, are the items' texts, in order; and telling twice changes nothing."""
    items, new_turn, made = Items(), numbers(), count()
    texts: dict[int, tuple[str, str]] = {}

    def told() -> list[tuple[str, str]]:
        named = []
        for turn in items.turns(new_turn, but_last=False):
            if isinstance(turn, Told):
                texts[turn.turn] = (turn.user, turn.reply)
            user, reply = texts[turn.turn]
            if isinstance(turn, Kept):
                user = user if turn.user else ""
                reply = reply if turn.characters is None else reply[: turn.characters]
                texts[turn.turn] = (user, reply)
            named.append((user, reply))
        return named

    for step, at in steps:
        ids = [item.id for item in items]
        if step in ("add", "reply"):
            number = next(made)
            place = ids[at % len(ids)] if ids and at < 4 else None
            items.add(Message(f"i{number}", "user" if step == "add" else "assistant", f"<{number}>"), after=place)
        elif step == "remove" and ids:
            items.remove(items.find(ids[at % len(ids)]))
        else:
            first, second = told(), told()
            assert [text for pair in first for text in pair if text] == [item.text for item in items]
            assert first == second
            assert not items.untold(but_last=False)
