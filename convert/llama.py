"""The converter's side of the process that runs llama.cpp: starts it, follows it, ends it. Knows the tasks' questions
and answers; does not load llama.cpp itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable


def ask(task: str, on_progress: Callable[[str], None] = lambda _name: None, **arguments: Any) -> dict[str, Any]:
    """Runs one of `llama_child`'s tasks in a process of its own and returns its answer.

    `on_progress` receives what the task sends on its way. Raises `ConversionError` where llama.cpp fails or crashes;
    whatever interrupts this call (Ctrl-C too) first ends the process.
    """
    package = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH")) if part)
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "convert.llama_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in the terminal reaches the converter alone, which ends this process
        ) as process,
    ):
        try:
            return _converse(process, json.dumps({"task": task, **arguments}), on_progress)
        except EOFError:
            code = process.wait()
            errors.seek(0)
            said = [line for line in errors.read().splitlines() if line.strip()]
            raise ConversionError(
                f"llama.cpp ended unexpectedly ({_ending(code)}){': ' + said[-1].strip() if said else ''}"
            ) from None
        finally:
            process.kill()


def _converse(process: subprocess.Popen[str], request: str, on_progress: Callable[[str], None]) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes, see above
        raise EOFError
    try:
        process.stdin.write(request + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        raise EOFError from None
    for line in process.stdout:
        message = json.loads(line)
        if "progress" in message:
            on_progress(message["progress"])
        elif "failed" in message:
            raise ConversionError(f"llama.cpp: {message['failed']}")
        else:
            result: dict[str, Any] = message["result"]
            return result
    raise EOFError


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
