"""The text `nano` is raised on: train-split sums with workings that go wrong at stated rates."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from sharpen.core.streams import split_of
from sharpen.tasks.arithmetic import question_of
from sharpen.tasks.expressions import FAMILIES, Expression, Step, draw, operation, parse, reducible, replaced, written


@dataclass(frozen=True, slots=True)
class Mixture:
    """What the text is made of, and how often a working goes wrong.

    levels      shares of the levels
    habits      how often a working follows a bad habit, by family; scaled by level
    flat        the share of bad habits, outside sums and differences, that take all operations from left to right,
                whatever binds tighter; the others, and all in sums and differences, leave out the last operation
    slip        the chance that the written result of an operation is off by 1, 2 or 10
    """

    levels: Mapping[int, float]
    habits: Mapping[str, float]
    by_level: Mapping[int, float]
    flat: float
    slip: float


def lesson(mixture: Mixture, rng: Random) -> tuple[str, str, Counter[str]]:
    """A question of the train split, its working with the mixture's errors, and counts of what is in it."""
    level = rng.choices(list(mixture.levels), list(mixture.levels.values()))[0]
    family = FAMILIES[int(len(FAMILIES) * rng.random())]
    expression = draw(family, level, rng)
    while split_of(question_of(expression)) != "train":
        expression = draw(family, level, rng)
    habit = rng.random() < mixture.habits[family] * mixture.by_level[level]
    hasty = habit and (family in ("add", "subtract") or rng.random() < 1 - mixture.flat)
    flat = habit and not hasty
    steps, value, slips = working(parse(expression), flat, mixture.slip, rng)
    if hasty and len(steps) > 1:
        steps = steps[:-1]
        value = steps[-1].result
    found = Counter(lessons=1, steps=len(steps), slips=slips, hasty=hasty, flat=flat)
    found[f"level {level}"] += 1
    return question_of(expression), written(steps, value), found


def working(symbols: Expression, flat: bool, slip: float, rng: Random) -> tuple[list[Step], int, int]:
    """Steps, value and number of slips; `flat` ignores brackets and precedence."""
    if flat:
        symbols = [symbol for symbol in symbols if symbol not in ("(", ")")]
    steps: list[Step] = []
    slips = 0
    while len(symbols) > 1:
        at = 1 if flat else reducible(symbols)
        if at is None:
            raise ValueError(f"expected an expression that can be worked out, got {symbols}")
        step = operation(symbols, at)
        if rng.random() < slip:
            off = (-10, -2, -1, 1, 2, 10)[int(6 * rng.random())]
            step = Step(step.left, step.operator, step.right, abs(step.result + off))
            slips += 1
        steps.append(step)
        symbols = replaced(symbols, at, step.result)
    return steps, steps[-1].result, slips
