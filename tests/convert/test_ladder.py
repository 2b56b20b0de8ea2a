"""A ladder is climbed in llama.cpp, goes on where it was left, and refuses what cannot be before it begins."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convert import ladder as ladder_module
from convert import ladder_eval, llama
from convert.errors import ConversionError, InputError
from convert.quality_corpus import measured_half, read_corpus
from tests.convert.ladders import BLOCKS_FIT, TALKS, corpus, run, write_model
from tests.convert.models import ADDED, random_weights, tokenizer_config, write_folder, write_json
from tests.convert.test_cli import COMMAND
from tests.convert.test_imatrix import write_gguf
from tests.convert.test_ladder_eval import SCENARIOS

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ladder")
    write_model(folder)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def labels(found: dict[str, Any]) -> list[str]:
    return [row["label"] for row in found["rows"]]


def predicted(stages: list[str]) -> list[str]:
    """What was predicted, of the stages shown."""
    return [stage.partition(":")[0] for stage in stages if ": predicting" in stage]


def test_a_coarser_type_is_smaller_and_farther_off_and_is_not_measured_again(folder: Path, tmp_path: Path) -> None:
    first, stages = run(folder, tmp_path, "q8_0, Q4_K_M")
    assert labels(first) == ["bf16", "q8_0", "q4_k_m"]
    kl, size = ([row["quality"]["kl"] if which else row["bytes"] for row in first["rows"]] for which in (1, 0))
    assert 0 == kl[0] < kl[1] < kl[2]
    assert size == sorted(size, reverse=True)
    slices = sum(len(talk.pairs) for talk in measured_half(read_corpus(corpus(folder))))
    assert {row["quality"]["slices"] for row in first["rows"]} == {slices} == {len(TALKS) // 2 * len(TALKS[0])}
    assert names(tmp_path) == ["bf16.json", "q4_k_m.json", "q8_0.json"]
    assert predicted(stages) == ["bf16", "q8_0", "q4_k_m"]

    again, stages = run(folder, tmp_path, "q8_0,q4_k_m,q5_0", limits=f"kl<={(kl[1] + kl[2]) / 2:.9f}")
    assert predicted(stages) == ["bf16", "q5_0"]  # what a new one is compared with is not kept
    assert "q8_0: quantising" not in stages
    assert [row["quality"] for row in again["rows"][:3]] == [row["quality"] for row in first["rows"]]
    assert again["rows"][2]["broken"] == [f"kl {kl[2]:.4g}"]
    assert again["smallest"] in ("q8_0", "q5_0")

    for options in ({}, {"fresh": True}):  # other transcripts; then the same, but it is asked to measure them again
        _, stages = run(folder, tmp_path, "q8_0", tokens=5, **options)
        assert predicted(stages) == ["bf16", "q8_0"]


def test_with_a_matrix_of_its_own_each_type_is_measured_twice(folder: Path, tmp_path: Path) -> None:
    found, stages = run(folder, tmp_path, "q8_0,q4_k_s,iq2_xs", imatrix="auto")
    assert labels(found) == ["bf16", "q8_0", "q4_k_s", "q4_k_s+imatrix", "iq2_xs+imatrix"]
    plain, weighted = found["rows"][2:4]
    assert plain["bytes"] == weighted["bytes"]
    assert plain["quality"]["kl"] != weighted["quality"]["kl"]
    assert "collecting an importance matrix" in stages
    assert any("3 conversations, none of them among the measured" in note for note in found["notes"])
    again, stages = run(folder, tmp_path, "q4_k_s", imatrix="auto")
    assert again["rows"] == [found["rows"][0], plain, weighted]
    assert not [stage for stage in stages if "collecting" in stage or "predicting" in stage]


def test_a_given_matrix_takes_the_place_of_none(folder: Path, tmp_path: Path) -> None:
    shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"), 256)
    values = {f"blk.0.{name}.weight": [1.0] * size for name, size in shapes.items()}
    path = write_gguf(tmp_path / "i.gguf", values)
    found, _ = run(folder, tmp_path / "out", "q8_0,q4_k_s", imatrix=str(path))
    assert labels(found) == ["bf16", "q8_0", "q4_k_s+imatrix"]


def test_a_checkpoint_is_converted_first_and_files_are_kept_if_asked(folder: Path, tmp_path: Path) -> None:
    found, stages = run(folder, tmp_path, "q8_0", model=folder / "m", keep=True)
    assert stages[0] == "writing bf16"
    assert names(tmp_path) == ["bf16.json", "m-bf16.gguf", "m-q8_0.gguf", "q8_0.json", "source.json"]
    again, stages = run(folder, tmp_path, "q8_0", model=folder / "m")
    assert (again, stages) == (found, [])
    assert names(tmp_path) == ["bf16.json", "m-q8_0.gguf", "q8_0.json", "source.json"]


def test_a_kept_file_does_not_stay_another_models(folder: Path, tmp_path: Path) -> None:
    """Of the same name, measured without --keep in between."""
    for name, seed in (("one", 0), ("other", 1)):
        weights = random_weights(BLOCKS_FIT, seed=seed)
        write_folder(tmp_path / name / "m", settings=BLOCKS_FIT, weights=weights, dtype="bf16")
    out, expected = tmp_path / "out", tmp_path / "expected"
    run(folder, out, "q8_0", model=tmp_path / "one" / "m", keep=True)
    run(folder, out, "q8_0", model=tmp_path / "other" / "m")
    run(folder, out, "q8_0", model=tmp_path / "other" / "m", keep=True)
    run(folder, expected, "q8_0", model=tmp_path / "other" / "m", keep=True)
    assert (out / "m-q8_0.gguf").read_bytes() == (expected / "m-q8_0.gguf").read_bytes()


def test_speeds_are_ratios_to_the_source(folder: Path, tmp_path: Path) -> None:
    found, _ = run(folder, tmp_path, "q8_0", speed=True)
    first, second = (row["speed"] for row in found["rows"])
    assert first.keys() == second.keys() == {"prefill_32", "prefill_32_ratio", "decode", "decode_ratio"}
    assert first["decode_ratio"] == 1
    assert second["decode_ratio"] > 0


def test_what_the_machine_has_no_room_for_is_told_beforehand(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder_module, "_memory", lambda: (64 << 20) + 1_500_000)
    found, _ = run(folder, tmp_path, "q8_0", speed=True)
    assert "speed" not in found["rows"][0]
    assert any(note.startswith("no speeds: two models side by side") for note in found["notes"])
    monkeypatch.setattr(ladder_module, "_memory", lambda: 64 << 20)
    with pytest.raises(InputError, match="do not fit into this machine's"):
        run(folder, tmp_path, "q4_0", imatrix="auto")
    assert "imatrix.gguf" not in names(tmp_path)  # which takes long for a large model
    monkeypatch.setattr(ladder_module, "_memory", lambda: None)
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(64 << 20))
    with pytest.raises(InputError, match=r"not enough disk space: 0\.07 GB needed .* a smaller --tokens"):
        run(folder, tmp_path, "q4_0")


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown type": ({"types": "q8_0,q9"}, "--types q9: unknown; choose one of"),
    "type without its matrix": ({"types": "iq2_xs"}, "--types iq2_xs: this type needs an importance matrix"),
    "no such corpus": ({"corpus": "nowhere"}, "--corpus nowhere: there is no such file"),
    "no such matrix": ({"imatrix": "nowhere"}, "nowhere: cannot be read"),
    "limit of nothing": ({"limits": "speed>=3"}, "--limits: there is no figure speed"),
    "no such model": ({"model": "nowhere"}, "nowhere: there is no such folder"),
    "no such scenarios": ({"evaluation": "nowhere"}, "--eval nowhere: "),
    "options of no eval": ({"eval_arguments": ("--limit", "5")}, "--eval-args: nothing is to be evaluated"),
    "wrong options of the default eval": (
        {"model": "pocket", "eval_arguments": ("--limt", "5")},
        "--eval pocket: edge-chat: ",
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_is_refused(folder: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    types = changes.pop("types", "q8_0")
    with pytest.raises(InputError) as refusal:
        run(folder, tmp_path, types, **changes)
    assert message in str(refusal.value)


def test_one_conversation_is_too_few(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(json.dumps({"pairs": TALKS[0]}))
    with pytest.raises(InputError, match="every second conversation is measured"):
        run(folder, tmp_path, "q8_0", corpus=str(tmp_path / "one.jsonl"))


def test_conversations_that_begin_beyond_the_context_are_refused(folder: Path, tmp_path: Path) -> None:
    talk = json.dumps({"pairs": [["the sea " * 300, "it is wet"]]})
    (tmp_path / "long.jsonl").write_text(f"{talk}\n{talk}\n")
    with pytest.raises(InputError, match=r"long\.jsonl: no conversation .* context of 128 tokens"):
        run(folder, tmp_path, "q8_0", corpus=str(tmp_path / "long.jsonl"))


def test_a_changed_set_is_played_again_and_an_unknown_rate_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "set.yaml").write_text(SCENARIOS)
    options: dict[str, Any] = {"evaluation": str(tmp_path / "set.yaml")}
    with pytest.raises(InputError, match="no figure right_answer; "):
        run(folder, tmp_path / "out", "q8_0", limits="right_answer>=0.9", **options)
    assert names(tmp_path / "out") == ["bf16.json"]  # nothing else was done for it
    found, stages = run(folder, tmp_path / "out", "bf16", **options)
    assert (len(found["rows"]), stages) == (1, ["reading m.gguf"])
    (tmp_path / "set.yaml").write_text(SCENARIOS.replace("the time", "the place"))
    _, stages = run(folder, tmp_path / "out", "bf16", **options)
    assert any("evaluating" in stage for stage in stages)


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_results_that_cannot_be_written_are_refused_before_anything_is_measured(
    folder: Path, tmp_path: Path, option: str
) -> None:
    (tmp_path / "l.svg").mkdir()
    for path, why in ((tmp_path / "l.svg", "is a folder"), (tmp_path / "none" / "l.svg", "does not exist; create it")):
        command = [*COMMAND, "ladder", str(folder / "m.gguf"), "--out", str(tmp_path / "out"), option, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.startswith(f"edge-convert: {option} {path}: ")) == (2, True), done.stderr
        assert why in done.stderr
    assert names(tmp_path) == ["l.svg"]


def test_where_the_eval_is_not_installed_a_note_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder_eval, "_command", lambda name: tmp_path / name)
    found, _ = run(folder, tmp_path / "out", "q8_0", evaluation="pocket")
    assert "eval" not in found["rows"][0]
    assert any(note.startswith("no eval: ") and "edge-server is not there" in note for note in found["notes"])


def test_a_failing_child_leaves_no_file_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., dict[str, Any]] = llama.ask

    def fail_on_q4(task: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        if task == "score" and "q4_0" in str(options["path"]):
            raise ConversionError("llama.cpp ended unexpectedly")
        return real(task, *arguments, **options)

    monkeypatch.setattr(llama, "ask", fail_on_q4)
    with pytest.raises(ConversionError, match="ended unexpectedly"):
        run(folder, tmp_path, "q8_0,q4_0")
    assert names(tmp_path) == ["bf16.json", "q4_0.json", "q8_0.json"]
    monkeypatch.undo()
    assert predicted(run(folder, tmp_path, "q8_0,q4_0")[1]) == ["bf16", "q4_0"]


@pytest.mark.parametrize("stage", ["bf16: predicting", "q4_0: quantising"])
def test_an_interrupted_ladder_keeps_what_it_measured_and_nothing_half(
    folder: Path, tmp_path: Path, stage: str
) -> None:
    command = [*COMMAND, "ladder", str(folder / "m.gguf"), "--types", "q8_0,q4_0", "--corpus", str(corpus(folder))]
    command += ["--imatrix", "none", "--no-speed", "--threads", "1", "--out", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith(stage):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
        assert process.wait(60) == 130
    assert errors.splitlines()[-1] == "edge-convert: interrupted; what was measured is kept"
    assert not [name for name in names(tmp_path) if name.endswith(".partial")]
    assert ("q8_0.json" in names(tmp_path)) is stage.startswith("q4_0")


def test_the_command_prints_writes_and_draws(folder: Path, tmp_path: Path) -> None:
    command = [*COMMAND, "ladder", str(folder / "m.gguf"), "--types", "q8_0,q4_0", "--corpus", str(corpus(folder))]
    command += [
        "--imatrix",
        "none",
        "--threads",
        "1",
        "--out",
        str(tmp_path / "out"),
        "--json",
        str(tmp_path / "l.json"),
    ]
    drawn = pytest.importorskip("matplotlib") and ["--plot", str(tmp_path / "l.svg")]
    done = subprocess.run([*command, *drawn], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "l.json").read_text())
    assert labels(found) == ["bf16", "q8_0", "q4_0"]
    assert done.stdout.rstrip().splitlines()[-1].startswith(("the smallest type within", "beyond them"))
    assert (tmp_path / "l.svg").stat().st_size > 1000
    assert names(tmp_path) == ["l.json", "l.svg", "out"]


def test_the_shipped_model_is_climbed_as_a_newcomer_would(tmp_path: Path) -> None:
    """The pocket model, two types, few tokens: enough is known of it to hold what is found."""
    command = [*COMMAND, "ladder", "pocket", "--types", "q8_0,q4_0", "--tokens", "400", "--eval", "none"]
    command += ["--threads", "1"]  # two wait for each other where something else runs
    command += ["--imatrix", "none", "--out", str(tmp_path / "out"), "--json", str(tmp_path / "l.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "l.json").read_text())
    first, finest, coarse = found["rows"]
    assert first["quality"]["perplexity"] < 1.3  # it speaks as the transcripts of its domain do
    assert 0 < finest["quality"]["kl"] < coarse["quality"]["kl"] < 0.1
    assert finest["quality"]["idle_agreement"]["rate"] > 0.97
    assert finest["speed"].keys() >= {"prefill_32", "prefill_512", "decode"}


def test_a_turn_based_model_has_no_silence_to_measure(folder: Path, tmp_path: Path) -> None:
    model = write_folder(tmp_path / "m")
    settings = tokenizer_config()
    for entry in settings["added_tokens_decoder"].values():
        entry["content"] = entry["content"].replace("<idle>", "<other>")
    write_json(model / "tokenizer_config.json", settings)
    write_json(model / "added_tokens.json", {name.replace("idle", "other"): token for name, token in ADDED.items()})
    with pytest.raises(InputError, match="no duplex model"):
        run(folder, tmp_path / "out", "q8_0", model=model)
