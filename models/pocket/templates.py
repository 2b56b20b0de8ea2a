"""Fills templates in so that nothing is cut where it could end: what is a request, or anything else said, as a whole.

Knows all tables of what users say, and nothing of facts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import chinese_phrasings
import chinese_talk
import frames
import unknown
from asks import Ask, complete_shapes, fill
from frames import framed
from phrasings import FOLLOW_UPS, REQUESTS, SAYINGS
from smalltalk import SMALL_TALK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lists import Phrasings


def _templates() -> Iterator[str]:
    groups: list[Phrasings] = [FOLLOW_UPS, chinese_phrasings.FOLLOW_UPS]
    groups += [*REQUESTS.values(), *chinese_phrasings.REQUESTS.values()]
    for sayings in SAYINGS.values():
        groups += [sayings.stops, sayings.go_on, sayings.again, sayings.name_told, sayings.name_asked]
    for group in groups:
        yield from (*group.trained, *group.held_out)
    for talk in (*SMALL_TALK, *chinese_talk.SMALL_TALK):
        yield from (*talk.trained, *talk.held_out)
    for table in (unknown.TEMPLATES, unknown.STORY_TEMPLATES, unknown.STATEMENTS, chinese_talk.UNKNOWN_TEMPLATES):
        yield from table
    for table in (
        unknown.TEMPLATES_HELD_OUT,
        unknown.STORY_TEMPLATES_HELD_OUT,
        unknown.STATEMENTS_HELD_OUT,
        chinese_talk.UNKNOWN_TEMPLATES_HELD_OUT,
    ):
        yield from table
    # In Chinese whatever is asked may stand in any frame.
    for group in chinese_phrasings.REQUESTS.values():
        yield from framed(frames.CHINESE.trained + frames.CHINESE.held_out, group.trained + group.held_out)
    # With "and" before it, a country alone is a request.
    yield from ("{c}", "in {c}", "for {c}", "of {c}")
    # Somebody may leave it at that.
    yield from ("today is {x}", "it is {x} today", "today it is {x}", "{x}颜色", "{x}的颜色")


@lru_cache(maxsize=1)
def complete() -> frozenset[str]:
    """The shapes of everything that users say, whole."""
    return complete_shapes(_templates())


def request(kind: str, template: str, answer: str, fields: dict[str, str] | None = None, language: str = "en") -> Ask:
    """Fill a template in; it is cut neither after its ``|`` nor behind anything that somebody else says as a whole."""
    return fill(kind, template, answer, fields, language, complete())
