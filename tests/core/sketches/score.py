"""SCoRe, stage I (arXiv:2409.12917): the first try is held to the base by a strong KL, the second earns the reward."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sharpen.core.judging import by_problem, judged
from sharpen.core.lessons import Term, reinforcement
from sharpen.core.method import Lab, Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.ports import Env
from sharpen.core.records import Message, Problem, Sampling, Scene, Weights, user
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.advantage import leave_one_out


@dataclass(frozen=True, slots=True)
class Retry:
    """The environment that asks for a second try whatever the first one was."""

    inner: Env
    again: str = "There may be an error above. Answer again."

    @property
    def deterministic(self) -> bool:
        return self.inner.deterministic

    @property
    def max_tokens(self) -> int:
        return self.inner.max_tokens

    def open(self, problem: Problem) -> Scene:
        return self.inner.open(problem)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        return [
            Scene((*scene.chat, action, user(self.again)), done=scene.world == "second", world="second")
            for scene, action in zip(scenes, actions, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class State:
    weights: Weights
    round: int = 0


def run(lab: Lab, how: Sampling, strong: float, weak: float, training: Training) -> Iterator[Round]:
    state = State(lab.model.base)
    objective = PolicyGradient(clip=None, per="constant", kl="k2")
    while True:
        problems = lab.rng("draw", state.round).sample(lab.train, 16)
        attempts = rollout(lab.at(state.weights, state.round), Retry(lab.env), problems, how)
        lessons = []
        for group in by_problem(judged(attempts, lab.oracle.judge)).values():
            second = leave_one_out([mark.verdict.score for mark in group])
            for mark, advantage in zip(group, second, strict=True):
                lessons += reinforcement(mark.attempt, (0.0, advantage), leash=(strong, weak))
        term = Term(objective, lessons, anchor=lab.model.base)
        state = State(lab.model.learn(state.weights, [term], training).weights, state.round + 1)
        yield Round(state, Direct(state.weights), {})
