"""Messages that are heard piece by piece: how they go on, and where they are over. Pure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clients.eval_matching import squeeze
from clients.eval_message import Message, end_of, goes_on, says_again, still_said
from tests.clients.scenes import FOX, PARIS

WORDS = FOX.split(" ")


def pieces(cuts: set[int]) -> list[str]:
    """The fox's story in slices of whole words."""
    ends = sorted({*cuts, len(WORDS)})
    return [" " + " ".join(WORDS[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


CUTS = st.sets(st.integers(1, len(WORDS) - 1))


@given(CUTS, st.lists(st.sampled_from(["", " And more."]), max_size=3))
def test_a_known_message_is_over_with_its_last_word_whatever_comes_then(cuts: set[int], then: list[str]) -> None:
    said = pieces(cuts)
    assert end_of(Message((PARIS, FOX)), [*said, *then]) == len(said) - 1
    assert end_of(Message((FOX,)), [*said[:-1], ""]) is None


@given(CUTS)
def test_an_unknown_message_is_over_with_the_first_silent_slice(cuts: set[int]) -> None:
    said = pieces(cuts)
    for message in (Message(), Message((PARIS,))):
        assert end_of(message, [*said, "", "more", ""]) == len(said)
        assert end_of(message, said) is None
    assert end_of(Message(), ["", "", *said]) is None, "it has not begun"


def test_of_two_texts_the_longer_one_may_be_said() -> None:
    both = Message(("Yes.", "Yes. It is."))
    assert end_of(both, ["Yes.", "", ""]) == 0
    assert end_of(both, ["Yes.", " It is.", ""]) == 1
    assert end_of(both, ["Yes.", " No.", ""]) == 0


@given(CUTS, st.data())
def test_while_it_is_said_it_goes_on_and_is_still_said(cuts: set[int], data: st.DataObject) -> None:
    said = pieces(cuts)
    at = data.draw(st.integers(0, len(said) - 1))
    message = Message((FOX,), "".join(said[:at]))
    assert goes_on(message, said[at:])
    assert goes_on(message, [*said[at:], "", "anything"])
    assert still_said(message, [*said[at:], PARIS]) == len(said) - at
    assert still_said(message, [PARIS, *said[at:]]) == 0
    assert not goes_on(message, ["", *said[at:]])
    further = message.going_on("Where was I? " + "".join(said[at:]))
    assert further is not None
    assert further.whole
    assert squeeze(further.heard) == squeeze(FOX)
    assert not says_again(message, "".join(said[at:]))


def test_words_heard_before_are_said_again() -> None:
    message = Message((FOX,), " ".join(WORDS[:12]))
    assert says_again(message, " ".join(WORDS[2:8]))
    assert not says_again(message, " ".join(WORDS[12:]))
