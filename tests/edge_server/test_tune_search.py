"""The search for the best setting: what it chooses from measurements, also noisy ones, and how it keeps to its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server.tune_search import (
    BATCHES,
    DECODE,
    PAGE,
    READ,
    TICK,
    Axis,
    OutOfTime,
    RefusedError,
    Search,
    Setting,
    Trial,
    Weights,
    axes,
    choose,
    thread_counts,
)

WEIGHTS = Weights(slice_tokens=15)
START = Setting(threads=2)
THREADS, FLASH, KV, BATCH = axes([1, 2, 4])


class FakeMachine:
    """A machine whose works last what `speed` says; its clock moves only while something is measured or prepared."""

    def __init__(
        self,
        speed: Callable[[Setting, str], float],
        *,
        build: float = 1.0,
        refuses: Callable[[Setting], bool] = lambda _setting: False,
        busy: Callable[[int], float] = lambda _measurement: 1.0,
        stops_at: float = float("inf"),
    ) -> None:
        self.now = 0.0
        self.measured: list[tuple[Setting, str]] = []
        self.places: set[tuple[str, str]] = set()
        self._speed, self._build, self._refuses, self._busy, self._stops_at = speed, build, refuses, busy, stops_at

    def needs(self, setting: Setting) -> float:
        return 0.0 if self._place(setting) in self.places else self._build

    def prepare(self, setting: Setting) -> None:
        if self._refuses(setting):
            raise RefusedError("no room")
        self._pass(self.needs(setting))
        self.places.add(self._place(setting))
        assert len(self.places) <= 2  # contexts are large

    def retain(self, setting: Setting) -> None:
        self.places &= {self._place(setting)}

    def measure(self, setting: Setting, work: str) -> float:
        assert self._place(setting) in self.places
        seconds = self._speed(setting, work) * self._busy(len(self.measured))
        self.measured.append((setting, work))
        self._pass(seconds)
        return seconds

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self._stops_at:
            raise OutOfTime

    @staticmethod
    def _place(setting: Setting) -> tuple[str, str]:
        return setting.kv_type, setting.flash_attention


def search(machine: FakeMachine, seconds: float = 1e6, call_limit: float = 1e6) -> Search:
    return Search(machine, START, WEIGHTS, call_limit=call_limit, clock=lambda: machine.now, deadline=seconds)


def speed(
    threads: dict[int, float], *, on: float = 1.0, q8_0: float = 1.0, batch: dict[int, float] | None = None
) -> Callable[[Setting, str], float]:
    """Seconds of a work: its own, times a factor for each option."""

    def seconds(setting: Setting, work: str) -> float:
        factor = threads[setting.threads] * (on if setting.flash_attention == "on" else 1.0)
        factor *= q8_0 if setting.kv_type == "q8_0" else 1.0
        if work == READ:
            factor *= (batch or {}).get(setting.batch, 1.0)
        return {TICK: 0.1, DECODE: 0.05, READ: 4.0}[work] * factor

    return seconds


# Far enough apart that what is best does not hang on the margin.
_FACTORS = st.permutations([0.25, 0.5, 1.0, 2.0])


@given(_FACTORS, st.sampled_from([0.5, 2.0]), st.sampled_from([0.5, 2.0]), _FACTORS)
def test_each_option_gets_its_fastest_value(threads: list[float], on: float, q8_0: float, batch: list[float]) -> None:
    machine = FakeMachine(
        speed(
            dict(zip((1, 2, 4, 8), threads, strict=True)),
            on=on,
            q8_0=q8_0,
            batch=dict(zip(BATCHES, batch, strict=True)),
        )
    )
    found = search(machine)
    found.run(axes([1, 2, 4, 8]))
    assert found.best.threads == (1, 2, 4, 8)[threads.index(0.25)]
    assert found.best.batch == BATCHES[batch.index(0.25)]
    # q8_0 is measured with "auto", and must beat what "on" had gained.
    assert found.best.kv_type == ("q8_0" if q8_0 < on else "f16")
    assert found.best.flash_attention == ("on" if on < 1 and found.best.kv_type == "f16" else "auto")


@given(st.lists(st.floats(0.05, 20), min_size=1, max_size=10), st.integers(0, 5))
def test_what_slows_whole_rounds_down_changes_no_choice(busy: list[float], shift: int) -> None:
    """Others use the machine for some rounds: within a round all settings suffer alike."""
    per_round = 3 * 3  # works times settings

    def slowed(measurement: int) -> float:
        return busy[(measurement // per_round + shift) % len(busy)]

    machine = FakeMachine(speed({1: 1.0, 2: 0.9, 4: 0.8}), busy=slowed)
    found = search(machine)
    found.run([THREADS])
    assert found.best.threads == 4


def test_a_gain_within_the_noise_changes_nothing() -> None:
    machine = FakeMachine(speed({1: 0.98, 2: 1.0, 4: 0.99}, on=0.98, q8_0=0.93, batch={32: 1.0, 128: 0.99, 256: 0.98}))
    found = search(machine)
    found.run(axes([1, 2, 4]))
    assert found.best == START


def test_one_lucky_round_of_many_decides_nothing() -> None:
    trials = [trial(START, 10, 10, 10), trial(replace(START, threads=4), 1, 11, 11)]
    assert choose(trials, THREADS, WEIGHTS, 1e6) == START


def test_a_single_round_has_to_gain_more() -> None:
    little, much = trial(replace(START, threads=4), 8), trial(replace(START, threads=4), 7)
    mixed = trial(replace(START, threads=4), 1)
    mixed.rounds[0][READ] = 11
    assert choose([trial(START, 10), mixed], THREADS, WEIGHTS, 1e6) == START
    assert choose([trial(START, 10), little], THREADS, WEIGHTS, 1e6) == START
    assert choose([trial(START, 10), much], THREADS, WEIGHTS, 1e6).threads == 4


def test_a_larger_batch_must_beat_the_one_before_it() -> None:
    machine = FakeMachine(speed({2: 1.0}, batch={32: 1.3, 64: 1.0, 128: 0.9, 256: 0.89}))
    found = search(machine)
    found.run([BATCH])
    assert found.best.batch == 128


def test_no_call_lasts_longer_than_it_may() -> None:
    faster_when_large = speed({2: 1.0}, batch={32: 1.6, 64: 1.0, 128: 0.5, 256: 0.3})
    for limit, batch in ((1e6, 256), (1.1, 128), (0.99, 32), (0.1, 32)):
        found = search(FakeMachine(faster_when_large), call_limit=limit)
        found.run([BATCH])
        assert found.best.batch == batch, limit


def test_a_batch_whose_calls_would_last_far_too_long_is_not_measured() -> None:
    machine = FakeMachine(speed({1: 2.0, 2: 1.0, 4: 2.0}))
    found = search(machine, call_limit=1.2)
    found.run([THREADS, BATCH])
    tried = {setting.batch for setting, _ in machine.measured}
    assert tried == {32, 64}
    assert [one.note for one in found.steps[-1].trials if one.note] == [
        "a call would last 2 s",
        "a call would last 4 s",
    ]


def test_what_the_machine_refuses_is_noted_and_left_out() -> None:
    machine = FakeMachine(speed({2: 1.0}, q8_0=0.1), refuses=lambda setting: setting.kv_type == "q8_0")
    found = search(machine)
    found.run([replace_settings(THREADS), KV])
    assert found.best == START
    assert [one.note for one in found.steps[-1].trials] == ["", "no room"]


@given(st.floats(0.001, 500), st.floats(0.01, 30))
def test_it_keeps_to_its_time(seconds: float, build: float) -> None:
    """Only the first round of all is measured without knowing how long it takes; all later ones fit in the time."""
    machine = FakeMachine(speed({1: 2.0, 2: 1.0, 4: 0.5}, on=1.1, q8_0=1.2), build=build)
    found = search(machine, seconds)
    found.run(axes([1, 2, 4]))
    first_round = 4 * (0.85 + 0.1 + 4.0) * 3
    assert machine.now <= max(seconds, build + first_round)
    assert found.best.flash_attention == "auto"
    assert found.best.kv_type == "f16"


@given(st.floats(1.5, 200))
def test_when_it_is_stopped_what_was_decided_stands(stops_at: float) -> None:
    machine = FakeMachine(speed({1: 2.0, 2: 1.0, 4: 0.5}), stops_at=stops_at)
    found = search(machine)
    with pytest.raises(OutOfTime):
        found.run([*axes([1, 2, 4])] * 20)
    whole_rounds = min(len(one.rounds[0]) if one.rounds else 0 for one in found.steps[0].trials)
    assert found.best.threads == (4 if whole_rounds == 3 else 2)


def test_the_rounds_go_there_and_back() -> None:
    machine = FakeMachine(speed({1: 1.0, 2: 1.0, 4: 1.0}))
    search(machine).run([THREADS])
    order = [setting.threads for setting, work in machine.measured if work == TICK]
    assert order[:6] == [2, 1, 4, 4, 1, 2]


def test_the_other_flash_attention_is_tried() -> None:
    """`auto` is off on a CPU, so that on is tried, and on a GPU the other way round."""
    for on_gpu, other in ((False, "on"), (True, "off")):
        flash = axes([2], on_gpu=on_gpu)[1]
        assert [one.flash_attention for one in flash.settings(START)] == [other]


@pytest.mark.parametrize(
    ("physical", "logical", "counts"),
    [(1, 1, [1]), (2, 2, [1, 2]), (4, 8, [1, 2, 3, 4, 8]), (8, 16, [2, 4, 7, 8, 16]), (6, 6, [1, 3, 5, 6])],
)
def test_the_numbers_of_threads(physical: int, logical: int, counts: list[int]) -> None:
    assert thread_counts(physical, logical) == counts


def test_a_page_counts_once_a_minute() -> None:
    assert WEIGHTS.seconds({TICK: 0.1, DECODE: 0.05, READ: 3.0}) == pytest.approx(0.1 + 15 * 0.05 + 0.1)


def test_the_median_of_what_was_measured() -> None:
    one = trial(START, 3, 1, 2)
    assert one.median(READ) == 2
    assert one.median("unheard of") is None


def trial(setting: Setting, *seconds: float) -> Trial:
    """Rounds in which every work took so long."""
    return Trial(setting, [{TICK: one, DECODE: one, READ: one * PAGE / PAGE} for one in seconds])


def replace_settings(axis: Axis) -> Axis:
    """The axis with nothing beside the present setting, so that only that is measured."""
    return replace(axis, settings=lambda _now: [])
