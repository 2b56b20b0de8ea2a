"""Fixtures that several test files of the server share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.edge_server.stepping import CHUNK, Stepped, SteppedEngine
from tests.fakes import FakeContext


@pytest.fixture
def stepped() -> Iterator[Stepped]:
    """Makes engines without a thread, and closes them whatever becomes of the test."""
    engines: list[SteppedEngine] = []

    def start(**fields: Any) -> SteppedEngine:
        engines.append(SteppedEngine(FakeContext(**{"batch": CHUNK, **fields})))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()
