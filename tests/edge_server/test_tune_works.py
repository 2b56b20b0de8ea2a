"""The works that tuning times, on a real context: they are what they say, and leave the context as they found it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_server.context import Feed
from edge_server.llama import Context, Model
from edge_server.tune_search import DECODE, PAGE, READ, TICK, WORKS, OutOfTime, Setting
from edge_server.tune_works import RATIONS, TICK_TOKENS, Bench

pytestmark = pytest.mark.real
SETTING = Setting(threads=1)


@pytest.fixture(scope="module")
def model(tiny_gguf: Path) -> Iterator[Model]:
    with Model.load(tiny_gguf) as model:
        yield model


@pytest.fixture
def bench(model: Model) -> Iterator[Bench]:
    bench = Bench(model, sessions=3, build_seconds=60, depth=250)
    yield bench
    bench.close()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[int, int, int]]]:
    """The decode calls that are made: for each feed its slot, its position and its number of tokens."""
    made: list[list[tuple[int, int, int]]] = []
    decode = Context.decode

    def noting(self: Context, feeds: list[Feed]) -> list[int]:
        made.append([(feed.slot, feed.position, len(feed.tokens)) for feed in feeds])
        return decode(self, feeds)

    monkeypatch.setattr(Context, "decode", noting)
    return made


def test_each_work_makes_the_calls_that_it_stands_for(bench: Bench, calls: list[list[tuple[int, int, int]]]) -> None:
    bench.prepare(SETTING)
    assert sum(size for [(_, _, size)] in calls[1:]) == 250
    for work, expected in (
        (TICK, {(0, 250, TICK_TOKENS)}),
        (DECODE, {(0, 250 + index, 1) for index in range(4)}),
        (READ, {(0, 250, 64)}),
    ):
        calls.clear()
        assert bench.measure(SETTING, work) > 0
        assert {feed for [feed] in calls} == expected, work
    calls.clear()
    bench.measure(replace(SETTING, batch=PAGE), READ)
    assert set(map(tuple, calls)) == {((0, 250, PAGE),)}


def test_threads_change_on_the_same_context(bench: Bench, calls: list[list[tuple[int, int, int]]]) -> None:
    bench.prepare(SETTING)
    two = replace(SETTING, threads=2, batch=32)
    calls.clear()
    assert bench.needs(two) == 0
    bench.prepare(two)
    assert calls == []  # nothing is filled anew
    assert bench.measure(two, TICK) > 0
    assert calls[0] == [(0, 250, 1)]  # starts the threads


def test_every_setting_can_be_measured_and_given_up(bench: Bench) -> None:
    for setting in (SETTING, replace(SETTING, flash_attention="on"), replace(SETTING, kv_type="q8_0")):
        bench.prepare(setting)
        assert all(bench.measure(setting, work) > 0 for work in WORKS)
    bench.retain(SETTING)
    assert bench.needs(SETTING) == 0
    assert bench.needs(replace(SETTING, kv_type="q8_0")) > 0


def test_the_speeds_are_of_short_and_long_contexts_and_of_several_sessions(
    bench: Bench, calls: list[list[tuple[int, int, int]]]
) -> None:
    bench.prepare(SETTING)
    calls.clear()
    speeds = bench.speeds(SETTING, sessions=3)
    assert {feed[1] for [feed] in (call for call in calls if len(call) == 1) if feed[2] == TICK_TOKENS} >= {8, 250}
    beside = {call[1][2] for call in calls if len(call) == 2 and call[1][2] > 1}
    assert beside == set(speeds.beside) == {ration for ration in RATIONS if ration < SETTING.batch}
    assert set(speeds.together) == {1, 2, 3}
    assert [(0, 250, 1), (1, 8, 1), (2, 8, 1)] in calls
    assert speeds.tick.at(250) > 0
    assert speeds.decode.at(250) > 0
    assert speeds.sloped
    assert bench.measure(SETTING, TICK) > 0  # the context is as it was


def test_a_single_session_has_nobody_beside_it(model: Model) -> None:
    bench = Bench(model, sessions=1, build_seconds=60, depth=40)
    bench.prepare(SETTING)
    speeds = bench.speeds(SETTING, sessions=1)
    bench.close()
    assert speeds.beside == {}
    assert set(speeds.together) == {1}
    assert not speeds.sloped  # 40 tokens say nothing of 4,000


def test_where_there_is_no_time_to_fill_the_context_less_is_measured_at(model: Model) -> None:
    bench = Bench(model, sessions=1, build_seconds=1e-9, depth=250)
    bench.prepare(SETTING)
    assert bench.depth == 64
    assert all(bench.measure(SETTING, work) > 0 for work in WORKS)
    bench.close()


def test_stopping_ends_whatever_is_being_measured(bench: Bench) -> None:
    bench.prepare(SETTING)
    ended = threading.Event()

    def measure() -> None:
        try:
            while True:
                bench.measure(SETTING, READ)
        except OutOfTime:
            ended.set()

    thread = threading.Thread(target=measure)
    thread.start()
    time.sleep(0.05)
    bench.stop()
    thread.join(60)
    assert ended.is_set()
    with pytest.raises(OutOfTime):
        bench.prepare(replace(SETTING, kv_type="q8_0"))
