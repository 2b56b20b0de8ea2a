"""Intervals: against published figures, and as properties. Pure."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.eval_statistics import Rate, quantile, spread, wilson

SAMPLES = st.lists(st.floats(0, 1000), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 2000), st.data())
def test_wilsons_interval_holds_the_rate_and_is_the_same_seen_from_the_other_side(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low))
    wider = wilson(2 * k, 2 * n)
    assert wider[1] - wider[0] < high - low, "more cases, more certainty"


def test_without_cases_there_is_no_rate() -> None:
    assert (Rate(0, 0, skipped=3).rate, Rate(0, 0).interval) == (None, None)
    assert spread([], 1) is None


@settings(max_examples=20)
@given(SAMPLES)
def test_a_spread_depends_on_samples_and_seed_not_on_their_order(samples: list[float]) -> None:
    found = spread(samples, 1)
    again = sorted(samples, reverse=True)
    assert spread(again, 1) == found
    assert found is not None
    assert found.n == len(samples)
    rounding = 1e-9
    assert min(samples) - rounding <= found.low <= found.high <= max(samples) + rounding
    assert found.mean == pytest.approx(statistics.fmean(samples))
    assert found.p50 == pytest.approx(statistics.median(samples))


def test_the_bootstraps_interval_is_the_normal_approximations_where_that_is_good() -> None:
    samples = [float(n % 10) for n in range(400)]
    found = spread(samples, 1)
    assert found is not None
    error = statistics.stdev(samples) / 400**0.5
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=0.05)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=0.05)


@given(SAMPLES)
def test_quantiles_go_from_the_smallest_to_the_largest(samples: list[float]) -> None:
    ordered = sorted(samples)
    assert quantile(ordered, 0) == ordered[0]
    assert quantile(ordered, 1) == ordered[-1]
    if len(ordered) > 1:
        assert quantile(ordered, 0.95) == pytest.approx(statistics.quantiles(ordered, n=20, method="inclusive")[-1])
