"""The architecture: `config.json` to GGUF metadata, and which tensor goes where. Pure: reads no file and no weight.

Facts about the model are the reference's (arXiv 2406.15718 and MiniCPM's configuration); facts about GGUF are what
llama.cpp's `minicpm` architecture reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.errors import InputError
from convert.metadata import Entry, float32, string, uint32

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARCHITECTURE = "minicpm"
CONFIG = "config.json"
_CLASS = "MiniCPMForCausalLM"
_MAX_LAYERS = 512  # llama.cpp's own limit


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor of the GGUF file. `shape` is rows first, as in the checkpoint (GGUF itself lists it reversed).

    `rotary_heads` is the number of heads whose rows change places, 0 where the rows are copied as they are.
    """

    name: str
    source: str
    shape: tuple[int, ...]
    rotary_heads: int = 0


@dataclass(frozen=True)
class MiniCPM:
    """The numbers of one model; sizes in elements."""

    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int
    norm_epsilon: float
    rope_base: float
    rope_linear_factor: float | None
    embedding_scale: float
    residual_scale: float
    logit_scale: float
    tied: bool
    idle_bias: float = 0.0  # that it is to be run with; of our own, other checkpoints have none

    @property
    def head(self) -> int:
        return self.hidden // self.heads

    def metadata(self) -> list[Entry]:
        """The `minicpm.*` entries.

        llama.cpp multiplies embeddings by `embedding_scale` and each block's output by `residual_scale`, and divides
        logits by `logit_scale`.
        """
        entries = [
            uint32("minicpm.block_count", self.layers),
            uint32("minicpm.context_length", self.context),
            uint32("minicpm.embedding_length", self.hidden),
            uint32("minicpm.feed_forward_length", self.ffn),
            uint32("minicpm.attention.head_count", self.heads),
            uint32("minicpm.attention.head_count_kv", self.kv_heads),
            float32("minicpm.attention.layer_norm_rms_epsilon", self.norm_epsilon),
            uint32("minicpm.rope.dimension_count", self.head),
            float32("minicpm.rope.freq_base", self.rope_base),
            uint32("minicpm.vocab_size", self.vocabulary),
            float32("minicpm.embedding_scale", self.embedding_scale),
            float32("minicpm.residual_scale", self.residual_scale),
            float32("minicpm.logit_scale", self.logit_scale),
        ]
        if self.rope_linear_factor is not None:
            entries.append(string("minicpm.rope.scaling.type", "linear"))
            entries.append(float32("minicpm.rope.scaling.factor", self.rope_linear_factor))
        return entries

    def tensors(self) -> list[PlannedTensor]:
        """Every tensor of the file, in its order. A tied output is not among them: llama.cpp takes the embedding."""
        plan = [
            PlannedTensor("token_embd.weight", EMBEDDING, (self.vocabulary, self.hidden)),
            PlannedTensor("output_norm.weight", "model.norm.weight", (self.hidden,)),
        ]
        if not self.tied:
            plan.append(PlannedTensor("output.weight", OUTPUT, (self.vocabulary, self.hidden)))
        kv_rows = self.kv_heads * self.head
        for layer in range(self.layers):
            block, source = f"blk.{layer}", f"model.layers.{layer}"
            plan += [
                PlannedTensor(f"{block}.attn_norm.weight", f"{source}.input_layernorm.weight", (self.hidden,)),
                PlannedTensor(
                    f"{block}.attn_q.weight", f"{source}.self_attn.q_proj.weight", (self.hidden,) * 2, self.heads
                ),
                PlannedTensor(
                    f"{block}.attn_k.weight",
                    f"{source}.self_attn.k_proj.weight",
                    (kv_rows, self.hidden),
                    self.kv_heads,
                ),
                PlannedTensor(f"{block}.attn_v.weight", f"{source}.self_attn.v_proj.weight", (kv_rows, self.hidden)),
                PlannedTensor(f"{block}.attn_output.weight", f"{source}.self_attn.o_proj.weight", (self.hidden,) * 2),
                PlannedTensor(f"{block}.ffn_norm.weight", f"{source}.post_attention_layernorm.weight", (self.hidden,)),
                PlannedTensor(f"{block}.ffn_gate.weight", f"{source}.mlp.gate_proj.weight", (self.ffn, self.hidden)),
                PlannedTensor(f"{block}.ffn_up.weight", f"{source}.mlp.up_proj.weight", (self.ffn, self.hidden)),
                PlannedTensor(f"{block}.ffn_down.weight", f"{source}.mlp.down_proj.weight", (self.hidden, self.ffn)),
            ]
        return plan


EMBEDDING = "model.embed_tokens.weight"
OUTPUT = "lm_head.weight"


def is_derived(name: str) -> bool:
    """Whether a checkpoint's tensor holds nothing that the configuration does not say (old files keep such tables)."""
    return name.endswith(".rotary_emb.inv_freq")


def read_config(config: dict[str, Any], where: str) -> MiniCPM:
    """The architecture that a `config.json` describes.

    Raises `InputError`, naming `where`, the setting and its value, for another architecture or a variant of this one
    that cannot be converted faithfully.
    """
    return _Reader(config, where).model()


def rotary_rows(rows: int, heads: int) -> NDArray[np.intp]:
    """The order in which a Q or K matrix's `rows` are written: entry i is the row that comes to place i.

    The checkpoint rotates row j of a head with row j + half; llama.cpp rotates neighbours. So each head's first and
    second half are interleaved.
    """
    halves = np.arange(rows, dtype=np.intp).reshape(heads, 2, rows // heads // 2)
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows)


class _Reader:
    def __init__(self, config: dict[str, Any], where: str) -> None:
        self._config = config
        self._where = where

    def model(self) -> MiniCPM:
        if self._config.get("architectures") != [_CLASS]:
            raise self._refuse("architectures", f"only [{_CLASS!r}] can be converted")
        self._must_be("hidden_act", "silu")
        self._must_be("attention_bias", False)
        self._must_be("num_experts", 0)
        tied = self._config.get("tie_word_embeddings", True)
        if not isinstance(tied, bool):
            raise self._refuse("tie_word_embeddings", "it must be true or false")

        layers = self._size("num_hidden_layers", limit=_MAX_LAYERS)
        hidden, heads = self._size("hidden_size"), self._size("num_attention_heads")
        kv_heads = self._size("num_key_value_heads", heads)
        if hidden % heads or hidden // heads % 2:
            raise self._refuse("num_attention_heads", f"it must cut hidden_size {hidden} into heads of an even size")
        if heads % kv_heads:
            raise self._refuse("num_key_value_heads", f"it must divide num_attention_heads {heads}")
        if self._config.get("head_dim") not in (None, hidden // heads):
            raise self._refuse("head_dim", f"only hidden_size / num_attention_heads = {hidden // heads} is supported")
        base, factor = self._rope()
        return MiniCPM(
            layers=layers,
            hidden=hidden,
            ffn=self._size("intermediate_size"),
            heads=heads,
            kv_heads=kv_heads,
            vocabulary=self._size("vocab_size"),
            context=self._size("max_position_embeddings"),
            norm_epsilon=self._number("rms_norm_eps"),
            rope_base=base,
            rope_linear_factor=factor,
            embedding_scale=self._number("scale_emb"),
            residual_scale=self._number("scale_depth") / math.sqrt(layers),
            logit_scale=hidden / self._number("dim_model_base"),
            tied=tied,
            idle_bias=self._bias(),
        )

    def _bias(self) -> float:
        value = self._get("duplex_idle_bias", 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -20 <= value <= 20:
            raise self._refuse("duplex_idle_bias", "expected a number from -20 to 20")
        return float(value)

    def _rope(self) -> tuple[float, float | None]:
        """Base and, where positions are scaled, the linear factor. `rope_parameters` is newer files' `rope_scaling`."""
        name = "rope_parameters" if self._config.get("rope_parameters") is not None else "rope_scaling"
        scaling = self._config.get(name)
        base = self._number("rope_theta", 10000.0)
        if scaling is None:
            return base, None
        if not isinstance(scaling, dict):
            raise self._refuse(name, "only null and linear scaling are supported")
        if "rope_theta" in scaling:
            base = self._positive(f"{name}.rope_theta", scaling["rope_theta"])
        kind = scaling.get("rope_type", scaling.get("type"))
        if kind == "default" and name == "rope_parameters":
            return base, None
        if kind != "linear":
            raise self._refuse(name, "only null and linear scaling are supported")
        return base, self._positive(f"{name}.factor", scaling.get("factor"))

    def _refuse(self, name: str, why: str) -> InputError:
        return InputError(f"{self._where}: {name} is {self._config.get(name)!r}: {why}")

    def _must_be(self, name: str, expected: Any) -> None:
        if self._config.get(name, expected) != expected:
            raise self._refuse(name, f"only {expected!r} is supported")

    def _size(self, name: str, default: int | None = None, limit: int = 1 << 24) -> int:
        value = self._get(name, default)
        if type(value) is not int or not 1 <= value <= limit:
            raise self._refuse(name, f"expected a whole number from 1 to {limit:,}")
        return value

    def _number(self, name: str, default: float | None = None) -> float:
        return self._positive(name, self._get(name, default))

    def _get(self, name: str, default: float | None) -> Any:
        value = self._config.get(name)
        return default if value is None else value

    def _positive(self, name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise InputError(f"{self._where}: {name} is {value!r}: expected a number above 0")
        return float(value)
