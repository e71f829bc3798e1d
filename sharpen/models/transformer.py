"""A Llama-family decoder as a Body: whole sequences for learning, a static key-value cache for sampling.

Parameter names are those of Hugging Face checkpoints, so that a state_dict goes in and out unchanged. Positions are
rotated in halves (arXiv:2104.09864), attention is grouped-query (arXiv:2305.13245), the feed-forward is SwiGLU
(arXiv:2002.05202), norms are RMSNorm (arXiv:1910.07467).
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from sharpen.core.errors import InvalidInput
from sharpen.models.attention import SHORTEST, causal, even, rotary, rotated, swish
from sharpen.models.body import Cache
from sharpen.models.cache import KeyValues
from sharpen.models.shape import Shape

Attend: TypeAlias = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""attend(layer, queries [B, heads, T, d], keys and values [B, kv_heads, T, d]) -> [B, heads, T, d]."""


class Norm(nn.Module):
    """RMSNorm over the last dimension."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """float32[..., size] to the same."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


class Attention(nn.Module):
    """Projections of one attention layer; how queries meet keys is the caller's `attend`."""

    def __init__(self, shape: Shape, layer: int) -> None:
        super().__init__()
        queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self.layer, self.head_dim, self.qk_norm = layer, shape.head_dim, shape.qk_norm
        self.q_proj = nn.Linear(shape.width, queries, bias=shape.qkv_bias)
        self.k_proj = nn.Linear(shape.width, keys, bias=shape.qkv_bias)
        self.v_proj = nn.Linear(shape.width, keys, bias=shape.qkv_bias)
        self.o_proj = nn.Linear(queries, shape.width, bias=False)
        if shape.qk_norm:
            self.q_norm = Norm(shape.head_dim, shape.norm_eps)
            self.k_norm = Norm(shape.head_dim, shape.norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        """[B, T, D] to the same."""
        batch, length, _ = x.shape
        heads = (batch, length, -1, self.head_dim)
        queries, keys = self.q_proj(x).view(heads), self.k_proj(x).view(heads)
        if self.qk_norm:
            queries, keys = self.q_norm(queries), self.k_norm(keys)
        queries, keys = queries.transpose(1, 2), keys.transpose(1, 2)
        values = self.v_proj(x).view(heads).transpose(1, 2)
        mixed = attend(self.layer, rotated(queries, cos, sin), rotated(keys, cos, sin), values)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))
        return out


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.down_proj = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[..., D] to the same."""
        out: Tensor = self.down_proj(swish(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """One block: attention, then feed-forward, each behind a norm and beside a residual."""

    def __init__(self, shape: Shape, layer: int) -> None:
        super().__init__()
        self.input_layernorm = Norm(shape.width, shape.norm_eps)
        self.self_attn = Attention(shape, layer)
        self.post_attention_layernorm = Norm(shape.width, shape.norm_eps)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        """[B, T, D] to the same."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, attend)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Stack(nn.Module):
    """Embedding, layers and final norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape, layer) for layer in range(shape.layers))
        self.norm = Norm(shape.width, shape.norm_eps)

    def forward(self, ids: Tensor, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        """int64[B, T] to float32[B, T, D]."""
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, cos, sin, attend)
        out: Tensor = self.norm(x)
        return out


class Decoder(nn.Module):
    """A decoder of a given shape; logits agree with transformers' of the same weights. Its `module` is itself."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Stack(shape)
        if not shape.tied:
            self.lm_head = nn.Linear(shape.width, shape.vocabulary, bias=False)

    @property
    def module(self) -> nn.Module:
        """The network whose state_dict is the weights."""
        return self

    @property
    def width(self) -> int:
        """D, the size of a hidden state."""
        return self.shape.width

    @property
    def vocabulary(self) -> int:
        """V, the number of tokens."""
        return self.shape.vocabulary

    @property
    def context(self) -> int:
        """The longest sequence it takes, in tokens."""
        return self.shape.context

    def hidden(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """float32[B, T, D], final norm applied, of ids int64[B, T] padded on the right; undefined at padding.

        Padding on the right needs no mask: causal attention lets no real position see it.
        """
        ids, length = self._padded(ids), ids.shape[1]
        out: Tensor = self.model(ids, *rotary(self.shape, ids.shape[1], ids.device), causal)
        return out[:, :length]

    def unembed(self, hidden: Tensor) -> Tensor:
        """float32[..., V] logits of float32[..., D] hidden states."""
        if self.shape.tied:
            return functional.linear(hidden, self.model.embed_tokens.weight)
        out: Tensor = self.lm_head(hidden)
        return out

    def prefill(self, ids: Tensor, lengths: Tensor, room: int) -> tuple[KeyValues, Tensor]:
        """Reads int64[B, T] rows once: a cache with room for that many more tokens a row, and float32[B, D] of the last
        token of each."""
        ids = self._padded(ids)
        batch, length = ids.shape
        shape = self.shape
        cos, sin = rotary(shape, length + room, ids.device)
        size = (shape.layers, batch, shape.kv_heads, length, shape.head_dim)
        keys, values = torch.empty(size, device=ids.device), torch.empty(size, device=ids.device)

        def store_and_attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            keys[layer], values[layer] = k, v
            return causal(layer, q, k, v)

        out = self.model(ids, cos[:length], sin[:length], store_and_attend)
        last = out[torch.arange(batch, device=ids.device), lengths - 1]
        return KeyValues.read(keys, values, lengths.clone(), shape.heads, room, (cos, sin)), last

    def step(self, cache: Cache, tokens: Tensor) -> Tensor:
        """Reads one more token int64[B] per row into the cache: float32[B, D]. Raises InvalidInput where it is full."""
        seen = _mine(cache)
        if not seen.make_room():
            raise InvalidInput(f"the cache is full at {seen.room} tokens after the prompt; prefill with more room")
        places = seen.places()
        cos, sin = seen.cos[places][:, None, None], seen.sin[places][:, None, None]
        out: Tensor = self.model(tokens[:, None], cos, sin, seen.extend)[:, 0]
        seen.said += 1
        return out

    def after(self, cache: Cache, ids: Tensor) -> Tensor:
        """float32[B, T, D] of texts int64[B, T], padded on the right, that follow the rows of a cache in which nothing
        was said yet; the cache stays as it is."""
        seen = _mine(cache)
        ids, length = functional.pad(ids, (0, even(ids.shape[1], SHORTEST) - ids.shape[1])), ids.shape[1]
        positions = torch.arange(ids.shape[1], device=ids.device)
        places = seen.places()[:, None] + positions
        cos, sin = rotary(self.shape, int(places.max()) + 1, ids.device)
        ahead = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).triu(1)
        out: Tensor = self.model(ids, cos[places][:, None], sin[places][:, None], partial(seen.met, ahead=ahead))
        return out[:, :length]

    def flops(self, tokens: int, context: float, logits: int) -> float:
        """Forward operations of `tokens` positions at a mean context length, `logits` of them unembedded."""
        return self.shape.flops(tokens, context, logits)

    @property
    def token_bytes(self) -> int:
        """What the keys and values of a token take."""
        return 8 * self.shape.layers * self.shape.kv_heads * self.shape.head_dim

    def _padded(self, ids: Tensor) -> Tensor:
        if ids.shape[1] > self.context:
            raise InvalidInput(
                f"expected at most {self.context} tokens (the context), got {ids.shape[1]}; shorten them"
            )
        return functional.pad(ids, (0, even(ids.shape[1], SHORTEST) - ids.shape[1]))


def _mine(cache: Cache) -> KeyValues:
    if not isinstance(cache, KeyValues):
        raise InvalidInput(f"expected a cache of this decoder, got {type(cache).__name__}; prefill with it first")
    return cache
