"""The whole way from a checkpoint to a verified GGUF file. Knows the order of the steps and the temporary files; leaves
formats, architecture and llama.cpp to their modules.
"""

from __future__ import annotations

import math
import os
import secrets
import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from convert.checkpoint import open_checkpoint
from convert.errors import ConversionError, InputError
from convert.gguf_file import float_types, tensor_bytes, write_header, write_weights
from convert.json_file import read_json_object
from convert.metadata import Entry, duplex_entries, string, uint32
from convert.minicpm import CONFIG, EMBEDDING, OUTPUT, is_derived, read_config
from convert.quantize import FILE_TYPES, FLOATS, check_quant, plan_quantization, quantize
from convert.report import Report, peak_memory
from convert.source import locate
from convert.verify import check_header, check_in_llama
from convert.vocabulary import TOKENIZER_MODEL, read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convert.checkpoint import StoredTensor
    from convert.minicpm import MiniCPM, PlannedTensor
    from convert.progress import Progress
    from convert.source import Source
    from convert.state_dict import DType
    from convert.vocabulary import Vocabulary

_QUANTIZATION_VERSION = 2  # of the block formats, as llama.cpp numbers them
_SPARE_BYTES = 32 << 20  # the metadata, and something to breathe


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `out` None: `models/<name>-<quant>.gguf`; `threads` None: one a processor."""

    model: str
    quant: str
    out: Path | None = None
    tokenizer: Path | None = None
    revision: str | None = None
    imatrix: Path | None = None
    threads: int | None = None
    force: bool = False


def convert(options: Options, progress: Progress) -> Report:
    """Converts, verifies and then gives the file its name; a conversion that fails or is interrupted leaves nothing.

    Raises `InputError` for what the user can correct and `ConversionError` for what failed on the way.
    """
    try:
        return _convert(options, progress)
    except OSError as error:
        raise ConversionError(f"{error.filename or options.model}: {error.strerror or error}") from error


def _convert(options: Options, progress: Progress) -> Report:
    begin = time.monotonic()
    quant = check_quant(options.quant)
    if options.imatrix is not None and quant in FLOATS:
        raise InputError(f"--imatrix {options.imatrix}: {quant} is not quantised, so nothing would use it")
    if options.out is not None:
        check_output(options.out, force=options.force)
    source = locate(options.model, options.revision, options.tokenizer, progress)
    out = options.out
    if out is None:
        out = Path("models") / f"{source.name}-{quant}.gguf"
        out.parent.mkdir(exist_ok=True)
        check_output(out, force=options.force)

    model = read_config(read_json_object(source.files[CONFIG]), str(source.files[CONFIG]))
    vocabulary = read_vocabulary(source.files, model.vocabulary)
    stored = open_checkpoint(source.folder)
    tensors = model.tensors()
    _check_tensors(source.folder, model, tensors, stored)
    matrices = FLOATS.get(quant) or _common_type(tensors, stored)

    with ExitStack() as cleanup:
        result = cleanup.enter_context(_partial(out))
        floats = float_types(tensors, matrices)
        header = write_header(result, _entries(source, model, vocabulary, matrices), tensors, floats)
        types: Mapping[str, str] = floats
        if quant in FLOATS:
            _check_space(result, 0)
        else:
            types = plan_quantization(result, quant, tensors, options.imatrix)
            _check_space(result, sum(tensor_bytes(tensor.shape, types[tensor.name]) for tensor in tensors))
        size = sum(stored[tensor.source].nbytes for tensor in tensors)
        progress.stage(f"writing {matrices}", size, in_bytes=True)
        write_weights(result, header, tensors, stored, progress.advance)
        if quant not in FLOATS:
            result = _quantised(cleanup, result, out, quant, options, tensors, progress)
        progress.stage("verifying")
        check_header(result, tensors, types)
        probes = check_in_llama(result, vocabulary, source.files[TOKENIZER_MODEL])
        check_output(out, force=options.force)
        size = result.stat().st_size
        _name_finished(result, out)
    progress.end()

    notes = [] if vocabulary.idle_id is not None else ["no <idle> token: a turn-based model, for --chat-model"]
    if vocabulary.chat_template is None:
        notes.append(
            f"no chat template: MiniCPM's markers {vocabulary.user_marker} {vocabulary.assistant_marker} assumed"
        )
    converter_memory, llama_memory = peak_memory()
    return Report(
        path=out,
        quant=quant,
        parameters=sum(math.prod(tensor.shape) for tensor in tensors),
        size=size,
        seconds=time.monotonic() - begin,
        converter_memory=converter_memory,
        llama_memory=llama_memory,
        probes=probes,
        notes=tuple(notes),
    )


def check_output(out: Path, *, force: bool, option: str = "--out") -> None:
    """Raises `InputError` where the file `out`, given with `option`, cannot be written, or may not be."""
    if out.is_dir():
        raise InputError(f"{option} {out}: is a folder; give the name of a file")
    if not out.parent.is_dir():
        raise InputError(f"{option} {out}: the folder {out.parent} does not exist; create it first")
    if not os.access(out.parent, os.W_OK):
        raise InputError(f"{option} {out}: no permission to write to {out.parent}")
    if out.exists() and not force:
        raise InputError(f"{out}: exists already; --force overwrites it")


def _check_tensors(
    folder: Path, model: MiniCPM, tensors: Sequence[PlannedTensor], stored: Mapping[str, StoredTensor]
) -> None:
    """Every planned tensor must be there in its shape, and nothing else."""
    for tensor in tensors:
        if tensor.source not in stored:
            raise InputError(f"{folder}: tensor {tensor.source} is missing")
        shape = stored[tensor.source].shape
        if shape != tensor.shape:
            raise InputError(
                f"{folder}: tensor {tensor.source} has shape {list(shape)}; by {CONFIG} it is {list(tensor.shape)}"
            )
    planned = {tensor.source for tensor in tensors}
    for name, extra in stored.items():
        if name in planned or is_derived(name):
            continue
        if name != OUTPUT:
            raise InputError(f"{folder}: tensor {name} is not part of this architecture; it would be lost")
        embedding = stored[EMBEDDING]
        if extra.shape != embedding.shape or not _equal(extra, embedding):
            raise InputError(f"{folder}: {OUTPUT} differs from the embedding, but tie_word_embeddings is not false")


def _equal(one: StoredTensor, other: StoredTensor) -> bool:
    """Compared in pieces: a tied output is often stored a second time, as large as the embedding."""
    left, right = one.bits(), other.bits()
    if one.dtype != other.dtype:
        return False
    step = max(1, (4 << 20) // max(1, left[:1].nbytes))
    return all(np.array_equal(left[row : row + step], right[row : row + step]) for row in range(0, len(left), step))


def _common_type(tensors: Sequence[PlannedTensor], stored: Mapping[str, StoredTensor]) -> DType:
    """The type of the file that is quantised: the checkpoint's own, or f32 where its matrices have several."""
    kinds = {stored[tensor.source].dtype for tensor in tensors if len(tensor.shape) > 1}
    return kinds.pop() if len(kinds) == 1 else "f32"


def _entries(source: Source, model: MiniCPM, vocabulary: Vocabulary, matrices: DType) -> list[Entry]:
    return [
        string("general.type", "model"),
        string("general.name", source.name),
        uint32("general.file_type", FILE_TYPES[matrices]),
        uint32("general.quantization_version", _QUANTIZATION_VERSION),
        *model.metadata(),
        *vocabulary.metadata(),
        *duplex_entries(
            user_marker=vocabulary.user_marker,
            assistant_marker=vocabulary.assistant_marker,
            idle_token_id=vocabulary.idle_id,
            source=source.label,
            revision=source.revision,
            idle_bias=model.idle_bias,
        ),
    ]


@contextmanager
def _partial(out: Path) -> Iterator[Path]:
    """A new file beside `out` whose name does not end in .gguf; gone at the end unless it was renamed."""
    path = out.with_name(f"{out.name}.{secrets.token_hex(4)}.partial")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _check_space(floats: Path, quantised: int) -> None:
    status = floats.stat()
    weights = max(0, status.st_size - status.st_blocks * 512)  # the file is still a hole, for the most part
    needed, free = weights + quantised + _SPARE_BYTES, shutil.disk_usage(floats.parent).free
    if needed > free:
        parts = f" ({_gigabytes(weights)} of it only while quantising)" if quantised else ""
        raise InputError(
            f"{floats.parent}: not enough disk space: {_gigabytes(needed)} needed{parts}, {_gigabytes(free)} free"
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


def _quantised(
    cleanup: ExitStack,
    floats: Path,
    out: Path,
    quant: str,
    options: Options,
    tensors: Sequence[PlannedTensor],
    progress: Progress,
) -> Path:
    result = cleanup.enter_context(_partial(out))
    weights = {tensor.name: math.prod(tensor.shape) for tensor in tensors}
    progress.stage(f"quantising to {quant}", sum(weights.values()))
    before = 0

    def follow(name: str) -> None:
        nonlocal before
        progress.advance(before)
        before = weights.get(name, 0)

    quantize(floats, result, quant, imatrix=options.imatrix, threads=options.threads, on_tensor=follow)
    floats.unlink()
    progress.advance(before)
    return result


def _name_finished(result: Path, out: Path) -> None:
    """Gives the file its name once its bytes are on the disk, and not before."""
    for path in (result, out.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path is result:
            result.replace(out)
