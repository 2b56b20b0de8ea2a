"""What is made of the outcomes: figures over all and by group, the table, the JSON, the misses."""

from __future__ import annotations

import json
from typing import Any

from clients.eval_report import Report, as_json, as_table, dialogue, misses, report
from clients.eval_scenarios import ScenarioSet
from clients.eval_scores import LATENCIES, RATES
from tests.clients.scenes import PARIS, heard, judged, say, scene

END = ["", "", ""]
ASK = say("of france", "question", text=PARIS)
STEPS = (say("what is the capital", "unfinished"), ASK)
SCENES = (
    scene(*STEPS, id_="right", category="basic"),
    scene(*STEPS, id_="early", category="basic", language="zh"),
    scene(*STEPS, id_="wrong", category="reset"),
    scene(*STEPS, id_="never", category="reset"),
)
PLAYED = {
    "right": heard(SCENES[0], [""], [PARIS, *END]),
    "early": heard(SCENES[1], ["What?"], ["", PARIS, *END]),
    "wrong": heard(SCENES[2], [""], ["Lyon.", *END]),
}
SETTINGS: dict[str, Any] = {"set": "cities", "digest": "0f", "seed": 1, "clock": None, "patience": 3}


def made() -> Report:
    return report(ScenarioSet("cities", "some", SCENES), PLAYED, SETTINGS)


def test_the_json_has_every_metric_over_all_by_category_and_by_language() -> None:
    found = json.loads(json.dumps(as_json(made())))
    assert {key: found[key] for key in SETTINGS} == SETTINGS
    assert (found["scenarios"], found["ended_early"]) == (3, 0)
    groups = [found["metrics"], *found["by_category"].values(), *found["by_language"].values()]
    assert [list(group) for group in groups] == [[*RATES, *LATENCIES]] * 5
    assert list(found["by_category"]) == ["basic", "reset"]
    assert list(found["by_language"]) == ["en", "zh"]
    assert found["metrics"]["right_answers"] == {
        "rate": 0.666667, "k": 2, "n": 3, "low": 0.20766, "high": 0.938508, "skipped": 0,
    }  # fmt: skip
    assert found["by_language"]["zh"]["early_interruption"]["rate"] == 1
    assert found["by_category"]["reset"]["right_answers"]["k"] == 0
    none = {"rate": None, "k": 0, "n": 0, "low": None, "high": None, "skipped": 0}
    assert found["metrics"]["back_on_topic"] == none
    latency = found["metrics"]["response_latency_slices"]
    assert (latency["n"], latency["mean"], latency["p50"], latency["p95"]) == (3, 0.333333, 0, 0.9)
    assert latency["low"] <= latency["mean"] <= latency["high"]
    assert found["metrics"]["stop_latency_slices"] == {
        "mean": None, "p50": None, "p95": None, "n": 0, "low": None, "high": None,
    }  # fmt: skip


def test_the_same_scenarios_give_the_same_report() -> None:
    assert as_json(made()) == as_json(made())
    assert as_table(made()) == as_table(made())


def test_the_table_has_a_line_a_metric_and_a_dash_where_there_is_no_case() -> None:
    lines = as_table(made()).splitlines()
    assert lines[0] == "cities: 3 scenarios, seed 1"
    rows = {line[:23].strip(): line.split() for line in lines[4:]}
    assert list(rows) == [name.replace("_", " ") for name in (*RATES, *LATENCIES)]
    assert rows["right answers"][2:10] == ["more", "66.7", "%", "20.8", "-", "93.9", "3", "100.0"]
    assert rows["back on topic"][3:] == ["more", "-", "0", "-", "-", "-", "-"]
    assert all(len(line) <= len(lines[2]) for line in lines[3:])


def test_of_each_metric_the_first_misses_are_shown_with_their_dialogue() -> None:
    assert misses(made(), 0) == []
    lines = misses(made(), 5)
    assert [line for line in lines if line and line[0] not in " >"] == [
        "early_interruption: early, step 1", "right_answers: wrong, step 2",
    ]  # fmt: skip
    at = lines.index("right_answers: wrong, step 2")
    assert lines[at + 1 :] == [
        "  user       what is the capital",
        "> user       of france",
        "> assistant  Lyon.",
        *["> (silence)"] * 3,
    ]
    assert misses(made(), 1)[:2] == ["", "early_interruption: early, step 1"]


def test_a_dialogue_is_a_line_for_each_who_spoke() -> None:
    one = judged(SCENES[0], [""], ["The capital\n of France", ""])
    assert dialogue(one, 9) == [
        "  user       what is the capital", "  user       of france", "  assistant  The capital of France",
        "  (silence)",
    ]  # fmt: skip


def test_what_ended_early_is_said() -> None:
    played = {"right": heard(SCENES[0], [""], complete=False)}
    found = report(ScenarioSet("cities", "some", SCENES), played, SETTINGS)
    assert as_json(found)["ended_early"] == 1
    assert as_table(found).startswith("cities: 1 scenarios, seed 1; 1 ended early, because the context was full\n")
