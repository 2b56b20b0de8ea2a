"""Measures the work that matters on real contexts: a silent tick's prefill, a decoded token, a page that is read in.

One context for each KV type and flash attention, with `Bench.depth` tokens in its first slot; threads and the sizes of
calls change on it without a new one. The model is loaded once, by someone else. Belongs to one thread, but for `stop`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Unfinished

from edge_server.backend import read_facts
from edge_server.config import Config, ConfigError, choose_ctx, choose_flash_attention, choose_slice_tokens
from edge_server.context import EngineError, Feed, Sampling
from edge_server.llama import Context, ContextError, Model, has_gpu
from edge_server.loading import Interruptible
from edge_server.tune_advice import Line, Machine, Speeds
from edge_server.tune_search import BATCHES, DECODE, PAGE, READ, TICK, OutOfTime, RefusedError, Setting

DEPTH = 500  # tokens of context: a minute of conversation
TICK_TOKENS = 8  # the template of a silent tick
RATIONS = (8, 16, 32, 64)
_LEAST_DEPTH = 200  # a line through shorter contexts says nothing of long ones
_FEW = 8  # tokens of a conversation that has just begun
_LEAST_TIMED = 0.03  # seconds: short works are repeated for so long
_MOST_REPEATS = 64
_BUILD_CALL = 64  # tokens
_DECODES = 4
_LINE_ROUNDS = 3
_SAMPLING = Sampling(0.8, 0, 0.8, 1)  # as the server does by default


def describe(model: Model, config: Config) -> Machine:
    """What of a model and its options the advice rests on. Raises ConfigError for a model without slices."""
    facts = read_facts(model)
    if facts.idle is None:
        text = f"{model.path} has no idle token, so it is no duplex model: there are no slices to keep up"
        raise ConfigError(text, "edge-server run takes it as --chat-model")
    gpu, ctx = has_gpu(), choose_ctx(config.ctx, model.n_ctx_train)
    return Machine(
        slice_seconds=facts.slice_seconds,
        slice_tokens=choose_slice_tokens(config.slice_tokens, facts.slice_tokens, ctx),
        ctx=ctx,
        sessions=config.sessions,
        size=model.size,
        parameters=model.parameters,
        file_type=model.metadata.get("general.file_type", ""),
        on_gpu=gpu and model.on_gpu,
        has_gpu=gpu,
    )


class Bench:
    """A `tune_search.Measuring` on one model. After use you must call `close`."""

    def __init__(self, model: Model, *, sessions: int, build_seconds: float, depth: int = DEPTH) -> None:
        """`depth`: tokens of context to measure at; less where `build_seconds` do not suffice to fill it."""
        self.depth = depth
        self._model = model
        self._slots = max(2, sessions)
        self._build_limit = build_seconds
        self._built_in = 0.0
        self._contexts: dict[tuple[str, str], Context] = {}
        self._stopped = False
        self._lock = threading.Lock()
        self._tokens = [model.bos, *((7919 * index) % model.n_vocab for index in range(1, depth + 1024))]
        """What is fed; a model computes as much for any token."""

    def stop(self) -> None:
        """Makes everything raise `OutOfTime`: at once on a CPU, on a GPU after the call that runs. From any thread."""
        with self._lock:
            self._stopped = True
            for context in self._contexts.values():
                context.abort()

    def close(self) -> None:
        """Frees the contexts. Not while something is being measured."""
        with self._lock:
            for context in self._contexts.values():
                context.close()
            self._contexts.clear()

    def run(self, measure: Callable[[], None], deadline: float) -> None:
        """Runs `measure` on a thread of its own, so that Ctrl-C and the deadline (`time.monotonic`) stop a decode call.

        For the main thread only. Raises what `measure` raises, so `OutOfTime` where the deadline was too early for it.
        """
        thread = ThreadPoolExecutor(1)
        try:
            with Interruptible() as interruptible:  # a start that is cut short leaves a thread that nobody waits for
                work = thread.submit(measure)
            interruptible.check()
            try:
                work.result(timeout=max(0.0, deadline - time.monotonic()))
            except Unfinished:
                self.stop()
                work.result()
        except BaseException:  # also Ctrl-C
            self.stop()
            raise
        finally:
            with Interruptible():  # another Ctrl-C must not free the model under the call that ends
                thread.shutdown()

    # --- what the search asks for

    def needs(self, setting: Setting) -> float:
        return 0.0 if _place(setting) in self._contexts else self._built_in

    def retain(self, setting: Setting) -> None:
        with self._lock:
            for place in [place for place in self._contexts if place != _place(setting)]:
                self._contexts.pop(place).close()

    def prepare(self, setting: Setting) -> None:
        place = _place(setting)
        if place in self._contexts:
            return
        kv_type, flash_attention = place
        try:
            context = Context(
                self._model,
                cells=self.depth + PAGE + TICK_TOKENS + _MOST_REPEATS * _DECODES + self._slots * _FEW,
                slots=self._slots,
                threads=setting.threads,
                kv_type=kv_type,
                batch=max(BATCHES),
                flash_attention=choose_flash_attention(
                    flash_attention, kv_type, on_gpu=self._model.on_gpu and has_gpu()
                ),
            )
        except ContextError as error:
            raise RefusedError(str(error)) from error
        with self._lock:
            self._contexts[place] = context
            if self._stopped:
                raise OutOfTime
        self._build(context)

    def measure(self, setting: Setting, work: str) -> float:
        context = self._context(setting)
        if work == READ:
            # A call of the batch's size at this depth, times the calls of a page.
            size = min(setting.batch, PAGE)
            return self._timed(lambda: self._call(context, {0: size})) * PAGE / size
        return self._tick_or_token(context, work)

    # --- for the advice

    def speeds(self, setting: Setting, sessions: int) -> Speeds:
        """How long things take at any length of the context, for several sessions, and beside somebody's page.

        Lengths are measured in turns, an empty context and `depth` tokens, so that both find the machine alike.
        """
        context = self._context(setting)
        lengths = (_FEW, self.depth)
        saved = context.save(0)
        found: dict[tuple[str, int], list[float]] = {}
        for _ in range(_LINE_ROUNDS):
            for length in lengths:
                if length < self.depth:
                    context.remove(0, length)
                else:
                    self._restore(context, saved)
                for work in (TICK, DECODE):
                    found.setdefault((work, length), []).append(self._tick_or_token(context, work, length))
        del saved
        tick, decode = (
            Line.through({length: sorted(found[work, length])[_LINE_ROUNDS // 2] for length in lengths})
            for work in (TICK, DECODE)
        )
        beside, together = {}, {1: decode.at(self.depth)}
        if sessions > 1:
            rations = [ration for ration in RATIONS if ration < setting.batch]
            beside = {ration: self._timed(lambda r=ration: self._call(context, {0: 1, 1: r})) for ration in rations}  # type: ignore[misc]
            for slot in range(1, sessions):
                self._feed(context, [Feed(slot, 0, self._tokens[:_FEW])])
            for count in sorted({2, 4, 8, 16, 32, sessions}):
                if 2 <= count <= sessions:
                    # The others' contexts are nearly empty; what theirs would cost is known from the line.
                    seconds = self._timed(lambda c=count: self._call(context, dict.fromkeys(range(c), 1)))  # type: ignore[misc]
                    together[count] = seconds + (count - 1) * decode.slope * self.depth
            for slot in range(1, sessions):
                context.remove(slot, 0)
        return Speeds(self.depth, tick, decode, beside, together, sloped=self.depth >= _LEAST_DEPTH)

    # --- on a context

    def _context(self, setting: Setting) -> Context:
        context = self._contexts[_place(setting)]
        if context.threads != setting.threads:
            context.use_threads(setting.threads)
            self._call(context, {0: 1})  # new threads are started by a call that nobody times
        return context

    def _build(self, context: Context) -> None:
        """Fills the first slot. The first time, what can be filled within the limit is the depth to measure at."""
        first = not self._built_in
        self._feed(context, [Feed(0, 0, self._tokens[:1])])  # reads the weights from the disk; nobody times it
        context.remove(0, 0)
        began, position = time.monotonic(), 0
        while position < self.depth:
            size = min(_BUILD_CALL, self.depth - position)
            self._feed(
                context, [Feed(0, position, self._tokens[position : position + size], position + size == self.depth)]
            )
            position += size
            taken = time.monotonic() - began
            if first and taken / position * min(self.depth, position + _BUILD_CALL) > self._build_limit:
                self.depth = position
        self._built_in = max(time.monotonic() - began, 1e-6)

    def _tick_or_token(self, context: Context, work: str, length: int | None = None) -> float:
        length = self.depth if length is None else length
        if work == TICK:
            return self._timed(lambda: self._call(context, {0: TICK_TOKENS}, length))

        def some() -> None:
            for index in range(_DECODES):
                self._step(context, {0: 1}, {0: length + index})
            context.remove(0, length)

        return self._timed(some) / _DECODES

    def _call(self, context: Context, sizes: dict[int, int], length: int | None = None) -> None:
        """One decode call of so many tokens for each slot, a draw for each, and all of it taken back."""
        held = {slot: self._held(slot, length) for slot in sizes}
        if len(sizes) > 1 and max(sizes.values()) > 1:
            held[1] = 0  # the page of a session that holds nothing yet
        self._step(context, sizes, held)
        for slot, position in held.items():
            context.remove(slot, position)

    def _held(self, slot: int, length: int | None) -> int:
        if slot:
            return _FEW
        return self.depth if length is None else length

    def _step(self, context: Context, sizes: dict[int, int], positions: dict[int, int]) -> None:
        feeds = [Feed(slot, positions[slot], self._tokens[positions[slot] :][:size]) for slot, size in sizes.items()]
        self._feed(context, feeds)
        sampler = context.sampler(_SAMPLING)
        for row in range(len(feeds)):
            sampler.sample(row)

    def _feed(self, context: Context, feeds: list[Feed]) -> None:
        if self._stopped or context.decode(feeds) != [len(feed.tokens) for feed in feeds]:
            raise OutOfTime

    def _restore(self, context: Context, saved: bytes | bytearray) -> None:
        if not context.restore(0, saved):
            raise EngineError("llama.cpp did not take its own saved state back")

    def _timed(self, run: Callable[[], None]) -> float:
        """Seconds of a run; short ones are repeated, and the median taken."""
        seconds: list[float] = []
        until = time.monotonic() + _LEAST_TIMED
        while not seconds or (time.monotonic() < until and len(seconds) < _MOST_REPEATS):
            began = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - began)
        return sorted(seconds)[len(seconds) // 2]


def _place(setting: Setting) -> tuple[str, str]:
    return setting.kv_type, setting.flash_attention
