"""The batched sampler over any body: a prompt is read once for all its samples, and finished rows leave the batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from sharpen.core.budget import Charge, Spend, free
from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Encoder
from sharpen.core.records import Chat, Completion, Finish, Piece, Sampling
from sharpen.core.streams import Stream
from sharpen.core.tokens import Ints, Tokens, frozen_floats, frozen_ints
from sharpen.models.body import Body, Cache
from sharpen.models.draws import Keys, pick, row_keys, uniforms

ROWS = 1024
"""The most rows decoded at once; more gain nothing on a processor."""
FEWEST = 16
"""Rows of small matrix products differ in their last bits from the same rows in company, so batches are filled; on two
threads 9 to 11 rows still do (measured)."""
BYTES = 2**30
"""What the cache of one batch may take, and its logits and what is drawn from them."""
MOST = 2**16
"""The most tokens of one batch, however small their cache: reading prompts takes several times as much for a moment."""


class Speech(Encoder, Protocol):
    """An encoder that knows which tokens end a turn."""

    @property
    def ends(self) -> frozenset[int]:
        """Tokens after which nothing more is sampled."""
        ...


def sample(
    body: Body, encoder: Speech, chats: Sequence[Chat], how: Sampling, *, stream: Stream = (), charge: Charge = free
) -> list[list[Completion]]:
    """[chat][n] completions; a draw follows from (stream, prompt, its occurrence in the call, sample, position) alone.

    Work billed: every prompt once per chat, every sampled token; paid: distinct prompts once per batch, and what each
    step really computes. Raises InvalidInput for a prompt without tokens or without room left in the context.
    """
    prompts = encoded(body, encoder, chats)
    keys = row_keys(stream, prompts, how.n)
    order = sorted(range(len(prompts)), key=lambda chat: (len(prompts[chat]), prompts[chat].tobytes()))
    rows = [(chat, number) for chat in order for number in range(how.n)]
    answers: dict[tuple[int, int], Completion] = {}
    stops = _Stops(encoder, how.stop, body.vocabulary)
    with torch.inference_mode():
        for part in _batches([len(prompts[chat]) for chat, _ in rows], how.max_tokens, body):
            batch = rows[part]
            talk = _Talk(body, how, stops, charge, [prompts[chat] for chat, _ in batch])
            said = talk.speak(
                np.array([keys[row] for row in batch]), [len(prompts[c]) for c, number in batch if not number]
            )
            answers.update(zip(batch, _completions(encoder, how.stop, said), strict=True))
    return [[answers[chat, number] for number in range(how.n)] for chat in range(len(chats))]


def encoded(body: Body, encoder: Encoder, chats: Sequence[Chat]) -> list[Ints]:
    """The prompts' tokens, int32[T] each; raises InvalidInput for an empty one or one that fills the context."""
    prompts = [encoder.encode(chat).ids for chat in chats]
    for prompt in prompts:
        if not len(prompt):
            raise InvalidInput("expected a prompt of at least one token, got none; give the chat some text")
        if len(prompt) >= body.context:
            raise InvalidInput(
                f"expected a prompt shorter than the context of {body.context} tokens, got {len(prompt)}; shorten it"
            )
    return prompts


def padded(rows: Sequence[Ints], device: torch.device) -> tuple[Tensor, Tensor]:
    """ids int64[B, T], zeros on the right, and lengths int64[B]."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    ids = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
    return torch.from_numpy(ids).to(device), torch.from_numpy(lengths).to(device)


def tokens_at_once(body: Body) -> int:
    """How many cached tokens fit BYTES, MOST at most."""
    return min(MOST, max(1, BYTES // body.token_bytes))


def reading(body: Body, lengths: Sequence[int], logits: int) -> Spend:
    """What it costs to read sequences of these lengths (tokens) from their start, `logits` positions unembedded."""
    tokens = sum(lengths)
    context = sum(length * (length + 1) / 2 for length in lengths) / max(tokens, 1)
    return Spend(read=tokens, flops=body.flops(tokens, context, logits))


def device_of(body: Body) -> torch.device:
    """Where the body's tensors are."""
    return next(body.module.parameters()).device


def _batches(lengths: Sequence[int], room: int, body: Body) -> Iterator[slice]:
    """Slices of rows sorted by length, each within the bounds on rows, cached tokens and logits."""
    tokens = tokens_at_once(body)
    most = min(ROWS, max(FEWEST, BYTES // (8 * body.vocabulary)))
    start = 0
    for stop in range(1, len(lengths) + 1):
        last = stop == len(lengths)
        if last or stop - start >= most or (stop + 1 - start) * (lengths[stop] + room) > tokens:
            yield slice(start, stop)
            start = stop


@dataclass
class _Said:
    """What the rows of a batch have said: [R + 1, T] each; the spare last row takes what filling rows say."""

    tokens: Tensor
    logprobs: Tensor
    drawn: Tensor | None
    lengths: Tensor
    ended: Tensor


@dataclass
class _Slots:
    """The rows being decoded: the row of _Said that each writes to, whether it still speaks, its limit (tokens), the
    length of its prompt, and its key; finished slots go on until enough of them are worth removing."""

    home: Tensor
    alive: Tensor
    limits: Tensor
    prompts: Tensor
    keys: Keys

    def kept(self, spare: int) -> tuple[Tensor, "_Slots"]:
        """The slots still speaking, filled up to FEWEST with copies of the first that write to the spare row."""
        index = self.alive.nonzero()[:, 0]
        living = len(index)
        index = torch.cat([index, index[:1].expand(max(0, FEWEST - living))])
        slots = _Slots(
            self.home[index], self.alive[index], self.limits[index], self.prompts[index], self.keys[index.cpu().numpy()]
        )
        slots.home[living:] = spare
        slots.alive[living:] = False
        return index, slots


@dataclass(frozen=True)
class _Talk:
    """One batch: rows whose prompts lie side by side where they are equal."""

    body: Body
    how: Sampling
    stops: "_Stops"
    charge: Charge
    prompts: list[Ints]

    def speak(self, keys: Keys, billed: list[int]) -> _Said:
        """Reads the prompts and samples every row to its end; `billed` are the lengths of prompts not billed yet."""
        distinct: dict[bytes, int] = {}
        which = [distinct.setdefault(prompt.tobytes(), len(distinct)) for prompt in self.prompts]
        first = [np.frombuffer(prompt, dtype=np.int32) for prompt in distinct]
        ids, lengths = padded(first, device_of(self.body))
        place = torch.tensor(which, device=ids.device)
        limits = (self.body.context - lengths).clamp(max=self.how.max_tokens)[place]
        slots = _Slots(
            torch.arange(len(place), device=ids.device), torch.ones_like(limits).bool(), limits, lengths[place], keys
        )
        index, slots = slots.kept(len(place))
        place = place[index]
        spoken = Spend(sampled=len(self.prompts))
        # Equal prompts of two chats are billed twice and read once.
        read = reading(self.body, [len(prompt) for prompt in first], len(first))
        self.charge(reading(self.body, billed, len(billed)) + spoken, read + spoken)
        cache, last = self.body.prefill(ids, lengths, int(limits.max()))
        logits = self.body.unembed(_filled(last))[place]
        return self._decode(cache.rows(place), logits, slots, int(limits.max()))

    def _decode(self, cache: Cache, logits: Tensor, slots: _Slots, longest: int) -> _Said:
        said = self._silence(longest, logits.device)
        ends = torch.tensor(sorted(self.stops.encoder.ends), device=logits.device)
        spare = len(self.prompts)
        for position in range(longest):
            uniform = torch.from_numpy(uniforms(slots.keys, position)).to(logits.device)
            token, logprobs, drawn = pick(logits, uniform, self.how)
            said.tokens[slots.home, position] = token
            said.logprobs[slots.home, position] = logprobs
            if said.drawn is not None and drawn is not None:
                said.drawn[slots.home, position] = drawn
            ended = slots.alive & torch.isin(token, ends)
            ended |= self.stops.reached(said.tokens, slots, token, position)
            over = ended | (slots.alive & (slots.limits == position + 1))
            said.ended[slots.home[ended]] = True
            said.lengths[slots.home[over]] = position + 1
            slots.alive &= ~over
            living = int(slots.alive.sum())
            if not living:
                break
            if len(slots.alive) > FEWEST and living <= len(slots.alive) * 3 // 4:
                index, slots = slots.kept(spare)
                cache, token = cache.rows(index), token[index]
            self._charge_step(slots, living, position)
            logits = self.body.unembed(self.body.step(cache, token))
        return said

    def _silence(self, longest: int, device: torch.device) -> _Said:
        shape = (len(self.prompts) + 1, longest)
        same = self.how.temperature == 1 and self.how.top_p == 1
        return _Said(
            tokens=torch.zeros(shape, dtype=torch.int64, device=device),
            logprobs=torch.zeros(shape, device=device),
            drawn=None if same else torch.zeros(shape, device=device),
            lengths=torch.zeros(shape[0], dtype=torch.int64, device=device),
            ended=torch.zeros(shape[0], dtype=torch.bool, device=device),
        )

    def _charge_step(self, slots: _Slots, living: int, position: int) -> None:
        """Bills the step that reads token `position` of the living rows and gives their next."""
        context = float((slots.prompts * slots.alive).sum()) / living + position + 1
        computed = len(slots.alive)
        work = Spend(sampled=living, flops=self.body.flops(living, context, living))
        self.charge(work, Spend(sampled=living, flops=self.body.flops(computed, context, computed)))


class _Stops:
    """Looks for stop strings in the last words of a row, only where its newest token could complete one."""

    def __init__(self, encoder: Speech, stop: tuple[str, ...], vocabulary: int) -> None:
        if any(not string for string in stop):
            raise InvalidInput("expected stop strings of at least one character, got an empty one; leave it out")
        self.encoder = encoder
        self._stop = stop
        self._tail = max((len(string.encode()) for string in stop), default=0) + 4
        self._known = np.zeros(vocabulary if stop else 0, dtype=bool)
        self._completes = np.zeros(vocabulary if stop else 0, dtype=bool)

    def reached(self, tokens: Tensor, slots: _Slots, newest: Tensor, position: int) -> Tensor:
        """bool[A]: the living slots whose words hold a stop string since this token."""
        found = torch.zeros_like(slots.alive)
        if not self._stop:
            return found
        last = newest.cpu().numpy()
        for token in np.unique(last[~self._known[last]]).tolist():
            text = self._decoded([token])
            # A token that shows nothing alone (a part of a character, a stripped space) might still complete one.
            self._completes[token] = not text.strip("\ufffd ") or any(string[-1] in text for string in self._stop)
            self._known[token] = True
        start = max(0, position + 1 - self._tail)
        for slot in np.flatnonzero(self._completes[last] & slots.alive.cpu().numpy()).tolist():
            text = self._decoded(tokens[slots.home[slot], start : position + 1].tolist())
            found[slot] = any(string in text for string in self._stop)
        return found

    def _decoded(self, ids: list[int]) -> str:
        return self.encoder.decode(Tokens(np.array(ids, dtype=np.int32), self.encoder.fingerprint))


def _filled(states: Tensor) -> Tensor:
    missing = FEWEST - len(states)
    return torch.cat([states, states[:1].expand(missing, -1)]) if missing > 0 else states


def _completions(encoder: Encoder, stop: tuple[str, ...], said: _Said) -> list[Completion]:
    ids = frozen_ints(said.tokens.cpu().numpy())
    logprobs = frozen_floats(said.logprobs.cpu().numpy())
    drawn = None if said.drawn is None else frozen_floats(said.drawn.cpu().numpy())
    completions = []
    for row, (length, ended) in enumerate(zip(said.lengths[:-1].tolist(), said.ended[:-1].tolist(), strict=True)):
        tokens = Tokens(ids[row, :length], encoder.fingerprint)
        text = encoder.decode(tokens)
        text = text[: min((text.find(string) for string in stop if string in text), default=len(text))]
        piece = Piece(text, tokens, logprobs[row, :length], "policy", None if drawn is None else drawn[row, :length])
        completions.append(Completion(piece, Finish.END if ended else Finish.LENGTH))
    return completions
