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
    normaliser = logits.logsumexp(-1, keepdim=True)
    if how.temperature == 0:
        tokens = logits.argmax(-1, keepdim=True)
        at_one = (logits.gather(-1, tokens) - normaliser)[:, 0]
        return tokens[:, 0], at_one, torch.zeros_like(at_one)
    logprobs = logits - normaliser
    if how.temperature == 1 and how.top_p == 1:
        tokens = _inverted(logprobs.exp(), uniform)
        return tokens[:, 0], logprobs.gather(-1, tokens)[:, 0], None
    heated = (logits / how.temperature).log_softmax(-1)
    if how.top_p == 1:
        tokens = _inverted(heated.exp(), uniform)
        return tokens[:, 0], logprobs.gather(-1, tokens)[:, 0], heated.gather(-1, tokens)[:, 0]
    ranked, order = heated.sort(stable=True, dim=-1, descending=True)
    likely = ranked.exp()
    before = likely.cumsum(-1) - likely
    # The nucleus: the fewest likeliest tokens whose mass reaches top_p, the one that crosses it included.
    nucleus = likely.masked_fill(before >= how.top_p, 0.0)
    rank = _inverted(nucleus, uniform)
    tokens = order.gather(-1, rank)
    drawn = ranked.gather(-1, rank) - nucleus.sum(-1, keepdim=True).log()
    return tokens[:, 0], logprobs.gather(-1, tokens)[:, 0], drawn[:, 0]


def _inverted(mass: Tensor, uniform: Tensor) -> Tensor:
    """int64[B, 1]: where the cumulated mass [B, V] first exceeds that share of the whole: never where none is."""
    heights = mass.cumsum(-1)
    whole = heights[:, -1:]
    # Rounding may lift the product to the whole; the next smaller number is still below the last token that has mass.
    wanted = torch.minimum(uniform[:, None] * whole, torch.nextafter(whole, torch.zeros_like(whole)))
    return torch.searchsorted(heights, wanted, right=True)
