"""llama.cpp's own HTTP server with its prompt cache, where `make llama-server` has built it. Speaks HTTP only."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, Any

from benchmarks.workers import BenchmarkError, end_process, ending, last_words

BUILT = Path("build/llama-server/llama-server")
_READY_SECONDS = 180.0


def find_llama_server(root: Path) -> Path | None:
    """The binary: `LLAMA_SERVER` in the environment, the one built here, one on the path; None without any."""
    named = os.environ.get("LLAMA_SERVER")
    if named:
        return Path(named)
    if (root / BUILT).is_file():
        return root / BUILT
    found = shutil.which("llama-server")
    return Path(found) if found else None


class LlamaServer:
    """One slot, prompt cache on. After use you must call `close`."""

    def __init__(
        self, binary: Path, model: Path, *, cells: int, threads: int, extra_buffers: bool, log: IO[bytes]
    ) -> None:
        """Returns when it is ready. `extra_buffers`: with repacked weights. Raises `BenchmarkError`."""
        self._log = log
        self._port = _free_port()
        command = [str(binary), "--model", str(model), "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--ctx-size", str(cells), "--parallel", "1", "--threads", str(threads), "--no-ui", "--offline"]
        command += [] if extra_buffers else ["--no-repack"]
        try:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        except OSError as error:
            raise BenchmarkError(f"{binary} cannot be run: {error.strerror}") from error
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def _wait(self) -> None:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                code = ending(self._process.wait())
                raise BenchmarkError(f"llama-server ended with {code}: {last_words(self._log)}")
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
            try:
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass  # not listening yet
            finally:
                connection.close()
            time.sleep(0.1)
        raise BenchmarkError(f"llama-server was not ready within {_READY_SECONDS:.0f} s: {last_words(self._log)}")

    def slice(self, tokens: list[int], count: int) -> dict[str, Any]:
        """Continues the whole prompt `tokens`, greedily: seconds to the first and the last of `count` tokens."""
        ask = {
            "prompt": tokens,
            "n_predict": count,
            "temperature": 0.0,
            "stream": True,
            "cache_prompt": True,
            "ignore_eos": True,
            "return_tokens": True,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)
        begin = time.perf_counter()
        try:
            connection.request("POST", "/completion", json.dumps(ask), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            moments, sampled, cached = [], [], None
            for line in answer:
                if not line.startswith(b"data: "):
                    continue
                moment = time.perf_counter() - begin
                event = json.loads(line[6:])
                if event.get("tokens"):
                    moments.append(moment)
                    sampled += event["tokens"]
                if event.get("stop"):
                    cached = event.get("timings", {}).get("cache_n")
        except (OSError, http.client.HTTPException) as error:
            raise BenchmarkError(f"llama-server failed: {error}; {last_words(self._log)}") from error
        finally:
            connection.close()
        if len(sampled) != count:
            raise BenchmarkError(f"llama-server made {len(sampled)} tokens, not {count}: {last_words(self._log)}")
        return {"first": moments[0], "last": moments[-1], "tokens": sampled, "cached": cached}

    def close(self) -> None:
        """Stops the server. A second call does nothing."""
        end_process(self._process)

    def __enter__(self) -> LlamaServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
