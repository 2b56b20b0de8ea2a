"""Writes a GGUF file of MiniCPM-duplex's shape whose weights are random and quantised from the start.

    python -m benchmarks.real_shape OUT.gguf [--quant q4_k_m|q4_0] [--config CONFIG.json] [--tokenizer DIR] [--peaked]

What a model computes does not matter to a benchmark, only how much: the blocks are drawn in their quantised form, so
the file needs neither a checkpoint nor a quantiser, and takes as long as its bytes take to the disk. Tensors have the
types that llama.cpp's quantiser chooses (src/llama-quant.cpp; a test compares). The scales of the blocks give every
matrix the spread that keeps a forward pass sane, and nothing that would end a slice is ever likely: of the vocabulary
only whole words that begin with a space have rows of full size.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGUFWriter
from gguf import GGMLQuantizationType as Kind

from benchmarks.synthetic import synthetic_vocabulary
from convert.gguf_file import read_header
from convert.metadata import duplex_entries, string, uint32
from convert.minicpm import ARCHITECTURE, MiniCPM, PlannedTensor, read_config
from convert.vocabulary import ADDED_TOKENS, TOKENIZER_CONFIG, TOKENIZER_MODEL, Vocabulary, read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

# MiniCPM-duplex's own configuration, as far as it is numbers (xinrongzhang2022/MiniCPM-duplex, config.json).
REAL_CONFIG: dict[str, Any] = {
    "architectures": ["MiniCPMForCausalLM"],
    "hidden_act": "silu",
    "hidden_size": 2304,
    "intermediate_size": 5760,
    "max_position_embeddings": 4096,
    "num_attention_heads": 36,
    "num_hidden_layers": 40,
    "num_key_value_heads": 36,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "vocab_size": 122760,
    "scale_emb": 12,
    "dim_model_base": 256,
    "scale_depth": 1.4,
}
FILE_TYPES = {"q4_k_m": 15, "q4_0": 2}  # llama.cpp's `llama_ftype`
PEAKED_SPREAD = 6.0  # of the logits: then a few tokens have nearly all of the probability, as a trained model's have
_EMBEDDING_SPREAD = 0.001  # small beside what the blocks add, or the likeliest token would be the one just read
_MUTED = 1 / 64  # the size of rows that must not be sampled
_PIECE_BYTES = 16 << 20

_LAYOUTS: dict[Kind, np.dtype[Any]] = {  # ggml-common.h
    Kind.Q4_K: np.dtype([("d", "<f2"), ("dmin", "<f2"), ("scales", "u1", 12), ("qs", "u1", 128)]),
    Kind.Q6_K: np.dtype([("ql", "u1", 128), ("qh", "u1", 64), ("scales", "i1", 16), ("d", "<f2")]),
    Kind.Q5_0: np.dtype([("d", "<f2"), ("qh", "u1", 4), ("qs", "u1", 16)]),
    Kind.Q8_0: np.dtype([("d", "<f2"), ("qs", "i1", 32)]),
    Kind.Q4_0: np.dtype([("d", "<f2"), ("qs", "u1", 16)]),
}
_FALLBACKS = {Kind.Q4_K: Kind.Q5_0, Kind.Q6_K: Kind.Q8_0}  # where rows are no multiple of 256 weights
# Eight six-bit scales of 32, eight minima of 60: with dmin = 4 d the weights are 32 d (q - 7.5), whose mean is 0.
_Q4_K_SCALES = np.array([160] * 4 + [252] * 4 + [192] * 4, np.uint8)
# The spread of a block's weights for d = 1: of the whole numbers from 0 to n - 1 it is sqrt((n * n - 1) / 12).
_SPREADS = {Kind.Q4_K: 32 * 4.61, Kind.Q6_K: 2 * 18.47, Kind.Q5_0: 9.23, Kind.Q8_0: 73.9, Kind.Q4_0: 4.61}


def tensor_kind(tensor: PlannedTensor, model: MiniCPM, quant: str) -> Kind:
    """The type that llama.cpp's quantiser gives a tensor in the mix `quant`."""
    if len(tensor.shape) == 1:
        return Kind.F32
    kind = Kind.Q4_0 if quant == "q4_0" else Kind.Q4_K
    output = "token_embd.weight" if model.tied else "output.weight"
    if tensor.name == output or (quant == "q4_k_m" and _gets_more_bits(tensor.name, model.layers)):
        kind = Kind.Q6_K
    return kind if tensor.shape[1] % GGML_QUANT_SIZES[kind][0] == 0 else _FALLBACKS[kind]


def _gets_more_bits(name: str, layers: int) -> bool:
    if not name.endswith(("attn_v.weight", "ffn_down.weight")):
        return False
    layer, eighth = int(name.split(".")[1]), layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def write_model(
    path: Path,
    config: dict[str, Any],
    *,
    quant: str = "q4_k_m",
    tokenizer: Path | None = None,
    name: str = "random weights",
    seed: int = 0,
    progress: Callable[[float], None] = lambda _share: None,
) -> MiniCPM:
    """Writes the file, streaming; `tokenizer` is a folder with the real one's files, None makes a vocabulary up.

    Raises ValueError for a `quant` it cannot write or rows of no multiple of 32 weights, OSError where the disk does.
    """
    if quant not in FILE_TYPES:
        raise ValueError(f"{quant} cannot be written: use one of {', '.join(FILE_TYPES)}")
    model = read_config(config, "the configuration")
    if model.hidden % 32 or model.ffn % 32:
        raise ValueError("hidden and FFN size must be multiples of 32")
    vocabulary = synthetic_vocabulary(model.vocabulary) if tokenizer is None else _real(tokenizer, model.vocabulary)
    plan = [(tensor, tensor_kind(tensor, model, quant)) for tensor in model.tensors()]
    _write_header(path, model, vocabulary, plan, quant, name)
    offsets = read_header(path, complete=False).tensors
    muted = _muted_rows(vocabulary)
    random = np.random.Generator(np.random.SFC64(seed))
    total, done = sum(_size(tensor.shape, kind) for tensor, kind in plan), 0
    with path.open("r+b") as file:
        for tensor, kind in plan:
            file.seek(offsets[tensor.name].offset)
            for piece in _blocks(random, tensor, kind, muted):
                file.write(piece)
                done += len(piece)
                progress(done / total)
    return model


def set_logit_spread(path: Path, config: dict[str, Any], spread: float | None) -> None:
    """Rewrites, in place, the number that logits are divided by, so that their standard deviation becomes `spread`.

    None: the model's own, which leaves random weights' logits flat. The file must be one of `write_model`'s.
    """
    model = read_config(config, "the configuration")
    scale = model.logit_scale if spread is None else math.sqrt(model.hidden) * _EMBEDDING_SPREAD / spread
    key = b"minicpm.logit_scale"
    with path.open("r+b") as file:
        place = file.read(1 << 16).index(key) + len(key) + 4  # behind the key stands the value's type
        file.seek(place)
        file.write(struct.pack("<f", scale))


def _real(folder: Path, size: int) -> Vocabulary:
    names = (TOKENIZER_MODEL, TOKENIZER_CONFIG, ADDED_TOKENS)
    return read_vocabulary({name: folder / name for name in names if (folder / name).exists()}, size)


def _write_header(
    path: Path,
    model: MiniCPM,
    vocabulary: Vocabulary,
    plan: list[tuple[PlannedTensor, Kind]],
    quant: str,
    name: str,
) -> None:
    logging.getLogger("gguf").setLevel(logging.WARNING)
    entries = [
        string("general.name", name),
        uint32("general.file_type", FILE_TYPES[quant]),
        uint32("general.quantization_version", 2),
        *model.metadata(),
        *vocabulary.metadata(),
        *duplex_entries(
            user_marker=vocabulary.user_marker,
            assistant_marker=vocabulary.assistant_marker,
            idle_token_id=vocabulary.idle_id,
            source=name,
            revision=None,
        ),
    ]
    writer = GGUFWriter(path, ARCHITECTURE)
    try:
        for entry in entries:
            writer.add_key_value(entry.key, entry.value, entry.kind, entry.item)
        for tensor, kind in plan:
            writer.add_tensor_info(
                tensor.name, tensor.shape, np.dtype(np.float32), _size(tensor.shape, kind), raw_dtype=kind
            )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()
    records = read_header(path, complete=False).tensors
    os.truncate(path, max(records[tensor.name].offset + _size(tensor.shape, kind) for tensor, kind in plan))


def _size(shape: tuple[int, ...], kind: Kind) -> int:
    weights, size = GGML_QUANT_SIZES[kind]
    return math.prod(shape) // int(weights) * int(size)


def _muted_rows(vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Rows of tokens that would end a slice, stop in the middle of a character or join words into one."""
    texts = (piece.text for piece in vocabulary.pieces)
    return np.array([not (text[:1] == "▁" and text[1:].isalpha()) for text in texts], np.bool_)


def _blocks(
    random: np.random.Generator, tensor: PlannedTensor, kind: Kind, muted: NDArray[np.bool_]
) -> Iterator[bytes]:
    if kind is Kind.F32:
        yield np.ones(tensor.shape, "<f4").tobytes()  # the norms
        return
    rows, columns = tensor.shape
    by_token = tensor.name in ("token_embd.weight", "output.weight")
    spread = _EMBEDDING_SPREAD if by_token else 1 / math.sqrt(columns)
    a_row = columns // GGML_QUANT_SIZES[kind][0]  # blocks
    step = max(1, _PIECE_BYTES // (a_row * _LAYOUTS[kind].itemsize))
    for start in range(0, rows, step):
        count = min(step, rows - start)
        blocks = _draw(random, kind, count * a_row, spread)
        if by_token:
            quiet = np.repeat(muted[start : start + count], a_row)
            for field in ("d", "dmin"):
                if field in (blocks.dtype.names or ()):
                    blocks[field][quiet] *= np.float16(_MUTED)
        yield blocks.tobytes()


def _draw(random: np.random.Generator, kind: Kind, count: int, spread: float) -> NDArray[Any]:
    """`count` random blocks of weights with mean 0 and standard deviation `spread`."""
    layout = _LAYOUTS[kind]
    blocks = np.frombuffer(bytearray(random.bytes(count * layout.itemsize)), layout)
    scale = np.float16(spread / _SPREADS[kind])
    if kind is Kind.Q4_K:
        blocks["d"], blocks["dmin"], blocks["scales"] = scale, 4 * scale, _Q4_K_SCALES
        return blocks
    # The other types' whole numbers have a mean of -1/2: signs that alternate take it out.
    if kind is Kind.Q6_K:
        blocks["scales"] = np.tile(np.array([2, -2], np.int8), 8)
        blocks["d"] = scale
    else:
        blocks["d"] = np.where(np.arange(count) % 2, scale, -scale)
    return blocks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quant", choices=tuple(FILE_TYPES), default="q4_k_m")
    parser.add_argument("--config", type=Path, help="a config.json; default: MiniCPM-duplex's numbers")
    parser.add_argument("--tokenizer", type=Path, help="folder with the real tokenizer's files; default: a made-up one")
    parser.add_argument("--peaked", action="store_true", help="logits as sharp as a trained model's")
    options = parser.parse_args()
    config = json.loads(options.config.read_text(encoding="utf-8")) if options.config else REAL_CONFIG
    write_model(
        options.out,
        config,
        quant=options.quant,
        tokenizer=options.tokenizer,
        progress=lambda share: print(f"\r{share:4.0%}", end="", file=sys.stderr, flush=True),
    )
    if options.peaked:
        set_logit_spread(options.out, config, PEAKED_SPREAD)
    print(f"\r{options.out}: {options.out.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
