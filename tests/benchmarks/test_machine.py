"""What the machine says of itself."""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path

import pytest

from benchmarks.machine import available_disk, describe, read_bandwidth, resident


def test_the_description_is_whole() -> None:
    facts = describe()
    assert set(facts) == {"machine", "system", "date"}
    assert "CPUs" in facts["machine"]
    assert facts["date"].endswith("UTC")


@pytest.mark.real
def test_reading_takes_time_and_the_disk_has_room(tmp_path: Path) -> None:
    assert 0 < read_bandwidth(2, size=1 << 20, rounds=2) < 1e13
    assert available_disk(tmp_path) > 0


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
def test_pages_of_the_model_are_told_from_the_rest(tmp_path: Path) -> None:
    path = (tmp_path / "model").resolve()
    path.write_bytes(b"x" * (4 << 20))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert data.find(b"y") == -1  # every page is read
        sizes = resident(os.getpid(), path)
    assert sizes is not None
    assert sizes[1] == 4 << 20
    assert sizes[0] > sizes[1]
    assert resident(2**30, path) is None
