"""Scoring interruptions where it is not plain what was stopped, and where words belong to one message or the other."""

from __future__ import annotations

from tests.clients.scenes import FOX, PARIS, Silent, judged, latency, rates, say, scene

HALF, REST = FOX[:40], FOX[40:]
ASK = say("tell me about the fox", "question", text=FOX, slices=1)


def test_who_says_the_old_message_to_its_last_word_has_not_stopped() -> None:
    new = say("the capital of france", "interruption", text=PARIS)
    for replies in ([REST, "", "", ""], [REST[:30], REST[30:], "", ""], [REST, PARIS, "", "", ""], [REST + PARIS, ""]):
        one = judged(scene(ASK, new), [HALF], replies)
        assert rates(one)["success_interrupt"] == (0, 1), replies
        assert latency("stop_latency_slices", one) is None
    stop = say("stop", "stop", slices=2)
    assert rates(judged(scene(ASK, stop), [HALF], [REST, ""]))["success_interrupt"] == (0, 1)
    # Nothing is left to go back to.
    aside = say("the capital of france", "aside", text=PARIS)
    found = rates(judged(scene(ASK, aside), [HALF], [REST, PARIS, "", "", ""]))
    assert "back_on_topic" not in found
    assert (found["success_interrupt"], found["interruption_reply"]) == ((0, 1), (1, 1))


def test_what_is_said_before_an_aside_is_answered_need_not_be_said_again_after_it() -> None:
    aside = say("the capital of france", "aside", text=PARIS)
    found = rates(judged(scene(ASK, aside), [HALF], [REST[:20], PARIS, REST[20:], "", "", ""]))
    assert found["back_on_topic"] == (1, 1)
    assert found["repetition"] == (0, 1)
    two = scene(ASK, say("the capital", "unfinished"), aside)
    assert rates(judged(two, [HALF], [REST[:20]], [PARIS, REST[20:], "", "", ""]))["back_on_topic"] == (1, 1)


def test_other_words_to_a_stop_do_not_keep_the_message_from_going_on() -> None:
    steps = (ASK, say("stop", "stop", slices=2), say("go on", "resume", slices=2))
    found = rates(judged(scene(*steps), [HALF], ["Okay.", ""], [REST[:20], REST[20:]]))
    assert found["resumption"] == (1, 1)
    assert found["termination"] == (0, 1)
    found = rates(judged(scene(*steps), [HALF], [REST[:20], "Okay."], [REST[20:], ""]))
    assert found["resumption"] == (1, 1)


def test_a_longer_number_or_word_is_not_the_answer_to_an_aside() -> None:
    aside = say("two plus three", "aside", text="It is 5.")
    for replies, right in (
        (["It is 5.", REST, "", "", ""], 1),
        (["It is 50.", REST, "", "", ""], 0),
        (["It is 5.5.", REST, "", "", ""], 0),
    ):
        assert rates(judged(scene(ASK, aside), [HALF], replies))["interruption_reply"] == (right, 1), replies


def test_words_that_may_be_the_old_messages_are_no_reply_in_time() -> None:
    ask = say("tell me about foxes", "question", has=["fox"], slices=1)
    new = say("the capital of france", "interruption", has=["paris"])
    for replies, slices in (
        ([" of the woods", "", "", ""], 0),
        (["Paris.", "", "", ""], 0),
        (["", "Lyon.", "", ""], 0.5),
    ):
        one = judged(scene(ask, new), ["The fox is an animal"], replies)
        assert latency("response_latency_slices", one) == slices, replies
        samples = [got for got in one.outcomes if got.metric == "response_latency_slices"]
        assert len(samples) == (1 if "woods" in replies[0] else 2), replies


def test_a_chinese_full_stop_alone_says_nothing_either() -> None:
    ask = say("法国的首都", "question", text="法国的首都是巴黎。")
    one = judged(scene(ask, Silent(1)), ["法国的首都", "是巴黎", "。", "", ""], ["。"])
    assert rates(one)["right_answers"] == (1, 1)
    assert rates(one)["silence_after_end"] == (4, 4)
