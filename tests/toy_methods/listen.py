"""Listen: try each problem once, be told the answer of those that went wrong, and start from the base each time.

A method in the fewest lines that asks for references, keeps a memory in its state and never continues weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sharpen.core.judging import judged
from sharpen.core.lessons import Term, demonstration
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Imitate
from sharpen.core.records import Problem, Sampling, Weights
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout

PAPER = Paper("Listen", "0000.00001", 2024, "being told helps", "model", "oracle", "none")
NEEDS = frozenset({"sample", "learn", "reveal"})


@dataclass(frozen=True, slots=True)
class Config:
    batch: int = 6
    training: Training = Training(rate=3e-2, batch=8)


@dataclass(frozen=True, slots=True)
class State:
    weights: Weights
    told: tuple[tuple[Problem, str], ...] = ()
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    state = state or State(lab.model.base)
    while True:
        problems = lab.rng("listen", state.round).sample(list(lab.train), config.batch)
        attempts = rollout(lab.at(state.weights, "listen", state.round), lab.env, problems, Sampling(max_tokens=4))
        wrong = [mark.attempt.problem for mark in judged(attempts, lab.oracle.judge) if not mark.verdict.right]
        told = (*state.told, *((problem, lab.oracle.reveal(problem).answer) for problem in wrong))
        lessons = [demonstration(problem.chat, answer) for problem, answer in told]
        learned = lab.model.learn(lab.model.base, [Term(Imitate(), lessons)], config.training)
        state = State(learned.weights, told, state.round + 1)
        yield Round(state, Direct(state.weights), {"told": len(told), **learned.metrics})
