"""How many threads the model computes with by default."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from edge_server import cores

if TYPE_CHECKING:
    from pathlib import Path


def lay_out(root: Path, places: list[tuple[int, int]]) -> None:
    """A /sys/devices/system/cpu whose CPU n is core `places[n][1]` of package `places[n][0]`."""
    for cpu, (package, core) in enumerate(places):
        topology = root / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{package}\n")
        (topology / "core_id").write_text(f"{core}\n")


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2, 3}, raising=False)
    return monkeypatch


def test_threads_of_one_core_count_once(linux: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lay_out(tmp_path, [(0, 0), (0, 1), (0, 0), (0, 1)])
    assert cores.physical_cores(tmp_path) == 2


def test_equal_numbers_in_two_packages_are_two_cores(linux: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lay_out(tmp_path, [(0, 0), (0, 0), (1, 0), (1, 0)])
    assert cores.physical_cores(tmp_path) == 2


def test_cores_that_this_process_may_not_use_do_not_count(linux: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lay_out(tmp_path, [(0, 0), (0, 1), (0, 2), (0, 3)])
    linux.setattr(os, "sched_getaffinity", lambda _pid: {1})
    assert cores.physical_cores(tmp_path) == 1


def test_without_a_topology_every_usable_cpu_counts(linux: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cores.physical_cores(tmp_path) == 4


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"hw.perflevel0.physicalcpu": 6, "hw.physicalcpu": 10}, 6),  # Apple silicon: the performance cores
        ({"hw.physicalcpu": 4}, 4),  # an Intel Mac
    ],
)
def test_macos_is_asked_for_its_fast_cores(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, int], expected: int
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(cores, "_sysctl", lambda name: answers.get(name, 0))
    assert cores.physical_cores() == expected


def test_a_system_that_tells_nothing_has_at_least_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(cores, "_sysctl", lambda _name: 0)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.physical_cores() == 1


def test_this_machine_has_a_sensible_number() -> None:
    assert 1 <= cores.physical_cores() <= (os.cpu_count() or 1)


def test_a_name_that_the_system_does_not_know_counts_nothing() -> None:
    assert cores._sysctl("no.such.name") == 0
