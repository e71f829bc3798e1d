"""Which of two attempts at a problem is better: by a judge's scores of either, or by asking a model in both orders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeAlias

from sharpen.core import speech
from sharpen.core.judging import wording
from sharpen.core.ports import Judge, Sampler, Scorer
from sharpen.core.records import Attempt, Chat, Problem, Sampling
from sharpen.core.streams import Rng

Pair: TypeAlias = tuple[Attempt, Attempt]
"""Two attempts at the same problem."""
Arbiter: TypeAlias = Callable[[Sequence[Pair]], list[float]]
"""The score of the first attempt of each pair: 1 better, 0.5 as good, 0 worse."""
BRIEF = Sampling(temperature=0.0, max_tokens=8)


@dataclass(frozen=True, slots=True)
class Margin:
    """The higher score of a judge wins, however small the margin; an attempt that meets several is judged once."""

    judge: Judge

    def __call__(self, pairs: Sequence[Pair]) -> list[float]:
        """Scores of the first attempts, in order; a judge's nan is no better and no worse than anything."""
        places = {id(attempt): attempt for pair in pairs for attempt in pair}
        verdicts = dict(zip(places, self.judge(list(places.values())), strict=True))
        scores = [(verdicts[id(one)].score, verdicts[id(other)].score) for one, other in pairs]
        return [(1 + (one > other) - (one < other)) / 2 for one, other in scores]


@dataclass(frozen=True, slots=True)
class ByLabel:
    """The model's likelier label of A and B, asked in both orders; where the orders disagree it is a draw. Attempts of
    the same wording draw without asking."""

    model: Scorer

    def __call__(self, pairs: Sequence[Pair]) -> list[float]:
        """Scores of the first attempts, in order."""
        return _in_both_orders(pairs, self._said)

    def _said(self, chats: Sequence[Chat]) -> list[str]:
        likely = self.model.choices(chats, ("A", "B"))
        return ["A" if a > b else "B" if b > a else "" for a, b in likely]


@dataclass(frozen=True, slots=True)
class ByReply:
    """The same by the model's reply, which must be A or B: any other word speaks for neither."""

    model: Sampler
    how: Sampling = BRIEF

    def __call__(self, pairs: Sequence[Pair]) -> list[float]:
        """Scores of the first attempts, in order."""
        return _in_both_orders(pairs, self._said)

    def _said(self, chats: Sequence[Chat]) -> list[str]:
        return [said[0].text.strip().removesuffix(".") for said in self.model.sample(chats, self.how.times(1))]


def _in_both_orders(pairs: Sequence[Pair], said: Callable[[Sequence[Chat]], list[str]]) -> list[float]:
    differ = [place for place, (one, other) in enumerate(pairs) if wording(one) != wording(other)]
    forth = [_question(*pairs[place]) for place in differ]
    back = [_question(*pairs[place][::-1]) for place in differ]
    replies = said([*forth, *back]) if differ else []
    scores = [0.5] * len(pairs)
    for place, first, second in zip(differ, replies[: len(differ)], replies[len(differ) :], strict=True):
        scores[place] = {("A", "B"): 1.0, ("B", "A"): 0.0}.get((first, second), 0.5)
    return scores


def _question(one: Attempt, other: Attempt) -> Chat:
    return speech.chosen(question(one.problem), solution(one), solution(other))


def shared(
    arbiters: Sequence[Arbiter], pairs: Sequence[Pair], doubled: float, rng: Rng
) -> tuple[list[float], list[tuple[float, float]]]:
    """The score of each pair by the arbiter to whom it fell, at random and in equal shares. Where there are several,
    the next one sees a share `doubled` (0 to 1, rounded up) of the pairs that differ in wording too: then also both
    scores of each such pair."""
    order = rng.sample(range(len(pairs)), len(pairs))
    fell = {place: turn % len(arbiters) for turn, place in enumerate(order)}
    differ = [place for place, (one, other) in enumerate(pairs) if wording(one) != wording(other)]
    again = rng.sample(differ, ceil(doubled * len(differ))) if len(arbiters) > 1 else []
    first, second = dict[int, float](), dict[int, float]()
    for turn, arbiter in enumerate(arbiters):
        own = [place for place in order if fell[place] == turn]
        twice = [place for place in again if (fell[place] + 1) % len(arbiters) == turn]
        scores = arbiter([pairs[place] for place in (*own, *twice)])
        first.update(zip(own, scores[: len(own)], strict=True))
        second.update(zip(twice, scores[len(own) :], strict=True))
    return [first[place] for place in range(len(pairs))], [(first[place], second[place]) for place in again]


def question(problem: Problem) -> str:
    """All that a problem's chat says, as a judge reads it."""
    return "\n".join(message.text for message in problem.chat)


def solution(attempt: Attempt) -> str:
    """All that an attempt's turns say, as a judge reads it."""
    return "\n".join(turn.text for turn in attempt.turns)
