"""What is said about measured speeds: whether the machine keeps up, what would help, which options to use."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server.tune_advice import (
    Line,
    Machine,
    Speeds,
    advice,
    best_ration,
    longest_context,
    most_tokens,
    option_line,
    sessions_that_fit,
    table,
    verdict,
)
from edge_server.tune_search import DECODE, READ, TICK, Setting, Step, Trial, Weights, axes

# The real shape on two cores: 0.066 s a token at 500 tokens of context, 0.024 ms more for each further one.
REAL = Speeds(
    500,
    Line(0.15, 2e-5),
    Line(0.054, 2.4e-5),
    beside={8: 0.2, 16: 0.35, 32: 0.6},
    together={1: 0.066, 2: 0.08, 4: 0.12},
)
MACHINE = Machine(2.0, 15, 4096, 4, size=1_800_000_000, parameters=2_725_000_000, file_type="15")
FAST = Speeds(
    500,
    Line(0.01, 0),
    Line(0.004, 1e-7),
    beside={8: 0.01, 16: 0.015, 32: 0.02, 64: 0.03},
    together={1: 0.004, 2: 0.005, 4: 0.006},
)


def test_a_fast_machine_keeps_up_and_needs_no_advice() -> None:
    fits, text = verdict(FAST, MACHINE)
    assert fits
    assert text.startswith("keeps up with slices of 2 s: one of 15 tokens takes 0.071 s at 500 tokens of context")
    assert advice(FAST, MACHINE) == []


def test_a_machine_that_keeps_up_with_short_contexts_only() -> None:
    fits, text = verdict(REAL, MACHINE)
    assert not fits
    assert text.startswith("keeps up only with short contexts")
    assert "1.15 s at 500 tokens of context, about 2.52 s at 4096" in text
    lines = "\n".join(advice(REAL, MACHINE))
    assert "edge-convert --quant q4_0" in lines
    assert "--slice-tokens 11" in lines
    assert "--ctx 2688" in lines
    assert "--sessions" in lines


def test_what_is_advised_does_fit() -> None:
    lines = "\n".join(advice(REAL, MACHINE))
    length = int(re.findall(r"--ctx (\d+)", lines)[0])
    tokens = int(re.findall(r"--slice-tokens (\d+)", lines)[0])
    assert verdict(REAL, replace(MACHINE, ctx=length))[0]
    assert not verdict(REAL, replace(MACHINE, ctx=length + 128))[0]
    assert verdict(REAL, replace(MACHINE, slice_tokens=tokens))[0]
    assert not verdict(REAL, replace(MACHINE, slice_tokens=tokens + 1))[0]


def test_a_machine_that_does_not_keep_up_at_all() -> None:
    slow = replace(REAL, tick=Line(0.5, 0), decode=Line(0.4, 0))
    fits, text = verdict(slow, MACHINE)
    assert not fits
    assert text.startswith("does not keep up with slices of 2 s")
    lines = "\n".join(advice(slow, MACHINE))
    assert "--slice-tokens 3" in lines
    assert "--ctx" not in lines  # no context is short enough
    slower = "\n".join(advice(replace(slow, tick=Line(3, 0)), MACHINE))
    assert "no number of --slice-tokens fits" in slower


@pytest.mark.parametrize(
    ("machine", "advised"),
    [
        (MACHINE, True),
        (replace(MACHINE, file_type="7", size=2_900_000_000), True),
        (replace(MACHINE, file_type="2"), False),  # it is one
        (replace(MACHINE, file_type="19"), False),  # two bits a weight
        (replace(MACHINE, has_gpu=True, on_gpu=True), False),  # a CPU's concern
        (replace(MACHINE, file_type="14", size=int(MACHINE.parameters * 4.6 / 8)), False),  # a Q4_K_S that is smaller
    ],
)
def test_q4_0_is_advised_where_it_has_fewer_bytes(machine: Machine, advised: bool) -> None:
    assert ("q4_0" in "\n".join(advice(REAL, machine))) == advised


def test_the_gain_of_q4_0_is_in_what_reads_weights_only() -> None:
    """Q8_0 has nearly twice the bytes, so a token's weights take nearly half the time; attention takes what it took."""
    machine = replace(MACHINE, file_type="7", size=int(2_725_000_000 * 9.4 / 8))
    line = next(line for line in advice(REAL, machine) if "q4_0" in line)
    told = re.search(r"at best ([\d.]+) s at 500, ([\d.]+) s at 4096", line)
    assert told
    assert float(told[1]) == pytest.approx(0.15 + 2e-5 * 500 + 15 * (0.027 + 2.4e-5 * 500), abs=0.01)
    assert float(told[2]) == pytest.approx(0.15 + 2e-5 * 4096 + 15 * (0.027 + 2.4e-5 * 4096), abs=0.01)


def test_an_idle_gpu_is_pointed_at() -> None:
    assert "--gpu-layers -1" in advice(REAL, replace(MACHINE, has_gpu=True))[0]


def test_sessions_that_do_not_fit_are_told_with_both_times() -> None:
    assert sessions_that_fit(REAL, MACHINE) == 2
    line = next(line for line in advice(REAL, MACHINE) if "--sessions" in line)
    assert line == "--sessions 2: 4 that speak at the same time take 2.44 s a slice, 2 1.52 s"
    assert not any("--sessions" in line for line in advice(REAL, replace(MACHINE, sessions=1)))


@pytest.mark.parametrize(("seconds", "ration"), [(0.2, 8), (4.0, 8), (6.0, 16), (100.0, 32)])
def test_the_ration_is_the_most_that_leaves_others_in_time(seconds: float, ration: int) -> None:
    assert best_ration(REAL, replace(MACHINE, slice_seconds=seconds)) == ration
    assert best_ration(replace(REAL, beside={}), MACHINE) is None


def test_where_one_length_was_measured_nothing_is_said_of_others() -> None:
    flat = replace(REAL, sloped=False)
    assert "4096" not in verdict(flat, MACHINE)[1]
    slow = replace(flat, decode=Line(1.0, 0))
    assert "4096" not in "\n".join(advice(slow, MACHINE))
    assert "--ctx" not in "\n".join(advice(slow, MACHINE))
    alone = replace(slow, beside={}, together={})  # the time was over before several sessions were measured
    assert not any("--sessions" in line for line in advice(alone, MACHINE))


@given(st.floats(1e-4, 1), st.floats(1e-4, 1), st.integers(1, 400), st.integers(401, 4000))
def test_a_line_goes_through_its_points_and_never_falls(near: float, far: float, start: int, stop: int) -> None:
    line = Line.through({start: near, stop: far})
    assert line.at(stop) == pytest.approx(far)
    assert line.at(start) == pytest.approx(near if near <= far else far)
    assert line.slope >= 0


@given(
    st.floats(0.001, 1),
    st.floats(0, 1e-3),
    st.floats(0.001, 1),
    st.floats(0, 1e-4),
    st.integers(1, 30),
    st.integers(64, 4096),
)
def test_the_limits_are_where_slices_begin_to_be_late(
    tick: float, tick_slope: float, decode: float, slope: float, tokens: int, ctx: int
) -> None:
    speeds = Speeds(500, Line(tick, tick_slope), Line(decode, slope), together={1: decode})
    machine = Machine(2.0, tokens, ctx, 1)
    length = longest_context(speeds, machine)
    slack = 1 + 1e-9
    assert length == 0 or speeds.slice(tokens, length) <= 2 * slack
    assert length == ctx or speeds.slice(tokens, length + 1) * slack >= 2
    most = most_tokens(speeds, 2.0, ctx)
    assert most == 0 or speeds.slice(most, ctx) <= 2 * slack
    assert speeds.slice(most + 1, ctx) * slack >= 2


def test_the_command_names_what_was_chosen() -> None:
    setting = Setting(threads=6, flash_attention="off", kv_type="f16", batch=128)
    assert option_line(setting, 32, ["--model", "my model.gguf"]) == (
        "edge-server run --model 'my model.gguf' --threads 6 --kv-type f16 "
        "--flash-attention off --batch 128 --ration 32"
    )
    assert "--ration" not in option_line(setting, None)


def test_the_table_has_a_row_for_each_setting_and_marks_the_chosen() -> None:
    threads, _, kv, batch = axes([1, 2])
    one, two = Setting(1), Setting(2)
    steps = [
        Step(
            threads,
            [
                Trial(two, [{TICK: 0.16, DECODE: 0.066, READ: 4.2}, {TICK: 0.18, DECODE: 0.066, READ: 4.0}]),
                Trial(one, [{TICK: 0.3, DECODE: 0.12, READ: 8.0}]),
            ],
            two,
        ),
        Step(kv, [Trial(two), Trial(replace(two, kv_type="q8_0"), note="no time left")], two),
        Step(batch, [Trial(two, [{READ: 4.1}])], two),
    ]
    lines = table(steps, REAL, Weights(15), 500)
    assert lines[0].split() == ["at", "500", "tokens", "of", "context", "tick", "token", "page", "of", "256", "slice"]
    assert lines[1].split() == ["*", "--threads", "2", "170", "66.0", "4,100", "1,160"]
    assert lines[2].split() == ["--threads", "1", "300", "120", "8,000", "2,100"]
    assert lines[4].split() == ["--kv-type", "q8_0", "no", "time", "left"]
    assert lines[5].split() == ["*", "--batch", "64", "4,100"]
    assert "token beside 16 of a page" in "\n".join(lines)
    assert "token of 4 sessions at once" in "\n".join(lines)
