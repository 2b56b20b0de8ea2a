"""What a decode call costs with each kind of KV cache and attention, by the length of the context.

    python -m benchmarks.attention MODEL.gguf [--lengths 500,2000,4000] [--sizes 1,8,64] [--others 0] [--threads 1]

Prints docs/tuning.md's table, milliseconds. With one thread that is the thread's processor time, so that waiting for
what else the machine does is not counted; with more it is the time that passed. A long context is made of copies of a
short one, whose cells are moved to later positions: what they hold does not matter, and filling it would take minutes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import llama_cpp.llama_cpp as api

from edge_server.context import EngineError, Feed, PoolFull
from edge_server.llama import Context, Model, ModelError

PLACES = (("off, f16", "f16", False), ("on, f16", "f16", True), ("on, q8_0", "q8_0", True))
PIECE = 250  # tokens that are really decoded
_BATCH = 64


class Place:
    """A context with one kind of cache and attention, and `length` tokens in its slot 0."""

    def __init__(self, model: Model, cells: int, others: int, threads: int, kv_type: str, flash: bool) -> None:
        self._context = Context(
            model, cells=cells, slots=2 + others, threads=threads, kv_type=kv_type, batch=_BATCH, flash_attention=flash
        )
        self._tokens = [model.bos, *((7919 * index) % model.n_vocab for index in range(1, cells))]
        self._clock = time.process_time if threads == 1 else time.perf_counter
        for start in range(0, PIECE, _BATCH):
            self._context.decode([Feed(0, start, self._tokens[start : min(start + _BATCH, PIECE)], False)])
        self._piece = self._context.save(0)
        self.length = PIECE

    def grow(self, length: int) -> None:
        """Adds copies of the piece to slot 0 until it holds `length` tokens, a multiple of `PIECE`."""
        while self.length < length:
            self.length += PIECE
            self._add(0, self.length - PIECE)

    def fill(self, slot: int, length: int) -> None:
        """Puts `length` tokens of another session into the pool."""
        for start in range(0, length, PIECE):
            self._add(slot, start)

    def _add(self, slot: int, position: int) -> None:
        context, spare = self._context, self._context.slots - 1
        if not context.restore(spare, self._piece):
            raise PoolFull(f"the pool of {context.cells} cells is too small")
        if position:
            context.shift(spare, 0, position)
        api.llama_memory_seq_cp(api.llama_get_memory(context.pointer), spare, slot, -1, -1)
        context.remove(spare, 0)
        self.seconds(1)  # applies the shift

    def seconds(self, size: int) -> float:
        """Seconds of one call of `size` tokens in slot 0, which is taken back."""
        begin = self._clock()
        self._context.decode([Feed(0, self.length, self._tokens[:size])])
        self._context.likeliest(0)
        seconds = self._clock() - begin
        self._context.remove(0, self.length)
        return seconds


def measure(
    model: Model, lengths: list[int], sizes: list[int], *, others: int, threads: int, rounds: int
) -> list[tuple[int, int, list[float]]]:
    """For each length and size of call the median seconds at each of `PLACES`, which take turns.

    `others`: how many sessions of 500 tokens share the pool.
    """
    cells = max(lengths) + others * 2 * PIECE + PIECE + 2 * _BATCH
    places = [Place(model, cells, others, threads, kv_type, flash) for _, kv_type, flash in PLACES]
    for place in places:
        for slot in range(1, others + 1):
            place.fill(slot, 2 * PIECE)
    rows = []
    for length in lengths:
        for place in places:
            place.grow(length)
        for size in sizes:
            turns = [[place.seconds(size) for place in places] for _ in range(rounds)]
            rows.append((length, size, [statistics.median(column) for column in zip(*turns, strict=True)]))
    return rows


def _numbers(text: str) -> list[int]:
    return sorted(int(number) for number in text.split(","))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Exits with 2 where it cannot be used."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--lengths", type=_numbers, default=[500, 2000, 4000], help=f"multiples of {PIECE}")
    parser.add_argument("--sizes", type=_numbers, default=[1, 8, 64], help=f"tokens in a call, 1 to {_BATCH}")
    parser.add_argument("--others", type=int, default=0, help="sessions of 500 tokens beside")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    if any(length < PIECE or length % PIECE for length in options.lengths):
        parser.error(f"--lengths takes multiples of {PIECE}")
    if not all(1 <= size <= _BATCH for size in options.sizes):
        parser.error(f"--sizes takes 1 to {_BATCH}")
    if min(options.threads, options.rounds) < 1 or options.others < 0:
        parser.error("--threads and --rounds take 1 or more, --others 0 or more")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Prints the table. Exit codes: 0, 1 llama.cpp refused, 2 a model that cannot be used, 130 stopped."""
    options = parse(arguments)
    try:
        with Model.load(options.model) as model:
            print(f"filling {len(PLACES)} contexts", file=sys.stderr, flush=True)
            rows = measure(
                model,
                options.lengths,
                options.sizes,
                others=options.others,
                threads=options.threads,
                rounds=options.rounds,
            )
    except ModelError as error:
        return _fail(str(error), 2)
    except EngineError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    print(f"| context | call of | {' | '.join(name for name, *_ in PLACES)} |")
    print("|---|---|" + "---|" * len(PLACES))
    for length, size, seconds in rows:
        cells = " | ".join(f"{one * 1e3:,.{2 if one < 0.1 else 0}f}" for one in seconds)
        print(f"| {length:,} | {size} | {cells} |")
    return 0


def _fail(message: str, code: int) -> int:
    print(f"attention: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
