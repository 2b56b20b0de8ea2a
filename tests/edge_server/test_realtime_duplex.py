"""The duplex extension of the JSON protocol: slices by the clock, drafts, items, and when nobody listens."""

from __future__ import annotations

from dataclasses import replace

from edge_server.realtime_wire import Duplex, SessionParams
from tests.edge_server.peers import IDLE, VOCABULARY
from tests.edge_server.realtime_peers import ABOUT, Client

TEN = " one two three one two three one two three one"


def talking(**duplex: object) -> Client:
    """The assistant is in the middle of a message, ten words of which are said."""
    client = Client(duplex=duplex, slice_tokens=10)
    client.say("hello")
    client.engine.answer(TEN)
    client.read()
    return client


def of(client: Client, kind: str) -> dict[str, object]:
    """The newest event of a type."""
    return next(event for event in reversed(client.events) if event["type"] == kind)


# --- slices


def test_committed_words_are_answered_at_once() -> None:
    client = Client(duplex={})
    client.say(" hello ")
    assert client.kinds() == ["input_text_buffer.committed", "conversation.item.added", "conversation.item.done"]
    assert client.events[-1]["item"]["content"] == [{"type": "input_text", "text": "hello"}]
    client.engine.answer(" one</s>")
    assert client.kinds()[-2:] == ["response.output_item.done", "response.done"]
    assert client.pairs == [("hello", " one")]


def test_silence_runs_the_model_while_it_has_more_to_say() -> None:
    client = talking()
    client.wait(1.9)
    assert client.engine.asked is None
    client.wait(0.2)
    client.engine.answer(" two</s>")
    assert client.events[-1]["type"] == "response.done"
    client.wait(60)
    assert client.engine.asked is None
    assert client.realtime.deadline is None, "nothing has to be woken for silence"
    assert client.pairs == [("hello", TEN), ("<idle>", " two")]


def test_the_length_of_a_slice_can_be_set() -> None:
    client = talking(slice_ms=500)
    client.wait(0.6)
    assert client.engine.asked is not None


def test_an_update_that_is_not_about_the_clock_does_not_wind_it_anew() -> None:
    client = talking()
    for bias in (1, 2, 3):  # a dial that is moved
        client.wait(0.6)
        client.send("session.update", session={"duplex": {"idle_bias": bias}, "temperature": 0.5})
    client.wait(0.3)
    assert client.engine.asked is not None
    client.engine.answer(TEN)
    client.wait(1)
    client.send("session.update", session={"duplex": {"slice_ms": 1500}})
    client.wait(1.4)
    assert client.engine.asked is None, "a slice of another length begins with it"
    client.wait(0.2)
    assert client.engine.asked is not None


def test_the_bias_of_silence_is_the_server_s_until_it_is_set_and_then_the_session_s() -> None:
    client = talking()
    assert client.engine.prepared is not None
    assert client.engine.prepared.first_bias is None
    client.send("session.update", session={"duplex": {"idle_bias": -2}})
    assert of(client, "session.updated")["session"]["duplex"]["idle_bias"] == -2.0  # type: ignore[index]
    assert client.engine.prepared.first_bias == (IDLE, -2.0)
    client.wait(2)
    assert client.engine.asked is not None
    assert client.engine.asked.first_bias == (IDLE, -2.0)
    client.send("session.update", session={"duplex": {"idle_bias": 20.5}})
    assert client.kinds()[-1] == "invalid_value"
    client.send("session.update", session={"duplex": {"idle_bias": 1, "slice_ms": 1}})
    client.engine.answer(TEN)
    assert client.engine.prepared.first_bias == (IDLE, -2.0), "an update that is refused changes nothing"


def test_a_server_with_a_bias_says_so() -> None:
    about = replace(ABOUT, idle_bias=1.5)
    params = about.updated(about.params, SessionParams(duplex=Duplex()), begun=False)
    assert about.describe(params)["duplex"]["idle_bias"] == 1.5
    params = about.updated(params, SessionParams(duplex=Duplex(idle_bias=0.0)), begun=True)
    assert about.describe(params)["duplex"]["idle_bias"] == 0.0


def test_each_slice_says_what_it_was_and_what_it_took() -> None:
    client = Client(duplex={}, slice_tokens=3)
    client.say("hello")
    client.engine.answer(" one two three")
    first = of(client, "duplex.slice")
    assert (first["number"], first["kind"], first["more"]) == (1, "speech", True)
    assert first["tokens"] == {"reused": 3, "prefilled": 5, "sampled": 3, "guessed": 0, "dropped": 0}
    assert first["ms"] == {"first_token": 10.0, "total": 20.0}
    client.engine.dropped = 2
    client.wait(2)
    client.engine.answer(" one</s>")
    assert of(client, "duplex.slice")["kind"] == "end"
    assert of(client, "duplex.slice")["tokens"]["dropped"] == 2  # type: ignore[index]
    client.say("wait")
    client.engine.answer("<idle>")
    last = of(client, "duplex.slice")
    assert (last["number"], last["kind"], last["item_id"], last["more"]) == (3, "silence", None, True)


def test_a_message_is_one_response_over_several_slices() -> None:
    client = talking()
    client.wait(2)
    client.engine.answer(" two</s>")
    assert [event["type"] for event in client.events].count("response.created") == 1
    assert of(client, "response.done")["response"]["output"][0]["content"][0]["text"] == TEN + " two"  # type: ignore[index]


def test_nothing_is_made_of_silence_in_answer_to_words() -> None:
    client = Client(duplex={})
    client.say("hello")
    client.engine.answer("<idle>")
    client.wait(2)
    client.engine.answer("<idle>")
    client.wait(10)
    assert "response.created" not in [event["type"] for event in client.events]


def test_the_client_can_keep_the_clock() -> None:
    client = talking(clock="client")
    client.wait(60)
    assert client.engine.asked is None
    client.send("duplex.tick")
    client.engine.answer(" two</s>")
    assert client.heard() == TEN + " two"


def test_a_tick_is_an_error_where_the_server_keeps_the_clock() -> None:
    client = talking()
    client.send("duplex.tick")
    assert client.kinds() == ["invalid_value"]


def test_whole_words_are_cut_by_the_clock_where_that_is_wanted() -> None:
    client = Client(duplex={"commit": "slices"})
    client.send("input_text_buffer.append", text="hello the")
    client.wait(2)
    assert of(client, "input_text_buffer.committed")["text"] == "hello"
    client.engine.answer("<idle>")
    client.send("input_text_buffer.append", text=" dog? ")
    client.wait(2)
    assert of(client, "input_text_buffer.committed")["text"] == "the dog?"
    client.engine.answer(" one</s>")
    assert client.pairs == [("hello", "<idle>"), ("the dog?", " one")]


def test_a_draft_is_prepared_and_not_answered() -> None:
    client = Client(duplex={})
    client.send("input_text_buffer.append", text="hel")
    client.send("input_text_buffer.append", text="lo")
    assert client.engine.asked is None
    assert VOCABULARY.text(client.engine.prepared.tokens) == "<s><用户>hello"  # type: ignore[union-attr]
    client.send("input_text_buffer.append", text="good", replace=True)
    client.send("input_text_buffer.commit")
    client.engine.answer(" one</s>")
    assert client.pairs == [("good", " one")]


def test_an_empty_commit_is_an_error() -> None:
    client = Client(duplex={})
    client.send("input_text_buffer.append", text="  ")
    client.send("input_text_buffer.commit")
    assert client.kinds() == ["input_text_buffer_commit_empty"]


# --- items in a duplex conversation


def test_an_item_that_is_made_stands_in_the_next_prompt_and_is_not_answered() -> None:
    client = talking()
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "the dog"}]}
    client.send("conversation.item.create", item=item)
    assert client.engine.asked is None
    client.say("stop")
    client.engine.answer("</s>")
    assert client.pairs == [("hello", TEN), ("the dog", "<idle>"), ("stop", "")]


def test_an_item_made_in_the_middle_of_a_slice_is_there_for_the_words_that_interrupt_it() -> None:
    client = talking(barge_in="commit")
    client.wait(2)
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "the dog"}]}
    client.send("conversation.item.create", item=item)
    client.say("stop")
    client.engine.answer()  # cancelled
    client.engine.answer(" one</s>")
    assert client.pairs == [("hello", TEN), ("the dog", "<idle>"), ("stop", " one")]


def test_a_response_can_be_asked_for_without_words() -> None:
    client = Client(duplex={})
    client.send("response.create")
    client.engine.answer(" hello</s>")
    assert client.kinds()[-1] == "response.done"
    assert client.pairs == [("<idle>", " hello")]


def test_a_response_that_is_deleted_while_it_is_made_is_gone() -> None:
    client = talking()
    client.wait(2)
    client.engine.stream(" two")
    client.send("conversation.item.delete", item_id="item_000002")
    client.engine.answer()
    client.say("so")
    client.engine.answer(" one</s>")
    assert client.pairs == [("hello", "<idle>"), ("so", " one")]


# --- nobody listens


def test_no_slice_ends_while_nobody_listens() -> None:
    client = talking()
    client.realtime.pause()
    client.wait(60)
    assert client.engine.asked is None
    client.realtime.go_on()
    client.wait(2)
    assert client.engine.asked is not None


def test_a_false_alarm_begins_anew_when_somebody_listens_again() -> None:
    client = talking(false_alarm_ms=1000)
    client.send("input_text_buffer.append", text="b")
    client.realtime.pause()
    client.wait(60)
    client.realtime.go_on()
    client.send("input_text_buffer.clear")
    assert of(client, "duplex.resumed")["reason"] == "withdrawn"
