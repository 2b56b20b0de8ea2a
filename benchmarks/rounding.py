"""How much batch shapes change: the logits, and how many words.

    python -m benchmarks.rounding [--model models/pocket-q4_k_m.gguf] [--conversations 40] [--temperature 0.8]

The same conversation is continued three times, with the same random numbers: alone, in the calls of a session that has
the model for itself, which looking ahead does not change; with each text prefilled in pieces beforehand, as drafts are,
wrong pieces taken back; and sharing each call with three other conversations. The last two differ from the first in
rounding only, and go on from what the first said. Printed: the largest difference of the first logits after a text as a
share of the largest logit, whether the likeliest token is the same, and the share of tokens and of slices that came out
otherwise. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_server.context import Sampling
from edge_server.generation import Finish, Generation, Request
from edge_server.llama import Context, Model
from edge_server.sequence import Sequence, decode

Outcome = tuple[NDArray[np.float32], tuple[int, ...]]  # the logits before a slice, and its tokens
SLICE, CHUNK, SHARING = 15, 64, 4
TEXTS = (
    "what is the capital of france?",
    "tell me a story",
    "how much is seven plus five?",
    "what is the currency of japan?",
    "stop please",
    "and what day comes after monday?",
    "which continent is kenya in?",
    "no, wait, tell me another one",
)


@dataclass
class Differences:
    """What came out otherwise than alone."""

    logits: list[float] = field(default_factory=list)
    top: list[bool] = field(default_factory=list)
    tokens: list[bool] = field(default_factory=list)
    slices: list[bool] = field(default_factory=list)

    def add(self, alone: Outcome, other: Outcome) -> None:
        """Compares the logits before a slice, and its tokens as far as both are long."""
        self.logits.append(float(np.abs(alone[0] - other[0]).max() / np.abs(alone[0]).max()))
        self.top.append(bool(alone[0].argmax() == other[0].argmax()))
        same = [one == two for one, two in zip(alone[1], other[1], strict=False)]
        self.tokens += [not each for each in same]
        self.slices.append(alone[1] != other[1])

    def summary(self) -> dict[str, float]:
        return {
            "logit_difference_median": float(np.median(self.logits)),
            "logit_difference_max": max(self.logits),
            "likeliest_the_same": float(np.mean(self.top)),
            "tokens_changed": float(np.mean(self.tokens)),
            "slices_changed": float(np.mean(self.slices)),
        }


class Conversation:
    """A sequence and its transcript; `begin` a slice, feed it, and `end` it."""

    def __init__(self, model: Model, context: Context, slot: int, temperature: float) -> None:
        self._model, self._context = model, context
        self._temperature = temperature
        self.sequence = Sequence(context, slot, chunk=CHUNK)
        self.tokens = [model.bos]
        self.generation: Generation | None = None
        self._stop = frozenset({model.eos, int(model.metadata["duplex.idle_token_id"])})
        self._markers = model.metadata["duplex.user_marker"], model.metadata["duplex.assistant_marker"]

    def draft(self, text: str, chance: random.Random) -> None:
        """Prefills the text as it grows, some of it wrong at first."""
        for _ in range(3):
            so_far = text[: chance.randrange(1, len(text))]
            wrong = chance.choice(["", "", " um", "x"])
            tokens = self._model.tokenize(self._markers[0] + so_far + wrong, parse_special=False)
            self.sequence.truncate(self.sequence.matching([*self.tokens, *tokens]))
            self.sequence.extend([*self.tokens, *tokens][len(self.sequence) :])

    def begin(self, text: str, seed: int) -> None:
        user, assistant = self._markers
        start = len(self.tokens) + len(self._model.tokenize(user, parse_special=False))
        self.tokens += self._model.tokenize(user + text + assistant, parse_special=False)
        sampling = Sampling(self._temperature, 0, 0.8, seed)
        request = Request(tuple(self.tokens), SLICE, self._stop, sampling, peek=True, cuts=(start,))
        self.generation = Generation(self._context, self.sequence, request)

    def logits(self, row: int) -> NDArray[np.float32]:
        copy: NDArray[np.float32] = self._context.logits(row).copy()
        return copy

    def end(self, finish: Finish) -> tuple[int, ...]:
        assert self.generation is not None
        said = self.generation.result(finish).tokens
        self.tokens += said if said[-1] == self._model.eos else (*said, self._model.eos)
        self.generation = None
        return said


def run(conversations: list[Conversation]) -> list[Outcome]:
    """Generates a slice in each, in shared calls; the logits before it and what was sampled."""
    first: dict[int, NDArray[np.float32]] = {}
    said: dict[int, tuple[int, ...]] = {}
    while len(said) < len(conversations):
        going = [(index, each) for index, each in enumerate(conversations) if index not in said]
        feeds = [each.generation.feed(CHUNK // len(going)) for _, each in going if each.generation]
        decode([each.sequence for _, each in going], feeds)
        for row, (index, each) in enumerate(going):
            assert each.generation is not None
            if not each.generation.missing and index not in first:
                first[index] = each.logits(row)
        for index, each in going:
            assert each.generation is not None
            finish = each.generation.take()
            if finish is not None:
                said[index] = each.end(finish)
    return [(first[index], said[index]) for index in range(len(conversations))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/pocket-q4_k_m.gguf"))
    parser.add_argument("--conversations", type=int, default=40)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--temperature", type=float, default=0.8)
    asked = parser.parse_args()
    drafted, shared = Differences(), Differences()
    with (
        Model.load(asked.model, gpu_layers=0) as model,
        Context(model, cells=1024, slots=1) as alone_context,
        Context(model, cells=1024, slots=1) as draft_context,
        Context(model, cells=1024 * SHARING, slots=SHARING) as shared_context,
    ):
        for number in range(asked.conversations):
            print(f"\rconversation {number + 1} of {asked.conversations}", end="", file=sys.stderr, flush=True)
            chance = random.Random(number)
            alone = Conversation(model, alone_context, 0, asked.temperature)
            draft = Conversation(model, draft_context, 0, asked.temperature)
            others = [Conversation(model, shared_context, slot, asked.temperature) for slot in range(SHARING)]
            for slice_number in range(asked.slices):
                texts = [chance.choice(TEXTS) for _ in range(SHARING)]
                seed = 1000 * number + slice_number
                draft.draft(texts[0], chance)
                for each, text in [(alone, texts[0]), (draft, texts[0]), *zip(others, texts, strict=True)]:
                    each.begin(text, seed)
                (expected,) = run([alone])
                drafted.add(expected, run([draft])[0])
                shared.add(expected, run(others)[0])
                for each in (draft, others[0]):
                    each.tokens = list(alone.tokens)
            for each in (alone, draft, *others):
                each.sequence.release()
        print(file=sys.stderr)
        kind = model.description
    figures = {"model": kind, "drafts": drafted.summary(), f"{SHARING} sessions in a call": shared.summary()}
    for name, summary in figures.items():
        if isinstance(summary, dict):
            print(f"{name}: " + ", ".join(f"{key.replace('_', ' ')} {value:.2g}" for key, value in summary.items()))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
