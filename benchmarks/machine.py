"""What the benchmark runs on: a description, free memory and disk, what a process holds, how fast memory is read.

Linux tells all of it, macOS some; what is not known is None.
"""

from __future__ import annotations

import ctypes
import datetime
import os
import platform
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Machine, system and time, for the results."""
    memory = _memory("MemTotal")
    return {
        "machine": f"{platform.machine()}, {_processor()}, {usable_cpus()} CPUs"
        + (f", {memory / 2**30:.0f} GiB" if memory else ""),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def usable_cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return " ".join(found[1].split()) if found else platform.processor() or "unknown processor"


def load() -> float | None:
    """How many threads wanted to run in the last minute, on average."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def available_memory() -> int | None:
    """Bytes that processes can have without swapping."""
    return _memory("MemAvailable")


def _memory(name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/meminfo").read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) << 10 if found else None


def available_disk(folder: Path) -> int:
    """Bytes free where `folder` is."""
    return shutil.disk_usage(folder).free


def resident(pid: int, model: Path) -> tuple[int, int] | None:
    """Bytes of memory that a process holds: all, and those of them that are pages of the mapped `model` file."""
    try:
        lines = Path(f"/proc/{pid}/smaps").read_text("utf-8").splitlines()
    except OSError:
        return None
    total = mapped = 0
    of_model = False
    for line in lines:
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            of_model = line.endswith(str(model))
        elif line.startswith("Rss:"):
            size = int(line.split()[1]) << 10
            total += size
            mapped += size if of_model else 0
    return total, mapped


def read_bandwidth(threads: int, size: int, rounds: int = 3) -> float:
    """Bytes a second that `threads` threads read from memory together: the best round of libc's `memchr`.

    `size` is in bytes and should be more than caches hold. The byte that is looked for is not there, so everything is
    read, at the speed of the machine's widest loads.
    """
    find = ctypes.CDLL(None).memchr  # a call through ctypes lets other threads run
    find.restype, find.argtypes = ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
    buffer = (ctypes.c_char * size)()
    ctypes.memset(buffer, 1, size)  # pages that were never written are all one page of zeros
    share = size // threads
    best = 0.0
    for _ in range(rounds):
        readers = [
            threading.Thread(target=find, args=(ctypes.addressof(buffer) + number * share, 0, share))
            for number in range(threads)
        ]
        begin = time.perf_counter()
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        best = max(best, share * threads / (time.perf_counter() - begin))
    return best
