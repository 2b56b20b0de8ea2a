"""The benchmark's view of the server: metrics. (The rest runs in test_rows.)"""

from __future__ import annotations

import pytest

from benchmarks.edge import read_metrics

PAGE = """\
# HELP edge_rollbacks_total Requests that took cached tokens back.
# TYPE edge_rollbacks_total counter
edge_rollbacks_total 3.0
edge_tokens_prefilled_total{model="a"} 10
edge_tokens_prefilled_total{model="b"} 5
edge_rollback_seconds_bucket{le="0.1"} 3
edge_rollback_seconds_sum 0.00012
edge_parked 2
python_gc_objects_collected_total 7
"""


def test_counters_lose_prefix_suffix_and_labels() -> None:
    assert read_metrics(PAGE) == {
        "rollbacks": 3.0,
        "tokens_prefilled": 15.0,
        "rollback_seconds": pytest.approx(0.00012),
        "parked": 2.0,
    }


def test_a_page_without_our_metrics_gives_none() -> None:
    assert read_metrics("Not Found") == {}
