"""Writes a tiny model with random weights in MiniCPM's architecture: a real GGUF file for tests with a real context.

Its words mean nothing. Its vocabulary has what a duplex model's has: byte tokens, the markers' pieces, `<idle>` as a
control token, and the `duplex.*` keys. Also `logits`, for tests that compare contexts to the last bit.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import gguf
import llama_cpp.llama_cpp as api
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from edge_server.llama import Context

LAYERS, HIDDEN, HEADS, FEED_FORWARD = 3, 64, 2, 96

_WORDS = (
    "the of and to in is you that it he was for on are as with his they at be this have from or one had by word",
    "but not what all were we when your can said there use an each which she do how their if will up other about out",
    "many then them these so some her would make like him into time has look two more write go see number no",
    "way could people",
)
_LETTERS = [chr(code) for code in range(0x20, 0x7F) if chr(code) != " "]


Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def vocabulary() -> list[tuple[bytes, float, gguf.TokenType]]:
    """Pieces, scores and types in order of id: controls, bytes, then text (a longer piece has a better score)."""
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    rows = [(b"<unk>", 0.0, gguf.TokenType.UNKNOWN), (b"<s>", 0.0, control), (b"</s>", 0.0, control)]
    rows += [(b"<0x%02X>" % byte, 0.0, gguf.TokenType.BYTE) for byte in range(256)]
    single = ["▁", *_LETTERS, "用", "户", "，", "。"]
    pairs = ["用户", "▁<", "AI", ",<"]
    # Byte pair merges need every prefix of a word to be a piece.
    words = sorted(
        {prefix for word in " ".join(_WORDS).split() for prefix in _prefixes("▁" + word) + _prefixes(word)},
        key=lambda word: (len(word), word),  # the same file in every run
    )
    pieces = list(dict.fromkeys([*single, *pairs, *words]))
    rows += [(piece.encode(), float(len(piece)), normal) for piece in pieces]
    rows.append((b"<idle>", 0.0, control))
    return rows


def _prefixes(word: str) -> list[str]:
    return [word[:end] for end in range(1, len(word) + 1)]


def write_tiny_gguf(
    path: Path, *, duplex: bool = True, n_ctx_train: int = 512, seed: int = 1, extra: dict[str, str] | None = None
) -> Path:
    """Writes the model (600 kB, float32) and any `extra` keys; without `duplex` no idle token, like a plain MiniCPM."""
    rows = vocabulary()
    writer = gguf.GGUFWriter(path, "minicpm")
    writer.add_name("tiny")
    writer.add_context_length(n_ctx_train)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_embedding_scale(12.0)
    writer.add_residual_scale(1.4 / LAYERS**0.5)
    writer.add_logit_scale(0.25)
    writer.add_vocab_size(len(rows))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([piece for piece, _, _ in rows])
    writer.add_token_scores([score for _, score, _ in rows])
    writer.add_token_types([kind for _, _, kind in rows])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_uint32("duplex.version", 1)
    writer.add_string("duplex.user_marker", "<用户>")
    writer.add_string("duplex.assistant_marker", "<AI>")
    if duplex:
        writer.add_uint32("duplex.idle_token_id", len(rows) - 1)
    writer.add_float32("duplex.slice_seconds", 2.0)
    writer.add_uint32("duplex.slice_tokens", 10)
    writer.add_string("duplex.source", "tiny")
    for key, value in (extra or {}).items():
        writer.add_string(key, value)
    for name, tensor in _weights(len(rows), seed):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _weights(n_vocab: int, seed: int) -> list[tuple[str, Floats]]:
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, spread: float) -> Floats:
        weights: Floats = (random.standard_normal((rows, columns)) * spread / columns**0.5).astype(np.float32)
        return weights

    norm = np.ones(HIDDEN, np.float32)
    tensors = [("token_embd.weight", matrix(n_vocab, HIDDEN, 1.0)), ("output_norm.weight", norm)]
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        tensors += [(f"{block}.attn_norm.weight", norm), (f"{block}.ffn_norm.weight", norm)]
        # Sharp attention and a strong feed-forward: a wrong or misplaced cell must change the words.
        tensors += [(f"{block}.attn_{name}.weight", matrix(HIDDEN, HIDDEN, 2.0)) for name in ("q", "k", "v", "output")]
        tensors += [(f"{block}.ffn_{name}.weight", matrix(FEED_FORWARD, HIDDEN, 1.5)) for name in ("gate", "up")]
        tensors += [(f"{block}.ffn_down.weight", matrix(HIDDEN, FEED_FORWARD, 1.5))]
    return tensors


def logits(context: Context) -> Floats:
    """A copy of the logits of the last decode call, shape (n_vocab,)."""
    row = api.llama_get_logits_ith(context.pointer, -1)
    pointer = ctypes.cast(row, ctypes.POINTER(ctypes.c_float))
    copy: Floats = np.ctypeslib.as_array(pointer, shape=(context.model.n_vocab,)).copy()
    return copy
