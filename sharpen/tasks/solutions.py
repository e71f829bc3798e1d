"""Solutions of the embedded world's problems, right and wrong, and what is to be said about them."""

from collections.abc import Mapping, Sequence

from sharpen.core import speech
from sharpen.core.streams import Rng, Split
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import Family, Worked, pick, split_for
from sharpen.tasks.lexicon import ANIMALS, CITIES, COLOURS, COUNTRIES, FRUITS, LETTERS, NAMES
from sharpen.tasks.lookup import hops

LEVELS: Mapping[int, float] = {1: 0.27, 2: 0.25, 3: 0.21, 4: 0.14, 5: 0.09, 6: 0.04}
"""The shares of the levels in the text the embedded model was raised on."""
STEPPED = ("arithmetic", "stories", "countdown", "lists", "programs")
"""Families whose solutions have steps worth checking."""
VALUES: Mapping[str, tuple[str, ...]] = {
    "friend": NAMES,
    "boss": NAMES,
    "city": CITIES,
    "pet": ANIMALS,
    "colour": COLOURS,
    "country": COUNTRIES,
    "fruit": FRUITS,
}


def question(family: Family, kind: str, level: int, rng: Rng, split: Split = "train") -> str:
    """A question of a split, in a wording that is not held out; of an easier level where this one has none."""
    for _ in range(200):
        text = family.draw(kind, level, rng)
        if split_for(family, text) == split:
            return text
    return question(family, kind, level - 1, rng, split)


def level_of(family: Family, rng: Rng, top: int = 6) -> int:
    """A level by LEVELS, none above `top`."""
    shares = {level: share for level, share in LEVELS.items() if level in family.levels and level <= top}
    return rng.choices(list(shares), list(shares.values()))[0]


def drawn(family: Family, rng: Rng, top: int, split: Split = "train") -> str:
    """A question of any kind at a level up to `top`."""
    return question(family, pick(family.kinds, rng), level_of(family, rng, top), rng, split)


def stepped(rng: Rng, split: Split = "train") -> tuple[Family, str]:
    """A question whose solution has steps."""
    family = FAMILIES[pick(STEPPED, rng)]
    kinds = tuple(kind for kind in family.kinds if kind != "hidden")
    return family, question(family, pick(kinds, rng), level_of(family, rng, 4), rng, split)


def wrong(rng: Rng, split: Split = "train") -> tuple[Family, str, Worked]:
    """A problem and a solution with a wrong answer: a slip or, less often, the bad habit."""
    while True:
        family, text = stepped(rng, split)
        said = family.slip(text, rng) if rng.random() < 0.6 else family.habit(text, rng)
        if said.wrong is not None and not family.right(text, said.answer):
            return family, text, said


def perhaps_wrong(rng: Rng, split: Split = "train") -> tuple[Family, str, Worked]:
    """A problem and a solution, wrong in three of five."""
    if rng.random() < 0.6:
        return wrong(rng, split)
    family, text = stepped(rng, split)
    return family, text, family.work(text)


def pick_items(rng: Rng, size: int = 4) -> list[str]:
    """Letters, all different."""
    found: list[str] = []
    while len(found) < size:
        letter = pick(LETTERS, rng)
        if letter not in found:
            found.append(letter)
    return found


def checked(right: Worked, said: Worked) -> str:
    """What a check should reply: every step as it should be, said to be right or wrong, up to the first wrong one."""
    at = said.wrong
    lines = [f"{step} right" for step in said.steps[:at]]
    if at is None:
        return "\n".join([*lines, speech.RIGHT])
    if at >= len(said.steps):
        return "\n".join([*lines, *right.steps[at : at + 1], speech.ANSWER_WRONG])
    return "\n".join([*lines, f"{_step(right, at)} wrong", f"Step {at + 1} is wrong."])


def feedback(right: Worked, said: Worked) -> str:
    """What feedback should say: the first wrong step, put right."""
    if said.wrong is None:
        return speech.RIGHT
    if said.wrong >= len(said.steps):
        return speech.ANSWER_WRONG
    return f"Step {said.wrong + 1} is wrong: {_step(right, said.wrong)}."


def grade(right: Worked, said: Worked) -> int:
    """5 for a right answer, else 1 to 4 by how far the solution is right."""
    if said.answer == right.answer:
        return 5
    return 1 + min(3, int(4 * (said.wrong or 0) / (len(said.steps) + 1)))


def strategy(family: Family, level: int) -> str:
    """Which of the strategies suits: direct for one step, a program for stories, steps for the rest."""
    return "direct" if level == 1 else "program" if family.name == "stories" else "steps"


def invented(text: str, rng: Rng) -> tuple[str, ...]:
    """Facts that lead to an answer of a lookup question as those of the world do, but for other values."""
    subject, facts = hops(text)[0].partition(" of ")[2], list[str]()
    for hop in hops(text):
        relation = hop.partition(" of ")[0]
        value = pick(VALUES[relation], rng)
        facts.append(f"{relation} of {subject}: {value}")
        subject = value
    return tuple(facts)


def leads(text: str, facts: Sequence[str]) -> bool:
    """Whether facts in sight, one leading to the next, answer a lookup question."""
    known = dict(line.split(": ", 1) for line in facts)
    subject = hops(text)[0].partition(" of ")[2]
    for hop in hops(text):
        found = known.get(f"{hop.partition(' of ')[0]} of {subject}")
        if found is None:
            return False
        subject = found
    return True


def _step(right: Worked, at: int) -> str:
    return right.steps[at] if at < len(right.steps) else f"Answer: {right.answer}"
