"""What holds for our own conversations whatever comes, in whatever order: an oracle listens and compares."""

from __future__ import annotations

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.events import (
    Limit,
    Mode,
    NewSession,
    Silence,
    Speak,
    Stop,
    Unheard,
)
from tests.edge_server.listener import ROOM, Anew, Begin, Listener, Reply, Step

REPLIES = (
    "<idle>",
    "</s>",
    ".</s>",
    " one two<idle>",
    " one two three</s>",
    " one two three one two three",
    " one two three one two wor",
    "ld.</s>",
    "abcdefgh",
    " one two thrice",
    ". one two ones",
    "cannon't",
    " one 我你好",
    " one two 😀 na😀",
    "ïve ï</s>",
    "\n\n\n\n\n\n",
)
FOLLOWING = (" two", "ld", "a", "b", ".", "</s>")
TEXTS = ("a", " stop", "hello, ", "我", "😀", "x" * 40, "x" * ROOM)


OFTEN: list[Step] = [
    *[Reply(text, following) for text in REPLIES for following in FOLLOWING],
    *[Begin(text) for text in (" one two", " ", "idle", " naï", "😀", " one two three wor")] * 5,
    *[Silence()] * 40,
    *[Stop()] * 4,
    *[Speak()] * 4,
    *TEXTS[:-2] * 5,
]
SELDOM: list[Step] = [
    *TEXTS[-2:],
    *map(Unheard, (1, 2, 3, 5, 8, 13, 21, 34)),
    *map(Limit, (1, 4, 9, None)),
    *(NewSession(mode, 1) for mode in Mode),
    *Anew,
]
scripts = st.lists(st.sampled_from(OFTEN + SELDOM), min_size=20, max_size=40)
kinds = st.sampled_from([Mode.DUPLEX, Mode.DUPLEX, Mode.ORDINARY, None])  # None: turn by turn without an idle token


def play(kind: Mode | None, *, slide: bool, streaming: bool, script: list[Step]) -> Listener:
    listener = Listener(kind, slide=slide, streaming=streaming)
    for step in script:
        listener.step(step)
    return listener


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=kinds, slide=st.sampled_from([True, True, False]), streaming=st.booleans(), script=scripts)
def test_what_was_heard_is_what_the_transcript_says_and_every_text_is_taken_once(
    kind: Mode | None, slide: bool, streaming: bool, script: list[Step]
) -> None:
    listener = play(kind, slide=slide, streaming=streaming, script=script)
    for _ in range(4):  # an end, a silent reply to what waited, and to what ordinary mode asks then
        if listener.asked is not None:
            listener.step(Reply("</s>", "a"))
    assert listener.asked is None


@examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=kinds, streaming=st.booleans(), script=scripts)
def test_the_same_events_and_seed_give_the_same_actions(kind: Mode | None, streaming: bool, script: list[Step]) -> None:
    first, second = (play(kind, slide=True, streaming=streaming, script=script) for _ in range(2))
    assert (first.log, first.over) == (second.log, second.over)
