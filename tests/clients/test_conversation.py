"""Ticks, commands and events come together: what a front end may rely on, whichever it is."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from clients import conversation as conversation_module
from clients.chat import Mode, Slice, Speaker
from clients.chat_realtime import RealtimeChat
from clients.chat_text import DRAFT, DRAFT_SUBPROTOCOL, IDLE, NEW_ORDINARY_SESSION, NEW_SESSION, TOO_LONG, TextChat
from clients.connection import Connection
from clients.conversation import COMMANDS, Conversation, TalkError, Ticker
from tests.clients.peer import Peer, in_step, serving


class FakeFrontEnd:
    """Enters `lines[n]` at tick number n, then whatever `after_slice` says; leaves after the last."""

    def __init__(self, lines: list[list[str]], after_slice: list[str] | None = None) -> None:
        self.lines = [*lines, ["/quit"]]
        self.after_slice = after_slice or []
        self.shown: list[Slice] = []
        self.typed = ""

    def due(self, *, tick: bool) -> list[str]:
        if not tick:
            return [self.after_slice.pop(0)] if self.after_slice else []
        return self.lines.pop(0) if self.lines else []

    def show(self, slice_: Slice) -> None:
        self.shown.append(slice_)

    def changed(self) -> None:
        pass

    @property
    def notes(self) -> str:
        return " ".join(slice_.text for slice_ in self.shown if slice_.speaker is Speaker.NOTE)


@pytest.mark.real
async def test_a_silent_slice_is_sent_at_each_tick_that_brings_no_words() -> None:
    front_end = FakeFrontEnd([[], ["of france?"], [], [], []])
    async with serving() as peer:
        assert await in_step(peer).run(front_end) is None
        assert peer.frames == [[NEW_SESSION, IDLE, "of france?", IDLE, IDLE, IDLE]]
    assert [(slice_.speaker.value, slice_.text) for slice_ in front_end.shown] == [
        ("you", "of france?"),
        ("assistant", " The capital"),
        ("assistant", " of France"),
        ("assistant", " is Paris. "),
    ]


@pytest.mark.real
async def test_in_chat_mode_ticks_are_not_sent() -> None:
    async with serving() as peer:
        await in_step(peer, Mode.CHAT).run(FakeFrontEnd([[], ["hello"], [], []]))
        assert peer.frames == [[NEW_ORDINARY_SESSION, "hello"]]


@pytest.mark.real
async def test_what_is_due_after_a_slice_is_said_at_once() -> None:
    async with serving() as peer:
        await in_step(peer).run(FakeFrontEnd([["a story"], [], []], after_slice=["wait"]))
        assert peer.frames == [[NEW_SESSION, "a story", "wait", IDLE, IDLE]]


@pytest.mark.real
async def test_commands_are_carried_out_and_not_sent() -> None:
    front_end = FakeFrontEnd([["/help"], ["/new"], ["/nwe", "  /new  "]])
    async with serving() as peer:
        await in_step(peer).run(front_end)
        assert peer.frames == [[NEW_SESSION, NEW_SESSION, NEW_SESSION]]
    assert all(command in front_end.notes for command in COMMANDS)
    assert "no command /nwe" in front_end.notes


@pytest.mark.real
async def test_a_line_that_cannot_be_said_is_not_taken() -> None:
    conversation = Conversation(TextChat(Mode.DUPLEX), Connection("ws://127.0.0.1:1", patience=0), Ticker(1))
    front_end = FakeFrontEnd([])
    reason = await conversation.run(front_end)
    assert reason is not None
    assert "no server" in reason
    assert not conversation.enter("hello")
    assert "Not sent" in front_end.notes
    assert conversation.enter("/help"), "commands need no server"


@pytest.mark.real
async def test_a_front_end_whose_words_do_not_fit_any_more_learns_it() -> None:
    async with serving(Peer(answer=lambda text: [TOO_LONG])) as peer:
        with pytest.raises(TalkError, match="did not fit"):
            await in_step(peer).run(FakeFrontEnd([["hello"], ["are you there?"]]))
    async with serving(Peer(answer=lambda text: [TOO_LONG])) as peer:
        await in_step(peer).run(FakeFrontEnd([["hello"], ["/new"]]))


@pytest.mark.real
async def test_a_server_that_begins_no_conversation_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_module, "OPEN_TIMEOUT", 0.05)
    why = "begins no conversation: is it an edge-server?"
    async with serving() as peer:  # of the text protocol: it waits for the client's first word
        front_end = FakeFrontEnd([])
        waiting = Conversation(RealtimeChat(Mode.DUPLEX), Connection(peer.url, patience=0), Ticker(1.0))
        assert await waiting.run(front_end) == f"what answers at {peer.url} {why}"
        staying = Conversation(RealtimeChat(Mode.DUPLEX), Connection(peer.url), Ticker(1.0))
        running = asyncio.create_task(staying.run(front_end))
        while why not in front_end.notes:
            await asyncio.sleep(0.002)
        staying.leave()
        assert await running is None


@pytest.mark.real
async def test_a_lost_connection_is_told_and_the_next_one_begins_anew() -> None:
    # Seconds of real time pass here: the client waits before it tries again.
    front_end = FakeFrontEnd([])
    front_end.lines = []
    async with serving() as peer:
        conversation = Conversation(TextChat(Mode.DUPLEX), Connection(peer.url), Ticker(60))
        talk = asyncio.create_task(conversation.run(front_end))
        await peer.until(lambda peer: len(peer.frames) == 1)
        await peer.connections[0].close(1012)
        await peer.until(lambda peer: len(peer.frames) == 2 and NEW_SESSION in peer.frames[1])
        conversation.leave()
        assert await talk is None
    assert "The server closed the connection. Trying again." in front_end.notes
    assert "begins anew" in front_end.notes


class Typing:
    """A conversation with someone who types."""

    def __init__(self, peer: Peer, draft_seconds: float, kind: type[Connection] = Connection) -> None:
        self.front_end = FakeFrontEnd([])
        self.front_end.lines = []
        self.conversation = Conversation(
            TextChat(Mode.DUPLEX),
            kind(peer.url, offer=DRAFT_SUBPROTOCOL),
            Ticker(60),
            draft_seconds=draft_seconds,
        )

    async def __aenter__(self) -> Typing:
        self._talk = asyncio.create_task(self.conversation.run(self.front_end))
        while not self.conversation.chat.listening:
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.conversation.leave()
        await self._talk

    def type(self, line: str) -> None:
        self.front_end.typed = line
        self.conversation.typing()


@pytest.mark.real
async def test_what_is_typed_is_sent_as_a_draft_when_it_changes_and_withdrawn_when_it_is_cleared() -> None:
    async with serving(Peer(takes_drafts=True)) as peer, Typing(peer, 0) as person:
        for line in ("what", "what  is", "what is ", "", "/new", "who"):
            person.type(line)
            await asyncio.sleep(0.01)  # to give what is not to be sent the time for it
        await peer.until(lambda peer: peer.frames[0][-1].endswith("who"))
        assert peer.drafts() == ["what", "what is", "", "who"]
        assert peer.sent == 0


@pytest.mark.real
async def test_drafts_are_as_far_apart_as_they_have_to_be_and_the_last_one_is_sent() -> None:
    apart = 0.05
    sent_at: list[float] = []

    class Noting(Connection):
        def send(self, frame: str) -> None:
            super().send(frame)
            if frame.startswith(DRAFT):
                sent_at.append(asyncio.get_running_loop().time())

    async with serving(Peer(takes_drafts=True)) as peer, Typing(peer, apart, Noting) as person:
        for end in range(1, 40):
            person.type("tell me a story about a fox and a river"[:end])
            await asyncio.sleep(0.005)
        await peer.until(lambda peer: peer.drafts()[-1:] == ["tell me a story about a fox and a river"])
    assert len(sent_at) == len(peer.drafts()) > 1
    # The loop's timers may be early by the resolution of its clock.
    assert all(later - earlier >= apart - 0.001 for earlier, later in pairwise(sent_at))


@pytest.mark.real
async def test_what_stays_in_the_line_after_a_slice_is_a_draft_of_the_next() -> None:
    async with serving(Peer(takes_drafts=True)) as peer, Typing(peer, 0) as person:
        person.type("and")
        await peer.until(lambda peer: peer.drafts() == ["and"])
        person.conversation.enter("stop")
        await peer.until(lambda peer: peer.drafts() == ["and", "and"])
        assert peer.frames[0][-2:] == ["stop", f"{DRAFT}and"]


@pytest.mark.real
async def test_a_server_that_takes_no_drafts_is_sent_none() -> None:
    async with serving() as peer, Typing(peer, 0) as person:
        person.type("hello")
        await asyncio.sleep(0.02)
        person.conversation.enter("hello")
        await peer.until(lambda peer: "hello" in peer.texts())
        assert peer.offered == [[DRAFT_SUBPROTOCOL]]
        assert [frame for frame in peer.frames[0] if frame != IDLE] == [NEW_SESSION, "hello"]


@pytest.mark.real
async def test_a_draft_that_would_have_to_wait_is_not_sent() -> None:
    class Stuck(Connection):
        stuck = True

        @property
        def backlog(self) -> int:
            return 1 if self.stuck else 0

    async with serving(Peer(takes_drafts=True)) as peer, Typing(peer, 0.005, Stuck) as person:
        person.type("hel")
        await asyncio.sleep(0.03)
        assert peer.drafts() == []
        person.type("hello")
        Stuck.stuck = False
        await peer.until(lambda peer: bool(peer.drafts()))
        assert peer.drafts() == ["hello"]


@pytest.mark.real
async def test_what_crosses_the_users_words_is_no_reply_to_them() -> None:
    front_end = FakeFrontEnd([["tell me a story"], ["wait", "really"]], after_slice=["and then?"])
    front_end.lines.pop()
    async with serving() as peer:
        conversation = Conversation(TextChat(Mode.DUPLEX), Connection(peer.url), Ticker(60))
        talk = asyncio.create_task(conversation.run(front_end))
        await peer.until(lambda peer: len(peer.texts()) > 2 if peer.frames else False)
        assert peer.texts()[1:] == ["tell me a story", "and then?"], "the reply to it was one"
        front_end.after_slice = ["too soon"]
        peer.connections[0].transport.pause_reading()
        shown = len(front_end.shown)
        conversation.enter("stop")
        await peer.connections[0].send(" a time there")
        while len(front_end.shown) == shown:
            await asyncio.sleep(0)
        assert front_end.after_slice == ["too soon"]
        peer.connections[0].transport.resume_reading()
        while conversation.chat.unheard:
            await asyncio.sleep(0)
        conversation.leave()
        await talk
    assert [(slice_.speaker.value, slice_.text) for slice_ in front_end.shown[shown:]] == [
        ("assistant", " a time there"),
        ("you", "stop"),
    ]


@pytest.mark.real
async def test_an_error_in_a_front_end_ends_the_conversation() -> None:
    class Broken(FakeFrontEnd):
        def due(self, *, tick: bool) -> list[str]:
            raise ZeroDivisionError

    async with serving() as peer:
        with pytest.raises(ZeroDivisionError):
            await in_step(peer).run(Broken([]))


@pytest.mark.real
async def test_silent_slices_do_not_queue_up_behind_a_network_that_takes_nothing() -> None:
    class Stuck(Connection):
        @property
        def backlog(self) -> int:
            return 1

    front_end = FakeFrontEnd([[], [], []])
    async with serving() as peer:
        await Conversation(TextChat(Mode.DUPLEX), Stuck(peer.url), Ticker(0.01)).run(front_end)
        await peer.connections[0].wait_closed()
        assert peer.frames == [[NEW_SESSION]]


@pytest.mark.real
async def test_words_that_are_entered_put_the_next_tick_off() -> None:
    class Counting(Ticker):
        restarts = 0

        def restart(self, *, at_once: bool = False) -> None:
            super().restart(at_once=at_once)
            self.restarts += not at_once

    ticker = Counting(60)
    async with serving() as peer:
        conversation = Conversation(TextChat(Mode.DUPLEX), Connection(peer.url), ticker)
        talk = asyncio.create_task(conversation.run(FakeFrontEnd([[]])))
        await peer.until(lambda peer: bool(peer.frames and peer.frames[0]))
        for entered in range(1, 4):
            conversation.enter("hello")
            assert ticker.restarts == entered
        conversation.leave()
        await talk


@pytest.mark.real
async def test_an_output_that_is_gone_ends_the_conversation_whoever_spoke() -> None:
    class Unwritable(FakeFrontEnd):
        def show(self, slice_: Slice) -> None:
            raise BrokenPipeError

    async with serving() as peer:
        conversation = Conversation(TextChat(Mode.DUPLEX), Connection(peer.url), Ticker(60))
        front_end = Unwritable([])
        front_end.lines = []
        talk = asyncio.create_task(conversation.run(front_end))
        await peer.until(lambda peer: bool(peer.frames and peer.frames[0]))
        conversation.enter("hello")
        with pytest.raises(BrokenPipeError):
            await talk


async def test_ticks_come_after_their_time_and_a_restart_puts_them_off() -> None:
    ticker = Ticker(0.02)
    clock = asyncio.get_running_loop().time
    start = clock()
    ticker.restart(at_once=True)
    await ticker.wait()
    for number in range(1, 4):
        await ticker.wait()
        assert clock() >= start + number * 0.02
    waiting = asyncio.create_task(ticker.wait())
    await asyncio.sleep(0)
    ticker.restart()
    restarted = clock()
    await waiting
    assert clock() >= restarted + 0.02
