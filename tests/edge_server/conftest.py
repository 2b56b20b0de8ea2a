"""Fixtures that several test files of the server share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_server.engine import Engine
from tests.edge_server.stepping import CHUNK, Stepped, SteppedEngine
from tests.edge_server.threaded import Gate
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


@pytest.fixture
def started() -> Iterator[Callable[[Any], Engine]]:
    """Starts engines with their threads, and closes them whatever becomes of the test."""
    engines: list[Engine] = []

    def start(context: Any) -> Engine:
        engine = Engine(context, chunk=CHUNK)
        engines.append(engine)
        engine.start()
        return engine

    yield start
    for engine in engines:
        if isinstance(engine._context, FakeContext) and isinstance(engine._context.on_decode, Gate):
            engine._context.on_decode.let_all_go()
        engine.close()


@pytest.fixture(scope="module")
def model(tiny_gguf: Path) -> Iterator[Any]:
    """A tiny random model."""
    from edge_server.llama import Model

    with Model.load(tiny_gguf, gpu_layers=0) as loaded:
        yield loaded


@pytest.fixture(params=["fake", pytest.param("llama", marks=pytest.mark.real)])
def context(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A context of 256 cells and 2 slots."""
    if request.param == "fake":
        yield FakeContext(cells=256, slots=2, batch=CHUNK)
    else:
        from edge_server.llama import Context, Model

        path: Path = request.getfixturevalue("tiny_gguf")
        with (
            Model.load(path, gpu_layers=0) as model,
            Context(model, cells=256, slots=2, batch=CHUNK, threads=1, kv_type="f32", flash_attention=False) as real,
        ):
            yield real
