"""Makes small checkpoints of the architecture: a tokenizer written by hand, random weights, any of the file forms."""

from __future__ import annotations

import functools
import json
import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.minicpm import read_config
from tests.convert.torch_zip import Tensor, write_torch_zip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Floats = dict[str, "NDArray[np.float32]"]

TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{'<用户>' + message['content'].strip() + '<AI>'}}"
    "{% else %}{{message['content'].strip()}}{% endif %}{% endfor %}"
)
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
_MERGES = ["th", "▁the", "▁th", "in", "▁a", "er", "▁<", ",<", "用户", "AI", "he", "on", "▁AI"]
PIECES: list[tuple[str, int]] = [
    ("<unk>", UNKNOWN),
    ("<s>", CONTROL),
    ("</s>", CONTROL),
    ("\n", USER_DEFINED),
    ("<td>", USER_DEFINED),
    ("▁▁", USER_DEFINED),
    *((f"<0x{byte:02X}>", BYTE) for byte in range(256)),
    *((piece, NORMAL) for piece in _MERGES),
    *((character, NORMAL) for character in "▁abcdefghijklmnopqrstuvwxyzAI<>/.,!?'用户"),
]
ADDED = {"<idle>": len(PIECES), "<s0>": len(PIECES) + 1}
VOCABULARY = len(PIECES) + len(ADDED)


def config(**changes: Any) -> dict[str, Any]:
    """A model with 32 inputs a head, two heads, two layers."""
    return {
        "architectures": ["MiniCPMForCausalLM"],
        "hidden_act": "silu",
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5,
        "rope_scaling": None,
        "vocab_size": VOCABULARY,
        "scale_emb": 12,
        "dim_model_base": 16,
        "scale_depth": 1.4,
        **changes,
    }


def sentencepiece_model(pieces: Sequence[tuple[str, int]] = PIECES, **settings: int) -> bytes:
    """A serialised BPE model with MiniCPM's settings: earlier merges score higher."""
    return _sentencepiece_model(tuple(pieces), tuple(settings.items()))


@functools.cache
def _sentencepiece_model(pieces: Sequence[tuple[str, int]], settings: Sequence[tuple[str, int]]) -> bytes:
    values = {"model_type": 2, "byte_fallback": 1, "whitespace_suffix": 0, "prefix": 0, "strip": 0, "escape": 1}
    values.update(settings)
    data = b""
    for number, (text, kind) in enumerate(pieces):
        score = struct.pack("<f", -float(number) if kind == NORMAL else 0.0)
        data += _field(1, _field(1, text.encode()) + bytes([2 << 3 | 5]) + score + _number(3, kind))
    trainer = _number(3, values["model_type"]) + _number(35, values["byte_fallback"])
    data += _field(2, trainer + _number(24, values["whitespace_suffix"]))
    normalizer = _field(1, b"identity") + _number(3, values["prefix"]) + _number(4, values["strip"])
    return data + _field(3, normalizer + _number(5, values["escape"]))


def tokenizer_config(**changes: Any) -> dict[str, Any]:
    added = {"<unk>": 0, "<s>": 1, "</s>": 2, **ADDED}
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "add_prefix_space": False,
        "bos_token": "<s>",
        "eos_token": {"content": "</s>"},
        "added_tokens_decoder": {str(number): {"content": text, "special": False} for text, number in added.items()},
        "chat_template": TEMPLATE,
        **changes,
    }


def random_weights(settings: Mapping[str, Any], seed: int = 0) -> Floats:
    """Weights that are exact in all three float types: small multiples of a power of two."""
    random = np.random.default_rng(seed)
    weights: Floats = {}
    for tensor in read_config(dict(settings), "config").tensors():
        values = random.integers(-64, 64, tensor.shape).astype(np.float32)
        weights[tensor.source] = values / np.float32(512) if len(tensor.shape) > 1 else 1 + values / np.float32(128)
    return weights


def write_folder(
    folder: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    weights: Floats | None = None,
    dtype: str = "f32",
    form: str = "safetensors",
) -> Path:
    """A complete checkpoint in `folder`; `form` is safetensors or bin, or either with `sharded-` before it."""
    settings = config() if settings is None else settings
    weights = random_weights(settings) if weights is None else weights
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", settings)
    write_json(folder / "tokenizer_config.json", tokenizer_config())
    write_json(folder / "added_tokens.json", ADDED)
    (folder / "tokenizer.model").write_bytes(sentencepiece_model())
    kind = form.removeprefix("sharded-")
    stem, suffix = ("model", "safetensors") if kind == "safetensors" else ("pytorch_model", "bin")
    write = write_safetensors if kind == "safetensors" else write_bin
    if form == kind:
        write(folder / f"{stem}.{suffix}", weights, dtype)
        return folder
    names = sorted(weights)
    shards = {f"{stem}-{number + 1:05d}-of-00002.{suffix}": names[number::2] for number in range(2)}
    for shard, held in shards.items():
        write(folder / shard, {name: weights[name] for name in held}, dtype)
    placed = {name: shard for shard, held in shards.items() for name in held}
    write_json(folder / f"{stem}.{suffix}.index.json", {"metadata": {}, "weight_map": placed})
    return folder


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def write_safetensors(path: Path, weights: Floats, dtype: str) -> None:
    """By hand, so that bfloat16 needs no further package (a test reads what the library itself writes)."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, values in weights.items():
        start = len(data)
        data += as_bytes(values, dtype)
        header[name] = {"dtype": dtype.upper(), "shape": list(values.shape), "data_offsets": [start, len(data)]}
    write_safetensors_parts(path, header, data)


def write_safetensors_parts(path: Path, header: Any, data: bytes) -> None:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def write_bin(path: Path, weights: Floats, dtype: str) -> None:
    keys = {name: str(number) for number, name in enumerate(weights)}
    write_torch_zip(
        path,
        {name: Tensor(dtype, values.shape, keys[name], values.size) for name, values in weights.items()},
        {keys[name]: [as_bytes(values, dtype)] for name, values in weights.items()},
    )


def as_bytes(values: NDArray[np.float32], dtype: str) -> bytes:
    """The values in one of the float types; they must be exact in it (bf16 is cut, not rounded)."""
    if dtype == "bf16":
        bits: NDArray[Any] = (values.astype("<f4").view("<u4") >> np.uint32(16)).astype("<u2")
        return bits.tobytes()
    return values.astype("<f2" if dtype == "f16" else "<f4").tobytes()


def parameters(weights: Floats) -> int:
    return sum(math.prod(values.shape) for values in weights.values())


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes([*data, value])
