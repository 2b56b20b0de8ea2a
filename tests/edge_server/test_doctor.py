"""`edge-server doctor` as a command: real files, ports and measurements, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from edge_server.doctor_facts import Memory, Need, Trouble
from edge_server.doctor_find import find_model_file, find_need, find_port
from edge_server.doctor_speed import SECONDS
from edge_server.llama import Model, system_info
from tests.edge_server.test_cli import COMMAND, running
from tests.tiny import write_tiny_gguf

pytestmark = pytest.mark.real
FREE = ("--port", "0", "--chat-port", "0")


def doctor(
    *arguments: str, models: Path | None = None, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command; `models`: the only folder that models are looked for in."""
    change = "from pathlib import Path; import edge_server.doctor_find as find\n"
    change += f"find.model_folders = lambda: (Path({str(models)!r}),)"
    code = COMMAND[-1] if models is None else f"{change}\n{COMMAND[-1]}"
    return subprocess.run(
        [sys.executable, "-c", code, "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
    )


def states(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str, str]]:
    """The findings of a run with --json: what to state, detail and remedy."""
    told = json.loads(done.stdout)
    found = {one["what"]: (one["state"], one["detail"], one["remedy"]) for one in told["findings"]}
    for state, number in told["counts"].items():
        assert number == sum(one["state"] == state for one in told["findings"])
    assert all(remedy for state, _, remedy in found.values() if state != "fine")
    assert done.returncode == (1 if told["counts"]["problem"] else 0)
    return found


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody has who never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_everything_is_looked_at(tmp_path: Path, tiny_gguf: Path) -> None:
    shutil.copy(tiny_gguf, tmp_path)
    done = doctor(*FREE, models=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    rows = done.stdout.splitlines()
    for what in (
        "Python",
        "platform",
        "processor",
        "llama.cpp",
        "memory",
        "model tiny.gguf",
        "disk for parking",
        "speed",
    ):
        assert any(re.match(rf"(fine|note) +{re.escape(what)} +\S", row) for row in rows), (what, rows)
    starts = {re.match(r"(\w+ +)(?:model tiny.gguf|disk for parking|speed)( +)", row) for row in rows} - {None}
    assert len({found.end() for found in starts if found}) == 1, "the columns are not aligned"
    assert any("keeps up with slices of 2 s" in row for row in rows)
    assert re.fullmatch(r"(all is fine|no problems, \d+ notes?): .*", rows[-1])
    assert done.stderr == f"measuring tiny.gguf, up to {SECONDS:.0f} s\n"


def test_json_and_no_speed(tmp_path: Path, tiny_gguf: Path) -> None:
    done = doctor("--json", "--no-speed", *FREE, "--model", str(tiny_gguf))
    found = states(done)
    assert "speed" not in found
    assert done.stderr == ""
    assert found[f"model {tiny_gguf}"][0] == "fine"
    assert found["Python"][1] == ".".join(map(str, sys.version_info[:3]))


def test_a_port_that_another_program_has(tiny_gguf: Path, taken: int) -> None:
    done = doctor("--json", "--no-speed", "--port", str(taken), "--chat-port", "0", "--model", str(tiny_gguf))
    state, detail, remedy = states(done)[f"port {taken}"]
    assert (done.returncode, state) == (1, "problem")
    assert "another program" in detail
    assert "--port" in remedy
    done = doctor("--no-speed", "--port", "0", "--chat-port", str(taken), "--model", str(tiny_gguf))
    assert done.returncode == 1
    assert "-> give another --chat-port," in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 problem, ")


def test_a_port_that_an_edge_server_has(tiny_gguf: Path) -> None:
    with running("--model", str(tiny_gguf)) as (_, ready):
        port = re.findall(r"localhost:(\d+)", ready)[0]
        done = doctor("--json", "--no-speed", "--port", port, "--chat-port", "0", "--model", str(tiny_gguf))
    state, detail, _ = states(done)[f"port {port}"]
    assert (done.returncode, state) == (0, "note"), done.stdout
    assert detail == "an edge-server has it: model tiny, 0 connections"


def test_no_model(tmp_path: Path) -> None:
    done = doctor("--json", *FREE, models=tmp_path)
    state, detail, remedy = states(done)["model"]
    assert (done.returncode, state) == (1, "problem")
    assert str(tmp_path) in detail
    assert "make setup" in remedy
    assert done.stderr == "", "there is nothing to measure"


def test_files_that_are_no_models(tmp_path: Path, tiny_gguf: Path) -> None:
    cut, text = tmp_path / "cut.gguf", tmp_path / "text.gguf"
    cut.write_bytes(tiny_gguf.read_bytes()[:-1000])
    text.write_text("hello")
    plain = write_tiny_gguf(tmp_path / "plain.gguf", duplex=False)
    for path, word in ((cut, "copy"), (text, "edge-convert"), (plain, "--chat-model"), (tmp_path / "none", "--model")):
        done = doctor("--json", *FREE, "--model", str(path))
        state, _, remedy = states(done)[f"model {path}"]
        assert (done.returncode, state) == (1, "problem"), path
        assert word in remedy
        assert done.stderr == ""
    shutil.copy(tiny_gguf, tmp_path / "good.gguf")
    found = states(doctor("--json", "--no-speed", *FREE, models=tmp_path))
    assert {what: found[f"model {what}.gguf"][0] for what in ("cut", "text", "plain", "good")} == {
        "cut": "note",
        "text": "note",
        "plain": "fine",
        "good": "fine",
    }
    assert "run takes it" in found["model good.gguf"][1]


def test_a_context_that_memory_does_not_hold(tiny_gguf: Path) -> None:
    done = doctor("--json", "--no-speed", *FREE, "--model", str(tiny_gguf), "--ctx", "2000000000")
    state, detail, remedy = states(done)["memory"]
    assert (done.returncode, state) == (1, "problem")
    assert "--ctx 2000000000 needs" in detail
    assert "give a smaller --ctx" in remedy


def test_bad_usage() -> None:
    for arguments in (["--port", "70000"], ["--sessions", "0"], ["--threads", "many"], ["--nonsense"]):
        done = doctor(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert arguments[0] in done.stderr


def test_ctrl_c_while_measuring_ends_it_quietly(tiny_gguf: Path) -> None:
    slow = "import edge_server.tune_works as works; works._LEAST_TIMED = 1.0"  # so that it is still measuring
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{slow}\n{COMMAND[-1]}",
            "doctor",
            *FREE,
            "--model",
            tiny_gguf,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("measuring")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")


def test_the_speed_is_that_of_the_options(tiny_gguf: Path) -> None:
    done = doctor("--json", *FREE, "--model", str(tiny_gguf), "--slice-tokens", "256", "--sessions", "1")
    assert "of 256 tokens takes" in states(done)["speed"][1]


def test_what_a_file_says_is_what_the_loaded_model_takes(tiny_gguf: Path) -> None:
    file = find_model_file(tiny_gguf)
    with Model.load(tiny_gguf) as model:
        assert (file.ctx, file.cell_bytes) == (model.n_ctx_train, model.cell_bytes("f16"))
    assert file.size == tiny_gguf.stat().st_size
    assert find_need(file, Memory(2**34), None, 4) == Need(file.size, 4 * file.ctx, file.cell_bytes, file.ctx)
    assert isinstance(find_need(file, Memory(2**16), None, 4), Trouble)


def test_the_build_tells_its_features() -> None:
    found = system_info()
    assert "CPU" in found
    assert all(name and " " not in name and "=" not in name for names in found.values() for name in names)


def test_a_port_is_asked_who_has_it() -> None:
    answers = [b'{"status": "ok"}', b"[1]", b"<html>", b'{"model": "m", "status": "ok", "connections": 2}']

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers[0])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            while len(answers) > 1:
                found = find_port("--port", "localhost", server.server_port)
                assert (found.taken, found.health) == (True, None)
                answers.pop(0)
            health = find_port("--port", "localhost", server.server_port).health
        finally:
            server.shutdown()
            thread.join()
    assert health is not None
    assert (health.model, health.status, health.connections) == ("m", "ok", 2)


def test_help_is_complete() -> None:
    done = doctor("--help")
    assert done.returncode == 0
    for option in ("--model", "--port", "--chat-port", "--ctx", "--threads", "--no-speed", "--json"):
        assert option in done.stdout
