"""Which words of a transcript went out, which wait, and what is left of them where something is taken back."""

from __future__ import annotations

import pytest

from edge_server.delivery import Delivery
from edge_server.transcript import Transcript
from tests.edge_server.peers import BOS, EOS, IDLE, VOCABULARY

EMOJI = VOCABULARY.tokenize("😀", parse_special=False)


def words(text: str) -> list[int]:
    return VOCABULARY.tokenize(text, parse_special=False)


class Talk:
    """A transcript whose pairs are opened and filled by hand; the user's half is one token."""

    def __init__(self) -> None:
        self.transcript = Transcript(BOS, 1000, None)
        self.delivery = Delivery(VOCABULARY, self.transcript, [IDLE])

    def open(self, *, silent: bool, turn: int = 1) -> None:
        assert self.transcript.append([words("a")[0]], silent=silent, turn=turn)

    def say(self, tokens: list[int], following: int | None = None, *, more: bool = True) -> str:
        self.transcript.extend(tokens)
        return self.delivery.say(tokens, following, more=more)

    def slice(self, text: str, following: str | None = None, *, silent: bool = False, turn: int = 1) -> str:
        self.open(silent=silent, turn=turn)
        said = self.say(words(text), None if following is None else words(following)[0])
        self.delivery.close()
        return said

    @property
    def replies(self) -> list[str]:
        """What stands in each pair behind the user's half, control tokens by name."""
        return [VOCABULARY.text(self.transcript.written(pair).reply) for pair in self.transcript.pairs]

    @property
    def counts(self) -> list[tuple[int, int]]:
        """The words of each pair, and those of them that went out."""
        return [(pair.words, pair.delivered) for pair in self.transcript.pairs]


def test_what_goes_out_is_counted() -> None:
    talk = Talk()
    assert talk.slice(" one two") == " one two"
    assert talk.counts == [(2, 2)]
    assert not talk.delivery.waits


def test_what_waits_goes_out_with_what_follows() -> None:
    talk = Talk()
    assert talk.slice(" one wor", following="ld") == " one"
    assert talk.delivery.waits
    assert talk.counts == [(2, 1)]
    assert talk.slice("ld two", silent=True) == " world two"
    assert talk.counts == [(2, 2), (2, 2)]


def test_nothing_waits_where_there_is_no_more_to_say() -> None:
    talk = Talk()
    talk.open(silent=False)
    assert talk.say([*words(" one"), *EMOJI[:2]], words("a")[0], more=False) == " one"
    assert not talk.delivery.waits
    assert talk.counts == [(3, 3)]


def test_a_character_waits_token_by_token() -> None:
    talk = Talk()
    talk.open(silent=False)
    assert [talk.say([token]) for token in EMOJI] == ["", "", "", "😀"]
    assert talk.counts == [(4, 4)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_a_character_that_is_not_whole_no_token_went_out(count: int) -> None:
    talk = Talk()
    talk.open(silent=False)
    talk.say(words(" one"))
    for token in EMOJI[:count]:
        talk.say([token])
    assert talk.counts == [(1 + count, 1)]
    talk.delivery.take_back(0)
    assert talk.replies == [" one</s>"]


def test_a_character_of_four_slices_leaves_all_of_them() -> None:
    talk = Talk()
    talk.slice(" one")
    for token in EMOJI[:3]:
        talk.open(silent=True)
        talk.say([token])
        talk.delivery.close()
    assert talk.counts == [(1, 1), (1, 0), (1, 0), (1, 0)]
    talk.delivery.take_back(0)
    assert talk.replies == [" one</s>"]


def test_the_words_of_a_slice_are_read_with_the_character_that_waits_for_them() -> None:
    talk = Talk()
    talk.open(silent=False)
    talk.say([*words(" one"), *EMOJI[:2]])
    assert talk.delivery.reply(EMOJI[2:]) == "😀"
    assert talk.delivery.reply(EMOJI[2:3]) == ""
    assert talk.delivery.text(EMOJI[2:]) == ""


def test_a_word_that_waits_is_not_read_with_them() -> None:
    talk = Talk()
    talk.slice(" one wor", following="ld")
    assert talk.delivery.reply(words("ld")) == "ld"


def test_a_pair_is_closed_once() -> None:
    talk = Talk()
    talk.slice(" one")
    talk.delivery.close()
    assert talk.replies == [" one</s>"]


def test_a_pair_that_is_cut_to_nothing_is_a_silent_reply_or_leaves() -> None:
    talk = Talk()
    talk.slice(" one")
    talk.slice(" two", silent=True)
    talk.delivery.cut(0)
    assert talk.replies == [" one</s>"]
    talk.delivery.cut(0)
    assert talk.replies == ["<idle></s>"]
    assert talk.counts == [(0, 0)]


def test_unheard_characters_leave_from_the_newest_turn_only() -> None:
    talk = Talk()
    talk.slice(" one", turn=1)
    talk.slice(" one two", turn=2)
    talk.slice(" three", silent=True, turn=2)
    talk.delivery.take_back(len(" two three") - 1)
    assert talk.replies == [" one</s>", " one</s>"]
    talk.delivery.take_back(99)
    assert talk.replies == [" one</s>", "<idle></s>"]


def test_what_waits_leaves_first_and_does_not_count() -> None:
    talk = Talk()
    talk.slice(" one two wor", following="ld")
    talk.delivery.take_back(1)
    assert talk.replies == [" one</s>"]
    assert not talk.delivery.waits


def test_there_may_be_nothing_to_take_back() -> None:
    talk = Talk()
    talk.delivery.take_back(3)
    assert talk.transcript.tokens == [BOS]
    assert talk.delivery.say([], more=False) == ""


def test_a_reply_that_its_model_closed_is_closed_once() -> None:
    talk = Talk()
    talk.open(silent=False)
    talk.transcript.extend([*words(" one"), EOS])
    talk.delivery.close()
    assert talk.replies == [" one</s>"]
