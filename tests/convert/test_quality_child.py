"""In llama.cpp, a file is scored on its transcripts as the checkpoint's own forward pass would be, and timed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert import llama
from convert.errors import ConversionError
from convert.gguf_file import read_header
from convert.quality_corpus import DuplexFormat, lay_out, measured_half, read_corpus
from tests.convert import reference
from tests.convert.decoding import loaded, tokenize
from tests.convert.models import VOCABULARY, config, random_weights, write_folder
from tests.convert.test_conversion import run

pytestmark = pytest.mark.real

SETTINGS = config(max_position_embeddings=512)
TALKS: list[list[list[str | None]]] = [
    [["not measured", None]],
    [["what is", None], ["the sea", "it is wet"], [None, None], [None, None], ["and then", " a fish"], [None, None]],
    [["not measured", "either"]],
    # Longer than one decode call, and a reply that reaches over its end.
    [["once upon a time there was a king " * 6, "and he had a daughter " * 8], [None, None], ["go on", " so"]],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as f32 and q8_0, and a corpus."""
    folder = tmp_path_factory.mktemp("quality")
    write_folder(folder / "m", settings=SETTINGS)
    for quant in ("f32", "q8_0"):
        run(folder / "m", folder / f"{quant}.gguf", quant)
    (folder / "talks.jsonl").write_text("".join(json.dumps({"pairs": pairs}) + "\n" for pairs in TALKS))
    return folder


def form(folder: Path) -> DuplexFormat:
    return DuplexFormat.read(read_header(folder / "f32.gguf").metadata, "m")


def score(folder: Path, quant: str, *, is_source: bool, budget: int = 10_000, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "path": str(folder / f"{quant}.gguf"),
        "corpus": str(folder / "talks.jsonl"),
        "form": asdict(form(folder)),
        "budget": budget,
        "reference": str(folder / "reference"),
        "is_source": is_source,
        "gpu_layers": 0,
        "threads": 1,
    }
    return llama.ask("score", **{**arguments, **changes})


def test_perplexity_and_silence_are_those_of_the_reference_forward_pass(folder: Path) -> None:
    """Also behind tokens that were taken back."""
    found = score(folder, "f32", is_source=True)
    weights = random_weights(SETTINGS)
    losses, silent = [], []
    with loaded(folder / "f32.gguf", vocab_only=True) as model:
        import llama_cpp

        vocab = llama_cpp.llama_model_get_vocab(model)
        talks = measured_half(read_corpus(folder / "talks.jsonl"))
        layouts = [lay_out(t, form(folder), lambda text: tokenize(vocab, text, parse_special=False))[0] for t in talks]
    for runs in layouts:
        history: list[int] = []
        for each in runs:
            logits = reference.logits(weights, SETTINGS, [*history, *each.tokens])[len(history) :]
            for index in each.scored:
                before = logits[index - 1] - logits[index - 1].max()
                losses.append(np.log(np.exp(before).sum()) - before[each.tokens[index]])
                if index in each.first:
                    silent.append(before.argmax() == form(folder).idle)
            history += each.tokens if each.kept else ()
    assert found["tokens"] == len(losses)
    assert found["slices"] == len(silent) == sum(len(talk.pairs) for talk in talks)
    assert found["perplexity"] == pytest.approx(np.exp(np.mean(losses)), rel=2e-3)
    assert found["false_speech"]["n"] == sum(silent)


def test_a_file_is_its_own_equal_and_a_coarser_one_is_not(folder: Path) -> None:
    first = score(folder, "f32", is_source=True)
    assert score(folder, "f32", is_source=False) == first
    assert (first["kl"], first["top1"]["rate"], first["idle_agreement"]["rate"]) == (0, 1, 1)
    coarser = score(folder, "q8_0", is_source=False)
    assert 0 < coarser["kl"] < 1
    assert coarser["perplexity"] != first["perplexity"]


def test_the_budget_ends_the_corpus_early_and_is_known_beforehand(folder: Path) -> None:
    request: dict[str, Any] = {
        "path": str(folder / "f32.gguf"),
        "corpus": str(folder / "talks.jsonl"),
        "form": asdict(form(folder)),
    }
    whole = llama.ask("size", budget=10_000, **request)
    assert whole == {
        "scored": score(folder, "f32", is_source=True)["tokens"],
        "vocabulary": VOCABULARY,
        "conversations": 2,
        "decoded": whole["decoded"],
        "cut": 0,
    }
    assert (folder / "reference").stat().st_size == 4 * whole["scored"] * whole["vocabulary"]
    less = llama.ask("size", budget=1, **request)
    assert less["conversations"] == 1
    assert score(folder, "f32", is_source=True, budget=1)["tokens"] == less["scored"] < whole["scored"]


def test_another_models_reference_is_refused(folder: Path) -> None:
    score(folder, "f32", is_source=True, budget=1)
    with pytest.raises(ConversionError, match="was not made from this model and corpus"):
        score(folder, "f32", is_source=False)


def test_progress_counts_every_token(folder: Path) -> None:
    counts: list[int] = []
    request: dict[str, Any] = {
        "path": str(folder / "f32.gguf"),
        "corpus": str(folder / "talks.jsonl"),
        "form": asdict(form(folder)),
    }
    llama.ask(
        "score",
        lambda count: counts.append(int(count)),
        budget=10_000,
        reference=str(folder / "reference"),
        is_source=True,
        gpu_layers=0,
        threads=1,
        **request,
    )
    assert max(counts) == 128
    assert sum(counts) > 400


def test_files_are_timed_in_turns(folder: Path) -> None:
    paths = [str(folder / f"{quant}.gguf") for quant in ("f32", "q8_0")]
    rounds = llama.ask("speed", paths=paths, gpu_layers=0, threads=1, count=5)["rounds"]
    assert len(rounds) == 2
    for figures in rounds:
        assert len(figures) == 5
        assert all(each.keys() == {"prefill_32", "prefill_512", "decode"} for each in figures)
        assert all(value > 0 for each in figures for value in each.values())


def test_a_context_that_is_too_short_for_a_prompt_leaves_it_out(tmp_path: Path) -> None:
    run(write_folder(tmp_path / "m"), tmp_path / "m.gguf")
    rounds = llama.ask("speed", paths=[str(tmp_path / "m.gguf")], gpu_layers=0, threads=1, count=5)["rounds"]
    assert rounds[0][0].keys() == {"prefill_32", "decode"}
