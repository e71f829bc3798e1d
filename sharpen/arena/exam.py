"""The examination: a solver answers the problems of a split from a seat of its own, and nobody is billed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sharpen.arena.meter import Ledger, MeteredEnv, charging, per_problem
from sharpen.arena.statistics import Interval, paired, wilson
from sharpen.control.transitions import transitions
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged_by_try
from sharpen.core.method import Seat, Solver
from sharpen.core.ports import Model, Task
from sharpen.core.records import Json, Problem, Stop
from sharpen.core.streams import Split, stream, stream_key


@dataclass(frozen=True, slots=True)
class Exam:
    """What a solver scored: the mean score with its interval over these problems, the task's own measures, what
    inference cost per problem (work, with the seconds it took), and each problem's score, for pairing."""

    score: float
    low: float | None
    high: float | None
    n: int
    measures: Mapping[str, float]
    inference: Mapping[str, float]
    scores: Mapping[str, float]

    def summary(self) -> dict[str, Json]:
        """All but the single scores."""
        return {
            "score": self.score,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "measures": dict(self.measures),
            "inference": dict(self.inference),
        }


@dataclass(frozen=True, slots=True)
class Room:
    """Where examinations are held: a task, the cast as it was opened, and where the run keeps its weights."""

    task: Task
    cast: Mapping[str, Model]
    weights: Path | None
    seed: int

    def examine(self, solver: Solver, split: Split, most: int | None = None) -> Exam:
        """The solver's answers to a split, or to `most` problems of it, judged by the task's oracle. Of several tries
        the last is the answer; what it changed is measured under `tries/`. Where attempts found no room in the model's
        context, `too_long` is their share."""
        problems = some(self.task.problems(split), most)
        if not problems:
            raise InvalidInput(
                f"the task {self.task.name!r} has no {split} problems; give it more rows or other shares"
            )
        ledger = Ledger(clock=time.monotonic)
        seat = Seat(
            bound(self.cast, ledger, self.seed, self.weights), MeteredEnv(self.task.env, ledger), self._stream(split)
        )
        ledger.start()
        attempts = solver.answer(seat, problems)
        ledger.stop()
        if [attempt.problem.id for attempt in attempts] != [problem.id for problem in problems]:
            raise InvalidInput(
                f"expected one attempt per problem, in order, got {len(attempts)} for {len(problems)} problems"
            )
        tried = judged_by_try(attempts, self.task.oracle.judge)
        marks = [tries[-1] for tries in tried]
        scores = [mark.verdict.score for mark in marks]
        interval = over_problems(scores)
        measures = {name: measure(marks) for name, measure in self.task.measures.items()}
        if any(len(tries) > 1 for tries in tried):
            measures |= {f"tries/{name}": value for name, value in transitions(tried).items()}
        if full := sum(attempt.stop is Stop.FULL for attempt in attempts):
            measures["too_long"] = full / len(attempts)
        inference = per_problem(ledger.work(), len(problems)) | {"seconds": ledger.seconds / len(problems)}
        by_problem = {problem.id: score for problem, score in zip(problems, scores, strict=True)}
        return Exam(interval.mean, interval.low, interval.high, len(scores), measures, inference, by_problem)

    def _stream(self, split: Split) -> int:
        """Exams draw from streams that no training shares."""
        return stream_key("exam", split, self.seed)


def bound(cast: Mapping[str, Model], ledger: Ledger, seed: int, weights: Path | None) -> dict[str, Model]:
    """The cast billed to a ledger by (role, body); two roles played by one body share what they are bound to, so that
    weights made by one can be asked by the other, and are billed to the role named first."""
    taken: dict[str, Model] = {}
    roles: dict[str, Model] = {}
    for role, model in cast.items():
        body = model.base.body
        if body not in taken:
            folder = None if weights is None else weights / role
            taken[body] = model.bind(charging(ledger, role, body), (seed, role), folder)
        roles[role] = taken[body]
    return roles


def some(problems: Sequence[Problem], most: int | None) -> Sequence[Problem]:
    """At most so many problems, always the same ones, in the order of the split."""
    if most is None or most >= len(problems):
        return problems
    return [problems[i] for i in sorted(stream("some", most).sample(range(len(problems)), most))]


def over_problems(scores: Sequence[float]) -> Interval:
    """The mean score and its interval over problems: Wilson's where every score is 0 or 1, Student's otherwise."""
    if all(score in (0.0, 1.0) for score in scores):
        return wilson(round(sum(scores)), len(scores))
    return paired(scores, over="problems")


def difference(before: Exam, after: Exam) -> Interval:
    """After minus before, paired by problem; over these problems and these weights only."""
    if list(before.scores) != list(after.scores):
        raise InvalidInput(
            "expected two exams on the same problems, got different ones; examine both again on one task"
        )
    return paired([after.scores[name] - score for name, score in before.scores.items()], over="problems")
