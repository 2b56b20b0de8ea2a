"""`edge-server` as a command: what it prints, how it ends, what it says of bad input."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.tiny import write_tiny_gguf

pytestmark = pytest.mark.real
LIMIT = "resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000, -1))"
COMMAND = [sys.executable, "-c", "from edge_server.cli import main; main()"]


def failing(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    return done.returncode, done.stderr


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server, and the line it printed when it was ready."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--port", "0", "--chat-port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def plain_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("plain") / "plain.gguf", duplex=False)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ready_is_one_line_and_a_signal_ends_it_cleanly(tiny_gguf: Path, how: signal.Signals) -> None:
    with running("--model", str(tiny_gguf)) as (process, ready):
        urls = r"duplex ws://(localhost:\d+) chat (ws://localhost:\d+)"
        match = re.fullmatch(rf"ready {urls} model \S+ page http://(localhost:\d+)/\n", ready)
        assert match
        assert match[1] == match[3]
        with connect(f"ws://{match[1]}") as client:
            client.send("hello")
            process.send_signal(how)
            out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_a_model_that_is_not_there_or_is_none(tmp_path: Path, tiny_gguf: Path) -> None:
    rubbish = tmp_path / "rubbish.gguf"
    rubbish.write_bytes(b"GGUF" + bytes(range(256)))
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_gguf.read_bytes()[:-1000])
    text = tmp_path / "text.gguf"
    text.write_text("hello")
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    for path, remedy in (
        (tmp_path / "missing.gguf", "leave it out"),
        (tmp_path, "give a GGUF file"),
        (rubbish, "convert the model again"),
        (cut, "copy or convert it again"),
        (text, "convert the model with edge-convert"),
        (pipe, "give a GGUF file"),
    ):
        code, told = failing("run", "--port", "0", "--chat-port", "0", "--model", str(path))
        assert code == 2, told
        assert told.startswith("edge-server: ")
        assert str(path) in told
        assert remedy in told
        assert told.count("\n") == 1, told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_model_that_may_not_be_read(tmp_path: Path, tiny_gguf: Path) -> None:
    path = tmp_path / "secret.gguf"
    path.write_bytes(tiny_gguf.read_bytes())
    path.chmod(0)
    code, told = failing("run", "--port", "0", "--chat-port", "0", "--model", str(path))
    assert (code, told.count("\n")) == (2, 1)
    assert "Permission denied: make the file and its folders readable" in told


def test_memory_that_does_not_suffice(tiny_gguf: Path) -> None:
    free = ("run", "--port", "0", "--chat-port", "0", "--model", str(tiny_gguf))
    for option, remedy in (("--ctx", "give a smaller --ctx"), ("--kv-cells", "give fewer than")):
        code, told = failing(*free, option, "2000000000")
        assert (code, told.count("\n")) == (2, 1), told
        assert f"{option} 2000000000 needs" in told
        assert remedy in told


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere this limit is not kept")
def test_memory_that_is_refused_while_starting(tiny_gguf: Path) -> None:
    """The limit is of the address space: more than the imports take, less than the cache."""
    code = f"import resource, edge_server.serve; from edge_server.cli import main; {LIMIT}; main()"
    options = ["run", "--port", "0", "--chat-port", "0", "--model", str(tiny_gguf), "--kv-cells", "1000000"]
    done = subprocess.run([sys.executable, "-c", code, *options], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert "there is not enough memory: give a smaller --ctx, --kv-cells or --batch, or fewer --sessions" in done.stderr


def test_bindings_that_are_missing_or_broken(tmp_path: Path) -> None:
    for body in ("raise ImportError('no such module')", "raise RuntimeError('Failed to load\\nshared library')"):
        (tmp_path / "llama_cpp.py").write_text(f"{body}\n")
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {COMMAND[-1]}"
        done = subprocess.run([sys.executable, "-c", code, "run"], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        assert done.stderr.startswith("edge-server: cannot start: ")
        assert done.stderr.endswith("; run: rm -r .venv && make setup\n")


def test_a_plain_model_is_refused_on_the_duplex_port(plain_gguf: Path) -> None:
    code, told = failing("run", "--port", "0", "--chat-port", "0", "--model", str(plain_gguf))
    assert (code, told.count("\n")) == (2, 1)
    assert f"{plain_gguf} has no idle token" in told


def test_an_option_that_cannot_be_used(tiny_gguf: Path) -> None:
    for option, value in (("--ctx", "5"), ("--temperature", "-1"), ("--assume-wpm", "0"), ("--allow-origin", "x")):
        code, told = failing("run", "--model", str(tiny_gguf), option, value)
        assert code == 2
        assert f"{option} {value}" in told
        assert told.count("\n") == 1
    for arguments in (["run", "--ctx", "many"], ["run", "--nonsense"], ["nonsense"], ["run", "--compat", "other"]):
        code, told = failing(*arguments)
        assert (code, told.count("\n")) == (2, 1), told
        assert arguments[-1].lstrip("-") in told or "--ctx" in told


def test_a_signal_while_the_model_loads_ends_it_without_a_word(tiny_gguf: Path) -> None:
    """Sent at once, it comes somewhere between the interpreter's start and the warm-up."""
    for delay in (0.3, 0.6, 0.9):
        process = subprocess.Popen(
            [*COMMAND, "run", "--port", "0", "--chat-port", "0", "--model", str(tiny_gguf)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode in (0, 130, -signal.SIGINT, 1)
        assert "ctypes" not in err
        assert "Exception ignored" not in err


def test_the_newest_duplex_model_is_taken_and_said(tmp_path: Path, tiny_gguf: Path, plain_gguf: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for age, (name, source) in enumerate(
        [("chat.gguf", plain_gguf), ("mine.gguf", tiny_gguf), ("old.gguf", tiny_gguf)]
    ):
        path = models / name
        path.write_bytes(source.read_bytes())
        os.utime(path, (2e9 - age, 2e9 - age))
    process = subprocess.Popen(
        [*COMMAND, "run", "--port", "0", "--chat-port", "0", "--chat-model", str(models / "chat.gguf")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert process.stdout is not None
    ready = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert ready.startswith("ready "), err
    assert err == f"model: {models / 'mine.gguf'}\n"


def test_a_port_that_is_taken(tiny_gguf: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, told = failing("run", "--model", str(tiny_gguf), "--port", port, "--chat-port", "0")
        assert code == 1
        assert told.startswith(f"edge-server: cannot listen on localhost:{port}: ")
        assert "give another --port," in told
        assert told.count("\n") == 1
        code, told = failing("run", "--model", str(tiny_gguf), "--port", "0", "--chat-port", port)
        assert "give another --chat-port," in told


def test_what_needs_no_model_does_not_load_llama() -> None:
    """Completion asks at each press of a key."""
    for arguments in (["run", "--help"], ["--version"], []):
        code = f"import sys, atexit; sys.argv[1:] = {arguments}; heavy = {{'llama_cpp', 'numpy', 'websockets'}}\n"
        code += "atexit.register(lambda: print(heavy & set(sys.modules), file=sys.stderr))\n"
        done = subprocess.run([sys.executable, "-c", code + COMMAND[-1]], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0 if arguments else 2, "set()\n")
        assert done.stdout.startswith(("Usage: edge-server", "edge-server 0."))


def test_the_types_of_the_cache_are_those_that_llama_takes() -> None:
    from edge_server.llama import KV_TYPES
    from edge_server.options import KvType

    assert [each.value for each in KvType] == list(KV_TYPES)


@pytest.mark.parametrize("module", ["typer", "llama_cpp", "websockets"])
def test_ctrl_c_during_the_imports_ends_it_quietly(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('it went on')\n"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from edge_server.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "run"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_before_the_model_is_there_ends_it_quietly(tiny_gguf: Path) -> None:
    interrupt = "import os, signal\ndef interrupt(*_): os.kill(os.getpid(), signal.SIGINT)"
    code = f"{interrupt}\nimport edge_server.serve as serve\nserve.listen = interrupt\n{COMMAND[-1]}"
    arguments = [sys.executable, "-c", code, "run", "--model", str(tiny_gguf)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
