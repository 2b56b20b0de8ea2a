"""The tables say what was measured, and whether a type is to be used."""

from __future__ import annotations

from typing import Any

from convert.ladder_report import tables
from tests.convert.ladders import ladder, row

BF16 = row("bf16", 16, kl=0)


def lines(*rows: dict[str, Any], **changes: Any) -> list[str]:
    return tables(ladder(*rows, **changes)).splitlines()


def test_a_row_has_its_figures() -> None:
    shown = lines(BF16, row("q4_0+imatrix", 5.2, kl=0.01))
    assert shown[0].startswith("parrot beside bf16: 4,000 tokens of the assistant in 1,000 slices of the pocket corpus")
    predictions, silence = (line for line in shown if line.startswith("| q4_0+imatrix"))
    cells = [cell.strip() for cell in predictions.strip("|").split("|")]
    assert cells == ["q4_0+imatrix", "5.2", "5.20", "1.5100", "0.01000", "0.0900", "98.75 % (98.4-99.1)"]
    cells = [cell.strip() for cell in silence.strip("|").split("|")]
    assert cells == ["q4_0+imatrix", "99.50 % (98.8-99.8)", "0.25 % (0.0-1.4)", "-", "-1.25 %", "2.00 %"]
    assert sum(line.startswith("| bf16") for line in shown) == 1  # its own silence is no news


def test_tables_are_aligned_markdown() -> None:
    for block in tables(ladder(BF16, row("q4_0+imatrix", 5))).split("\n\n"):
        table = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(line) for line in table}) <= 1
        assert len({line.count("|") for line in table}) <= 1


def test_speeds_come_with_their_ratio() -> None:
    speed = {"prefill_32": 1234.56, "decode": 20.0, "prefill_32_ratio": 2.0, "decode_ratio": 1.25}
    shown = lines({**BF16, "speed": speed}, row("q4_0", 5, speed=speed))
    single = [" ".join(line.split()) for line in shown]
    assert "| type | prefill 32 | decode |" in single
    assert "| q4_0 | 1,234.6 (2.00) | 20.0 (1.25) |" in single
    assert any("on Test, --threads 2" in line for line in shown)


def test_scores_have_a_column_for_each_type() -> None:
    scores = {
        "right_answers": {"rate": 0.975, "n": 40},
        "latency_ms": {"mean": 3.0},
        "termination": {"rate": None, "n": 0},
    }
    shown = lines({**BF16, "eval": scores}, row("q4_0", 5, eval={"right_answers": {"rate": 0.5, "n": 40}}), eval="tour")
    assert "scores of the tour scenarios, %" in shown
    assert "| score         | n (bf16) | bf16 | q4_0 |" in shown
    assert "| right answers |       40 | 97.5 | 50.0 |" in shown
    assert "| termination   |        0 |    - |    - |" in shown


def test_the_conclusion_names_the_type_and_what_others_lack() -> None:
    rows = [BF16, row("q4_0", 5), row("q2_k", 3, broken=["kl 0.2", "idle_agreement 0.9"])]
    assert lines(*rows, smallest="q4_0")[-2:] == [
        "the smallest type within kl <= 0.05: q4_0",
        "beyond them: q2_k (kl 0.2, idle_agreement 0.9)",
    ]
    assert lines(rows[2], smallest=None)[-2] == "no type stays within kl <= 0.05"


def test_notes_are_shown() -> None:
    assert "note: no eval: it is not there" in lines(BF16, notes=["no eval: it is not there"])
