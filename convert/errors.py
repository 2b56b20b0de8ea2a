"""The converter's two errors. Knows nothing of what went wrong: the message says it, in one line.

`main` in `cli.py` turns them into one line on standard error and an exit code.
"""

from __future__ import annotations


class InputError(Exception):
    """The input or the command line cannot be used (exit code 2). The message says what, where and what to do."""


class ConversionError(Exception):
    """The input is fine, but the conversion failed (exit code 1)."""
