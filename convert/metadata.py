"""The GGUF metadata that this project adds, and how an entry is written down. Knows names and types only; docs/gguf.md
explains them to readers of such files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gguf import GGUFValueType

# The server reads these names: they are the contract between the two.
VERSION = "duplex.version"
USER_MARKER = "duplex.user_marker"
ASSISTANT_MARKER = "duplex.assistant_marker"
IDLE_TOKEN_ID = "duplex.idle_token_id"  # noqa: S105 - a key's name
SLICE_SECONDS = "duplex.slice_seconds"
SLICE_TOKENS = "duplex.slice_tokens"
IDLE_BIAS = "duplex.idle_bias"
SOURCE = "duplex.source"
REVISION = "duplex.revision"

FORMAT_VERSION = 1
# What MiniCPM-duplex was trained on (arXiv 2406.15718): slices of two seconds, ten tokens from the assistant.
TRAINED_SLICE_SECONDS = 2.0
TRAINED_SLICE_TOKENS = 10


@dataclass(frozen=True)
class Entry:
    """One metadata entry; for an array `kind` is ARRAY and `item` the type of its elements."""

    key: str
    value: Any
    kind: GGUFValueType
    item: GGUFValueType | None = None


def uint32(key: str, value: int) -> Entry:
    return Entry(key, value, GGUFValueType.UINT32)


def float32(key: str, value: float) -> Entry:
    return Entry(key, value, GGUFValueType.FLOAT32)


def boolean(key: str, value: bool) -> Entry:
    return Entry(key, value, GGUFValueType.BOOL)


def string(key: str, value: str) -> Entry:
    return Entry(key, value, GGUFValueType.STRING)


def array(key: str, values: list[Any], item: GGUFValueType) -> Entry:
    return Entry(key, values, GGUFValueType.ARRAY, item)


def duplex_entries(
    *,
    user_marker: str,
    assistant_marker: str,
    idle_token_id: int | None,
    source: str,
    revision: str | None,
    idle_bias: float = 0.0,
) -> list[Entry]:
    """This project's own keys. `revision` is the pinned commit of a hub repository; a folder has none."""
    entries = [
        uint32(VERSION, FORMAT_VERSION),
        string(USER_MARKER, user_marker),
        string(ASSISTANT_MARKER, assistant_marker),
        float32(SLICE_SECONDS, TRAINED_SLICE_SECONDS),
        uint32(SLICE_TOKENS, TRAINED_SLICE_TOKENS),
        string(SOURCE, source),
    ]
    if idle_token_id is not None:
        entries.append(uint32(IDLE_TOKEN_ID, idle_token_id))
    if idle_bias:
        entries.append(float32(IDLE_BIAS, idle_bias))
    if revision is not None:
        entries.append(string(REVISION, revision))
    return entries
