"""What the transcript promises, in tokens."""

from __future__ import annotations

import pytest

from edge_server.transcript import CUT_PAIRS, Pair, Transcript

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


def test_a_pair_can_be_copied_with_its_tokens() -> None:
    transcript = filled([3, 4])
    written = [transcript.written(pair) for pair in transcript.pairs]
    assert [(one.user, one.reply) for one in written] == [([10, 11], [12]), ([13, 14, 15], [16])]
    written[0].pair.words = 9
    assert transcript.pairs[0].words == 0


def test_a_transcript_that_is_rewritten_consists_of_its_head_and_the_newest_pairs_that_fit() -> None:
    transcript = filled([3, 4, 5], room=13)
    first, second, third = (transcript.written(pair) for pair in transcript.pairs)
    transcript.rewrite([BOS, 90], [third, first])
    assert transcript.tokens == [BOS, 90, *range(17, 22), 10, 11, 12]
    assert [(pair.start, pair.reply) for pair in transcript.pairs] == [(2, 6), (7, 9)]
    transcript.rewrite([BOS, 90, 91], [first, second, third])
    assert transcript.tokens == [BOS, 90, 91, *range(13, 22)]
    transcript.rewrite([BOS], [])
    assert (transcript.tokens, transcript.pairs) == ([BOS], [])


def test_a_list_that_is_no_longer_than_before_fits_though_it_is_longer_than_the_room() -> None:
    transcript = filled([8], room=9)
    transcript.extend([50, 51])
    transcript.rewrite([BOS], [transcript.written(transcript.last)])
    assert transcript.tokens == [BOS, *range(10, 18), 50, 51]


def test_the_head_is_never_forgotten() -> None:
    transcript = filled([4, 5], room=14)
    transcript.rewrite([BOS, 90, 91], [transcript.written(pair) for pair in transcript.pairs])
    assert transcript.append([50, 51, 52], silent=False, turn=0)
    assert ranges(transcript) == [(3, 7)]
    assert transcript.tokens == [BOS, 90, 91, *range(14, 19), 50, 51, 52]
    before = list(transcript.tokens)
    assert not transcript.append([60] * 12, silent=False, turn=0)
    assert transcript.tokens == before
    assert transcript.append([60] * 11, silent=False, turn=0)


def test_the_markers_of_the_newest_pairs_end_where_they_agree_with_the_marker() -> None:
    transcript = filled([4, 4])
    assert transcript.marker_ends([10, 11], []) == (3, 5)
    assert transcript.marker_ends([14, 99], [14, 99, 7]) == (1, 6, 11)
    assert transcript.marker_ends([10, 11], [10]) == (3, 5, 10)


def test_so_many_ends_as_slices_may_wait() -> None:
    transcript = filled([2] * 30)
    ends = transcript.marker_ends([99], [99])
    assert len(ends) == CUT_PAIRS
    assert ends[-1] == len(transcript.tokens) + 1
