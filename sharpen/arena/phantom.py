"""A model that costs what the real one would but repeats at once what that said before, and a judge to match."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np

from sharpen.core.budget import Charge, Spend, free
from sharpen.core.errors import LacksNeed
from sharpen.core.lessons import Lesson, Part, Term
from sharpen.core.objectives import PolicyGradient, Prefer
from sharpen.core.ports import Encoder, Model, Oracle
from sharpen.core.records import (
    Attempt,
    Chat,
    Completion,
    Finish,
    Json,
    Piece,
    Problem,
    Reference,
    Sampling,
    Verdict,
    Weights,
)
from sharpen.core.streams import Rng, Stream, stream
from sharpen.core.tokens import Floats, Tokens
from sharpen.core.training import Head, Learned, Training

Kind = Literal["asking", "learning"]


class Calm(Mapping[str, float]):
    """Metrics of a learning that did not take place: each that is asked for is zero."""

    def __getitem__(self, name: str) -> float:
        return 0.0

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True)
class Phantom:
    """A model in all that is counted: `heard` is what it repeats, `flops` what each kind of work came to."""

    model: Model
    heard: Sequence[Piece]
    charge: Charge = free
    flops: dict[Kind, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def name(self) -> str:
        """What the user called it."""
        return self.model.name

    @property
    def base(self) -> Weights:
        """The weights it came with."""
        return self.model.base

    @property
    def encoder(self) -> Encoder:
        """Its tokenizer and chat template."""
        return self.model.encoder

    @property
    def offers(self) -> frozenset[str]:
        """What it can do."""
        return self.model.offers

    def at(self, weights: Weights, stream: Stream = ()) -> "Echo":
        """The policy that repeats what was heard."""
        return Echo(self, weights, stream)

    def head(self, start: Weights, head: Head) -> Weights:
        """The start."""
        return start

    def blend(self, shares: Sequence[tuple[Weights, float]]) -> Weights:
        """The first of them."""
        return shares[0][0]

    def learn(self, start: Weights, terms: Sequence[Term], how: Training) -> Learned:
        """The start, at the price of learning."""
        spend = sum((self._taught(term, how) for term in terms), Spend())
        return Learned(start, self.bill("learning", spend), Calm())

    def cost(self, read: int = 0, sampled: int = 0, learned: int = 0, context: float = 0.0) -> Spend:
        """What that many tokens cost."""
        return self.model.cost(read, sampled, learned, context)

    def bind(self, charge: Charge, stream: Stream = (), folder: Path | None = None) -> "Phantom":
        """The same for one run."""
        return Phantom(self.model, self.heard, charge, self.flops)

    def keep(self, live: Iterable[Weights]) -> None:
        """There is nothing to keep."""

    def export(self, weights: Weights, folder: Path, form: Literal["hf", "peft"]) -> None:
        """There is nothing to export; raises LacksNeed."""
        raise LacksNeed("a phantom model has no weights to export; run the method first")

    def bill(self, kind: Kind, spend: Spend) -> Spend:
        """Charges a spend and remembers what kind of work it was."""
        self.charge(spend, spend)
        self.flops[kind] += spend.flops
        return spend

    def length(self, chat: Chat) -> int:
        """Tokens of a chat; where the tokenizer is on a server, four characters a token."""
        try:
            return len(self.encoder.encode(chat))
        except LacksNeed:
            return sum(len(message.text) for message in chat) // 4 + 1

    def words(self, said: Tokens | str) -> int:
        """Tokens of what is said."""
        if isinstance(said, Tokens):
            return len(said)
        try:
            return len(self.encoder.reply(said))
        except LacksNeed:
            return len(said) // 4 + 1

    def _taught(self, term: Term, how: Training) -> Spend:
        """Learning all tokens as often as asked, and reading them once for each frozen model that is needed."""
        sizes = [self._lesson(lesson) for lesson in term.lessons]
        if not sizes:
            return Spend()
        tokens, said = (sum(column) for column in zip(*sizes, strict=True))
        steps = how.steps or ceil(how.epochs * len(sizes) / how.batch)
        passes = how.epochs if how.steps is None else how.steps * how.batch / len(sizes)
        gradient = isinstance(term.objective, PolicyGradient)
        readers = int(gradient and steps > 1 and any(_unsampled(lesson) for lesson in term.lessons))
        if term.anchor is not None and (isinstance(term.objective, Prefer) or any(map(_leashed, term.lessons))):
            readers += 1
        context = mean_context([size for size, _ in sizes])
        once = self.cost(read=tokens - said, context=context).flops + self.cost(sampled=said, context=context).flops
        back = self.cost(learned=100).flops / max(1.0, self.cost(sampled=100).flops)
        learned = round(passes * tokens)
        return Spend(read=readers * tokens, learned=learned, flops=once * (readers + passes * back))

    def _lesson(self, lesson: Lesson) -> tuple[int, int]:
        """Tokens, and how many of them are said rather than context."""
        sizes = [
            (self.words(part.content) if isinstance(part.content, Tokens | str) else self.length(part.content), part)
            for part in lesson.parts
        ]
        return sum(size for size, _ in sizes), sum(size for size, part in sizes if _counts(part))


@dataclass(frozen=True)
class Echo:
    """A phantom's policy: its completions are drawn from those heard, whatever it is asked."""

    phantom: Phantom
    weights: Weights
    stream: Stream

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        """[chat][n] completions that were heard, or stretches of them between stop strings, cut to the length limit."""
        rng = stream("phantom", *self.stream)
        said = [
            [_cut(self._stretch(rng.choice(self.phantom.heard), how.stop, rng), how.max_tokens) for _ in range(how.n)]
            for _ in chats
        ]
        if chats:
            prompts = [self.phantom.length(chat) for chat in chats]
            spoken = [[self._words(completion) for completion in row] for row in said]
            self.phantom.bill("asking", self._speaking(prompts, spoken))
        return said

    def _stretch(self, piece: Piece, stop: tuple[str, ...], rng: Rng) -> Piece:
        """One of the stretches that a piece falls into at the stop strings; where there are no tokens, all of it."""
        if not stop or piece.tokens is None:
            return piece
        encoder = self.phantom.encoder
        ends = [end for _, end in encoder.spans(piece.tokens, "|".join(map(re.escape, stop)))]
        first, last = rng.choice(list(pairwise(sorted({0, *ends, len(piece.tokens)}))))
        tokens = piece.tokens[first:last]
        text = encoder.decode(tokens)
        shown = text[: min((text.find(string) for string in stop if string in text), default=len(text))]
        logprobs = None if piece.logprobs is None else piece.logprobs[first:last]
        drawn = None if piece.drawn is None else piece.drawn[first:last]
        return Piece(shown, tokens, logprobs, piece.author, drawn)

    def _words(self, completion: Completion) -> int:
        tokens = completion.piece.tokens
        return self.phantom.words(completion.text if tokens is None else tokens)

    def _speaking(self, prompts: Sequence[int], spoken: Sequence[Sequence[int]]) -> Spend:
        """Each prompt is read once and gives all first tokens; every further token is a step."""
        sampled = sum(map(sum, spoken))
        steps = sampled - sum(map(len, spoken))
        context = sum((p + n / 2) * n for p, row in zip(prompts, spoken, strict=True) for n in row) / max(sampled, 1)
        speaking = self.phantom.cost(sampled=steps, context=context)
        return Spend(read=sum(prompts), sampled=sampled, flops=self._reading(prompts, len(prompts)) + speaking.flops)

    def logprobs(self, chats: Sequence[Chat], said: Sequence[Tokens | str]) -> list[Floats]:
        """One nat a token."""
        lengths = [self.phantom.words(words) for words in said]
        prompts = [self.phantom.length(chat) for chat in chats]
        self._read([prompt + length for prompt, length in zip(prompts, lengths, strict=True)], sum(lengths))
        return [np.full(length, -1.0, dtype=np.float32) for length in lengths]

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        """All labels alike."""
        self._read([self.phantom.length(chat) for chat in chats], len(chats))
        return [np.full(len(labels), -np.log(len(labels)), dtype=np.float32) for _ in chats]

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        """One read of one half each."""
        self._read([self.phantom.length(chat) for chat in chats])
        return [[[0.5]] for _ in chats]

    def _read(self, lengths: Sequence[int], logits: int = 0) -> None:
        if lengths:
            self.phantom.bill("asking", Spend(read=sum(lengths), flops=self._reading(lengths, logits)))

    def _reading(self, lengths: Sequence[int], logits: int) -> float:
        """Operations of reading sequences of these lengths, `logits` positions unembedded as sampled ones are."""
        context = mean_context(lengths)
        read = self.phantom.cost(read=sum(lengths) - logits, context=context)
        return read.flops + self.phantom.cost(sampled=logits, context=context).flops


@dataclass(frozen=True)
class Coin:
    """A judge that finds as many attempts right as the real one did, the same attempt always the same way; references
    and states are the real ones."""

    oracle: Oracle
    share: float

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts at random, of the real one's frequency."""
        draws = [stream("coin", a.problem.id, a.text).random() < self.share for a in attempts]
        return [Verdict(float(right), right) for right in draws]

    def reveal(self, problem: Problem) -> Reference:
        """The reference answer."""
        return self.oracle.reveal(problem)

    def states(self, problem: Problem, text: str) -> list[Json]:
        """An executor's states."""
        return self.oracle.states(problem, text)


def mean_context(lengths: Sequence[int]) -> float:
    """The mean number of tokens seen by a token of sequences of these lengths, itself included."""
    return sum(length * (length + 1) / 2 for length in lengths) / max(1, sum(lengths))


def _counts(part: Part) -> bool:
    return not isinstance(part.content, tuple) and (bool(np.any(part.weight)) or part.sampled is not None)


def _unsampled(lesson: Lesson) -> bool:
    return any(_counts(part) and part.sampled is None for part in lesson.parts)


def _leashed(lesson: Lesson) -> bool:
    return any(bool(np.any(part.leash)) for part in lesson.parts)


def _cut(piece: Piece, most: int) -> Completion:
    if piece.tokens is None or len(piece.tokens) <= most:
        return Completion(piece, Finish.END)
    logprobs = None if piece.logprobs is None else piece.logprobs[:most]
    drawn = None if piece.drawn is None else piece.drawn[:most]
    return Completion(Piece(piece.text, piece.tokens[:most], logprobs, piece.author, drawn), Finish.LENGTH)
