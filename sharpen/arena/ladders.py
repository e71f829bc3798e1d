"""Where a model stands on the ladders of the embedded world: chances of one and of many attempts, level by level."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from sharpen.arena.statistics import paired, pass_at_k
from sharpen.core.judging import by_problem, judged
from sharpen.core.ports import Policy
from sharpen.core.records import Sampling, Stop
from sharpen.sample.rollout import rollout
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import Family
from sharpen.tasks.ladder import Ladder, Sizes

MANY, MOST = 16, 64


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of a family: unbiased chances that one, 16 and (on the top levels) 64 attempts hold a right one, with
    the interval of the first over the problems; the share of attempts that end of themselves; and the share in which
    the checker of steps (all right, or not) says what the checker of answers does."""

    family: str
    level: int
    problems: int
    pass_one: float
    pass_many: float
    pass_most: float | None
    low: float | None
    high: float | None
    ended: float
    agreed: float


def ladders(policy: Policy, problems: int = 32, top: int = 2) -> Mapping[str, Callable[[], Rung]]:
    """By name, how to measure every level of every family on test problems, the easiest first; `top` levels of each
    get 64 attempts. None depends on another, or on the order."""
    return {
        f"{family.name} level {level}": partial(
            _climbed, policy, family, level, problems, MOST if level > family.levels[-1] - top else MANY
        )
        for family in FAMILIES.values()
        for level in family.levels
    }


def _climbed(policy: Policy, family: Family, level: int, problems: int, tries: int) -> Rung:
    return rung(policy, Ladder(family, levels=(level,), sizes=Sizes(1, 1, problems)), tries)


def rung(policy: Policy, task: Ladder, tries: int) -> Rung:
    """`tries` attempts at temperature 1 for each test problem of a task of one level."""
    asked = task.problems("test")
    attempts = rollout(policy, task.env, asked, Sampling(tries, max_tokens=task.env.max_tokens))
    marks = judged(attempts, task.oracle.judge)
    groups = list(by_problem(marks).values())
    right = [sum(bool(mark.verdict.right) for mark in group) for group in groups]
    chances = {k: fmean(pass_at_k(tries, count, k) for count in right) for k in (MANY, MOST) if k <= tries}
    found = paired([count / tries for count in right], over="problems")
    return Rung(
        task.name,
        task.levels[0],
        len(asked),
        found.mean,
        chances[MANY],
        chances.get(MOST),
        found.low,
        found.high,
        fmean(attempt.stop is Stop.DONE for attempt in attempts),
        fmean(all(mark.verdict.steps) == bool(mark.verdict.right) for mark in marks),
    )
