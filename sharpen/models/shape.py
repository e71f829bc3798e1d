"""The shape of a Llama-family decoder: its sizes and switches, from a config.json and back, and its arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass

from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.records import Json

_ARCHITECTURES = {
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "llama",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Llama 3 scales rotary frequencies (arXiv:2407.21783): from `original` tokens of context to `factor` times it."""

    factor: float
    low: float
    high: float
    original: int


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a decoder with RMSNorm, rotary positions, SwiGLU and grouped-query attention.

    vocabulary, context in tokens; width D; `kv_heads` divides `heads`; `hidden` is the feed-forward width;
    qkv_bias: biases on the three attention inputs (Qwen2); qk_norm: RMSNorm on each query and key head (Qwen3).
    """

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    context: int
    rope_base: float = 10000.0
    stretch: Stretch | None = None
    norm_eps: float = 1e-6
    tied: bool = False
    qkv_bias: bool = False
    qk_norm: bool = False

    def __post_init__(self) -> None:
        for name in ("vocabulary", "width", "layers", "heads", "kv_heads", "head_dim", "hidden", "context"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be >= 1, got {getattr(self, name)}")
        if self.heads % self.kv_heads:
            raise InvalidInput(f"heads must be a multiple of kv_heads, got {self.heads} and {self.kv_heads}")
        if self.head_dim % 2:
            raise InvalidInput(f"head_dim must be even for rotary positions, got {self.head_dim}")

    @property
    def matrices(self) -> int:
        """Parameters of the matrices in the layers: what every token is multiplied with, embedding and head apart."""
        attention = self.width * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        return self.layers * (attention + 3 * self.width * self.hidden)

    def flops(self, tokens: int, context: float, logits: int) -> float:
        """Forward operations of `tokens` positions at a mean context (tokens), `logits` of them unembedded.

        2N + 4 L q c per token, q = heads * head_dim; multiply-adds count two, the input embedding none, the head once.
        """
        attention = 4.0 * self.layers * self.heads * self.head_dim * context
        return tokens * (2.0 * self.matrices + attention) + logits * 2.0 * self.vocabulary * self.width

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> "Shape":
        """The shape a Hugging Face config.json describes; InvalidInput names a field that is not built here."""
        read = _Fields(config)
        family = read.family()
        read.refuse_what_is_not_built(family)
        heads, width = read.integer("num_attention_heads"), read.integer("hidden_size")
        rope_base, stretch = read.rope()
        return cls(
            vocabulary=read.integer("vocab_size"),
            width=width,
            layers=read.integer("num_hidden_layers"),
            heads=heads,
            kv_heads=read.integer("num_key_value_heads", heads),
            head_dim=read.integer("head_dim", 128 if family == "qwen3" else width // heads),
            hidden=read.integer("intermediate_size"),
            context=read.integer("max_position_embeddings"),
            rope_base=rope_base,
            stretch=stretch,
            norm_eps=read.number("rms_norm_eps", 1e-6),
            tied=bool(config.get("tie_word_embeddings", False)),
            qkv_bias=family == "qwen2",
            qk_norm=family == "qwen3",
        )

    def to_config(self) -> dict[str, Json]:
        """A config.json that transformers loads, with rope in the fields of both its 4.x and its 5.x."""
        if self.qkv_bias and self.qk_norm:
            raise InvalidInput("expected qkv_bias (Qwen2) or qk_norm (Qwen3), got both, which no architecture has")
        kind = "Qwen3" if self.qk_norm else "Qwen2" if self.qkv_bias else "Llama"
        if kind == "Qwen2" and self.head_dim * self.heads != self.width:
            raise InvalidInput(f"Qwen2 needs head_dim = width / heads, got {self.head_dim}, {self.width}, {self.heads}")
        scaling: dict[str, Json] | None = None
        if self.stretch:
            scaling = {
                "rope_type": "llama3",
                "factor": self.stretch.factor,
                "low_freq_factor": self.stretch.low,
                "high_freq_factor": self.stretch.high,
                "original_max_position_embeddings": self.stretch.original,
            }
        return {
            "architectures": [f"{kind}ForCausalLM"],
            "model_type": kind.lower(),
            "vocab_size": self.vocabulary,
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "intermediate_size": self.hidden,
            "max_position_embeddings": self.context,
            "rope_theta": self.rope_base,
            "rope_scaling": scaling,
            "rope_parameters": {"rope_theta": self.rope_base, **(scaling or {"rope_type": "default"})},
            "rms_norm_eps": self.norm_eps,
            "tie_word_embeddings": self.tied,
            "hidden_act": "silu",
            "attention_bias": False,
            "torch_dtype": "float32",
        }


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of a config.json, each read once as what it must be."""

    config: Mapping[str, Json]

    def family(self) -> str:
        named = self.config.get("architectures")
        if not isinstance(named, list) or len(named) != 1 or not isinstance(named[0], str):
            raise InvalidInput(f"expected config field architectures to hold one name, got {named!r}")
        if named[0] not in _ARCHITECTURES:
            raise InvalidInput(f"in config field architectures: {nearest('architecture', named[0], _ARCHITECTURES)}")
        return _ARCHITECTURES[named[0]]

    def refuse_what_is_not_built(self, family: str) -> None:
        get = self.config.get
        sliding = get("sliding_window") is not None and get("use_sliding_window", family == "llama")
        kinds = get("layer_types")
        refused = {
            "hidden_act": get("hidden_act", "silu") != "silu",
            "attention_bias": family != "qwen2" and bool(get("attention_bias")),
            "mlp_bias": bool(get("mlp_bias")),
            "sliding_window": bool(sliding),
            "layer_types": isinstance(kinds, list) and any(kind != "full_attention" for kind in kinds),
            "partial_rotary_factor": get("partial_rotary_factor", 1) not in (1, None),
            "quantization_config": get("quantization_config") is not None,
        }
        for name, wrong in refused.items():
            if wrong:
                raise InvalidInput(
                    f"config field {name} = {get(name)!r} is not implemented by the built-in decoder; "
                    "load this model through transformers instead"
                )

    def integer(self, name: str, default: int | None = None) -> int:
        value = self.config.get(name)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidInput(f"expected config field {name} to be a whole number, got {value!r}")
        return value

    def number(self, name: str, default: float | None, inside: Mapping[str, Json] | None = None) -> float:
        value = (self.config if inside is None else inside).get(name)
        value = default if value is None else value
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise InvalidInput(f"expected config field {name} to be a number, got {value!r}")
        return float(value)

    def rope(self) -> tuple[float, Stretch | None]:
        """Base and scaling, from rope_parameters (transformers 5) or rope_theta and rope_scaling (before it)."""
        name = "rope_parameters" if self.config.get("rope_parameters") else "rope_scaling"
        inside = self.config.get(name) or {}
        if not isinstance(inside, Mapping):
            raise InvalidInput(f"expected config field {name} to be an object, got {inside!r}")
        base = self.number("rope_theta", self.number("rope_theta", 10000.0), inside)
        kind = inside.get("rope_type", inside.get("type", "default"))
        if self.number("partial_rotary_factor", 1.0, inside) != 1.0 or kind not in ("default", "llama3"):
            raise InvalidInput(f"config field {name} = {dict(inside)!r} is not implemented; known: default, llama3")
        if kind == "default":
            return base, None
        return base, Stretch(
            factor=self.number("factor", None, inside),
            low=self.number("low_freq_factor", None, inside),
            high=self.number("high_freq_factor", None, inside),
            original=int(self.number("original_max_position_embeddings", None, inside)),
        )
