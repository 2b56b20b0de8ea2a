"""What the machine, and the container that this process is in, leave to it: memory, processor time, the processor.

Knows where Linux and macOS tell it; what is not told is None or empty. Standard library only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PROC = Path("/proc")
_NO_LIMIT = 2**60  # cgroup v1 writes "none" as a number near 2**63


def memory(cgroups: Path = CGROUPS, proc: Path = PROC) -> int | None:
    """Bytes of memory that this process may use: the machine's, or what its container is limited to."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None
    return min([physical, *_limits("memory", ("memory.max", "memory.limit_in_bytes"), cgroups, proc)])


def available_memory(proc: Path = PROC) -> int | None:
    """Bytes that processes can have without swapping; the cache of files counts, since it is given up for them."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text(proc / "meminfo"), re.MULTILINE)
    return int(found[1]) << 10 if found else None


def cpu_quota(cgroups: Path = CGROUPS, proc: Path = PROC) -> float | None:
    """How many CPUs' time a container may use; None: as many as there are."""
    quotas = []
    for folder in _groups("cpu", cgroups, proc):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if not period:
            quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.strip().isdigit() and period.strip().isdigit() and int(period):
            quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def usable_cpus() -> int:
    """How many CPUs this process may use, hyper-threads counted."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> float | None:
    """How many threads wanted to run in the last minute, on average."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def processor(proc: Path = PROC) -> str:
    """The processor's name; empty where the system does not say."""
    if sys.platform == "darwin":
        return sysctl("machdep.cpu.brand_string")
    found = re.search(r"^(?:model name|Model)\s*: (.*)$", _text(proc / "cpuinfo"), re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def processor_flags(proc: Path = PROC) -> frozenset[str]:
    """The processor's features by Linux's names; empty where the system does not say."""
    found = re.search(r"^(?:flags|Features)\s*: (.*)$", _text(proc / "cpuinfo"), re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def translated() -> bool:
    """Whether this process is x86-64 code that Rosetta translates on Apple silicon."""
    return sys.platform == "darwin" and sysctl("sysctl.proc_translated") == "1"


def sysctl(name: str) -> str:
    """A value of macOS's kernel; empty where there is none."""
    command = ["/usr/sbin/sysctl", "-n", name]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _limits(controller: str, names: tuple[str, ...], cgroups: Path, proc: Path) -> list[int]:
    texts = [_text(folder / name).strip() for folder in _groups(controller, cgroups, proc) for name in names]
    return [int(text) for text in texts if text.isdigit() and int(text) < _NO_LIMIT]


def _groups(controller: str, cgroups: Path, proc: Path) -> list[Path]:
    """The folders of this process's control group and those above it, of both versions, where they are mounted."""
    folders = []
    for line in _text(proc / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number != "0" and controller not in controllers.split(","):
            continue
        root = cgroups if number == "0" else cgroups / controllers
        # In a container the path may be the host's, which is not mounted; then the root is the container's own.
        group = root / path.lstrip("/")
        folders += [one for one in (group, *group.parents) if one == root or root in one.parents]
    return folders


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
