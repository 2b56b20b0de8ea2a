"""`python -m benchmarks` as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_imports import imports, is_within

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "benchmarks", "--quick", "--model", "pocket"]


def test_the_server_is_reached_from_outside_only() -> None:
    """How many cores there are is all that `make bench` takes from the server's code."""
    sources = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text("utf-8")
        for path in (ROOT / "benchmarks").rglob("*.py")
    }
    # Also what runs as a process of its own is named in a module: as a string.
    reached, found = {"benchmarks.__main__"}, set()
    while True:
        named = {name for module in reached for name in imports(module, sources[module])}
        named |= {module for module in sources for one in reached if f'"{module}"' in sources[one]}
        found = {name for name in named if name.startswith("edge_server")}
        more = {module for module in sources if any(is_within(name, module) for name in named)} - reached
        if not more:
            break
        reached |= more
    assert {"benchmarks.raw", "benchmarks.high_level", "benchmarks.rows.slices"} < reached
    assert found == {"edge_server.cores.physical_cores"}


@pytest.mark.real
def test_a_quick_run_ends_with_a_table_and_one_line_of_json(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    options = ["--only", "footprint", "--folder", str(tmp_path / "work"), "--results", str(results)]
    done = subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    facts = json.loads(lines[-1])
    assert [row["what"] for row in facts["rows"]] == [
        "start-up, to the ready line",
        "resident memory beyond model and KV cache",
    ]
    assert all(f"| {row['what']}" in done.stdout for row in facts["rows"])
    assert results.read_text("utf-8").startswith("# Results\n")
    assert "start-up, round 1 of 1" in done.stderr
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_ctrl_c_ends_every_process_and_removes_every_file(tmp_path: Path) -> None:
    options = ["--only", "slices", "--folder", str(tmp_path)]
    with subprocess.Popen(
        [*COMMAND, *options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "filling" in line:
                break
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
        assert children
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "benchmarks: stopped; nothing was written"
    assert list(tmp_path.iterdir()) == []
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.real
def test_a_number_of_threads_that_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--threads", "0", "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr == "benchmarks: --threads 0 cannot be used: give at least 1\n"
