"""What the engines count, as Prometheus reads it: GET /metrics on either port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_server.jobs import Counters

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

HELP = {
    "tokens_prefilled": "Tokens of prompts that were decoded.",
    "tokens_decoded": "Sampled tokens that were decoded.",
    "tokens_reused": "Tokens of prompts that were found in the KV cache.",
    "tokens_decoded_twice": "Tokens that were decoded again after a rollback that need not have taken them.",
    "rollbacks": "Requests that took tokens back from the KV cache.",
    "rollback_seconds": "Time that taking back took.",
    "guesses": "Silent slices that were begun before they were asked for.",
    "guesses_used": "Those of them that were asked for.",
    "tokens_ahead": "Tokens that were sampled before they were asked for.",
    "parked": "Sessions that gave their KV cells to another.",
    "restored": "Sessions that got them back without prefill.",
}
"""Each counter of `jobs.Counters`, and what Prometheus is told of it."""


class _Engines(Collector):
    def __init__(self, engines: Mapping[str, Callable[[], Counters]]) -> None:
        self._engines = engines

    def collect(self) -> Iterable[Metric]:
        snapshots = {engine: counters() for engine, counters in self._engines.items()}
        for name, text in HELP.items():
            family = CounterMetricFamily(f"edge_{name}", text, labels=["engine"])
            for engine, counters in snapshots.items():
                family.add_metric([engine], getattr(counters, name))
            yield family


def exposition(engines: Mapping[str, Callable[[], Counters]]) -> Callable[[], bytes]:
    """A function that writes the counters of `engines`, by name, as they are when it is called."""
    registry = CollectorRegistry()
    registry.register(_Engines(engines))
    return lambda: bytes(generate_latest(registry))
