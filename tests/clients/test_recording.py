"""Recordings: a whole file after every event, whatever ends the recorder; and one that is read is believed nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import recording
from clients.recording import DEEPEST, Recorded, Recorder, RecordingError, read_recording

ROOT = Path(__file__).parent.parent.parent
BEGAN = "2026-01-02T03:04:05.678Z"
HEAD: dict[str, Any] = {"format": "edge-duplex conversation", "version": 1, "began": BEGAN}
CREATED = {"type": "session.created", "session": {"model": "toy", "resume": {"token": "secret", "window": 300}}}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def written(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), "utf-8")
    return path


def entry(**fields: object) -> dict[str, object]:
    return {"at": 1, "from": "client", "event": {"type": "x"}, **fields}


# --- recording


@pytest.mark.real
@given(st.lists(st.tuples(st.sampled_from(("client", "server")), values, st.floats(0, 1e6)), max_size=6))
def test_what_was_recorded_is_read_and_the_file_is_whole_after_every_event(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[Literal["client", "server"], Any, float]]
) -> None:
    path = tmp_path_factory.mktemp("recording") / "talk.json"
    recorder = Recorder(path)
    assert read_recording(path).events == ()
    kept: list[Recorded] = []
    for sender, value, at in events:
        event = {"type": "any", "value": value}
        recorder.add(sender, event, at)
        kept.append(Recorded(round(at * 1000) / 1000, sender, event))
        assert read_recording(path).events == tuple(sorted(kept, key=lambda one: one.at))
    recorder.close()
    assert len(json.loads(path.read_bytes())["events"]) == len(events)


@pytest.mark.real
def test_the_file_is_the_pages_format_to_the_field(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    recorder = Recorder(path, datetime(2026, 1, 2, 4, 4, 5, 678901, timezone(timedelta(hours=1))))
    recorder.add("server", CREATED, 0.0124)
    recorder.add("client", {"type": "input_text_buffer.append", "text": "你好"}, 1.5)
    recorder.close()
    assert json.loads(path.read_text("utf-8")) == {
        **HEAD,
        "events": [
            {"at": 12, "from": "server", "event": {"type": "session.created", "session": {"model": "toy"}}},
            {"at": 1500, "from": "client", "event": {"type": "input_text_buffer.append", "text": "你好"}},
        ],
    }
    assert "你好" in path.read_text("utf-8")
    assert CREATED["session"]["resume"]  # type: ignore[index]  # the caller's event is as it was


@pytest.mark.real
def test_it_began_now_if_nothing_else_is_said(tmp_path: Path) -> None:
    Recorder(tmp_path / "talk.json").close()
    began = datetime.fromisoformat(read_recording(tmp_path / "talk.json").began.replace("Z", "+00:00"))
    assert abs(datetime.now(timezone.utc) - began) < timedelta(minutes=1)


@pytest.mark.real
def test_a_file_that_exists_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text("mine")
    with pytest.raises(RecordingError, match=r"talk\.json exists: give another name to record to, or delete it$"):
        Recorder(path)
    assert path.read_text() == "mine"


@pytest.mark.real
def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"^cannot record to .*talk\.json: No such file or directory$"):
        Recorder(tmp_path / "nowhere" / "talk.json")


@pytest.mark.real
def test_half_a_character_is_kept(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "talk.json")
    recorder.add("server", {"type": "x", "delta": "\ud83d"}, 0)
    recorder.close()
    assert read_recording(tmp_path / "talk.json").events[0].event["delta"] == "\ud83d"


@pytest.mark.real
@pytest.mark.parametrize(("size", "kept"), [(1, 2), (700, 1)])
def test_there_is_a_bound_which_is_told_once_and_what_came_before_it_is_kept(
    size: int, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_EVENTS", 2)
    monkeypatch.setattr(recording, "LARGEST_FILE", 1000)
    path = tmp_path / "talk.json"
    recorder = Recorder(path)
    event = {"type": "x", "text": "a" * size}
    for number in range(kept):
        recorder.add("client", event, number)
    with pytest.raises(RecordingError, match=r"talk\.json: recording ends here .* what came before is kept"):
        recorder.add("client", event, kept)
    recorder.add("client", {"type": "x"}, kept + 1)
    recorder.close()
    assert len(read_recording(path).events) == kept


@pytest.mark.real
def test_killed_at_any_moment_it_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    program = f"""
import pathlib
from clients.recording import Recorder
recorder = Recorder(pathlib.Path({str(path)!r}))
for number in range(90_000):
    recorder.add("server", {{"type": "x", "text": "a" * (number % 5000)}}, number)
    if number == 50:
        print("going", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.kill()
        assert process.wait() == -signal.SIGKILL
    events = read_recording(path).events
    assert len(events) > 50
    assert [one.at for one in events] == list(range(len(events)))


@pytest.mark.real
def test_where_there_is_no_room_what_came_before_is_kept_and_that_is_said_once(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the end of the disk: it too takes the part that has room."""
    path = tmp_path / "talk.json"
    program = f"""
import pathlib, resource
from clients.recording import Recorder, RecordingError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
recorder = Recorder(pathlib.Path({str(path)!r}))
for number in range(9):
    try:
        recorder.add("server", {{"type": "x", "text": "a" * 250}}, number)
    except RecordingError as error:
        print(number, error)
recorder.close()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    number, told = lines[0].split(maxsplit=1)
    assert told.startswith(f"{path}: recording ends here (")
    assert told.endswith("); what came before is kept")
    assert len(read_recording(path).events) == int(number) > 0


@pytest.mark.real
def test_where_there_is_no_room_at_all_no_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    program = f"""
import pathlib, resource
from clients.recording import Recorder, RecordingError
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    Recorder(pathlib.Path({str(path)!r}))
except RecordingError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"cannot record to {path}: ")
    assert not path.exists()


# --- reading


@pytest.mark.real
def test_events_are_in_the_order_of_their_times_and_else_of_the_file(tmp_path: Path) -> None:
    events = [entry(at=at, event={"type": name}) for at, name in ((3, "a"), (1.5, "b"), (3, "c"), (0, "d"))]
    read = read_recording(written(tmp_path / "talk.json", {**HEAD, "events": events}))
    assert read.began == BEGAN
    assert [(one.at, one.event["type"]) for one in read.events] == [(0, "d"), (0.0015, "b"), (0.003, "a"), (0.003, "c")]


@pytest.mark.real
@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "holds no recorded conversation"),
        ({"events": []}, "holds no recorded conversation"),
        ({**HEAD, "format": ["x"]}, "holds no recorded conversation"),
        ({**HEAD, "version": 2, "events": []}, "is in version '2' of the format, and this reads 1"),
        ({**HEAD, "version": True, "events": []}, "is in version 'True'"),
        ({"format": HEAD["format"]}, "is in version 'None'"),
        ({**HEAD, "began": 5, "events": []}, "“began” is no time"),
        ({**HEAD, "began": "\x1b[2J", "events": []}, "“began” is no time"),
        (HEAD, "“events” is no list"),
        ({**HEAD, "events": {}}, "“events” is no list"),
        ({**HEAD, "events": [entry(), 5]}, "event 2 is no object"),
        ({**HEAD, "events": [entry(at="1")]}, "event 1 has no time from 0 on in “at”"),
        ({**HEAD, "events": [entry(at=True)]}, "event 1 has no time"),
        ({**HEAD, "events": [entry(at=-1)]}, "event 1 has no time"),
        ({**HEAD, "events": [entry(at=10**300)]}, "event 1 has no time"),
        ({**HEAD, "events": [entry(at=10**4000)]}, "event 1 has no time"),
        ({**HEAD, "events": [{"from": "client", "event": {"type": "x"}}]}, "event 1 has no time"),
        ({**HEAD, "events": [{"at": 1, "event": {"type": "x"}}]}, "event 1 is “from” neither client nor server"),
        ({**HEAD, "events": [{"at": 1, "from": ["client"], "event": {"type": "x"}}]}, "event 1 is “from” neither"),
        ({**HEAD, "events": [entry(event={})]}, "event 1 has no type"),
        ({**HEAD, "events": [entry(event={"type": 5})]}, "event 1 has no type"),
        ({**HEAD, "events": [entry(event="x")]}, "event 1 has no type"),
    ],
)
def test_other_documents_are_refused_in_one_line(tmp_path: Path, document: object, told: str) -> None:
    path = written(tmp_path / "talk.json", document)
    with pytest.raises(RecordingError) as error:
        read_recording(path)
    assert str(error.value).startswith(str(path))
    assert told in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.real
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": NaN}',
        b'{"version": ' + b"1" * 5000 + b"}",
        json.dumps({**HEAD, "events": []}).encode()[:-1],
    ],
)
def test_what_is_no_json_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "talk.json"
    path.write_bytes(data)
    with pytest.raises(
        RecordingError, match=r"talk\.json is no JSON document: choose a file that “edge-chat --record”"
    ):
        read_recording(path)


@pytest.mark.real
def test_times_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    for at in ("NaN", "Infinity", "1e999"):
        document = json.dumps({**HEAD, "events": [entry(at="AT")]}).replace('"AT"', at)
        (tmp_path / "talk.json").write_text(document)
        with pytest.raises(RecordingError, match=r"no JSON document|event 1 has no time"):
            read_recording(tmp_path / "talk.json")


@pytest.mark.real
@pytest.mark.parametrize(("depth", "taken"), [(DEEPEST - 1, True), (DEEPEST, False), (500, False)])
def test_nesting_has_a_bound(tmp_path: Path, depth: int, taken: bool) -> None:
    value: object = "x"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    path = written(tmp_path / "talk.json", {**HEAD, "events": [entry(event={"type": "x", "value": value})]})
    if taken:
        assert len(read_recording(path).events) == 1
    else:
        with pytest.raises(RecordingError, match=f"event 1 is nested deeper than {DEEPEST}"):
            read_recording(path)


@pytest.mark.real
def test_files_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "talk.json", {**HEAD, "events": [entry()] * 3})
    monkeypatch.setattr(recording, "MOST_EVENTS", 2)
    with pytest.raises(RecordingError, match="it has more than 2 events"):
        read_recording(path)
    monkeypatch.setattr(recording, "LARGEST_FILE", 100)
    with pytest.raises(RecordingError, match="which no recording is: choose a file"):
        read_recording(path)


@pytest.mark.real
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"^cannot read the recording .*nothing\.json: No such file or directory$"):
        read_recording(tmp_path / "nothing.json")
    with pytest.raises(RecordingError, match=r"Is a directory$"):
        read_recording(tmp_path)


@pytest.mark.real
@given(st.data())
def test_a_file_with_a_fault_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("recording") / "talk.json"
    whole = json.dumps({**HEAD, "events": [entry(), entry(event={"type": "y", "value": [1, {"a": None}]})]}).encode()
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 8)))
    path.write_bytes(whole[:begin] + data.draw(st.binary(max_size=8)) + whole[end:])
    told = None
    try:
        read = read_recording(path)
    except RecordingError as error:
        told = str(error)
    assert told is None or "\n" not in told
    assert told is not None or all(isinstance(one.event["type"], str) and one.at >= 0 for one in read.events)
