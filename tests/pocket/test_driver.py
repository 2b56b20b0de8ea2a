"""Conversations that are driven without a clock: what is put into the model's mouth, forks, and slides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from driver import Talk

from edge_server.backend import Backend
from edge_server.config import Config
from edge_server.engine import Handle

pytestmark = pytest.mark.real

CTX = 128
TEXTS = ("the people", "water for them", "would they be there", "when")


@pytest.fixture(scope="module")
def backend(tiny_gguf: Path) -> Iterator[Backend]:
    config = Config(
        tiny_gguf, ctx=CTX, sessions=1, threads=1, gpu_layers=0, look_ahead=False, kv_type="f32", flash_attention="off"
    )
    with Backend(tiny_gguf, config) as made:
        yield made


@pytest.fixture
def handle(backend: Backend) -> Iterator[Handle]:
    opened = backend.engine.open()
    yield opened
    opened.close()


def play(talk: Talk, pairs: int) -> list[str]:
    """Puts so many slices, drawn by lot, into the model's mouth; what the user said."""
    rng = Random(1)
    said = [rng.choice(TEXTS) for _ in range(pairs)]
    for text in said:
        talk.play(text, [rng.randint(300, 600) for _ in range(9)])
    return said


def cells(handle: Handle) -> tuple[int, ...]:
    assert handle.sequence is not None
    return handle.sequence.tokens


def hear(talk: Talk) -> list[str]:
    """A conversation in which the transcript slides again."""
    return [talk.say(text) for text in (*TEXTS, None, None, *TEXTS)]


def test_what_is_put_into_the_models_mouth_is_in_the_transcript_and_decoded_when_it_must_be(
    backend: Backend, handle: Handle
) -> None:
    talk = Talk(backend, handle)
    assert talk.play("the people", (301, 302, 303))
    assert handle.sequence is None, "nothing has to be decoded yet"
    talk.say("when")
    assert {301, 302, 303} <= set(cells(handle))


def test_a_slide_finds_the_cells_that_it_would_find_if_everything_had_been_said(
    backend: Backend, handle: Handle
) -> None:
    talk = Talk(backend, handle)
    before = backend.counters()
    said = play(talk, 30)
    talk.fork()
    after = backend.counters()
    assert talk.slides > 3
    # Each token was decoded once, although most have left the transcript since; the last `</s>` was not yet.
    length = sum(len(backend.vocabulary.tokenize(f"<用户>{text}<AI>", parse_special=False)) + 10 for text in said)
    assert after.tokens_prefilled - before.tokens_prefilled in (length, length + 1)
    assert len(cells(handle)) in (talk.length - 1, talk.length)


def test_forks_go_on_alike_from_where_they_were_made(backend: Backend, handle: Handle) -> None:
    base = Talk(backend, handle)
    play(base, 20)
    length, slides = base.length, base.slides
    forks = [base.fork()]
    words = [hear(forks[0])]
    for _ in range(2):
        forks.append(base.fork())
        words.append(hear(forks[-1]))
    assert words[0] == words[1] == words[2]
    assert any(words[0])
    assert forks[2].slides > slides, "one that did not slide would prove little"
    assert (base.length, base.slides) == (length, slides)


def test_prefilled_afresh_means_as_if_nothing_had_been_said_before(backend: Backend, handle: Handle) -> None:
    shifted, afresh = Talk(backend, handle), Talk(backend, handle, afresh=True)
    play(shifted, 20)
    slid = shifted.fork().say("the people")
    handle.release()
    play(afresh, 20)
    fork = afresh.fork()
    begun = cells(handle)
    fresh = fork.say("the people")
    handle.release()
    again = afresh.fork().say("the people")
    assert afresh.slides == shifted.slides > 0
    assert len(begun) in (afresh.length - 1, afresh.length)
    assert fresh == again
    assert fresh != slid, "what stays has attended to what left"


def test_how_much_is_forgotten_at_a_time_can_be_chosen(backend: Backend, handle: Handle) -> None:
    slides = []
    for share in (0.125, 0.25, 0.75):
        talk = Talk(backend, handle, settings=replace(backend.settings, forget=share))
        play(talk, 60)
        slides.append(talk.slides)
        handle.release()
    assert slides == sorted(slides, reverse=True)
    assert len(set(slides)) == 3
