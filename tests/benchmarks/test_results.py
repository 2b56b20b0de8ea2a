"""RESULTS.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import Goal, Row
from benchmarks.results import write_results

FACTS = {
    "machine": "a machine",
    "system": "a system",
    "date": "2026-01-01 00:00 UTC",
    "command": "python -m benchmarks",
    "threads": 2,
    "read_gb_per_second": 60.0,
    "load": 0.1,
    "real_model": {"bytes": 1_802_645_504, "quant": "q4_k_m"},
}


def test_a_new_run_replaces_the_tables_and_keeps_the_notes(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    write_results(path, FACTS, [Row("old row", 1.0, "s", goal=Goal(2, "value"), model="real")])
    first = path.read_text("utf-8")
    assert "a machine" in first
    assert "Q4_K_M, 1.803 GB" in first
    assert first.endswith("\n## Notes\n")
    path.write_text(first + "\nA profile says why.\n", "utf-8")
    write_results(path, FACTS, [Row("new row", 1.0, "s", model="real"), Row("conversion", 2.0, "s")])
    second = path.read_text("utf-8")
    assert "new row" in second
    assert "old row" not in second
    assert second.endswith("\n## Notes\n\nA profile says why.\n")
    assert second.count("## ") == 3
