"""llama.cpp's messages become whole lines of Python's logging."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from edge_server.llama_log import LogLines, logger

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBUG, INFO, WARNING, ERROR, CONT = 1, 2, 3, 4, 5


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """The level that the logger has during a test is the test's own."""
    before = logger.level
    yield
    logger.setLevel(before)


def test_fragments_become_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger.name)
    lines = LogLines()
    for level, text in [(INFO, b"loading"), (CONT, b"."), (CONT, b"."), (CONT, b" done\n"), (DEBUG, b"next\n")]:
        lines.receive(level, text)
    assert caplog.record_tuples == [
        (logger.name, logging.INFO, "loading.. done"),
        (logger.name, logging.DEBUG, "next"),
    ]


def test_a_line_without_an_end_is_ended_by_the_next(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger.name)
    lines = LogLines()
    lines.receive(WARNING, b"no newline")
    lines.receive(INFO, b"another\n")
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.WARNING, "no newline"),
        (logging.INFO, "another"),
    ]


def test_bytes_that_are_no_text_do_not_stop_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger.name)
    LogLines().receive(INFO, b"a \xff name\n")
    assert caplog.messages == ["a \N{REPLACEMENT CHARACTER} name"]


def test_the_log_is_quiet_unless_it_was_given_a_level(caplog: pytest.LogCaptureFixture) -> None:
    logger.setLevel(logging.NOTSET)
    LogLines().receive(ERROR, b"something\n")
    assert caplog.messages == []
    logger.setLevel(logging.WARNING)
    LogLines().receive(ERROR, b"something\n")
    assert caplog.messages == ["something"]


def test_the_reason_is_the_first_error_without_the_functions_name() -> None:
    lines = LogLines()
    lines.receive(ERROR, b"old: left from another call\n")
    lines.forget_errors()
    assert lines.reason() == "llama.cpp gave no reason"
    lines.receive(INFO, b"load: all is well\n")
    lines.receive(ERROR, b"load: the exact reason: a bad key\n")
    lines.receive(ERROR, b"load_all: failed to load\n")
    assert lines.reason() == "the exact reason: a bad key"


def test_a_reason_that_names_no_function_stays_whole() -> None:
    lines = LogLines()
    lines.receive(ERROR, b"out of memory: 3 GiB wanted\n")
    assert lines.reason() == "out of memory: 3 GiB wanted"
