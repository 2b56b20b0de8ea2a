"""Measures one file of the ladder beside the unquantised one, unless its results are kept already. Knows what each
result depends on; leaves the figures to llama.cpp's process and the eval's scores to the eval.
"""

from __future__ import annotations

import importlib.metadata
import math
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert import ladder_eval, llama
from convert.gguf_file import read_header, type_name, weight_bytes
from convert.ladder_source import file_digest
from convert.quality_corpus import digest, measured_half, read_corpus

if TYPE_CHECKING:
    from convert.ladder_source import FloatModel
    from convert.ladder_store import Store
    from convert.progress import Progress

_ROUNDS = 5  # in which files are timed


@dataclass(frozen=True)
class Circumstances:
    """What results depend on besides the file: the transcripts, the scenarios (None: no eval) and how it is run."""

    model: FloatModel
    corpus: Path
    tokens: int
    threads: int
    gpu_layers: int
    timed: bool
    scenarios: str | None
    eval_arguments: tuple[str, ...]

    @property
    def parts(self) -> list[str]:
        """What a row consists of."""
        return ["file", "quality", *(["speed"] if self.timed else []), *(["eval"] if self.scenarios else [])]

    def transcripts(self) -> dict[str, Any]:
        """As the process that runs llama.cpp is told."""
        return {"corpus": str(self.corpus), "form": asdict(self.model.form), "budget": self.tokens}


@dataclass(frozen=True)
class Rung:
    """One file to be measured: its type, and the importance matrix that it is made with."""

    quant: str
    imatrix: Path | None = None

    @property
    def label(self) -> str:
        return self.quant if self.imatrix is None else f"{self.quant}+imatrix"


class Gauge:
    """Makes the rows. The source's own is the first to be made: others are compared with it."""

    def __init__(self, given: Circumstances, store: Store, progress: Progress, size: dict[str, int]) -> None:
        """`size`: the answer of the task of that name, for these transcripts."""
        self._given = given
        self._store = store
        self._progress = progress
        self._size = size
        self._transcripts = digest(measured_half(read_corpus(given.corpus)))
        self._set = ladder_eval.content_digest(given.scenarios) if given.scenarios else None

    def is_known(self, rung: Rung, *parts: str) -> bool:
        """Whether these parts of a rung, by default all, need not be measured."""
        return all(self._known(rung, part) is not None for part in parts or self._given.parts)

    def predict(self, source: Rung, reference: Path) -> None:
        """Writes the source's predictions to the file `reference`, for others to be compared with."""
        path = self._given.model.path
        self._keep(source, "quality", self._score(path, source, reference, is_source=True))

    def row(self, rung: Rung, path: Path, source: Rung, reference: Path | None) -> dict[str, Any]:
        """The row of the rung that the file `path` holds, which need not be there where all is known already."""

        def part(name: str, measure: Any) -> dict[str, Any]:
            return self._known(rung, name) or self._keep(rung, name, measure())

        file = part("file", lambda: weigh(path))
        quality = part("quality", lambda: self._score(path, rung, reference, is_source=False))
        base = self._known(source, "quality") or quality
        row = {
            "label": rung.label,
            "type": rung.quant,
            "imatrix": rung.imatrix is not None,
            **file,
            "perplexity_ratio": quality["perplexity"] / base["perplexity"],
            "quality": quality,
        }
        if self._given.timed:
            row["speed"] = part("speed", lambda: self._time(path, rung))
        if self._given.scenarios:
            row["eval"] = part("eval", lambda: self._evaluate(path, rung, self._given.scenarios or ""))
        return row

    def _score(self, path: Path, rung: Rung, reference: Path | None, *, is_source: bool) -> dict[str, Any]:
        self._progress.stage(f"{rung.label}: predicting {self._size['scored']:,} tokens", self._size["decoded"])
        return llama.ask(
            "score",
            lambda count: self._progress.advance(int(count)),
            path=str(path),
            **self._given.transcripts(),
            reference=str(reference),
            is_source=is_source,
            gpu_layers=self._given.gpu_layers,
            threads=self._given.threads,
        )

    def _time(self, path: Path, rung: Rung) -> dict[str, Any]:
        """The medians over rounds: tokens a second, and how many times the source's in the same round that is."""
        source = self._given.model.path
        self._progress.stage(f"{rung.label}: timing", _ROUNDS + 1)
        rounds = llama.ask(
            "speed",
            lambda count: self._progress.advance(int(count)),
            paths=[str(each) for each in dict.fromkeys([source, path])],
            gpu_layers=self._given.gpu_layers,
            threads=self._given.threads,
            count=_ROUNDS,
        )["rounds"]
        return compare_speeds(rounds[-1], rounds[0])

    def _evaluate(self, path: Path, rung: Rung, scenarios: str) -> dict[str, Any]:
        self._progress.stage(f"{rung.label}: evaluating on {scenarios}")
        self._progress.end()  # the eval has a progress bar of its own
        given = self._given
        return ladder_eval.evaluate(
            path, scenarios, given.eval_arguments, threads=given.threads, gpu_layers=given.gpu_layers
        )

    def _known(self, rung: Rung, part: str) -> dict[str, Any] | None:
        return self._store.get(rung.label, part, self._key(rung, part))

    def _keep(self, rung: Rung, part: str, result: dict[str, Any]) -> dict[str, Any]:
        self._store.put(rung.label, part, self._key(rung, part), result)
        return result

    def _key(self, rung: Rung, part: str) -> dict[str, Any]:
        """Where one of these is another, a result does not hold any more."""
        given = self._given
        key: dict[str, Any] = {"source": given.model.digest, "llama": bindings()}
        if rung.imatrix is not None:
            key["imatrix"] = file_digest(rung.imatrix)
        if part != "file":
            key |= {"threads": given.threads, "gpu_layers": given.gpu_layers}
        if part == "quality":
            key |= {"corpus": self._transcripts, "tokens": given.tokens}
        if part == "eval":
            key |= {"set": self._set, "arguments": given.eval_arguments}
        return key


def weigh(path: Path) -> dict[str, Any]:
    """`bytes` of the file, number of `parameters`, and `bits_per_weight` of its tensors alone."""
    tensors = read_header(path).tensors.values()
    parameters = sum(math.prod(record.shape) for record in tensors)
    size = sum(weight_bytes(record.shape, type_name(record.type)) for record in tensors)
    return {"bytes": path.stat().st_size, "bits_per_weight": 8 * size / parameters, "parameters": parameters}


def bindings() -> str:
    """Which llama.cpp it is: the version of the bindings, which are pinned to one."""
    return importlib.metadata.version("llama-cpp-python")


def compare_speeds(own: list[dict[str, float]], base: list[dict[str, float]]) -> dict[str, float]:
    """Medians over rounds of each speed, and as `..._ratio` of its ratio to the `base` of its round."""
    speeds = {name: statistics.median(each[name] for each in own) for name in own[0]}
    for name in own[0]:
        pairs = zip(own, base, strict=True)
        speeds[f"{name}_ratio"] = statistics.median(one[name] / other[name] for one, other in pairs)
    return speeds
