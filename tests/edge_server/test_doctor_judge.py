"""What `edge-server doctor` makes of what it finds: fine, a note or a problem, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_server.doctor_facts import Disk, Health, Memory, Models, Need, PortFound, Trouble
from edge_server.doctor_judge import (
    OWN_MEMORY,
    Finding,
    State,
    judge_converting,
    judge_cores,
    judge_memory,
    judge_models,
    judge_parking,
    judge_platform,
    judge_port,
    judge_python,
    judge_speed,
    no_speed,
    size,
)
from edge_server.tune_advice import Line, Speeds
from tests.edge_server.doctor_values import (
    CHAT,
    CORES,
    GB,
    LINUX,
    MAC,
    MEMORY,
    MODELS,
    NEED,
    POCKET,
    PORT,
    QUICK,
    REAL,
    SLICES,
    SLOW,
)


def test_what_is_not_fine_has_a_remedy() -> None:
    for state in (State.note, State.problem):
        with pytest.raises(ValueError, match="without a remedy"):
            Finding("a thing", state, "is broken")
    assert Finding("a thing", State.fine, "works").remedy == ""


def test_sizes_are_short() -> None:
    assert [size(n) for n in (4_300_000, 134_000_000, 2_040_000_000, 128e9)] == ["4.3 MB", "134 MB", "2.0 GB", "128 GB"]


class TestThePlatform:
    def test_an_old_python(self) -> None:
        assert judge_python(LINUX).state is State.fine
        found = judge_python(replace(LINUX, python=(3, 9, 6)))
        assert (found.state, found.detail) == (State.problem, "3.9.6 is too old")
        assert "make PYTHON=" in found.remedy

    def test_rosetta_is_a_problem(self) -> None:
        assert judge_platform(MAC).state is State.fine
        found = judge_platform(replace(MAC, architecture="x86_64", translated=True))
        assert found.state is State.problem
        assert "Rosetta" in found.detail
        assert "/opt/homebrew" in found.remedy

    def test_an_unknown_system_is_a_note(self) -> None:
        assert judge_platform(LINUX).state is State.fine
        assert judge_platform(replace(LINUX, name="Windows")).state is State.note

    @pytest.mark.parametrize(
        ("change", "remedy"),
        [
            ({"quota": 2.0}, "--threads 2"),
            ({"quota": 0.5}, "--threads 1"),
            ({"threads": 9}, "--threads 4"),
            ({"threads": 9, "quota": 6.0}, "--threads 4"),
        ],
    )
    def test_more_threads_than_processors(self, change: dict[str, float], remedy: str) -> None:
        found = judge_cores(replace(CORES, **change))  # type: ignore[arg-type]
        assert (found.state, found.remedy) == (State.note, remedy)
        assert ("container" in found.detail) is ("quota" in change)

    @pytest.mark.parametrize("quota", [None, 4.0, 100.0])
    def test_enough_processors(self, quota: float | None) -> None:
        found = judge_cores(replace(CORES, quota=quota))
        assert (found.state, found.detail) == (State.fine, "A processor: 4 cores, 8 CPUs; decodes with 4")


class TestMemory:
    def test_enough(self) -> None:
        found = judge_memory(MEMORY, NEED)
        assert found.state is State.fine
        assert "5.1 GB needed: 2.0 GB by the model, 3.0 GB by 8192 KV cells" in found.detail
        assert judge_memory(Memory(None), NEED).state is State.fine
        assert judge_memory(MEMORY, None).detail == "16.0 GB, 12.0 GB of it available"

    def test_more_than_is_available_is_a_note(self) -> None:
        found = judge_memory(Memory(16 * GB, 4 * GB), NEED)
        cells = (4 * GB - NEED.weights - OWN_MEMORY) // NEED.cell_bytes
        assert found.state is State.note
        assert found.remedy == f"close programs (1.1 GB), or --kv-cells {cells}"

    @pytest.mark.parametrize(
        ("total", "remedy"),
        [
            (4 * GB, f"--kv-cells {(4 * GB - NEED.weights - OWN_MEMORY) // NEED.cell_bytes}"),
            (3 * GB, "--ctx 2368 --kv-cells 2368"),
            (2 * GB, "a model with fewer bits a weight"),
        ],
    )
    def test_more_than_there_is_is_a_problem_and_what_would_fit_is_said(self, total: int, remedy: str) -> None:
        found = judge_memory(Memory(total, total), NEED)
        assert found.state is State.problem
        assert found.remedy.startswith(remedy)

    def test_what_is_advised_fits(self) -> None:
        for total in range(GB, 6 * GB, GB // 7):
            found = judge_memory(Memory(total, total), NEED)
            if found.remedy.startswith("--"):
                numbers = found.remedy.split()[1::2]
                fewer = Need(NEED.weights, int(numbers[-1]), NEED.cell_bytes, min(NEED.ctx, int(numbers[0])))
                assert judge_memory(Memory(total, total), fewer).state is State.fine, total

    def test_a_context_that_does_not_fit_at_all(self) -> None:
        found = judge_memory(MEMORY, None, Trouble("--ctx 90000 needs 33 GiB", "give a smaller --ctx"))
        assert (found.state, found.remedy) == (State.problem, "give a smaller --ctx")


class TestModels:
    def test_the_one_that_is_taken_is_named(self) -> None:
        found = judge_models(MODELS)
        assert [one.state for one in found] == [State.fine] * 3
        assert found[0].detail == "duplex, 2.0 GB, 4096 tokens of context; run takes it"
        assert "for --chat-model" in found[1].detail
        assert "run takes it" not in found[2].detail

    def test_only_the_pocket_model(self) -> None:
        (found,) = judge_models(Models((POCKET,), POCKET))
        assert found.state is State.fine
        assert "make convert" in found.detail

    def test_none(self) -> None:
        found = judge_models(Models((CHAT,), None, folders=(Path("models"),)))
        assert [one.state for one in found] == [State.problem, State.fine]
        assert "make setup" in found[0].remedy
        assert "no duplex model in models" in found[0].detail

    def test_a_broken_file_is_a_note_and_a_problem_only_where_it_was_asked_for(self) -> None:
        broken = replace(REAL, trouble=Trouble("it is cut", "copy it again"))
        first, second = judge_models(Models((broken, POCKET), POCKET))
        assert (first.state, first.remedy, second.state) == (State.note, "copy it again", State.fine)
        (asked,) = judge_models(Models((broken,), broken, asked=True))
        assert asked.state is State.problem
        assert str(broken.path) in asked.what
        (silent,) = judge_models(Models((replace(broken, trouble=Trouble("odd")),), None, folders=(Path("m"),)))[1:]
        assert "edge-convert" in silent.remedy

    def test_a_plain_model_that_was_asked_for(self) -> None:
        (found,) = judge_models(Models((CHAT,), CHAT, asked=True))
        assert found.state is State.problem
        assert "--chat-model" in found.remedy


class TestPortsAndDisks:
    taken = replace(PORT, trouble=Trouble("Address already in use", "give another --port"), taken=True)

    def test_free(self) -> None:
        assert judge_port(PORT) == Finding("port 8765", State.fine, "free on localhost")
        assert judge_port(replace(PORT, number=0)).state is State.fine

    def test_our_own_server_is_a_note(self) -> None:
        found = judge_port(replace(self.taken, health=Health("pocket", "ok", 1)))
        assert found.state is State.note
        assert "edge-server has it: model pocket, 1 connection" in found.detail
        ended = judge_port(replace(self.taken, health=Health("pocket", "the model's thread has ended", 1)))
        assert ended.state is State.problem

    def test_somebody_elses_is_a_problem(self) -> None:
        found = judge_port(replace(self.taken, option="--chat-port", number=8766))
        assert found.state is State.problem
        assert "--chat-port" in found.remedy
        assert "lsof -i :8766" in found.remedy

    def test_a_port_that_may_not_be_had(self) -> None:
        found = judge_port(PortFound("--port", "localhost", 80, Trouble("Permission denied", "take a higher one")))
        assert (found.state, found.detail, found.remedy) == (State.problem, "Permission denied", "take a higher one")

    def test_disks(self) -> None:
        roomy, full = Disk(Path("/var/tmp"), 20 * GB, GB), Disk(Path("/var/tmp"), GB // 2, GB)  # noqa: S108
        assert judge_parking(roomy).state is State.fine
        assert judge_parking(full).remedy.startswith("free 500 MB")
        assert judge_converting(roomy, converted=False).state is State.fine
        assert judge_converting(full, converted=False).state is State.note
        assert judge_converting(full, converted=True).state is State.fine
        assert judge_parking(replace(full, free=None)).state is State.fine


class TestSpeed:
    def test_it_keeps_up(self) -> None:
        found = judge_speed(QUICK, SLICES, load=0.1, cores=4)
        assert found.state is State.fine
        assert found.detail.startswith("keeps up with slices of 2 s")

    def test_it_does_not(self) -> None:
        found = judge_speed(SLOW, SLICES, load=0.1, cores=4)
        assert found.state is State.problem
        assert "--slice-tokens 7" in found.remedy
        assert "--sessions 1" in found.remedy

    def test_with_short_contexts_only_it_is_a_note(self) -> None:
        speeds = Speeds(500, Line(0.1, 1e-4), Line(0.05, 5e-5))
        found = judge_speed(speeds, SLICES, load=None, cores=4)
        assert found.state is State.note
        assert "--ctx" in found.remedy

    def test_only_several_sessions_are_too_many(self) -> None:
        crowded = Speeds(500, Line(0.1, 0.0), Line(0.05, 0.0), {16: 0.1}, {1: 0.05, 2: 0.2})
        found = judge_speed(crowded, SLICES, load=0.1, cores=4)
        assert found.state is State.note
        assert "2 sessions" in found.detail
        assert found.remedy.startswith("--sessions 1")

    def test_a_busy_machine_is_to_be_asked_again(self) -> None:
        found = judge_speed(SLOW, SLICES, load=3.0, cores=4)
        assert (found.state, found.remedy[:35]) == (State.note, "run it again when nothing else runs")
        assert "load 3.0 on 4 cores" in found.detail
        assert judge_speed(QUICK, SLICES, load=3.0, cores=4).state is State.fine

    def test_where_nothing_could_be_measured(self) -> None:
        assert no_speed(Trouble("no context", "give less")).remedy == "give less"
        assert "--verbose" in no_speed(Trouble("no context")).remedy
