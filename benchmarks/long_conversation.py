"""A conversation that outgrows its context many times over: does a slice stay as fast, and the memory as small?

    python -m benchmarks.long_conversation [--model models/pocket-q4_k_m.gguf] [--slices 10000] [--ctx 1024]
        [--every 1000] [--threads 1] [--flash-attention off] [--look-ahead]

Session and engine as the server joins them, with its default sampling; the user asks, listens and interrupts by lot,
each slice at once after the one before. A line for every 1,000 slices: the median and the slowest slice from event to
answer, the processor time of all divided by their number, resident memory, how often the transcript slid, and tokens by
what became of them. Slices that cost nothing (silence when nothing is being said) do not count. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.machine import describe, resident
from edge_server.backend import Backend
from edge_server.config import Config, ConfigError
from edge_server.driver import request_for
from edge_server.engine import EngineError, Generated, Sampling
from edge_server.events import Event, Finish, Generate, Mode, Prepare, Release, Silence, SliceDone, UserText
from edge_server.llama import ModelError
from edge_server.session import DuplexSession

if TYPE_CHECKING:
    from edge_server.events import Action

_MODEL = Path("models") / "pocket-q4_k_m.gguf"
_SAMPLING = Sampling(temperature=0.8, top_k=0, top_p=0.8, seed=0)  # the seed is each slice's own
_TELL = ("tell me a story", "how do i make pancakes", "tell me a story about the fox and the river", "go on", "uh-huh")
_ASK = ("what is the capital", "of france?", "what is two plus three?", "what day comes after monday", "stop please")
HEADER = (
    "slices",
    "median ms",
    "slowest ms",
    "CPU ms",
    "RSS MiB",
    "slides",
    "reused",
    "prefilled",
    "decoded",
    "twice",
)


class Conversation:
    """One session on an engine, and its user."""

    def __init__(self, backend: Backend, seed: int) -> None:
        self.slides = 0
        self._backend = backend
        self._session = DuplexSession(backend.vocabulary, backend.settings, Mode.DUPLEX, seed)
        self._handle = backend.engine.open()
        self._user = Random(seed)

    def slice(self) -> float:
        """Lets the next slice that the model is run for happen; the seconds from its event to its answer."""
        asks = not self._session.engaged or self._user.random() < 0.15
        texts = _TELL if self._user.random() < 0.6 else _ASK
        event: Event = UserText(self._user.choice(texts)) if asks else Silence()
        begin = time.perf_counter()
        generate = self._carry_out(self._session.receive(event))
        assert generate is not None, "what is said, and silence while the model has more to say, runs the model"
        result = self._run(generate)
        rest = self._session.receive(SliceDone(result.tokens, Finish(result.finish.value), result.likeliest_next))
        seconds = time.perf_counter() - begin
        self._carry_out(rest)
        return seconds

    def _carry_out(self, actions: list[Action]) -> Generate | None:
        """Everything but a `Generate`, which is returned."""
        asked = None
        for action in actions:
            if isinstance(action, Generate):
                asked = action
            elif isinstance(action, Prepare):
                self.slides += len(action.next.forget)
                self._handle.prepare(request_for(action.next, _SAMPLING), forget=action.next.forget)
            elif isinstance(action, Release):
                self._handle.release()
        return asked

    def _run(self, asked: Generate) -> Generated:
        self.slides += len(asked.forget)
        return self._handle.run(request_for(asked, _SAMPLING), forget=asked.forget)


def measure(backend: Backend, slices: int, every: int) -> list[list[float | None]]:
    """A row of `HEADER` after `every` slices each, printed as soon as it is known."""
    conversation = Conversation(backend, seed=1)
    print(" ".join(f"{name:>10}" for name in HEADER), flush=True)
    rows: list[list[float | None]] = []
    for done in range(every, slices + 1, every):
        before, slid, processor = asdict(backend.counters()), conversation.slides, time.process_time()
        times = [1000 * conversation.slice() for _ in range(every)]
        processor = time.process_time() - processor
        after = asdict(backend.counters())
        memory = resident(os.getpid(), backend.model.path)
        names = ("tokens_reused", "tokens_prefilled", "tokens_decoded", "tokens_decoded_twice")
        row = [
            done,
            round(statistics.median(times), 2),
            round(max(times), 1),
            round(1000 * processor / every, 2),
            round(memory[0] / 2**20, 1) if memory else None,
            conversation.slides - slid,
            *(after[name] - before[name] for name in names),
        ]
        print(" ".join(f"{'-' if number is None else number:>10}" for number in row), flush=True)
        rows.append(row)
    return rows


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=_MODEL)
    parser.add_argument("--slices", type=int, default=10_000)
    parser.add_argument("--ctx", type=int, default=1024, help="tokens")
    parser.add_argument("--every", type=int, default=1000, help="slices in a line")
    parser.add_argument("--threads", type=int, default=1, help="one is fastest for a model as small as the pocket one")
    parser.add_argument("--flash-attention", choices=("auto", "on", "off"), default="auto")
    parser.add_argument(
        "--look-ahead", action="store_true", help="answers to silence are prepared, as by default served"
    )
    options = parser.parse_args(argv)
    if not 0 < options.every <= options.slices:
        parser.error("--every must be 1 to --slices")
    return options


def main(argv: list[str] | None = None) -> int:
    """Exit codes: 0, 1 the engine failed, 2 a model or an option that cannot be used, 130 stopped."""
    options = parse(argv)
    try:
        config = Config(
            options.model,
            ctx=options.ctx,
            sessions=1,
            look_ahead=options.look_ahead,
            threads=options.threads,
            flash_attention=options.flash_attention,
        )
        with Backend(options.model, config) as backend:
            backend.warm_up()
            rows = measure(backend, options.slices, options.every)
    except (ConfigError, ModelError) as error:
        print(f"long_conversation: {error}", file=sys.stderr)
        return 2
    except EngineError as error:
        print(f"long_conversation: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("long_conversation: stopped", file=sys.stderr)
        return 130
    print(json.dumps({**describe(), **{key: str(value) for key, value in vars(options).items()}, "rows": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
