"""Contenders run in processes of their own and are asked one thing at a time: a line of JSON in, a line of JSON out.

Both ends: `Worker` for the benchmark, `serve` for the process. Knows nothing of models.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LAST_LINES = 5  # of a process that died, for the message


class BenchmarkError(Exception):
    """The benchmark cannot go on: one line, what and why."""


class Worker:
    """A Python module run as a process that answers with `serve`. After use you must call `close`."""

    def __init__(self, module: str, *arguments: str, log: IO[bytes]) -> None:
        """`log` takes what the process says on standard error; its end is quoted if the process dies."""
        self._name = module.rpartition(".")[2]
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the benchmark, which ends its processes itself
        )
        self.pid = self._process.pid

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        """The process's answer. Raises `BenchmarkError` where it has none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = b""
        try:
            self._process.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            pass  # it has died; what it said last tells why
        if not line:
            code = self._process.wait()
            raise BenchmarkError(
                f"the {self._name} process ended with {ending(code)} at {what!r}: {last_words(self._log)}"
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BenchmarkError(f"the {self._name} process failed at {what!r}: {answer['error']}")
        return answer

    def close(self) -> None:
        """Ends the process. A second call does nothing."""
        end_process(self._process)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_process(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """`subprocess.Popen`, which Ctrl-C does not interrupt: halfway, it would leave a process that nobody knows.

    Where Ctrl-C was pressed meanwhile, the new process is ended and KeyboardInterrupt raised.
    """
    pressed: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    held = main and callable(before)  # where it is ignored, it stays so
    if held:
        signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        process: subprocess.Popen[bytes] = subprocess.Popen(command, **options)
    finally:
        if held:
            signal.signal(signal.SIGINT, before)
    if pressed:
        end_process(process)
        raise KeyboardInterrupt
    return process


def end_process(process: subprocess.Popen[bytes], seconds: float = 5.0) -> None:
    """Asks a process to end, waits, and ends it for good if it does not."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ending(code: int) -> str:
    """An exit code, or the signal behind it, in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def last_words(log: IO[bytes]) -> str:
    """The last lines that a process wrote to its log, as one line."""
    log.flush()
    with open(log.fileno(), "rb", closefd=False) as file:
        file.seek(max(0, os.fstat(log.fileno()).st_size - 4096))
        lines = file.read().decode("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return " / ".join(said[-LAST_LINES:]) or "it said nothing"


def serve(answers: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """Answers lines on standard input until it ends; `answers` maps what is asked to a function of its arguments."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # llama.cpp and its bindings print: that must not get between the answers
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = answers[request.pop("do")](**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)
