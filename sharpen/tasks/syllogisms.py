"""Syllogism: whether one word leads to another by what is told of every word on the way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sharpen.core.streams import Rng
from sharpen.tasks.family import Worked, pick
from sharpen.tasks.lexicon import NAMES, NONSENSE
from sharpen.tasks.orders import NAME, Case, some

_RULE = re.compile(rf"(?:Every ([a-z]+)|({NAME})) is a ([a-z]+)\.")
_ASKED_OF_ONE = re.compile(rf"Is (?:(?:every|a) ([a-z]+)|({NAME})) a ([a-z]+)\?")


def syllogism(facts: list[str], ask: str) -> Case | None:
    """None unless it is asked of one of whom something is told, every word leads to one other at most, and no way
    leads back."""
    question = _ASKED_OF_ONE.fullmatch(ask)
    if question is None:
        return None
    told = [_RULE.fullmatch(fact) for fact in facts]
    rules = {rule[1] or rule[2]: rule[3] for rule in told if rule}
    subject, target = question[1] or question[2], question[3]
    if not len(rules) == len(told) < 30 or subject not in rules or subject == target:
        return None
    for word in rules:
        at = word
        for _ in rules:
            at = rules.get(at, "")
        if at in rules:
            return None
    return _Syllogism(rules, subject, target)


@dataclass(frozen=True, slots=True)
class _Syllogism:
    """rules: what each word leads to, without circles."""

    rules: dict[str, str]
    start: str
    target: str
    kind: str = "syllogism"

    def moves(self, line: str) -> Iterator[str]:
        """The link to the next word; none behind `target` or where nothing is told."""
        at = line.split(" -> ")[-1]
        if at != self.target and at in self.rules:
            yield f"{self.start} -> {self.rules[at]}"

    def outcome(self, line: str) -> str:
        """Yes at `target`, no where nothing more is told."""
        at = line.split(" -> ")[-1]
        return "yes" if at == self.target else "" if at in self.rules else "no"

    def readable(self, line: str) -> bool:
        """A link from `start` to any other word, told of or not."""
        subject, _, word = line.partition(" -> ")
        return subject == self.start != word and word.isalpha()

    def mistakes(self, line: str, after: str) -> list[str]:
        """A link to each other word that is told of, to made-up ones if there is none."""
        told = dict.fromkeys([*self.rules, *self.rules.values(), self.target])
        near = [word for word in told if word != self.start and not after.endswith(f" {word}")]
        return [f"{self.start} -> {word}" for word in near or NONSENSE if word != self.start]

    def habit(self) -> Worked:
        """Looks no further than a sentence that has both words, whichever way round."""
        if self.rules.get(self.start) == self.target or self.rules.get(self.target) == self.start:
            return Worked((f"{self.start} -> {self.target}",), "yes")
        return Worked((next(self.moves(self.start)),), "no")


def draw_syllogism(level: int, rng: Rng, held_out: bool) -> str:
    """No is right where the word asked about leads into the way but does not lie on it."""
    uniform = rng.random
    named = int(uniform() < 0.3)
    words = some(NONSENSE, 3 + level + level // 2 - named, rng)
    path = [pick(NAMES, rng)] * named + words[: level + 1 - named]
    spare = words[level + 1 - named :]
    yes, turn = uniform() < 0.5, uniform() < 0.5
    rules = list(pairwise(path))
    if not yes:
        rules.append((spare[0], path[named] if turn else pick(path[named:], rng)))
    elif turn:
        rules.append((path[-1], spare[0]))
    for place, word in enumerate(spare[1:], 1):
        apart = (yes and not turn and place == 1) or uniform() < 0.5
        rules.append((word, spare[0] if apart else pick(path[named:] + spare[:place], rng)))
    told = some([f"{a if a in NAMES else f'Every {a}'} is a {b}." for a, b in rules], len(rules), rng)
    subject = path[0] if named else f"{pick(('every', 'a'), rng)} {path[0]}"
    ask = f"Is {subject} a {path[-1] if yes else spare[0]}?"
    return " ".join([ask, *told] if held_out else [*told, ask])
