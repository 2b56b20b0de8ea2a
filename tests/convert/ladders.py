"""Ladders for tests: the JSON of one, made up, and models that are quick to climb."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convert.ladder import LadderOptions, climb
from convert.progress import Progress
from convert.quality import Rate
from tests.convert.models import config, write_folder
from tests.convert.test_conversion import run as convert_to

TALKS = [
    [[f"the {number}", None], ["sea and", "it is wet"], [None, " and deep"], [None, None], ["no", None]]
    for number in ("red", "old", "big", "new", "far", "hot")
]
BLOCKS_FIT = config(hidden_size=256, intermediate_size=256, num_hidden_layers=1)


def write_model(folder: Path) -> Path:
    """A checkpoint `m` whose matrices every type fits, the same as a file `m.gguf`, and a corpus in its words."""
    write_folder(folder / "m", settings=BLOCKS_FIT, dtype="bf16")
    convert_to(folder / "m", folder / "m.gguf", "bf16")
    corpus(folder).write_text("".join(json.dumps({"pairs": pairs}) + "\n" for pairs in TALKS))
    return folder


def corpus(folder: Path) -> Path:
    return folder / "talks.jsonl"


def run(folder: Path, out: Path, types: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """Climbs on `write_model`'s, without timing unless asked; also returns the stages that it showed."""
    shown = io.StringIO()
    chosen = {"corpus": str(corpus(folder)), "imatrix": "none", "speed": False, "threads": 1, "gpu_layers": 0}
    model = options.pop("model", folder / "m.gguf")
    found = climb(LadderOptions(str(model), types, out=out, **{**chosen, **options}), Progress(shown))
    return found, shown.getvalue().splitlines()


def row(label: str, size: float, kl: float = 0.01, idle: int = 995, **more: Any) -> dict[str, Any]:
    """A row as `climb` makes them; `size` in megabytes and in bits a weight."""
    quality = {
        "tokens": 4000,
        "slices": 1000,
        "perplexity": 1.5 + kl,
        "kl": kl,
        "kl_p99": 9 * kl,
        "top1": asdict(Rate.of(3950, 4000)),
        "idle_agreement": asdict(Rate.of(idle, 1000)),
        "false_speech": asdict(Rate.of(1, 400)),
        "false_silence": asdict(Rate.of(0, 0)),
        "idle_shift": -0.0125,
        "idle_distance": 0.02,
    }
    return {
        "label": label,
        "type": label.partition("+")[0],
        "imatrix": "+" in label,
        "bytes": int(size * 1e6),
        "bits_per_weight": size,
        "parameters": 8_000_000,
        "perplexity_ratio": 1 + kl,
        "quality": quality,
        "broken": [],
        **more,
    }


def ladder(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "model": "parrot",
        "source": rows[0]["label"],
        "digest": "0",
        "corpus": "pocket",
        "eval": None,
        "limits": ["kl <= 0.05"],
        "smallest": rows[-1]["label"],
        "machine": {"platform": "Test", "processors": 2, "threads": 2, "gpu_layers": 0, "llama_cpp_python": "0"},
        "notes": [],
        "rows": list(rows),
        **changes,
    }
