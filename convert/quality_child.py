"""Two tasks of the child process: to score a file's predictions on transcripts, beside its source's, and to time it.
Knows how logits come out of llama.cpp; what they are worth is computed in `quality`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.llama_model import Context, Log, Model, Send, TaskError
from convert.quality import Comparison, log_probabilities
from convert.quality_corpus import DuplexFormat, Run, lay_out, measured_half, read_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

BATCH = 128  # tokens in a decode call: their logits, a row of the vocabulary each, must fit into memory
SPEED_BATCH = 512
PROMPTS = (32, 512)  # tokens whose prefill is timed: about a slice with words, and a long text
STEPS = 32  # tokens whose decoding is timed, one by one, behind the shorter prompt


def plan_runs(model: Model, corpus: str, form: dict[str, Any], budget: int) -> tuple[list[list[Run]], int]:
    """The runs of the conversations that are measured, until `budget` tokens are scored; how many were too long."""
    layouts: list[list[Run]] = []
    cut = scored = 0
    for conversation in measured_half(read_corpus(Path(corpus))):
        runs, shortened = lay_out(conversation, DuplexFormat(**form), model.tokenize)
        layouts.append(runs)
        cut += shortened
        scored += sum(len(run.scored) for run in runs)
        if scored >= budget:
            break
    return layouts, cut


def cells(layouts: Sequence[Sequence[Run]]) -> int:
    """How many KV cells the longest conversation needs, rounded up to what a context may have."""
    longest = max(sum(len(run.tokens) for run in runs) for runs in layouts)
    return max(BATCH, -(-longest // 64) * 64)


def portions(context: Context, runs: Sequence[Run]) -> Iterator[tuple[int, NDArray[np.float32], list[int], list[bool]]]:
    """Decodes a conversation.

    Yields for each call the number of its tokens, the logits before each scored token, those tokens, and whether each
    is a slice's first.
    """
    for run, start, tokens, position in calls(context, runs):
        before = {index - 1 for index in run.scored}
        wanted = [index for index in range(len(tokens)) if start + index in before]
        rows = context.decode(tokens, position, wanted)
        scored = [start + index + 1 for index in wanted]
        yield len(tokens), rows, [run.tokens[i] for i in scored], [i in run.first for i in scored]


def calls(context: Context, runs: Sequence[Run]) -> Iterator[tuple[Run, int, tuple[int, ...], int]]:
    """Cuts a conversation into decode calls, which are the caller's to make, and takes back what is not kept.

    Yields for each its run, where in it the call begins, the tokens, and the position of the first.
    """
    context.drop(0)
    position = 0
    for run in runs:
        for start in range(0, len(run.tokens), context.batch):
            yield run, start, run.tokens[start : start + context.batch], position + start
        if run.kept:
            position += len(run.tokens)
        else:
            context.drop(position)


def size(send: Send, *, path: str, corpus: str, form: dict[str, Any], budget: int) -> dict[str, Any]:
    """How much there is: `conversations`, how many were `cut`, tokens `decoded` and `scored`, and the `vocabulary`."""
    model = Model(path, Log(), vocabulary_only=True)
    layouts, cut = plan_runs(model, corpus, form, budget)
    scored = sum(len(run.scored) for runs in layouts for run in runs)
    decoded = sum(len(run.tokens) for runs in layouts for run in runs)
    return {
        "scored": scored,
        "decoded": decoded,
        "vocabulary": model.n_vocab,
        "conversations": len(layouts),
        "cut": cut,
    }


def score(
    send: Send,
    *,
    path: str,
    corpus: str,
    form: dict[str, Any],
    budget: int,
    reference: str,
    is_source: bool,
    gpu_layers: int,
    threads: int,
) -> dict[str, Any]:
    """Compares the file's predictions with those in the file `reference`, or writes them there (`is_source`).

    `reference` is an array of float32 log-probabilities, a row a scored token. Sends how many tokens each call decoded.
    """
    model = Model(path, Log(), gpu_layers=gpu_layers, repack=True)
    layouts, _cut = plan_runs(model, corpus, form, budget)
    context = Context(model, cells=cells(layouts), batch=BATCH, threads=threads)
    shape = (sum(len(run.scored) for runs in layouts for run in runs), model.n_vocab)
    if not is_source and Path(reference).stat().st_size != 4 * math.prod(shape):
        raise TaskError(f"{reference} was not made from this model and corpus")
    kept = np.memmap(reference, np.float32, "w+" if is_source else "r", shape=shape)
    comparison = Comparison(form["idle"])
    done = 0
    for runs in layouts:
        for count, logits, targets, first in portions(context, runs):
            if targets:
                found = log_probabilities(logits)
                if not np.isfinite(found).all():
                    raise TaskError("the model's output is not finite")
                rows = slice(done, done + len(targets))
                if is_source:
                    kept[rows] = found
                comparison.add(found if is_source else kept[rows], found, np.array(targets), np.array(first))
                done += len(targets)
            send({"progress": str(count)})
    return comparison.quality().as_json()


def speed(send: Send, *, paths: list[str], gpu_layers: int, threads: int, count: int) -> dict[str, Any]:
    """Tokens per second of each file: prefill of `PROMPTS`, and decoding. The files take turns within each of `count`
    rounds, before which there is one that does not count.

    The answer has for each file a list of `{"prefill_32": ..., "decode": ...}`, one a round. What does not fit into the
    context that the model was trained on is left out. Sends a message a round.
    """
    log = Log()
    contexts = []
    for path in paths:
        model = Model(path, log, gpu_layers=gpu_layers, repack=True)
        contexts.append((model, Context(model, cells=PROMPTS[-1] + STEPS, batch=SPEED_BATCH, threads=threads)))
    rounds: list[list[dict[str, float]]] = [[] for _ in paths]
    for number in range(count + 1):
        for (model, context), figures in zip(contexts, rounds, strict=True):
            figures.append(_time(model, context))
        if number == 0:  # the first calls touch the weights for the first time
            rounds = [[] for _ in paths]
        send({"progress": "1"})
    return {"rounds": rounds}


def _time(model: Model, context: Context) -> dict[str, float]:
    figures = {}
    tokens = [model.bos, *(token % model.n_vocab for token in range(1000, 1000 + PROMPTS[-1] + STEPS))]
    for length in (length for length in PROMPTS if length <= model.n_ctx_train):
        context.drop(0)
        figures[f"prefill_{length}"] = length / context.seconds(tokens[:length], 0)
    length = min(PROMPTS[0], model.n_ctx_train // 2)
    steps = min(STEPS, model.n_ctx_train - length)
    context.drop(0)
    context.decode(tokens[:length], 0)
    seconds = sum(context.seconds([tokens[length + step]], length + step) for step in range(steps))
    return {**figures, "decode": steps / seconds}
