"""On a terminal: keys go in, what a person sees comes out, and what is being typed is left alone."""

from __future__ import annotations

import pytest

from clients.chat import Mode
from clients.chat_text import IDLE, NEW_SESSION
from clients.terminal import INDENT, NARROWEST
from tests.clients.peer import Peer, serving
from tests.clients.person import CTRL_C, CTRL_D, ENTER, LEFT, OFTEN, UNDO, UP, left, sitting

pytestmark = pytest.mark.real


async def test_a_tick_takes_whole_words_and_leaves_the_one_that_is_being_typed() -> None:
    async with serving() as peer, sitting(peer, OFTEN) as person:
        person.press("what is the capi")
        await person.until_said(peer, "what is the")
        assert person.terminal.typed == "capi"
        person.press("tal of fra")
        await person.until_said(peer, "what is the capital of")
        assert person.terminal.typed == "fra"


async def test_what_was_sent_cannot_be_typed_again_by_undoing() -> None:
    async with serving() as peer, sitting(peer, OFTEN) as person:
        person.press("one two")
        await person.until_said(peer, "one")
        person.press(UNDO, UNDO, "!")
        await person.until(lambda: person.terminal.typed == "two!")
        assert peer.texts() == [NEW_SESSION, "one"]


async def test_the_cursor_stays_where_it_is_in_what_is_being_typed() -> None:
    async with serving() as peer, sitting(peer, OFTEN) as person:
        person.press("one two", LEFT, LEFT)
        await person.until_said(peer, "one")
        person.press("x")
        await person.until(lambda: person.terminal.typed == "txwo")


async def test_enter_sends_everything_at_once() -> None:
    async with serving() as peer, sitting(peer) as person:
        person.press("what is the capital of france?", ENTER)
        await person.until_said(peer, "what is the capital of france?")
        assert person.terminal.typed == ""
        person.press(ENTER)
        await person.until(lambda: "The capital" in person.sees)
        assert peer.texts() == [NEW_SESSION, "what is the capital of france?"], "an empty line is nothing to send"


async def test_replies_appear_while_the_line_is_left_alone() -> None:
    async with serving() as peer, sitting(peer, OFTEN) as person:
        person.press("tell me a story", ENTER, "unfinished")
        await person.until(lambda: "very old." in person.sees)
        assert person.terminal.typed == "unfinished"
        lines = await left(person)
    assert lines == [
        "      you  tell me a story",
        "assistant  Once upon a time there was a fox who lived in a",
        "           wood. It was very old.",
    ]


async def test_silence_is_sent_and_not_shown() -> None:
    async with serving() as peer, sitting(peer, OFTEN) as person:
        await person.until(lambda: peer.frames[0].count(IDLE) > 3)
        assert "idle" not in person.sees


async def test_ctrl_c_stops_the_assistant_and_shows_where() -> None:
    async with serving() as peer, sitting(peer) as person:
        person.press("tell me a story", ENTER)
        await person.until(lambda: "Once upon" in person.sees)
        person.press("half a wor", CTRL_C)
        await person.until_said(peer, "tell me a story", "stop")
        assert person.terminal.typed == "half a wor"
        lines = await left(person)
    assert lines[-2:] == ["assistant  Once upon —", "      you  stop"]


async def test_ctrl_c_clears_the_line_when_nothing_is_being_said() -> None:
    async with serving() as peer, sitting(peer) as person:
        person.press("never min", CTRL_C)
        await person.until(lambda: "Ctrl-C again leaves" in person.sees)
        assert person.terminal.typed == ""
        assert peer.texts() == [NEW_SESSION]


@pytest.mark.parametrize("keys", [CTRL_C + CTRL_C, CTRL_D, "words" + CTRL_D, "/quit" + ENTER])
async def test_there_are_four_ways_to_leave(keys: str) -> None:
    async with serving() as peer, sitting(peer) as person:
        person.press(keys)
        assert await person.running is None
        await peer.connections[0].wait_closed()


async def test_a_command_is_not_sent_by_a_tick() -> None:
    async with serving() as peer, sitting(peer, OFTEN) as person:
        person.press("/new and more")
        ticks = peer.frames[0].count(IDLE)
        await person.until(lambda: peer.frames[0].count(IDLE) > ticks + 3)
        assert person.terminal.typed == "/new and more"
        person.press(ENTER)
        await person.until_said(peer, NEW_SESSION)
        await person.until(lambda: "A new conversation." in person.sees)


async def test_in_chat_mode_only_enter_sends_and_lines_can_be_recalled() -> None:
    async with serving() as peer, sitting(peer, OFTEN, Mode.CHAT) as person:
        person.press("of france?", ENTER)
        await person.until(lambda: "is Paris." in person.sees)
        person.press(UP)
        await person.until(lambda: person.terminal.typed == "of france?")
        person.press(ENTER)
        await person.until(lambda: peer.texts()[1:] == ["of france?", "of france?"])


async def test_pasted_lines_are_one_line() -> None:
    async with serving() as peer, sitting(peer) as person:
        person.press("\x1b[200~one\ntwo\r\nthree\x1b[201~", ENTER)
        await person.until_said(peer, "one two three")


async def test_neither_the_server_nor_a_paste_can_steer_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31mred\x08\x08"
    async with serving(Peer(answer=lambda text: [evil])) as peer, sitting(peer) as person:
        person.press(f"\x1b[200~{evil}\x1b[201~", ENTER)
        await person.until(lambda: person.sees.count("]0;owned[2J31mred") >= 2)
        # The emulator would have refused the sequences themselves.


async def test_without_a_connection_words_stay_in_the_line_and_the_reason_is_shown() -> None:
    async with serving() as peer, sitting(peer, OFTEN) as person:
        await peer.connections[0].close(1013, "full house")
        await person.until(lambda: "Trying again" in person.sees)
        person.press("a b c", ENTER)
        await person.until(lambda: "there is no connection" in person.sees or len(peer.frames) > 1)
        assert "The server closed the connection: full house." in person.sees
        await person.until(lambda: "begins anew" in person.sees)
        await person.until(lambda: len(peer.texts(1)) > 1)
        assert peer.texts(1)[1].startswith("a b")


async def test_on_any_width_the_same_words_are_there_and_lines_break_between_them() -> None:
    story = "Once upon a time there was a fox who lived in a wood. It was very old."
    for columns in (200, 60, INDENT + NARROWEST + 1):
        async with serving() as peer, sitting(peer, OFTEN, columns=columns) as person:
            person.press("tell me a story", ENTER)
            await person.until(lambda: "very old." in person.sees)
            lines = await left(person)
        assert all(len(line) < columns for line in lines)
        assert " ".join(line.strip() for line in lines) == f"you  tell me a story assistant  {story}"
        assert all(line[:INDENT].strip() in ("you", "assistant", "") for line in lines)


async def test_on_a_terminal_that_is_too_narrow_nothing_fails() -> None:
    async with serving() as peer, sitting(peer, OFTEN, columns=5) as person:
        person.press("tell me a story", ENTER, "and")
        await person.until_said(peer, "tell me a story")
        await person.until(lambda: peer.frames[0].count(IDLE) > 8)
        assert person.terminal.typed == "and"


async def test_what_is_drawn_is_the_growing_line_the_input_and_the_state() -> None:
    async with serving() as peer, sitting(peer) as person:
        person.press("tell me a story", ENTER, "unfinish")
        await person.until(lambda: "speaking" in person.sees)
        assert person.screen.lines == [
            "      you  tell me a story",
            "assistant  Once upon",
            "> unfinish",
            " assistant speaking, Ctrl-C interrupts",
        ]


async def test_a_slice_that_crosses_words_stands_above_them_where_it_belongs() -> None:
    async with serving() as peer, sitting(peer) as person:
        person.press("tell me a story", ENTER)
        await person.until(lambda: "Once upon" in person.sees)
        server = peer.connections[0]
        server.transport.pause_reading()
        person.press("wait a moment", ENTER)
        await person.until(lambda: "wait a moment" in person.sees and not person.terminal.typed)
        assert person.screen.lines[1:4] == ["assistant  Once upon —", "      you  wait a moment", "> ".rstrip()]
        await server.send(" a time there")
        await person.until(lambda: "a time" in person.sees)
        assert person.screen.lines[1:4] == ["assistant  Once upon a time there —", "      you  wait a moment", ">"]
        server.transport.resume_reading()
        await person.until_said(peer, "tell me a story", "wait a moment")
        await server.send(" Very well.")
        await person.until(lambda: "Very well" in person.sees)
        assert await left(person) == [
            "      you  tell me a story",
            "assistant  Once upon a time there —",
            "      you  wait a moment",
            "assistant  Very well.",
        ]


async def test_words_that_the_server_never_read_are_there_when_the_client_has_gone() -> None:
    async with serving() as peer, sitting(peer) as person:
        peer.connections[0].transport.pause_reading()
        person.press("are you there?", ENTER)
        await person.until(lambda: "are you there?" in person.sees and not person.terminal.typed)
        assert await left(person) == ["      you  are you there?"]


async def test_the_line_is_a_draft_while_it_is_typed_until_the_tick_or_enter() -> None:
    async with serving(Peer(takes_drafts=True)) as peer, sitting(peer) as person:
        person.press("what is")
        await peer.until(lambda peer: peer.drafts()[-1:] == ["what is"])
        person.press("!", ENTER, "one two")
        await peer.until(lambda peer: peer.drafts()[-1:] == ["one two"])
        assert peer.frames[0][-2] == "what is!"
        person.press(CTRL_C)
        await peer.until(lambda peer: peer.drafts()[-1:] == [""])
        assert peer.texts() == [NEW_SESSION, "what is!"]


async def test_what_a_tick_leaves_in_the_line_is_a_draft_of_the_next_slice() -> None:
    async with serving(Peer(takes_drafts=True)) as peer, sitting(peer, OFTEN) as person:
        person.press("the capi")
        await person.until_said(peer, "the")
        after = peer.frames[0].index("the") + 1
        await peer.until(lambda peer: "<!draft!>capi" in peer.frames[0][after:])
        ticks = peer.frames[0].count(IDLE)
        await peer.until(lambda peer: peer.frames[0].count(IDLE) > ticks + 1)
        latest = len(peer.frames[0]) - peer.frames[0][::-1].index(IDLE)
        await peer.until(lambda peer: "<!draft!>capi" in peer.frames[0][latest:])


async def test_in_chat_mode_nothing_is_sent_before_enter() -> None:
    async with serving(Peer(takes_drafts=True)) as peer, sitting(peer, OFTEN, Mode.CHAT) as person:
        person.press("of france")
        await person.until(lambda: person.terminal.typed == "of france")
        person.press("?", ENTER)
        await person.until(lambda: "is Paris." in person.sees)
        assert peer.drafts() == []
