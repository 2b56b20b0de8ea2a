"""Completion in a real bash: commands, options and values, by what --show-completion prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import complete

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {"edge-server": "edge_server", "edge-convert": "convert", "edge-chat": "clients"}
# What bash does at a press of the tabulator: the function of the command fills COMPREPLY from COMP_WORDS.
COMPLETE = """
complete_words() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    local function; function=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
    "$function" "$1"; echo "${COMPREPLY[@]}"
}
"""


def bash_is_new() -> bool:
    found = shutil.which("bash")
    if found is None:
        return False
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d+)\.(\d+)", told)
    return version is not None and (int(version[1]), int(version[2])) >= (4, 4)


@pytest.fixture
def bash(tmp_path: Path) -> Path:
    """A folder with the programs, to be found by bash, and with models."""
    for program, package in PROGRAMS.items():
        code = f"from {package}.cli import main; main()"
        script = tmp_path / "bin" / program
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -c "{code}" "$@"\n')
        script.chmod(0o755)
    (tmp_path / "models" / "parrot").mkdir(parents=True)
    (tmp_path / "models" / "notes").mkdir()
    (tmp_path / "models" / "parrot" / "config.json").write_text("{}")
    for name in ("one.gguf", "two.gguf"):
        (tmp_path / "models" / name).write_bytes(b"GGUF")
    return tmp_path


@pytest.mark.real
@pytest.mark.skipif(not bash_is_new(), reason="typer's completion needs bash 4.4")
def test_bash_completes_commands_options_and_values(bash: Path) -> None:
    cases = {
        "edge-server ''": "run doctor tune",
        "edge-server run --kv": "--kv-type --kv-cells",
        "edge-server run --kv-type ''": "f32 f16 q8_0",
        "edge-server run --model ''": "models/one.gguf models/two.gguf",
        "edge-server doctor --model mo": "models/one.gguf models/two.gguf",
        "edge-server run --host l": "localhost",
        "edge-server run --seed ''": "",
        "edge-convert ''": "convert ladder imatrix pocket models/parrot",
        "edge-convert --qu": "--quant",
        "edge-convert pocket --quant q5_k": "q5_k_s q5_k_m",
        "edge-convert pocket --out ''": "",  # left to bash, which completes names of files
        "edge-convert ladder mod": "models/parrot models/one.gguf models/two.gguf",
        "edge-chat --mode ''": "duplex chat",
        "edge-chat eval --category t": "termination",
        "edge-chat eval general-z": "general-zh",
        "edge-chat e": "eval",
        "edge-convert ladder pocket --types q8_0,q4_k": "q8_0,q4_k_s q8_0,q4_k_m",
    }
    lines = ["set -e", *(f'eval "$({program} --show-completion)"' for program in PROGRAMS), COMPLETE]
    lines += [f"complete_words {words}" for words in cases]
    script = bash / "script"
    script.write_text("\n".join(lines))
    environment = {**os.environ, "PATH": f"{bash / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(script)], capture_output=True, text=True, timeout=120, cwd=bash, env=environment, check=False
    )
    assert done.stderr == ""
    assert dict(zip(cases, done.stdout.splitlines(), strict=True)) == cases


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_there_is_a_script_for_each_shell(bash: Path, program: str, shell: str) -> None:
    variable = f"_{program.upper().replace('-', '_')}_COMPLETE"
    done = subprocess.run(
        [str(bash / "bin" / program)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, variable: f"source_{shell}"},
        check=True,
    )
    assert f"{variable}=complete_{shell}" in done.stdout


def test_words_and_lists_are_found_by_their_beginning() -> None:
    kinds = complete.words("auto", "none", then=[lambda _: ["apple"]])
    assert kinds("") == ["auto", "none", "apple"]
    assert kinds("a") == ["auto", "apple"]
    types = complete.listed(["q8_0", "q4_0", "q4_k_m"])
    assert types("") == ["q8_0", "q4_0", "q4_k_m"]
    assert types("q4_0,q") == ["q4_0,q8_0", "q4_0,q4_k_m"]
    assert complete.files("any") == []


def test_where_there_is_no_folder_of_models_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert complete.gguf_files("") == complete.checkpoints("") == []
