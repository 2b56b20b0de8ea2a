"""Ticks, commands and events come together: what a front end may rely on, whichever it is."""

from __future__ import annotations

import asyncio

import pytest

from clients.chat import IDLE, NEW_ORDINARY_SESSION, NEW_SESSION, TOO_LONG, Chat, Mode, Slice, Speaker
from clients.connection import Connection
from clients.conversation import COMMANDS, Conversation, TalkError, Ticker
from tests.clients.peer import Peer, in_step, serving


class FakeFrontEnd:
    """Enters `lines[n]` at tick number n, then whatever `after_slice` says; leaves after the last."""

    def __init__(self, lines: list[list[str]], after_slice: list[str] | None = None) -> None:
        self.lines = [*lines, ["/quit"]]
        self.after_slice = after_slice or []
        self.shown: list[Slice] = []

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
    conversation = Conversation(Chat(Mode.DUPLEX), Connection("ws://127.0.0.1:1", patience=0), Ticker(1))
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
async def test_a_lost_connection_is_told_and_the_next_one_begins_anew() -> None:
    # Seconds of real time pass here: the client waits before it tries again.
    front_end = FakeFrontEnd([])
    front_end.lines = []
    async with serving() as peer:
        conversation = Conversation(Chat(Mode.DUPLEX), Connection(peer.url), Ticker(60))
        talk = asyncio.create_task(conversation.run(front_end))
        await peer.until(lambda peer: len(peer.frames) == 1)
        await peer.connections[0].close(1012)
        await peer.until(lambda peer: len(peer.frames) == 2 and NEW_SESSION in peer.frames[1])
        conversation.leave()
        assert await talk is None
    assert "The server closed the connection. Trying again." in front_end.notes
    assert "begins anew" in front_end.notes


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
        await Conversation(Chat(Mode.DUPLEX), Stuck(peer.url), Ticker(0.01)).run(front_end)
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
        conversation = Conversation(Chat(Mode.DUPLEX), Connection(peer.url), ticker)
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
        conversation = Conversation(Chat(Mode.DUPLEX), Connection(peer.url), Ticker(60))
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
