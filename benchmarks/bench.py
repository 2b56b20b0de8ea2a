"""What every row needs: the model, how much to measure, the contenders' processes, words to say, progress."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from benchmarks.edge import EdgeServer, look_ahead
from benchmarks.llama_server import LlamaServer, find_llama_server
from benchmarks.machine import available_memory
from benchmarks.synthetic import words
from benchmarks.workers import BenchmarkError, Worker
from convert.minicpm import read_config

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SLICE = 15  # tokens: the server's cap for MiniCPM-duplex
CHUNK = 64  # tokens that the server prefills in a decode call
_SETTLE_SECONDS = 0.05


@dataclass(frozen=True)
class Plan:
    """How much is measured. Lengths in tokens, waits in seconds."""

    lengths: tuple[int, ...] = (100, 340, 1000, 2000)
    rounds: int = 5  # slices of each contender at each length
    ticks: int = 20  # silent ticks, with look-ahead and without
    tick_seconds: float = 2.0  # from a reply to the next tick: time to look ahead
    barge_ins: int = 12
    page: int = 256
    pages: int = 6
    parked: int = 500
    switches: int = 8
    sessions: tuple[int, ...] = (1, 2, 4, 8)
    batch_rounds: int = 3
    paced: int = 5  # slices of each session
    slice_seconds: float = 2.0
    sampling_rounds: int = 8
    starts: int = 2


FULL = {
    "real": Plan(
        rounds=3, ticks=12, barge_ins=8, pages=3, switches=4, batch_rounds=2, paced=4, sampling_rounds=4, starts=1
    ),
    "pocket": Plan(rounds=8, ticks=60, tick_seconds=0.25, barge_ins=30, pages=20, switches=16),
}
QUICK = {
    "real": Plan((100, 340), 2, 4, 2.0, 2, 128, 1, 150, 1, (1, 4), 1, 2, 2.0, 2, 1),
    "pocket": Plan((100, 340), 4, 8, 0.2, 6, 256, 3, 500, 3, (1, 2, 4), 1, 2, 2.0, 3, 1),
}


@dataclass
class Bench:
    """One model under measurement."""

    name: str
    path: Path
    config: dict[str, Any]
    plan: Plan
    threads: int
    log: IO[bytes]
    bandwidth: float  # bytes a second
    flash: int = -1  # flash attention in the bare loop: 1 on, 0 off, -1 as llama.cpp decides, like the server
    started: float = field(default_factory=time.monotonic)
    random: random.Random = field(default_factory=lambda: random.Random(0))
    quiet: bool = False

    # --- contenders

    def raw(self, cells: int, *, sequences: int = 1, batch: int = CHUNK, flash: int | None = None) -> Worker:
        """The bare loop; `flash` None is `self.flash`."""
        numbers = (cells, sequences, batch, self.threads, self.flash if flash is None else flash)
        return Worker("benchmarks.raw", str(self.path), *map(str, numbers), log=self.log)

    def high_level(self, cells: int) -> Worker:
        """The high-level bindings."""
        return Worker("benchmarks.high_level", str(self.path), str(cells), str(self.threads), log=self.log)

    def llama_server(self, cells: int, *, extra_buffers: bool) -> contextlib.AbstractContextManager[LlamaServer | None]:
        """llama-server, or None where there is none."""
        binary = find_llama_server(ROOT)
        if binary is None:
            return contextlib.nullcontext(None)
        return LlamaServer(
            binary, self.path, cells=cells, threads=self.threads, extra_buffers=extra_buffers, log=self.log
        )

    def edge(
        self,
        ctx: int,
        *options: str,
        sessions: int = 1,
        ahead: bool | None = False,
        temperature: float = 0.0,
    ) -> EdgeServer:
        """The project's server with room for `sessions` contexts; `ahead` None leaves look-ahead at its default."""
        common = ["--ctx", str(ctx), "--kv-cells", str(ctx * sessions), "--sessions", str(sessions)]
        common += ["--threads", str(self.threads), "--temperature", str(temperature), "--seed", "1"]
        guessing = () if ahead is None else look_ahead(ahead)
        return EdgeServer(self.path, *common, *guessing, *options, log=self.log)

    # --- what is said

    def words(self, count: int) -> str:
        """`count` everyday words, a token each or little more."""
        return " ".join(self.random.choice(words()) for _ in range(count))

    # --- the machine

    @property
    def cell_bytes(self) -> int:
        """Bytes of a token in the KV cache (f16)."""
        model = read_config(self.config, "the configuration")
        return 2 * 2 * model.layers * model.kv_heads * model.head

    def step_limit(self, length: int, tensor_bytes: float) -> float:
        """Seconds that reading all weights and the KV cache of `length` tokens takes at the measured bandwidth."""
        return (tensor_bytes + length * self.cell_bytes) / self.bandwidth

    def need_memory(self, contenders: int, cells: int) -> None:
        """Raises `BenchmarkError` where so many processes with a KV cache of so many cells each do not fit."""
        free = available_memory()
        size = self.path.stat().st_size
        # Each may hold repacked weights, up to the file's size, beside the mapped file that they share.
        needed = size + contenders * (size * 0.7 + cells * self.cell_bytes + 3e8)
        if free is not None and needed > free:
            raise BenchmarkError(
                f"needs about {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} are free: "
                "end other programs, or measure --model pocket"
            )

    @staticmethod
    def settle() -> None:
        """Lets the threads of the contender before fall asleep: OpenMP's wait for more work in a loop, some 20 ms."""
        time.sleep(_SETTLE_SECONDS)

    def say(self, text: str) -> None:
        """One line of progress."""
        if not self.quiet:
            seconds = int(time.monotonic() - self.started)
            print(f"{seconds // 60:3d}:{seconds % 60:02d}  {self.name}: {text}", file=sys.stderr, flush=True)


class Script:
    """What a conversation's slices are in tokens, as the server writes them: for contenders that take tokens."""

    def __init__(self, raw: Worker) -> None:
        hello = raw.ask("hello")
        self._raw = raw
        self.bos, self.eos = int(hello["bos"]), int(hello["eos"])
        self.tensor_bytes = float(hello["tensor_bytes"])
        self.repacked_bytes = float(hello["repacked_bytes"])
        self.extra_buffers = "AMX_INT8 = 1" not in hello["system"]
        self.silence = [
            *self._tokens("<用户>"),
            *raw.ask("tokenize", text="<idle>", special=True)["tokens"],
            *self._tokens("<AI>"),
        ]

    def text(self, text: str) -> list[int]:
        """The user's half of a slice pair with words."""
        return self._tokens(f"<用户>{text}<AI>")

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._raw.ask("tokenize", text=text)["tokens"]
        return tokens


def alternating(contenders: list[Any], rounds: int) -> Iterator[tuple[int, list[Any]]]:
    """`rounds` rounds, each beginning with another contender: what drifts or follows from the order hits all alike."""
    for number in range(rounds):
        start = number % len(contenders)
        yield number + 1, contenders[start:] + contenders[:start]
