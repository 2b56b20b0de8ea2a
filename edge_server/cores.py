"""How many threads the model should compute with: one for each physical core that this process may use.

Knows where Linux and macOS tell it; of Apple's cores only the fast ones count. Knows no container's quota: `--threads`
is for that. Two hyper-threads of a core make decoding slower.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LINUX_CPUS = Path("/sys/devices/system/cpu")


def physical_cores(cpus: Path = LINUX_CPUS) -> int:
    """The number of cores, at least 1; the number of CPUs where the system tells no more."""
    cores = _macos() if sys.platform == "darwin" else _linux(cpus)
    return max(1, cores or os.cpu_count() or 1)


def _macos() -> int:
    # Level 0 is that of the performance cores (Apple silicon); Intel machines have only the second name.
    return _sysctl("hw.perflevel0.physicalcpu") or _sysctl("hw.physicalcpu")


def _sysctl(name: str) -> int:
    command = ["/usr/sbin/sysctl", "-n", name]
    try:
        return int(subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _linux(cpus: Path) -> int:
    if not hasattr(os, "sched_getaffinity"):
        return 0
    cores: set[tuple[str, str]] = set()
    for cpu in os.sched_getaffinity(0):
        topology = cpus / f"cpu{cpu}" / "topology"
        try:
            cores.add(((topology / "physical_package_id").read_text(), (topology / "core_id").read_text()))
        except OSError:
            return len(os.sched_getaffinity(0))
    return len(cores)
