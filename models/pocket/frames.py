"""The polite, clumsy and roundabout ways of asking that fit any question, put around what is asked.

Knows only text. ``@`` stands for what is asked: something ("the capital of {c}"), a clause ("where {c}| is") or a whole
question. ``|`` is explained in `phrasings.py`.
"""

from __future__ import annotations

from typing import Final

from lists import Phrasings, lines, phrases, phrasings

THING: Final = phrasings(
    """what is @
    what's @
    whats @
    so what is @
    what was @| again
    what would @ be
    what might @ be
    tell me @
    please tell me @
    can you tell me @
    can you please tell me @
    would you tell me @
    will you tell me @
    just tell me @
    do you know @
    do you happen to know @
    you know @
    i want to know @
    i would like to know @
    i'd like to know @
    i need to know @
    i want to hear @
    i am looking for @
    i am asking for @
    my question is @
    give me @
    please give me @
    can you give me @
    name @
    can you name @
    say @
    let me know @
    remind me of @
    tell me what @| is
    can you tell me what @| is
    do you know what @| is
    i wonder what @| is
    i want to know what @| is
    i was wondering what @| is
    may i ask what @| is
    can i ask what @| is
    any idea what @| is
    i don't know what @| is
    @
    @| please
    @| is what""",
    """could you tell me what @| is
    would you know @
    i'd love to know @
    do you remember @
    i would like to hear @
    please name @
    i have to know @
    let me hear @
    could you name @""",
)

CLAUSE: Final = phrasings(
    """tell me @
    please tell me @
    can you tell me @
    can you please tell me @
    would you tell me @
    just tell me @
    do you know @
    do you happen to know @
    i want to know @
    i would like to know @
    i'd like to know @
    i need to know @
    i wonder @
    i was wondering @
    i am wondering @
    i am asking @
    i don't know @
    i forgot @
    let me know @
    may i ask @
    can i ask @
    any idea @
    my question is @
    explain @
    can you say @""",
    """could you say @
    would you know @
    i'd love to know @
    do you remember @
    i have to know @
    please let me know @""",
)

# Many people keep the order of a question where grammar asks for another one.
QUESTION: Final = phrasings(
    """so @
    please @
    excuse me @
    tell me @
    can you tell me @
    do you know @
    i want to know @
    my question is @
    question @
    next question @
    here is a question @
    then @
    and then @
    first @
    @| please
    @| thank you
    @| do you know
    @| exactly
    @| anyway""",
    """i would like to know @
    please tell me @
    another question @
    but @
    @| can you tell me""",
)


def framed(frames: tuple[str, ...], inner: tuple[str, ...]) -> tuple[str, ...]:
    """Each of `inner` in each of the frames. From the first ``|`` of the result on, it is never cut."""
    return tuple(frame.replace("@", one) for frame in frames for one in inner)


def asked(plain: str, held_out: str, things: str = "", clauses: str = "", *, framed_questions: int = 6) -> Phrasings:
    """The plain ways of asking (one on a line), and `things` and `clauses` (between slashes) in their frames.

    Half of what is drawn in training is plain. No trained phrasing is a held-out one, in whichever way it came about.
    The first of the plain ones, as many as `framed_questions`, stand in frames too: they have to be questions.
    """
    written, kept = lines(plain), lines(held_out)
    noun, clause = (phrases(text) if text else () for text in (things, clauses))
    questions = written[:framed_questions]
    made = (
        *framed(THING.trained, noun),
        *framed(CLAUSE.trained, clause),
        *framed(QUESTION.trained, questions),
    )
    more = (
        *framed(THING.held_out, noun[:2]),
        *framed(CLAUSE.held_out, clause[:2]),
        *framed(QUESTION.held_out, questions[:2]),
    )
    apart = {text.replace("|", "") for text in (*kept, *more)}
    written = tuple(text for text in written if text.replace("|", "") not in apart)
    made = tuple(dict.fromkeys(text for text in made if text.replace("|", "") not in apart and text not in written))
    repeat = max(1, round(len(made) / len(written)))
    # Half of the held-out ones are written by hand too.
    more = tuple(dict.fromkeys(text for text in more if text not in kept))
    return Phrasings(written * repeat + made, kept * max(1, round(len(more) / len(kept))) + more)


# In Chinese a question keeps its order in a frame.
CHINESE: Final = phrasings(
    """请问@
    请问一下@
    我想知道@
    告诉我@
    请告诉我@
    你知道@吗
    你知道@
    能告诉我@吗
    你能告诉我@吗
    可以告诉我@吗
    我问你@
    那@
    你说@
    说说@
    好@
    我忘了@
    我不知道@
    有人问我@
    再问一下@
    @呢
    @啊""",
    """我想问@
    麻烦告诉我@
    你知不知道@
    你告诉我@
    请你告诉我@""",
)


def chinese_asked(plain: str, held_out: str, *, framed_questions: int = 5) -> Phrasings:
    """As `asked`, in Chinese."""
    written, kept = lines(plain), lines(held_out)
    questions = written[:framed_questions]
    more = tuple(text for text in framed(CHINESE.held_out, questions[:2]) if text not in written)
    apart = {*kept, *more}
    made = tuple(text for text in framed(CHINESE.trained, questions) if text not in apart and text not in written)
    repeat = max(1, round(len(made) / len(written)))
    return Phrasings(written * repeat + made, kept * max(1, round(len(more) / len(kept))) + more)
