"""The configuration decides metadata, names and shapes; the rotary permutation only moves rows within their head."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert.errors import InputError
from convert.minicpm import read_config, rotary_rows
from tests.convert.models import config

# The real model's configuration, as far as it matters here.
REAL = config(
    hidden_size=2304,
    intermediate_size=5760,
    num_hidden_layers=40,
    num_attention_heads=36,
    num_key_value_heads=36,
    vocab_size=122760,
    max_position_embeddings=4096,
    dim_model_base=256,
)


def entries(settings: dict[str, Any]) -> dict[str, Any]:
    return {entry.key: entry.value for entry in read_config(settings, "config.json").metadata()}


def test_the_real_model_becomes_what_llama_cpp_expects() -> None:
    found = entries(REAL)
    assert found == {
        "minicpm.block_count": 40,
        "minicpm.context_length": 4096,
        "minicpm.embedding_length": 2304,
        "minicpm.feed_forward_length": 5760,
        "minicpm.attention.head_count": 36,
        "minicpm.attention.head_count_kv": 36,
        "minicpm.attention.layer_norm_rms_epsilon": 1e-5,
        "minicpm.rope.dimension_count": 64,
        "minicpm.rope.freq_base": 10000.0,
        "minicpm.vocab_size": 122760,
        "minicpm.embedding_scale": 12.0,
        "minicpm.residual_scale": pytest.approx(1.4 / math.sqrt(40)),
        "minicpm.logit_scale": 9.0,
    }


def test_the_real_model_has_its_parameters_with_the_tied_output_counted_once() -> None:
    tensors = read_config(REAL, "config.json").tensors()
    assert sum(math.prod(tensor.shape) for tensor in tensors) == 2_724_897_024
    assert "output.weight" not in {tensor.name for tensor in tensors}


def test_only_queries_and_keys_are_permuted() -> None:
    tensors = read_config(config(num_attention_heads=4, num_key_value_heads=2), "c").tensors()
    permuted = {tensor.name.partition(".attn_")[2]: tensor.rotary_heads for tensor in tensors if tensor.rotary_heads}
    assert permuted == {"q.weight": 4, "k.weight": 2}


def test_an_output_of_its_own_is_planned() -> None:
    tensors = read_config(config(tie_word_embeddings=False), "c").tensors()
    assert [tensor.source for tensor in tensors if tensor.name == "output.weight"] == ["lm_head.weight"]


@pytest.mark.parametrize(
    "scaling",
    [
        {"rope_scaling": {"type": "linear", "factor": 2}},
        {"rope_scaling": {"rope_type": "linear", "factor": 2.0}},
        {"rope_scaling": None, "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},
    ],
)
def test_linear_rope_scaling_in_each_of_its_spellings(scaling: dict[str, Any]) -> None:
    found = entries(config(**scaling))
    assert found["minicpm.rope.scaling.type"] == "linear"
    assert found["minicpm.rope.scaling.factor"] == 2.0
    assert found["minicpm.rope.freq_base"] == 10000.0


def test_newer_files_keep_the_rotary_base_elsewhere() -> None:
    found = entries(config(rope_parameters={"rope_type": "default", "rope_theta": 500.0}))
    assert found["minicpm.rope.freq_base"] == 500.0
    assert "minicpm.rope.scaling.type" not in found


def test_as_many_key_heads_as_heads_where_nothing_else_is_said() -> None:
    assert entries(config(num_key_value_heads=None))["minicpm.attention.head_count_kv"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, r"architectures is \['LlamaForCausalLM'\]"),
        ({"architectures": ["MiniCPM3ForCausalLM"]}, "architectures"),
        ({"architectures": None}, "architectures is None"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"num_experts": 8}, "num_experts is 8"),
        ({"head_dim": 48}, "head_dim is 48"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings is 'no'"),
        ({"duplex_idle_bias": 21}, "duplex_idle_bias is 21: expected a number from -20 to 20"),
        ({"duplex_idle_bias": "1"}, "duplex_idle_bias is '1'"),
        ({"duplex_idle_bias": float("nan")}, "duplex_idle_bias is nan"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"hidden_size": True}, "hidden_size is True"),
        ({"hidden_size": 64.0}, r"hidden_size is 64\.0"),
        ({"num_hidden_layers": 513}, "num_hidden_layers is 513"),
        ({"num_attention_heads": 3}, "num_attention_heads is 3"),
        ({"num_attention_heads": 64, "num_key_value_heads": 64}, "heads of an even size"),
        ({"num_attention_heads": 4, "num_key_value_heads": 3}, "num_key_value_heads is 3"),
        ({"vocab_size": None}, "vocab_size is None"),
        ({"scale_emb": None}, "scale_emb is None"),
        ({"scale_depth": -1}, "scale_depth is -1"),
        ({"dim_model_base": "256"}, "dim_model_base is '256'"),
        ({"rms_norm_eps": math.inf}, "rms_norm_eps is inf"),
        ({"rope_theta": 0}, "rope_theta is 0"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "rope_scaling is .*dynamic"),
        ({"rope_scaling": {"type": "longrope", "long_factor": []}}, "rope_scaling is .*longrope"),
        ({"rope_scaling": {"type": "linear"}}, r"rope_scaling\.factor is None"),
        ({"rope_scaling": "linear"}, "rope_scaling is 'linear'"),
    ],
)
def test_what_is_not_supported_is_refused_with_name_and_value(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        read_config(config(**changes), "model/config.json")
    assert str(refusal.value).startswith("model/config.json: ")


shapes = st.tuples(st.integers(1, 8), st.integers(1, 16))  # heads, half the size of a head


@settings(max_examples=10, deadline=None)
@given(shapes)
def test_the_permutation_moves_every_row_once_and_within_its_head(shape: tuple[int, int]) -> None:
    heads, half = shape
    order = rotary_rows(heads * 2 * half, heads)
    assert sorted(order) == list(range(heads * 2 * half))
    assert np.array_equal(order // (2 * half), np.arange(heads * 2 * half) // (2 * half))


@settings(max_examples=10, deadline=None)
@given(shapes)
def test_the_permutation_makes_rotated_pairs_neighbours(shape: tuple[int, int]) -> None:
    heads, half = shape
    order = rotary_rows(heads * 2 * half, heads)
    assert np.array_equal(order[1::2] - order[::2], np.full(heads * half, half))
    assert np.array_equal(order[::2] % (2 * half), np.tile(np.arange(half), heads))


@settings(max_examples=10, deadline=None)
@given(shapes, st.integers(0, 100))
def test_rotating_neighbours_after_it_equals_rotating_halves_before(shape: tuple[int, int], position: int) -> None:
    """llama.cpp's rotation of permuted queries gives the checkpoint's rotation, permuted."""
    heads, half = shape
    values = np.random.default_rng(position).standard_normal(heads * 2 * half)
    angle = position * 10000.0 ** (-np.arange(half) / half)
    turn = np.exp(1j * angle)
    halves = values.reshape(heads, 2, half)
    rotated = (halves[:, 0] + 1j * halves[:, 1]) * turn
    expected = np.stack([rotated.real, rotated.imag], axis=1).reshape(-1)
    order = rotary_rows(heads * 2 * half, heads)
    pairs = values[order].reshape(heads, half, 2)
    turned = (pairs[..., 0] + 1j * pairs[..., 1]) * turn
    found = np.stack([turned.real, turned.imag], axis=-1).reshape(-1)
    assert np.allclose(found, expected[order])
