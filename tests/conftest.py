"""Fixtures that several test files share."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path


# What a shell starts in the background ignores Ctrl-C, and hands that down to the commands whose Ctrl-C is tested here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Timing never decides a test, also not where the machine is busy.
settings.register_profile("patient", deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random duplex model, written once a test run."""
    from tests.tiny import write_tiny_gguf  # imports llama.cpp: only for the tests that ask for it

    return write_tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
