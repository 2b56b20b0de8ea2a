"""The figures are what their definitions say, computed naively in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.quality import Comparison, Quality, Rate, log_probabilities

IDLE = 3
Row = list[float]


def compare(source: Any, candidate: Any, targets: list[int], first: list[bool] | None = None) -> Quality:
    """The figures for two arrays of logits."""
    comparison = Comparison(IDLE)
    one, other = (log_probabilities(np.array(logits, np.float32)) for logits in (source, candidate))
    comparison.add(one, other, np.array(targets, np.int64), np.array(first or [False] * len(targets), np.bool_))
    return comparison.quality()


def softmax(logits: Any) -> Any:
    powers = np.exp(np.array(logits, np.float64) - np.max(logits, axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def some_logits(seed: int, rows: int = 50, vocabulary: int = 300) -> Any:
    return np.random.default_rng(seed).standard_normal((rows, vocabulary)) * 4


def test_a_model_is_its_own_equal() -> None:
    quality = compare(some_logits(1), some_logits(1), list(range(50)), [row % 3 == 0 for row in range(50)])
    assert (quality.kl, quality.kl_p99, quality.idle_shift, quality.idle_distance) == (0, 0, 0, 0)
    assert quality.top1.rate == quality.idle_agreement.rate == 1
    assert (quality.tokens, quality.slices, quality.idle_agreement.n) == (50, 17, 17)


def test_perplexity_is_the_exponential_of_the_mean_loss() -> None:
    logits, targets = some_logits(2), list(range(100, 150))
    chosen = softmax(logits)[np.arange(50), targets]
    assert compare(some_logits(3), logits, targets).perplexity == pytest.approx(
        np.exp(-np.log(chosen).mean()), rel=1e-6
    )


def test_divergence_is_what_the_source_loses() -> None:
    source, other = softmax(some_logits(4)), softmax(some_logits(5))
    expected = (source * np.log(source / other)).sum(axis=1)
    quality = compare(some_logits(4), some_logits(5), [0] * 50)
    assert quality.kl == pytest.approx(expected.mean(), rel=1e-5)
    assert quality.kl_p99 == pytest.approx(np.percentile(expected, 99), rel=1e-5)
    assert quality.top1.k == int((source.argmax(1) == other.argmax(1)).sum())


@given(st.integers(0, 2**32), st.floats(-1e4, 1e4), st.floats(0.1, 1000))
def test_log_probabilities_add_up_to_one_however_large_the_logits(seed: int, offset: float, scale: float) -> None:
    logits = (some_logits(seed, 4, 40) * scale + offset).astype(np.float32)
    found = log_probabilities(logits)
    assert np.exp(found.astype(np.float64)).sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert (found.argmax(axis=1) == logits.argmax(axis=1)).all()


def test_rows_may_come_in_any_portions() -> None:
    source, other = (log_probabilities(some_logits(seed).astype(np.float32)) for seed in (6, 7))
    targets, first = np.arange(50), np.arange(50) % 4 == 0
    outcomes = []
    for step in (1, 7, 50):
        comparison = Comparison(IDLE)
        for start in range(0, 50, step):
            part = slice(start, start + step)
            comparison.add(source[part], other[part], targets[part], first[part])
        outcomes.append(comparison.quality())
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was compared"):
        compare(np.zeros((0, 5)), np.zeros((0, 5)), [])


def says(token: int) -> Row:
    return [5.0 if each == token else 0.0 for each in range(6)]


def test_silence_is_counted_at_the_first_token_of_a_slice_only() -> None:
    source = [says(IDLE), says(IDLE), says(1), says(2), says(IDLE), says(1)]
    other = [says(IDLE), says(4), says(IDLE), says(1), says(2), says(IDLE)]
    quality = compare(source, other, [0] * 6, [True] * 4 + [False] * 2)
    assert (quality.slices, quality.idle_agreement.k, quality.idle_agreement.n) == (4, 2, 4)
    assert (quality.false_speech.k, quality.false_speech.n) == (1, 2)
    assert (quality.false_silence.k, quality.false_silence.n) == (1, 2)
    assert (quality.top1.k, quality.top1.n) == (1, 6)


def test_the_shift_of_silence_has_a_sign_and_the_distance_none() -> None:
    p, low = softmax([says(IDLE), says(1)])[:, IDLE]
    quality = compare([says(IDLE), says(1)], [says(1), says(IDLE)], [0, 0], [True, True])
    assert quality.idle_shift == pytest.approx(0, abs=1e-6)
    assert quality.idle_distance == pytest.approx(p - low, abs=1e-6)
    assert compare([says(1)], [says(IDLE)], [0], [True]).idle_shift == pytest.approx(p - low, abs=1e-6)


def test_without_slices_there_is_no_rate() -> None:
    quality = compare(some_logits(1), some_logits(2), [0] * 50)
    assert quality.idle_agreement == Rate(None, 0, 0, None, None)
    assert quality.idle_shift is None
    assert quality.as_json()["idle_agreement"] == {"rate": None, "k": 0, "n": 0, "low": None, "high": None}


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),  # Wilson's formula, as R's prop.test(correct = FALSE) has it
    [(8, 10, 0.4901625, 0.9433178), (0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0)],
)
def test_wilson_intervals(k: int, n: int, low: float, high: float) -> None:
    rate = Rate.of(k, n)
    assert rate.rate == k / n
    assert rate.low == pytest.approx(low, abs=2e-6)
    assert rate.high == pytest.approx(high, abs=2e-6)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_rate_and_solves_wilsons_equation(case: tuple[int, int]) -> None:
    rate = Rate.of(*case)
    assert rate.rate is not None
    assert rate.low is not None
    assert rate.high is not None
    assert 0 <= rate.low <= rate.rate <= rate.high <= 1
    for bound in (rate.low, rate.high):
        if 0 < bound < 1:  # the bounds are the shares from which the observed one is 1.96 standard errors away
            assert abs(rate.rate - bound) == pytest.approx(1.959964 * math.sqrt(bound * (1 - bound) / rate.n), rel=1e-5)
