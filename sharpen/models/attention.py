"""The arithmetic of attention: rotary angles, and queries that meet keys, the same to the last bit in any company.

Without gradients, on a processor, a row's numbers do not depend on its company, to the last bit, as long as some rows
(4 on one thread, 12 on two) are decoded at once: attention is written as plain products, whose sums stay as they are
where masked positions are appended; fused kernels change the order of their sums with the longest row.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from sharpen.models.shape import Shape

SHORTEST = 16
"""Softmax and products over fewer positions are summed in another order; shorter sequences are padded to this."""
LONGEST_PLAIN = 1024
"""Above so many positions a fused kernel attends: plain products would need too much memory."""

_SCORES = 2**22
"""Attention scores computed at once: 16 MB, so that they stay in cache."""


def even(length: int, shortest: int) -> int:
    """At least so many positions, in fours: products over one to three left over are summed in another order."""
    return max(shortest, -(-length // 4) * 4)


def rotary(shape: Shape, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines float32[length, head_dim / 2] of the rotary angles at positions 0 to length - 1."""
    half = torch.arange(0, shape.head_dim, 2, dtype=torch.float32, device=device) / shape.head_dim
    frequencies = 1.0 / shape.rope_base**half
    if shape.stretch:
        stretch = shape.stretch
        turns = stretch.original * frequencies / (2 * math.pi)
        # Below `low` turns in the original context a frequency is divided, above `high` it stays; between: blended.
        share = ((turns - stretch.low) / (stretch.high - stretch.low)).clamp(0.0, 1.0)
        frequencies = (1 - share) * frequencies / stretch.factor + share * frequencies
    angles = torch.outer(torch.arange(length, dtype=torch.float32, device=device), frequencies)
    # Float32 functions give other last bits at the end of a table than within it; rounded from float64 they do not.
    return angles.double().cos().float(), angles.double().sin().float()


def rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """[B, H, T, d] turned by angles that broadcast to [B, H, T, d / 2]."""
    first, second = heads.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def swish(x: Tensor) -> Tensor:
    """x times its sigmoid; the fused kernel gives other last bits at the end of a thread's share, exp does not."""
    return functional.silu(x) if torch.is_grad_enabled() or x.device.type != "cpu" else x / torch.neg(x).exp_().add_(1)


def causal(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Every position sees itself and those before it."""
    batch, heads, length, size = q.shape
    if torch.is_grad_enabled() or q.device.type != "cpu" or length > LONGEST_PLAIN:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=heads != k.shape[1])
    ahead = torch.ones(length, length, dtype=torch.bool).triu(1)
    grouped = (q * size**-0.5).reshape(batch, k.shape[1], -1, size)
    at_once = max(1, _SCORES // (heads * length * length))
    mixed = torch.empty_like(grouped)
    for start in range(0, batch, at_once):
        few = slice(start, start + at_once)
        scores = torch.matmul(grouped[few], k[few].transpose(-1, -2)).view(-1, heads, length, length)
        shares = scores.masked_fill_(ahead, -torch.inf).softmax(-1)
        mixed[few] = torch.matmul(shares.view(-1, k.shape[1], grouped.shape[2], length), v[few])
    return mixed.view(q.shape)


def attend_once(q: Tensor, k: Tensor, v: Tensor, unread: Tensor) -> Tensor:
    """One query per row: the heads of a group meet their shared keys as rows of one small matrix."""
    batch, heads, _, size = q.shape
    grouped = (q * size**-0.5).view(batch, k.shape[1], heads // k.shape[1], size)
    shares = torch.matmul(grouped, k.transpose(-1, -2)).masked_fill(unread, -torch.inf).softmax(-1)
    return torch.matmul(shares, v).view(q.shape)
