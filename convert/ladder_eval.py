"""The eval's scores of one file, found as a user would find them: `edge-server run` in one process, `edge-chat eval` in
another. Knows their options and the JSON that the eval writes; imports neither.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from convert.errors import ConversionError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_READY = re.compile(r"ready duplex (wss?://\S+)")
_START_SECONDS = 600  # a large model is read from the disk first
_STOP_SECONDS = 10
_OWN_OPTIONS = frozenset({"--url", "--out", "--json", "--check", "--list", "--help"})  # would leave no scores to read


def missing() -> str | None:
    """Why nothing can be evaluated here, in a few words; None where it can."""
    for name, part in (("edge-server", "run"), ("edge-chat", "eval")):
        command = _command(name)
        if not command.is_file():
            return f"no eval: {command} is not there; the whole project has to be installed"
        if _run([str(command), part, "--help"]).returncode != 0:
            return f"no eval: {name} {part} does not work here"
    return None


def check(scenarios: str, arguments: Sequence[str]) -> None:
    """Raises `InputError`, with what `edge-chat eval` says, where it cannot play this set with these options."""
    own = next((one for one in arguments if one.partition("=")[0] in _OWN_OPTIONS), None)
    if own is not None:
        raise InputError(f"--eval-args {own}: the ladder plays each file itself and reads the scores; leave it out")
    done = _run([str(_command("edge-chat")), "eval", scenarios, *arguments, "--check"])
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it does not say why"]
        raise InputError(f"--eval {scenarios}: {said[-1]}")


def content_digest(scenarios: str) -> str:
    """SHA-256 of the set's file: by its name of one that is shipped, else at its path. Raises OSError without one."""
    path = Path(scenarios)
    client = importlib.util.find_spec("clients")  # found, not imported
    for place in (client.submodule_search_locations if client else None) or ():
        shipped = {path.stem: path for path in (Path(place) / "scenarios").glob("*.yaml")}
        path = shipped.get(scenarios, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _command(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def evaluate(model: Path, scenarios: str, arguments: Sequence[str], *, threads: int, gpu_layers: int) -> dict[str, Any]:
    """The metrics of a file on a set of scenarios, by the names that the eval gives them.

    Raises `ConversionError`, with the last thing said, where the server or the eval fails.
    """
    with tempfile.TemporaryDirectory() as scratch, _serving(model, threads, gpu_layers) as url:
        report = Path(scratch) / "eval.json"
        command = [str(_command("edge-chat")), "eval", scenarios, "--url", url, "--seed", "1", "--json", str(report)]
        # Each file starts from nothing: what an eval keeps on its way would be taken for this one's.
        command += ["--out", str(Path(scratch) / "eval.jsonl"), *arguments]
        shown = sys.stderr.isatty()
        with tempfile.TemporaryFile() as said:
            with _started(command, stdout=said, stderr=None if shown else said) as process:
                code = process.wait()
            if code != 0 or not report.is_file():
                raise ConversionError(f"edge-chat eval {scenarios} failed (exit code {code}){_last_line(said)}")
        metrics = json.loads(report.read_text("utf-8")).get("metrics")
    if not isinstance(metrics, dict):
        raise ConversionError(f"edge-chat eval {scenarios} wrote no metrics")
    return metrics


@contextmanager
def _serving(model: Path, threads: int, gpu_layers: int) -> Iterator[str]:
    command = [str(_command("edge-server")), "run", "--model", str(model), "--port", "0", "--chat-port", "0"]
    command += ["--seed", "1", "--sessions", "1", "--threads", str(threads), "--gpu-layers", str(gpu_layers)]
    command += ["--idle-bias", "0"]  # that of the model would hide a type that speaks where it should not
    with tempfile.TemporaryFile() as said, _started(command, stdout=subprocess.PIPE, stderr=said) as process:
        late = threading.Timer(_START_SECONDS, process.kill)
        late.start()
        try:
            found = next((_READY.match(line.decode("utf-8", "replace")) for line in process.stdout or ()), None)
        finally:
            late.cancel()
        if found is None:
            raise ConversionError(f"edge-server run --model {model} did not start{_last_line(said)}")
        yield found[1]


@contextmanager
def _started(command: Sequence[str], **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a session of its own (Ctrl-C reaches this one alone), ended whatever happens."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **streams) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {lines[-1].strip()}" if lines else ""
