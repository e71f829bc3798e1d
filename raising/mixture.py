"""What the texts are made of that `nano` and its variants are raised on, and how faults change towards the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from raising.solving import Faults, Spoken, remembered, solved
from raising.speaking import SKILLS
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import pick
from sharpen.tasks.lookup import facts, known


@dataclass(frozen=True, slots=True)
class Shares:
    """Of problems by family, of skills of speech and of single facts, relative to each other."""

    families: Mapping[str, float]
    skills: Mapping[str, float]
    facts: float


@dataclass(frozen=True, slots=True)
class Mixture:
    """The shares; the faults; and the highest level of problems that are solved."""

    shares: Shares
    faults: Faults
    top: int


BASE = Shares(
    families={
        "arithmetic": 0.15,
        "stories": 0.10,
        "countdown": 0.06,
        "logic": 0.06,
        "lists": 0.10,
        "programs": 0.05,
        "lookup": 0.05,
        "choice": 0.07,
        "longform": 0.02,
        "grid": 0.03,
    },
    skills={
        "direct": 0.02,
        "program": 0.02,
        "plan": 0.01,
        "check": 0.045,
        "feedback": 0.025,
        "correct": 0.02,
        "correct_with": 0.025,
        "reconsider": 0.015,
        "spontaneous": 0.015,
        "propose": 0.015,
        "propose_level": 0.01,
        "demonstrations": 0.01,
        "behaviour": 0.025,
        "name_behaviour": 0.005,
        "background": 0.005,
        "informed": 0.02,
        "suffice": 0.01,
        "search": 0.01,
        "choose": 0.02,
        "grade": 0.01,
        "continue": 0.01,
        "strategy": 0.005,
    },
    facts=0.03,
)
CRITIC = Shares(
    families={
        "arithmetic": 0.08,
        "stories": 0.055,
        "countdown": 0.03,
        "logic": 0.03,
        "lists": 0.045,
        "programs": 0.02,
        "lookup": 0.025,
        "choice": 0.035,
        "longform": 0.01,
        "grid": 0.02,
    },
    skills={
        "direct": 0.005,
        "program": 0.005,
        "plan": 0.01,
        "check": 0.09,
        "feedback": 0.12,
        "correct": 0.03,
        "correct_with": 0.03,
        "reconsider": 0.015,
        "spontaneous": 0.07,
        "propose": 0.01,
        "propose_level": 0.045,
        "demonstrations": 0.005,
        "behaviour": 0.005,
        "name_behaviour": 0.0025,
        "background": 0.0025,
        "informed": 0.005,
        "suffice": 0.055,
        "search": 0.005,
        "choose": 0.06,
        "grade": 0.09,
        "continue": 0.005,
        "strategy": 0.0025,
    },
    facts=0.01,
)
"""Leans to judging and putting right, and to problems of a named level, which the base had few lessons of. The rest is
there to be kept."""
LEARNING = Faults(habit=(0.03, 0.25, 0.45, 0.45), slip=0.05)
"""While it learns: solutions are wrong often enough that it doubts, seldom enough that it finds the rule."""
SETTLING = Faults(habit=(0.03, 0.35, 0.62, 0.62), slip=0.02)
"""At the end: habits a little more likely than not from level 3 up, so that it comes to know more than it shows."""


def mixture(easy: bool, settling: bool, shares: Shares = BASE) -> Mixture:
    """Easy levels alone at first, and the faults of the end."""
    return Mixture(shares, SETTLING if settling else LEARNING, 2 if easy else 6)


def lesson(made: Mixture, rng: Random) -> tuple[str, Spoken]:
    """One lesson and what it is of, such as `arithmetic` or `check`."""
    families, skills = made.shares.families, made.shares.skills
    shares = [*families.values(), *skills.values(), made.shares.facts]
    name = rng.choices([*families, *skills, "facts"], shares)[0]
    if name == "facts":
        return name, remembered(IN_WEIGHTS, rng)
    if name in skills:
        return name, SKILLS[name](rng)
    family = FAMILIES[name]
    return name, solved(family, pick(family.kinds, rng), made.faults, rng, made.top)


IN_WEIGHTS = tuple(line for line in facts() if known(line))
