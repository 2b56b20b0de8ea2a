"""A quick look at held-out requests while the model trains: one slice each, greedy, in PyTorch.

Knows the model and the generator. The measure that counts is `evaluate.py`, through the server's own code.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING

import torch
from dialogues import Conversation, draw
from phrasings import BACK_CHANNELS, STOPS
from questions import KINDS, any_ask, ask_of_kind
from slices import BOS, EOS, DuplexTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model import PocketModel

    # What is measured, the prompt, and the slice that is right.
    Case = tuple[str, tuple[int, ...], tuple[int, ...]]


def cases(rng: Random, tokenizer: DuplexTokenizer, each: int) -> Iterator[Case]:
    """Held-out phrasings in fresh conversations, and after an earlier conversation."""
    silent = (tokenizer.idle, EOS)
    for kind in (*KINDS, "piece"):
        if kind == "joke":
            continue
        for i in range(each):
            before = draw(rng, tokenizer, 60).tokens if i % 2 else [BOS]
            talk = Conversation(rng, tokenizer, held_out=True)
            ask = ask_of_kind(rng, kind, held_out=True)
            text, cuts = talk.utterance(ask)
            right = tokenizer.message(ask.answer)[0]
            yield kind, (*before, *tokenizer.user_slice(text)), (*right, EOS)
            if cuts:
                part = " ".join(text.split()[: rng.choice(cuts)])
                yield "unfinished", (*before, *tokenizer.user_slice(part)), silent
    for _ in range(3 * each):
        talk = Conversation(rng, tokenizer, held_out=True)
        ask = ask_of_kind(rng, "piece", held_out=True)
        slices = tokenizer.message(ask.answer)
        told = rng.randint(1, len(slices) - 1)
        talk.reply(talk.utterance(ask)[0], slices, told)
        yield "silence in a piece", (*talk.tokens, *tokenizer.user_slice(None)), (*slices[told], EOS)
        yield "stop", (*talk.tokens, *tokenizer.user_slice(talk.say(STOPS))), silent
        said = tokenizer.user_slice(talk.say(BACK_CHANNELS))
        yield "back-channel", (*talk.tokens, *said), (*slices[told], EOS)
        other = any_ask(rng, held_out=True)
        said = tokenizer.user_slice(talk.utterance(other)[0])
        yield "new question", (*talk.tokens, *said), (*tokenizer.message(other.answer)[0], EOS)
        done = Conversation(rng, tokenizer, held_out=True)
        done.reply(done.utterance(other)[0], tokenizer.message(other.answer))
        yield "silence after", (*done.tokens, *tokenizer.user_slice(None)), silent


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


def report(model: PocketModel, tokenizer: DuplexTokenizer, each: int = 10, show: int = 0) -> str:
    """Percentages by kind, in one line; `show` misses are written out."""
    rng = Random("probe")
    drawn = sorted(cases(rng, tokenizer, each), key=lambda case: len(case[1]))
    hits: dict[str, list[bool]] = defaultdict(list)
    missed: list[str] = []
    for start in range(0, len(drawn), 32):
        group = drawn[start : start + 32]
        for (kind, prompt, right), got in zip(group, first_slice(model, [p for _, p, _ in group]), strict=True):
            hits[kind].append(tuple(got) == right)
            if tuple(got) != right:
                missed.append(f"    {kind}: {tokenizer.decode(prompt[-25:])!r} -> {tokenizer.decode(got)!r}")
    line = ", ".join(f"{kind} {100 * sum(found) / len(found):.0f}" for kind, found in sorted(hits.items()))
    Random(0).shuffle(missed)
    return "\n".join((line, *missed[:show]))
