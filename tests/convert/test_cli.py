"""Every refusal is one line on standard error with exit code 2, and neither it nor an interruption leaves a file."""

from __future__ import annotations

import functools
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from convert import cli, conversion
from tests.convert.models import config, random_weights, write_folder, write_json, write_safetensors
from tests.convert.torch_zip import write_torch_zip

COMMAND = [sys.executable, "-c", "from convert.cli import main; main()"]


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """`main` installs handlers for the process, which is pytest's here."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def edge_convert(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command in this process; returns exit code, standard output and standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edge-convert", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return run


def _truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def _weights(**changes: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        weights = random_weights(config())
        for name, values in changes.items():
            if values is None:
                del weights[name]
            else:
                weights[name] = values
        write_safetensors(folder / "model.safetensors", weights, "f32")

    return write


def _hostile(folder: Path) -> None:
    (folder / "model.safetensors").unlink()

    class Attack:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(folder / "attacked"),)

    write_torch_zip(folder / "pytorch_model.bin", {}, {}, pickle.dumps({"w": Attack()}, 2))


def _config(**changes: Any) -> Callable[[Path], None]:
    return lambda folder: write_json(folder / "config.json", config(**changes))


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


UP = "model.layers.0.mlp.up_proj.weight"
_EMBEDDING = random_weights(config())["model.embed_tokens.weight"]
REFUSALS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "truncated file": (_truncate, "truncated: tensor model.layers.1.mlp.down_proj.weight ends at byte"),
    "no weights": (_remove("model.safetensors"), "no weights here"),
    "missing tensor": (_weights(**{UP: None}), f"tensor {UP} is missing"),
    "wrong shape": (
        _weights(**{UP: _EMBEDDING[:95]}),
        f"tensor {UP} has shape [95, 64]; by config.json it is [96, 64]",
    ),
    "unknown tensor": (_weights(extra=_EMBEDDING), "tensor extra is not part of this architecture"),
    "untied output": (_weights(**{"lm_head.weight": _EMBEDDING + 1}), "lm_head.weight differs from the embedding"),
    "NaN weights": (_weights(**{UP: _EMBEDDING[:96] * float("nan")}), f"tensor {UP} holds NaN or infinite weights"),
    "hostile pickle": (_hostile, "refused, nothing was run: it asks for 'posix.mkdir'"),
    "not a MiniCPM": (_config(architectures=["LlamaForCausalLM"]), "architectures is ['LlamaForCausalLM']"),
    "rope scaling": (_config(rope_scaling={"type": "yarn"}), "rope_scaling is {'type': 'yarn'}"),
    "vocabulary size": (_config(vocab_size=999), "config.json says vocab_size 999"),
    "config missing": (_remove("config.json"), "config.json missing; --tokenizer DIR"),
    "tokenizer missing": (_remove("tokenizer.model"), "tokenizer.model missing; --tokenizer DIR"),
    "config no JSON": (lambda folder: (folder / "config.json").write_text("{"), "config.json: not valid JSON"),
    "tokenizer damaged": (
        lambda folder: (folder / "tokenizer.model").write_bytes(b"\xff"),
        "not a SentencePiece model",
    ),
}


@pytest.mark.parametrize(("damage", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_bad_input_is_refused_in_one_line(
    tmp_path: Path, edge_convert: Callable[..., tuple[int, str, str]], damage: Callable[[Path], Any], message: str
) -> None:
    model, out = write_folder(tmp_path / "m"), tmp_path / "out"
    out.mkdir()
    damage(model)
    code, output, errors = edge_convert(model, "--quant", "f32", "--out", out / "x.gguf")
    lines = [line for line in errors.splitlines() if line != "writing f32"]
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("edge-convert: ")
    assert message in lines[0]
    assert output == ""
    assert list(out.iterdir()) == []
    assert not (model / "attacked").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'MODEL'"),
        (["m", "--what"], "No such option: --what"),
        (["m", "--quant"], "--quant"),
        (["m", "--threads", "0"], "--threads"),
        (["m", "--quant", "q9"], "--quant q9: unknown; choose one of bf16, f16, f32, iq1_m"),
        (["nowhere"], "nowhere: there is no such folder, and it is no hub id"),
        (["m", "--out", "none/x.gguf"], "the folder none does not exist"),
        (["m", "--out", "m"], "is a folder; give the name of a file"),
        (["m", "--out", "there.gguf"], "there.gguf: exists already; --force overwrites it"),
        (["m", "--revision", "main"], "only a hub repository has revisions"),
        (["m", "--quant", "f16", "--imatrix", "i"], "--imatrix i: f16 is not quantised"),
        (["convert"], "Missing argument 'MODEL'"),
        (["ladder"], "Missing argument 'MODEL'"),
        (["ladder", "m", "--types", "q8_0,q9"], "--types q9: unknown; choose one of bf16, f16, f32, iq1_m"),
        (["ladder", "m", "--tokens", "0"], "--tokens"),
        (["ladder", "m", "--corpus", "none"], "--corpus none: there is no such file"),
        (["ladder", "m", "--limits", "kl<1"], "--limits: 'kl<1' is no limit"),
        (["ladder", "m", "--eval-args", "'"], '--eval-args "\'": No closing quotation'),
        (["ladder", "m", "--json", "none/l.json"], "the folder none does not exist"),
        (["ladder", "m", "--plot", "l.gif"], "--plot l.gif: give a name that ends in .png or .svg"),
        (["ladder", "m", "--out", "there.gguf"], "--out there.gguf: is a file; give the name of a folder"),
        (["ladder", "nowhere"], "nowhere: there is no such folder, and it is no hub id"),
        (["imatrix", "m"], "Missing option '--out'"),
        (["imatrix", "m", "--out", "there.gguf"], "there.gguf: exists already; --force overwrites it"),
        (["imatrix", "nowhere", "--out", "i.gguf"], "nowhere: there is no such folder, and it is no hub id"),
    ],
)
def test_bad_usage_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    edge_convert: Callable[..., tuple[int, str, str]],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "m")
    (tmp_path / "there.gguf").write_bytes(b"mine")
    code, _, errors = edge_convert(*arguments)
    assert code == 2
    assert len(errors.splitlines()) == 1
    assert message in errors
    assert (tmp_path / "there.gguf").read_bytes() == b"mine"


def test_too_little_disk_space_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edge_convert: Callable[..., tuple[int, str, str]]
) -> None:
    model = write_folder(tmp_path / "m")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    monkeypatch.setattr(conversion, "write_weights", lambda *_: pytest.fail("wrote"))
    code, _, errors = edge_convert(model, "--quant", "f32", "--out", tmp_path / "x.gguf")
    assert code == 2
    assert "not enough disk space: 0.03 GB needed, 0.00 GB free" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_full_disk_on_the_way_is_a_failure_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edge_convert: Callable[..., tuple[int, str, str]]
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "x.gguf"))

    monkeypatch.setattr(conversion, "write_weights", fail)
    code, _, errors = edge_convert(write_folder(tmp_path / "m"), "--quant", "f32", "--out", tmp_path / "x.gguf")
    assert code == 1
    assert "x.gguf: No space left on device" in errors.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.real
def test_a_conversion_prints_its_report_and_force_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edge_convert: Callable[..., tuple[int, str, str]]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "parrot")
    code, output, errors = edge_convert("parrot", "--quant", "Q8_0")
    assert code == 0, errors
    assert output.startswith(f"models{os.sep}parrot-q8_0.gguf: q8_0, verified\n")
    assert errors.splitlines() == ["writing f32", "quantising to q8_0", "verifying"]
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["parrot-q8_0.gguf"]
    first = (tmp_path / "models" / "parrot-q8_0.gguf").stat()
    code, _, errors = edge_convert("parrot", "--quant", "q8_0")
    assert (code, "exists already; --force" in errors) == (2, True)
    assert edge_convert("parrot", "--quant", "q8_0", "--force")[0] == 0
    assert (tmp_path / "models" / "parrot-q8_0.gguf").stat().st_ino != first.st_ino


@pytest.fixture(scope="module")
def large_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough that a conversion can be interrupted on its way: 40 million parameters."""
    settings = config(hidden_size=512, intermediate_size=8192, num_hidden_layers=3)
    return write_folder(tmp_path_factory.mktemp("large") / "m", settings=settings, dtype="bf16")


@pytest.mark.real
@pytest.mark.parametrize(
    ("number", "quant", "stage"),
    [
        (signal.SIGINT, "bf16", "writing bf16"),
        (signal.SIGINT, "iq4_nl", "quantising to iq4_nl"),
        (signal.SIGTERM, "iq4_nl", "quantising to iq4_nl"),
        (signal.SIGHUP, "bf16", "verifying"),
    ],
)
def test_an_interrupted_conversion_leaves_nothing(
    tmp_path: Path, large_model: Path, number: signal.Signals, quant: str, stage: str
) -> None:
    command = [*COMMAND, str(large_model), "--quant", quant, "--out", str(tmp_path / "x.gguf")]
    # Whoever runs the tests with nohup has signals ignored, which the command respects.
    default = functools.partial(signal.signal, number, signal.SIG_DFL)
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=default
    ) as process:
        assert process.stderr is not None
        while process.stderr.readline().strip() != stage:
            assert process.poll() is None
        process.send_signal(number)
        errors = process.stderr.read()
        assert process.wait(60) == 128 + number
    assert errors.splitlines()[-1] == "edge-convert: interrupted; nothing was written"
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_the_word_convert_may_be_left_out(edge_convert: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    for words in ([], ["convert"]):
        assert edge_convert(*words, tmp_path / "none")[2] == (
            f"edge-convert: {tmp_path / 'none'}: there is no such folder, and it is no hub id (owner/name)\n"
        )
        assert edge_convert(*words, "--quant", "q9", "pocket")[0] == 2
        assert edge_convert(*words)[::2] == (
            2,
            "edge-convert: Missing argument 'MODEL'. (edge-convert convert --help shows the options)\n",
        )
    assert edge_convert("--threads", "0", "pocket")[0] == 2
    assert "convert" in edge_convert("--version")[1]


def test_the_metadata_keys_are_documented() -> None:
    from convert import metadata

    text = (Path(__file__).resolve().parents[2] / "docs" / "gguf.md").read_text(encoding="utf-8")
    keys = [value for value in vars(metadata).values() if isinstance(value, str) and value.startswith("duplex.")]
    assert len(keys) == 9
    assert all(f"`{key}`" in text for key in keys)
