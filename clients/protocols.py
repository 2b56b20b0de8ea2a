"""Which protocol is spoken with a server."""

from __future__ import annotations

from enum import Enum


class Protocol(str, Enum):
    """What is spoken with the server."""

    JSON = "json"
    TEXT = "text"
