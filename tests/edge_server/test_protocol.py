"""Frames as the reference's clients send and read them, in both dialects."""

from __future__ import annotations

import pytest

from edge_server.events import Mode, ReplyEnd, Say, Silence, TooLong, UserText
from edge_server.protocol import TextCodec, end_sentences

DIALECTS = [TextCodec(upstream=upstream, ordinary_port=port) for upstream in (False, True) for port in (False, True)]


@pytest.mark.parametrize("codec", DIALECTS)
class TestWhatComesIn:
    def test_a_frame_is_a_slice_stripped(self, codec: TextCodec) -> None:
        assert codec.decode(" what is the \n") == UserText("what is the")

    def test_empty_frames_are_ignored(self, codec: TextCodec) -> None:
        assert codec.decode("") is None
        assert codec.decode(" \n\t ") is None

    def test_idle_is_a_silent_slice(self, codec: TextCodec) -> None:
        assert codec.decode("<idle>") == Silence()
        assert codec.decode(" <idle> ") == Silence()
        assert codec.decode("well <idle>") == UserText("well <idle>")


@pytest.mark.parametrize("upstream", [False, True])
def test_a_new_session_starts_in_the_mode_that_was_asked_for(upstream: bool) -> None:
    codec = TextCodec(upstream=upstream)
    assert codec.first_mode is Mode.DUPLEX
    assert codec.decode("<!new_ordinary_session!>") is Mode.ORDINARY
    assert codec.decode("<!new_session!>") is Mode.DUPLEX


def test_port_8766_is_ordinary_whatever_is_asked_for() -> None:
    codec = TextCodec(ordinary_port=True)
    assert codec.first_mode is Mode.ORDINARY
    assert codec.decode("<!new_session!>") is Mode.ORDINARY


@pytest.mark.parametrize("codec", DIALECTS)
def test_too_long_is_told(codec: TextCodec) -> None:
    assert codec.encode(TooLong()) == ["<!too_long!>"]


def test_upstream_every_period_becomes_a_newline() -> None:
    assert TextCodec(upstream=True).encode(Say("It is 3.5. Yes")) == ["It is 3\n5\n Yes"]


def test_upstream_a_period_stays_on_8766() -> None:
    assert TextCodec(upstream=True, ordinary_port=True).encode(Say("It is 3.5.")) == ["It is 3.5."]


@pytest.mark.parametrize("upstream", [False, True])
def test_8766_sends_pieces_and_ends_the_reply(upstream: bool) -> None:
    codec = TextCodec(upstream=upstream, ordinary_port=True)
    frames = [frame for output in (Say("One."), Say(" Two."), ReplyEnd()) for frame in codec.encode(output)]
    assert frames == ["One.", " Two.", "<!end!>"]


def test_a_reply_keeps_its_leading_space() -> None:
    assert TextCodec().encode(Say(" and then")) == [" and then"]


def test_ordinary_mode_on_8765_is_one_frame_a_reply_and_no_end() -> None:
    codec = TextCodec()
    codec.decode("<!new_ordinary_session!>")
    assert codec.encode(Say("One.")) == []
    assert codec.encode(Say(" Two.")) == []
    assert codec.encode(ReplyEnd()) == ["One. Two."]
    assert codec.encode(ReplyEnd()) == []


def test_a_new_session_forgets_a_reply_that_was_not_sent() -> None:
    codec = TextCodec()
    codec.decode("<!new_ordinary_session!>")
    codec.encode(Say("One."))
    codec.decode("<!new_ordinary_session!>")
    assert codec.encode(ReplyEnd()) == []


@pytest.mark.parametrize("port", [False, True])
@pytest.mark.parametrize("words", ["<!end!>", " <!too_long!> ", "<!slice!>3", " <!slice!>"])
def test_the_models_words_are_never_taken_for_the_servers(words: str, port: bool) -> None:
    (frame,) = TextCodec(ordinary_port=port).encode(Say(words))
    assert frame.strip() not in ("<!end!>", "<!too_long!>")
    assert not frame.strip().startswith("<!slice!>")


@pytest.mark.parametrize("words", [("<!too_", "long!>"), ("<!sli", "ce!>", "3")])
def test_nor_are_words_that_become_so_in_a_whole_reply(words: tuple[str, ...]) -> None:
    codec = TextCodec()
    codec.decode("<!new_ordinary_session!>")
    for piece in words:
        codec.encode(Say(piece))
    (frame,) = codec.encode(ReplyEnd())
    assert frame.startswith("< !")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("It is Paris.", "It is Paris.\n"),
        ("It is Paris. And", "It is Paris.\nAnd"),
        ("Really?! Yes", "Really?!\nYes"),
        ('He said "no." Then', 'He said "no."\nThen'),
        ("It is 3.5 metres", "It is 3.5 metres"),
        ("好的。再见", "好的。\n再见"),
        ("wait for it", "wait for it"),
        ("", ""),
    ],
)
def test_a_sentences_end_is_followed_by_a_newline(text: str, lines: str) -> None:
    assert end_sentences(text) == lines
    assert TextCodec().encode(Say(text)) == [lines]
