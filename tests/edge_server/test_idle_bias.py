"""Silence as a dial: what a bias does to a draw, which slices have it, and what it does to a real model's words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from edge_server.backend import Backend, ModelVocabulary
from edge_server.config import Config
from edge_server.context import Sampling
from edge_server.events import Generate, IdleBias, Mode, NewSession, Session, Silence, UserText
from edge_server.llama import Context, Model
from edge_server.sampling import LogitSampler, Scratch
from edge_server.sequence import Sequence
from edge_server.session import DuplexSession
from edge_server.turns import TurnSession
from edge_server.upstream import UpstreamDuplexSession, UpstreamTurnSession
from tests.edge_server.peers import CHAT_VOCABULARY, IDLE, TEN, VOCABULARY, Peer, settings
from tests.edge_server.stepping import SteppedEngine, Talker
from tests.edge_server.test_cli import running
from tests.edge_server.test_sampling import SHAPES, shaped

real = pytest.mark.real
BIASED = settings(idle_bias=1.5)


def asked_by(session: Session) -> Generate:
    """What a session asks for when the user says something."""
    return next(action for action in session.receive(UserText("hello")) if isinstance(action, Generate))


# --- the first draw


@pytest.mark.parametrize("bias", [-20.0, -1.5, 0.25, 20.0])
@pytest.mark.parametrize("temperature", [0, 0.8, 5.0])
def test_the_first_draw_is_one_from_logits_with_the_bias_added(temperature: float, bias: float) -> None:
    for shape in SHAPES:
        logits = shaped(shape)
        token = int(np.argsort(logits)[-5])
        biased = logits.copy()
        biased[token] += bias
        for cut in ((0, 0.8), (30, 1.0)):
            plain = LogitSampler(Sampling(temperature, *cut, seed=4), Scratch(4000))
            sampler = LogitSampler(Sampling(temperature, *cut, 4, (token, bias)), Scratch(4000))
            before = logits.copy()
            assert sampler.sample(logits) == plain.sample(biased)
            assert (logits == before).all(), "what was decoded is not changed"
            for _ in range(3):  # and no other draw, nor its random number
                assert sampler.sample(logits) == plain.sample(logits)


def test_a_bias_multiplies_a_token_s_odds() -> None:
    """By e to the bias over the temperature: that is what its unit means."""
    logits = np.log(np.array([0.5, 0.3, 0.2])).astype(np.float32)
    count = 0
    for seed in range(4000):
        sampler = LogitSampler(Sampling(2.0, 0, 1.0, seed, (2, math.log(9))), Scratch(3))
        count += sampler.sample(logits) == 2
    weights = [math.sqrt(0.5), math.sqrt(0.3), math.sqrt(0.2) * 3]  # at temperature 2
    share = weights[2] / sum(weights)
    assert abs(count / 4000 - share) < 4 * math.sqrt(share * (1 - share) / 4000)


def test_what_is_masked_stays_masked_and_a_bias_is_finite() -> None:
    logits = np.array([1, -math.inf], np.float32)
    assert LogitSampler(Sampling(0, 0, 1, 0, (1, 20.0)), Scratch(2)).sample(logits) == 0
    for bias in (math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match="finite"):
            Sampling(0, 0, 1, 0, (1, bias))


# --- which slices


@pytest.mark.parametrize("kind", [DuplexSession, UpstreamDuplexSession])
def test_each_slice_of_duplex_mode_has_it_also_those_of_silence_and_those_prepared(
    kind: type[DuplexSession] | type[UpstreamDuplexSession],
) -> None:
    peer = Peer(kind(VOCABULARY, BIASED, Mode.DUPLEX, 7))
    for _ in range(2):
        peer.text("hello")
        assert peer.asked is not None
        assert peer.asked.first_bias == (IDLE, 1.5)
        peer.reply(TEN + "</s>")
        if kind is DuplexSession:
            assert peer.prepared is not None
            assert peer.prepared.first_bias == (IDLE, 1.5)
        peer.tick()
        assert peer.asked is not None
        assert peer.asked.first_bias == (IDLE, 1.5)
        peer.reply(" one</s>")


def test_another_bias_holds_from_the_next_slice_on_and_for_what_is_prepared() -> None:
    peer = Peer(DuplexSession(VOCABULARY, BIASED, Mode.DUPLEX, 7))
    peer.text("hello")
    peer.send(IdleBias(-2.0))
    assert peer.asked is not None
    assert not peer.cancelled, "the slice that runs is not disturbed"
    peer.reply(TEN + "</s>")
    assert peer.prepared is not None
    assert peer.prepared.first_bias == (IDLE, -2.0)
    peer.send(IdleBias(3.0))
    assert peer.prepared.first_bias == (IDLE, 3.0)
    peer.send(NewSession(Mode.DUPLEX, 7))
    assert asked_by(peer.session).first_bias == (IDLE, 3.0)


def test_it_is_not_for_ordinary_mode_or_turns_or_a_model_without_an_idle_token() -> None:
    for session in (
        DuplexSession(VOCABULARY, BIASED, Mode.ORDINARY, 7),
        UpstreamDuplexSession(VOCABULARY, BIASED, Mode.ORDINARY, 7),
        UpstreamTurnSession(VOCABULARY, BIASED, Mode.ORDINARY, 7),
        TurnSession(CHAT_VOCABULARY, BIASED, Mode.ORDINARY, 7),
    ):
        assert asked_by(session).first_bias is None


def test_without_one_nothing_is_asked_for_that_was_not_before() -> None:
    assert asked_by(DuplexSession(VOCABULARY, settings(), Mode.DUPLEX, 7)).first_bias is None
    assert asked_by(UpstreamDuplexSession(VOCABULARY, settings(), Mode.DUPLEX, 7)).first_bias is None


# --- what it does


def silent_slices(model: Model, idle_bias: float) -> tuple[int, int]:
    """Of the slices of a conversation: how many said nothing, how many there were."""
    idle = model.n_vocab - 1
    with Context(model, cells=512, slots=1, threads=1, batch=8) as context:
        engine = SteppedEngine(context, chunk=8)
        talk = Talker(engine, ctx=256, vocabulary=ModelVocabulary(model, idle), idle_bias=idle_bias)
        for text in ("hello", None, None, "what is the capital", None, "of France?", None, None, None):
            talk.send(Silence() if text is None else UserText(text))
            talk.settle()
        engine.close()
    assert talk.refused is None
    return sum(tokens[0] == idle for tokens in talk.slices), len(talk.slices)


@real
def test_it_makes_a_real_model_silent_or_never_silent(model: Model) -> None:
    silent, slices = silent_slices(model, 20.0)
    assert silent == slices >= 3  # a silent assistant is not asked again until it is spoken to
    silent, slices = silent_slices(model, -20.0)
    assert silent == 0
    assert slices == 9


@real
@pytest.mark.parametrize("temperature", [0, 0.8])
def test_llama_cpps_logits_stay_as_they_are(model: Model, temperature: float) -> None:
    idle = model.n_vocab - 1
    with Context(model, cells=64, slots=1, threads=1) as context:
        sequence = Sequence(context, 0)
        sequence.extend([model.bos, *model.tokenize("hello", parse_special=False)])
        row = sequence.logits_row
        assert row is not None
        before = context.logits(row).copy()
        assert context.sampler(Sampling(temperature, 0, 1, 0, (idle, 20.0))).sample(row) == idle
        assert (context.logits(row) == before).all()
        assert context.likeliest(row) == before.argmax() != idle
        sequence.release()


@real
@pytest.mark.parametrize("compat", [[], ["--compat", "upstream"]])
@pytest.mark.parametrize("temperature", ["0", "0.8"])
def test_the_option_holds_in_both_profiles(tiny_gguf: Path, compat: list[str], temperature: str) -> None:
    def ask(bias: str) -> Iterator[ClientConnection]:
        arguments = [
            "--model",
            str(tiny_gguf),
            "--idle-bias",
            bias,
            "--temperature",
            temperature,
            "--seed",
            "1",
            *compat,
        ]
        with running(*arguments) as (_, ready):
            url = re.search(r"duplex (\S+)", ready)
            assert url
            with connect(url[1]) as client:
                client.send("stop")
                yield client

    for client in ask("-20"):
        assert client.recv(timeout=60)
    for client in ask("20"):
        with pytest.raises(TimeoutError):
            client.recv(timeout=1)


@real
def test_the_reference_s_cap_is_15_whatever_the_model_was_trained_on_unless_it_is_given(tiny_gguf: Path) -> None:
    for options, expected in (
        ({}, 15),
        ({"slice_tokens": 10}, 10),
        ({"slice_tokens": 10, "upstream": True}, 10),
        ({"upstream": True}, 15),
    ):
        with Backend(tiny_gguf, Config(tiny_gguf, threads=1, **options)) as backend:
            assert backend.settings.slice_tokens == expected
