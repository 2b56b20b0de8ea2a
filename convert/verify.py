"""Checks a finished file: its header against the plan, and its tokenizer against SentencePiece itself, by way of
llama.cpp. Knows what a correct file looks like; does not know how it was made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sentencepiece import SentencePieceProcessor

from convert import llama
from convert.errors import ConversionError
from convert.gguf_file import read_header, type_name
from convert.sentencepiece_model import PieceType, with_space_prefix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from convert.minicpm import PlannedTensor
    from convert.vocabulary import Vocabulary

_TEXTS = (
    "",
    " ",
    "  two  spaces  and a trailing one ",
    "\n",
    "\tone\ttab\n\nand newlines\r\n",
    "What is the capital of France?",
    " leading space, then text.",
    "The quick brown fox jumps over the lazy dog",
    "don't, won't; it's 3.14 or 1,000,000 = 10^6!",
    "你好，世界。今天天气怎么样？",
    "日本語とEnglishが混ざる文。",
    "Привет, мир! Как дела?",
    "مرحبا بالعالم",
    "한국어 문장입니다.",
    "naïve café, Ærøskøbing, ½ cup ≈ 118 ml",
    "emoji 🙂👍🏽🇫🇷",
    "def f(x):\n    return x ** 2  # squared",
    "<td>a</td><p>b</p> <b>bold</b> &lt;",
    "Hello...。。。!? ---",
    "\ufeffzero\u200bwidth\u00a0spaces",
    "\U0001f9d1\u200d\U0001f680 rare: \U00012345 \u0e01\u0e34",
    "a" * 100,
    "=-+" * 10,
)
_PIECES_TRIED = 200


def check_header(path: Path, tensors: Sequence[PlannedTensor], types: Mapping[str, str]) -> None:
    """Reads the file back; raises `ConversionError` unless it holds exactly the planned tensors, shapes and types."""
    found = read_header(path).tensors
    planned = {tensor.name: tensor.shape for tensor in tensors}
    if found.keys() != planned.keys():
        odd = sorted(found.keys() ^ planned.keys())
        raise ConversionError(f"{path}: the file written has {len(found)} tensors, not {len(planned)}; first: {odd[0]}")
    for name, record in found.items():
        if record.shape != planned[name] or type_name(record.type) != types[name]:
            raise ConversionError(
                f"{path}: the file written has {name} as {list(record.shape)} {type_name(record.type)}, "
                f"not {list(planned[name])} {types[name]}"
            )


def check_in_llama(path: Path, vocabulary: Vocabulary, tokenizer_model: Path) -> int:
    """Loads the file in llama.cpp, decodes a token, and compares its tokens with SentencePiece's on probe strings.

    Returns the number of strings. Raises `ConversionError`, with the first one that differs.
    """
    texts = probes(vocabulary)
    answer = llama.ask("check", path=str(path), texts=texts)
    if not answer["finite"]:
        raise ConversionError(f"{path}: the model's output is not finite")
    reference = ReferenceTokenizer(vocabulary, tokenizer_model)
    for parse_special, found in ((False, answer["plain"]), (True, answer["parsed"])):
        for text, tokens in zip(texts, found, strict=True):
            expected = reference.encode(text, parse_special=parse_special)
            if tokens != expected:
                raise ConversionError(
                    f"{path}: llama.cpp cuts {text!r} into {tokens}, the reference tokenizer into {expected}"
                )
    return len(texts)


def probes(vocabulary: Vocabulary) -> list[str]:
    """Strings that show a wrong flag or token type: plain text, the markers and added tokens beside it, pieces."""
    user, assistant = vocabulary.user_marker, vocabulary.assistant_marker
    specials = [piece.text for piece in vocabulary.pieces if piece.kind in (PieceType.CONTROL, PieceType.UNKNOWN)]
    beside = ["", " ", "Australia,", '"quoted"', "(x)", "好", "\n"]
    texts = list(_TEXTS)
    texts += [f"{left}{user}{right}{assistant}{left}" for left in beside for right in beside]
    texts += [f"{left}{special}{right}" for special in specials for left in beside[:3] for right in beside[:3]]
    own = _as_typed(vocabulary, PieceType.USER_DEFINED)
    texts += [f"a{text}b {text}" for text in own[:: max(1, len(own) // _PIECES_TRIED)]]
    normal = _as_typed(vocabulary, PieceType.NORMAL)
    step = max(1, len(normal) // _PIECES_TRIED)
    texts += [f"{left}{right}" for left, right in zip(normal[::step], normal[step // 2 :: step], strict=False)]
    return texts


def _as_typed(vocabulary: Vocabulary, kind: PieceType) -> list[str]:
    return [piece.text.replace("▁", " ") for piece in vocabulary.pieces if piece.kind is kind]


class ReferenceTokenizer:
    """The tokenizer as the reference runs it: added tokens cut the text, SentencePiece takes each stretch between."""

    def __init__(self, vocabulary: Vocabulary, tokenizer_model: Path) -> None:
        model = with_space_prefix(tokenizer_model.read_bytes(), vocabulary.adds_space_prefix)
        self._processor = SentencePieceProcessor(model_proto=model)
        self._added = vocabulary.added
        # In user text (no special tokens parsed) only those added tokens count that are not control tokens.
        self._always = {
            text: number
            for text, number in vocabulary.added.items()
            if vocabulary.pieces[number].kind is PieceType.USER_DEFINED
        }

    def encode(self, text: str, *, parse_special: bool) -> list[int]:
        """The token ids of `text`, without the one that begins a sequence."""
        added = self._added if parse_special else self._always
        if not added:
            return list(self._processor.encode(text))
        pattern = "|".join(re.escape(token) for token in sorted(added, key=len, reverse=True))
        tokens: list[int] = []
        for stretch in re.split(f"({pattern})", text):
            tokens += [added[stretch]] if stretch in added else self._processor.encode(stretch)
        return tokens
