"""TT-D (arXiv:2510.07841): where the model is unsure, a teacher writes one like it, to learn from and forget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sharpen.core.lessons import Term, demonstration
from sharpen.core.method import Lab, Round, Seat
from sharpen.core.objectives import Imitate
from sharpen.core.ports import Scorer
from sharpen.core.records import Attempt, Problem, Sampling, Weights, user
from sharpen.core.training import Adapter, Training
from sharpen.sample.rollout import rollout


@dataclass(frozen=True, slots=True)
class Adapted:
    """A solver that learns, in its seat, one adapter per uncertain problem."""

    weights: Weights
    labels: tuple[str, ...]
    doubt: float
    how: Sampling

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        return [self._answer(seat, problem) for problem in problems]

    def _answer(self, seat: Seat, problem: Problem) -> Attempt:
        weights = self.weights
        if margin(seat.at(weights), seat, problem, self.labels) < self.doubt:
            weights = self._taught(seat, problem)
        return rollout(seat.at(weights, problem.id), seat.env, [problem], self.how.greedy())[0]

    def _taught(self, seat: Seat, problem: Problem) -> Weights:
        teacher = seat.cast["teacher"]
        asked = (user(f"Write a problem like this one, then its answer.\n{problem.chat[-1].text}"),)
        words = teacher.at(teacher.base, (seat.seed, "teach", problem.id)).sample([asked], self.how)[0][0].text
        question, _, answer = words.partition("\n")
        lesson = demonstration((user(question),), answer)
        training = Training(steps=5, batch=1, rate=3e-4, adapter=Adapter(rank=8, alpha=16))
        return seat.model.learn(self.weights, [Term(Imitate(per="sequences"), [lesson])], training).weights


def margin(scorer: Scorer, seat: Seat, problem: Problem, labels: Sequence[str]) -> float:
    scores = scorer.choices([seat.env.open(problem).chat], labels)[0]
    shares = np.exp(scores - scores.max())
    second, first = np.sort(shares / shares.sum())[-2:]
    return float(first - second)


@dataclass(frozen=True, slots=True)
class State:
    weights: Weights


def run(lab: Lab, labels: tuple[str, ...], how: Sampling) -> Iterator[Round]:
    state = State(lab.model.base)
    yield Round(state, Adapted(state.weights, labels, 0.95, how), {})
