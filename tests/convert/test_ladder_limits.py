"""Limits are read strictly, and the smallest type is the smallest that keeps all of them."""

from __future__ import annotations

import pytest

from convert.errors import InputError
from convert.ladder_limits import DEFAULT, FIGURES, broken, check_rates, figures, read_limits, smallest
from tests.convert.ladders import row


def test_limits_are_bounds_on_figures() -> None:
    at_least, at_most = read_limits(" idle_agreement>=0.99 ,kl <= 5e-2", evaluated=False)
    assert (str(at_least), str(at_most)) == ("idle_agreement >= 0.99", "kl <= 0.05")
    assert [at_least.holds(value) for value in (0.98, 0.99, 1)] == [False, True, True]
    assert [at_most.holds(value) for value in (0.04, 0.05, 0.06)] == [True, True, False]


def test_the_default_can_be_read() -> None:
    assert len(read_limits(DEFAULT, evaluated=False)) == 2


@pytest.mark.parametrize("text", ["", "kl", "kl<0.1", "kl<=", "kl<=x", "kl<=1e", "kl<=0.1,", "<=1", "kl==1"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^--limits: .* is no limit; write name<=number"):
        read_limits(text, evaluated=False)


def test_a_figure_that_will_not_be_there_is_refused_with_those_that_will() -> None:
    with pytest.raises(InputError, match="there is no figure right_answers") as refusal:
        read_limits("right_answers>=0.9", evaluated=False)
    assert all(name in str(refusal.value) for name in FIGURES)
    assert read_limits("right_answers>=0.9", evaluated=True)


def test_a_figure_that_the_eval_does_not_give_either_is_refused() -> None:
    rates = {"right_answers": {"rate": 0.5}, "termination": {"rate": None}, "latency": {"mean": 1.0}}
    check_rates(read_limits("kl<=1,right_answers>=0.9,termination>=0.9,decode>=1", evaluated=True), rates)
    for name in ("right_answer", "latency"):
        with pytest.raises(InputError, match=rf"no figure {name}; .*the eval's right_answers, termination$"):
            check_rates(read_limits(f"kl<=1,{name}>=0.9", evaluated=True), rates)


def test_every_figure_that_can_be_limited_is_one_of_a_row() -> None:
    speed = {f"{name}{end}": 1.0 for name in ("prefill_32", "prefill_512", "decode") for end in ("", "_ratio")}
    found = figures(row("q4_0", 4, speed=speed, eval={"right_answers": {"rate": 0.5}, "latency": {"mean": 1.0}}))
    assert found.keys() >= set(FIGURES) - {"false_silence"}  # which had no cases in this one
    assert found["right_answers"] == 0.5
    assert "latency" not in found


def test_what_is_beyond_a_limit_or_not_measured_is_named() -> None:
    limits = read_limits("idle_agreement>=0.99,kl<=0.05,decode>=10,false_silence<=0.1", evaluated=False)
    told = broken(limits, row("q2_k", 2, kl=0.2, idle=980))
    assert told == ["idle_agreement 0.98", "kl 0.2", "decode not measured", "false_silence not measured"]
    assert broken(limits[:2], row("q8_0", 8)) == []


def test_the_smallest_is_by_bytes_and_the_first_of_equals() -> None:
    limits = read_limits("kl<=0.05", evaluated=False)
    rows = [row("bf16", 16, kl=0), row("q4_k_m", 5), row("q4_k_m+imatrix", 5), row("q8_0", 8), row("q2_k", 3, kl=1)]
    assert smallest(limits, rows) == "q4_k_m"
    assert smallest(limits, rows[:1]) == "bf16"
    assert smallest(limits, rows[-1:]) is None
