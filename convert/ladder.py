"""The ladder: one model in several types, each measured beside the unquantised one. Knows the order of the work, what
it needs of disk and memory, and the files; measuring is `ladder_measure`'s.
"""

from __future__ import annotations

import math
import os
import platform
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert import ladder_eval, llama
from convert.errors import ConversionError, InputError
from convert.gguf_file import tensor_bytes
from convert.imatrix import read_imatrix
from convert.imatrix_collect import TOKENS, collect_imatrix
from convert.ladder_limits import DEFAULT, broken, check_rates, read_limits, smallest
from convert.ladder_measure import Circumstances, Gauge, Rung, bindings
from convert.ladder_source import file_digest, float_model, name_of, processors
from convert.ladder_store import Store, alone
from convert.quality_corpus import SHIPPED, default_corpus, digest, find_corpus, measured_half, other_half, read_corpus
from convert.quantize import FLOATS, check_quant, plan_quantization, quantize
from convert.source import POCKET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convert.ladder_source import FloatModel
    from convert.progress import Progress

TYPES = "q8_0,q6_k,q5_k_m,q4_k_m,q4_0,iq4_xs,q3_k_m"
# What these types do with an importance matrix: nothing.
_IGNORE_IMATRIX = frozenset({*FLOATS, "q8_0", "mxfp4_moe", "tq1_0", "tq2_0", "q1_0", "q2_0"})
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True)
class LadderOptions:
    """What the command line asks for. `out` None: `models/<name>-ladder`. `evaluation`: a set, `auto` or `none`."""

    model: str
    types: str = TYPES
    corpus: str | None = None
    tokens: int = 4000
    imatrix: str = "auto"
    evaluation: str = "auto"
    eval_arguments: tuple[str, ...] = ()
    limits: str = DEFAULT
    out: Path | None = None
    tokenizer: Path | None = None
    revision: str | None = None
    threads: int | None = None
    gpu_layers: int = -1
    speed: bool = True
    keep: bool = False
    fresh: bool = False


def climb(options: LadderOptions, progress: Progress) -> dict[str, Any]:
    """Measures every rung, and returns all that is known: what `--json` writes, as docs/quantization.md describes it.

    What was measured is kept in the folder as soon as it is there. Raises `InputError` and `ConversionError`.
    """
    try:
        return _Ladder(options, progress).climb()
    except OSError as error:
        raise ConversionError(f"{error.filename or options.model}: {error.strerror or error}") from error


class _Ladder:
    def __init__(self, options: LadderOptions, progress: Progress) -> None:
        """Refuses whatever can be refused before anything is done."""
        self._options = options
        self._progress = progress
        self._threads = options.threads or processors()
        self._types = list(dict.fromkeys(check_quant(part.strip(), "--types") for part in options.types.split(",")))
        scenarios = options.evaluation
        if scenarios == "auto":
            scenarios = POCKET if options.model == POCKET else "none"
        self._scenarios = None if scenarios == "none" else scenarios
        self._corpus = find_corpus(options.corpus or default_corpus(options.model))
        if not measured_half(read_corpus(self._corpus)):
            raise InputError(f"{self._corpus}: every second conversation is measured, so it must have two at least")
        self._limits = read_limits(options.limits, evaluated=self._scenarios is not None)
        self._imatrix = None if options.imatrix in ("auto", "none") else Path(options.imatrix)
        if self._imatrix is not None:
            read_imatrix(self._imatrix)
        self._notes: list[str] = []
        self._check_eval()

    def _check_eval(self) -> None:
        """What is missing is a note; scenarios or options that were asked for and do not exist are an error."""
        if self._scenarios is None:
            if self._options.eval_arguments:
                raise InputError("--eval-args: nothing is to be evaluated; give the scenarios with --eval")
            return
        why = ladder_eval.missing()
        if why is None:
            try:
                ladder_eval.check(self._scenarios, self._options.eval_arguments)
            except InputError as error:
                if self._options.evaluation != "auto" or self._options.eval_arguments:
                    raise
                why = f"no eval: {error}"
        if why:
            self._notes.append(why)
            self._scenarios = None

    def climb(self) -> dict[str, Any]:
        folder = self._open_folder()
        with alone(folder):
            return self._climb(folder)

    def _climb(self, folder: Path) -> dict[str, Any]:
        options = self._options
        store = Store(folder, fresh=options.fresh)
        model = float_model(options.model, folder, options.revision, options.tokenizer, self._progress)
        size = self._size(model)
        self._check_memory(model)
        rungs = self._plan(model, folder, store)
        self._check_disk(model, folder, rungs, size)
        timed = self._can_be_timed(model, rungs)
        gauge = Gauge(self._circumstances(model, timed=timed), store, self._progress, size)
        source = Rung(model.quant)
        with self._reference(gauge, source, list(rungs), folder) as reference:
            rows = [gauge.row(source, model.path, source, reference)]
            if "eval" in rows[0]:
                check_rates(self._limits, rows[0]["eval"])
            for rung in rungs:
                with self._file(gauge, model, rung, folder) as path:
                    rows.append(gauge.row(rung, path, source, reference))
        self._progress.end()
        if model.made and not options.keep:
            model.path.unlink()
        for row in rows:
            row["broken"] = broken(self._limits, row)
        return {
            "model": model.name,
            "source": model.quant,
            "digest": model.digest,
            "corpus": self._corpus.stem if self._corpus.parent == SHIPPED else str(self._corpus),
            "eval": self._scenarios,
            "limits": [str(limit) for limit in self._limits],
            "smallest": smallest(self._limits, rows),
            "machine": {
                "platform": platform.platform(),
                "processors": os.cpu_count(),
                "threads": self._threads,
                "gpu_layers": options.gpu_layers,
                "llama_cpp_python": bindings(),
            },
            "notes": self._notes,
            "rows": rows,
        }

    def _open_folder(self) -> Path:
        out = self._options.out
        if out is None:
            name = name_of(self._options.model, self._options.revision, self._options.tokenizer, self._progress)
            out = Path("models") / f"{name}-ladder"
        if out.exists() and not out.is_dir():
            raise InputError(f"--out {out}: is a file; give the name of a folder")
        out.mkdir(parents=True, exist_ok=True)
        return out

    def _circumstances(self, model: FloatModel, *, timed: bool) -> Circumstances:
        options = self._options
        return Circumstances(
            model=model,
            corpus=self._corpus,
            tokens=options.tokens,
            threads=self._threads,
            gpu_layers=options.gpu_layers,
            timed=timed,
            scenarios=self._scenarios,
            eval_arguments=options.eval_arguments,
        )

    # --- before anything is measured

    def _plan(self, model: FloatModel, folder: Path, store: Store) -> dict[Rung, int]:
        """Every rung, and the bytes that its file will take. Collects the importance matrix that it needs."""
        quants = [quant for quant in self._types if quant != model.quant]
        own = folder / "imatrix.gguf"
        automatic = self._options.imatrix == "auto" and not _IGNORE_IMATRIX.issuperset(quants)
        if automatic:
            self._collect(model, own, store)
        planned: dict[Rung, int] = {}
        for quant in quants:
            choices: list[Path | None] = [None]
            if quant not in _IGNORE_IMATRIX:
                choices = [None, own] if automatic else [self._imatrix]
            for imatrix in choices:
                try:
                    types = plan_quantization(model.path, quant, model.tensors, imatrix, "--types")
                except InputError:
                    if imatrix is None and automatic and len(choices) > 1:
                        continue  # it needs a matrix, which the next choice is; what else is wrong will be wrong there
                    raise
                planned[Rung(quant, imatrix)] = sum(tensor_bytes(one.shape, types[one.name]) for one in model.tensors)
        return planned

    def _collect(self, model: FloatModel, path: Path, store: Store) -> None:
        transcripts = digest(other_half(read_corpus(self._corpus)))
        key = {"source": model.digest, "corpus": transcripts, "llama": bindings()}
        known = store.get("imatrix", "collected", key) if path.is_file() else None
        if known is None or known["digest"] != file_digest(path):
            told = collect_imatrix(
                model,
                self._corpus,
                path,
                tokens=TOKENS,
                gpu_layers=self._options.gpu_layers,
                threads=self._threads,
                progress=self._progress,
            )
            known = {**told, "digest": file_digest(path)}
            store.put("imatrix", "collected", key, known)
        self._notes.append(
            f"importance matrix: from {known['tokens']:,} tokens of {known['conversations']} conversations, "
            "none of them among the measured ones"
        )

    def _size(self, model: FloatModel) -> dict[str, int]:
        """How much there is to predict. Refuses transcripts of which there is nothing."""
        transcripts: dict[str, Any] = {
            "corpus": str(self._corpus),
            "form": asdict(model.form),
            "budget": self._options.tokens,
        }
        size = llama.ask("size", path=str(model.path), **transcripts)
        if not size["scored"]:
            raise InputError(
                f"{self._corpus}: no conversation that is measured begins with a pair that fits into the model's "
                f"context of {model.form.context} tokens"
            )
        if size["cut"]:
            self._notes.append(f"{size['cut']} conversations were longer than the context, and cut")
        return size

    def _check_memory(self, model: FloatModel) -> None:
        memory, source = _memory(), model.path.stat().st_size
        if memory is not None and source + _SPARE_BYTES > memory:
            raise InputError(
                f"{model.path}: {_gigabytes(source)} do not fit into this machine's {_gigabytes(memory)} of memory, "
                "and every other type is compared with it"
            )

    def _check_disk(self, model: FloatModel, folder: Path, planned: dict[Rung, int], size: dict[str, int]) -> None:
        largest = max([0, *planned.values()])
        rows = 4 * size["scored"] * size["vocabulary"]
        needed = rows + (sum(planned.values()) if self._options.keep else largest) + _SPARE_BYTES
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise InputError(
                f"{folder}: not enough disk space: {_gigabytes(needed)} needed ({_gigabytes(rows)} of it for what "
                f"{model.quant} predicts; a smaller --tokens makes it less), {_gigabytes(free)} free"
            )

    def _can_be_timed(self, model: FloatModel, planned: dict[Rung, int]) -> bool:
        """Whether speeds are asked for and the memory suffices; that it does not is a note."""
        memory = _memory()
        # To be timed, both are loaded at once, and there may be a second copy of the quantised one's weights, repacked.
        needed = model.path.stat().st_size + 2 * max([0, *planned.values()]) + _SPARE_BYTES
        if self._options.speed and memory is not None and needed > memory:
            self._notes.append(f"no speeds: two models side by side do not fit into {_gigabytes(memory)} of memory")
            return False
        return self._options.speed

    # --- the files

    @contextmanager
    def _reference(self, gauge: Gauge, source: Rung, rungs: Sequence[Rung], folder: Path) -> Iterator[Path | None]:
        """The source's predictions in a temporary file; None where everything has been compared with them already."""
        if all(gauge.is_known(rung, "quality") for rung in (source, *rungs)):
            yield None
            return
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".reference.", suffix=".partial") as file:
            gauge.predict(source, Path(file.name))
            yield Path(file.name)

    @contextmanager
    def _file(self, gauge: Gauge, model: FloatModel, rung: Rung, folder: Path) -> Iterator[Path]:
        """The rung's file, made where it is needed, and gone at the end unless it is kept."""
        finished = folder / f"{model.name}-{rung.label.replace('+', '-')}.gguf"
        if gauge.is_known(rung) and (finished.is_file() or not self._options.keep):
            yield finished
            return
        partial = finished.with_name(f".{finished.name}.{os.getpid()}.partial")
        try:
            self._quantise(model, rung, partial)
            if self._options.keep or finished.is_file():  # one that was kept before must not stay another model's
                partial.replace(finished)
                yield finished
            else:
                yield partial
        finally:
            partial.unlink(missing_ok=True)

    def _quantise(self, model: FloatModel, rung: Rung, out: Path) -> None:
        weights = {tensor.name: math.prod(tensor.shape) for tensor in model.tensors}
        self._progress.stage(f"{rung.label}: quantising", sum(weights.values()))
        before = 0

        def follow(name: str) -> None:
            nonlocal before
            self._progress.advance(before)
            before = weights.get(name, 0)

        quantize(model.path, out, rung.quant, imatrix=rung.imatrix, threads=self._threads, on_tensor=follow)
        self._progress.advance(before)


def _memory() -> int | None:
    """Bytes of physical memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
