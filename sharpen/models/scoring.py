"""What a body thinks of words it is shown: log-probabilities, choices between labels, and the values its heads read."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from sharpen.core.budget import Charge, Spend, free
from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Encoder
from sharpen.core.records import Chat
from sharpen.core.tokens import Floats, Ints, Tokens, frozen_floats
from sharpen.models.body import Body
from sharpen.models.losses import CHUNK, spoken
from sharpen.models.sampling import FEWEST, device_of, encoded, padded, reading, tokens_at_once
from sharpen.models.threads import hands_of

AT_ONCE = {"cpu": 2048, "cuda": 65536}
"""Padded tokens read at once, by device; on a processor so few that they stay near the cores and threads can share."""

T = TypeVar("T")
R = TypeVar("R")


def logprobs(
    body: Body, encoder: Encoder, chats: Sequence[Chat], said: Sequence[Tokens | str], charge: Charge = free
) -> list[Floats]:
    """[chat] float32[T]: nats at temperature 1 of each token said after its chat; words are encoded as a reply.

    Raises InvalidInput where a chat and its text exceed the context, ForeignTokens for another tokenizer's tokens.
    """
    if len(chats) != len(said):
        raise InvalidInput(f"expected one text per chat, got {len(chats)} chats and {len(said)} texts")
    prompts = encoded(body, encoder, chats)
    texts = [
        encoder.reply(text).ids if isinstance(text, str) else text.require(encoder.fingerprint).ids for text in said
    ]
    rows = [np.concatenate([prompt, text]) for prompt, text in zip(prompts, texts, strict=True)]
    _require_context(body, rows)
    scores: list[Floats] = [np.zeros(0, dtype=np.float32)] * len(rows)
    groups = list(_grouped(prompts, texts, _tokens(body)))

    def bill(group: _Group) -> None:
        charge(reading(body, [len(rows[r]) for r in group.rows], sum(map(len, group.texts))), group.paid(body))

    for group, found in _each(body, groups, bill, partial(_scored, body)):
        for r, part in zip(group.rows, found, strict=True):
            scores[r] = frozen_floats(part)
    return scores


@dataclass(frozen=True)
class _Group:
    """Texts that are scored together, after prompts that are read once each: which rows of the call they are, which of
    the prompts each follows."""

    rows: list[int]
    prompts: list[Ints]
    place: list[int]
    texts: list[Ints]

    def paid(self, body: Body) -> Spend:
        """What it costs to read each prompt once and each text after its prompt."""
        logits = sum(map(len, self.texts))
        whole = reading(
            body, [len(self.prompts[p]) + len(t) for p, t in zip(self.place, self.texts, strict=True)], logits
        )
        again = reading(body, [len(self.prompts[p]) for p in self.place], 0)
        return whole - again + reading(body, [len(prompt) for prompt in self.prompts], 0)


def _grouped(prompts: Sequence[Ints], texts: Sequence[Ints], tokens: int) -> Iterator[_Group]:
    """All rows, like lengths together, the texts of a prompt too where they fit: at most so many padded tokens of texts
    and of prompts each."""
    of: dict[bytes, list[int]] = {}
    for r, prompt in enumerate(prompts):
        of.setdefault(prompt.tobytes(), []).append(r)
    order = sorted(of.values(), key=lambda rows: (len(prompts[rows[0]]), max(len(texts[r]) for r in rows), rows))
    group = _Group([], [], [], [])
    longest = 0
    for rows in order:
        prompt = prompts[rows[0]]
        for r in sorted(rows, key=lambda r: len(texts[r])):
            new = not group.prompts or group.prompts[-1] is not prompt
            most = max(longest, len(texts[r]))
            full = (len(group.rows) + 1) * most > tokens or (len(group.prompts) + new) * len(prompt) > tokens
            if group.rows and full:
                yield group
                group, new, most = _Group([], [], [], []), True, len(texts[r])
            if new:
                group.prompts.append(prompt)
            longest = most
            group.rows.append(r)
            group.place.append(len(group.prompts) - 1)
            group.texts.append(texts[r])
    if group.rows:
        yield group


def _scored(body: Body, group: _Group) -> list[Floats]:
    """[row] nats of the texts' tokens."""
    counts = [len(text) for text in group.texts]
    with torch.inference_mode():
        device = device_of(body)
        ids, lengths = padded(group.prompts, device)
        cache, last = body.prefill(ids, lengths, 0)
        place = torch.tensor(group.place, device=device)
        said, said_lengths = padded(group.texts, device)
        states = last[place][:, None]
        if said.shape[1] > 1:
            states = torch.cat([states, body.after(cache.rows(place), said[:, :-1])], 1)
        mask = torch.arange(said.shape[1], device=device) < said_lengths[:, None]
        found = spoken(body, states[:, : said.shape[1]][mask], said[mask])[0].cpu().numpy()
    return np.split(found, np.cumsum(counts)[:-1])


def _each(body: Body, batches: Sequence[T], bill: Callable[[T], None], read: Callable[[T], R]) -> Iterator[tuple[T, R]]:
    """Every batch with what was read of it, as many side by side as there are hands; billed before it is read."""
    hands = hands_of(body)
    for start in range(0, len(batches), hands.count):
        wave = batches[start : start + hands.count]
        for batch in wave:
            bill(batch)
        yield from zip(wave, hands(read, wave), strict=True)


def choices(
    body: Body, encoder: Encoder, chats: Sequence[Chat], labels: Sequence[str], charge: Charge = free
) -> list[Floats]:
    """[chat] float32[labels]: nats of the full softmax for the first token of each label after the chat; raises
    InvalidInput where two labels begin with the same token."""
    first = [int(encoder.reply(label).ids[0]) for label in labels]
    if not labels or not all(labels) or len(set(first)) < len(first):
        raise InvalidInput(
            f"expected labels that differ in their first token, got {', '.join(map(repr, labels)) or 'none'}"
        )
    prompts = encoded(body, encoder, chats)
    scores: list[Floats] = [np.zeros(0, dtype=np.float32)] * len(prompts)

    def read(batch: list[int]) -> Floats:
        with torch.inference_mode():
            ids, lengths = padded([prompts[r] for r in batch], device_of(body))
            last = body.hidden(ids, lengths)[torch.arange(len(batch), device=ids.device), lengths - 1]
            parts = [body.unembed(part).log_softmax(-1)[:, first] for part in torch.split(last, _at_once(body))]
            nats: Floats = torch.cat(parts).cpu().numpy()
        return nats

    for batch, nats in _each(body, _together(body, prompts), _billed(body, prompts, charge, 1), read):
        for r, row in zip(batch, nats, strict=True):
            scores[r] = frozen_floats(row)
    return scores


def values(
    body: Body,
    encoder: Encoder,
    chats: Sequence[Chat],
    read: Callable[[Tensor], Tensor],
    mark: str,
    charge: Charge = free,
) -> list[list[list[float]]]:
    """[chat][read][output]: what a head reads of float32[N, D] hidden states: at the last token where the mark is
    "last", else at the last token of every occurrence of the mark."""
    tokens = [encoder.encode(chat) for chat in chats]
    places = [_places(encoder, text, mark) for text in tokens]
    rows = [text.ids for text in tokens]
    _require_context(body, rows)
    found: list[list[list[float]]] = [[] for _ in rows]

    def heard(batch: list[int]) -> tuple[list[int], list[list[float]]]:
        with torch.inference_mode():
            ids, lengths = padded([rows[r] for r in batch], device_of(body))
            row = [b for b, r in enumerate(batch) for _ in places[r]]
            at = torch.tensor([place for r in batch for place in places[r]], dtype=torch.int64, device=ids.device)
            whose = torch.tensor(row, dtype=torch.int64, device=ids.device)
            outputs: list[list[float]] = read(body.hidden(ids, lengths)[whose, at]).cpu().tolist()
        return row, outputs

    for batch, (row, outputs) in _each(body, _together(body, rows), _billed(body, rows, charge, 0), heard):
        for b, output in zip(row, outputs, strict=True):
            found[batch[b]].append(output)
    return found


def _places(encoder: Encoder, text: Tokens, mark: str) -> list[int]:
    if mark == "last":
        return [len(text) - 1]
    return [stop - 1 for _, stop in encoder.spans(text, re.escape(mark))]


def _require_context(body: Body, rows: Sequence[Ints]) -> None:
    for row in rows:
        if not 0 < len(row) <= body.context:
            raise InvalidInput(
                f"expected 1 to {body.context} tokens (the context), got {len(row)}; shorten the chat or text"
            )


def _tokens(body: Body) -> int:
    """Padded tokens that are read at once: hidden layers of whole sequences take several times a cache's bytes."""
    device = device_of(body).type
    return max(1, min(tokens_at_once(body) // 4, AT_ONCE.get(device, AT_ONCE["cpu"])))


def _together(body: Body, rows: Sequence[Ints]) -> list[list[int]]:
    """Rows of like length that fit together, by their places."""
    order = sorted(range(len(rows)), key=lambda r: len(rows[r]))
    tokens, batches = _tokens(body), list[list[int]]()
    for r in order:
        if not batches or (len(batches[-1]) + 1) * len(rows[r]) > tokens:
            batches.append([])
        batches[-1].append(r)
    return batches


def _billed(body: Body, rows: Sequence[Ints], charge: Charge, logits: int) -> Callable[[list[int]], None]:
    """Charges a batch, so many positions of each row unembedded; equal rows are read again, so work is what is paid."""

    def bill(batch: list[int]) -> None:
        spend = reading(body, [len(rows[r]) for r in batch], logits * len(batch))
        charge(spend, spend)

    return bill


def _at_once(body: Body) -> int:
    return max(FEWEST, CHUNK // body.vocabulary)
