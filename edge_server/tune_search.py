"""Which settings are tried, and how one is chosen from noisy measurements. Pure: given what measures, and a clock.

Knows no llama.cpp. One axis after the other (threads, flash attention, ...): all its settings are measured in turns,
round after round, and the best replaces what was there before, if it is better by more than noise. What others do on
the machine meanwhile slows every setting of a round alike, so settings are compared within rounds, never across.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

PAGE = 256  # tokens: a pasted page
PAGE_EVERY = 30  # slices: one page a minute, at two seconds a slice
MOST_ROUNDS = 7
BATCHES = (32, 64, 128, 256)
_ONE_ROUND_MARGIN = 0.25  # what a setting must gain where there was time for a single round

TICK, DECODE, READ = "tick", "decode", "page"
WORKS = (TICK, DECODE, READ)


class OutOfTime(Exception):  # noqa: N818 - no fault
    """The time for tuning is over; raised from inside a measurement."""


class RefusedError(Exception):
    """A setting that this machine or model cannot run. One line."""


@dataclass(frozen=True)
class Setting:
    """Options of `edge-server run` that change how fast it is and not what it does. batch: tokens."""

    threads: int
    flash_attention: str = "auto"
    kv_type: str = "f16"
    batch: int = 64


@dataclass(frozen=True)
class Axis:
    """One option and the values to try beside the present one.

    works: what it changes, so what it is judged by. margin: the least gain (0.03: 3 %) for which the present value is
    given up. share: of the time that is left when its turn comes. bounded: it changes how long a decode call lasts.
    """

    name: str
    settings: Callable[[Setting], list[Setting]]
    works: tuple[str, ...] = WORKS
    margin: float = 0.03
    share: float = 0.3
    bounded: bool = False


@dataclass
class Trial:
    """A setting and what was measured: for each work, seconds in each round. note: why there is nothing."""

    setting: Setting
    rounds: list[dict[str, float]] = field(default_factory=list)
    note: str = ""

    def median(self, work: str) -> float | None:
        """Seconds of a work; None where it was not measured."""
        found = [one[work] for one in self.rounds if work in one]
        return statistics.median(found) if found else None


@dataclass(frozen=True)
class Step:
    """What came of one axis."""

    axis: Axis
    trials: list[Trial]
    chosen: Setting


class Measuring(Protocol):
    """What makes measurements. Every method may raise `OutOfTime`."""

    def prepare(self, setting: Setting) -> None:
        """Makes ready what `measure` needs. Raises RefusedError."""

    def retain(self, setting: Setting) -> None:
        """Frees what only other settings need."""

    def needs(self, setting: Setting) -> float:
        """About how many seconds `prepare` will take; 0 where all is ready."""

    def measure(self, setting: Setting, work: str) -> float:
        """Seconds of a silent tick's prefill, of one decoded token, or of `PAGE` tokens of prefill."""


@dataclass(frozen=True)
class Weights:
    """What a conversation consists of: in each slice a tick and `slice_tokens` tokens, now and then a page."""

    slice_tokens: int

    def seconds(self, sample: Mapping[str, float]) -> float:
        """What a slice takes on average, as far as it was measured."""
        weights = {TICK: 1.0, DECODE: float(self.slice_tokens), READ: 1 / PAGE_EVERY}
        return sum(weights[work] * seconds for work, seconds in sample.items())


def thread_counts(physical: int, logical: int) -> list[int]:
    """Sensible numbers of threads: the cores, one less for all else, all hyper-threads, a half and a quarter."""
    counts = (physical, logical, physical - 1, physical // 2, physical // 4)
    return sorted({count for count in counts if count >= 1})


def axes(threads: Iterable[int], *, on_gpu: bool = False) -> tuple[Axis, ...]:
    """What is tried, in this order."""
    counts = list(threads)
    other = "off" if on_gpu else "on"  # than what `auto` is
    return (
        Axis("--threads", lambda now: [replace(now, threads=count) for count in counts]),
        Axis("--flash-attention", lambda now: [replace(now, flash_attention=other)], share=0.4),
        # Coarser numbers change what the model says, a little: not for a gain that nobody notices.
        Axis("--kv-type", lambda now: [replace(now, kv_type="q8_0", flash_attention="auto")], margin=0.1, share=0.6),
        Axis(
            "--batch",
            lambda now: [replace(now, batch=size) for size in BATCHES],
            works=(READ,),
            share=0.85,
            bounded=True,
        ),
    )


class Search:
    """Goes along the axes until all are done or the time is over. `steps` and `best` may be read at any time."""

    def __init__(
        self,
        measuring: Measuring,
        start: Setting,
        weights: Weights,
        *,
        call_limit: float,
        clock: Callable[[], float],
        deadline: float,
        on_round: Callable[[Axis, list[Setting], int], None] = lambda _axis, _settings, _round: None,
    ) -> None:
        """`call_limit`: the seconds that a decode call of a full batch may take, since others wait for its end."""
        self.best = start
        self.steps: list[Step] = []
        self._measuring = measuring
        self._weights = weights
        self._call_limit = call_limit
        self._clock = clock
        self._deadline = deadline
        self._on_round = on_round
        self._lasted: dict[str, float] = {}  # seconds that measuring a work took, at the present batch

    def run(self, tried: Sequence[Axis]) -> None:
        """Raises `OutOfTime` where that came before the end; what was decided before it stands."""
        for axis in tried:
            others = [setting for setting in axis.settings(self.best) if setting != self.best]
            trials = [Trial(setting) for setting in (self.best, *others)]
            self.steps.append(Step(axis, trials, self.best))
            try:
                self._measure(axis, trials)
            finally:  # also when the time was over: then by the rounds that all have had
                self.best = choose(trials, axis, self._weights, self._call_limit)
                self.steps[-1] = Step(axis, trials, self.best)

    def _measure(self, axis: Axis, trials: list[Trial]) -> None:
        until = self._clock() + axis.share * (self._deadline - self._clock())
        self._measuring.retain(self.best)
        ends = self._clock()
        for trial in trials:
            trial.note = self._too_long(axis, trial.setting)
            ends += self._measuring.needs(trial.setting) + self._round_seconds(axis, trial.setting)
            if ends > until:
                trial.note = trial.note or "no time left"
            if trial.note:
                continue
            try:
                self._measuring.prepare(trial.setting)
            except RefusedError as error:
                trial.note = str(error)
        able = [trial for trial in trials if not trial.note]
        if len(able) < 2 and len(self.steps) > 1:
            return  # the present setting was measured on an axis before
        for number in range(MOST_ROUNDS):
            began = self._clock()
            self._on_round(axis, [trial.setting for trial in able], number + 1)
            # In turns the other way round, so that none is always the one that finds the machine warm.
            for trial in able if number % 2 == 0 else reversed(able):
                self._round(axis, trial)
            now = self._clock()
            if now + (now - began) > until:
                return

    def _round(self, axis: Axis, trial: Trial) -> None:
        sample: dict[str, float] = {}
        trial.rounds.append(sample)
        for work in axis.works:
            began = self._clock()
            sample[work] = self._measuring.measure(trial.setting, work)
            if trial.setting == self.best:
                self._lasted[work] = self._clock() - began

    def _round_seconds(self, axis: Axis, setting: Setting) -> float:
        """About how long a round of a setting will take; 0 while nothing is known."""
        return sum(
            self._lasted.get(work, 0.0) * (setting.batch / self.best.batch if work == READ else 1.0)
            for work in axis.works
        )

    def _too_long(self, axis: Axis, setting: Setting) -> str:
        """Why a batch need not be measured at all; empty where it must."""
        if axis.bounded and setting.batch > self.best.batch:
            page = next((one for step in self.steps for trial in step.trials if (one := self._page(trial))), 0.0)
            if page * setting.batch / PAGE > 1.5 * self._call_limit:
                return f"a call would last {page * setting.batch / PAGE:.2g} s"
        return ""

    def _page(self, trial: Trial) -> float | None:
        return trial.median(READ) if trial.setting == self.best else None


def choose(trials: list[Trial], axis: Axis, weights: Weights, call_limit: float) -> Setting:
    """The setting to go on with; the first trial is the present one, and stays unless another is clearly better.

    The trials are asked in order, each against the best so far: a larger batch must earn that others wait for it.
    Better means: by more than the margin in the median of the rounds, and in two rounds of three at least; where there
    was time for one round only, by a quarter, and at every work. On a bounded axis settings whose calls last longer
    than `call_limit` are out; if all are, the smallest batch is taken.
    """
    present = trials[0]
    whole = [[one for one in trial.rounds if set(one) == set(axis.works)] for trial in trials]
    count = min((len(rounds) for rounds in whole if rounds), default=0)
    if not whole[0] or not count:
        return present.setting
    fit = [
        (trial, rounds[:count])
        for trial, rounds in zip(trials, whole, strict=True)
        if rounds and not (axis.bounded and _call_seconds(trial.setting, rounds[:count]) > call_limit)
    ]
    if not fit:
        return min((trial.setting for trial in trials if trial.rounds), key=lambda setting: setting.batch)
    base, base_rounds = next(((one, rounds) for one, rounds in fit if one is present), fit[0])
    costs = [weights.seconds(one) for one in base_rounds]
    margin = axis.margin if count > 1 else max(axis.margin, _ONE_ROUND_MARGIN)
    best, least = base.setting, 1 - margin
    for trial, rounds in fit:
        ratios = [weights.seconds(one) / cost for one, cost in zip(rounds, costs, strict=True)]
        if count == 1 and any(rounds[0][work] > base_rounds[0][work] for work in axis.works):
            continue  # a single round may be luck, but hardly at every work
        if statistics.median(ratios) < least and 3 * sum(ratio < 1 for ratio in ratios) >= 2 * count:
            best, least = trial.setting, statistics.median(ratios) * (1 - margin)
    return best


def _call_seconds(setting: Setting, rounds: Sequence[Mapping[str, float]]) -> float:
    return statistics.median(one[READ] for one in rounds) * setting.batch / PAGE
