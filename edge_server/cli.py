"""edge-server's entry: imports little, so that Ctrl-C ends it quietly also while the rest is still being imported."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

INTERRUPTED = 130  # what shells report of a command that Ctrl-C has ended


def main() -> NoReturn:
    """The command `edge-server`."""
    # Nothing is open yet: the system's own way to end a process does, and shows no traceback. A shell that starts a
    # command in the background may have it ignore Ctrl-C, which is left so.
    handler = signal.getsignal(signal.SIGINT)
    interruptible = handler is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from edge_server.command import execute
    except (ImportError, OSError, RuntimeError) as error:  # the bindings raise the last two for a library of theirs
        told = " ".join(str(error).split())
        print(f"edge-server: cannot start: {told}; run: rm -r .venv && make setup", file=sys.stderr)
        sys.exit(1)

    try:
        if interruptible:
            signal.signal(signal.SIGINT, handler)
        code = execute()
    except KeyboardInterrupt:  # before the server was ready
        code = INTERRUPTED
    finally:
        # Everything is closed: another Ctrl-C has nothing to interrupt but the interpreter's own end.
        if interruptible:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)
