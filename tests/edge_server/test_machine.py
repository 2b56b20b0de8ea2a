"""What the machine and its container say of memory, processor time and the processor."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from edge_server import machine

MIB = 2**20


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "cgroup", tmp_path / "proc"


def test_this_machine_answers() -> None:
    total = machine.memory()
    assert total is not None
    assert total > 2**28
    assert 1 <= machine.usable_cpus() <= (os.cpu_count() or 1)
    load = machine.load()
    assert load is None or load >= 0
    assert machine.translated() is False or sys.platform == "darwin"
    if sys.platform == "linux":
        available = machine.available_memory()
        assert available is not None
        assert available > 0
        assert machine.processor_flags()


def test_the_memory_of_a_container(roots: tuple[Path, Path]) -> None:
    cgroups, proc = roots
    whole = machine.memory(*roots)
    write(proc / "self/cgroup", "0::/app/one\n")
    assert machine.memory(*roots) == whole
    write(cgroups / "app/one/memory.max", "max\n")
    assert machine.memory(*roots) == whole
    write(cgroups / "app/memory.max", f"{64 * MIB}\n")  # of the group above it
    assert machine.memory(*roots) == 64 * MIB
    write(cgroups / "app/one/memory.max", f"{32 * MIB}\n")
    assert machine.memory(*roots) == 32 * MIB


def test_the_memory_of_a_container_by_the_older_files(roots: tuple[Path, Path]) -> None:
    cgroups, proc = roots
    write(proc / "self/cgroup", "4:memory:/docker/one\n0::/\n")  # the path is the host's
    write(cgroups / "memory/memory.limit_in_bytes", f"{16 * MIB}\n")
    assert machine.memory(*roots) == 16 * MIB
    whole = machine.memory(cgroups / "none", proc)
    write(cgroups / "memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert machine.memory(*roots) == whole


@pytest.mark.parametrize(("text", "quota"), [("150000 100000\n", 1.5), ("max 100000\n", None), ("rubbish", None)])
def test_a_quota(roots: tuple[Path, Path], text: str, quota: float | None) -> None:
    write(roots[1] / "self/cgroup", "0::/\n")
    write(roots[0] / "cpu.max", text)
    assert machine.cpu_quota(*roots) == quota


@pytest.mark.parametrize(("text", "quota"), [("50000", 0.5), ("-1", None)])
def test_a_quota_by_the_older_files(roots: tuple[Path, Path], text: str, quota: float | None) -> None:
    write(roots[1] / "self/cgroup", "2:cpu,cpuacct:/\n1:name=systemd:/\n")
    write(roots[0] / "cpu,cpuacct/cpu.cfs_quota_us", text)
    write(roots[0] / "cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    assert machine.cpu_quota(*roots) == quota


def test_what_linux_tells(roots: tuple[Path, Path]) -> None:
    proc = roots[1]
    assert machine.available_memory(proc) is None
    assert machine.processor_flags(proc) == frozenset()
    write(proc / "meminfo", "MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
    write(proc / "cpuinfo", "processor : 0\nmodel name\t: A  Processor\nflags\t\t: sse avx2\n")
    assert machine.available_memory(proc) == 2 * MIB
    assert machine.processor_flags(proc) == {"sse", "avx2"}
    if sys.platform != "darwin":
        assert machine.processor(proc) == "A Processor"
    write(proc / "cpuinfo", "Features : asimd i8mm\n")
    assert machine.processor_flags(proc) == {"asimd", "i8mm"}
