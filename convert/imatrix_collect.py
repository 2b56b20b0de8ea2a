"""Makes an importance matrix of a float model from duplex transcripts. Knows the files; the sums are taken in the
process that runs llama.cpp (`imatrix_child`).
"""

from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert import llama
from convert.conversion import check_output
from convert.errors import ConversionError, InputError
from convert.ladder_source import float_model, processors
from convert.quality_corpus import default_corpus, find_corpus, other_half, read_corpus

if TYPE_CHECKING:
    from convert.ladder_source import FloatModel
    from convert.progress import Progress

TOKENS = 50_000  # that are read at most


@dataclass(frozen=True)
class ImatrixOptions:
    """What the command line asks for. `corpus` None: the shipped one that suits the model."""

    model: str
    out: Path
    corpus: str | None = None
    tokens: int = TOKENS
    tokenizer: Path | None = None
    revision: str | None = None
    threads: int | None = None
    gpu_layers: int = -1
    force: bool = False


def make_imatrix(options: ImatrixOptions, progress: Progress) -> dict[str, Any]:
    """Collects the matrix of what MODEL stands for, converted to bf16 if need be; returns what `collect_imatrix` does.

    Raises `InputError` and `ConversionError`; a run that fails or is interrupted leaves nothing.
    """
    try:
        check_output(options.out, force=options.force)
        corpus = find_corpus(options.corpus or default_corpus(options.model))
        with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".imatrix.") as scratch:
            model = float_model(options.model, Path(scratch), options.revision, options.tokenizer, progress)
            return collect_imatrix(
                model,
                corpus,
                options.out,
                tokens=options.tokens,
                gpu_layers=options.gpu_layers,
                threads=options.threads or processors(),
                progress=progress,
            )
    except OSError as error:
        raise ConversionError(f"{error.filename or options.out}: {error.strerror or error}") from error


def collect_imatrix(
    model: FloatModel, corpus: Path, out: Path, *, tokens: int, gpu_layers: int, threads: int, progress: Progress
) -> dict[str, Any]:
    """Writes the matrix to `out`, at once or not at all; returns how many `tokens`, `conversations` and `matrices`.

    Of the corpus every second conversation is left out, on which the ladder measures. Raises `InputError` where there
    is none at all.
    """
    if not other_half(read_corpus(corpus)):
        raise InputError(f"{corpus}: has no conversation")
    partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}.partial")
    began = False

    def follow(told: str) -> None:
        nonlocal began
        count, total = map(int, told.split())
        if not began:
            progress.stage("collecting an importance matrix", total)
        began = True
        progress.advance(count)

    try:
        answer = llama.ask(
            "collect",
            follow,
            path=str(model.path),
            out=str(partial),
            corpus=str(corpus),
            form=asdict(model.form),
            budget=tokens,
            gpu_layers=gpu_layers,
            threads=threads,
        )
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return answer
