"""Climb: keep what was right, imitate it, again.

A method in the fewest lines that samples, asks the oracle and learns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sharpen.core.judging import judged
from sharpen.core.lessons import Term, demonstrations
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Imitate
from sharpen.core.records import Sampling, Weights
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout

PAPER = Paper("Climb", "0000.00000", 2024, "what was right is said more often", "model", "oracle", "none")
NEEDS = frozenset({"sample", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    batch: int = 12
    how: Sampling = Sampling(n=4, max_tokens=4)
    training: Training = field(default_factory=lambda: Training(rate=3e-2, batch=8, inherit="moments"))

    @classmethod
    def small(cls) -> "Config":
        """Fewer problems a round."""
        return cls(batch=4)


@dataclass(frozen=True, slots=True)
class State:
    weights: Weights
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    state = state or State(lab.model.base)
    while True:
        problems = lab.rng("climb", state.round).sample(list(lab.train), config.batch)
        attempts = rollout(lab.at(state.weights, "climb", state.round), lab.env, problems, config.how)
        kept = [mark for mark in judged(attempts, lab.oracle.judge) if mark.verdict.right]
        learned = lab.model.learn(state.weights, [Term(Imitate(), demonstrations(kept))], config.training)
        state = State(learned.weights, state.round + 1)
        yield Round(state, Direct(state.weights), {"kept": len(kept), **learned.metrics})
