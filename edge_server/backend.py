"""A model made ready for conversations: loaded, checked, with a pool of cells, an engine and a warm-up behind it.

The place where llama.cpp, engine and sessions meet; knows no sockets.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_server.config import (
    Config,
    ConfigError,
    DuplexFacts,
    choose_cells,
    choose_ctx,
    choose_flash_attention,
    choose_idle_bias,
    choose_slice_tokens,
)
from edge_server.connection import Conversing
from edge_server.engine import Counters, Engine, EngineError, Finish, Generated, Request, Sampling
from edge_server.events import Mode, Session
from edge_server.llama import Context, ContextError, Model, ModelError, has_gpu
from edge_server.machine import memory as machine_memory
from edge_server.parking import Parking
from edge_server.protocol import TextCodec
from edge_server.realtime_connection import Realtiming
from edge_server.realtime_wire import MAX_SLICE_MS, MIN_SLICE_MS
from edge_server.session import DuplexSession
from edge_server.settings import Settings
from edge_server.turns import TurnSession
from edge_server.upstream import SLICE_TOKENS, UpstreamDuplexSession, UpstreamTurnSession

_log = logging.getLogger(__name__)
_TOO_LARGE = (
    "%s with its KV cache takes %.1f GiB, more than the memory there is: it will be slow, or be ended by the system; "
    "give a smaller --ctx or --kv-cells, or take a smaller type (edge-convert --quant)"
)


@dataclass(frozen=True)
class ModelVocabulary:
    """A model's tokenizer as sessions see it."""

    model: Model
    idle: int | None

    @property
    def bos(self) -> int:
        """The id of ``<s>``."""
        return self.model.bos

    @property
    def eos(self) -> int:
        """The id of ``</s>``."""
        return self.model.eos

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """See `settings.Vocabulary`."""
        return self.model.tokenize(text, parse_special=parse_special)

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """See `settings.Vocabulary`."""
        return self.model.piece(token, special=special)


def read_facts(model: Model) -> DuplexFacts:
    """What the model's file says of the format, checked against its vocabulary. Raises ConfigError."""
    facts = DuplexFacts.read(model.metadata, model.path, model.n_vocab)
    if model.bos < 0 or model.eos < 0:
        raise ConfigError(f"{model.path} has no <s> or no </s>", "convert the model again with edge-convert")
    if facts.idle is not None and (facts.idle in (model.bos, model.eos) or not model.is_control(facts.idle)):
        raise ConfigError(
            f"{model.path}: its idle token could be typed by a user", "convert it again with edge-convert"
        )
    return facts


def is_duplex(path: Path) -> bool:
    """Whether a file can be served on the duplex port, as far as its vocabulary tells."""
    try:
        with Model.load(path, vocabulary_only=True) as model:
            return read_facts(model).idle is not None
    except (ConfigError, ModelError):
        return False


class Backend:
    """One model and its engine. After use you must call `close` (or use it as a context manager)."""

    def __init__(
        self, path: Path, config: Config, *, share: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> None:
        """Loads ``path`` and starts the engine. Raises ModelError, ConfigError or EngineError, each one line.

        ``share``: how many backends divide the memory among them.
        """
        self._config = config
        self.model = Model.load(path, gpu_layers=config.gpu_layers, on_progress=on_progress)
        try:
            self.facts = read_facts(self.model)
            self.ctx = choose_ctx(config.ctx, self.model.n_ctx_train)
            asked = config.slice_tokens or (SLICE_TOKENS if config.upstream else None)
            slice_tokens = choose_slice_tokens(asked, self.facts.slice_tokens, self.ctx)
            cell_bytes = self.model.cell_bytes(config.kv_type)
            memory = machine_memory()
            memory = memory // share if memory else None
            cells = choose_cells(config.kv_cells, self.ctx, config.sessions, cell_bytes, memory)
            if memory is not None and self.model.size + cells * cell_bytes > memory:
                _log.warning(_TOO_LARGE, self.name, (self.model.size + cells * cell_bytes) / 2**30)
            self.context = self._open_context(cells)
        except BaseException:
            self.model.close()
            raise
        park_memory = config.park_memory * 2**20 if config.park_memory is not None else (memory or 2**32) // 8
        self.engine = Engine(self.context, chunk=self.context.batch, ration=config.ration, parking=Parking(park_memory))
        self.engine.start()
        self.vocabulary = ModelVocabulary(self.model, self.facts.idle)
        self.settings = Settings(
            self.facts.user_marker,
            self.facts.assistant_marker,
            self.ctx,
            slice_tokens,
            config.slide,
            config.look_ahead,
            idle_bias=choose_idle_bias(config.idle_bias, self.facts.idle_bias, upstream=config.upstream),
        )

    def _open_context(self, cells: int) -> Context:
        config = self._config
        flash_attention = choose_flash_attention(
            config.flash_attention, config.kv_type, on_gpu=self.model.on_gpu and has_gpu()
        )
        try:
            return Context(
                self.model,
                cells=cells,
                slots=config.sessions,
                threads=config.threads,
                kv_type=config.kv_type,
                batch=config.batch,
                flash_attention=flash_attention,
            )
        except ContextError as error:
            if "alloc" not in str(error):
                raise
            raise EngineError(
                f"{error}; there is not enough memory: give a smaller --ctx, --kv-cells or --batch, or fewer --sessions"
            ) from error

    @property
    def name(self) -> str:
        """What the model calls itself, else its file's name."""
        name = self.model.metadata.get("general.name", "")
        return "".join(char if char.isprintable() else "?" for char in name) or self.model.path.stem

    def alive(self) -> bool:
        """Whether the engine runs."""
        return self.engine.alive

    def counters(self) -> Counters:
        """What the engine has done so far."""
        return self.engine.counters

    def warm_up(self) -> None:
        """Run the model once, so that the first slice does not pay for what is done only once. Raises EngineError."""
        tokens = (self.model.bos, *self.vocabulary.tokenize(self.facts.user_marker, parse_special=False))
        if self.run(Request(tokens, 2, frozenset(), Sampling(0, 0, 1, 0))).finish is not Finish.CAP:
            raise EngineError(f"{self.model.path} did not answer at all")

    def run(self, request: Request) -> Generated:
        """Run one request on a sequence of its own and wait for it. Raises EngineError."""
        with contextlib.closing(self.engine.open()) as handle:
            return handle.run(request)

    def conversing(self, *, chat: bool) -> Conversing:
        """What the connections of the duplex port, or of the chat port, are made with.

        Raises ConfigError for a model without an idle token on the duplex port.
        """
        config = self._config
        if not chat and self.facts.idle is None:
            raise ConfigError(
                f"{self.model.path} has no idle token, so it is no duplex model",
                "give it as --chat-model, and a duplex model as --model",
            )
        kind: Callable[[ModelVocabulary, Settings, Mode, int], Session]
        if config.upstream:
            kind = UpstreamTurnSession if chat else UpstreamDuplexSession
        else:
            kind = TurnSession if self.facts.idle is None else DuplexSession
        return Conversing(
            codec=lambda subprotocol: TextCodec(upstream=config.upstream, ordinary_port=chat, subprotocol=subprotocol),
            session=lambda mode, seed: kind(self.vocabulary, self.settings, mode, seed),
            open_sequence=self.engine.open,
            sampling=Sampling(config.temperature, config.top_k, config.top_p, seed=0),
            new_seed=lambda: self._new_seed(chat=chat),
            assume_wpm=config.assume_wpm,
        )

    def realtiming(self) -> Realtiming:
        """What the JSON sessions of the duplex port are made with."""
        config = self._config
        return Realtiming(
            session=lambda seed: DuplexSession(self.vocabulary, self.settings, Mode.ORDINARY, seed, streaming=True),
            open_sequence=self.engine.open,
            sampling=Sampling(config.temperature, config.top_k, config.top_p, seed=0),
            new_seed=lambda: self._new_seed(chat=False),
            model=self.name,
            duplex=True,
            slice_ms=min(MAX_SLICE_MS, max(MIN_SLICE_MS, round(self.facts.slice_seconds * 1000))),
            resume_window=config.resume_window,
            idle_bias=self.settings.idle_bias,
        )

    def _new_seed(self, *, chat: bool) -> int:
        if self._config.seed is not None:
            return self._config.seed
        return 0 if chat and self._config.upstream else secrets.randbits(63)  # upstream's ordinary server seeds with 0

    def close(self) -> None:
        """Stop the engine and free everything. A second call does nothing."""
        self.engine.close()
        self.context.close()
        self.model.close()

    def __enter__(self) -> Backend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
