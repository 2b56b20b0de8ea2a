"""What the generated conversations promise, to the model that learns from them and to the server that holds them."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
import questions
from conversation import Conversation
from dialogues import Dialogue, Pair, draw, row
from junk import JUNK
from phrasings import FOLLOW_UPS, REQUESTS, SAYINGS
from pieces import PIECES
from references import REFERENCES
from slices import BOS, EOS, SHORTEST_OPEN_SLICE, USER_MARK, DuplexTokenizer
from smalltalk import SMALL_TALK
from speech import LANGUAGES, Style, plain, says_something_alone, slip

from edge_server.events import Finish, Generate, Mode, Silence, SliceDone, UserText
from edge_server.session import DuplexSession
from edge_server.settings import Settings

SEEDS = range(25)


@pytest.fixture(scope="module")
def tokenizer() -> DuplexTokenizer:
    return DuplexTokenizer()


@pytest.fixture(scope="module")
def conversations(tokenizer: DuplexTokenizer) -> list[Dialogue]:
    return [draw(Random(seed), tokenizer, 250) for seed in SEEDS]


def _silent(pair: Pair) -> bool:
    return pair.said is None and pair.heard is None


def test_a_pair_silent_on_both_sides_stands_only_at_the_end(conversations: list[Dialogue]) -> None:
    assert any(_silent(talk.pairs[-1]) for talk in conversations)
    for talk in conversations:
        assert not any(_silent(pair) for pair in talk.pairs[:-1])


def test_only_what_the_assistant_says_is_learned(conversations: list[Dialogue], tokenizer: DuplexTokenizer) -> None:
    marker = tokenizer.encode(USER_MARK)
    for talk in conversations:
        learned = [t for t, target in zip(talk.tokens, talk.targets, strict=True) if target]
        replies = [(tokenizer.idle, EOS) if pair.heard is None else (*pair.heard, EOS) for pair in talk.pairs]
        heard = [token for reply in replies for token in reply]
        assert not set(marker) & set(learned)
        # Only a silence that the server makes of a request that came too early is no example to follow.
        missing = (len(heard) - len(learned)) // 2
        assert len(learned) + 2 * missing == len(heard)
        assert missing < 10
        assert learned.count(EOS) == len(replies) - missing


def test_a_silence_that_only_happened_is_not_learned(tokenizer: DuplexTokenizer) -> None:
    talk = Conversation(Random(1), tokenizer)
    talk.pair("what is the capital of france", None, learned=False)
    assert not any(talk.targets)
    talk.pair("what is", None)
    assert sum(talk.targets) == 2


def test_user_slices_are_stripped_and_never_longer_than_a_line(conversations: list[Dialogue]) -> None:
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
        talk = Dialogue(Random(seed), tokenizer, languages=(("en",), ("zh",), LANGUAGES)[seed % 3])
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


ENGLISH = SAYINGS["en"]
OPENINGS = ("", *ENGLISH.leads, *ENGLISH.asides.trained, *ENGLISH.resets.trained)
ENDINGS = ("", *ENGLISH.tails)


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_held_out_remark_is_trained(tokenizer: DuplexTokenizer, language: str) -> None:
    talk = Conversation(Random(1), tokenizer, languages=(language,))
    for phrasings in (talk.sayings.back_channels, talk.sayings.stops, JUNK[language]):
        said = {plain(talk.say(phrasings)) for _ in range(12_000)}
        assert len(said) >= len({plain(text) for text in phrasings.trained})
        assert not said & {plain(text) for text in phrasings.held_out}
    for phrasings in REFERENCES[language].values():
        assert not {*map(plain, phrasings.trained)} & {*map(plain, phrasings.held_out)}
    for small in SMALL_TALK:
        assert not set(small.trained) & set(small.held_out)


def test_a_request_is_never_cut_where_it_says_something_already() -> None:
    for complete in ("hello", "Hey, hello!", "tell me a story", "um tell me a story", "thank you", "stop", "um"):
        assert says_something_alone(complete)
    for unfinished in ("tell me a", "what is the capital of", "hey what is", "so", "um so"):
        assert not says_something_alone(unfinished)


def test_pieces_are_long_enough_to_be_interrupted() -> None:
    assert len(PIECES) >= 40
    assert len({piece.topic for piece in PIECES}) == len({piece.text[:20] for piece in PIECES}) == len(PIECES)
    for piece in PIECES:
        assert 70 <= len(piece.text.split()) <= 90


def test_slips_keep_the_cuts_where_they_were() -> None:
    """Whatever is put in between or mistyped: a cut stands before the same word as without it, or before a filler."""
    parts = ["what", "is", "the", "capital", "of", "france"]
    seen = set()
    for seed in range(600):
        said, cuts = slip(Random(seed), list(parts), [1, 2, 3, 4, 5], "en")
        assert len(said) - len(parts) == len(cuts) - 5
        assert max(cuts) < len(said)
        seen.add(len(said))
    assert seen == {6, 7}


def test_whatever_is_cut_can_be_put_together_again(tokenizer: DuplexTokenizer) -> None:
    for seed in range(300):
        language = LANGUAGES[seed % 2]
        talk = Conversation(Random(seed), tokenizer, held_out=seed % 3 == 0, languages=(language,))
        text, cuts = talk.utterance(talk.draw_ask())
        assert questions.joined(talk.cut(text, cuts)) == text


def _nexts(tokenizer: DuplexTokenizer) -> dict[tuple[int, ...], tuple[int, ...]]:
    """What follows a slice of a piece."""
    told = [tokenizer.message(piece.text) for language in LANGUAGES for piece in questions.pieces(language)]
    return {part: later for slices in told for part, later in pairwise(slices)}


def test_go_on_goes_on_where_it_was_interrupted(tokenizer: DuplexTokenizer) -> None:
    """What follows "stop" and "go on" is the very next slice of the piece."""
    wanted = {plain(text) for language in LANGUAGES for text in SAYINGS[language].go_on.trained}
    nexts = _nexts(tokenizer)
    seen = 0
    for seed in range(300):
        talk = Dialogue(Random(seed), tokenizer, languages=(LANGUAGES[seed % 2],))
        talk._long()
        for before, stopped, asked in zip(talk.pairs, talk.pairs[1:], talk.pairs[2:], strict=False):
            if stopped.said and stopped.heard is None and plain(asked.said or "") in wanted and before.heard in nexts:
                assert asked.heard == nexts[before.heard]
                seen += 1
    assert seen > 20


def test_after_an_aside_the_piece_is_gone_on_with_and_after_a_question_it_is_not(tokenizer: DuplexTokenizer) -> None:
    nexts = _nexts(tokenizer)
    resumes = {tokenizer.message(questions.resume(language))[0] for language in LANGUAGES}
    assert all(len(resume) >= SHORTEST_OPEN_SLICE for resume in resumes), "else the server would not go on"
    firsts = nexts.keys() - nexts.values()
    back = 0
    for seed in range(300):
        talk = Dialogue(Random(seed), tokenizer, languages=(LANGUAGES[seed % 2],))
        talk._long()
        told = [pair.heard for pair in talk.pairs if pair.heard]
        for resume, following in pairwise(told):
            if resume in resumes:
                assert following not in firsts
                back += following in nexts.values()
    assert back > 30


def test_a_reference_is_answered_about_the_country_that_was_talked_about(tokenizer: DuplexTokenizer) -> None:
    for seed in range(100):
        talk = Conversation(Random(seed), tokenizer, languages=(LANGUAGES[seed % 2],))
        country = talk.rng.choice(questions.countries(talk.language))
        talk.answer(talk.country_ask("capital", country))
        assert talk.about is not None
        talk.pair("uh-huh", None)
        ask = talk.other_relation(country, "capital")
        assert ask.answer in {
            questions.country_answer(relation, country, talk.language)
            for relation in ("continent", "currency", "language")
        }
        assert country.name not in ask.text
        talk.answer(ask)
        assert talk.about.country is country


def test_a_name_is_known_once_it_was_told_and_the_last_one_counts(tokenizer: DuplexTokenizer) -> None:
    for language in LANGUAGES:
        talk = Conversation(Random(3), tokenizer, languages=(language,))
        assert talk.name_asked().answer == questions.name_unknown(language)
        for _ in range(2):
            talk.answer(talk.name_told())
            name = talk.name
            assert name is not None
            talk.answer(talk.any_ask())
            assert talk.name_asked().answer == questions.name_answer(language, name)


def test_what_was_told_to_its_end_is_not_gone_on_with(tokenizer: DuplexTokenizer) -> None:
    ended = 0
    for seed in range(60):
        talk = Dialogue(Random(seed), tokenizer)
        talk._long()
        if talk.interrupted is None:
            talk._go_on()
            assert talk.pairs[-1].heard == tokenizer.message(questions.nothing_left())[0]
            ended += 1
    assert ended > 5


def test_a_user_who_writes_marks_asks_with_a_question_mark_and_tells_with_a_full_stop() -> None:
    style = Style(lower=True, capital=False, punctuation=True)
    for text in (
        "what is ten",
        "okay could you stop",
        "oh by the way is 3 even",
        "today is monday so what is tomorrow",
    ):
        assert style.write(text) == f"{text}?"
    for text in ("no more of that", "you can go on", "today is my birthday", "my dog is big", "go on"):
        assert style.write(text) == f"{text}."
    assert style.write("你今年多大", "zh") == "你今年多大？"
    assert style.write("继续", "zh") == "继续。"
