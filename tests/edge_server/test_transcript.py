"""What the transcript promises, in tokens."""

from __future__ import annotations

import pytest

from edge_server.transcript import Pair, Transcript

BOS = 1


def ranges(transcript: Transcript) -> list[tuple[int, int]]:
    return [(forgotten.start, forgotten.stop) for forgotten in transcript.take_forgotten()]


def filled(lengths: list[int], room: int = 1000, forget_at_least: int | None = 1) -> Transcript:
    """A transcript with a pair of each length, the reply being the pair's last token; tokens count up from 10."""
    transcript = Transcript(BOS, room, forget_at_least)
    token = 10
    for length in lengths:
        assert transcript.append(list(range(token, token + length - 1)), silent=False, turn=0)
        transcript.extend([token + length - 1])
        token += length
    return transcript


def test_it_begins_with_bos() -> None:
    assert Transcript(BOS, 10, None).tokens == [BOS]


def test_a_pair_knows_where_it_and_its_reply_lie() -> None:
    transcript = filled([3])
    transcript.append([20, 21], silent=True, turn=0)
    transcript.extend([22, 23, 24])
    assert transcript.tokens == [BOS, 10, 11, 12, 20, 21, 22, 23, 24]
    assert transcript.last == Pair(start=4, reply=6, silent_user=True)
    transcript.last.words, transcript.last.delivered = 3, 2
    assert transcript.delivered(transcript.last) == [22, 23]


def test_a_cut_reply_keeps_what_was_delivered() -> None:
    transcript = filled([3])
    transcript.extend([20, 21])
    transcript.cut_reply(2)
    assert transcript.tokens == [BOS, 10, 11, 12, 20]
    assert (transcript.last.words, transcript.last.delivered) == (2, 2)


def test_the_newest_pair_can_be_taken_out() -> None:
    transcript = filled([3, 4])
    transcript.drop_last()
    assert transcript.tokens == [BOS, 10, 11, 12]
    assert len(transcript.pairs) == 1


def test_nothing_is_forgotten_as_long_as_it_fits() -> None:
    transcript = filled([4, 4], room=12)
    assert transcript.append([50, 51, 52], silent=False, turn=0)
    assert transcript.take_forgotten() == ()
    assert len(transcript.tokens) == 12


def test_the_oldest_pairs_are_forgotten_whole_and_the_others_move_up() -> None:
    transcript = filled([4, 5, 6], room=16)
    assert transcript.append([50], silent=False, turn=0)
    assert ranges(transcript) == [(1, 5)]
    assert transcript.tokens == [BOS, *range(14, 25), 50]
    assert [(pair.start, pair.reply) for pair in transcript.pairs] == [(1, 5), (6, 11), (12, 13)]
    assert transcript.take_forgotten() == ()


@pytest.mark.parametrize(("at_least", "stop"), [(1, 5), (4, 5), (5, 10), (9, 10), (10, 16), (99, 16)])
def test_a_full_transcript_forgets_so_much_at_least_or_all(at_least: int, stop: int) -> None:
    transcript = filled([4, 5, 6], room=16, forget_at_least=at_least)
    assert transcript.append([50], silent=False, turn=0)
    assert ranges(transcript) == [(1, stop)]


def test_what_fits_nowhere_changes_nothing() -> None:
    transcript = filled([4, 5], room=16)
    before = list(transcript.tokens)
    assert not transcript.append([50] * 16, silent=False, turn=0)
    assert (transcript.tokens, transcript.take_forgotten()) == (before, ())
    assert transcript.append([50] * 15, silent=False, turn=0)
    assert transcript.tokens == [BOS, *[50] * 15]


def test_where_nothing_may_be_forgotten_what_does_not_fit_changes_nothing() -> None:
    transcript = filled([4, 5], room=12, forget_at_least=None)
    before = list(transcript.tokens)
    assert not transcript.append([50] * 3, silent=False, turn=0)
    assert transcript.tokens == before
    assert transcript.append([50] * 2, silent=False, turn=0)


def test_room_can_be_made_behind_a_pair_that_stays() -> None:
    transcript = filled([4, 5, 6], room=16)
    transcript.extend([50, 51])
    assert transcript.make_room(0, keep=1)
    assert transcript.tokens == [BOS, *range(14, 25), 50, 51]
    assert not transcript.make_room(8, keep=1)
    assert len(transcript.pairs) == 2
    assert transcript.make_room(7, keep=1)
    assert [pair.start for pair in transcript.pairs] == [1]


def test_what_is_forgotten_in_several_goes_is_told_in_order() -> None:
    transcript = filled([4, 5, 6], room=16)
    transcript.append([50], silent=False, turn=0)
    transcript.append([51] * 5, silent=False, turn=0)
    assert ranges(transcript) == [(1, 5), (1, 6)]
