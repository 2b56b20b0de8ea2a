"""A quick look at held-out requests while the model trains: one slice each, greedy, in PyTorch.

Knows the model and the generator. The measure that counts is `evaluate.py`, through the server's own code.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING

import questions
import torch
from conversation import Conversation
from dialogues import draw
from junk import JUNK
from slices import BOS, EOS, DuplexTokenizer
from speech import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model import PocketModel

    # What is measured, the prompt, and the slice that is right.
    Case = tuple[str, tuple[int, ...], tuple[int, ...]]


def _requests(rng: Random, tokenizer: DuplexTokenizer, language: str, each: int) -> Iterator[Case]:
    """Requests of every kind in fresh conversations, and after an earlier conversation."""
    silent = (tokenizer.idle, EOS)
    prefix = "" if language == "en" else language + " "
    for kind in (*questions.kinds(language), "piece", "reference", "name"):
        if kind == "joke":
            continue
        for i in range(each):
            before = draw(rng, tokenizer, 60).tokens if i % 2 else [BOS]
            talk = Conversation(rng, tokenizer, held_out=True, languages=(language,))
            if kind == "name":
                talk.answer(talk.name_told())
                ask = talk.name_asked()
            elif kind == "reference":
                country = rng.choice(questions.countries(language))
                talk.answer(talk.country_ask(rng.choice(("capital", "currency", "language")), country))
                assert talk.about is not None
                ask = talk.reference(talk.about)
            else:
                ask = questions.ask_of_kind(rng, kind, held_out=True, language=language)
            text, cuts = talk.utterance(ask)
            prompt = (*before, *talk.tokens[1:])
            right = tokenizer.message(ask.answer)[0]
            yield prefix + kind, (*prompt, *tokenizer.user_slice(text)), (*right, EOS)
            if cuts:
                part = talk.cut(text, (rng.choice(cuts),))[0]
                yield f"{prefix}unfinished", (*prompt, *tokenizer.user_slice(part)), silent


def _pieces(rng: Random, tokenizer: DuplexTokenizer, language: str) -> Iterator[Case]:
    """What may happen in the middle of a piece."""
    silent = (tokenizer.idle, EOS)
    prefix = "" if language == "en" else language + " "
    talk = Conversation(rng, tokenizer, held_out=True, languages=(language,))
    ask = questions.ask_of_kind(rng, "piece", held_out=True, language=language)
    slices = tokenizer.message(ask.answer)
    told = rng.randint(1, len(slices) - 1)
    text = talk.utterance(ask)[0]
    for i, heard in enumerate(slices[:told]):
        talk.pair(None if i else text, heard)
    following = (*slices[told], EOS)
    yield f"{prefix}silence in a piece", (*talk.tokens, *tokenizer.user_slice(None)), following
    for name, noises in (("back-channel", talk.sayings.back_channels), ("junk", JUNK[language])):
        yield prefix + name, (*talk.tokens, *tokenizer.user_slice(talk.say(noises))), following
    stop = tokenizer.user_slice(talk.say(talk.sayings.stops))
    yield f"{prefix}stop", (*talk.tokens, *stop), silent
    on = tokenizer.user_slice(talk.say(talk.sayings.go_on))
    yield f"{prefix}go on", (*talk.tokens, *stop, *silent, *on), following
    other = talk.any_ask()
    answer = tokenizer.message(other.answer)
    said = tokenizer.user_slice(talk.utterance(other)[0])
    yield f"{prefix}new question", (*talk.tokens, *said), (*answer[0], EOS)
    resume = (*tokenizer.message(questions.resume(language))[0], EOS)
    for name, opening, next_one in (
        ("back after an aside", talk.choose(talk.sayings.asides), resume),
        ("not back", "", silent),
    ):
        if len(answer) == 1:
            said = tokenizer.user_slice(talk.utterance(other, opening)[0])
            prompt = (*talk.tokens, *said, *answer[0], EOS, *tokenizer.user_slice(None))
            yield prefix + name, prompt, next_one
    done = Conversation(rng, tokenizer, held_out=True, languages=(language,))
    done.reply(done.utterance(other)[0], answer)
    yield f"{prefix}silence after", (*done.tokens, *tokenizer.user_slice(None)), silent


def cases(rng: Random, tokenizer: DuplexTokenizer, each: int) -> Iterator[Case]:
    """Held-out phrasings in both languages."""
    for language in LANGUAGES:
        yield from _requests(rng, tokenizer, language, each)
        for _ in range(3 * each):
            yield from _pieces(rng, tokenizer, language)


def first_slice(model: PocketModel, prompts: list[tuple[int, ...]], most: int = 12) -> list[list[int]]:
    """Greedy continuations of prompts of any lengths, each up to `</s>`, which is included."""
    width = max(len(prompt) for prompt in prompts) + most
    tokens = torch.full((len(prompts), width), EOS)
    for i, prompt in enumerate(prompts):
        tokens[i, : len(prompt)] = torch.tensor(prompt)
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    at = torch.arange(len(prompts))
    finished = torch.zeros(len(prompts), dtype=torch.bool)
    for _ in range(most):
        longest = int(lengths.max())
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            best = model.logits(model.hidden(tokens[:, :longest])[at, lengths - 1]).argmax(-1)
        tokens[at[~finished], lengths[~finished]] = best[~finished]
        lengths = lengths + (~finished).long()
        finished |= best == EOS
        if bool(finished.all()):
            break
    return [tokens[i, len(prompt) : int(lengths[i])].tolist() for i, prompt in enumerate(prompts)]


def report(model: PocketModel, tokenizer: DuplexTokenizer, each: int = 8) -> str:
    """Percentages by kind, in one line, of `each` requests of every kind and three times as many pieces."""
    rng = Random("probe")
    drawn = sorted(cases(rng, tokenizer, each), key=lambda case: len(case[1]))
    hits: dict[str, list[bool]] = defaultdict(list)
    for start in range(0, len(drawn), 32):
        group = drawn[start : start + 32]
        for (kind, _, right), got in zip(group, first_slice(model, [p for _, p, _ in group]), strict=True):
            hits[kind].append(tuple(got) == right)
    return ", ".join(f"{kind} {100 * sum(found) / len(found):.0f}" for kind, found in sorted(hits.items()))
