"""llama.cpp's log as records of the logger `llama.cpp`, and its last errors for the exceptions that report them.

Knows in what shape the messages come; does not know the library: `llama.py` connects `receive` to it.
"""

from __future__ import annotations

import logging
from collections import deque

logger = logging.getLogger("llama.cpp")

# ggml.h's `ggml_log_level` in llama-cpp-python 0.3.36 (the table in the bindings' own source is an older one).
_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
_CONT = 5


class LogLines:
    """Puts lines together from fragments: one of level CONT continues the line before, and a newline ends it."""

    def __init__(self) -> None:
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.CRITICAL)  # quiet: its errors reach the user through our exceptions
        self._errors: deque[str] = deque(maxlen=8)
        self._level = logging.INFO
        self._line = ""

    def forget_errors(self) -> None:
        """To be called before a call whose `reason` may be asked for."""
        self._errors.clear()

    def reason(self) -> str:
        """The first error since `forget_errors`, which is the most exact one, without the C function's name."""
        if not self._errors:
            return "llama.cpp gave no reason"
        function, _, rest = self._errors[0].partition(": ")
        return rest if rest and " " not in function else self._errors[0]

    def receive(self, level: int, text: bytes, _data: object = None) -> None:
        """One message, with ggml's number for its level."""
        if level != _CONT:
            self._flush()
            self._level = _LEVELS.get(level, logging.DEBUG)
        self._line += text.decode("utf-8", "replace")
        if self._line.endswith("\n"):
            self._flush()

    def _flush(self) -> None:
        line, self._line = self._line.strip(), ""
        if not line:
            return
        if self._level >= logging.ERROR:
            self._errors.append(line)
        logger.log(self._level, "%s", line)
