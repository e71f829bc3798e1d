"""The decoder's key-value cache: prompts kept once for all rows that go on from them, and what the rows said in step.

Rows that share a prompt meet its keys as the rows of one product (shared-prefix attention), so a prompt takes the
memory and the reading of one row, whatever the number of samples.
"""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from sharpen.models.attention import FEWEST_QUERIES, weighed

FIRST = 32
"""Tokens there is place for at first; doubled when they are used up."""


@dataclass(frozen=True)
class Seats:
    """Rows [B, ...] beside those of the same prompt, [C, seats, ...]; empty seats hold row 0 and are never read."""

    chats: int
    most: int
    rows: Tensor
    seats: Tensor
    full: bool

    @classmethod
    def of(cls, chat: Tensor, chats: int, heads: int) -> "Seats":
        """Places for rows that belong to prompts int64[B]; `heads` queries of a row meet the same keys."""
        count = torch.bincount(chat, minlength=chats)
        most = max(int(count.max()), -(-FEWEST_QUERIES // heads))
        order = chat.argsort(stable=True)
        number = torch.arange(len(chat), device=chat.device) - (count.cumsum(0) - count)[chat[order]]
        seats = torch.empty_like(chat)
        seats[order] = chat[order] * most + number
        rows = torch.zeros(chats * most, dtype=torch.int64, device=chat.device)
        rows[seats] = torch.arange(len(chat), device=chat.device)
        full = len(chat) == chats * most and bool((seats[1:] > seats[:-1]).all())
        return cls(chats, most, rows, seats, full)

    def taken(self, x: Tensor) -> Tensor:
        """[B, kv, n, d] to [C, kv, seats * n, d]."""
        _, groups, queries, size = x.shape
        x = x if self.full else x.index_select(0, self.rows)
        x = x.reshape(self.chats, self.most, groups, queries, size).transpose(1, 2)
        return x.reshape(self.chats, groups, self.most * queries, size)

    def left(self, x: Tensor) -> Tensor:
        """[C, kv, seats * n, d] to [B, kv, n, d]."""
        _, groups, queries, size = x.shape
        x = x.view(self.chats, groups, self.most, queries // self.most, size).transpose(1, 2)
        x = x.reshape(self.chats * self.most, groups, queries // self.most, size)
        return x if self.full else x.index_select(0, self.seats)


@dataclass
class KeyValues:
    """What rows have read. Of the prompts: keys and values float32[layers, C, kv_heads, P, d], `lengths` int64[C]
    of them, and unread bool[C, 1, 1, P], what is padding. Of each row: which prompt, `chat` int64[B], and the `said`
    tokens that every row has said since, at most `room`: float32[layers, B, kv_heads, said or more, d]."""

    prompt_keys: Tensor
    prompt_values: Tensor
    lengths: Tensor
    unread: Tensor
    chat: Tensor
    heads: int
    room: int
    cos: Tensor
    sin: Tensor
    keys: Tensor
    values: Tensor
    said: int = 0
    seats: Seats = field(init=False)

    def __post_init__(self) -> None:
        self.seats = Seats.of(self.chat, len(self.lengths), self.heads // self.prompt_keys.shape[2])

    @classmethod
    def read(
        cls, keys: Tensor, values: Tensor, lengths: Tensor, heads: int, room: int, turns: tuple[Tensor, Tensor]
    ) -> "KeyValues":
        """A row per prompt that has just been read; `turns` are the rotary angles' cosines and sines by position."""
        layers, chats, groups, longest, size = keys.shape
        unread = (torch.arange(longest, device=lengths.device) >= lengths[:, None])[:, None, None]
        said = keys.new_empty(layers, chats, groups, min(room, FIRST), size)
        own = torch.arange(chats, device=lengths.device)
        return cls(keys, values, lengths, unread, own, heads, room, *turns, said, torch.empty_like(said))

    def rows(self, index: Tensor) -> "KeyValues":
        """A cache of the rows int64[M], repeated or left out, in that order; prompts that no row needs are dropped."""
        needed, chat = torch.unique(self.chat[index], return_inverse=True)
        keys, values = self.prompt_keys, self.prompt_values
        if len(needed) < len(self.lengths):
            keys, values = keys.index_select(1, needed), values.index_select(1, needed)
        said_keys, said_values = (
            _placed(x[:, :, :, : self.said].index_select(1, index), x.shape[3]) for x in (self.keys, self.values)
        )
        return replace(
            self,
            prompt_keys=keys,
            prompt_values=values,
            lengths=self.lengths[needed],
            unread=self.unread[needed],
            chat=chat,
            keys=said_keys,
            values=said_values,
        )

    def places(self) -> Tensor:
        """int64[B]: how many tokens each row has read."""
        return self.lengths[self.chat] + self.said

    def extend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """One more token of every row: its keys and values are kept, and its queries meet all that the row has read."""
        keys, values, now = self.keys[layer], self.values[layer], self.said + 1
        keys[:, :, self.said : now], values[:, :, self.said : now] = k, v
        return self.met(layer, q, keys[:, :, :now], values[:, :, :now])

    def met(self, layer: int, q: Tensor, k: Tensor, v: Tensor, ahead: Tensor | None = None) -> Tensor:
        """[B, heads, T, d] queries that meet keys [B, kv_heads, S, d] of their row (not those `ahead` bool[T, S]) and
        its prompt's. A row's own tokens come first, so that padding of prompts is always appended."""
        batch, heads, length, size = q.shape
        groups, own = k.shape[1], k.shape[2]
        grouped = (q * size**-0.5).reshape(batch, groups, -1, size)
        mine = torch.matmul(grouped, k.transpose(-1, -2))
        if ahead is not None:
            mine.view(batch, heads, length, own).masked_fill_(ahead, -torch.inf)
        asked = torch.matmul(self.seats.taken(grouped), self.prompt_keys[layer].transpose(-1, -2))
        shared = self.seats.left(asked.masked_fill_(self.unread, -torch.inf))
        shares = torch.cat((mine, shared), dim=-1).softmax(-1)
        mixed = weighed(shares[..., :own], v)
        mixed += self.seats.left(weighed(self.seats.taken(shares[..., own:]), self.prompt_values[layer]))
        return mixed.view(q.shape)

    def make_room(self) -> bool:
        """Whether there is place for one more token; what is kept grows as needed."""
        capacity = self.keys.shape[3]
        if self.said < capacity:
            return True
        if self.said >= self.room:
            return False
        capacity = min(self.room, 2 * capacity)
        self.keys, self.values = (_placed(x, capacity) for x in (self.keys, self.values))
        return True


def _placed(said: Tensor, capacity: int) -> Tensor:
    """What was said, with place for so many tokens; what is not filled holds nothing that is read."""
    layers, rows, groups, filled, size = said.shape
    placed = said.new_empty(layers, rows, groups, capacity, size)
    placed[:, :, :, :filled] = said
    return placed
