"""Playing scenarios: who waits for whom, what is heard in which slice, and connections that are lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.chat_text import IDLE, NEW_SESSION, TOO_LONG
from clients.eval_matching import is_silent
from clients.eval_play import (
    LISTENED_AFTER_END,
    LONGEST_MESSAGE,
    REPORT,
    REPORT_SUBPROTOCOL,
    SEED,
    Pace,
    PlayError,
    play_all,
    seed_of,
    wants_more,
)
from clients.eval_played import Played
from clients.eval_scenarios import Scenario, Silent
from tests.clients.peer import Peer, serving
from tests.clients.scenes import PARIS, say, scene

ASK = say("what is the capital of france?", "question", text=PARIS)
STORY = say("a story", "question", slices=2)
QUICK = 0.05  # seconds; a tick, where the time is the test's


async def play(peer: Peer, *scenarios: Scenario, clock: float | None = None) -> tuple[list[Played], list[str]]:
    """What came back, and the remarks for the user."""
    played: list[Played] = []
    notes: list[str] = []
    pace = Pace(clock, patience=3, wait=0)
    await play_all(scenarios, peer.url, seed=1, pace=pace, done=played.append, note=notes.append)
    return played, notes


def replies(played: Played) -> list[tuple[int, str | None, str]]:
    return [(one.step, one.said, one.reply) for one in played.slices]


@given(st.lists(st.sampled_from(["", "  ", "words"]), min_size=1, max_size=30), st.integers(1, 5))
def test_a_message_is_listened_to_until_its_end_and_two_slices_more(said: list[str], patience: int) -> None:
    heard = said[:1]
    while wants_more(ASK, heard, patience):
        heard.append(said[len(heard)] if len(heard) < len(said) else "")
    silent = [is_silent(one) for one in heard]
    if all(silent):
        assert len(heard) == patience
    else:
        begun = silent.index(False)
        assert begun < patience
        assert len(heard) == silent.index(True, begun) + 1 + LISTENED_AFTER_END


def test_who_speaks_on_and_on_is_listened_to_so_long_and_a_number_of_slices_is_a_number() -> None:
    assert wants_more(ASK, ["words"] * (LONGEST_MESSAGE - 1), 3)
    assert not wants_more(ASK, ["words"] * LONGEST_MESSAGE, 3)
    assert [wants_more(STORY, ["words"] * n, 3) for n in (0, 1, 2)] == [True, True, False]
    assert [wants_more(Silent(1), [""] * n, 3) for n in (0, 1)] == [True, False]


def test_a_scenarios_seed_depends_on_its_name_and_the_runs_seed_only() -> None:
    assert seed_of(1, "stop-007") == 2853981956730518664
    assert len({seed_of(seed, name) for seed in range(9) for name in ("a", "b")}) == 18
    assert all(0 <= seed_of(seed, "a") < 2**63 for seed in range(99))


@pytest.mark.real
async def test_with_a_server_that_reports_slices_it_plays_in_lockstep() -> None:
    one = scene(say("what is the", "unfinished"), ASK, id_="one")
    two = scene(STORY, say("stop", "stop", slices=1), Silent(2), id_="two")
    async with serving(Peer(reports=True)) as peer:
        (first, second), notes = await play(peer, one, two)
        assert notes == []
        assert peer.offered == [[REPORT_SUBPROTOCOL]]
        assert peer.frames == [
            [
                f"{SEED}{seed_of(1, 'one')}", NEW_SESSION, "what is the", ASK.words, *[IDLE] * 5,
                f"{SEED}{seed_of(1, 'two')}", NEW_SESSION, "a story", IDLE, "stop", IDLE, IDLE,
            ]
        ]  # fmt: skip
    assert replies(first) == [
        (0, "what is the", ""), (1, ASK.words, " The capital"), (1, None, " of France"), (1, None, " is Paris.\n"),
        (1, None, ""), (1, None, ""), (1, None, ""),
    ]  # fmt: skip
    assert replies(second) == [
        (0, "a story", " Once upon"), (0, None, " a time there"), (1, "stop", ""), (2, None, ""), (2, None, ""),
    ]  # fmt: skip
    times = [moment for one in first.slices for moment in (one.sent, one.first) if moment is not None]
    assert times == sorted(times)


@pytest.mark.real
@pytest.mark.parametrize("reports", [False, True])
async def test_with_a_clock_what_comes_before_the_next_tick_belongs_to_the_slice(reports: bool) -> None:
    one = scene(STORY, say("stop", "stop", slices=1), Silent(2), id_="one")
    two = scene(ASK, id_="two")
    async with serving(Peer(reports=reports)) as peer:
        (first, second), notes = await play(peer, one, two, clock=QUICK)
        # Without reports, nothing tells when the last reply has come: each conversation has its own connection.
        assert len(peer.connections) == (1 if reports else 2)
        if not reports:
            assert not any(frame.startswith(SEED) for frames in peer.frames for frame in frames)
            assert notes == [f"the server does not report slices (duplex.report): playing one every {QUICK:g} s"]
    assert "".join(one.reply for one in first.slices) == " Once upon a time there"
    assert "".join(one.reply for one in second.slices) == " The capital of France is Paris.\n"
    assert len(first.slices) == 5
    # A busy machine may be late, so only that no slice comes early is certain.
    assert all(one.sent >= QUICK * number - 0.01 for number, one in enumerate(first.slices))


@pytest.mark.real
async def test_a_connection_that_is_lost_is_opened_again_and_the_scenario_played_anew() -> None:
    async with serving(Peer(reports=True)) as peer:
        playing = asyncio.create_task(play(peer, scene(say("a story", "question", slices=100), id_="long")))
        await peer.until(lambda peer: len(peer.frames) == 1 and IDLE in peer.frames[0])
        await peer.connections[0].close(1012, "restarting")
        (played,), notes = await playing
    assert notes == ["the server closed the connection: restarting: playing long again"]
    assert len(played.slices) == 100
    assert peer.frames[1][:3] == peer.frames[0][:3], "with the same seed"


@pytest.mark.real
async def test_a_server_that_is_gone_ends_it_in_one_line() -> None:
    async with serving(Peer(reports=True)) as peer:
        playing = asyncio.create_task(play(peer, *(scene(ASK, id_=f"n{n}") for n in range(10_000))))
        await peer.until(lambda peer: len(peer.frames) == 1 and len(peer.frames[0]) > 20)
    with pytest.raises(PlayError, match=r"no server at ws://127.0.0.1:\d+: start one with `edge-server run`"):
        await playing


@pytest.mark.real
async def test_a_server_that_always_hangs_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.eval_play.RETRY_DELAY", 0)
    async with serving(Peer(reports=True)) as peer:
        playing = asyncio.create_task(play(peer, scene(say("a story", "question", slices=100))))
        for n in range(3):
            await peer.until(lambda peer, n=n: len(peer.frames) > n and IDLE in peer.frames[n])  # type: ignore[misc]
            await peer.connections[n].close(1011, "the model failed")
        with pytest.raises(PlayError, match="the server closed the connection: the model failed"):
            await playing


@pytest.mark.real
@pytest.mark.parametrize("reports", [False, True])
async def test_a_conversation_that_does_not_fit_ends_early_and_the_next_one_is_played(reports: bool) -> None:
    async with serving(Peer(reports=reports, answer=lambda text: [TOO_LONG] if text == "more" else [PARIS])) as peer:
        full = scene(ASK, say("more", "question"), ASK, id_="full")
        (first, second), _ = await play(peer, full, scene(ASK, id_="next"), clock=None if reports else QUICK)
    assert (first.complete, second.complete) == (False, True)
    assert {one.step for one in first.slices} == {0}
    assert second.slices[0].reply == PARIS


@pytest.mark.real
@pytest.mark.parametrize("reported", ["2", "-1", "x", "", "9" * 30])
async def test_a_report_of_what_was_not_sent_is_an_error(reported: str) -> None:
    async with serving(Peer(reports=True, answer=lambda _: [REPORT + reported])) as peer:
        with pytest.raises(PlayError, match=r"the server reported slice .* when 1 were sent"):
            await play(peer, scene(ASK))


@pytest.mark.real
async def test_a_server_that_no_longer_reports_is_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.eval_play.ANSWER_TIMEOUT", 0.05)
    monkeypatch.setattr("clients.eval_play.RETRY_DELAY", 0)
    async with serving(Peer(reports=True)) as peer:
        peer.mute_after = ASK.words
        with pytest.raises(PlayError, match=r"the server has not dealt with a slice for 0\.05 s"):
            await play(peer, scene(ASK))


@pytest.mark.real
async def test_what_could_steer_a_terminal_and_forged_silence_are_not_heard() -> None:
    async with serving(Peer(reports=True, answer=lambda _: ["\x1b[2JPa<idle>ris", IDLE])) as peer:
        (played,), _ = await play(peer, scene(ASK))
    assert [one.reply for one in played.slices] == ["[2JParis", "", "", ""]


@pytest.mark.real
@pytest.mark.parametrize("clock", [None, QUICK])
async def test_a_server_that_sends_more_than_anybody_says_is_an_error(
    clock: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.eval_play.MOST_HEARD", 1_000)
    async with serving(Peer(reports=True, answer=lambda _: ["words" * 1000])) as peer:
        scenario = scene(say(ASK.words, "question", slices=1))
        with pytest.raises(PlayError, match=r"the server sent more than 1,000 characters in a slice"):
            await play(peer, scenario, clock=clock)
