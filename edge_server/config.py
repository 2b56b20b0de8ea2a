"""What the server is asked to do, checked: every option in one place, and what a model file says of the duplex format.

Standard library only. A value that cannot be used raises `ConfigError`, one line: what, where, what to do.
"""

from __future__ import annotations

import contextlib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_IDLE_BIAS = 20  # to either side
RESUME_WINDOW = 300.0  # seconds
MIN_CTX = 64  # tokens: a slice pair with a few words, twice over
MAX_CTX = 4096  # tokens: the default, if the model was trained on no less; what MiniCPM-duplex was trained on
MAX_BATCH = 4096  # tokens
MAX_NUMBER = 2**31 - 1  # llama.cpp's ints
METADATA_VERSION = "1"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?<!:)(?::(?!80$|443$)\d{1,5})?")


class Fault(Exception):  # noqa: N818 - the base of the errors that a user can mend
    """Something that cannot be used, in one line: what it is and where, and the remedy if there is one to name."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}" if self.remedy else self.what


class ConfigError(Fault):
    """An option or a model file that cannot be used."""


@dataclass(frozen=True)
class Config:
    """The options of `edge-server run`. Lengths are in tokens; None means: chosen when the model is known."""

    model: Path
    chat_model: Path | None = None
    host: str = "localhost"
    port: int = 8765
    chat_port: int = 8766
    ctx: int | None = None
    sessions: int = 4
    slice_tokens: int | None = None
    temperature: float = 0.8
    top_p: float = 0.8
    top_k: int = 0
    idle_bias: float | None = None  # added to the logit of `<idle>` as the first token of a slice
    seed: int | None = None
    slide: bool = True
    look_ahead: bool = True
    park_memory: int | None = None  # MiB
    upstream: bool = False
    gpu_layers: int = -1
    threads: int | None = None
    kv_type: str = "f16"
    flash_attention: str = "auto"  # on, off
    batch: int = 64
    ration: int = 16  # of prefill, in a decode call that others decode in
    kv_cells: int | None = None
    allow_origins: tuple[str, ...] = ()
    assume_wpm: float | None = None
    resume_window: float = RESUME_WINDOW

    def __post_init__(self) -> None:
        checks = [
            (0 <= self.port <= 65535, "--port", self.port, "a port from 0 (any free one) to 65535"),
            (0 <= self.chat_port <= 65535, "--chat-port", self.chat_port, "a port from 0 (any free one) to 65535"),
            (self.ctx is None or MIN_CTX <= self.ctx <= MAX_NUMBER, "--ctx", self.ctx, f"at least {MIN_CTX} tokens"),
            (1 <= self.sessions <= 64, "--sessions", self.sessions, "1 to 64"),
            (
                self.slice_tokens is None or 1 <= self.slice_tokens <= 256,
                "--slice-tokens",
                self.slice_tokens,
                "1 to 256",
            ),
            (
                self.park_memory is None or 0 <= self.park_memory <= MAX_NUMBER,
                "--park-memory",
                self.park_memory,
                "0 (all on disk) or more (MiB)",
            ),
            (-1 <= self.gpu_layers <= MAX_NUMBER, "--gpu-layers", self.gpu_layers, "-1 (all), 0 (none) or more"),
            (0 <= self.temperature <= 10, "--temperature", self.temperature, "0 (greedy) to 10"),
            (0 < self.top_p <= 1, "--top-p", self.top_p, "above 0 and at most 1 (off)"),
            (self.top_k >= 0, "--top-k", self.top_k, "0 (off) or more"),
            (
                self.idle_bias is None or -MAX_IDLE_BIAS <= self.idle_bias <= MAX_IDLE_BIAS,
                "--idle-bias",
                self.idle_bias,
                "-20 (quick to speak) to 20 (silent)",
            ),
            (self.threads is None or 1 <= self.threads <= 512, "--threads", self.threads, "1 to 512"),
            (
                self.kv_type != "q8_0" or self.flash_attention != "off",
                "--flash-attention",
                self.flash_attention,
                "on or auto with --kv-type q8_0, which needs it",
            ),
            (1 <= self.batch <= MAX_BATCH, "--batch", self.batch, f"1 to {MAX_BATCH}"),
            (1 <= self.ration <= MAX_BATCH, "--ration", self.ration, f"1 to {MAX_BATCH}"),
            (
                self.kv_cells is None or MIN_CTX <= self.kv_cells <= MAX_NUMBER,
                "--kv-cells",
                self.kv_cells,
                f"at least {MIN_CTX}",
            ),
            (
                self.assume_wpm is None or (math.isfinite(self.assume_wpm) and self.assume_wpm > 0),
                "--assume-wpm",
                self.assume_wpm,
                "above 0 (words a minute; about 180 for a person)",
            ),
            (
                0 <= self.resume_window <= 86_400,
                "--resume-window",
                self.resume_window,
                "0 (never) to 86400 (seconds)",
            ),
        ]
        for fine, option, value, allowed in checks:
            if not fine:
                raise ConfigError(f"{option} {value} cannot be used", f"give {allowed}")
        if self.port == self.chat_port != 0:
            raise ConfigError(f"--port and --chat-port are both {self.port}", "give each its own")
        for origin in self.allow_origins:
            if origin != "null" and not _ORIGIN.fullmatch(origin):
                raise ConfigError(
                    f"--allow-origin {origin} is no origin: give scheme://host[:port] as browsers send it, "
                    "in lower case, without a path or the scheme's own port"
                )
        if self.upstream:
            mine = {
                "--on-full stop": not self.slide,
                "--assume-wpm": self.assume_wpm is not None,
                "--resume-window": self.resume_window != RESUME_WINDOW,
            }
            for option in (option for option, given in mine.items() if given):
                raise ConfigError(f"{option} has no effect with --compat upstream", "leave one of them out")


@dataclass(frozen=True)
class DuplexFacts:
    """What a GGUF file written by edge-convert says about the format; docs/gguf.md lists the keys."""

    user_marker: str
    assistant_marker: str
    idle: int | None  # None: a plain chat model
    slice_seconds: float
    slice_tokens: int  # what the model was trained to say in a slice
    idle_bias: float = 0.0  # that it is best run with

    @classmethod
    def read(cls, metadata: Mapping[str, str], path: Path, n_vocab: int) -> DuplexFacts:
        """From the file's metadata, values as llama.cpp prints them. Raises ConfigError."""
        version = metadata.get("duplex.version")
        if version is None:
            raise ConfigError(f"{path} does not say how its conversations are written", "make it with edge-convert")
        if version != METADATA_VERSION:
            raise ConfigError(f"{path} was written by another edge-convert (format {version})", "convert it again")
        try:
            user, assistant = metadata["duplex.user_marker"], metadata["duplex.assistant_marker"]
            idle = int(metadata["duplex.idle_token_id"]) if "duplex.idle_token_id" in metadata else None
            seconds = float(metadata["duplex.slice_seconds"])
            tokens = int(metadata["duplex.slice_tokens"])
            bias = float(metadata.get("duplex.idle_bias", "0"))
        except (KeyError, ValueError) as error:
            raise ConfigError(f"{path} has broken duplex metadata ({error})", "convert it again") from error
        sound = user and assistant and user != assistant and math.isfinite(seconds) and seconds > 0
        sound = sound and 1 <= tokens <= 256 and -MAX_IDLE_BIAS <= bias <= MAX_IDLE_BIAS
        if not sound or (idle is not None and not 0 <= idle < n_vocab):
            raise ConfigError(
                f"{path} has broken duplex metadata (a marker, the idle token, its bias or the slice)",
                "convert it again",
            )
        return cls(user, assistant, idle, seconds, tokens, bias)


def choose_slice_tokens(asked: int | None, trained: int, ctx: int) -> int:
    """The most tokens of a slice: by default half as many again as the model was trained to say (15 for 10).

    Raises ConfigError where a slice leaves no room for what it answers.
    """
    tokens = asked if asked is not None else trained * 3 // 2
    if tokens > ctx - MIN_CTX // 2:
        raise ConfigError(f"--slice-tokens {tokens} leaves no room in a context of {ctx}", "give a larger --ctx")
    return tokens


def choose_idle_bias(asked: float | None, trained: float, *, upstream: bool) -> float:
    """By default the model's own; the reference knows none."""
    if asked is not None:
        return asked
    return 0.0 if upstream else trained


def choose_ctx(asked: int | None, n_ctx_train: int) -> int:
    """The length of a conversation's context, in tokens."""
    return asked if asked is not None else max(MIN_CTX, min(MAX_CTX, n_ctx_train))


def choose_flash_attention(asked: str, kv_type: str, *, on_gpu: bool) -> bool | None:
    """Whether attention goes over the KV cache in one pass; None leaves it to llama.cpp.

    ``auto`` on a CPU is off: there it makes everything but long prefills slower, the more the longer the context is
    (docs/tuning.md). A quantised cache cannot do without it.
    """
    if asked == "auto":
        return None if on_gpu or kv_type == "q8_0" else False
    return asked == "on"


def choose_cells(asked: int | None, ctx: int, sessions: int, cell_bytes: int, memory_bytes: int | None) -> int:
    """How many tokens the pool holds that all sessions share.

    By default what a quarter of the memory holds, at most a whole context for each session. Raises ConfigError if that
    is less than one context, or if what was asked for does not fit at all.
    """
    if asked is not None:
        if asked < ctx:
            raise ConfigError(
                f"--kv-cells {asked} does not hold one context", f"give at least {ctx}, or a smaller --ctx"
            )
        if memory_bytes is not None and asked * cell_bytes > memory_bytes:
            raise ConfigError(
                f"--kv-cells {asked} needs {asked * cell_bytes / 2**30:.1f} GiB, more than there is for a KV cache",
                f"give fewer than {memory_bytes // cell_bytes}, or leave it out",
            )
        return asked
    if memory_bytes is None:
        return ctx * sessions
    cells = min(ctx * sessions, memory_bytes // 4 // cell_bytes)
    if cells < ctx:
        needed = ctx * cell_bytes
        insist = f", or --kv-cells {ctx} to insist" if needed <= memory_bytes else ""
        raise ConfigError(
            f"--ctx {ctx} needs {needed / 2**30:.1f} GiB of KV cache, more than a quarter of this machine's memory",
            f"give a smaller --ctx (up to {cells}), or --kv-type q8_0{insist}",
        )
    return cells


def candidates(folders: tuple[Path, ...]) -> list[Path]:
    """Every ``*.gguf`` file in the folders, the first to be tried first: the newest, and the pocket model last."""
    found: list[tuple[bool, float, Path]] = []
    for path in (path for folder in folders for path in folder.glob("*.gguf")):
        with contextlib.suppress(OSError):  # a folder that may be listed but not entered
            if path.is_file():
                found.append((not path.name.startswith("pocket"), path.stat().st_mtime, path))
    return [path for *_, path in sorted(found, reverse=True)]


def find_model(folders: tuple[Path, ...], is_duplex: Callable[[Path], bool]) -> Path:
    """The newest ``*.gguf`` in the folders that is a duplex model but not the pocket model, else the pocket model.

    Raises ConfigError if there is none.
    """
    found = candidates(folders)
    for path in found:
        if is_duplex(path):
            return path
    places = " or ".join(map(str, folders))
    remedy = "run make setup, or make convert, or give --model"
    remedy += " (edge-server doctor says what is wrong with the files there)" if found else ""
    raise ConfigError(f"no duplex model in {places}", remedy)
