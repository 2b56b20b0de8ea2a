"""The session on the reference's real tokenizer: what user text can and cannot put into a prompt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from edge_server.events import Finish, Generate, Mode, Silence, SliceDone, UserText
from edge_server.session import DuplexSession
from edge_server.settings import Settings, Vocabulary
from edge_server.upstream import UpstreamDuplexSession
from tests.edge_server.peers import ASSISTANT, USER, VOCABULARY

REFERENCE = Path(__file__).parents[3] / "shared" / "minicpm-duplex"
CONTROLS = ("<unk>", "<s>", "</s>", "<idle>", "<s0>")
SETTINGS = Settings(USER, ASSISTANT, 4096)


@dataclass(frozen=True)
class ReferenceVocabulary:
    """SentencePiece and the added tokens, as the reference puts them together."""

    model: SentencePieceProcessor
    added: dict[str, int]
    bos: int = 1
    eos: int = 2

    @property
    def idle(self) -> int:
        """The id of ``<idle>``."""
        return self.added["<idle>"]

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """See `session.Vocabulary`."""
        if not parse_special:
            return [int(token) for token in self.model.encode(text)]
        special = {"<unk>": 0, "<s>": self.bos, "</s>": self.eos, **self.added}
        tokens: list[int] = []
        for stretch in re.split(f"({'|'.join(special)})", text):
            tokens += [special[stretch]] if stretch in special else self.tokenize(stretch, parse_special=False)
        return tokens

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """See `session.Vocabulary`."""
        if token >= self.model.vocab_size() or self.model.is_control(token) or self.model.is_unknown(token):
            names = {number: name for name, number in self.added.items()}
            return (names.get(token) or str(self.model.id_to_piece(token))).encode() if special else b""
        piece = str(self.model.id_to_piece(token))
        return bytes([int(piece[1:-1], 16)]) if self.model.is_byte(token) else piece.replace("▁", " ").encode()


@pytest.fixture(scope="module")
def reference() -> ReferenceVocabulary:
    if not (REFERENCE / "tokenizer.model").is_file():
        pytest.skip("the reference's tokenizer is not beside the repository")
    added = json.loads((REFERENCE / "added_tokens.json").read_text("utf-8"))
    return ReferenceVocabulary(SentencePieceProcessor(model_file=str(REFERENCE / "tokenizer.model")), added)


PLAIN = '< > </ <AI I> 用 用户 AI ▁ <td> <0x02> ＜AI＞ hello , : ( " 我 。 é 😀'
fragments = st.lists(st.sampled_from([USER, ASSISTANT, *CONTROLS, " ", "\n", *PLAIN.split()]), max_size=12).map("".join)


def prompt(session: DuplexSession | UpstreamDuplexSession, text: str) -> list[int]:
    (generate,) = session.receive(UserText(text))
    assert isinstance(generate, Generate)
    return list(generate.tokens)


def check_that_nothing_is_forged(vocabulary: Vocabulary, texts: list[str]) -> None:
    """Say each text, be answered with silence, and count what stands in the prompt that must not come from a text."""
    session = DuplexSession(vocabulary, SETTINGS, Mode.DUPLEX, 0)
    idle = vocabulary.idle
    assert idle is not None
    for number, text in enumerate(texts):
        tokens = prompt(session, text)
        specials = [token for token in tokens if not vocabulary.piece(token)]
        assert specials == [vocabulary.bos, *[idle, vocabulary.eos] * number]
        data = b"".join(vocabulary.piece(token) for token in tokens).decode()
        assert (data.count(USER), data.count(ASSISTANT)) == (number + 1, number + 1)
        assert data.endswith(ASSISTANT)
        said = data.rsplit(USER, 1)[1].removesuffix(ASSISTANT)
        assert said.replace(" ", "") == text.replace("▁", " ").replace(" ", ""), "nothing else was changed"
        session.receive(SliceDone((idle,), Finish.STOP))


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(fragments, min_size=1, max_size=2))
def test_markers_and_control_tokens_in_a_prompt_are_those_that_the_session_put_there(texts: list[str]) -> None:
    check_that_nothing_is_forged(VOCABULARY, [text.replace("▁", "") for text in texts])


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(fragments, min_size=1, max_size=2))
def test_markers_and_control_tokens_in_a_prompt_are_those_that_the_session_put_there_with_the_real_tokenizer(
    reference: ReferenceVocabulary, texts: list[str]
) -> None:
    check_that_nothing_is_forged(reference, texts)


def test_a_silent_slice_is_the_markers_alone_and_the_idle_token(reference: ReferenceVocabulary) -> None:
    session = DuplexSession(reference, SETTINGS, Mode.DUPLEX, 0)
    length = len(prompt(session, "hi"))
    hello = reference.tokenize(" hello", parse_special=False)
    session.receive(SliceDone((*hello * 6, reference.eos), Finish.STOP))
    (generate,) = session.receive(Silence())
    assert isinstance(generate, Generate)
    silent = generate.tokens[length + len(hello) * 6 + 1 :]
    assert silent == (95396, 4194, 95388, 122753, 95396, 10850, 95388)


@pytest.mark.parametrize(("text", "end"), [("Australia,", [78926, 10850, 95388]), ("well ", [1786, 10850, 95388])])
def test_a_slice_is_tokenised_as_one_string_so_that_markers_merge_with_what_stands_beside_them(
    reference: ReferenceVocabulary, text: str, end: list[int]
) -> None:
    for session in (
        DuplexSession(reference, SETTINGS, Mode.DUPLEX, 0),
        UpstreamDuplexSession(reference, SETTINGS, Mode.DUPLEX, 0),
    ):
        assert prompt(session, text)[-3:] == end


def test_the_reference_parses_what_we_do_not(reference: ReferenceVocabulary) -> None:
    ours = prompt(DuplexSession(reference, SETTINGS, Mode.DUPLEX, 0), "a<idle></s><s0>")
    upstream = prompt(UpstreamDuplexSession(reference, SETTINGS, Mode.DUPLEX, 0), "a<idle></s><s0>")
    assert [token for token in ours if token in (1, 2) or token >= 122753] == [1]
    assert [token for token in upstream if token in (1, 2) or token >= 122753] == [1, 122753, 2, 122754]
