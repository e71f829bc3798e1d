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

FEWEST_QUERIES = 4
"""Queries that meet the same keys at once, at the least: products of fewer rows are summed in another order."""

_SCORES = 2**22
"""Attention scores computed at once: 16 MB, so that they stay in cache."""
_SHORT = 1 << 18
"""Attention scores up to which plain products learn faster than the fused kernel, whose blocks are longer."""
_WHOLE = 32
"""Numbers of two vectors of the widest kind: half a row is then whole vectors too."""
_BLOCK = 256
"""Values summed in one product: longer sums are cut where their length says, shorter ones are not cut at all."""


def even(length: int, shortest: int) -> int:
    """At least so many positions, in fours: products over one to three left over are summed in another order."""
    return max(shortest, -(-length // 4) * 4)


def rotary(shape: Shape, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines float32[length, head_dim] of the rotary angles at positions 0 to length - 1, as `rotated` takes
    them: both halves, the sines of the first negative."""
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
    cos, sin = angles.double().cos().float(), angles.double().sin().float()
    return torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1)


def rotated(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """[B, H, T, d] turned by angles, both broadcast to it."""
    first, second = heads.chunk(2, dim=-1)
    return torch.addcmul(heads * cos, torch.cat((second, first), dim=-1), sin)


def swish(x: Tensor) -> Tensor:
    """x times its sigmoid. The fused kernel gives other last bits at the end of a thread's share of the numbers, exp
    does not; up to two threads' shares are whole vectors where rows are."""
    fused = torch.is_grad_enabled() or x.device.type != "cpu"
    if fused or (x.shape[-1] % _WHOLE == 0 and torch.get_num_threads() <= 2):
        return functional.silu(x)
    return x / torch.neg(x).exp_().add_(1)


def causal(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Every position sees itself and those before it."""
    batch, heads, length, _ = q.shape
    learning = torch.is_grad_enabled()
    if learning and q.device.type == "cpu" and batch * heads * length * length <= _SHORT:
        return _causal_plain(q, k, v)
    if learning or q.device.type != "cpu" or length > LONGEST_PLAIN:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=heads != k.shape[1])
    at_once = max(1, _SCORES // (heads * length * length))
    mixed = torch.empty_like(q)
    for start in range(0, batch, at_once):
        few = slice(start, start + at_once)
        mixed[few] = _causal_plain(q[few], k[few], v[few])
    return mixed


def _causal_plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    batch, heads, length, size = q.shape
    grouped = (q * size**-0.5).reshape(batch, k.shape[1], -1, size)
    ahead = torch.ones(length, length, dtype=torch.bool).triu(1)
    scores = torch.matmul(grouped, k.transpose(-1, -2)).view(batch, heads, length, length)
    shares = scores.masked_fill_(ahead, -torch.inf).softmax(-1).view(batch, k.shape[1], -1, length)
    return weighed(shares, v).view(q.shape)


def weighed(shares: Tensor, values: Tensor) -> Tensor:
    """[..., n, S] by [..., S, d]: the same sums where positions without a share are appended, however many."""
    if shares.shape[-1] <= _BLOCK:
        return torch.matmul(shares, values)
    parts = zip(torch.split(shares, _BLOCK, dim=-1), torch.split(values, _BLOCK, dim=-2), strict=True)
    mixed = torch.matmul(*next(parts))
    for part in parts:
        mixed += torch.matmul(*part)
    return mixed
