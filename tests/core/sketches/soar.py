"""SOAR (arXiv:2601.18778): a teacher copy is rewarded by how much its problems helped a student copy; runs in a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median_low

from sharpen.core.judging import by_problem, judged
from sharpen.core.lessons import Term, reinforcement
from sharpen.core.method import Lab, Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.records import Attempt, Problem, Sampling, Weights, user
from sharpen.core.training import Training
from sharpen.judge.given import Given
from sharpen.propose.pose import Posed, read
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.advantage import leave_one_out

RLOO = PolicyGradient(clip=(0.2, 0.2), ratio="sequence")


@dataclass(frozen=True, slots=True)
class State:
    teacher: Weights
    student: Weights
    window: tuple[float, ...] = ()
    best: tuple[Posed, ...] = ()
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
        students = [
            [nested(lab, state, posed(x), plan, (k, j)) for j in range(plan.repeats)] for k, x in enumerate(sets)
        ]
        gains = [[greedy(lab, student, asked) - before for student in group] for group in students]
        rewards = [fmean(group) for group in gains]
        window = (*state.window, fmean(rewards))[-3:]
        student, best = state.student, state.best
        if fmean(window) > 0.01:
            k = rewards.index(max(rewards))
            student, best = students[k][gains[k].index(median_low(gains[k]))], (*best, *posed(sets[k]))
            window = ()
        lessons = [
            lesson
            for texts, advantage in zip(sets, leave_one_out(rewards), strict=True)
            for text in texts
            for lesson in reinforcement(text, advantage)
        ]
        learned = lab.model.learn(state.teacher, [Term(RLOO, lessons)], plan.training)
        state = State(learned.weights, student, window, best, state.round + 1)
        yield Round(state, Direct(state.student), {"reward": fmean(rewards)})


def nested(lab: Lab, state: State, asked: Sequence[Posed], plan: Plan, path: tuple[int, int]) -> Weights:
    """A student's own run: from the same weights and a fresh optimiser each time, held to the teacher's answers. The
    oracle is not asked: it knows nothing of what was invented, and what it would say is what the teacher must earn."""
    judge = Given({one.problem.id: one.answer for one in asked})
    weights = state.student
    for step in range(plan.inner):
        policy = lab.at(weights, "inner", state.round, *path, step)
        marks = judged(rollout(policy, lab.env, [one.problem for one in asked], plan.how), judge)
        lessons = [
            lesson
            for group in by_problem(marks).values()
            for mark, advantage in zip(group, leave_one_out([m.verdict.score for m in group]), strict=True)
            for lesson in reinforcement(mark.attempt, advantage)
        ]
        how = replace(plan.training, inherit="moments" if step else "afresh")
        weights = lab.model.learn(weights, [Term(RLOO, lessons)], how).weights
    return weights


def posed(attempts: Sequence[Attempt]) -> list[Posed]:
    """What can be read of what the teacher wrote: a problem, and the answer it gave."""
    pairs = [(i, pair) for i, a in enumerate(attempts) if (pair := read(a.text))]
    return [Posed(Problem(f"posed-{i}", (user(question),)), answer) for i, (question, answer) in pairs]


def greedy(lab: Lab, weights: Weights, problems: Sequence[Problem]) -> float:
    attempts = rollout(lab.at(weights, "progress"), lab.env, problems, Sampling().greedy())
    return fmean(verdict.score for verdict in lab.oracle.judge(attempts))
