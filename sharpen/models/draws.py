"""Draws that follow from names alone: a uniform per stream, prompt, sample and position, and the token it picks."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sharpen.core.records import Sampling
from sharpen.core.streams import Stream, stream_key
from sharpen.core.tokens import Ints

Keys: TypeAlias = npt.NDArray[np.uint64]

_AT_ONCE = 1 << 19
"""Logits drawn from at once: 2 MB, so that the passes over them stay in cache."""
_BLOCK = 128
"""Tokens whose mass is summed first, where the vocabulary is a multiple of it."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mixed(x: Keys) -> Keys:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), elementwise modulo 2^64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def row_keys(stream: Stream, prompts: Sequence[Ints], n: int) -> Keys:
    """uint64[chat, n]: a key per sample, from the stream, the prompt's tokens, which of the call's equal prompts it is,
    and the sample's number; never from the prompt's place in the call."""
    seen: dict[bytes, int] = {}
    chats = np.empty(len(prompts), dtype=np.uint64)
    for place, prompt in enumerate(prompts):
        content = prompt.tobytes()
        occurrence = seen[content] = seen.get(content, -1) + 1
        digest = blake2b(content, digest_size=8, salt=occurrence.to_bytes(8, "little")).digest()
        chats[place] = int.from_bytes(digest, "little")
    chats = _mixed(chats ^ np.uint64(stream_key("draws", *stream)))
    return _mixed(chats[:, None] + np.arange(1, n + 1, dtype=np.uint64) * _GOLDEN)


def uniforms(keys: Keys, position: int) -> npt.NDArray[np.float32]:
    """float32[rows] in [0, 1), of 24 bits: the draw of each row for the token at that position of what it says."""
    step = np.uint64((position + 1) * int(_GOLDEN) % 2**64)
    return (_mixed(keys + step) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def pick(logits: Tensor, uniform: Tensor, how: Sampling) -> tuple[Tensor, Tensor, Tensor | None]:
    """One token per row by inversion of the cumulative distribution: tokens int64[B], their log-probabilities
    float32[B] at temperature 1, and those under the distribution drawn from (None where that is the same).

    logits float32[B, V], uniform float32[B]. At temperature 0 the most likely token, the first of equals, is sure.
    """
    rows = max(1, _AT_ONCE // logits.shape[-1])
    if len(logits) <= rows:
        return _picked(logits, uniform, how)
    parts = zip(torch.split(logits, rows), torch.split(uniform, rows), strict=True)
    picked = [_picked(*part, how) for part in parts]
    tokens = torch.cat([one[0] for one in picked])
    logprobs = torch.cat([one[1] for one in picked])
    drawn = [one[2] for one in picked if one[2] is not None]
    return tokens, logprobs, torch.cat(drawn) if drawn else None


def _picked(logits: Tensor, uniform: Tensor, how: Sampling) -> tuple[Tensor, Tensor, Tensor | None]:
    highest, likeliest = logits.max(-1, keepdim=True)
    mass = (logits - highest).exp_()
    whole = mass.sum(-1, keepdim=True)

    def at_one(tokens: Tensor) -> Tensor:
        return (logits.gather(-1, tokens) - highest - whole.log())[:, 0]

    if how.temperature == 0:
        sure = at_one(likeliest)
        return likeliest[:, 0], sure, torch.zeros_like(sure)
    if how.temperature == 1 and how.top_p == 1:
        tokens = _inverted(mass, uniform)
        return tokens[:, 0], at_one(tokens), None
    heated = (logits / how.temperature).log_softmax(-1)
    if how.top_p == 1:
        tokens = _inverted(heated.exp(), uniform)
        return tokens[:, 0], at_one(tokens), heated.gather(-1, tokens)[:, 0]
    ranked, order = heated.sort(stable=True, dim=-1, descending=True)
    likely = ranked.exp()
    before = likely.cumsum(-1) - likely
    # The nucleus: the fewest likeliest tokens whose mass reaches top_p, the one that crosses it included.
    nucleus = likely.masked_fill(before >= how.top_p, 0.0)
    rank = _inverted(nucleus, uniform)
    tokens = order.gather(-1, rank)
    drawn = ranked.gather(-1, rank) - nucleus.sum(-1, keepdim=True).log()
    return tokens[:, 0], at_one(tokens), drawn[:, 0]


def _inverted(mass: Tensor, uniform: Tensor) -> Tensor:
    """int64[B, 1]: where the cumulated mass [B, V] first exceeds that share of the whole: never where none is.

    First the block, then the token within it: sums are many times faster than sums of everything before."""
    if mass.shape[-1] % _BLOCK:
        heights = mass.cumsum(-1)
        return _crossed(heights, uniform[:, None] * heights[:, -1:])
    blocks = mass.view(len(mass), -1, _BLOCK)
    heights = blocks.sum(-1).cumsum(-1)
    height = uniform[:, None] * heights[:, -1:]
    block = _crossed(heights, height)
    before = heights.gather(-1, (block - 1).clamp(min=0)).masked_fill(block == 0, 0.0)
    inside = blocks.gather(1, block[..., None].expand(-1, -1, _BLOCK))[:, 0]
    return block * _BLOCK + _crossed(inside.cumsum(-1), height - before)


def _crossed(heights: Tensor, height: Tensor) -> Tensor:
    """int64[B, 1]: the first of cumulated heights [B, N] above a height [B, 1]."""
    whole = heights[:, -1:]
    # Rounding may lift a height to the whole; the next smaller number is still below the last one that adds to it.
    return torch.searchsorted(
        heights, torch.minimum(height, torch.nextafter(whole, torch.zeros_like(whole))), right=True
    )
