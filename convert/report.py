"""What is told when a conversion is done. Knows numbers and how to print them."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Report:
    """Sizes in bytes. Memory is the peak resident size, mapped files included, of the converter and of llama.cpp."""

    path: Path
    quant: str
    parameters: int
    size: int
    seconds: float
    converter_memory: int
    llama_memory: int
    probes: int
    notes: tuple[str, ...]

    @property
    def bits_per_weight(self) -> float:
        return self.size * 8 / self.parameters

    def __str__(self) -> str:
        lines = [
            f"{self.path}: {self.quant}, verified",
            f"  parameters   {self.parameters:,}",
            f"  size         {self.size:,} bytes, {self.bits_per_weight:.2f} bits per weight",
            f"  tokenizer    {self.probes} probe strings cut as SentencePiece cuts them",
            f"  time         {self.seconds:.1f} s",
            f"  peak memory  {_mebibytes(self.converter_memory)} converting, "
            f"{_mebibytes(self.llama_memory)} in llama.cpp (mapped files included)",
        ]
        return "\n".join(lines + [f"  note         {note}" for note in self.notes])


def peak_memory() -> tuple[int, int]:
    """Peak resident bytes of this process, and of the largest of its children that have ended."""
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS and KiB on Linux
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit,
    )


def _mebibytes(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
