"""How sure a measured figure is: Wilson's interval for a rate, the bootstrap for a latency. Pure, and seeded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Z95 = 1.959963984540054  # the standard normal distribution's 97.5 % quantile
RESAMPLES = 1000


@dataclass(frozen=True)
class Rate:
    """`k` of `n` cases; `skipped` are those whose condition did not hold. Without cases there is no rate."""

    k: int
    n: int
    skipped: int = 0

    @property
    def rate(self) -> float | None:
        return self.k / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.k, self.n) if self.n else None


@dataclass(frozen=True)
class Spread:
    """A latency's samples: mean, median, 95 % quantile; `low` and `high` are the 95 % interval of the mean."""

    n: int
    mean: float
    p50: float
    p95: float
    low: float
    high: float


def wilson(k: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for `k` of `n` (n > 0), without continuity correction; within 0 and 1.

    Unlike the normal approximation it is of use near 0 and 1, where the rates of a good model are.
    """
    share, square = k / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # Exact where rounding would leave a trace.
    return (0.0 if k == 0 else max(0.0, middle - half), 1.0 if k == n else min(1.0, middle + half))


def spread(samples: Sequence[float], seed: int) -> Spread | None:
    """The figures of these samples; the interval is the percentile bootstrap's with `RESAMPLES` resamples.

    The same samples and seed give the same figures, in whatever order the samples come. None: there are none.
    """
    if not samples:
        return None
    ordered = sorted(samples)
    n = len(ordered)
    draw = Random(seed)
    means = sorted(math.fsum(draw.choices(ordered, k=n)) / n for _ in range(RESAMPLES))
    return Spread(
        n=n,
        mean=math.fsum(ordered) / n,
        p50=quantile(ordered, 0.5),
        p95=quantile(ordered, 0.95),
        low=quantile(means, 0.025),
        high=quantile(means, 0.975),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of ascending values (one or more), interpolated between two of them."""
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])
