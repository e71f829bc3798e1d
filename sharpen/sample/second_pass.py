"""The solver that goes over a problem twice: what its first attempt teaches makes the question of the second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sharpen.core.method import Seat
from sharpen.core.ports import Sampler
from sharpen.core.records import Attempt, Chat, Problem, Sampling, Weights
from sharpen.sample.reworded import InOtherWords
from sharpen.sample.rollout import rollout

Rework: TypeAlias = Callable[[Sampler, Sequence[Attempt]], list[Chat]]
"""From first attempts, and the policy that made them, to what is seen at first on the second pass."""


@dataclass(frozen=True, slots=True)
class SecondPass:
    """The answer is that of the second pass alone; the spend is that of both, and of what lies between."""

    weights: Weights
    rework: Rework
    first: Sampling
    second: Sampling

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order."""
        tried = rollout(seat.at(self.weights, "first"), seat.env, problems, self.first.times(1))
        chats = self.rework(seat.at(self.weights, "rework"), tried)
        seen = {problem.id: chat for problem, chat in zip(problems, chats, strict=True)}
        env = InOtherWords(seat.env, lambda problem, _: seen[problem.id])
        return rollout(seat.at(self.weights, "answer"), env, problems, self.second.times(1))
