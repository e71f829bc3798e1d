"""The plainest solver: ask once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.method import Seat
from sharpen.core.records import Attempt, Problem, Sampling, Weights
from sharpen.sample.rollout import rollout

GREEDY = Sampling(temperature=0.0, max_tokens=4096)


@dataclass(frozen=True, slots=True)
class Direct:
    """One attempt per problem; greedy unless told otherwise, as long as the environment allows."""

    weights: Weights
    how: Sampling = GREEDY

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order."""
        return rollout(seat.at(self.weights, "answer"), seat.env, problems, self.how.times(1))
