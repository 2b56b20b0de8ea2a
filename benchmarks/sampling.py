"""Times a draw from a real vocabulary's logits, beside llama.cpp's own sampler chain on the same logits.

    python -m benchmarks.sampling [--seconds 2] [--vocabulary 122760] [--temperature 0.8] [--top-k 0] [--top-p 0.8]

For each of three kinds of logits, in turns so that a machine that slows down slows both: microseconds a draw (median),
and the ratio. Peaked: three tokens share almost everything. Mixed: some thousand tokens matter. Flat: all do.
llama.cpp's time is that of the chain alone, without filling its array of tokens from the logits before each draw.
The last line is JSON. Needs no model.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import time
from typing import TYPE_CHECKING

import llama_cpp.llama_cpp as api
import numpy as np

from edge_server.context import Sampling
from edge_server.sampling import LogitSampler, Scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Logits = NDArray[np.float32]

_TOKEN = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # llama_token_data
_FEWEST = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2, help="for each kind of logits")
    parser.add_argument("--vocabulary", type=int, default=122_760)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-k", type=int, default=0)
    parser.add_argument("--top-p", type=float, default=0.8)
    options = parser.parse_args()
    if options.vocabulary < 1000:
        parser.error("--vocabulary must be 1000 or more")
    try:
        sampling = Sampling(options.temperature, options.top_k, options.top_p, seed=1)
    except ValueError as error:
        parser.error(str(error))
    print(f"{'logits':8} {'ours':>10} {'llama.cpp':>12} {'ratio':>8}   {options.vocabulary:,} tokens, {sampling}")
    results = {}
    for name, logits in kinds(options.vocabulary).items():
        ours, theirs = compare(logits, sampling, options.seconds)
        print(f"{name:8} {ours:7.0f} us {theirs:9.0f} us {ours / theirs:8.3f}", flush=True)
        results[name] = {"ours_us": round(ours, 1), "llama_us": round(theirs, 1), "ratio": round(ours / theirs, 4)}
    print(json.dumps({"vocabulary": options.vocabulary, "draws": results}))


def kinds(n_vocab: int) -> dict[str, Logits]:
    """Logits, float32 [n_vocab], by how spread out their probabilities are."""
    noise = np.random.default_rng(1).standard_normal(n_vocab)
    peaked, mixed = 3 * noise, 2.5 * noise
    peaked[[n_vocab // 7, n_vocab // 3, n_vocab // 2]] = 22, 21, 20
    likely = np.arange(1, n_vocab // 60 + 1)
    mixed[likely * 59] = 18 - 1.5 * np.log(likely)
    return {name: logits.astype(np.float32) for name, logits in (("peaked", peaked), ("mixed", mixed), ("flat", noise))}


def compare(logits: Logits, sampling: Sampling, seconds: float) -> tuple[float, float]:
    """Median microseconds of a draw: ours, llama.cpp's."""
    sampler, chain = LogitSampler(sampling, Scratch(len(logits))), _Chain(logits, sampling)
    ours: list[float] = []
    theirs: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(ours) < _FEWEST:
        start = time.perf_counter()
        sampler.sample(logits)
        ours.append(time.perf_counter() - start)
        theirs.append(chain.time())
    chain.close()
    return 1e6 * statistics.median(ours), 1e6 * statistics.median(theirs)


class _Chain:
    """llama.cpp's samplers as a server would chain them. After use you must call `close`."""

    def __init__(self, logits: Logits, sampling: Sampling) -> None:
        self._filled = np.zeros(len(logits), _TOKEN)
        self._filled["id"], self._filled["logit"] = np.arange(len(logits)), logits
        self._tokens = self._filled.copy()
        self._chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
        links = []
        if sampling.temperature == 0:
            links.append(api.llama_sampler_init_greedy())
        else:
            links.append(api.llama_sampler_init_temp(sampling.temperature))
            if sampling.top_k:
                links.append(api.llama_sampler_init_top_k(sampling.top_k))
            if sampling.top_p < 1:
                links.append(api.llama_sampler_init_top_p(sampling.top_p, 1))
            links.append(api.llama_sampler_init_dist(sampling.seed))
        for link in links:
            api.llama_sampler_chain_add(self._chain, link)

    def time(self) -> float:
        """Seconds that one draw took."""
        np.copyto(self._tokens, self._filled)
        data = self._tokens.ctypes.data_as(api.llama_token_data_p)
        array = api.llama_token_data_array(data, len(self._tokens), -1, False)
        start = time.perf_counter()
        api.llama_sampler_apply(self._chain, ctypes.byref(array))
        return time.perf_counter() - start

    def close(self) -> None:
        api.llama_sampler_free(self._chain)


if __name__ == "__main__":
    main()
