"""What a model can be taught: sequences in weighted parts, and the groups that are compared or summed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from sharpen.core.errors import InvalidInput
from sharpen.core.objectives import Objective
from sharpen.core.records import Attempt, Chat, Judged, Piece, Weights
from sharpen.core.tokens import Floats, Tokens, frozen_floats

PerToken: TypeAlias = float | Floats


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A stretch of a lesson, with one number or one per token for each of its properties.

    content   tokens as sampled; or a chat, which the learner encodes up to where the assistant speaks; or words of the
              assistant, which the learner encodes with the end of turn (a foreign teacher's, a reference solution)
    weight    what the objective multiplies: 1 for a demonstration, the advantage for a policy gradient; 0 is context.
              Numbers per token need `content` to be tokens
    sampled   float32[T], nats: log-probabilities when it was sampled (the ratio's denominator); None: the start's
    leash     strength of the pull towards the anchor, per token (nats^-1 of the divergence)
    target    the value a head is asked to give at this part's last token
    """

    content: Tokens | Chat | str
    weight: PerToken = 0.0
    sampled: Floats | None = None
    leash: PerToken = 0.0
    target: float | None = None

    def __post_init__(self) -> None:
        for name in ("weight", "sampled", "leash"):
            values = getattr(self, name)
            if isinstance(values, np.ndarray):
                if not isinstance(self.content, Tokens) or len(values) != len(self.content):
                    raise InvalidInput(f"{name} must have one number per token of a tokens part, got {len(values)}")
                object.__setattr__(self, name, frozen_floats(values))


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One sequence in parts. Lessons of one `group` number stay together where an objective compares them (Prefer);
    0 means on its own for all others."""

    parts: tuple[Part, ...]
    group: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One term of a loss: an objective over lessons, times a coefficient; `anchor`: the frozen reference it needs."""

    objective: Objective
    lessons: Sequence[Lesson]
    coefficient: float = 1.0
    anchor: Weights | None = None


def demonstration(chat: Chat, said: Sequence[Piece] | str, weight: float = 1.0, group: int = 0) -> Lesson:
    """Imitate what was said after a chat: only the policy's own pieces count, lookups and triggers are context."""
    return Lesson((Part(chat), *_said(said, weight)), group)


def demonstrations(kept: Iterable[Judged], weight: float = 1.0) -> list[Lesson]:
    """One demonstration per turn of every attempt, in order."""
    return [demonstration(turn.seen, turn.said, weight) for marked in kept for turn in marked.attempt.turns]


def retold(attempt: Attempt) -> list[Lesson]:
    """One demonstration per turn in words alone, those seen before it too: another body's attempt, whose tokens are
    foreign to whoever learns from it."""
    return [
        demonstration(tuple(replace(message, tokens=None) for message in turn.seen), turn.text)
        for turn in attempt.turns
    ]


def preference(
    chat: Chat, better: Sequence[Piece] | str, worse: Sequence[Piece] | str, group: int
) -> tuple[Lesson, Lesson]:
    """Two lessons of one group, the preferred one first; each pair needs a group number of its own."""
    return Lesson((Part(chat), *_said(better, 1.0)), group), Lesson((Part(chat), *_said(worse, 1.0)), group)


def reinforcement(
    attempt: Attempt, advantage: float | Sequence[float], leash: float | Sequence[float] = 0.0, group: int = 0
) -> list[Lesson]:
    """One lesson per turn, its policy tokens weighted by the advantage and held by the leash (one number, or one per
    turn). The ratio's denominator is the log-probability under which the tokens were really drawn."""
    turns = attempt.turns
    return [
        Lesson((Part(turn.seen), *_drawn(turn.said, credit, pull)), group)
        for turn, credit, pull in zip(turns, _each(advantage, len(turns)), _each(leash, len(turns)), strict=True)
    ]


def valuation(chat: Chat, said: Sequence[Piece] | str, target: float, group: int = 0) -> Lesson:
    """Ask a head for `target` at the last token of what was said after a chat, or of the chat if nothing was."""
    parts = (Part(chat), *_said(said, 1.0))
    return Lesson((*parts[:-1], replace(parts[-1], target=target)), group)


def _said(said: Sequence[Piece] | str, weight: float) -> tuple[Part, ...]:
    if isinstance(said, str):
        return (Part(said, weight),)
    return tuple(Part(_content(piece), weight if piece.author == "policy" else 0.0) for piece in said)


def _drawn(said: Sequence[Piece], credit: float, leash: float) -> tuple[Part, ...]:
    return tuple(
        Part(_content(p), credit, p.logprobs if p.drawn is None else p.drawn, leash)
        if p.author == "policy"
        else Part(_content(p))
        for p in said
    )


def _each(number: float | Sequence[float], turns: int) -> Sequence[float]:
    numbers = [number] * turns if isinstance(number, float | int) else number
    if len(numbers) != turns:
        raise InvalidInput(f"expected one number or one per turn ({turns}), got {len(numbers)}")
    return numbers


def _content(piece: Piece) -> Tokens | str:
    return piece.text if piece.tokens is None else piece.tokens
