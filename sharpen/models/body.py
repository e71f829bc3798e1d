"""What the sampler and the learner ask of a network: hidden states of sequences, and a cache that grows by a token."""

from typing import Protocol, Self

from torch import Tensor, nn


class Cache(Protocol):
    """What a body remembers of the rows it has read; positions are counted per row."""

    def rows(self, index: Tensor) -> Self:
        """A cache of the rows int64[M], repeated or left out: one prefill serves n samples, and finished rows go."""
        ...


class Body(Protocol):
    """A causal network over token ids, in float32 on one device; the model it belongs to swaps its tensors."""

    @property
    def module(self) -> nn.Module:
        """The network whose parameters are the weights; linear layers are nn.Linear, so that adapters fit on them."""
        ...

    @property
    def width(self) -> int:
        """D, the size of a hidden state."""
        ...

    @property
    def vocabulary(self) -> int:
        """V, the number of tokens."""
        ...

    @property
    def context(self) -> int:
        """The longest sequence it takes, in tokens."""
        ...

    @property
    def token_bytes(self) -> int:
        """Bytes that a cache takes for a token of a row."""
        ...

    def hidden(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """float32[B, T, D], final norm applied: state t predicts token t + 1. ids int64[B, T] padded on the right,
        lengths int64[B]; what stands at padding is undefined, and no real position sees it."""
        ...

    def unembed(self, hidden: Tensor) -> Tensor:
        """float32[..., V] logits of float32[..., D] hidden states."""
        ...

    def prefill(self, ids: Tensor, lengths: Tensor, room: int) -> tuple[Cache, Tensor]:
        """Reads rows once: a cache with room for so many more tokens a row, and float32[B, D] of each last token."""
        ...

    def step(self, cache: Cache, tokens: Tensor) -> Tensor:
        """Reads one more token int64[B] per row into the cache: float32[B, D]."""
        ...

    def after(self, cache: Cache, ids: Tensor) -> Tensor:
        """float32[B, T, D] of texts int64[B, T], padded on the right, that follow the rows of a cache in which nothing
        was said yet; the cache stays as it is."""
        ...

    def flops(self, tokens: int, context: float, logits: int) -> float:
        """Forward floating-point operations of `tokens` positions at a mean context, `logits` of them unembedded. A
        multiply-add counts two; the input embedding is a lookup and counts none; the output head counts once, tied
        or not."""
        ...
