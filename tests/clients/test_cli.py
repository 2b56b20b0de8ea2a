"""edge-chat's entry: Ctrl-C ends it without a word, whenever it is pressed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clients import cli, command

ROOT = Path(__file__).parents[2]
INTERRUPT = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
START = "from clients.cli import main; main()"
IGNORE = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


def run(code: str, *, path: Path | None = None, arguments: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """The exit code (negative: the signal), the output and the errors of Python running `code`; `path` goes first."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(path or "")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    ("module", "code"),
    [("typer", -signal.SIGINT), ("prompt_toolkit", cli.INTERRUPTED), ("websockets", cli.INTERRUPTED)],
)
def test_ctrl_c_during_the_imports_ends_it_quietly(module: str, code: int, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(f"{INTERRUPT}\nprint('it went on')\n")
    assert run(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {START}") == (code, "", "")


@pytest.mark.real
@pytest.mark.parametrize(
    "moment",
    [
        "import clients.talk as talk; talk.read_options = lambda **_: interrupt()",  # while options are read
        "import clients.talk as talk; talk.Talk = lambda _: interrupt()",
        "command.asyncio.run = lambda _: (_.close(), interrupt())",
        "command.run = interrupt",
    ],
)
def test_ctrl_c_before_anything_is_said_ends_it_quietly(moment: str) -> None:
    code = f"import clients.command as command\ndef interrupt(*_):\n    {INTERRUPT}\n{moment}\n{START}"
    assert run(code) == (cli.INTERRUPTED, "", "")


@pytest.mark.real
def test_ctrl_c_while_the_interpreter_ends_is_quiet() -> None:
    code = f"import atexit\ndef interrupt():\n    {INTERRUPT}\natexit.register(interrupt)\n{START}"
    assert run(code, arguments=("--tick", "0"))[::2] == (
        -signal.SIGINT,
        "edge-chat: --tick 0 is not a length: it takes 0.2 to 10 seconds\n",
    )


@pytest.mark.real
def test_where_ctrl_c_is_to_be_ignored_it_stays_so(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(f"{INTERRUPT}\nprint('it went on')\nraise SystemExit(7)\n")
    code = f"{IGNORE}; import sys; sys.path.insert(0, {str(tmp_path)!r}); {START}"
    assert run(code) == (7, "it went on\n", "")


@pytest.mark.real
def test_the_entry_itself_imports_next_to_nothing() -> None:
    code = "import sys; import clients.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    imported = run(code)[1].split()
    assert "clients" in imported
    assert not {"typer", "prompt_toolkit", "websockets", "asyncio"} & set(imported)


def test_the_exit_code_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "run", lambda: 5)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.value.code == 5


@pytest.mark.real
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_standard_stream_may_be_closed(closed: str, tmp_path: Path) -> None:
    recording = tmp_path / "talk.json"
    recording.write_text('{"format": "edge-duplex conversation", "version": 1, "began": "2026-01-01", "events": []}')
    for given, code in ((f"--replay {recording}", 0), ("--wait 0 --url ws://127.0.0.1:9", 1)):
        command = f'exec "$0" -X dev -c "{START}" {given} {closed}'
        done = subprocess.run(
            ["sh", "-c", command, sys.executable], cwd=ROOT, input="hello\n", capture_output=True, text=True, timeout=60
        )
        assert done.returncode == code
        assert "Traceback" not in done.stderr
        assert "Warning" not in done.stderr
