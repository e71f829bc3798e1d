"""SOAR: a teacher copy of the model writes problems for a student copy, and is paid by how much the student then gained
on real problems that were too hard for it (arXiv:2601.18778).

Repeat
    the teacher writes g datasets of n problems with answers, from one prompt; nobody checks them
    r students a dataset start from the student so far with a fresh optimiser, and make a short policy gradient on it
    R_k = mean over its students of (greedy accuracy after - before) on M hard problems, drawn anew
    if the mean of R over datasets and the last rounds is above tau: the median student of the best dataset takes the
        student's place, and that dataset is kept
    A_k = R_k - mean of the other datasets' R; the teacher steps on -A_k log pi of all that it wrote in k,
        plus beta KL(teacher || base)
Then either the promoted student is delivered, or a fresh one that is trained on the kept problems and the hard ones.

The teacher sees no hard problem, level or example. Config.questions, mixed and grounded deliver a fresh student;
hard_only, untrained, intrinsic, unpromoted and curated are the controls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from statistics import fmean
from typing import Literal

from sharpen.control.promotion import Promotion, learnability, paid, typical
from sharpen.control.study import Drill, Study, batches
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged
from sharpen.core.lessons import Term, reinforcement
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.records import Judged, Problem, Weights
from sharpen.core.training import Learned, Training
from sharpen.judge.given import AGREES, Given, shares
from sharpen.propose.families import in_turn
from sharpen.propose.pose import Posed, Writing, Written, dealt, watched
from sharpen.sample.direct import GREEDY, Direct
from sharpen.sample.rollout import rollout
from sharpen.select.advantage import leave_one_out
from sharpen.select.keep import unsolved
from sharpen.select.reinforce import against_others, groups

PAPER = Paper(
    title="Teaching Models to Teach Themselves: Reasoning at the Edge of Learnability",
    arxiv="2601.18778",
    year=2026,
    claim="a teacher paid by its student's measured progress finds stepping stones to problems that cannot be sampled",
    generate="problems and answers by a teacher",
    evaluate="a student's progress on hard problems",
    control="promotion of students",
)
NEEDS = frozenset({"sample", "logprobs", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the two loops; the sizes are for small models (ours), the rules the paper's."""

    rounds: int = 40  # outer steps at most; 0: the teacher is never taught (ours; paper 200)
    asked: int = 64  # M hard problems a round that progress is measured on; the paper's
    failing: int = 0  # K: of the train problems only those are taken that the base fails K times; 0: all (paper 128)
    writing: Writing = Writing()  # g datasets of n problems: 4 of 16 (paper 4 of 64)
    drill: Drill = Drill()  # a student's short run
    reward: Literal["progress", "learnability"] = "progress"  # what the teacher is paid for
    promotion: Promotion = Promotion()  # when a student is promoted
    beta: float = 0.001  # strength of the divergence from the base, of teacher and students; the paper's
    teaching: Training = field(default_factory=lambda: Training(inherit="moments"))  # the teacher's one step a round
    training: Training = field(default_factory=Training)  # the students'; steps, batch and inherit follow from the run
    study: Study = Study()  # a fresh student's long run at the end

    def __post_init__(self) -> None:
        if self.rounds < 0 or self.asked < 1 or self.failing < 0 or self.beta < 0:
            raise InvalidInput(
                "expected rounds, failing and beta >= 0 and asked >= 1, "
                f"got {self.rounds}, {self.failing}, {self.beta} and {self.asked}"
            )
        if self.rounds == 0 and self.study.steps == 0:
            raise InvalidInput("nothing is learned in 0 rounds without a study; set rounds or study.steps")

    @property
    def needs(self) -> frozenset[str]:
        """A generator where easy problems are asked of the task."""
        return frozenset({"generate"} if self.study.questions == "curated" else ())

    @classmethod
    def questions(cls) -> "Config":
        """PQ: a fresh student on the promoted datasets, then on the hard problems."""
        return cls(study=_LONG)

    @classmethod
    def mixed(cls) -> "Config":
        """PQ with promoted datasets and hard problems side by side all along, the paper's way on HARP."""
        return cls(study=replace(_LONG, order="mixed"))

    @classmethod
    def grounded(cls) -> "Config":
        """Grounded-T: a fresh student on new problems of the trained teacher."""
        return cls(study=replace(_LONG, questions="written"))

    @classmethod
    def untrained(cls) -> "Config":
        """Base-T: a fresh student on problems of the untrained teacher, read by the same rules."""
        return cls(rounds=0, study=replace(_LONG, questions="written"))

    @classmethod
    def hard_only(cls) -> "Config":
        """Hard-Only: the same policy gradient on the hard problems alone."""
        return cls(rounds=0, study=replace(_LONG, questions="none"))

    @classmethod
    def intrinsic(cls) -> "Config":
        """Intrinsic-T: the teacher is paid for problems the student solves seldom, by the teacher's own answers."""
        return cls(reward="learnability", drill=Drill(repeats=1), study=replace(_LONG, questions="written"))

    @classmethod
    def unpromoted(cls) -> "Config":
        """No student is ever promoted; a fresh one on new problems of the trained teacher."""
        return cls(promotion=Promotion(threshold=1.0), study=replace(_LONG, questions="written"))

    @classmethod
    def curated(cls) -> "Config":
        """The upper bound: a fresh student on easy problems of the task itself, their answers known."""
        return cls(rounds=0, study=replace(_LONG, questions="curated"))


_LONG = Study(steps=1500)


@dataclass(frozen=True, slots=True)
class State:
    """Teacher and student, the last rounds' rewards, promotions, the questions a fresh student learns from, the ids of
    the hard problems where they were looked for, and that fresh student and its steps."""

    teacher: Weights
    student: Weights
    window: tuple[float, ...] = ()
    promotions: int = 0
    questions: tuple[Posed, ...] = ()
    round: int = 0
    hard: tuple[str, ...] = ()
    learner: Weights | None = None
    studied: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: write, try on students, promote, pay the teacher; at the end one step of a fresh student."""
    state = state or State(lab.model.base, lab.model.base)
    hard = _hard(lab, config, state)
    state = replace(state, hard=tuple(problem.id for problem in hard) if config.failing else ())
    while state.learner is None and state.round < config.rounds and lab.left() >= config.study.kept:
        size = config.writing.size
        written, drawn = _write(lab, config, state, config.writing.sets * size, "teach", state.round)
        sets, metrics = dealt(written, size), watched(written, drawn, lab.source.admit)
        if len(sets) > 1:
            rewards, student, progress = _tried(lab, config, state, sets, hard)
            learned = _taught(lab, config, state, sets, rewards)
            window = config.promotion.seen(state.window, fmean(rewards))
            promoted = config.promotion.due(window)
            metrics |= {**progress, "student/promoted": float(promoted), **learned.metrics}
            state = replace(state, teacher=learned.weights, window=window)
            if promoted:
                best = tuple(one.posed for one in sets[rewards.index(max(rewards))])
                state = replace(state, student=student, window=(), promotions=state.promotions + 1)
                state = replace(state, questions=(*state.questions, *best))
        state = replace(state, round=state.round + 1)
        yield Round(state, Direct(state.student), metrics)
    if config.study.steps:
        yield from _study(lab, config, state, hard)


def _hard(lab: Lab, config: Config, state: State) -> Sequence[Problem]:
    """The train problems, or those that the base fails at every time."""
    if not lab.train:
        raise InvalidInput("progress is measured on train problems, got none; give the task more rows or other shares")
    if not config.failing:
        return lab.train
    if state.hard:
        known = frozenset(state.hard)
        return [problem for problem in lab.train if problem.id in known]
    how = config.drill.how.times(config.failing)
    hard = unsolved(judged(rollout(lab.at(lab.model.base, "failing"), lab.env, lab.train, how), lab.oracle.judge))
    if not hard:
        raise InvalidInput(
            f"none of {len(lab.train)} train problems was failed {config.failing} times; take a harder task or level"
        )
    return hard


def _write(lab: Lab, config: Config, state: State, n: int, *path: str | int) -> tuple[list[Written], int]:
    """What the teacher writes; of the task it knows what problems are about, and how they are framed."""
    topics = sorted({problem.family for problem in lab.train if problem.family}) or ["reasoning"]
    frame = tuple(message for message in lab.train[0].chat if message.role == "system")
    return config.writing(partial(lab.at, state.teacher, *path), lab.env, config.writing.prompt(topics), frame, n)


def _tried(
    lab: Lab, config: Config, state: State, sets: Sequence[Sequence[Written]], hard: Sequence[Problem]
) -> tuple[list[float], Weights, dict[str, float]]:
    """Every dataset tried on its students: their rewards, the median student of the best, and what to plot. Weights
    that can no longer be promoted are let go at once."""
    asked = lab.rng("asked", state.round).sample(hard, min(config.asked, len(hard)))
    before = _accuracy(lab, state.student, asked)
    rewards, chosen = list[float](), state.student
    gained, last = list[float](), list[Judged]()
    for k, written in enumerate(sets):
        posed = [one.posed for one in written]
        students, gains = list[Weights](), list[float]()
        for j in range(config.drill.repeats):
            student, marks = _drilled(lab, config, state, posed, (k, j))
            students.append(student)
            gains.append(_accuracy(lab, student, asked) - before)
            last += marks
        rewards.append(fmean(gains) if config.reward == "progress" else _learnable(lab, config, state, posed, k))
        if rewards[-1] > max(rewards[:-1], default=-inf):
            chosen = students[typical(gains)]
        gained += gains
    steps = {"student/before": before, "drill/steps": float(config.drill.length(state.promotions))}
    return rewards, chosen, {**paid(rewards, gained), **steps, **shares("drill", last)}


def _drilled(
    lab: Lab, config: Config, state: State, posed: Sequence[Posed], path: tuple[int, int]
) -> tuple[Weights, Sequence[Judged]]:
    """A student's own run on a dataset, from the student so far and a fresh optimiser; and its last step's attempts."""
    judge = Given({one.problem.id: one.answer for one in posed})
    drawn = batches([one.problem for one in posed], config.drill.problems, lab.rng("drill", state.round, *path))
    steps = config.drill.length(state.promotions)
    weights, marks = state.student, list[Judged]()
    for step in range(steps):
        policy = lab.at(weights, "drill", state.round, *path, step)
        marks = judged(rollout(policy, lab.env, next(drawn), config.drill.how), judge)
        how = replace(config.training, inherit="moments" if step else "afresh", position=(step, steps))
        weights = _stepped(lab, config, weights, marks, how).weights
    return weights, marks


def _stepped(lab: Lab, config: Config, weights: Weights, marks: Sequence[Judged], how: Training) -> Learned:
    """One step of a student on all attempts (RLOO)."""
    lessons = against_others(marks, config.drill.how.n, config.beta)
    objective = PolicyGradient(per="constant", temperature=config.drill.how.temperature)
    term = Term(objective, lessons, anchor=lab.model.base if config.beta else None)
    return lab.model.learn(weights, [term], replace(how, steps=1, batch=len(lessons)))


def _accuracy(lab: Lab, weights: Weights, problems: Sequence[Problem]) -> float:
    """The share of hard problems that a greedy attempt gets right, by the oracle."""
    attempts = rollout(lab.at(weights, "greedy"), lab.env, problems, GREEDY)
    return fmean(bool(verdict.right) for verdict in lab.oracle.judge(attempts))


def _learnable(lab: Lab, config: Config, state: State, posed: Sequence[Posed], k: int) -> float:
    """What a dataset is worth by itself: the mean learnability of its problems for the student so far."""
    policy, how = lab.at(state.student, "learnable", state.round, k), config.drill.how
    judge = Given({one.problem.id: one.answer for one in posed})
    marks = judged(rollout(policy, lab.env, [one.problem for one in posed], how), judge)
    return fmean(learnability(fmean(mark.verdict.score == AGREES for mark in group)) for group in groups(marks, how.n))


def _taught(
    lab: Lab, config: Config, state: State, sets: Sequence[Sequence[Written]], rewards: Sequence[float]
) -> Learned:
    """One step of the teacher: all it wrote in a dataset is credited with the dataset's advantage, turns summed."""
    attempts = [(one.attempt, a) for each, a in zip(sets, leave_one_out(rewards), strict=True) for one in each]
    lessons = [lesson for attempt, a in attempts for lesson in reinforcement(attempt, a, config.beta)]
    objective = PolicyGradient(per="constant", temperature=config.writing.how.temperature)
    turns = len(lessons) / len(attempts)
    term = Term(objective, lessons, coefficient=turns, anchor=lab.model.base if config.beta else None)
    how = replace(config.teaching, steps=1, batch=len(lessons), position=(state.round, config.rounds))
    return lab.model.learn(state.teacher, [term], how)


def _study(lab: Lab, config: Config, state: State, hard: Sequence[Problem]) -> Iterator[Round]:
    """A fresh student's long run, a step a round."""
    study = config.study
    learner = state.learner or lab.model.base
    if state.learner is None and study.questions == "written":
        written, _ = _write(lab, config, state, study.amount, "study")
        state = replace(state, questions=tuple(one.posed for one in written))
    judge = Given({one.problem.id: one.answer for one in state.questions}, lab.oracle.judge)
    questions = [one.problem for one in state.questions]
    if study.questions == "curated":
        questions = in_turn(lab.source, study.level, study.amount, partial(lab.rng, "curated"))
    while state.studied < study.steps:
        pool = study.pool(state.studied, questions, hard)
        problems = lab.rng("study", state.studied).sample(pool, min(config.drill.problems, len(pool)))
        policy = lab.at(learner, "study", state.studied)
        marks = judged(rollout(policy, lab.env, problems, config.drill.how), judge)
        position = (state.studied, study.steps)
        how = replace(config.training, inherit="moments", position=position, warmup=study.warmup)
        learned = _stepped(lab, config, learner, marks, how)
        learner = learned.weights
        state = replace(state, learner=learner, studied=state.studied + 1)
        metrics = {"study/questions": float(len(questions)), **shares("study", marks), **learned.metrics}
        yield Round(state, Direct(learner), metrics)
