"""Where sessions wait whose cells others need: host memory first, a file beyond its limit.

Knows saved sequences, not what is in them. Parking is a cache of a cache: what is lost here (a full disk, a file that
cannot be read) is prefilled again, so nothing raises. One thread, the engine's, calls it; a second writes the files.
"""

from __future__ import annotations

import concurrent.futures
import logging
import os
import shutil
import tempfile
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from edge_server.sequence import SavedSequence

KEEP_FREE = 2**30  # bytes of the disk that are left to others

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _OnDisk:
    rest: SavedSequence  # but for its state, which the file has
    size: int
    file: concurrent.futures.Future[IO[bytes] | None]


class Parking:
    """Saved sequences by owner. After use you must call `close`."""

    def __init__(self, memory: int, folder: Path | None = None) -> None:
        """`memory`: bytes that are kept in memory, the latest parked first, beside one state that is being written.

        `folder`: for the rest; None: the system's.

        Files have no name, so that nobody else can open them and none outlives the process.
        """
        self._memory = memory
        self._folder = folder or roomy_folder()
        self._held: dict[Hashable, SavedSequence] = {}  # oldest first
        self._written: dict[Hashable, _OnDisk] = {}
        self._writer = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="parking")

    @property
    def in_memory(self) -> int:
        """Bytes of host memory that are taken."""
        return sum(len(saved.state) for saved in self._held.values())

    @property
    def on_disk(self) -> int:
        """Bytes in files."""
        return sum(entry.size for entry in self._written.values())

    def __contains__(self, owner: Hashable) -> bool:
        return owner in self._held or owner in self._written

    def tokens(self, owner: Hashable) -> int:
        """How many tokens are parked for `owner`; 0: nothing."""
        written = self._written.get(owner)
        saved = written.rest if written else self._held.get(owner)
        return len(saved.tokens) if saved else 0

    def park(self, owner: Hashable, saved: SavedSequence) -> None:
        """Keeps `saved` for `owner`, who must have nothing parked."""
        self._held[owner] = saved
        while self.in_memory > self._memory:
            oldest = next(iter(self._held))
            self._write(oldest, self._held.pop(oldest))

    def take(self, owner: Hashable) -> SavedSequence | None:
        """What was parked for `owner`, who has nothing parked afterwards; None: nothing, or it was lost."""
        if owner in self._held:
            return self._held.pop(owner)
        entry = self._written.pop(owner, None)
        if entry is None or (file := entry.file.result()) is None:
            return None
        try:
            with file:
                file.seek(0)
                state = bytearray(entry.size)
                view = memoryview(state)
                while view:  # Linux reads and writes 2 GiB at a time
                    read = file.readinto(view)  # type: ignore[attr-defined]
                    if not read:
                        raise OSError("its file has become shorter")
                    view = view[read:]
        except OSError as error:
            _log.warning("a parked session could not be read back and is prefilled again: %s", error)
            return None
        return replace(entry.rest, state=state)

    def drop(self, owner: Hashable) -> None:
        """Forgets what was parked for `owner`, if anything."""
        self._held.pop(owner, None)
        entry = self._written.pop(owner, None)
        if entry is not None:
            entry.file.add_done_callback(_close)

    def close(self) -> None:
        """Forgets everything. A second call does nothing."""
        for owner in [*self._held, *self._written]:
            self.drop(owner)
        self._writer.shutdown()

    def _write(self, owner: Hashable, saved: SavedSequence) -> None:
        # One state at a time is on its way to the disk: what waits for that is memory too.
        concurrent.futures.wait([entry.file for entry in self._written.values()])
        file = self._writer.submit(_write, saved.state, self._folder)
        self._written[owner] = _OnDisk(replace(saved, state=b""), len(saved.state), file)


def roomy_folder() -> Path:
    """Where large temporary files belong: on many systems the usual folder is memory too, /var/tmp is not."""
    persistent = Path("/var/tmp")  # noqa: S108 - the files have no names
    usable = "TMPDIR" not in os.environ and persistent.is_dir() and os.access(persistent, os.W_OK)
    return persistent if usable else Path(tempfile.gettempdir())


def _write(state: bytes | bytearray, folder: Path) -> IO[bytes] | None:
    try:
        if shutil.disk_usage(folder).free < len(state) + KEEP_FREE:
            _log.warning("%s is nearly full: a parked session will be prefilled again", folder)
            return None
        file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by who takes or drops it
        try:
            view = memoryview(state)
            while view:
                view = view[file.write(view) :]
        except OSError:
            file.close()
            raise
    except OSError as error:
        _log.warning("a session could not be parked in %s and will be prefilled again: %s", folder, error)
        return None
    return file


def _close(written: concurrent.futures.Future[IO[bytes] | None]) -> None:
    file = written.result()
    if file is not None:
        file.close()
