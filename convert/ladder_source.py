"""The unquantised model at the foot of the ladder: what MODEL stands for, as a float GGUF file with a fingerprint.
Knows what may stand in MODEL's place; leaves the conversion to `conversion`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.conversion import Options, convert
from convert.errors import InputError
from convert.gguf_file import Header, read_header, type_name
from convert.minicpm import PlannedTensor
from convert.quality_corpus import DuplexFormat
from convert.quantize import FLOATS
from convert.source import locate

if TYPE_CHECKING:
    from collections.abc import Callable

    from convert.progress import Progress

_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True)
class FloatModel:
    """A float GGUF file. `digest` is that of its content, `made` whether it was converted for the occasion."""

    path: Path
    name: str
    quant: str
    digest: str
    header: Header
    form: DuplexFormat
    made: bool

    @property
    def tensors(self) -> list[PlannedTensor]:
        """Names and shapes of what is quantised."""
        return [PlannedTensor(name, name, record.shape) for name, record in self.header.tensors.items()]


def name_of(model: str, revision: str | None, tokenizer: Path | None, progress: Progress) -> str:
    """What the model is called in names of files. Raises `InputError` where there is none; may download it."""
    path = _gguf(model)
    if path is not None:
        return path.stem
    return locate(model, revision, tokenizer, progress).name


def float_model(
    model: str, folder: Path, revision: str | None, tokenizer: Path | None, progress: Progress
) -> FloatModel:
    """MODEL as a float GGUF file: itself, or converted to bf16 into `folder`, where it is taken again if it is there.

    Raises `InputError` for a file that is quantised or not duplex, and whatever the conversion raises.
    """
    path = _gguf(model)
    if path is not None:
        return _described(path, path.stem, made=False, digest=_digest(path, progress))
    source = locate(model, revision, tokenizer, progress)
    out = folder / f"{source.name}-bf16.gguf"
    places = sorted({*source.files.values(), *(path for path in source.folder.iterdir() if path.is_file())})
    before = [[str(path.resolve()), *_stamp(path)] for path in places]
    record = _read(folder / "source.json")
    if not (out.is_file() and record.get("files") == before and record.get("out") == _stamp(out)):
        convert(Options(model, "bf16", out, tokenizer, revision, force=True), progress)
        record = {"files": before, "out": _stamp(out), "digest": _digest(out, progress)}
        write_json(folder / "source.json", record)
    return _described(out, source.name, made=True, digest=record["digest"])


def _gguf(model: str) -> Path | None:
    """MODEL where it is the path of a GGUF file, else None."""
    path = Path(model)
    if path.suffix != ".gguf" or path.is_dir():
        return None
    if not path.is_file():
        raise InputError(f"{model}: there is no such file")
    return path


def _described(path: Path, name: str, *, made: bool, digest: str) -> FloatModel:
    header = read_header(path)
    kinds = {type_name(record.type) for record in header.tensors.values() if len(record.shape) > 1}
    if not kinds <= FLOATS.keys() or not kinds:
        raise InputError(f"{path}: is quantised already ({', '.join(sorted(kinds))}); give a bf16 or f16 file")
    quant = kinds.pop() if len(kinds) == 1 else "float"
    return FloatModel(path, name, quant, digest, header, DuplexFormat.read(header.metadata, str(path)), made)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def file_digest(path: Path, on_read: Callable[[int], None] = lambda _bytes: None) -> str:
    """SHA-256 of a file's content; `on_read` is told how many bytes were read since its last call."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
            on_read(len(chunk))
    return found.hexdigest()


def _digest(path: Path, progress: Progress) -> str:
    progress.stage(f"reading {path.name}", path.stat().st_size, in_bytes=True)
    return file_digest(path, progress.advance)


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: Any) -> None:
    """Writes the file at once or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
