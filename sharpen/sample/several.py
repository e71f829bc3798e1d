"""The solver that asks several times and gives the attempt that a judge without labels likes best."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.judging import judged
from sharpen.core.method import Seat
from sharpen.core.ports import Judge
from sharpen.core.records import Attempt, Problem, Sampling, Weights
from sharpen.sample.rollout import rollout


@dataclass(frozen=True, slots=True)
class Several:
    """The best of `how.n` attempts per problem; the first of equals. A judge of shares makes it a vote."""

    weights: Weights
    how: Sampling
    judge: Judge

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order."""
        marks = judged(rollout(seat.at(self.weights, "answer"), seat.env, problems, self.how), self.judge)
        groups = [marks[start : start + self.how.n] for start in range(0, len(marks), self.how.n)]
        return [max(group, key=lambda mark: mark.verdict.score).attempt for group in groups]
