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


def test_an_unknown_message_has_stopped_when_it_fell_silent_or_when_the_answer_came() -> None:
    ask = say("tell me about foxes", "question", has=["fox"], slices=1)
    wait = say("no wait", "unfinished", slices=2)
    new = say("the capital of france", "interruption", has=["paris"])
    for before, replies, stops in (
        ([" of the woods", " and fields"], ["Paris.", "", "", ""], 2),
        ([" of the woods", ""], ["Paris.", "", "", ""], 1),
        ([" of the woods", ""], ["Lyon.", "", "", ""], 1),
        ([" of the woods", " and fields"], ["", "Lyon.", "", ""], 2),
        ([" of the woods", " and fields"], [" of Asia.", "", "", ""], None),
    ):
        one = judged(scene(ask, wait, new), ["The fox is an animal"], before, replies)
        assert rates(one)["success_interrupt"] == (int(stops is not None), 1), replies
        assert latency("stop_latency_slices", one) == stops, replies


def test_a_pause_before_an_unknown_message_goes_on_is_not_its_end() -> None:
    ask = say("tell me about foxes", "question", has=["fox"], slices=1)
    aside = say("the capital of france", "aside", has=["paris"], back_any=["den"])
    old = ["The fox is an animal"]
    found = rates(judged(scene(ask, aside), old, ["Paris.", "", "The fox sleeps in a den.", "", ""]))
    assert (found["back_on_topic"], found["silence_after_end"]) == ((1, 1), (1, 1))
    # What does not go on is another matter.
    found = rates(judged(scene(ask, aside), old, ["Paris.", "", "Anything else?", "", ""]))
    assert (found["back_on_topic"], found["silence_after_end"]) == ((0, 1), (2, 3))


def test_to_go_on_after_a_stop_that_interrupted_nothing_is_not_to_go_back_to_an_earlier_message() -> None:
    steps = (
        ASK, say("stop", "stop", slices=1), say("the capital of france", "question", text=PARIS),
        say("stop", "stop", slices=1), say("go on", "resume", slices=1),
    )  # fmt: skip
    end = [PARIS, "", "", ""]
    assert "resumption" not in rates(judged(scene(*steps), [HALF], [""], end, [""], [""]))
    # Where nothing came between them the first one's message is still to be gone on with.
    twice = (*steps[:2], *steps[3:])
    assert rates(judged(scene(*twice), [HALF], [""], [""], [REST[:20]]))["resumption"] == (1, 1)


def test_a_message_that_goes_on_into_an_unfinished_question_is_still_known() -> None:
    steps = (ASK, say("so what", "unfinished"), say("mm", "noise", slices=1))
    for replies, derailed in (([REST[20:40]], 0), (["Yes?"], 1), ([""], 1)):
        found = rates(judged(scene(*steps), [HALF], [REST[:20]], replies))
        assert (found["early_interruption"], found["noise_interruption"]) == ((1, 1), (derailed, 1)), replies
    # Its last word was said: it need not go on.
    assert rates(judged(scene(*steps), [HALF], [REST], [""]))["noise_interruption"] == (0, 1)


def test_what_is_said_behind_the_end_of_a_message_can_be_interrupted_too() -> None:
    ask = say("the capital of france", "question", text=PARIS, slices=3)
    stop = say("stop", "stop", slices=1)
    found = rates(judged(scene(ask, stop), [PARIS, "", "And so"], [""]))
    assert (found["silence_after_end"], found["success_interrupt"], found["termination"]) == ((1, 2), (1, 1), (1, 1))
    aside = say("the capital of france", "aside", text=PARIS, slices=3)
    found = rates(judged(scene(ASK, aside, stop), [HALF], [PARIS, REST, "And so"], [""]))
    assert (found["silence_after_end"], found["success_interrupt"], found["termination"]) == ((0, 1), (2, 2), (1, 1))
    assert "termination" not in rates(judged(scene(ask, stop), [PARIS, "And so", ""], [""]))
