"""Draws a token from logits: temperature, then top-k, then top-p, then one random number. Knows no llama.cpp.

What is drawn, exactly, for logits l, in float64. Tokens are ranked by logit, of equal ones the lower id first.

0. At a generation's first draw, a bias is added to the logit of one token.
1. Temperature 0 takes the first in rank. Otherwise a token weighs w = exp((l - max l) / temperature).
2. top-k keeps the first k; top-p of them the fewest first ones whose weights reach top_p of their sum, at least one.
3. A random number in [0, 1), times the sum of the weights kept, is counted off in rank order: the token whose weight
   the running sum passes it with is drawn.

How it is drawn, with work in proportion to the vocabulary and no sort of it (but for its odd cases: almost all logits
equal, or masked and at a temperature of hundreds):

- Where few tokens are near the maximum, only those are ranked. What the others weigh has an upper bound; if nothing and
  that bound lead to the same token, then so does the truth.
- Otherwise all are weighed and put into buckets by logit. The buckets' sums tell in which one the border of top-p lies
  and in which one the draw, and only those two are ranked. (With top-k: a selection finds the k first.)

Sums of 100,000 numbers in another order differ by some 1e-16 of the total, which is all that the ways differ by. The
logits and the random number decide the way, so the same ones give the same token on the same machine.
"""

from __future__ import annotations

import math
import random
import sys
from typing import TYPE_CHECKING

import numpy as np

from edge_server.context import EngineError, Sampling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Logits = NDArray[np.float32]

_BUCKETS = 2048
_WEIGHTLESS = 40  # a token so many temperatures below the maximum weighs 4e-18 of it
_WIDTHS = (1e-30, 1e35)  # of all buckets together, so that float32 can hold 1 / width


class Scratch:
    """Memory for `LogitSampler.sample`: 21 bytes a token. Any number of samplers can share it, on one thread."""

    def __init__(self, n_vocab: int) -> None:
        self.n_vocab = n_vocab
        self.mask = np.empty(n_vocab, np.bool_)
        self.logits = np.empty(n_vocab, np.float32)
        self.buckets = np.empty(n_vocab, np.intp)
        self.weights = np.empty(n_vocab, np.float64)
        self.near = math.log(n_vocab) + 4  # temperatures: all that is farther away weighs less than e**-4, together
        self.few = n_vocab // 4  # ranking more is slower than the buckets


class LogitSampler:
    """One random stream. Each draw takes one number of `random.Random(seed)`; temperature 0 takes none."""

    def __init__(self, sampling: Sampling, scratch: Scratch) -> None:
        self._temperature = min(float(sampling.temperature), sys.float_info.max)  # -inf / inf would be NaN
        self._top_k = sampling.top_k if 0 < sampling.top_k < scratch.n_vocab else None
        self._top_p = sampling.top_p
        self._first_bias = sampling.first_bias
        self._random = random.Random(sampling.seed % (2**32 - 1))
        self._scratch = scratch

    def sample(self, logits: Logits) -> int:
        """Draws a token from `logits`, float32 [n_vocab], which are only read; -inf is never drawn.

        Raises `EngineError` for a NaN, for +inf, or where all are -inf.
        """
        if self._first_bias is not None:
            (token, bias), self._first_bias = self._first_bias, None
            logits = logits.copy()  # once a generation; what was decoded stays as it is
            logits[token] += np.float32(bias)
        if self._temperature == 0:
            _peak(logits, self._scratch)
            return int(logits.argmax())
        return self.token_at(logits, self._random.random())

    def token_at(self, logits: Logits, share: float) -> int:
        """The token that the random number `share`, in [0, 1), draws at a temperature above 0. As `sample`."""
        peak = _peak(logits, self._scratch)
        with np.errstate(over="ignore"):  # to an infinity, whose weight is the 0 that it should be
            token = self._draw_near(logits, peak, share)
            if token is not None:
                return token
            if self._top_k is not None:
                return self._draw_first(logits, peak, share, self._top_k)
            return self._draw_any(logits, peak, share)

    def _draw_near(self, logits: Logits, peak: float, share: float) -> int | None:
        """Draws by the tokens near the maximum; None where they are many, or where the others matter."""
        scratch = self._scratch
        floor = np.float32(peak - scratch.near * self._temperature)
        np.greater_equal(logits, floor, out=scratch.mask)
        if np.count_nonzero(scratch.mask) > scratch.few:
            return None
        ranking = _Ranking(logits, np.flatnonzero(scratch.mask), peak, self._temperature)
        if self._top_k is not None:
            if len(ranking.sums) < self._top_k:
                return None
            return ranking.token(self._rank(ranking.sums[: self._top_k], 0, share))
        others = scratch.n_vocab - len(ranking.sums)
        rank = self._rank(ranking.sums, 0, share)
        most = others * math.exp((float(floor) - peak) / self._temperature)
        return ranking.token(rank) if rank == self._rank(ranking.sums, most, share) else None

    def _rank(self, sums: NDArray[np.float64], beyond: float, share: float) -> int:
        """The rank drawn, given the running sums of the first weights and what is `beyond`; may be past their end."""
        total = float(sums[-1]) + beyond
        border = int(sums.searchsorted(self._top_p * total))
        kept = float(sums[border]) if border < len(sums) else total
        return int(sums.searchsorted(share * kept, side="right"))

    def _draw_first(self, logits: Logits, peak: float, share: float, count: int) -> int:
        """Draws by the `count` first tokens."""
        scratch = self._scratch
        np.copyto(scratch.logits, logits)
        scratch.logits.partition(scratch.n_vocab - count)
        np.greater_equal(logits, scratch.logits[scratch.n_vocab - count], out=scratch.mask)
        ranking = _Ranking(logits, np.flatnonzero(scratch.mask), peak, self._temperature)
        return ranking.token(self._rank(ranking.sums[:count], 0, share))

    def _draw_any(self, logits: Logits, peak: float, share: float) -> int:
        """Draws by all tokens, top-k being off."""
        scratch = self._scratch
        self._fill_buckets(logits, peak)
        np.subtract(logits, peak, out=scratch.weights, dtype=np.float64)
        np.divide(scratch.weights, self._temperature, out=scratch.weights)
        np.exp(scratch.weights, out=scratch.weights)
        sums = np.bincount(scratch.buckets, scratch.weights, _BUCKETS).cumsum()

        limit = self._top_p * float(sums[-1])
        border = int(sums.searchsorted(limit))
        before = float(sums[border - 1]) if border else 0.0
        ranking = self._rank_bucket(logits, peak, border)
        last = min(int(ranking.sums.searchsorted(limit - before)), ranking.last)
        drawn = share * (before + float(ranking.sums[last]))

        bucket = int(sums.searchsorted(drawn, side="right"))
        if bucket < border:
            before = float(sums[bucket - 1]) if bucket else 0.0
            ranking = self._rank_bucket(logits, peak, bucket)
            last = ranking.last
        # Rounding may put the number past the bucket's end.
        return ranking.token(min(int(ranking.sums.searchsorted(drawn - before, side="right")), last))

    def _fill_buckets(self, logits: Logits, peak: float) -> None:
        """Numbers each token's bucket, the maximum's is 0. A lower logit is in the same or a later one."""
        scratch = self._scratch
        width = min(peak - float(logits.min()), _WEIGHTLESS * self._temperature)
        width = min(max(width, _WIDTHS[0]), _WIDTHS[1])
        np.subtract(logits, np.float32(peak), out=scratch.logits)
        np.multiply(scratch.logits, np.float32(-_BUCKETS / width), out=scratch.logits)
        np.minimum(scratch.logits, np.float32(_BUCKETS - 1), out=scratch.logits)
        np.copyto(scratch.buckets, scratch.logits, casting="unsafe")

    def _rank_bucket(self, logits: Logits, peak: float, bucket: int) -> _Ranking:
        np.equal(self._scratch.buckets, bucket, out=self._scratch.mask)
        return _Ranking(logits, np.flatnonzero(self._scratch.mask), peak, self._temperature)


class _Ranking:
    """Some tokens (ascending ids), ranked: `sums` are the running sums of their weights in rank order."""

    def __init__(self, logits: Logits, tokens: NDArray[np.intp], peak: float, temperature: float) -> None:
        self._tokens = tokens
        self._logits = logits[tokens]
        self._ranked = np.sort(self._logits)[::-1]
        weights = np.subtract(self._ranked, peak, dtype=np.float64)
        np.divide(weights, temperature, out=weights)
        np.exp(weights, out=weights)
        self.sums = weights.cumsum()

    @property
    def last(self) -> int:
        """The last rank whose weight adds to the sum."""
        return int(self.sums.searchsorted(self.sums[-1]))

    def token(self, rank: int) -> int:
        logit = self._ranked[rank]
        equals = self._tokens[self._logits == logit]
        return int(equals[rank - np.count_nonzero(self._ranked > logit)])


def _peak(logits: Logits, scratch: Scratch) -> float:
    """The highest logit. Raises `EngineError` if nothing can be drawn."""
    if logits.shape != (scratch.n_vocab,):
        raise EngineError(f"logits of shape {logits.shape} are not those of {scratch.n_vocab} tokens")
    peak = float(logits.max())  # NaN if there is one
    if not math.isfinite(peak):
        raise EngineError(f"no token can be drawn: the highest logit is {peak}, so the model's output is broken")
    return peak
