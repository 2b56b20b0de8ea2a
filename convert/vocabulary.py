"""The tokenizer of a checkpoint as GGUF wants it: pieces, scores, types and flags. Knows `tokenizer.model` and what
Hugging Face's files add to it; does not know the weights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gguf import GGUFValueType

from convert.errors import InputError
from convert.json_file import read_json_object
from convert.metadata import Entry, array, boolean, string, uint32
from convert.sentencepiece_model import Piece, PieceType, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOKENIZER_MODEL = "tokenizer.model"
TOKENIZER_CONFIG = "tokenizer_config.json"
ADDED_TOKENS = "added_tokens.json"
CHAT_TEMPLATE = "chat_template.jinja"
IDLE = "<idle>"

MINICPM_MARKERS = ("<用户>", "<AI>")
_SPACE = "▁"  # how SentencePiece writes a space inside a piece
_ADDED_SCORE = -1000.0  # never wins a merge

# The one form of chat template whose slices this project can lay out: marker, user's text, marker, assistant's text.
_MINICPM_TEMPLATE = re.compile(
    r"""\{%-?\s*for message in messages\s*-?%\}\s*"""
    r"""\{%-?\s*if message\[['"]role['"]\]\s*==\s*['"]user['"]\s*-?%\}\s*"""
    r"""\{\{-?\s*(?P<q1>['"])(?P<user>[^'"]+)(?P=q1)\s*\+\s*message\[['"]content['"]\]\.strip\(\)"""
    r"""\s*\+\s*(?P<q2>['"])(?P<assistant>[^'"]+)(?P=q2)\s*-?\}\}\s*"""
    r"""\{%-?\s*else\s*-?%\}\s*"""
    r"""\{\{-?\s*message\[['"]content['"]\]\.strip\(\)\s*-?\}\}\s*"""
    r"""\{%-?\s*endif\s*-?%\}\s*\{%-?\s*endfor\s*-?%\}\s*"""
)


@dataclass(frozen=True)
class Vocabulary:
    """What decides how text becomes tokens. Lists are in the order of token ids.

    `added` are the texts that Hugging Face cuts out of a text before SentencePiece sees the rest, with their ids.
    `chat_template` is None where the checkpoint has none; the markers are then MiniCPM's.
    """

    pieces: list[Piece]
    added: dict[str, int]
    bos_id: int
    eos_id: int
    unknown_id: int
    adds_bos: bool
    adds_eos: bool
    adds_space_prefix: bool
    chat_template: str | None
    user_marker: str
    assistant_marker: str

    @property
    def idle_id(self) -> int | None:
        """The id of the token that says "nothing in this slice"; None for a tokenizer that was not made for duplex."""
        return self.added.get(IDLE)

    def metadata(self) -> list[Entry]:
        """The `tokenizer.*` entries, as llama.cpp's SentencePiece tokenizer ("llama") reads them."""
        entries = [
            string("tokenizer.ggml.model", "llama"),
            string("tokenizer.ggml.pre", "default"),
            array("tokenizer.ggml.tokens", [_as_written(piece) for piece in self.pieces], GGUFValueType.STRING),
            array("tokenizer.ggml.scores", [piece.score for piece in self.pieces], GGUFValueType.FLOAT32),
            array("tokenizer.ggml.token_type", [int(piece.kind) for piece in self.pieces], GGUFValueType.INT32),
            uint32("tokenizer.ggml.bos_token_id", self.bos_id),
            uint32("tokenizer.ggml.eos_token_id", self.eos_id),
            uint32("tokenizer.ggml.unknown_token_id", self.unknown_id),
            boolean("tokenizer.ggml.add_bos_token", self.adds_bos),
            boolean("tokenizer.ggml.add_eos_token", self.adds_eos),
            boolean("tokenizer.ggml.add_space_prefix", self.adds_space_prefix),
        ]
        if self.chat_template is not None:
            entries.append(string("tokenizer.chat_template", self.chat_template))
        return entries


def read_vocabulary(files: Mapping[str, Path], vocab_size: int) -> Vocabulary:
    """Reads the tokenizer's files (file name to path; only `tokenizer.model` must be there).

    `vocab_size` is the number of rows of the embedding. Raises `InputError` where the files contradict each other or
    ask for what llama.cpp cannot do.
    """
    path = files[TOKENIZER_MODEL]
    model = read_model(path)
    settings = read_json_object(files[TOKENIZER_CONFIG]) if TOKENIZER_CONFIG in files else {}
    pieces = list(model.pieces)
    added = _added_tokens(files, settings)
    for text, number in sorted(added.items(), key=lambda item: item[1]):
        if number < len(model.pieces):
            pieces[number] = _checked_piece(path, pieces[number], text, number, settings)
            continue
        if number != len(pieces):
            raise InputError(
                f"{path.parent}: added token {text!r} has id {number}, but {len(pieces)} is the next free one"
            )
        # CONTROL, whatever the checkpoint's `special` flag says: llama.cpp reads a CONTROL token only where the caller
        # asks for special tokens, so the server can write <idle> and user text that spells it stays plain text. As
        # USER_DEFINED it would be matched in any text, and a user could put silence into the model's mouth.
        pieces.append(Piece(text, _ADDED_SCORE, PieceType.CONTROL))
    if len(pieces) != vocab_size:
        raise InputError(
            f"{path.parent}: the tokenizer has {len(pieces):,} tokens and config.json says vocab_size {vocab_size:,}; "
            f"is {ADDED_TOKENS} or {TOKENIZER_CONFIG} missing? (--tokenizer DIR says where they are)"
        )
    if len({piece.text for piece in pieces}) != len(pieces):
        raise InputError(f"{path.parent}: a token occurs twice in the vocabulary")

    ids = {piece.text: number for number, piece in enumerate(pieces)}
    template, user_marker, assistant_marker = _chat_template(files, settings)
    unknown = [number for number, piece in enumerate(pieces) if piece.kind is PieceType.UNKNOWN]
    if len(unknown) != 1:
        raise InputError(f"{path}: has {len(unknown)} unknown tokens, not 1")
    bos_id = _token_id(path.parent, settings, ids, "bos_token", "<s>")
    eos_id = _token_id(path.parent, settings, ids, "eos_token", "</s>")
    # The tokenizer class treats these three as added tokens even where no file lists them.
    added |= {pieces[number].text: number for number in (*unknown, bos_id, eos_id)}
    return Vocabulary(
        pieces=pieces,
        added=added,
        bos_id=bos_id,
        eos_id=eos_id,
        unknown_id=unknown[0],
        adds_bos=_flag(files, settings, "add_bos_token", True),
        adds_eos=_flag(files, settings, "add_eos_token", False),
        # The reference's (fast) tokenizer goes by this setting and ignores the model's; without it the model decides.
        adds_space_prefix=_flag(files, settings, "add_prefix_space", model.adds_space_prefix),
        chat_template=template,
        user_marker=user_marker,
        assistant_marker=assistant_marker,
    )


def _as_written(piece: Piece) -> str:
    # llama.cpp looks for user-defined pieces in the text before it writes spaces as SentencePiece does.
    return piece.text.replace(_SPACE, " ") if piece.kind is PieceType.USER_DEFINED else piece.text


def _added_tokens(files: Mapping[str, Path], settings: dict[str, Any]) -> dict[str, int]:
    """Text to id, from both of the places that Hugging Face keeps them in."""
    added: dict[str, int] = {}
    if ADDED_TOKENS in files:
        for text, number in read_json_object(files[ADDED_TOKENS]).items():
            if type(number) is not int or number < 0 or not text:
                raise InputError(f"{files[ADDED_TOKENS]}: token {text!r} has the id {number!r}")
            added[text] = number
    listed = settings.get("added_tokens_decoder", {})
    if not isinstance(listed, dict):
        raise InputError(f"{files[TOKENIZER_CONFIG]}: added_tokens_decoder is not an object")
    for key, token in listed.items():
        if not key.isdecimal() or not isinstance(token, dict) or not isinstance(token.get("content"), str):
            raise InputError(f"{files[TOKENIZER_CONFIG]}: added token {key!r} is damaged")
        text = token["content"]
        for behaviour in ("lstrip", "rstrip", "single_word"):
            if token.get(behaviour):
                raise InputError(f"{files[TOKENIZER_CONFIG]}: added token {text!r} has {behaviour} true; not supported")
        if added.setdefault(text, int(key)) != int(key):
            raise InputError(f"{files[TOKENIZER_CONFIG]}: {text!r} is {key} here and {added[text]} in {ADDED_TOKENS}")
    if len(set(added.values())) != len(added):
        raise InputError(f"{files[TOKENIZER_MODEL].parent}: two added tokens have the same id")
    return added


def _checked_piece(path: Path, piece: Piece, text: str, number: int, settings: dict[str, Any]) -> Piece:
    """An added token that repeats a piece of the model: it must be that piece, and is always taken whole."""
    if piece.text != text:
        raise InputError(f"{path}: token {number} is {piece.text!r} in the model and {text!r} among the added tokens")
    if piece.kind in (PieceType.UNKNOWN, PieceType.CONTROL):
        return piece
    special = settings.get("added_tokens_decoder", {}).get(str(number), {}).get("special", False)
    return Piece(text, piece.score, PieceType.CONTROL if special or text == IDLE else PieceType.USER_DEFINED)


def _token_id(folder: Path, settings: dict[str, Any], ids: dict[str, int], name: str, default: str) -> int:
    token = settings.get(name, default)
    text = token.get("content") if isinstance(token, dict) else token
    if not isinstance(text, str) or text not in ids:
        raise InputError(f"{folder}: {name} is {text!r}, which is not in the vocabulary")
    return ids[text]


def _flag(files: Mapping[str, Path], settings: dict[str, Any], name: str, default: bool) -> bool:
    value = settings.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InputError(f"{files[TOKENIZER_CONFIG]}: {name} is {value!r}, neither true nor false")
    return value


def _chat_template(files: Mapping[str, Path], settings: dict[str, Any]) -> tuple[str | None, str, str]:
    """The template and its two markers."""
    template = settings.get("chat_template")
    where = files.get(TOKENIZER_CONFIG)
    if template is None and CHAT_TEMPLATE in files:
        where = files[CHAT_TEMPLATE]
        template = where.read_text(encoding="utf-8")
    if template is None:
        return None, *MINICPM_MARKERS
    match = _MINICPM_TEMPLATE.fullmatch(template.strip()) if isinstance(template, str) else None
    if match is None:
        raise InputError(
            f"{where}: its chat template does not have MiniCPM's form (marker, user's text, marker, assistant's text), "
            "so the server could not lay out slices with it"
        )
    return template, match["user"], match["assistant"]
