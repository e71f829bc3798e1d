"""Poll: no weights change; the answer is what most of five say.

A method in the fewest lines whose work is all at inference.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sharpen.core.method import Lab, Paper, Round, Seat
from sharpen.core.records import Attempt, Problem, Sampling, Weights
from sharpen.sample.rollout import rollout

PAPER = Paper("Poll", "0000.00002", 2024, "many know more than one", "model", "majority", "none")
NEEDS = frozenset({"sample"})


@dataclass(frozen=True, slots=True)
class Config:
    voters: int = 5


@dataclass(frozen=True, slots=True)
class State:
    done: bool = True


@dataclass(frozen=True, slots=True)
class Majority:
    weights: Weights
    voters: int

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        how = Sampling(n=self.voters, max_tokens=4)
        attempts = rollout(seat.at(self.weights, "poll"), seat.env, problems, how)
        groups = [attempts[i : i + self.voters] for i in range(0, len(attempts), self.voters)]
        return [_favourite(group) for group in groups]


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    if state is None:
        yield Round(State(), Majority(lab.model.base, config.voters), {})


def _favourite(group: Sequence[Attempt]) -> Attempt:
    best = Counter(attempt.text for attempt in group).most_common(1)[0][0]
    return next(attempt for attempt in group if attempt.text == best)
