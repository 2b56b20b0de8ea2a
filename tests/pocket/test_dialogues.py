"""What the generated conversations promise, to the model that learns from them and to the server that holds them."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from dialogues import Conversation, Pair, draw, plain, row, says_something_alone
from phrasings import ASIDES, BACK_CHANNELS, FOLLOW_UPS, GO_ON, LEADS, REQUESTS, RESETS, STOPS, TAILS
from pieces import PIECES
from slices import BOS, EOS, USER_MARK, DuplexTokenizer
from smalltalk import SMALL_TALK, UNKNOWN_TEMPLATES, UNKNOWN_TEMPLATES_HELD_OUT

from edge_server.conversation import Settings
from edge_server.events import Finish, Generate, Mode, Silence, SliceDone, UserText
from edge_server.session import DuplexSession

SEEDS = range(25)


@pytest.fixture(scope="module")
def tokenizer() -> DuplexTokenizer:
    return DuplexTokenizer()


@pytest.fixture(scope="module")
def conversations(tokenizer: DuplexTokenizer) -> list[Conversation]:
    return [draw(Random(seed), tokenizer, 250) for seed in SEEDS]


def _silent(pair: Pair) -> bool:
    return pair.said is None and pair.heard is None


def test_a_pair_silent_on_both_sides_stands_only_at_the_end(conversations: list[Conversation]) -> None:
    assert any(_silent(talk.pairs[-1]) for talk in conversations)
    for talk in conversations:
        assert not any(_silent(pair) for pair in talk.pairs[:-1])


def test_only_what_the_assistant_says_is_learned(conversations: list[Conversation], tokenizer: DuplexTokenizer) -> None:
    marker = tokenizer.encode(USER_MARK)
    for talk in conversations:
        learned = [t for t, target in zip(talk.tokens, talk.targets, strict=True) if target]
        replies = [(tokenizer.idle,) if pair.heard is None else pair.heard for pair in talk.pairs]
        assert learned == [token for reply in replies for token in (*reply, EOS)]
        assert not set(marker) & set(learned)


def test_user_slices_are_stripped_and_never_longer_than_a_line(conversations: list[Conversation]) -> None:
    for talk in conversations:
        for pair in talk.pairs:
            if pair.said is not None:
                assert pair.said == pair.said.strip() != ""
                assert len(pair.said.split()) <= 20


class _Words:
    """The tokenizer as a session sees it."""

    bos, eos = BOS, EOS

    def __init__(self, tokenizer: DuplexTokenizer) -> None:
        self._tokenizer = tokenizer
        self.idle = tokenizer.idle

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        assert not parse_special
        return list(self._tokenizer.encode(text))

    def piece(self, token: int, *, special: bool = False) -> bytes:
        return self._tokenizer.decode([token]).encode()


def test_the_servers_session_writes_the_same_tokens(tokenizer: DuplexTokenizer) -> None:
    """Every slice is one that the server would have asked the model for, on the very tokens that it was trained on."""
    for seed in SEEDS:
        talk = Conversation(Random(seed), tokenizer)
        while len(talk.tokens) < 300:
            talk.episode()
        session = DuplexSession(_Words(tokenizer), Settings("<用户>", "<AI>", ctx=4096), Mode.DUPLEX, seed=0)
        for pair in talk.pairs:
            actions = session.receive(Silence() if pair.said is None else UserText(pair.said))
            assert any(isinstance(action, Generate) for action in actions), pair
            reply = (tokenizer.idle,) if pair.heard is None else (*pair.heard, EOS)
            session.receive(SliceDone(reply, Finish.STOP))
        assert list(session.transcript) == talk.tokens


def test_rows_depend_on_seed_and_index_alone(tokenizer: DuplexTokenizer) -> None:
    first = row(7, 3, tokenizer)
    assert row(7, 3, tokenizer) == first
    assert row(7, 4, tokenizer) != first
    assert row(8, 3, tokenizer) != first
    tokens, targets = first
    assert len(tokens) == len(targets) == 1025
    assert tokens[0] == BOS


OPENINGS = ("", *LEADS, *ASIDES.trained, *RESETS.trained)
ENDINGS = ("", *TAILS)


def _can_be_trained(held_out: str, trained: set[str]) -> bool:
    """Whether training makes this phrasing of one of its own, with an opening or an ending that it uses."""
    text = f" {held_out} "
    bare = [text.removeprefix(f" {opening}") for opening in OPENINGS if text.startswith(f" {opening} ") or not opening]
    return any(rest.removesuffix(f"{ending} ").strip() in trained for rest in bare for ending in ENDINGS)


@pytest.mark.parametrize("kind", [*REQUESTS, "follow-ups"])
def test_no_held_out_request_is_trained(kind: str) -> None:
    phrasings = FOLLOW_UPS if kind == "follow-ups" else REQUESTS[kind]
    trained = {plain(template.replace("|", "")) for template in phrasings.trained}
    assert _can_be_trained(f"um {min(trained)} please", trained)
    assert phrasings.held_out
    for template in phrasings.held_out:
        assert not _can_be_trained(plain(template.replace("|", "")), trained)


def test_no_held_out_remark_is_trained(tokenizer: DuplexTokenizer) -> None:
    talk = Conversation(Random(1), tokenizer)
    for phrasings in (BACK_CHANNELS, STOPS):
        said = {plain(talk.say(phrasings)) for _ in range(1500)}
        assert len(said) >= len(phrasings.trained)
        assert not said & {plain(text) for text in phrasings.held_out}
    for small in SMALL_TALK:
        assert not set(small.trained) & set(small.held_out)
    assert not set(UNKNOWN_TEMPLATES) & set(UNKNOWN_TEMPLATES_HELD_OUT)


def test_a_request_is_never_cut_where_it_says_something_already() -> None:
    for complete in ("hello", "Hey, hello!", "tell me a story", "um tell me a story", "thank you", "stop"):
        assert says_something_alone(complete)
    for unfinished in ("tell me a", "what is the capital of", "hey what is", "so", "um"):
        assert not says_something_alone(unfinished)


def test_pieces_are_long_enough_to_be_interrupted() -> None:
    assert len(PIECES) >= 40
    assert len({piece.topic for piece in PIECES}) == len({piece.text[:20] for piece in PIECES}) == len(PIECES)
    for piece in PIECES:
        assert 60 <= len(piece.text.split()) <= 150


def test_go_on_goes_on_where_it_was_interrupted(tokenizer: DuplexTokenizer) -> None:
    """What follows "stop" and "go on" is the very next slice of the piece."""
    wanted = {plain(text) for text in GO_ON.trained}
    nexts = {part: later for piece in PIECES for part, later in pairwise(tokenizer.message(piece.text))}
    seen = 0
    for seed in range(150):
        talk = Conversation(Random(seed), tokenizer, practice=True)
        talk.long()
        for before, stopped, asked in zip(talk.pairs, talk.pairs[1:], talk.pairs[2:], strict=False):
            if stopped.heard is None and plain(asked.said or "") in wanted and before.heard in nexts:
                assert asked.heard == nexts[before.heard]
                seen += 1
    assert seen > 5
