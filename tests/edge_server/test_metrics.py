"""What Prometheus reads, read as Prometheus does it."""

from __future__ import annotations

import asyncio
from dataclasses import fields

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_server.jobs import Counters
from edge_server.metrics import CONTENT_TYPE, HELP, exposition
from tests.edge_server.serving import hear, serving
from tests.edge_server.test_server import fetch

NAMES = [field.name for field in fields(Counters)]


def read(text: str) -> dict[tuple[str, str], float]:
    """Value by metric and engine."""
    return {
        (sample.name, sample.labels["engine"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_counter_has_a_help_line_and_nothing_else_has() -> None:
    assert list(HELP) == NAMES
    families = {family.name: family for family in text_string_to_metric_families(exposition({})().decode())}
    assert set(families) == {f"edge_{name}" for name in NAMES}
    for name in NAMES:
        assert families[f"edge_{name}"].type == "counter"
        assert families[f"edge_{name}"].documentation == HELP[name]


def test_each_model_has_its_own_values_as_they_are_when_they_are_read() -> None:
    now = {"a.gguf": Counters(tokens_prefilled=1, rollback_seconds=0.25), 'b"\\\n.gguf': Counters(parked=3)}
    text = exposition({name: lambda name=name: now[name] for name in now})  # type: ignore[misc]
    first = read(text().decode())
    assert first["edge_tokens_prefilled_total", "a.gguf"] == 1
    assert first["edge_rollback_seconds_total", "a.gguf"] == 0.25
    assert first["edge_parked_total", 'b"\\\n.gguf'] == 3
    assert len(first) == 2 * len(NAMES)
    now["a.gguf"] = Counters(tokens_prefilled=2**53)
    assert read(text().decode())["edge_tokens_prefilled_total", "a.gguf"] == 2**53


@pytest.mark.real
async def test_both_ports_tell_prometheus_what_the_engine_counts() -> None:
    async with serving() as served:
        async with served.connect() as client:
            await client.send("hello")
            await hear(client)
            await client.send("and more")
            await hear(client)
        for port in served.ports:
            status, kind, text = await asyncio.to_thread(fetch, f"http://127.0.0.1:{port.number}/metrics")
            assert (status, kind) == (200, CONTENT_TYPE)
            values = read(text)
            assert set(values) == {(f"edge_{name}_total", "parrot") for name in NAMES}
            assert values["edge_tokens_prefilled_total", "parrot"] >= len("hello") + len("and more")
            assert values["edge_tokens_decoded_twice_total", "parrot"] == 0
