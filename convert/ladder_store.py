"""What has been measured already, in one small file for each rung of the ladder. Knows which circumstances a result was
measured in; a result is taken again only in the same.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from convert.errors import InputError
from convert.ladder_source import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else measures into this folder meanwhile. Raises InputError where somebody does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # gone with the process, however that ends
    except BlockingIOError:
        text = f"--out {folder}: another edge-convert ladder measures into it; wait for its end, or give another folder"
        os.close(handle)
        raise InputError(text) from None
    try:
        yield
    finally:
        os.close(handle)


class Store:
    """A folder of results. A result belongs to a rung (`q4_k_m+imatrix`) and a part of it (`quality`, `speed`, ...)."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        """`fresh`: whatever is there is not taken."""
        self._folder = folder
        self._fresh = fresh
        self._mine: set[tuple[str, str]] = set()

    def get(self, label: str, part: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The result that was measured in the circumstances `key`; None where there is none."""
        if self._fresh and (label, part) not in self._mine:
            return None
        kept = self._read(label).get(part)
        if not isinstance(kept, dict) or kept.get("key") != _plain(key) or not isinstance(kept.get("result"), dict):
            return None
        result: dict[str, Any] = kept["result"]
        return result

    def put(self, label: str, part: str, key: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Keeps a result, in place of the one before."""
        write_json(self._path(label), {**self._read(label), part: {"key": _plain(key), "result": _plain(result)}})
        self._mine.add((label, part))

    def _path(self, label: str) -> Path:
        return self._folder / f"{label}.json"

    def _read(self, label: str) -> dict[str, Any]:
        try:
            content = json.loads(self._path(label).read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # not there yet, or cut off with the machine: it is measured again
        return content if isinstance(content, dict) else {}


def _plain(value: Mapping[str, Any]) -> Any:
    """As it is after having been written and read."""
    return json.loads(json.dumps(value))
