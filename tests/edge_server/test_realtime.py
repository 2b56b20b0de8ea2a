"""The JSON protocol turn by turn: what is sent in answer to each event, in order, and what the session then has."""

from __future__ import annotations

from typing import Any

import pytest

from edge_server.driver import Failure
from tests.edge_server.peers import VOCABULARY
from tests.edge_server.realtime_peers import Client

RESPONSE = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]


def message(text: str, role: str = "user", **fields: Any) -> dict[str, Any]:
    kind = "input_text" if role == "user" else "output_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


def test_the_session_is_said_first() -> None:
    client = Client()
    (created,) = client.events
    assert created["type"] == "session.created"
    assert created["session"]["duplex"] is None
    assert created["session"]["temperature"] == 0.8


def test_a_turn_and_its_events_in_order() -> None:
    client = Client()
    client.ask("hello")
    assert client.kinds() == ["conversation.item.added", "conversation.item.done", "response.created"]
    client.engine.answer(" one</s>")
    assert client.kinds() == RESPONSE[1:]
    done = client.events[-1]["response"]
    assert (done["status"], done["output"][0]["content"]) == ("completed", [{"type": "output_text", "text": " one"}])
    assert client.pairs == [("hello", " one")]


def test_words_come_as_they_are_sampled() -> None:
    client = Client()
    client.ask("hello")
    client.engine.stream(" one two")
    assert client.heard() == " one two"
    client.engine.answer(" three</s>")
    assert client.heard() == " one two three"


def test_a_reply_of_several_slices_is_one_response() -> None:
    client = Client(slice_tokens=3)
    client.ask("hello")
    client.read()
    client.engine.answer(" one two three")
    client.engine.answer(" one</s>")
    assert client.kinds() == [*RESPONSE[1:4], *[RESPONSE[4]] * 4, *RESPONSE[5:]]
    usage = client.events[-1]["response"]["usage"]
    assert usage["output_tokens"] == 5
    assert usage["input_token_details"]["cached_tokens"] == 3


def test_the_second_turn_goes_on_with_the_first() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one</s>")
    client.ask("and")
    assert VOCABULARY.text(client.engine.asked.tokens) == "<s><用户>hello<AI> one</s><用户>and<AI>"  # type: ignore[union-attr]
    client.engine.answer(" two</s>")
    assert [item.id for item in client.realtime.items] == ["item_000001", "item_000002", "item_000003", "item_000004"]


def test_a_second_response_while_one_is_made_is_refused_and_the_first_goes_on() -> None:
    client = Client()
    client.ask("hello")
    client.read()
    client.send("response.create", event_id="e7")
    (error,) = client.read()
    assert error["error"]["code"] == "conversation_already_has_active_response"
    client.engine.answer(" one</s>")
    assert client.kinds() == RESPONSE[1:]


def test_a_cancel_stops_and_nothing_follows_it() -> None:
    client = Client()
    client.ask("hello")
    client.engine.stream(" one two")
    client.send("response.cancel")
    done = client.events[-1]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    client.read()
    client.engine.answer(" three")  # was on its way
    assert client.kinds() == []
    assert client.pairs == [("hello", " one two")]
    client.ask("and")
    client.engine.answer(" one</s>")
    assert client.pairs == [("hello", " one two"), ("and", " one")]


def test_a_cancel_of_nothing_is_an_error() -> None:
    client = Client()
    client.send("response.cancel")
    assert client.kinds() == ["response_cancel_not_active"]


def test_a_limit_ends_a_response_incomplete() -> None:
    client = Client()
    client.send("session.update", session={"type": "realtime", "max_output_tokens": 2})
    client.ask("hello")
    client.engine.answer(" one two")
    done = client.events[-1]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")


def test_the_limit_of_one_response_is_not_the_next_ones() -> None:
    client = Client()
    client.send("conversation.item.create", item=message("hello"))
    client.send("response.create", response={"max_output_tokens": 2})
    client.engine.answer(" one two")
    client.ask("and")
    client.engine.answer(" one two three</s>")
    assert client.events[-1]["response"]["status"] == "completed"


def test_instructions_stand_in_front() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one</s>")
    client.send("session.update", session={"type": "realtime", "instructions": "Be brief"})
    client.ask("and")
    asked = client.engine.asked
    assert asked is not None
    assert VOCABULARY.text(asked.tokens) == "<s>Be brief<用户>hello<AI> one</s><用户>and<AI>"


def test_instructions_that_do_not_fit_are_an_error_and_the_connection_lives() -> None:
    client = Client(ctx=64, slice_tokens=6)
    client.send("session.update", session={"type": "realtime", "instructions": "x" * 100})
    client.ask("hello")
    assert "context_length_exceeded" in client.kinds()
    assert client.events[-1]["response"]["status"] == "failed"
    client.send("session.update", session={"type": "realtime", "instructions": ""})
    client.send("response.create")
    client.engine.answer(" one</s>")
    assert client.pairs == [("hello", " one")]


def test_a_conversation_that_the_client_brings() -> None:
    client = Client()
    client.send("conversation.item.create", item=message("hello"))
    client.send("conversation.item.create", item=message(" one", "assistant"))
    client.ask("and")
    client.engine.answer(" two</s>")
    assert client.pairs == [("hello", " one"), ("and", " two")]


def test_items_can_be_put_first_and_in_between() -> None:
    client = Client()
    client.send("conversation.item.create", item=message("two", id="b"))
    client.send("conversation.item.create", previous_item_id="root", item=message("one", id="a"))
    client.send("conversation.item.create", previous_item_id="a", item=message(" reply", "assistant"))
    assert [event.get("previous_item_id") for event in client.read() if event["type"] == "conversation.item.added"] == [
        None,
        None,
        "a",
    ]
    client.send("response.create")
    client.engine.answer(" one</s>")
    assert client.pairs == [("one", " reply"), ("two", " one")]


def test_a_deleted_item_is_in_no_later_prompt() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one</s>")
    client.send("conversation.item.delete", item_id="item_000001")
    assert client.kinds()[-1] == "conversation.item.deleted"
    client.ask("and")
    client.engine.answer(" two</s>")
    assert client.pairs == [("<idle>", " one"), ("and", " two")]
    client.send("conversation.item.delete", item_id="item_000002")
    client.ask("so")
    client.engine.answer(" one</s>")
    assert client.pairs == [("and", " two"), ("so", " one")]


def test_an_item_is_retrieved_as_it_is() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one</s>")
    client.send("conversation.item.retrieve", item_id="item_000002")
    item = client.events[-1]["item"]
    assert (item["role"], item["status"], item["content"][0]["text"]) == ("assistant", "completed", " one")


@pytest.mark.parametrize("kind", ["retrieve", "delete", "truncate", "heard"])
def test_an_item_that_is_not_there_is_an_error(kind: str) -> None:
    client = Client()
    more = {"characters": 1} if kind in ("truncate", "heard") else {}
    client.send(f"conversation.item.{kind}", item_id="nobody", **more)
    assert client.kinds() == ["item_not_found"]


def test_a_truncated_reply_is_cut_at_a_token() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one two three</s>")
    client.read()
    client.send("conversation.item.truncate", item_id="item_000002", content_index=0, audio_end_ms=0, characters=6)
    (event,) = client.read()
    assert (event["type"], event["text"], event["characters"]) == ("conversation.item.truncated", " one", 4)
    assert client.pairs == [("hello", " one")]


def test_a_reply_further_back_is_truncated_too() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one two three</s>")
    client.ask("and")
    client.engine.answer(" two</s>")
    client.read()
    client.send("conversation.item.truncate", item_id="item_000002", content_index=0, audio_end_ms=0, characters=8)
    (event,) = client.read()
    assert (event["text"], event["item_id"]) == (" one two", "item_000002")
    assert client.pairs == [("hello", " one two"), ("and", " two")]


def test_a_truncation_while_another_reply_is_made_waits_for_its_end() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one two three</s>")
    client.ask("and")
    client.read()
    client.send("conversation.item.truncate", item_id="item_000002", content_index=0, audio_end_ms=0, characters=8)
    assert client.kinds() == []
    client.engine.answer(" two</s>")
    assert client.kinds()[-1] == "conversation.item.truncated"
    assert client.pairs == [("hello", " one two"), ("and", " two")]


def test_a_response_without_words_of_the_user() -> None:
    client = Client()
    client.send("response.create")
    client.engine.answer(" hello</s>")
    assert client.pairs == [("<idle>", " hello")]
    client.ask("and")
    client.engine.answer(" two</s>")
    assert client.pairs == [("<idle>", " hello"), ("and", " two")]


def test_a_response_in_which_nothing_is_said_is_complete_and_empty() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer("<idle>")
    client.engine.answer("<idle>")
    done = client.events[-1]["response"]
    assert (done["status"], done["output"]) == ("completed", [])


@pytest.mark.parametrize(("failure", "code"), [(Failure.BUSY, "server_busy"), (Failure.MODEL, "server_error")])
def test_a_slice_without_an_answer_fails_its_response_only(failure: Failure, code: str) -> None:
    client = Client()
    client.ask("hello")
    client.read()
    client.engine.fail(failure)
    assert client.kinds() == [code, "response.done"]
    assert client.events[-1]["response"]["status"] == "failed"
    client.ask("and")
    client.engine.answer(" one</s>")
    assert client.pairs == [("hello", "<idle>"), ("and", " one")]


def test_duplex_events_need_duplex() -> None:
    client = Client()
    client.say("hello")
    assert client.kinds() == ["duplex_off", "duplex_off"]


def test_duplex_is_switched_before_the_first_item() -> None:
    client = Client()
    client.ask("hello")
    client.engine.answer(" one</s>")
    client.read()
    client.send("session.update", session={"type": "realtime", "duplex": {}})
    assert client.kinds() == ["duplex_too_late"]


def test_the_model_of_a_session_does_not_change() -> None:
    client = Client()
    client.send("session.update", session={"type": "realtime", "model": "another"})
    assert client.kinds() == ["invalid_value"]


def test_an_id_that_the_client_gave_is_not_given_again() -> None:
    client = Client()
    client.send("conversation.item.create", item=message("hello", id="item_000002"))
    client.ask("and")
    client.engine.answer(" one</s>")
    assert [item.id for item in client.realtime.items] == ["item_000002", "item_000001", "item_000003"]


def test_what_is_not_given_in_an_update_stays() -> None:
    client = Client(duplex={"slice_ms": 500})
    client.send("session.update", session={"type": "realtime", "duplex": {"heard": "reported"}})
    duplex = client.events[-1]["session"]["duplex"]
    assert (duplex["slice_ms"], duplex["heard"]) == (500, "reported")


def test_a_reply_that_the_client_brought_is_cut_by_characters() -> None:
    client = Client()
    client.send("conversation.item.create", item=message(" one two", "assistant", id="a"))
    client.send("conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=0, characters=4)
    assert client.events[-1]["text"] == " one"
    client.ask("and")
    client.engine.answer("</s>")
    assert client.pairs == [("<idle>", " one"), ("and", "")]


def test_a_reply_comes_though_what_it_answers_was_pushed_out() -> None:
    client = Client()
    client.ask("hello")
    for _ in range(33):
        client.send("conversation.item.create", item=message("x" * 32_768))
    client.send("conversation.item.retrieve", item_id="item_000001")
    assert client.kinds()[-1] == "item_not_found"
    client.engine.answer(" one</s>")
    assert client.events[-1]["response"]["status"] == "completed"
    assert client.heard() == " one"
