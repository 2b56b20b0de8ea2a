"""Transcripts to measure a duplex model on: reads them, and lays one out in tokens as the server would. Knows the text
format of conversations; is given the tokenizer.

A corpus is a file of JSON lines, a conversation each: `{"pairs": [[user, assistant], ...]}`, where each slice is a text
or null for a silent one. Where a reply goes on in the next slice, that slice begins with the space between the two.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHIPPED = Path(__file__).resolve().parent / "data"
_MAX_BYTES = 200_000_000

Pair = tuple["str | None", "str | None"]


@dataclass(frozen=True)
class Conversation:
    """Slice pairs (user, assistant), None being silence, and the line of the corpus that they stand in."""

    line: int
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class DuplexFormat:
    """How a model's file says that a conversation is written: the two markers, and the ids of three tokens. `context`:
    how many tokens it was trained on.
    """

    user_marker: str
    assistant_marker: str
    bos: int
    eos: int
    idle: int
    context: int

    @staticmethod
    def read(metadata: dict[str, Any], where: str) -> DuplexFormat:
        """From a GGUF file's metadata. Raises `InputError` where it is not that of a duplex model."""
        values = [
            metadata.get(key)
            for key in (
                "duplex.user_marker",
                "duplex.assistant_marker",
                "tokenizer.ggml.bos_token_id",
                "tokenizer.ggml.eos_token_id",
                "duplex.idle_token_id",
                f"{metadata.get('general.architecture')}.context_length",
            )
        ]
        if not all(isinstance(value, str) for value in values[:2]) or not all(type(v) is int for v in values[2:]):
            raise InputError(
                f"{where}: no duplex model: it lacks <idle> or the markers, so there is no silence to measure"
            )
        return DuplexFormat(*values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Run:
    """Tokens that are decoded behind what was kept so far.

    `scored` are the indices of those that the model would have sampled (never 0), `first` the ones of them that begin a
    slice. What is not `kept` is taken back before the next run: a pair silent on both sides leaves the history.
    """

    tokens: tuple[int, ...]
    scored: tuple[int, ...]
    first: frozenset[int]
    kept: bool


def default_corpus(model: str) -> str:
    """Which shipped corpus suits MODEL, as it stands on the command line: one in the pocket model's domain, or one in
    English and Chinese.
    """
    return "pocket" if model == "pocket" else "duplex"


def find_corpus(name: str) -> Path:
    """The file of a shipped corpus, by its name, or the one at the path `name`. Raises `InputError` for neither."""
    shipped = SHIPPED / f"{name}.jsonl"
    if shipped.parent == SHIPPED and shipped.is_file():
        return shipped
    path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.jsonl")))
        raise InputError(f"--corpus {name}: there is no such file, and the shipped ones are {known}")
    return path


def read_corpus(path: Path) -> list[Conversation]:
    """Every conversation of a corpus. Raises `InputError`, with file and line, for what is not one."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(
                f"{path}: larger than {_MAX_BYTES // 1_000_000} MB; a corpus of some thousand tokens is enough"
            )
        lines = path.read_text(encoding="utf-8").split("\n")  # a text may hold what else splits lines
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
    return [_conversation(text, number, f"{path}:{number}") for number, text in enumerate(lines, 1) if text.strip()]


def _conversation(text: str, line: int, where: str) -> Conversation:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not valid JSON ({error})") from error
    pairs = content.get("pairs") if isinstance(content, dict) else None
    if not isinstance(pairs, list) or not pairs:
        raise InputError(f'{where}: a conversation is {{"pairs": [[user, assistant], ...]}} with at least one pair')
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, list) or len(pair) != 2 or not all(one is None or isinstance(one, str) for one in pair):
            raise InputError(f"{where}: pair {number} is not two slices, each a text or null")
        if any(one is not None and not one.strip() for one in pair):
            raise InputError(f"{where}: pair {number} has an empty slice; write null for a silent one")
    return Conversation(line, tuple((user, assistant) for user, assistant in pairs))


def measured_half(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Every second conversation: what models are compared on."""
    return list(conversations[1::2])


def other_half(conversations: Sequence[Conversation]) -> list[Conversation]:
    """The rest: what an importance matrix is collected from, so that it is not judged by what it was made of."""
    return list(conversations[0::2])


def digest(conversations: Sequence[Conversation]) -> str:
    """Changes where anything in the conversations does."""
    content = json.dumps([conversation.pairs for conversation in conversations], ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def lay_out(
    conversation: Conversation, form: DuplexFormat, tokenize: Callable[[str], Sequence[int]]
) -> tuple[list[Run], bool]:
    """A conversation's tokens, and whether it was cut before a pair that the context does not hold.

    A user's half (marker, words, marker) is tokenised as one string, since its words merge with the markers; so is a
    reply, which the model samples behind it. A silent slice is the idle token. `tokenize` parses no control tokens.
    There is no run where even the first pair does not fit.
    `</s>` after words is scored, because the model decides it; after `<idle>` the server puts it there.
    """
    silent_user = [*tokenize(form.user_marker), form.idle, *tokenize(form.assistant_marker)]
    runs: list[Run] = []
    tokens, scored, first = [form.bos], list[int](), set[int]()
    held = 0  # in the runs that are complete and kept

    def complete(kept: bool) -> None:
        nonlocal tokens, scored, first, held
        if tokens:
            runs.append(Run(tuple(tokens), tuple(scored), frozenset(first), kept))
            held += len(tokens) if kept else 0
        tokens, scored, first = [], [], set()

    for user, assistant in conversation.pairs:
        asked = silent_user if user is None else tokenize(f"{form.user_marker}{user}{form.assistant_marker}")
        reply = [form.idle, form.eos] if assistant is None else [*tokenize(assistant), form.eos]
        if held + len(tokens) + len(asked) + len(reply) > form.context:
            if runs or scored:
                complete(kept=True)
            return runs, True
        leaves = user is None and assistant is None
        if leaves:
            complete(kept=True)
        tokens += asked
        first.add(len(tokens))
        scored += range(len(tokens), len(tokens) + (1 if assistant is None else len(reply)))
        tokens += reply
        if leaves:
            complete(kept=False)
    complete(kept=True)
    return runs, False
