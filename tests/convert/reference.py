"""MiniCPM's forward pass in NumPy, written from the description of the architecture (arXiv 2406.15718 builds on it;
arXiv 2404.06395 has the scalings). Knows a checkpoint's names; knows nothing of GGUF or llama.cpp. Computes in float64.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def logits(weights: Mapping[str, NDArray[Any]], config: Mapping[str, Any], tokens: Sequence[int]) -> NDArray[Any]:
    """Logits after each of `tokens`: an array of (tokens, vocabulary)."""
    at = {name: values.astype(np.float64) for name, values in weights.items()}
    embedding = at["model.embed_tokens.weight"]
    depth = config["scale_depth"] / math.sqrt(config["num_hidden_layers"])
    epsilon = config["rms_norm_eps"]

    state = embedding[list(tokens)] * config["scale_emb"]
    for layer in range(config["num_hidden_layers"]):
        block = f"model.layers.{layer}"
        normed = _norm(state, at[f"{block}.input_layernorm.weight"], epsilon)
        state = state + depth * _attention(normed, at, f"{block}.self_attn", config)
        normed = _norm(state, at[f"{block}.post_attention_layernorm.weight"], epsilon)
        gate = normed @ at[f"{block}.mlp.gate_proj.weight"].T
        up = normed @ at[f"{block}.mlp.up_proj.weight"].T
        state = state + depth * ((gate / (1 + np.exp(-gate)) * up) @ at[f"{block}.mlp.down_proj.weight"].T)
    state = _norm(state, at["model.norm.weight"], epsilon)
    output = at.get("lm_head.weight", embedding)
    return np.asarray(state / (config["hidden_size"] / config["dim_model_base"]) @ output.T)


def _norm(state: NDArray[Any], weight: NDArray[Any], epsilon: float) -> NDArray[Any]:
    return np.asarray(state / np.sqrt((state**2).mean(axis=-1, keepdims=True) + epsilon) * weight)


def _attention(
    state: NDArray[Any], at: Mapping[str, NDArray[Any]], name: str, config: Mapping[str, Any]
) -> NDArray[Any]:
    length, heads, kv_heads = len(state), config["num_attention_heads"], config["num_key_value_heads"]
    size = config["hidden_size"] // heads

    def project(which: str, count: int) -> NDArray[Any]:
        return np.asarray((state @ at[f"{name}.{which}_proj.weight"].T).reshape(length, count, size).swapaxes(0, 1))

    query, key, value = project("q", heads), project("k", kv_heads), project("v", kv_heads)
    query, key = _rotate(query, config), _rotate(key, config)
    # Grouped queries: consecutive query heads share a key head.
    key, value = (np.repeat(array, heads // kv_heads, axis=0) for array in (key, value))
    scores = query @ key.swapaxes(1, 2) / math.sqrt(size)
    scores[:, np.triu(np.ones((length, length), dtype=bool), 1)] = -np.inf
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (scores / scores.sum(axis=-1, keepdims=True)) @ value
    return np.asarray(mixed.swapaxes(0, 1).reshape(length, -1) @ at[f"{name}.o_proj.weight"].T)


def _rotate(heads: NDArray[Any], config: Mapping[str, Any]) -> NDArray[Any]:
    """Rotary positions: component j of a head turns together with component j + half."""
    half = heads.shape[-1] // 2
    scaling = config.get("rope_scaling") or {"factor": 1.0}
    frequencies = config.get("rope_theta", 10000.0) ** (-np.arange(half) / half)
    angles = np.arange(heads.shape[1])[:, None] / scaling["factor"] * frequencies
    first, second = heads[..., :half], heads[..., half:]
    cosine, sine = np.cos(angles), np.sin(angles)
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)
