"""Scripts: every line is understood or refused by its number; cues come in order, at their moment and not before."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.chat import Mode
from clients.conversation import TalkError
from clients.script import (
    LAST_TICKS,
    AfterReplies,
    AfterSilence,
    AfterTicks,
    AtTick,
    Cue,
    Player,
    ScriptError,
    ScriptFrontEnd,
    parse_script,
    read_script,
)
from tests.clients.peer import STORY, Peer, in_step, serving
from tests.clients.properties import a_few

EXAMPLE = Path(__file__).parents[2] / "docs" / "conversation.txt"


def test_every_kind_of_moment_is_read() -> None:
    text = """
        # a comment: not a cue
        0: what is
        +2: the time: now?
        after reply: a
        after 3 replies: b # not a comment
        after silence:
        7: /new
    """
    assert parse_script(text, "s.txt") == [
        Cue(3, AtTick(0), "what is"),
        Cue(4, AfterTicks(2), "the time: now?"),
        Cue(5, AfterReplies(1), "a"),
        Cue(6, AfterReplies(3), "b # not a comment"),
        Cue(7, AfterSilence(), ""),
        Cue(8, AtTick(7), "/new"),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("hello", "no colon"),
        (": hello", "'' is no moment"),
        ("1.5: hello", "'1.5' is no moment"),
        ("+0: hello", "'+0' is no moment"),
        ("-1: hello", "'-1' is no moment"),
        ("after 0 replies: hello", "is no moment"),
        ("after a while: hello", "is no moment"),
        ("1: hello", "tick 1 comes after tick 2"),
        ("9: /quit", "/quit is no command of a script"),
    ],
)
def test_a_line_that_is_not_understood_is_named_in_one_line(line: str, complaint: str) -> None:
    with pytest.raises(ScriptError) as error:
        parse_script(f"# mine\n2: hello\n{line}\n", "mine.txt")
    assert str(error.value).startswith("mine.txt, line 3: ")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@a_few
@given(st.text("after replis0123+:# \t\n\u0663/new", max_size=40))
def test_any_text_is_a_script_or_refused(text: str) -> None:
    try:
        cues = parse_script(text, "any")
    except ScriptError:
        return
    assert [cue.line_number for cue in cues] == sorted({cue.line_number for cue in cues})


@pytest.mark.parametrize(
    ("data", "complaint"), [(b"0: \xff\xfe", "UTF-8 (byte 3)"), (b"\xef\xbb\xbf# nothing\r\n", "at least one line")]
)
def test_what_is_no_script_is_refused_in_one_line(data: bytes, complaint: str) -> None:
    with pytest.raises(ScriptError, match=r"talk\.txt") as error:
        read_script(data, "talk.txt")
    assert complaint in str(error.value)


def test_line_ends_are_of_any_system() -> None:
    assert read_script(b"0: hello\r\n+1: you\r\n", "test") == parse_script("0: hello\n+1: you\n", "test")


def test_the_documented_example_is_a_script() -> None:
    kinds = {type(cue.moment) for cue in read_script(EXAMPLE.read_bytes(), EXAMPLE.name)}
    assert kinds == {AtTick, AfterTicks, AfterReplies, AfterSilence}


def player(text: str) -> Player:
    return Player(parse_script(text, "test"))


def test_cues_with_ticks_come_at_their_ticks() -> None:
    play = player("0: a\n+2: b\n3: c\n3: d")
    assert [play.tick(silent=False) for _ in range(5)] == [["a"], [], ["b"], ["c", "d"], []]


def test_a_cue_after_replies_comes_with_the_reply_and_counts_from_the_cue_before() -> None:
    play = player("0: a\nafter 2 replies: b\n+1: c")
    assert play.heard() == [], "tick 0 has not come"
    assert play.tick(silent=True) == ["a"]
    assert [play.heard(), play.tick(silent=False), play.heard()] == [[], [], ["b"]]
    assert play.tick(silent=False) == ["c"]


def test_a_cue_after_silence_needs_a_reply_first() -> None:
    play = player("0: a\nafter silence: b")
    assert [play.tick(silent=True) for _ in range(3)] == [["a"], [], []]
    assert play.waiting_line == 2
    assert play.heard() == []
    assert [play.tick(silent=False), play.tick(silent=True)] == [[], ["b"]]
    assert play.waiting_line is None


def test_a_cue_without_words_only_waits() -> None:
    play = player("0: a\nafter reply:\nafter reply: b")
    assert [play.tick(silent=False), play.heard(), play.heard()] == [["a"], [], ["b"]]


def test_it_is_over_when_the_assistant_is_silent_or_will_not_stop() -> None:
    play = player("0: a")
    assert not play.over(silent=True)
    play.tick(silent=True)
    assert play.over(silent=True)
    for _ in range(LAST_TICKS):
        assert not play.over(silent=False)
        play.tick(silent=False)
    assert play.over(silent=False)


moments = st.sampled_from(["+1", "+3", "after reply", "after 2 replies", "after silence"])


@a_few
@given(st.lists(moments, min_size=1, max_size=6), st.lists(st.sampled_from(["tick", "silent tick", "reply"])))
def test_whatever_happens_cues_are_said_once_and_in_order(script: list[str], events: list[str]) -> None:
    play = player("\n".join(f"{moment}: {number}" for number, moment in enumerate(script)))
    said = []
    for event in [*events, *["reply", "reply", "tick", "tick", "tick", "silent tick"] * len(script)]:
        said += play.heard() if event == "reply" else play.tick(silent=event == "silent tick")
    assert said == [str(number) for number in range(len(script))]


INTERRUPTED = """
0: what is the capital
+1: of france?
after silence: tell me a story
after 2 replies: stop please
"""


async def transcript(
    peer: Peer, script: str, *, times: bool = False, mode: Mode = Mode.DUPLEX, patience: float = 60, note: str = ""
) -> str:
    out, notes = io.StringIO(), io.StringIO()
    conversation = in_step(peer, mode)
    cues = parse_script(script, "test")
    front_end = ScriptFrontEnd(conversation, cues, out=out, notes=notes, times=times, patience=patience)
    assert await conversation.run(front_end) is None
    front_end.close()
    assert notes.getvalue() == note
    return out.getvalue()


@pytest.mark.real
async def test_a_script_plays_the_same_every_time_down_to_the_interruption() -> None:
    expected = """\
you        what is the capital
you        of france?
assistant  The capital
assistant  of France
assistant  is Paris.
you        tell me a story
assistant  Once upon
assistant  a time there —
you        stop please
"""
    async with serving() as peer:
        assert await transcript(peer, INTERRUPTED) == expected
        assert await transcript(peer, INTERRUPTED) == expected
        assert peer.frames[0] == peer.frames[1], "and it sends the same frames, silent ones included"


@pytest.mark.real
async def test_with_times_each_line_begins_with_the_seconds_since_the_start() -> None:
    async with serving() as peer:
        lines = (await transcript(peer, INTERRUPTED, times=True)).splitlines()
    seconds = [float(line.split()[0]) for line in lines]
    assert lines[0].split()[1:] == ["you", "what", "is", "the", "capital"]
    assert seconds[0] == 0.0
    assert seconds == sorted(seconds)


@pytest.mark.real
async def test_in_chat_mode_a_script_takes_turns() -> None:
    async with serving() as peer:
        lines = await transcript(peer, "0: tell me a story\nafter silence: of france?", mode=Mode.CHAT)
        assert lines.splitlines()[-4:] == [
            "you        of france?",
            "assistant  The capital",
            "assistant  of France",
            "assistant  is Paris.",
        ]
        assert len(lines.splitlines()) == 1 + len(STORY) + 4


@pytest.mark.real
async def test_a_line_that_waits_in_vain_fails_by_its_number() -> None:
    async with serving() as peer:
        with pytest.raises(TalkError, match="line 2 of the script"):
            await transcript(peer, "0: stop\nafter reply: hello", patience=0.05)


@pytest.mark.real
async def test_a_script_says_new_as_a_command() -> None:
    async with serving() as peer:
        await transcript(peer, "0: /new\n+1: of france?\n", note="A new conversation.\n")
        assert peer.texts()[:3] == ["<!new_session!>", "<!new_session!>", "of france?"]
