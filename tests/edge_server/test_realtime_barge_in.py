"""Barge-in in the JSON protocol: what words and drafts do to speech, false alarms, what was heard."""

from __future__ import annotations

import pytest

from edge_server.driver import Failure
from tests.edge_server.realtime_peers import Client
from tests.edge_server.test_realtime_duplex import TEN, of, talking

# --- barge-in


def test_words_interrupt_and_what_was_sent_counts_as_heard() -> None:
    client = talking(barge_in="commit")
    client.wait(2)
    client.engine.stream(" two three")
    client.read()
    client.say("stop")
    kinds = client.kinds()
    assert kinds[-4:] == [
        "response.done",
        "input_text_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    done = of(client, "response.done")["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")  # type: ignore[index]
    client.engine.answer(" one")  # was on its way
    assert client.heard() == TEN + " two three"
    client.engine.answer("</s>")
    assert client.pairs == [("hello", TEN), ("<idle>", " two three"), ("stop", "")]


def test_what_was_not_heard_leaves_and_the_client_is_told_what_is_left() -> None:
    client = talking(heard="reported", barge_in="commit")
    client.send("conversation.item.heard", item_id="item_000002", characters=9)
    client.say("stop")
    event = of(client, "conversation.item.truncated")
    assert (event["item_id"], event["text"], event["characters"]) == ("item_000002", " one two", 8)
    client.engine.answer(" two</s>")
    assert client.pairs == [("hello", " one two"), ("stop", " two")]


def test_reports_that_are_late_repeated_or_too_far_do_no_harm() -> None:
    client = talking(heard="reported", barge_in="commit")
    for characters in (8, 4, 8, 0):
        client.send("conversation.item.heard", item_id="item_000002", characters=characters)
    client.say("stop")
    client.send("conversation.item.heard", item_id="item_000002", characters=9999)
    client.engine.answer(" two</s>")
    assert client.pairs == [("hello", " one two"), ("stop", " two")]
    client.send("conversation.item.heard", item_id="item_000002", characters=9999)
    client.say("so")
    client.engine.answer("</s>")
    assert client.pairs[0] == ("hello", " one two")


def test_a_reply_that_is_complete_but_not_heard_to_its_end_can_be_interrupted() -> None:
    client = Client(duplex={"heard": "reported"})
    client.say("hello")
    client.engine.answer(" one two three</s>")
    client.send("conversation.item.heard", item_id="item_000002", characters=4)
    client.say("stop")
    assert of(client, "conversation.item.truncated")["text"] == " one"
    client.engine.answer("</s>")
    assert client.pairs == [("hello", " one"), ("stop", "")]


def test_a_truncation_in_the_middle_of_speech_stops_it() -> None:
    client = talking()
    client.wait(2)
    client.engine.stream(" two")
    client.send("conversation.item.truncate", item_id="item_000002", content_index=0, audio_end_ms=0, characters=8)
    client.engine.answer()
    assert of(client, "conversation.item.truncated")["text"] == " one two"
    assert of(client, "response.done")["response"]["status"] == "cancelled"  # type: ignore[index]
    client.wait(30)
    assert client.engine.asked is None
    assert client.pairs == [("hello", " one two")]


# --- false alarms


def test_a_draft_holds_the_assistant_back_and_words_made_meanwhile_wait() -> None:
    client = talking()
    client.wait(2)
    client.engine.stream(" two")
    client.read()
    client.send("input_text_buffer.append", text="u")
    (event,) = client.read()
    assert (event["type"], event["characters"]) == ("duplex.barge_in", len(TEN + " two"))
    client.engine.answer(" three one two three one two three one two")
    assert client.kinds() == ["duplex.slice"]
    client.wait(1)
    assert client.engine.asked is None, "no slice ends while it is held back"


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda client: client.send("input_text_buffer.clear"), "withdrawn"),
        (lambda client: client.send("input_text_buffer.append", text="", replace=True), "withdrawn"),
        (lambda client: client.say("h-huh, OK!"), "back_channel"),
        (
            lambda client: [
                client.send("input_text_buffer.append", text="...", replace=True),
                client.send("input_text_buffer.commit"),
            ],
            "empty",
        ),
    ],
)
def test_after_a_false_alarm_speech_goes_on_and_nothing_is_made_again(end: object, reason: str) -> None:
    client = talking()
    client.wait(2)
    client.engine.stream(" two")
    client.send("input_text_buffer.append", text="u")
    client.engine.answer(" three</s>")
    before = client.engine.session.transcript
    client.read()
    end(client)  # type: ignore[operator]
    kinds = client.kinds()
    resumed = of(client, "duplex.resumed")
    assert (resumed["reason"], resumed["characters"]) == (reason, len(TEN + " two"))
    assert resumed["text"] == {"withdrawn": "u", "back_channel": "uh-huh, OK!", "empty": "..."}[reason]
    assert kinds[-2:] == ["response.output_item.done", "response.done"]
    assert client.heard() == TEN + " two three"
    assert client.engine.session.transcript == before
    assert client.engine.asked is None


def test_speech_goes_on_from_where_it_was_heard() -> None:
    client = talking(heard="reported")
    client.send("conversation.item.heard", item_id="item_000002", characters=8)
    client.send("input_text_buffer.append", text="u")
    assert of(client, "duplex.barge_in")["characters"] == 8
    client.send("input_text_buffer.clear")
    assert of(client, "duplex.resumed")["characters"] == 8
    client.wait(2)
    client.engine.answer(" two</s>")
    assert client.pairs == [("hello", TEN), ("<idle>", " two")]


def test_a_draft_that_stays_is_no_false_alarm() -> None:
    client = talking(false_alarm_ms=1000)
    client.send("input_text_buffer.append", text="b")
    client.wait(1.1)
    assert client.kinds() == [
        "duplex.barge_in",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    client.send("input_text_buffer.clear")
    assert client.kinds() == ["input_text_buffer.cleared"]
    client.wait(30)
    assert client.engine.asked is None
    assert client.pairs == [("hello", TEN)]


def test_words_are_no_false_alarm_and_what_waited_is_not_heard() -> None:
    client = talking()
    client.wait(2)
    client.engine.stream(" two")
    client.send("input_text_buffer.append", text="stop")
    client.engine.answer(" three</s>")
    client.send("input_text_buffer.commit")
    client.engine.answer("</s>")
    assert client.heard() == TEN + " two"
    assert client.pairs == [("hello", TEN), ("<idle>", " two"), ("stop", "")]


def test_a_back_channel_interrupts_nothing_and_is_no_item() -> None:
    client = talking(barge_in="commit")
    client.wait(2)
    client.say("Yeah, yeah.")
    assert client.kinds() == ["input_text_buffer.cleared", "duplex.resumed"]
    client.engine.answer(" two</s>")
    assert client.heard() == TEN + " two"


def test_the_same_words_are_an_answer_when_nobody_speaks() -> None:
    client = Client(duplex={})
    client.say("yeah")
    client.engine.answer(" one</s>")
    assert client.pairs == [("yeah", " one")]


def test_without_back_channels_every_word_interrupts() -> None:
    client = talking(back_channels=[])
    client.say("yeah")
    client.engine.answer("</s>")
    assert client.pairs[-1] == ("yeah", "")


def test_a_response_is_not_asked_for_while_a_draft_holds_the_assistant_back() -> None:
    client = Client(duplex={"heard": "reported"})
    client.say("hello")
    client.engine.answer(" one two</s>")
    client.send("input_text_buffer.append", text="u")
    client.read()
    client.send("response.create")
    assert client.kinds() == ["assistant_held_back"]


def test_other_rules_end_a_barge_in_under_the_old_ones() -> None:
    client = talking()
    client.send("input_text_buffer.append", text="u")
    client.send("session.update", session={"type": "realtime", "duplex": {"barge_in": "commit"}})
    assert client.kinds() == ["duplex.barge_in", "duplex.resumed", "session.updated"]
    client.wait(2)
    client.engine.answer(" two</s>")
    assert client.heard() == TEN + " two"


def cuts(client: Client) -> list[str]:
    """What `conversation.item.truncated` has said so far."""
    return [event["text"] for event in client.read() if event["type"] == "conversation.item.truncated"]


@pytest.mark.parametrize("kept", [13, 4, 0])
@pytest.mark.parametrize("first", ["truncate", "cancel"])
def test_a_reply_that_is_cut_again_before_its_slice_is_over_is_cut_once_to_the_shorter(first: str, kept: int) -> None:
    client = talking(heard="reported")
    client.wait(2)
    client.engine.stream(" two")
    client.send("conversation.item.heard", item_id="item_000002", characters=8)
    if first == "cancel":
        client.send("response.cancel")
    else:
        client.send("conversation.item.truncate", item_id="item_000002", characters=8)
    client.send("conversation.item.truncate", item_id="item_000002", characters=kept)
    client.engine.answer("")
    left = " one two"[:kept]
    assert cuts(client) == [left]
    assert client.pairs == [("hello", left or "<idle>")]


def test_a_second_cut_counts_from_where_the_first_was_at_a_token() -> None:
    client = Client(slice_tokens=10)
    client.ask("hello")
    client.engine.stream(" one one one")
    client.send("conversation.item.truncate", item_id="item_000002", characters=9)
    client.engine.answer("")
    client.send("conversation.item.truncate", item_id="item_000002", characters=8)
    assert cuts(client) == [" one one", " one one"]
    assert client.pairs == [("hello", " one one")]


def test_words_cut_nothing_that_was_put_behind_the_reply() -> None:
    client = Client(duplex={"heard": "reported"})
    client.say("hello")
    client.engine.answer(" one</s>")
    content = [{"type": "output_text", "text": "the dog"}]
    client.send("conversation.item.create", item={"type": "message", "role": "assistant", "content": content})
    client.send("conversation.item.truncate", item_id="item_000003", characters=5)
    assert cuts(client) == ["the d"]
    client.say("and")
    client.engine.answer(" two</s>")
    assert client.pairs == [("hello", " one"), ("<idle>", "the d"), ("and", " two")]
    assert cuts(client) == []


@pytest.mark.parametrize("report", [8, 1000])
def test_a_report_that_crosses_the_words_that_cut_a_reply_does_no_harm(report: int) -> None:
    client = Client(duplex={"heard": "reported", "barge_in": "commit"}, slice_tokens=10)
    client.say("hello")
    client.engine.stream(" one one")
    client.send("conversation.item.heard", item_id="item_000002", characters=4)
    client.say("no")
    client.send("conversation.item.heard", item_id="item_000002", characters=report)
    client.engine.answer("")
    assert cuts(client) == [" one"]
    client.engine.answer(" two</s>")
    assert client.pairs == [("hello", " one"), ("no", " two")]


def test_a_report_that_crosses_the_truncation_of_a_reply_further_back_does_no_harm() -> None:
    client = Client(duplex={"heard": "reported", "barge_in": "commit"}, slice_tokens=10)
    client.say("hello")
    client.engine.answer(" one one two</s>")
    client.send("conversation.item.heard", item_id="item_000002", characters=12)
    client.say("and")
    client.engine.stream(" three")
    client.send("conversation.item.truncate", item_id="item_000002", characters=4)
    client.send("conversation.item.heard", item_id="item_000002", characters=8)
    client.engine.answer("</s>")
    assert cuts(client) == [" one"]
    assert client.pairs == [("hello", " one"), ("and", " three")]


@pytest.mark.parametrize("heard", ["assumed", "reported"])
def test_a_cut_is_not_forgotten_where_a_response_is_asked_for_and_cancelled_meanwhile(heard: str) -> None:
    client = talking(heard=heard)
    client.wait(2)
    client.engine.stream(" two")
    client.send("conversation.item.heard", item_id="item_000002", characters=8)
    client.send("conversation.item.truncate", item_id="item_000002", characters=4)
    client.send("response.create")
    client.send("response.cancel")
    client.engine.answer("")
    assert cuts(client) == [" one"]
    assert client.pairs == [("hello", " one")]


@pytest.mark.parametrize(
    "change",
    [{"clock": "client"}, {"idle_bias": 1}, {"slice_ms": 500}, {"back_channels": []}, {"barge_in": "draft"}, {}],
)
def test_an_update_of_something_else_leaves_a_barge_in_open(change: dict[str, object]) -> None:
    """Or whoever pauses, or moves the dial, in the middle of typing would be talked over."""
    client = talking()
    client.send("input_text_buffer.append", text="u")
    client.send("session.update", session={"type": "realtime", "duplex": change})
    assert client.kinds() == ["duplex.barge_in", "session.updated"]
    client.wait(1)
    assert client.engine.asked is None
    client.send("input_text_buffer.clear")
    assert client.kinds() == ["input_text_buffer.cleared", "duplex.resumed"]


def test_duplex_is_switched_off_in_the_middle_of_a_barge_in() -> None:
    client = Client(duplex={"heard": "reported"})
    client.say("hello")
    client.engine.answer(" one two</s>")
    client.send("input_text_buffer.append", text="u")
    for item in list(client.realtime.items):
        client.send("conversation.item.delete", item_id=item.id)
    client.send("session.update", session={"type": "realtime", "duplex": None})
    assert client.realtime.deadline is None
    client.ask("so")
    client.engine.answer(" one</s>")
    assert client.pairs == [("so", " one")]


def test_what_is_held_back_is_not_lost_where_the_slice_before_it_fails() -> None:
    client = Client(duplex={})
    client.say("hello")
    client.send("response.create")
    client.send("response.cancel")
    client.send("response.create")  # it waits for the slice that is being stopped
    client.send("input_text_buffer.append", text="u")
    client.engine.fail(Failure.BUSY)
    client.engine.answer(" one</s>")
    assert client.heard() == ""
    client.send("input_text_buffer.clear")
    assert client.heard() == " one"
    assert client.events[-1]["type"] == "response.done"


def test_what_was_held_back_and_is_gone_is_not_taken_from_the_reply_before() -> None:
    client = Client(duplex={})
    client.say("hello")
    client.engine.answer(" one</s>")
    client.send("response.create")
    client.send("input_text_buffer.append", text="u")
    client.engine.answer(" two</s>")
    client.send("conversation.item.truncate", item_id="item_000002", characters=4)
    client.wait(5)  # the draft has interrupted
    assert client.pairs == [("hello", " one")]


@pytest.mark.parametrize("alarm", ["false", "true"])
def test_a_cut_further_back_waits_for_what_is_held_back(alarm: str) -> None:
    client = Client(duplex={}, slice_tokens=10)
    client.say("hello")
    client.engine.answer(" one two</s>")
    client.say("and")
    client.engine.stream(" three")
    client.send("input_text_buffer.append", text="u")
    client.engine.answer(" one</s>")
    client.send("conversation.item.truncate", item_id="item_000002", characters=4)
    assert cuts(client) == []
    if alarm == "false":
        client.send("input_text_buffer.clear")
        assert client.heard() == " one two three one"
    else:
        client.wait(5)
    assert cuts(client)[-1] == " one"
    assert client.pairs == [("hello", " one"), ("and", " three one" if alarm == "false" else " three")]
