"""Responses of the JSON protocol: what belongs to which, and what each of them took."""

from __future__ import annotations

from edge_server.driver import Failure
from tests.edge_server.realtime_peers import Client
from tests.edge_server.test_realtime import RESPONSE


def test_what_a_cancelled_slice_ends_with_is_none_of_the_next_response() -> None:
    client = Client()
    client.ask("hello")
    client.engine.stream(" one two")
    client.send("response.cancel")
    client.ask("and")
    client.read()
    client.engine.answer()
    assert client.kinds() == []
    client.engine.answer(" one</s>")
    assert client.kinds() == RESPONSE[1:]
    usage = client.events[-1]["response"]["usage"]
    assert usage["output_tokens"] == 2, "of its own slice only"
    assert client.pairs == [("hello", " one two"), ("and", " one")]


def test_a_cancelled_slice_that_fails_does_not_fail_the_next_response() -> None:
    client = Client()
    client.ask("hello")
    client.engine.stream(" one two")
    client.send("response.cancel")
    client.ask("and")
    client.read()
    client.engine.fail(Failure.BUSY)
    assert client.kinds() == ["server_busy"]
    client.engine.answer(" one</s>")
    assert client.kinds() == RESPONSE[1:]


def test_a_response_asked_for_twice_and_cancelled_twice_while_a_slice_runs() -> None:
    client = Client()
    client.ask("hello")
    client.engine.stream(" one")
    client.send("response.cancel")
    client.ask("and")
    client.send("response.cancel")
    client.ask("so")
    client.read()
    client.engine.answer()
    client.engine.answer(" two</s>")
    assert client.kinds() == RESPONSE[1:]
    assert client.events[-1]["response"]["id"] == "resp_000003"
    assert [user for user, _ in client.pairs] == ["hello", "and", "so"]


def test_usage_is_that_of_all_slices_and_the_prompt_counts_once() -> None:
    client = Client(slice_tokens=3)
    client.ask("hello")
    client.engine.answer(" one two three")
    first = client.engine.cost
    client.engine.answer(" one</s>")
    second = client.engine.cost
    assert first is not None
    assert second is not None
    usage = client.events[-1]["response"]["usage"]
    assert usage["output_tokens"] == 3 + 2
    assert usage["input_tokens"] == first.reused + first.prefilled + second.prefilled
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_token_details"]["cached_tokens"] == first.reused


def test_metadata_comes_back_with_a_response_and_not_with_the_next_one() -> None:
    client = Client()
    client.send("response.create", response={"metadata": {"topic": "none"}})
    client.engine.answer(" one</s>")
    assert client.events[-1]["response"]["metadata"] == {"topic": "none"}
    client.ask("and")
    client.engine.answer(" one</s>")
    assert client.events[-1]["response"]["metadata"] is None
