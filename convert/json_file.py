"""Reads the small JSON files of a checkpoint. Knows that they come from strangers; does not know their keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from convert.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 100_000_000  # an index of shards has kilobytes, a vocabulary's additions at most some megabytes


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; raises `InputError` where there is none."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path}: far too large for a file of settings")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error}); download it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: a JSON {type(content).__name__} where an object belongs")
    return content
