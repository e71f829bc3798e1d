"""Whether a task and a model go together: its judge on answers known to be right or wrong, and what the model says."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from sharpen.arena.exam import some
from sharpen.arena.statistics import pass_at_k
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK, by_problem, judged
from sharpen.core.ports import Model, Task
from sharpen.core.records import Attempt, Judged, Piece, Problem, Sampling, Stop, Turn
from sharpen.sample.rollout import rollout


@dataclass(frozen=True, slots=True)
class Preflight:
    """What `check` found, over `problems` train problems with `tries` attempts each.

    gold_accepted    share of the task's own answers that its judge accepts (None: it reveals none)
    wrong_rejected   share of empty answers and of other problems' answers that it rejects
    pass_one, pass_many  unbiased chance that one attempt, or one of `tries`, is right
    variance         mean over problems of the variance of the scores of its attempts
    silent           share of problems whose attempts all score alike: groups that teach a policy gradient nothing
    truncated        share of attempts cut off at the length limit; length: their mean, in tokens
    sound            whether the judge passed: all gold accepted, all wrong rejected
    sentence         whether this pair can learn by sampling at all
    """

    task: str
    model: str
    problems: int
    tries: int
    gold_accepted: float | None
    wrong_rejected: float
    pass_one: float
    pass_many: float
    variance: float
    silent: float
    truncated: float
    length: float
    sound: bool
    sentence: str


def preflight(task: Task, model: Model, problems: int = 32, tries: int = 16, seed: int = 0) -> Preflight:
    """Judges known answers, then samples `tries` attempts at temperature 1 for some train problems."""
    if problems < 1 or tries < 2:
        raise InvalidInput(f"expected at least 1 problem and 2 tries, got {problems} and {tries}")
    asked = some(task.problems("train"), problems)
    if not asked:
        raise InvalidInput(f"the task {task.name!r} has no train problems; give it more rows or other shares")
    accepted, rejected = _known(task, model, asked)
    policy = model.at(model.base, (seed, "preflight"))
    attempts = rollout(policy, task.env, asked, Sampling(tries, max_tokens=task.env.max_tokens))
    groups = list(by_problem(judged(attempts, task.oracle.judge)).values())
    scores = [[mark.verdict.score for mark in group] for group in groups]
    one, many = (fmean(pass_at_k(len(group), _right(group), k) for group in groups) for k in (1, tries))
    silent = fmean(len(set(group)) == 1 for group in scores)
    truncated = fmean(attempt.stop is Stop.LENGTH for attempt in attempts)
    sound = accepted in (None, 1.0) and rejected == 1.0
    return Preflight(
        task.name,
        model.name,
        len(asked),
        tries,
        accepted,
        rejected,
        one,
        many,
        fmean(variance(group) for group in scores),
        silent,
        truncated,
        fmean(attempt.length for attempt in attempts),
        sound,
        _sentence(sound, one, many, silent, truncated, tries),
    )


def gold_text(task: Task, problem: Problem) -> str:
    """The reference, rendered as an attempt would say it: its steps, and the answer behind its mark."""
    reference = task.oracle.reveal(problem)
    return "\n".join([*reference.steps, f"{MARK} {reference.answer}"])


def _known(task: Task, model: Model, problems: Sequence[Problem]) -> tuple[float | None, float]:
    """The shares of right answers accepted and of wrong ones rejected."""
    wrong = [(problem, "") for problem in problems]
    if "reveal" not in task.offers:
        return None, 1 - _accepted(task, model, wrong)
    gold = [(problem, gold_text(task, problem)) for problem in problems]
    answers = [task.oracle.reveal(problem).answer for problem in problems]
    for place, (problem, _) in enumerate(gold):
        other = next((i for i in range(len(gold)) if answers[(place + i) % len(gold)] != answers[place]), None)
        if other is not None:
            wrong.append((problem, f"{MARK} {answers[(place + other) % len(gold)]}"))
    return _accepted(task, model, gold), 1 - _accepted(task, model, wrong)


def _accepted(task: Task, model: Model, said: Sequence[tuple[Problem, str]]) -> float:
    attempts = [
        Attempt(problem, (Turn(task.env.open(problem).chat, (Piece(text),)),), model.base) for problem, text in said
    ]
    return fmean(bool(verdict.right) for verdict in task.oracle.judge(attempts))


def _right(group: Sequence[Judged]) -> int:
    return sum(bool(mark.verdict.right) for mark in group)


def _sentence(sound: bool, one: float, many: float, silent: float, truncated: float, tries: int) -> str:
    if not sound:
        return (
            "the judge is not sound: it refuses right answers or accepts wrong ones; mend it before anything is learned"
        )
    if many == 0:
        why = (
            "most attempts are cut off: allow longer ones"
            if truncated > 0.5
            else "take easier problems or teach it first"
        )
        return f"this pair cannot learn by sampling: not one of {tries} attempts at any problem was right; {why}"
    if one > 0.95:
        return f"there is next to nothing to gain: {one:.0%} of single attempts are right already; take harder problems"
    if silent > 0.9:
        return f"this pair can hardly learn by sampling: all attempts agree on {silent:.0%} of problems; take others"
    return f"this pair can learn by sampling: {one:.0%} of single attempts are right, {many:.0%} of the best of {tries}"
