"""A conversation as a transcript, a line a slice."""

from __future__ import annotations

import io

from clients.chat import Slice, Speaker
from clients.transcript import Transcript


def printed(*slices: Slice, clock: float | None = None) -> tuple[str, str]:
    """What is on the two streams at the end."""
    out, notes = io.StringIO(), io.StringIO()
    transcript = Transcript(out=out, notes=notes, clock=None if clock is None else lambda: clock)
    for slice_ in slices:
        transcript.show(slice_)
    transcript.close()
    transcript.close()
    return out.getvalue(), notes.getvalue()


def assistant(text: str, *, continues: bool = False) -> Slice:
    return Slice(Speaker.ASSISTANT, text, continues=continues)


def test_each_slice_is_a_line() -> None:
    out, _ = printed(Slice(Speaker.YOU, "hello"), assistant(" I am\n here. "), assistant(" And you?"), clock=12.34)
    assert out == "  12.3  you        hello\n  12.3  assistant  I am here.\n  12.3  assistant  And you?\n"


def test_pieces_of_a_slice_are_one_line() -> None:
    out, _ = printed(
        assistant(" 2"),
        assistant(" plus ", continues=True),
        assistant(" 3", continues=True),
        assistant(".", continues=True),
    )
    assert out == "assistant  2 plus 3.\n"


def test_a_piece_behind_another_speaker_begins_a_line() -> None:
    out, _ = printed(assistant(" one"), Slice(Speaker.YOU, "(yeah)"), assistant(" two", continues=True))
    assert out == "assistant  one\nyou        (yeah)\nassistant  two\n"


def test_an_interruption_is_marked() -> None:
    out, _ = printed(assistant(" one "), Slice(Speaker.YOU, "stop", interrupts=True))
    assert out == "assistant  one —\nyou        stop\n"


def test_notes_go_elsewhere() -> None:
    assert printed(assistant(" one"), Slice(Speaker.NOTE, "Connected."), assistant(" two", continues=True)) == (
        "assistant  one two\n",
        "Connected.\n",
    )
