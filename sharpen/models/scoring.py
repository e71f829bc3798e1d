"""What a body thinks of words it is shown: log-probabilities, choices between labels, and the values its heads read."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

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
    groups = list(_grouped(prompts, texts, tokens_at_once(body) // 4))
    hands = hands_of(body)
    for wave in _waves(groups, hands.count):
        for group in wave:
            work = reading(body, [len(rows[r]) for r in group.rows], sum(map(len, group.texts)))
            charge(work, group.paid(body))
        for group, found in zip(wave, hands(partial(_scored, body), wave), strict=True):
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


def _waves(groups: Sequence[_Group], count: int) -> Iterator[Sequence[_Group]]:
    for start in range(0, len(groups), count):
        yield groups[start : start + count]


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
    for batch, ids, lengths in _batches(body, prompts, charge, [1] * len(prompts)):
        last = body.hidden(ids, lengths)[torch.arange(len(batch), device=ids.device), lengths - 1]
        for start in range(0, len(batch), _at_once(body)):
            part = body.unembed(last[start : start + _at_once(body)]).log_softmax(-1)[:, first].cpu().numpy()
            for r, row in zip(batch[start:], part, strict=False):
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
    for batch, ids, lengths in _batches(body, rows, charge, [0] * len(rows)):
        row = torch.tensor([b for b, r in enumerate(batch) for _ in places[r]], dtype=torch.int64, device=ids.device)
        at = torch.tensor([place for r in batch for place in places[r]], dtype=torch.int64, device=ids.device)
        outputs = read(body.hidden(ids, lengths)[row, at]).cpu().tolist()
        for b, output in zip(row.tolist(), outputs, strict=True):
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


def _batches(
    body: Body, rows: Sequence[Ints], charge: Charge, logits: Sequence[int]
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Rows of like length that fit together, billed: their places, ids int64[B, T] and lengths int64[B].

    Gradients are off while the caller works on a batch."""
    order = sorted(range(len(rows)), key=lambda r: len(rows[r]))
    # Hidden layers of whole sequences take several times a cache's bytes.
    tokens = max(1, tokens_at_once(body) // 4)
    start = 0
    with torch.inference_mode():
        for stop in range(1, len(order) + 1):
            if stop == len(order) or (stop + 1 - start) * len(rows[order[stop]]) > tokens:
                batch = order[start:stop]
                # Equal prompts are read again in every row here: what is paid is what it would cost alone.
                spend = reading(body, [len(rows[r]) for r in batch], sum(logits[r] for r in batch))
                charge(spend, spend)
                yield batch, *padded([rows[r] for r in batch], device_of(body))
                start = stop


def _at_once(body: Body) -> int:
    return max(FEWEST, CHUNK // body.vocabulary)
