"""Downloads against a hub of our own on localhost: pinned, only what is needed, resumed, and failing in one line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from convert.gguf_file import read_header
from tests.convert.models import config, write_folder

pytestmark = pytest.mark.real

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "someone/parrot"
COMMAND = [sys.executable, "-c", "from convert.cli import main; main()"]


class Hub:
    """The part of the hub's HTTP interface that a download uses, serving one folder as one repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[tuple[str, str, str | None]] = []
        self.cut_after: int | None = None  # bytes of a larger file; then the connection breaks and the hub is gone
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self)

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.requests.append((handler.command, path, handler.headers.get("Range")))
        if path in (f"/api/models/{REPOSITORY}", *(f"/api/models/{REPOSITORY}/revision/{r}" for r in ("v1", COMMIT))):
            names = [{"rfilename": file.name} for file in self.folder.iterdir()]
            self._send(handler, 200, json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": names}).encode())
        elif path.startswith(f"/api/models/{REPOSITORY}/revision/"):
            self._send(handler, 404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith("/api/"):
            self._send(handler, 404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif path.startswith(f"/{REPOSITORY}/resolve/{COMMIT}/"):
            self._send_file(handler, self.folder / path.rpartition("/")[2])
        else:
            self._send(handler, 404, b"", {"X-Error-Code": "EntryNotFound"})

    def _send_file(self, handler: BaseHTTPRequestHandler, file: Path) -> None:
        if self.cut_after == 0:
            self._send(handler, 403, b"")
            return
        data = file.read_bytes()
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        status, whole = 200, len(data)
        if wanted := handler.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            status, data = 206, data[start:]
            headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
        self._send(handler, status, data, headers)

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, data: bytes, headers: dict[str, str] | None = None
    ) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if self.cut_after is not None and len(data) > self.cut_after:
            handler.wfile.write(data[: self.cut_after])
            handler.wfile.flush()
            handler.connection.close()
            handler.close_connection = True
            self.cut_after = 0
            return
        handler.wfile.write(data)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(write_folder(tmp_path / "repository", form="bin"))
    (hub.folder / "README.md").write_text("not needed")
    yield hub
    hub.server.shutdown()
    hub.server.server_close()


@pytest.fixture
def convert(hub: Hub, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, endpoint: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HF_ENDPOINT": endpoint or hub.url,
            "HF_HOME": str(tmp_path / "cache"),
            "HF_HUB_DISABLE_XET": "1",
            "NO_PROXY": "127.0.0.1",
        }
        environment.pop("HF_HUB_OFFLINE", None)
        command = [*COMMAND, *arguments, "--quant", "f32", "--out", str(tmp_path / "x.gguf"), "--force"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    return run


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in result.stderr, result.stderr
    return result.stderr.splitlines()[-1]


def test_a_repository_is_converted_with_its_commit_on_record(
    hub: Hub, convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    result = convert(REPOSITORY)
    assert result.returncode == 0, result.stderr
    metadata = read_header(tmp_path / "x.gguf").metadata
    assert metadata["duplex.source"] == REPOSITORY
    assert metadata["duplex.revision"] == COMMIT
    assert metadata["general.name"] == "parrot"
    assert result.stderr.splitlines()[-3:] == ["downloading pytorch_model.bin", "writing f32", "verifying"]
    fetched = {path.rpartition("/")[2] for command, path, _ in hub.requests if command == "GET" and "/resolve/" in path}
    assert fetched == {
        "config.json",
        "tokenizer.model",
        "tokenizer_config.json",
        "added_tokens.json",
        "pytorch_model.bin",
    }


def test_a_revision_is_resolved(convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    assert convert(REPOSITORY, "--revision", "v1").returncode == 0
    assert read_header(tmp_path / "x.gguf").metadata["duplex.revision"] == COMMIT


def test_shards_are_fetched_by_their_index(
    hub: Hub, convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    for path in hub.folder.glob("pytorch_model*"):
        path.unlink()
    write_folder(hub.folder, form="sharded-safetensors")
    result = convert(REPOSITORY)
    assert result.returncode == 0, result.stderr


def test_a_broken_download_says_so_and_is_resumed(
    hub: Hub, convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    large = config(hidden_size=512, intermediate_size=2048)  # the library writes 10 MiB at a time
    write_folder(hub.folder, form="bin", settings=large)
    hub.cut_after = 15_000_000
    result = convert(REPOSITORY)
    assert result.returncode == 1
    assert "the download from the hub failed" in last_line(result)
    assert "run the same command again to resume it" in last_line(result)
    assert not (tmp_path / "x.gguf").exists()
    hub.cut_after, hub.requests[:] = None, []
    assert convert(REPOSITORY).returncode == 0
    fetched = [(path.rpartition("/")[2], wanted) for command, path, wanted in hub.requests if command == "GET"]
    assert [wanted for name, wanted in fetched if name == "pytorch_model.bin"] == [f"bytes={10 << 20}-"]
    assert "config.json" not in dict(fetched)


def test_a_partial_file_that_is_too_long_is_begun_anew(
    convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "cache" / "edge-convert" / "someone--parrot" / COMMIT
    folder.mkdir(parents=True)
    (folder / "config.json.partial").write_bytes(bytes(100_000))
    result = convert(REPOSITORY)
    assert result.returncode == 0, result.stderr


def test_what_the_librarys_own_cache_holds_is_not_fetched_again(
    hub: Hub, convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    cached = tmp_path / "cache" / "hub" / "models--someone--parrot" / "snapshots" / COMMIT
    cached.mkdir(parents=True)
    (cached / "pytorch_model.bin").write_bytes((hub.folder / "pytorch_model.bin").read_bytes())
    assert convert(REPOSITORY).returncode == 0
    assert not [path for _, path, _ in hub.requests if path.endswith("pytorch_model.bin")]


def test_without_a_connection_what_was_fetched_before_is_used(
    convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:9"  # the discard port, closed everywhere
    result = convert(REPOSITORY, endpoint=nobody)
    assert result.returncode == 1
    assert last_line(result).startswith(f"edge-convert: {REPOSITORY}: the download from the hub failed (")
    assert convert(REPOSITORY).returncode == 0
    result = convert(REPOSITORY, endpoint=nobody)
    assert result.returncode == 0, result.stderr
    assert read_header(tmp_path / "x.gguf").metadata["duplex.revision"] == COMMIT


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["someone/nothing"], "someone/nothing: no such folder here and no such repository on the hub"),
        ([REPOSITORY, "--revision", "v2"], "has no revision 'v2'"),
    ],
)
def test_what_the_hub_does_not_have_is_bad_input(
    convert: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], message: str
) -> None:
    result = convert(*arguments)
    assert result.returncode == 2
    assert message in last_line(result)


def test_a_repository_without_weights_is_refused(
    hub: Hub, convert: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (hub.folder / "pytorch_model.bin").unlink()
    result = convert(REPOSITORY)
    assert result.returncode == 2
    assert "holds no weights that can be converted" in last_line(result)


def test_files_that_the_repository_lacks_are_named_and_taken_from_a_folder(
    hub: Hub, convert: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (hub.folder / "tokenizer.model").unlink()
    result = convert(REPOSITORY)
    assert result.returncode == 2
    assert "tokenizer.model missing; --tokenizer DIR" in last_line(result)
    write_folder(tmp_path / "other")
    assert convert(REPOSITORY, "--tokenizer", str(tmp_path / "other")).returncode == 0
