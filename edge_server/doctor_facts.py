"""What `edge-server doctor` finds, as values: filled in by `doctor_find`, judged by `doctor_judge`. Sizes are in bytes.

Standard library only. None: the system does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class System:
    """The system and what this program runs in. python: version. bindings: installed, and the one that is asked for."""

    name: str  # as `platform.system` says: Linux, Darwin
    release: str
    architecture: str  # as `platform.machine` says: x86_64, arm64
    python: tuple[int, int, int]
    translated: bool = False  # x86-64 code on Apple silicon
    bindings: str = ""
    bindings_wanted: str = ""


@dataclass(frozen=True)
class Cores:
    """The processor. quota: CPUs' time that a container may use. threads: what the server would decode with."""

    processor: str
    physical: int
    cpus: int
    quota: float | None
    threads: int


@dataclass(frozen=True)
class Build:
    """What llama.cpp was compiled with, by backend; the processor's own features by Linux's names, empty if unknown."""

    features: Mapping[str, tuple[str, ...]]
    processor_flags: frozenset[str] = frozenset()
    has_gpu: bool = False


@dataclass(frozen=True)
class Memory:
    """All that this process may use, and what is not in use."""

    total: int | None
    available: int | None = None


@dataclass(frozen=True)
class Trouble:
    """Why something cannot be used, and what to do about it."""

    what: str
    remedy: str = ""


@dataclass(frozen=True)
class ModelFile:
    """A GGUF file. trouble: why it cannot be read. duplex: it has an idle token. ctx: tokens that it was trained on.

    cell_bytes: what a token takes in the KV cache, as f16; 0 where the file does not say enough.
    """

    path: Path
    size: int = 0
    trouble: Trouble | None = None
    duplex: bool = False
    ctx: int = 0
    cell_bytes: int = 0

    @property
    def is_pocket(self) -> bool:
        """Whether it is the model that is shipped, which is taken last."""
        return self.path.name.startswith("pocket")


@dataclass(frozen=True)
class Models:
    """The files, in the order in which one is looked for. chosen: what run would take. asked: it was --model."""

    files: tuple[ModelFile, ...]
    chosen: ModelFile | None
    asked: bool = False
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Need:
    """Memory that the chosen model takes: its weights and a pool of so many cells."""

    weights: int
    cells: int
    cell_bytes: int
    ctx: int

    @property
    def pool(self) -> int:
        """Bytes of the KV cache."""
        return self.cells * self.cell_bytes


@dataclass(frozen=True)
class Health:
    """What an edge-server says of itself at /healthz."""

    model: str
    status: str
    connections: int


@dataclass(frozen=True)
class PortFound:
    """A port. trouble: why it cannot be listened on. health: whose it is, if an edge-server has it."""

    option: str
    host: str
    number: int
    trouble: Trouble | None = None
    taken: bool = False
    health: Health | None = None


@dataclass(frozen=True)
class Disk:
    """The disk that a folder is on. needed: what would be written there."""

    folder: Path
    free: int | None
    needed: int = field(default=0)
