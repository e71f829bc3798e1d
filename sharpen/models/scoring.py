"""What a body thinks of words it is shown: log-probabilities, choices between labels, and the values its heads read."""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from sharpen.core.budget import Charge, free
from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Encoder
from sharpen.core.records import Chat
from sharpen.core.tokens import Floats, Ints, Tokens, frozen_floats
from sharpen.models.body import Body
from sharpen.models.losses import CHUNK, selected
from sharpen.models.sampling import FEWEST, device_of, encoded, padded, reading, tokens_at_once


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
    for batch, ids, lengths in _batches(body, rows, charge, [len(text) for text in texts]):
        begin = torch.tensor([len(prompts[r]) for r in batch], device=ids.device)[:, None]
        place = torch.arange(ids.shape[1], device=ids.device)
        mask = (place >= begin) & (place < lengths[:, None])
        found = selected(body, body.hidden(ids, lengths), ids, mask)[0][mask].cpu().numpy()
        for r, part in zip(batch, np.split(found, np.cumsum([len(texts[r]) for r in batch])[:-1]), strict=True):
            scores[r] = frozen_floats(part)
    return scores


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
