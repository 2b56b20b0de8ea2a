"""How far a quantised model's predictions are from its source's. Pure NumPy on logits and log-probabilities; knows no
model, no file and no conversation but for which rows are a slice's first.

All logarithms are natural. `docs/quantization.md` says what each figure is for.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z_95 = 1.959963984540054  # the standard normal's 97.5 % quantile


@dataclass(frozen=True)
class Rate:
    """`k` of `n` cases, and the 95 % Wilson score interval of their share; without cases all three shares are None."""

    rate: float | None
    k: int
    n: int
    low: float | None
    high: float | None

    @staticmethod
    def of(k: int, n: int) -> Rate:
        """Wilson, E. B. (1927): Probable inference, the law of succession, and statistical inference."""
        if n == 0:
            return Rate(None, 0, 0, None, None)
        share, z2 = k / n, Z_95**2
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        reach = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
        # At the ends the formula's rounding must not cut off the share itself.
        return Rate(share, k, n, min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach)))


@dataclass(frozen=True)
class Quality:
    """What the comparison came to, over `tokens` tokens of the assistant and `slices` slices of it.

    `perplexity` is that of the transcripts' own tokens. `kl` and `kl_p99` are the mean and the 99th percentile over
    tokens of the divergence from the source, in nats. `top1`: both find the same token likeliest. The others are about
    the first token of a slice: `idle_agreement`, the likeliest token is `<idle>` in both or in neither;
    `false_speech`, it is not `<idle>` where the source's is; `false_silence`, the reverse; `idle_shift` and
    `idle_distance`, the mean of P(idle) minus the source's, with its sign and without.
    """

    tokens: int
    slices: int
    perplexity: float
    kl: float
    kl_p99: float
    top1: Rate
    idle_agreement: Rate
    false_speech: Rate
    false_silence: Rate
    idle_shift: float | None
    idle_distance: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def log_probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logarithm of the softmax of each row. The sums are taken in float64, the result is float32 as the logits."""
    shifted: NDArray[np.float32] = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(shifted).sum(axis=1, keepdims=True, dtype=np.float64)
    shifted -= np.log(sums).astype(np.float32)
    return shifted


class Comparison:
    """Takes the rows of both models as they come, and holds a few numbers a row."""

    def __init__(self, idle: int) -> None:
        """`idle`: the id of the token that is a whole slice of silence."""
        self._idle = idle
        self._losses: list[NDArray[np.float64]] = []
        self._divergences: list[NDArray[np.float64]] = []
        self._same = 0
        self._silent = [[0, 0], [0, 0]]  # slices, by whether the source and then whether the candidate is silent
        self._shifts: list[NDArray[np.float64]] = []

    def add(
        self,
        source: NDArray[np.float32],
        candidate: NDArray[np.float32],
        targets: NDArray[np.int64],
        first: NDArray[np.bool_],
    ) -> None:
        """Both models' log-probabilities, (rows, vocabulary); the token behind each row; whether it begins a slice."""
        rows = np.arange(len(targets))
        self._losses.append(-candidate[rows, targets].astype(np.float64))
        weighted = np.exp(source)
        weighted *= source - candidate
        self._divergences.append(weighted.sum(axis=1, dtype=np.float64))
        top, other = source.argmax(axis=1), candidate.argmax(axis=1)
        self._same += int((top == other).sum())
        for silent, silent_too in zip(top[first] == self._idle, other[first] == self._idle, strict=True):
            self._silent[int(silent)][int(silent_too)] += 1
        idle = np.exp(np.stack([source[first, self._idle], candidate[first, self._idle]]).astype(np.float64))
        self._shifts.append(idle[1] - idle[0])

    def quality(self) -> Quality:
        """The figures over all rows so far. Raises ValueError where there were none."""
        losses, divergences = np.concatenate(self._losses), np.concatenate(self._divergences)
        if not losses.size:
            raise ValueError("nothing was compared")
        shifts = np.concatenate(self._shifts)
        (both_speak, false_silence), (false_speech, both_silent) = self._silent
        return Quality(
            tokens=losses.size,
            slices=shifts.size,
            perplexity=float(np.exp(losses.mean())),
            kl=float(divergences.mean()),
            kl_p99=float(np.percentile(divergences, 99)),
            top1=Rate.of(self._same, losses.size),
            idle_agreement=Rate.of(both_speak + both_silent, shifts.size),
            false_speech=Rate.of(false_speech, false_speech + both_silent),
            false_silence=Rate.of(false_silence, false_silence + both_speak),
            idle_shift=float(shifts.mean()) if shifts.size else None,
            idle_distance=float(np.abs(shifts).mean()) if shifts.size else None,
        )
