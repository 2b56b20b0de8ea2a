"""What a client sees on the wire, and that no client can hold up, see or outlive another's conversation."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from edge_server import connection
from edge_server.connection import Speech
from tests.edge_server.serving import (
    FIRST_BYTE,
    ByteVocabulary,
    all_read,
    closed,
    gated,
    hear,
    parrot,
    serving,
    text_of,
)
from tests.fakes import FakeContext

real = pytest.mark.real


@real
class TestConversation:
    async def test_a_text_is_answered_and_ticks_bring_the_rest(self) -> None:
        async with serving() as served, served.connect() as client:
            await client.send("<!new_session!>")
            await client.send("hello ")
            assert await hear(client) == "You said h"
            await client.send("<idle>")
            assert await hear(client) == "ello.\n"
            await client.send("<idle>")  # said everything: not answered
            await client.send("bye")
            assert await hear(client) == "You said b"

    async def test_text_that_arrives_during_a_slice_is_answered_instead(self) -> None:
        gate, context = gated()
        async with serving(context=context) as served, served.connect() as client:
            gate.shut()
            await client.send("one")
            await asyncio.to_thread(gate.entered.wait, 30)
            await client.send("two")
            await client.send("six")
            await all_read(client)
            gate.open()
            assert await hear(client) == "You said s"
            held = text_of(context.held(context.decoded[-1][0]))
            assert "<用户>one<AI><idle></s><用户>two<AI><idle></s><用户>six<AI>" in held

    async def test_any_number_of_ticks_during_a_slice_count_as_one(self) -> None:
        gate, context = gated()
        answer = "0123456789" * 10
        async with (
            serving(lambda text: answer, context=context, look_ahead=False) as served,
            served.connect() as client,
        ):
            gate.shut()
            await client.send("count")
            await asyncio.to_thread(gate.entered.wait, 30)
            for _ in range(5):
                await client.send("<idle>")
            await all_read(client)
            gate.open()
            assert await hear(client) == "0123456789"
            assert await hear(client) == "0123456789"
            await client.send("<!new_session!>")
            await client.send("x")  # a third slice of the first reply would come before this answer
            assert await hear(client) == "0123456789"
            texts = [text_of(tokens) for _, _, tokens in context.decoded]
            assert sum("<idle><AI>" in text for text in texts) == 1

    async def test_a_new_session_forgets_everything(self) -> None:
        async with serving() as served, served.connect() as client:
            await client.send("hello")
            await hear(client)
            await client.send("<!new_session!>")
            await client.send("bye")
            assert await hear(client) == "You said b"
            assert "hello" not in text_of(served.context.held(served.context.decoded[-1][0]))

    async def test_a_new_session_during_a_slice_takes_its_words_back(self) -> None:
        gate, context = gated()
        async with serving(context=context) as served, served.connect() as client:
            gate.shut()
            await client.send("one")
            await asyncio.to_thread(gate.entered.wait, 30)
            await client.send("<!new_session!>")
            await client.send("two")
            await all_read(client)
            gate.open()
            assert await hear(client) == "You said t"
            assert "one" not in text_of(context.held(context.decoded[-1][0]))

    async def test_ordinary_mode_on_8765_is_one_frame_a_reply(self) -> None:
        async with serving() as served, served.connect() as client:
            await client.send("<!new_ordinary_session!>")
            await client.send("hello my friend")
            assert await hear(client) == "You said hello my friend."

    @pytest.mark.parametrize("duplex_model", [True, False])
    async def test_8766_sends_the_reply_in_pieces_and_its_end(self, duplex_model: bool) -> None:
        async with serving(duplex_model=duplex_model) as served, served.connect(chat=True) as client:
            for text in ("hello my friend", "good bye"):
                await client.send(text)
                frames: list[str] = []
                while not frames or frames[-1] != "<!end!>":
                    frames.append(await hear(client))
                assert len(frames) > 2
                assert "".join(frames[:-1]) == f"You said {text}."

    async def test_upstream_answers_every_frame_in_turn(self) -> None:
        gate, context = gated()
        async with serving(context=context, upstream=True) as served, served.connect() as client:
            gate.shut()
            await client.send("one")
            await asyncio.to_thread(gate.entered.wait, 30)
            await client.send("two")
            await all_read(client)
            gate.open()
            assert await hear(client) == "You said o"
            assert await hear(client) == "You said t"

    async def test_with_assume_wpm_what_was_not_spoken_leaves_the_transcript(self) -> None:
        context = FakeContext(cells=4096, slots=4, n_vocab=FIRST_BYTE + 256)
        async with serving(context=context, assume_wpm=0.001) as served, served.connect() as client:
            await client.send("hello")
            await hear(client)
            await client.send("bye")
            await hear(client)
            held = text_of(context.held(context.decoded[-1][0]))
            assert "<用户>hello<AI><idle></s><用户>bye<AI>You said b" in held


@real
class TestOtherClients:
    async def test_every_connection_is_a_session_of_its_own(self) -> None:
        async with serving() as served, served.connect() as one, served.connect() as other:
            await one.send("one")
            await other.send("two")
            assert await hear(one) == "You said o"
            assert await hear(other) == "You said t"
            await one.send("<idle>")
            assert await hear(one) == "ne.\n"

    async def test_a_lingering_connection_costs_no_cells(self) -> None:
        async with serving() as served, served.connect() as client:
            await client.send("<!new_session!>")
            for _ in range(5):
                await client.send("<idle>")
            await (await client.ping())
            assert served.context.used == 0
            assert served.context.decoded == []

    async def test_a_vanished_clients_cells_come_back(self) -> None:
        gate, context = gated()
        async with serving(context=context) as served, served.connect() as other:
            client = await served.connect()
            gate.shut()
            await client.send("hello")
            await asyncio.to_thread(gate.entered.wait, 30)
            client.transport.abort()
            gate.open()
            await other.send("bye")
            assert await hear(other) == "You said b"
            for _ in range(200):
                if len({slot for slot in range(4) if context.held(slot)}) == 1:
                    break
                await asyncio.sleep(0.05)
            assert sum(bool(context.held(slot)) for slot in range(4)) == 1

    async def test_a_client_that_does_not_read_is_let_go_and_stops_nobody(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "MAX_UNSENT", 4)
        big = FIRST_BYTE + ord("#")
        monkeypatch.setattr(
            ByteVocabulary,
            "piece",
            lambda self, token, special=False: (
                b"word " * 100_000 if token == big else bytes([max(0, token - FIRST_BYTE)])
            ),
        )
        async with serving(lambda text: "#" * 900 if text == "much" else text) as served:
            slow = await served.connect(chat=True, compression=None, max_size=None, max_queue=1)
            slow.transport.pause_reading()
            await slow.send("much")
            async with served.connect() as other:
                await other.send("hello")
                assert await hear(other) == "hello"
            for _ in range(200):  # nothing more fits: it is let go
                if served.server.connections == 0:
                    break
                await asyncio.sleep(0.05)
            assert served.server.connections == 0
            slow.transport.abort()
            await slow.wait_closed()

    async def test_more_clients_than_slots_are_all_answered_where_some_fall_silent(self) -> None:
        async with serving(speaking=0) as served:
            clients = [await served.connect() for _ in range(7)]
            for number, client in enumerate(clients):
                await client.send(f"{number}")
                assert await hear(client) == f"You said {number}"
            for client in clients:
                await client.send("<idle>")
                assert await hear(client) == ".\n"
            for number, client in enumerate(clients):
                await client.send(f"{number + 1}")
                assert await hear(client) == f"You said {number + 1}"
            for client in clients:
                await client.close()
            assert served.engine.counters.restored >= 3

    async def test_one_too_many_is_told_at_once_while_all_speak_and_served_afterwards(self) -> None:
        async with serving(lambda text: "0123456789" * 10) as served:
            speaking = [await served.connect() for _ in range(4)]
            for client in speaking:
                await client.send("count")
                assert await hear(client) == "0123456789"
            async with served.connect() as client:
                await client.send("hello")
                code, reason = await closed(client)
                assert code == 1013
                assert reason is not None
                assert "--sessions" in reason
            await speaking.pop().close()
            async with served.connect() as client:
                await client.send("hello")
                assert await hear(client) == "0123456789"
            for client in speaking:
                await client.send("<idle>")
                assert await hear(client) == "0123456789"
                await client.close()


@real
@pytest.mark.parametrize("seed", range(6))
async def test_any_interleaving_keeps_conversations_apart_and_leaks_nothing(seed: int) -> None:
    """Six clients on three slots say, tick, start anew and vanish at random; each hears its own letter and no other."""
    chance = random.Random(seed)
    context = FakeContext(cells=700, slots=3, n_vocab=FIRST_BYTE + 256)
    async with serving(lambda text: text[0] * 25, context=context, speaking=0) as served:
        clients: dict[str, ClientConnection] = {letter: await served.connect() for letter in "abcdef"}
        heard = dict.fromkeys(clients, "")

        async def listen(letter: str, client: ClientConnection) -> None:
            with contextlib.suppress(ConnectionClosed):
                async for frame in client:
                    heard[letter] += str(frame)

        async def come_back(letter: str) -> None:
            clients[letter] = await served.connect()
            listening.append(asyncio.create_task(listen(letter, clients[letter])))

        listening = [asyncio.create_task(listen(letter, client)) for letter, client in clients.items()]
        for _ in range(150):
            letter = chance.choice(list(clients))
            if clients[letter].state is not State.OPEN:  # all slots were busy when it first spoke
                await come_back(letter)
            what = chance.choices(["say", "tick", "renew", "vanish", "wait"], [6, 10, 1, 1, 4])[0]
            if what == "say":
                await clients[letter].send(letter * chance.randint(1, 12))
            elif what == "tick":
                await clients[letter].send("<idle>")
            elif what == "renew":
                await clients[letter].send("<!new_session!>")
            elif what == "vanish":
                clients[letter].transport.abort()
                await come_back(letter)
            else:
                await asyncio.sleep(0)
        for letter in clients:
            with contextlib.suppress(ConnectionClosed):
                await clients[letter].send("<!new_session!>")
                await clients[letter].send(letter.upper())
            for _ in range(600):
                if heard[letter].count(letter.upper()) >= 25:
                    break
                try:
                    await clients[letter].send("<idle>")
                except ConnectionClosed:
                    await come_back(letter)
                    await clients[letter].send(letter.upper())
                await asyncio.sleep(0.01)
        for client in clients.values():
            await client.close()
        await asyncio.gather(*listening)
    for letter, text in heard.items():
        assert set(text) <= {letter, letter.upper()}, "words of another conversation"
        assert text.endswith(letter.upper() * 25), (
            "an answer was lost, or words of a forgotten conversation came after it"
        )
        assert text.count(letter.upper()) == 25, "an answer came twice"


class TestSpeech:
    def test_words_are_spoken_one_behind_the_other(self) -> None:
        speech = Speech(60)
        speech.said(" one two three", now=100.0)
        speech.said(" four five.", now=101.0)
        assert speech.interrupt(now=102.5) == len(" three four five.")  # the third is being spoken

    def test_what_was_spoken_is_heard(self) -> None:
        speech = Speech(60)
        speech.said(" one two three", now=100.0)
        assert speech.interrupt(now=103.0) == 0
        assert speech.interrupt(now=104.0) == 0

    def test_speaking_stops_when_it_is_interrupted(self) -> None:
        speech = Speech(60)
        speech.said(" one" * 10, now=0.0)
        assert speech.interrupt(now=4.0) == len(" one" * 6)
        assert speech.interrupt(now=4.0) == 0

    def test_what_comes_after_an_interruption_is_spoken_by_itself(self) -> None:
        speech = Speech(60)
        speech.said(" one two three", now=0.0)
        speech.interrupt(now=1.0)
        speech.said(" four", now=1.0)
        assert speech.interrupt(now=1.5) == len(" four")


def test_the_parrot_is_a_function_of_the_transcript() -> None:
    reply = parrot(lambda text: text)
    vocabulary = ByteVocabulary()
    start = (vocabulary.bos, *vocabulary.tokenize("<用户>ab<AI>", parse_special=False))
    assert reply(start) == FIRST_BYTE + ord("a")
    assert reply((*start, FIRST_BYTE + ord("a"))) == FIRST_BYTE + ord("b")
    assert reply((*start, FIRST_BYTE + ord("a"), FIRST_BYTE + ord("b"))) == vocabulary.eos
