"""The shipped general transcripts: whole conversations in two languages, in slices as a duplex model makes them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from convert.quality_corpus import find_corpus, measured_half, other_half, read_corpus

CORPUS = find_corpus("duplex")


@pytest.fixture(scope="module")
def conversations() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(CORPUS).read_text("utf-8").splitlines()]


def test_both_halves_speak_both_languages_alike(conversations: list[dict[str, Any]]) -> None:
    read = read_corpus(CORPUS)
    assert len(read) == len(conversations) == 60
    for half in (measured_half(read), other_half(read)):
        languages = Counter(conversations[one.line - 1]["language"] for one in half)
        assert languages == {"en": 15, "zh": 15}


def test_no_pair_is_silent_on_both_sides_but_the_last(conversations: list[dict[str, Any]]) -> None:
    for conversation in conversations:
        assert [None, None] not in conversation["pairs"][:-1]


def test_every_conversation_is_begun_by_the_user_and_ends_in_silence(conversations: list[dict[str, Any]]) -> None:
    for conversation in conversations:
        pairs = conversation["pairs"]
        assert 8 <= len(pairs) <= 20
        assert pairs[0][0]
        assert pairs[-1][1] is None


def test_a_reply_that_goes_on_brings_its_space_and_a_new_one_has_none(conversations: list[dict[str, Any]]) -> None:
    for conversation in conversations:
        if conversation["language"] != "en":
            continue
        before = None
        for user, reply in conversation["pairs"]:
            if reply is not None and before is None:
                assert not reply.startswith(" "), reply
            if reply is not None and before is not None and user is None:
                assert reply.startswith(" "), reply
            before = reply


def test_slices_are_short_and_unlike_each_other(conversations: list[dict[str, Any]]) -> None:
    for conversation in conversations:
        for user, reply in conversation["pairs"]:
            longest = 24 if conversation["language"] == "zh" else 60
            assert len(user or "") <= 32, user
            assert len(reply or "") <= 60, reply
            if reply and not any("a" <= one <= "z" for one in reply):
                assert len(reply) <= longest, reply
    replies = Counter(reply for one in conversations for _, reply in one["pairs"] if reply)
    assert max(replies.values()) <= 3
