"""Scoring: each metric's cases, and that an assistant who does everything right gets everything right. Pure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.eval_scores import RATES
from tests.clients.scenes import FOX, PARIS, Silent, judged, latency, rates, say, scene

HALF, REST = FOX[:40], FOX[40:]  # "A young fox came to a wide river and did" - " not dare ..."
ASK = say("tell me about the fox", "question", text=FOX, slices=1)


def in_slices(text: str, cuts: list[int]) -> list[str]:
    """`text` cut there, also inside words, but into no piece that says nothing."""
    ends = sorted({cut for cut in cuts if cut < len(text) and text[cut - 1].isalpha()} | {len(text)})
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


CUTS = st.lists(st.integers(1, 99), max_size=6)
WORDING = st.sampled_from([str, lambda one: one.replace(".", "\n"), lambda one: one.replace(". ", ".\n")])


@given(CUTS, CUTS, WORDING, st.sampled_from(["", "Let me go on where I stopped. "]))
def test_an_assistant_that_does_everything_right_gets_every_rate_right(
    cuts: list[int], more: list[int], wording: Callable[[str], str], opening: str
) -> None:
    fox = [wording(one) for one in in_slices(FOX, cuts)]
    half = [wording(one) for one in in_slices(HALF, cuts)]
    rest = [wording(one) for one in in_slices(opening + REST, more)]
    after = [wording(one) for one in in_slices(REST, more)]
    paris = [wording(one) for one in in_slices(PARIS, more)]
    end = ["", "", ""]
    scenes = [
        judged(
            scene(
                say("tell me", "unfinished"),
                say("uh", "noise", slices=1),
                say("about the", "unfinished"),
                say("fox", "question", text=FOX),
                say("uh-huh", "noise", slices=2),
                Silent(2),
            ),
            [""], [""], [""], [*fox, *end], ["", ""], ["", ""],
        ),
        judged(
            scene(
                say("the fox", "question", text=FOX, slices=len(half)),
                say("no wait", "unfinished"),
                say("the capital of france", "interruption", text=PARIS),
            ),
            half, [""], [*paris, *end],
        ),
        judged(
            scene(
                say("the fox", "question", text=FOX, slices=len(half)),
                say("the capital of france", "aside", text=PARIS),
            ),
            half, [*paris, *rest, *end],
        ),
        judged(
            scene(
                say("the fox", "question", text=FOX, slices=len(half)),
                say("stop", "stop", slices=2),
                Silent(3),
                say("go on", "resume", slices=len(rest) + 1),
                Silent(2),
            ),
            half, ["", ""], ["", "", ""], [*rest, ""], ["", ""],
        ),
        judged(
            scene(
                say("the fox", "question", text=FOX, slices=len(half)),
                say("uh-huh", "noise", slices=len(after) + 1),
                Silent(4),
            ),
            half, [*after, ""], ["", "", "", ""],
        ),
    ]  # fmt: skip
    found = rates(*scenes)
    assert set(found) == set(RATES)
    assert {name: k / n for name, (k, n) in found.items()} == {name: float(wanted) for name, wanted in RATES.items()}


def test_one_case_of_early_interruption_is_one_question_however_many_slices_it_takes() -> None:
    steps = (say("what", "unfinished"), say("is the", "unfinished"), Silent(2), say("time", "question"))
    end = ["Noon.", "", "", ""]
    assert rates(judged(scene(*steps), [""], [""], ["", ""], end))["early_interruption"] == (0, 1)
    assert rates(judged(scene(*steps), ["What?"], ["Yes?"], ["", ""], end))["early_interruption"] == (1, 1)
    assert rates(judged(scene(*steps), [""], [""], ["", "Yes?"], end))["early_interruption"] == (1, 1)


def test_a_question_is_answered_if_anything_comes_and_right_if_it_is_what_is_expected() -> None:
    ask = say("the capital of france", "question", text=PARIS)
    some = say("the capital of france", "question", has=["paris"])
    free = say("how are you", "question")
    found = {
        reply: rates(judged(scene(ask), [*replies, "", "", ""]))
        for reply, replies in {
            "right": ["The capital of", " France is Paris.\n"],
            "wrong": ["The capital of France is Lyon."],
            "half": ["The capital of"],
            "more": ["The capital of France is Paris. And"],
            "none": [],
        }.items()
    }
    assert {reply: one["right_answers"][0] for reply, one in found.items()} == {
        "right": 1, "wrong": 0, "half": 0, "more": 0, "none": 0,
    }  # fmt: skip
    assert {reply: one["success_reply"][0] for reply, one in found.items()} == {
        "right": 1, "wrong": 1, "half": 1, "more": 1, "none": 0,
    }  # fmt: skip
    assert rates(judged(scene(some), ["It is Paris, of course.", "", "", ""]))["right_answers"] == (1, 1)
    assert rates(judged(scene(some), ["It is Lyon.", "", "", ""]))["right_answers"] == (0, 1)
    assert "right_answers" not in rates(judged(scene(free), ["Fine.", "", "", ""]))
    # What one of two texts says is right, and over where the longer one is over.
    either = scene(say("hello", "question", text="Hello."), say("hi", "question", text="Hello."))
    assert rates(judged(either, ["Hello.", "", "", ""], ["Hello.", "", "", ""]))["right_answers"] == (2, 2)


def test_of_a_message_that_is_cut_short_the_beginning_is_right_unless_it_fell_silent_itself() -> None:
    ask = say("the fox", "question", text=FOX, slices=3)
    stop = say("stop", "stop", slices=1)
    assert rates(judged(scene(ask, stop), ["A young", " fox", " came"], [""]))["right_answers"] == (1, 1)
    assert rates(judged(scene(ask, stop), ["A young", " fox", ""], [""]))["right_answers"] == (0, 1)
    assert rates(judged(scene(ask, stop), ["A young", " dog", " came"], [""]))["right_answers"] == (0, 1)


def test_latency_counts_slices_and_milliseconds_to_the_first_word_of_the_reply() -> None:
    ask = say("the capital of france", "question", text=PARIS)
    late = judged(scene(ask), ["", "", PARIS, "", "", ""])
    assert latency("response_latency_slices", late) == 2
    assert latency("response_latency_ms", late) == pytest.approx(2500)  # a slice a second, half of one to the reply
    assert latency("response_latency_slices", judged(scene(ask), [PARIS, "", "", ""])) == 0
    assert latency("response_latency_slices", judged(scene(ask), ["", "", ""])) is None


def test_an_interruption_succeeds_where_the_old_message_stops_and_later_counts_as_latency() -> None:
    new = say("the capital of france", "interruption", text=PARIS)
    both = scene(ASK, new)
    for replies, stops, right, slices in (
        ([PARIS, "", "", ""], 1, 1, 0),
        (["", PARIS, "", "", ""], 1, 1, 0),
        ([REST[:20], PARIS, "", "", ""], 1, 1, 1),
        ([REST[:20], REST[20:30], "", ""], 1, 0, 2),
        ([REST[:20], REST[20:30], REST[30:40]], 0, 0, None),
        (["Lyon.", "", "", ""], 1, 0, 0),
    ):
        one = judged(both, [HALF], replies)
        found = rates(one)
        assert found["success_interrupt"] == (stops, 1), replies
        assert found["interruption_reply"] == (right, 1), replies
        assert latency("stop_latency_slices", one) == slices, replies
    # What of the old message is said first is no reply yet.
    assert latency("response_latency_slices", judged(both, [HALF], [REST[:20], PARIS, "", "", ""])) == 0.5


def test_an_answer_may_begin_as_the_old_message_would_go_on() -> None:
    first, second = "Tea is hot. The capital of France is big.", "The capital of France is Paris."
    ask = say("tea", "question", text=first, slices=1)
    one = judged(scene(ask, say("france", "interruption", text=second)), ["Tea is hot."], [second, "", "", ""])
    assert rates(one)["interruption_reply"] == (1, 1)
    assert latency("stop_latency_slices", one) == 0
    assert latency("response_latency_slices", one) == 0


def test_what_does_not_speak_cannot_be_interrupted_or_stopped() -> None:
    new = say("the capital of france", "interruption", text=PARIS)
    stop = say("stop", "stop", slices=2)
    found = rates(judged(scene(ASK, new, stop), [""], [PARIS, "", "", ""], ["", ""]))
    assert "success_interrupt" not in found
    assert "termination" not in found
    assert found["interruption_reply"] == (1, 1)


def test_an_interruption_begins_with_its_first_words() -> None:
    steps = (ASK, say("no wait", "unfinished"), say("the capital of france", "interruption", text=PARIS))
    one = judged(scene(*steps), [HALF], [REST[:20]], [PARIS, "", "", ""])
    assert rates(one)["success_interrupt"] == (1, 1)
    assert latency("stop_latency_slices", one) == 1
    assert rates(one)["early_interruption"] == (1, 1), "it went on speaking into it"


def test_of_an_unknown_message_the_right_answer_or_silence_shows_that_it_has_stopped() -> None:
    ask = say("tell me about foxes", "question", has=["fox"], slices=1)
    new = say("the capital of france", "interruption", has=["paris"])
    free = say("and whales", "interruption")
    old = ["The fox is an animal"]
    assert rates(judged(scene(ask, new), old, ["Paris.", "", "", ""]))["success_interrupt"] == (1, 1)
    assert rates(judged(scene(ask, new), old, ["", "", ""]))["success_interrupt"] == (1, 1)
    assert rates(judged(scene(ask, new), old, [" of the woods", "", "", ""]))["success_interrupt"] == (0, 1)
    assert "success_interrupt" not in rates(judged(scene(ask, free), old, ["Whales swim.", "", "", ""]))


def test_a_stop_is_answered_with_silence_that_lasts() -> None:
    steps = (ASK, say("stop", "stop", slices=2), Silent(2))
    for replies, stopped, lasting in (
        ((["", ""], ["", ""]), 1, 1),
        (([REST[:20], ""], ["", ""]), 1, 0),
        ((["", ""], ["", "Hm."]), 1, 0),
        ((["Fine.", ""], ["", ""]), 1, 0),
        (([REST[:10], REST[10:20]], [REST[20:30], REST[30:40]]), 0, 0),
    ):
        found = rates(judged(scene(*steps), [HALF], *replies))
        assert found["success_interrupt"] == (stopped, 1), replies
        assert found["termination"] == (lasting, 1), replies


def test_noise_derails_whoever_stops_says_something_else_or_speaks_out_of_silence() -> None:
    steps = (ASK, say("uh-huh", "noise", slices=2))
    for replies, derailed in (
        ([REST[:20], REST[20:30]], 0),
        ([REST[:20], ""], 1),
        (["", REST[:20]], 1),
        (["Yes?", ""], 1),
        ([HALF, REST[:20]], 1),
        ([REST, ""], 0),
    ):
        assert rates(judged(scene(*steps), [HALF], replies))["noise_interruption"] == (derailed, 1), replies
    silent = scene(say("the capital", "question", text=PARIS), say("mm", "noise", slices=1), Silent(1))
    end = [PARIS, "", "", ""]
    assert rates(judged(silent, end, [""], [""]))["noise_interruption"] == (0, 1)
    assert rates(judged(silent, end, ["Yes?"], [""]))["noise_interruption"] == (1, 1)
    assert rates(judged(silent, end, [""], ["Yes?"]))["noise_interruption"] == (1, 1)
    # Of a message that nobody knows it is only known that it does not go on with silence.
    unknown = scene(say("tell me", "question", slices=1), say("uh-huh", "noise", slices=1))
    assert rates(judged(unknown, ["Once upon"], [" a time"]))["noise_interruption"] == (0, 1)
    assert rates(judged(unknown, ["Once upon"], [""]))["noise_interruption"] == (1, 1)


def test_back_on_topic_is_going_on_with_the_interrupted_message_after_the_aside() -> None:
    aside = say("the capital of france", "aside", text=PARIS)
    for replies, back in (
        ([PARIS, REST, "", "", ""], 1),
        ([PARIS + " Where was I? ...", REST[:25], "", "", ""], 1),
        ([PARIS, HALF, REST, "", "", ""], 1),
        ([PARIS, "", "", ""], 0),
        ([PARIS, "Where was I?", "", "", ""], 0),
        ([PARIS, HALF, "", "", ""], 0),
    ):
        found = rates(judged(scene(ASK, aside), [HALF], replies))
        assert found["back_on_topic"] == (back, 1), replies
        assert found["interruption_reply"] == (1, 1), replies
    again = rates(judged(scene(ASK, aside), [HALF], [PARIS, HALF, REST, "", "", ""]))
    assert again["repetition"] == (1, 1)
    assert "back_on_topic" not in rates(judged(scene(ASK, aside), ["A dog."], [PARIS, "", "", ""]))


def test_where_the_message_is_not_known_back_decides() -> None:
    ask = say("tell me about foxes", "question", has=["fox"], slices=1)
    aside = say("the capital of france", "aside", has=["paris"], back_any=["fox", "den"])
    old = ["The fox is an animal of the woods."]
    found = rates(judged(scene(ask, aside), old, ["Paris.", "The fox sleeps in a den.", "", "", ""]))
    assert found["back_on_topic"] == (1, 1)
    assert found["repetition"] == (0, 1)
    assert rates(judged(scene(ask, aside), old, ["Paris.", "", "", ""]))["back_on_topic"] == (0, 1)
    again = judged(scene(ask, aside), old, ["Paris.", "The fox is an animal of the woods.", "", "", ""])
    assert rates(again)["repetition"] == (1, 1)


def test_a_message_that_went_on_after_an_aside_can_be_interrupted_again() -> None:
    aside = say("the capital of france", "aside", text=PARIS, slices=2)
    steps = (ASK, aside, say("uh-huh", "noise", slices=1), say("stop", "stop", slices=1), say("on", "resume", slices=2))
    one = judged(scene(*steps), [HALF], [PARIS, REST[:15]], [REST[15:25]], [""], [REST[25:], ""])
    assert rates(one) == {
        "success_reply": (1, 1), "right_answers": (1, 1), "success_interrupt": (2, 2), "interruption_reply": (1, 1),
        "noise_interruption": (0, 1), "back_on_topic": (1, 1), "resumption": (1, 1), "termination": (1, 1),
        "silence_after_end": (1, 1), "repetition": (0, 3),
    }  # fmt: skip


def test_resuming_goes_on_with_what_was_stopped_and_with_nothing_else() -> None:
    steps = (ASK, say("stop", "stop", slices=1), say("go on", "resume", slices=2))
    assert rates(judged(scene(*steps), [HALF], [""], [REST[:20], REST[20:]]))["resumption"] == (1, 1)
    assert rates(judged(scene(*steps), [HALF], [""], ["", ""]))["resumption"] == (0, 1)
    assert rates(judged(scene(*steps), [HALF], [""], [HALF, ""]))["resumption"] == (0, 1)
    assert "resumption" not in rates(judged(scene(*steps), [""], [""], [REST[:20], REST[20:]]))


def test_silence_after_the_end_begins_with_the_last_word_or_with_the_first_silent_slice() -> None:
    known = scene(say("the capital", "question", text=PARIS), Silent(2))
    assert rates(judged(known, [PARIS, "", "", ""], ["", ""]))["silence_after_end"] == (5, 5)
    assert rates(judged(known, [PARIS, " Yes.", "", ""], ["", "Hm."]))["silence_after_end"] == (3, 5)
    unknown = scene(say("the capital", "question"), Silent(2))
    assert rates(judged(unknown, [PARIS, "", "", ""], ["", "Hm."]))["silence_after_end"] == (3, 4)
    cut_off = scene(say("the fox", "question", text=FOX, slices=2), Silent(2))
    assert "silence_after_end" not in rates(judged(cut_off, [HALF, ""], ["", ""])), "it never ended"


def test_a_scenario_that_ended_early_is_judged_up_to_the_step_before() -> None:
    steps = (say("the capital", "question", text=PARIS), say("the fox", "question", text=FOX), Silent(2))
    one = judged(scene(*steps), [PARIS, "", "", ""], complete=False)
    assert rates(one)["right_answers"] == (1, 1)
    assert rates(judged(scene(*steps), complete=False)) == {}


def test_a_case_is_missed_where_what_happened_is_not_what_is_wanted() -> None:
    steps = (say("what is", "unfinished"), say("the capital", "question", text=PARIS))
    one = judged(scene(*steps), ["What?"], [PARIS, "", "", ""])
    missed = [(case.metric, case.step) for case in one.outcomes if getattr(case, "missed", False)]
    assert missed == [("early_interruption", 0)]
