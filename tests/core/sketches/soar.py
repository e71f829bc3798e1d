"""SOAR (arXiv:2601.18778): a teacher copy is rewarded by how much its problems helped a student copy; runs in a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median_low

from sharpen.core.judging import by_problem, judged
from sharpen.core.lessons import Term, reinforcement
from sharpen.core.method import Lab, Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.ports import Refusal
from sharpen.core.records import Attempt, Problem, Sampling, Weights
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.advantage import leave_one_out

RLOO = PolicyGradient(clip=(0.2, 0.2), ratio="sequence")


@dataclass(frozen=True, slots=True)
class State:
    teacher: Weights
    student: Weights
    window: tuple[float, ...] = ()
    best: tuple[Problem, ...] = ()
    round: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    prompt: Problem
    datasets: int
    size: int
    repeats: int
    inner: int
    how: Sampling
    training: Training


def run(lab: Lab, plan: Plan, state: State | None = None) -> Iterator[Round]:
    state = state or State(lab.model.base, lab.model.base)
    while True:
        teacher = lab.at(state.teacher, "teach", state.round)
        written = rollout(teacher, lab.env, [plan.prompt], plan.how.times(plan.datasets * plan.size))
        sets = [written[i : i + plan.size] for i in range(0, len(written), plan.size)]
        asked = lab.rng("reward", state.round).sample(lab.train, 64)
        before = greedy(lab, state.student, asked)
        students = [[nested(lab, state, admitted(lab, x), plan, j) for j in range(plan.repeats)] for x in sets]
        gains = [[greedy(lab, student, asked) - before for student in group] for group in students]
        rewards = [fmean(group) for group in gains]
        window = (*state.window, fmean(rewards))[-3:]
        student, best = state.student, state.best
        if fmean(window) > 0.01:
            k = rewards.index(max(rewards))
            student, best = students[k][gains[k].index(median_low(gains[k]))], (*best, *admitted(lab, sets[k]))
        lessons = [
            lesson
            for texts, advantage in zip(sets, leave_one_out(rewards), strict=True)
            for text in texts
            for lesson in reinforcement(text, advantage)
        ]
        learned = lab.model.learn(state.teacher, [Term(RLOO, lessons)], plan.training)
        state = State(learned.weights, student, window, best, state.round + 1)
        yield Round(state, Direct(state.student), {"reward": fmean(rewards)})


def nested(lab: Lab, state: State, problems: Sequence[Problem], plan: Plan, repeat: int) -> Weights:
    """A student's own run: from the same weights and a fresh optimiser each time."""
    weights = state.student
    for step in range(plan.inner):
        policy = lab.at(weights, "inner", state.round, repeat, step)
        marks = judged(rollout(policy, lab.env, problems, plan.how), lab.oracle.judge)
        lessons = [
            lesson
            for group in by_problem(marks).values()
            for mark, advantage in zip(group, leave_one_out([m.verdict.score for m in group]), strict=True)
            for lesson in reinforcement(mark.attempt, advantage)
        ]
        weights = lab.model.learn(weights, [Term(RLOO, lessons)], plan.training).weights
    return weights


def admitted(lab: Lab, attempts: Sequence[Attempt]) -> list[Problem]:
    invented = [Problem(f"{a.problem.id}-{i}", a.turns[0].seen) for i, a in enumerate(attempts)]
    return [p for p in map(lab.source.admit, invented) if not isinstance(p, Refusal)]


def greedy(lab: Lab, weights: Weights, problems: Sequence[Problem]) -> float:
    attempts = rollout(lab.at(weights, "progress"), lab.env, problems, Sampling().greedy())
    return fmean(verdict.score for verdict in lab.oracle.judge(attempts))
