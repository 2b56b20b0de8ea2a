"""Drawing from logits: equal to a slow account of the rules, whichever way is taken, and to llama.cpp's chain."""

from __future__ import annotations

import ctypes
import itertools
import math
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_server.context import EngineError, Sampling
from edge_server.sampling import LogitSampler, Scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Logits = NDArray[np.float32]

HIGHEST_SHARE = 1 - 2**-53
BORDER = 1e-12  # of the total: what lies so near to top_p, rounding may keep or not

values = st.one_of(
    st.integers(-3, 3).map(float),  # ties
    st.floats(-30, 30, width=32),
    st.floats(0, 2**-12, width=32),  # neighbours in one bucket
    st.just(-math.inf),
)
vocabularies = st.lists(values, min_size=1, max_size=30).map(lambda each: np.array(each, np.float32))
samplings = st.builds(
    Sampling,
    temperature=st.one_of(st.floats(0.05, 20), st.sampled_from([1e-6, 1e6])),
    top_k=st.integers(0, 33),
    top_p=st.one_of(st.just(1.0), st.floats(0.01, 1)),
    seed=st.just(0),
)


def bucketing(n_vocab: int) -> Scratch:
    """Makes samplers never rank what is near the maximum alone."""
    scratch = Scratch(n_vocab)
    scratch.few = -1
    return scratch


def ranking(n_vocab: int) -> Scratch:
    """Makes samplers rank the whole vocabulary: slow, and a plain reading of the rules."""
    scratch = Scratch(n_vocab)
    scratch.few, scratch.near = n_vocab, math.inf
    return scratch


def reference(logits: Logits, sampling: Sampling) -> list[list[tuple[int, float]]]:
    """The tokens kept, in rank order, and their probabilities; more than one such list where rounding may decide."""
    ranked = sorted(range(len(logits)), key=lambda token: (-logits[token], token))[: sampling.top_k or None]
    peak = float(logits[ranked[0]])
    weights = [math.exp((float(logits[token]) - peak) / sampling.temperature) for token in ranked]
    sums = [math.fsum(weights[: count + 1]) for count in range(len(weights))]
    counts = set()
    for tolerance in (-BORDER, 0, BORDER):
        limit = (sampling.top_p + tolerance) * sums[-1]
        counts.add(next((count for count, total in enumerate(sums, 1) if total >= limit), len(sums)))
    return [
        [(token, weight / sums[count - 1]) for token, weight in zip(ranked[:count], weights, strict=False)]
        for count in sorted(counts)
    ]


def draws_from(sampler: LogitSampler, logits: Logits, kept: list[tuple[int, float]]) -> bool:
    """Whether each token is drawn by the stretch of random numbers, as long as its probability, that is its own."""
    start = 0.0
    for token, probability in kept:
        inset = 1e-9
        if probability > 2 * inset:
            shares = (start + inset, start + probability - inset)
            if any(sampler.token_at(logits, share) != token for share in shares):
                return False
        start += probability
    final = sampler.token_at(logits, HIGHEST_SHARE)
    tokens = [token for token, _ in kept]
    return final in tokens and sum(probability for _, probability in kept[tokens.index(final) + 1 :]) < BORDER


# --- what is drawn ---


@given(vocabularies, samplings)
def test_tokens_and_probabilities_are_those_of_the_rules(logits: Logits, sampling: Sampling) -> None:
    assume(logits.max() > -math.inf)
    expected = reference(logits, sampling)
    for scratch in (Scratch(len(logits)), bucketing(len(logits))):
        sampler = LogitSampler(sampling, scratch)
        assert any(draws_from(sampler, logits, kept) for kept in expected)


def shaped(shape: str, n_vocab: int = 4000) -> Logits:
    drawn = np.random.default_rng(5).standard_normal(n_vocab)
    if shape == "flat":
        logits = drawn
    elif shape == "peaked":
        logits = drawn * 3
        logits[[7, 1700, 60]] = 25, 24, 23
    elif shape == "tailed":
        logits = drawn
        logits[::9] = 18 - 2 * np.log(np.arange(1, len(logits[::9]) + 1))
    elif shape == "tied":
        logits = np.round(drawn * 2) / 2
    elif shape == "masked":
        logits = np.where(np.arange(n_vocab) % 10 == 3, drawn, -math.inf)
    elif shape == "outlying":
        logits = drawn
        logits[3] = -1e30
    else:
        logits = np.zeros(n_vocab)
    return logits.astype(np.float32)


SHAPES = ("flat", "peaked", "tailed", "tied", "masked", "outlying", "equal")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cut", [(0, 0.8), (0, 1.0), (40, 1.0), (900, 0.5), (0, 1e-9)], ids=str)
def test_every_way_draws_the_same_of_a_large_vocabulary(shape: str, cut: tuple[int, float]) -> None:
    logits = shaped(shape)
    shares = [random.Random(number).random() for number in range(6)] + [0.0, 1 - 1e-9]
    for temperature in (0.1, 0.8, 5.0):
        sampling = Sampling(temperature, *cut, seed=0)
        ways = [LogitSampler(sampling, make(len(logits))) for make in (Scratch, bucketing, ranking)]
        for share in shares:
            assert len({way.token_at(logits, share) for way in ways}) == 1


def test_of_equal_logits_the_lower_ids_are_kept_exactly_k() -> None:
    logits = np.array([1, 2, 2, 0, 2, 2, 1], np.float32)
    for scratch in (Scratch(7), bucketing(7)):
        for top_k, kept in ((1, [1]), (3, [1, 2, 4]), (4, [1, 2, 4, 5]), (5, [1, 2, 4, 5, 0])):
            sampler = LogitSampler(Sampling(1e6, top_k, 1, 0), scratch)
            shares = [(rank + 0.5) / top_k for rank in range(top_k)]
            assert [sampler.token_at(logits, share) for share in shares] == kept


@pytest.mark.parametrize("make", [Scratch, bucketing])
def test_top_p_keeps_the_fewest_that_reach_it_and_at_least_one(make: Any) -> None:
    logits = np.zeros(10, np.float32)
    for top_p, kept in ((0.5, 5), (0.500001, 6), (0.4999, 5), (1e-300, 1), (0.1, 1), (0.91, 10)):
        sampler = LogitSampler(Sampling(0.8, 0, top_p, 0), make(10))
        assert {sampler.token_at(logits, step / 100) for step in range(100)} == set(range(kept))


@pytest.mark.parametrize("make", [Scratch, bucketing])
def test_a_token_s_stretch_of_random_numbers_begins_at_its_start_and_ends_before_the_next(make: Any) -> None:
    sampler = LogitSampler(Sampling(0.8, 0, 1, 0), make(4))
    for step in range(4):
        shares = (step / 4, math.nextafter((step + 1) / 4, 0))
        assert [sampler.token_at(np.zeros(4, np.float32), share) for share in shares] == [step, step]


def test_top_p_counts_of_what_top_k_left() -> None:
    logits = np.log(np.array([0.4, 0.3, 0.2, 0.1])).astype(np.float32)
    sampler = LogitSampler(Sampling(1, 2, 0.5, 0), Scratch(4))  # 0.4 of 0.7 is more than a half
    assert {sampler.token_at(logits, step / 100) for step in range(100)} == {0}


@pytest.mark.parametrize("shape", SHAPES)
def test_temperature_zero_takes_the_first_of_the_likeliest(shape: str) -> None:
    logits = shaped(shape)
    sampler = LogitSampler(Sampling(0, 5, 0.5, 0), Scratch(len(logits)))
    assert sampler.sample(logits) == logits.tolist().index(max(logits.tolist()))


def test_draws_are_distributed_as_the_probabilities() -> None:
    logits = np.random.default_rng(2).standard_normal(300).astype(np.float32)
    sampling, count = Sampling(0.9, 60, 0.9, 11), 8_000
    (kept,) = reference(logits, sampling)
    sampler = LogitSampler(sampling, Scratch(300))
    drawn = Counter(sampler.sample(logits) for _ in range(count))
    assert set(drawn) == {token for token, _ in kept}
    squares = sum((drawn[token] - count * share) ** 2 / (count * share) for token, share in kept)
    freedom = len(kept) - 1
    assert abs(squares - freedom) < 4 * math.sqrt(2 * freedom)  # chi-squared, four standard deviations


# --- random numbers ---


@pytest.mark.parametrize("shape", SHAPES)
def test_each_draw_takes_one_random_number(shape: str) -> None:
    logits = shaped(shape)
    for top_k in (0, 3):
        sampling = Sampling(0.8, top_k, 0.8, 21)
        sampler, numbers = LogitSampler(sampling, Scratch(len(logits))), random.Random(21)
        asked = LogitSampler(sampling, Scratch(len(logits)))
        for _ in range(5):
            assert sampler.sample(logits) == asked.token_at(logits, numbers.random())


def test_the_seed_decides_the_draws_and_any_integer_is_one() -> None:
    logits, scratch = shaped("flat"), Scratch(4000)

    def run(seed: int) -> tuple[int, ...]:
        sampler = LogitSampler(Sampling(1, 0, 1, seed), scratch)
        return tuple(sampler.sample(logits) for _ in range(4))

    seeds = (0, 1, -1, 2**31, 2**63 - 1, -(2**80))
    runs = {seed: run(seed) for seed in seeds}
    assert len(set(runs.values())) == len(seeds)
    for seed in seeds:
        assert run(seed) == runs[seed] == run(seed + 2**32 - 1)


def test_samplers_that_share_scratch_draw_as_alone() -> None:
    shapes, scratch = [shaped(shape) for shape in SHAPES], Scratch(4000)

    def samplers(scratches: itertools.repeat[Scratch] | list[Scratch]) -> list[LogitSampler]:
        cuts = ((0, 0.8), (0, 1), (50, 0.9))
        return [LogitSampler(Sampling(0.8, *cut, seed=3), each) for cut, each in zip(cuts, scratches, strict=False)]

    alone, together = samplers([Scratch(4000) for _ in range(3)]), samplers(itertools.repeat(scratch))
    expected = [[sampler.sample(logits) for logits in shapes] for sampler in alone]
    drawn = [[sampler.sample(logits) for sampler in together] for logits in shapes]
    assert [list(tokens) for tokens in zip(*drawn, strict=True)] == expected


# --- odd logits and temperatures ---


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_are_only_read(shape: str) -> None:
    logits = shaped(shape)
    logits.flags.writeable = False  # whoever writes fails
    for temperature, top_k in ((0, 0), (0.8, 0), (0.8, 20), (1e6, 0), (1e6, 20)):
        sampler = LogitSampler(Sampling(temperature, top_k, 0.9, 0, (5, 2.0)), Scratch(len(logits)))
        assert 0 <= sampler.sample(logits) < len(logits)


@pytest.mark.parametrize("temperature", [0, 0.8, math.inf])
@pytest.mark.parametrize("broken", [[1, math.nan, 2], [math.nan] * 3, [1, math.inf, 2], [-math.inf] * 3], ids=str)
def test_broken_logits_are_an_error_of_one_line(broken: list[float], temperature: float) -> None:
    sampler = LogitSampler(Sampling(temperature, 0, 0.8, 0), Scratch(3))
    with pytest.raises(EngineError, match=r"^no token can be drawn: the highest logit is (nan|inf|-inf)[^\n]*$"):
        sampler.sample(np.array(broken, np.float32))


def test_a_nan_among_many_is_found() -> None:
    for place in (0, 1, 1999, 3998, 3999):
        logits = shaped("peaked")
        logits[place] = math.nan
        with pytest.raises(EngineError):
            LogitSampler(Sampling(0.8, 0, 0.8, 0), Scratch(4000)).sample(logits)


def test_logits_of_another_vocabulary_are_an_error() -> None:
    with pytest.raises(EngineError, match=r"^logits of shape \(4,\) are not those of 3 tokens$"):
        LogitSampler(Sampling(0, 0, 1, 0), Scratch(3)).sample(np.zeros(4, np.float32))


@pytest.mark.parametrize("make", [Scratch, bucketing])
@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-6, 1e6, 1e300, 1.7e308, math.inf])
@pytest.mark.parametrize("cut", [(0, 1.0), (0, 0.9), (3, 1.0)], ids=str)
def test_extreme_temperatures_and_logits(make: Any, temperature: float, cut: tuple[int, float]) -> None:
    highest, lowest = float(np.finfo(np.float32).max), float(np.finfo(np.float32).min)
    shares = (0, 0.3, 0.45, 0.7, HIGHEST_SHARE)
    sampler = LogitSampler(Sampling(temperature, *cut, seed=0), make(6))
    for values, level in (
        ([-math.inf, 3, 3, 3, 2, -math.inf], 1e6),
        ([lowest, highest, highest, highest, 2, -math.inf], 1e300),
    ):
        logits = np.array(values, np.float32)
        drawn = [sampler.token_at(logits, share) for share in shares]
        levelled = temperature >= level and cut[0] != 3  # all but -inf weigh the same
        finite = [token for token, value in enumerate(values) if value > -math.inf]
        weighty = sorted(finite, key=lambda token: -values[token]) if levelled else [1, 2, 3]
        assert drawn == [weighty[math.floor(share * len(weighty))] for share in shares]


@pytest.mark.parametrize("make", [Scratch, bucketing])
@pytest.mark.parametrize("temperature", [0, 1e-6, 0.8, 1e6])
def test_a_vocabulary_of_one(make: Any, temperature: float) -> None:
    for logit in (-1e30, 0, 50):
        sampler = LogitSampler(Sampling(temperature, 2, 0.5, 0), make(1))
        assert [sampler.sample(np.array([logit], np.float32)) for _ in range(3)] == [0] * 3


# --- against llama.cpp ---


def llama_keeps(logits: Logits, sampling: Sampling) -> dict[int, float]:
    """What llama.cpp's sampler chain keeps, and the probabilities it draws with."""
    import llama_cpp.llama_cpp as api

    data = (api.llama_token_data * len(logits))()
    for token, logit in enumerate(logits.tolist()):
        data[token].id, data[token].logit = token, logit
    array = api.llama_token_data_array(data, len(logits), -1, False)
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    api.llama_sampler_chain_add(chain, api.llama_sampler_init_temp(sampling.temperature))
    if sampling.top_k:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_top_p(sampling.top_p, 1))
    api.llama_sampler_chain_add(chain, api.llama_sampler_init_dist(1))
    api.llama_sampler_apply(chain, ctypes.byref(array))
    kept = {int(array.data[index].id): float(array.data[index].p) for index in range(array.size)}
    api.llama_sampler_free(chain)
    return kept


@pytest.mark.real
@pytest.mark.parametrize("spread", [0.3, 2.0, 6.0])
@pytest.mark.parametrize("cut", [(0, 0.8), (0, 1.0), (40, 1.0), (40, 0.7), (3000, 0.9)], ids=str)
def test_llama_cpp_keeps_the_same_tokens_with_the_same_probabilities(spread: float, cut: tuple[int, float]) -> None:
    """Up to a share of 1e-5 at the border of top-p, and 1e-4 of each probability: llama.cpp sums in float32."""
    for seed in range(3):
        logits = (np.random.default_rng(seed).standard_normal(5000) * spread).astype(np.float32)
        sampling = Sampling(0.8, *cut, seed=0)
        theirs = llama_keeps(logits, sampling)
        sampler = LogitSampler(sampling, Scratch(len(logits)))
        ranked = np.argsort(-logits, kind="stable").tolist()
        last = ranked.index(sampler.token_at(logits, HIGHEST_SHARE))
        ours = set(ranked[: last + 1])
        weights = np.exp(logits.astype(np.float64) / sampling.temperature)
        differing = list(ours ^ theirs.keys())
        assert weights[differing].sum() <= 1e-5 * weights[ranked].sum()

        total = weights[list(ours)].sum()
        for token, probability in theirs.items():
            assert probability == pytest.approx(weights[token] / total, rel=1e-4)
        starts = np.cumsum(weights[ranked]) / total - weights[ranked] / total
        for rank in {*range(min(last, 20)), last // 2, last}:
            probability = weights[ranked[rank]] / total
            if probability > 1e-12:
                assert sampler.token_at(logits, starts[rank] + probability / 2) == ranked[rank]
