"""`duplex.report` on the wire: every slice is reported once, behind what answers it, and a seed decides the words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.edge_server.serving import FIRST_BYTE, Served, hear, serving
from tests.fakes import FakeContext

pytestmark = pytest.mark.real

DRAFT, REPORT = Subprotocol("duplex.draft"), Subprotocol("duplex.report")
SLICE = "<!slice!>"


@contextlib.asynccontextmanager
async def reporting(served: Served) -> AsyncIterator[ClientConnection]:
    async with served.connect(subprotocols=[REPORT]) as client:
        assert client.subprotocol == REPORT
        yield client


async def until_report(client: ClientConnection) -> tuple[list[str], int]:
    """The words until the next report, and its number."""
    words: list[str] = []
    while not (frame := await hear(client)).startswith(SLICE):
        words.append(frame)
    return words, int(frame.removeprefix(SLICE))


async def play(client: ClientConnection, slices: Sequence[str]) -> list[list[str]]:
    """Lockstep: what each slice of a new conversation is answered with."""
    answers = []
    for number, frame in enumerate(slices, 1):
        await client.send(frame)
        words, reported = await until_report(client)
        assert reported == number
        answers.append(words)
    return answers


async def no_more(client: ClientConnection) -> None:
    """Nothing is on its way. (A pong is sent behind all frames that were written before the ping came.)"""
    await (await client.ping())
    with pytest.raises(asyncio.TimeoutError):
        await hear(client, seconds=0.01)


def babbler() -> FakeContext:
    """Says letters, silence and ends at random: as the cells, the seed and the number of the draw have it."""
    says = (*(FIRST_BYTE + byte for byte in b"abcdefgh .  "), 3, 3, 2)
    return FakeContext(cells=4096, slots=4, n_vocab=FIRST_BYTE + 256, says=says)


class TestReports:
    async def test_each_slice_is_reported_behind_what_answers_it(self) -> None:
        async with serving() as served, reporting(served) as client:
            assert await play(client, ["hello", "<idle>", "<idle>", "<idle>", "bye"]) == [
                ["You said h"],
                ["ello.\n"],
                [],  # the model is run, or is not: it said everything
                [],
                ["You said b"],
            ]
            await no_more(client)

    async def test_silence_that_the_model_is_not_run_for_is_reported_too(self) -> None:
        async with serving() as served, reporting(served) as client:
            assert await play(client, ["<idle>", "<idle>"]) == [[], []]
            assert served.context.decoded == []

    async def test_what_is_no_slice_is_not_reported(self) -> None:
        async with serving() as served, reporting(served) as client:
            for frame in ("<!new_session!>", "", "  ", "<!seed!>5", "<!draft!>hel"):
                await client.send(frame)
            assert await until_report(client) == (["You said <"], 1)  # a draft is words here
            await no_more(client)

    async def test_a_new_session_counts_anew(self) -> None:
        async with serving() as served, reporting(served) as client:
            await play(client, ["hello", "<idle>"])
            await client.send("<!new_session!>")
            assert await play(client, ["bye"]) == [["You said b"]]

    async def test_what_is_too_long_is_reported(self) -> None:
        async with serving() as served, reporting(served) as client:
            assert await play(client, ["x" * 2000]) == [["<!too_long!>"]]

    async def test_a_turn_of_ordinary_mode_is_reported_at_its_end(self) -> None:
        async with serving() as served, reporting(served) as client:
            await client.send("<!new_ordinary_session!>")
            assert await play(client, ["hello my friend"]) == [["You said hello my friend."]]

    async def test_the_models_words_are_no_report(self) -> None:
        async with serving(lambda text: "<!slice!>7") as served:
            async with reporting(served) as client:
                assert await play(client, ["hello"]) == [["< !slice!>7"]]
            async with served.connect() as plain:
                await plain.send("hello")
                assert await hear(plain) == "< !slice!>7"


class TestHandshake:
    @pytest.mark.parametrize(("offered", "selected"), [([DRAFT, REPORT], DRAFT), ([REPORT, DRAFT], REPORT)])
    async def test_the_order_of_the_clients_offer_decides(
        self, offered: list[Subprotocol], selected: Subprotocol
    ) -> None:
        async with serving() as served, served.connect(subprotocols=[Subprotocol("other"), *offered]) as client:
            assert client.subprotocol == selected

    async def test_it_is_for_our_own_duplex_port_only(self) -> None:
        async with serving() as served:
            async with served.connect(chat=True, subprotocols=[REPORT]) as client:
                assert client.subprotocol is None
            async with served.connect(chat=True, subprotocols=[REPORT, DRAFT]) as client:
                assert client.subprotocol == DRAFT
        async with serving(upstream=True) as served, served.connect(subprotocols=[REPORT, DRAFT]) as client:
            assert client.subprotocol is None

    async def test_who_does_not_ask_is_not_told_and_may_say_seeds(self) -> None:
        async with serving() as served, served.connect() as client:
            await client.send("<!seed!>5")
            assert await hear(client) == "You said <"
            await client.send("<idle>")
            assert await hear(client) == "!seed!>5.\n"
            await no_more(client)


class TestSeeds:
    async def test_the_same_seed_gives_the_same_words_whatever_came_before(self) -> None:
        slices = ["hello", "<idle>", "<idle>", "and you?", *["<idle>"] * 3, "bye"]
        async with serving(context=babbler()) as served, reporting(served) as client:
            await play(client, ["what came before", "<idle>"])
            said: dict[int, list[list[str]]] = {}
            for seed in (5, 2**63 - 1, 0, 5):
                await client.send(f"<!seed!>{seed}")
                await client.send("<!new_session!>")
                answers = await play(client, slices)
                assert said.setdefault(seed, answers) == answers
            assert len({str(answers) for answers in said.values()}) == 3

    async def test_a_seed_is_for_the_next_new_session_only_and_the_last_one_counts(self) -> None:
        async with serving(context=babbler()) as served, reporting(served) as client:
            own = await play(client, ["hello", "and you?"])
            await client.send("<!seed!>4")
            await client.send("<!seed!>5")
            await client.send("<!new_session!>")
            given = await play(client, ["hello", "and you?"])
            await client.send("<!new_session!>")
            assert await play(client, ["hello", "and you?"]) == own != given
            await client.send("<!seed!>5")
            await client.send("<!new_session!>")
            assert await play(client, ["hello", "and you?"]) == given

    @pytest.mark.parametrize("seed", ["", "-1", "x", "1.0", " 1", "٣", str(2**63), "9" * 5000])
    async def test_what_is_no_seed_closes_the_connection(self, seed: str) -> None:
        async with serving() as served, reporting(served) as client:
            await client.send(f"<!seed!>{seed}")
            await client.send("hello")
            with pytest.raises(ConnectionClosed):
                await hear(client)
            assert client.close_code == 1008
            assert client.close_reason == "<!seed!> takes a decimal integer from 0 to 2^63-1, without spaces"
