"""Where parked sessions wait: in memory up to a limit, then in files without a name; what is lost is None."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_server import parking
from edge_server.parking import Parking
from edge_server.sequence import SavedSequence

pytestmark = pytest.mark.real  # real files


def saved(number: int, size: int = 100) -> SavedSequence:
    return SavedSequence((1, number), bytes([number]) * size, (0, 1))


class Usage(NamedTuple):
    free: int


@pytest.fixture
def lot(tmp_path: Path) -> Iterator[Parking]:
    """Holds two of three sessions in memory."""
    lot = Parking(250, tmp_path)
    yield lot
    lot.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0


def test_what_was_parked_comes_back_once(lot: Parking) -> None:
    for number in range(5):
        lot.park(number, saved(number))
    assert (lot.in_memory, lot.on_disk) == (200, 300)
    for number in (3, 0, 4, 2, 1):
        assert number in lot
        assert lot.tokens(number) == 2
        assert lot.take(number) == saved(number)
        assert number not in lot
        assert lot.tokens(number) == 0
        assert lot.take(number) is None
    assert (lot.in_memory, lot.on_disk) == (0, 0)


def test_the_latest_parked_stay_in_memory(lot: Parking) -> None:
    for number in range(4):
        lot.park(number, saved(number))
    assert (lot.in_memory, lot.on_disk) == (200, 200)
    lot.drop(3)
    lot.drop(2)
    assert (lot.in_memory, lot.on_disk) == (0, 200), "the earlier ones are in files"


def test_one_that_is_larger_than_the_memory_goes_to_a_file_alone(lot: Parking) -> None:
    lot.park("small", saved(1))
    lot.park("large", saved(2, 300))
    assert (lot.in_memory, lot.on_disk) == (0, 400)
    assert lot.take("large") == saved(2, 300)


def test_the_files_have_no_name_and_nothing_is_left_behind(lot: Parking, tmp_path: Path) -> None:
    before = open_files()
    for number in range(6):
        lot.park(number, saved(number))
        assert list(tmp_path.iterdir()) == []
    lot.take(0)
    lot.drop(1)
    assert list(tmp_path.iterdir()) == []
    lot.close()
    lot.close()
    assert list(tmp_path.iterdir()) == []
    assert (lot.in_memory, lot.on_disk) == (0, 0)
    assert open_files() <= before


def test_a_file_that_became_shorter_is_lost(lot: Parking, monkeypatch: pytest.MonkeyPatch) -> None:
    real, files = tempfile.TemporaryFile, []

    def keeping(*args: Any, **options: Any) -> Any:
        files.append(real(*args, **options))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", keeping)
    for number in range(4):
        lot.park(number, saved(number))
    lot._written[1].file.result()
    files[1].truncate(99)
    assert lot.take(1) is None
    assert files[1].closed
    assert lot.take(2) == saved(2)


def test_a_full_disk_keeps_a_gigabyte_for_others(
    lot: Parking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(parking.KEEP_FREE + 99))
    for number in range(3):
        lot.park(number, saved(number))
    assert lot.take(0) is None
    assert "nearly full" in caplog.text
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(parking.KEEP_FREE + 100))
    lot.park(3, saved(3))
    assert lot.take(1) == saved(1)


def test_a_folder_that_is_not_there_loses_what_would_be_in_it(caplog: pytest.LogCaptureFixture) -> None:
    lot = Parking(0, Path("/no/such/folder"))
    lot.park(1, saved(1))
    assert lot.take(1) is None
    lot.park(2, saved(2))
    lot.drop(2)
    lot.close()
    assert "/no/such/folder" in caplog.text


class Piecemeal:
    """A file that reads and writes at most 7 bytes at a time, as a real one 2 GiB; it takes `room` bytes in all."""

    def __init__(self, file: Any, room: int = 10**6) -> None:
        self._file, self._room = file, room

    def write(self, data: memoryview) -> int:
        if not self._room:
            raise OSError("No space left on device")
        written = int(self._file.write(data[: min(7, self._room)]))
        self._room -= written
        return written

    def readinto(self, buffer: Any) -> int:
        return int(self._file.readinto(memoryview(buffer)[:7]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Piecemeal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_what_the_system_writes_and_reads_in_pieces_comes_back_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: Piecemeal(real(**options)))
    lot = Parking(0, tmp_path)
    lot.park(1, saved(1))
    assert lot.take(1) == saved(1)
    lot.close()


def test_a_disk_that_fills_up_in_the_middle_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, files = tempfile.TemporaryFile, []

    def small(**options: Any) -> Piecemeal:
        files.append(real(**options))
        return Piecemeal(files[-1], room=50)

    monkeypatch.setattr(tempfile, "TemporaryFile", small)
    lot = Parking(0, tmp_path)
    lot.park(1, saved(1))
    assert lot.take(1) is None
    assert "No space left" in caplog.text
    assert [file.closed for file in files] == [True]
    lot.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["park", "take", "drop"]), st.integers(0, 5), st.integers(0, 120)), max_size=30
    ),
    memory=st.integers(0, 300),
)
def test_any_order_of_parking_and_taking_gives_back_what_was_given(
    moves: list[tuple[str, int, int]], memory: int, tmp_path: Path
) -> None:
    lot = Parking(memory, tmp_path)
    expected: dict[int, SavedSequence] = {}
    for move, owner, size in moves:
        if move == "park" and owner not in expected:
            expected[owner] = saved(owner, size)
            lot.park(owner, expected[owner])
        elif move == "take":
            assert lot.take(owner) == expected.pop(owner, None)
        elif move == "drop":
            lot.drop(owner)
            expected.pop(owner, None)
        assert lot.in_memory <= memory
        assert lot.in_memory + lot.on_disk == sum(len(each.state) for each in expected.values())
        assert [owner in lot for owner in range(6)] == [owner in expected for owner in range(6)]
    lot.close()
    assert list(tmp_path.iterdir()) == []


def test_one_state_at_a_time_is_on_its_way_to_the_disk(tmp_path: Path) -> None:
    lot = Parking(0, tmp_path)
    for number in range(5):
        lot.park(number, SavedSequence((number,), bytes(2**20)))
        earlier = [entry.file for owner, entry in lot._written.items() if owner != number]
        assert len(earlier) == number
        assert all(file.done() for file in earlier)
    lot.close()
