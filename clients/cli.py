"""edge-chat's entry: imports little, so that Ctrl-C ends it quietly also while the rest is still being imported."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = 130  # what shells report of a command that Ctrl-C has ended


def main() -> NoReturn:
    """The command `edge-chat`."""
    _open_standard_streams()
    # Nothing is open yet: the system's own way to end a process does, and shows no traceback. A shell that starts a
    # command in the background may have it ignore Ctrl-C, which is left so.
    handler = signal.getsignal(signal.SIGINT)
    interruptible = handler is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from clients.command import run

    try:
        if interruptible:
            signal.signal(signal.SIGINT, handler)
        code = run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        # Everything is closed: another Ctrl-C has nothing to interrupt but the interpreter's own end.
        if interruptible:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)


def _open_standard_streams() -> None:
    """Without a standard stream (`<&-`), the next file that is opened would take its place: now it is empty."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, os.O_RDWR), mode, closefd=False))  # noqa: SIM115 (for as long as the process lives)
