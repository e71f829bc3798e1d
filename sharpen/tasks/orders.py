"""Order: who stands where in a chain of people told two by two, and what a question of logic comes down to."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from sharpen.core.streams import Rng
from sharpen.tasks.family import Worked, pick
from sharpen.tasks.lexicon import NAMES

LEVELS = range(1, 9)
NAME = "[A-Z][a-z]{1,11}"
SCALES = (
    ("taller", "shorter", "tallest", "shortest"),
    ("older", "younger", "oldest", "youngest"),
    ("faster", "slower", "fastest", "slowest"),
)
ASKS = ("Who is {}?", "Name the {}.", "Say who is {}.")

_COMPARED = re.compile(rf"({NAME}) is ([a-z]+) than ({NAME})\.")
_ASKED_OF_ALL = re.compile(r"(?:Who is|Name the|Say who is) (second )?([a-z]+)[.?]")


class Case(Protocol):
    """A question understood. Where it stands is the last line of the working, at first `start`."""

    @property
    def kind(self) -> str:
        """As the family names it."""
        ...

    @property
    def start(self) -> str:
        """Where it stands before the first line; may be empty."""
        ...

    def moves(self, line: str) -> Iterator[str]:
        """The lines that may rightly come next; the first is the one that `work` takes."""
        ...

    def outcome(self, line: str) -> str:
        """The answer once no move is left, and empty before."""
        ...

    def readable(self, line: str) -> bool:
        """Whether the working can go on from a line, be it right or wrong."""
        ...

    def mistakes(self, line: str, after: str) -> list[str]:
        """What a slip may say in place of `after`, the right line behind `line`; moves may be among them."""
        ...

    def habit(self) -> Worked:
        """The working by the bad habit of its kind; `wrong` is not filled in."""
        ...


def finished(case: Case, steps: tuple[str, ...]) -> Worked:
    """The working that begins with these steps, all that follows them done rightly."""
    done = list(steps)
    at = done[-1] if done else case.start
    while line := next(case.moves(at), ""):
        done.append(line)
        at = line
    return Worked(tuple(done), case.outcome(at))


def some(words: Sequence[str], count: int, rng: Rng) -> list[str]:
    """So many different words, in a drawn order."""
    rest = list(words)
    return [rest.pop(int(len(rest) * rng.random())) for _ in range(count)]


def order(facts: list[str], ask: str) -> Case | None:
    """None unless it is asked of all, and the comparisons are of one scale and join all people to one chain,
    neighbours told once each."""
    question = _ASKED_OF_ALL.fullmatch(ask)
    scale = next((words for words in SCALES if question and question[2] in words[2:]), None)
    told = [_COMPARED.fullmatch(fact) for fact in facts]
    pairs = [(a[1], a[3]) if a[2] == scale[0] else (a[3], a[1]) for a in told if a and scale and a[2] in scale[:2]]
    first = told[0] if told else None
    if question is None or scale is None or first is None or not len(told) == len(pairs) <= LEVELS[-1]:
        return None
    asked = (1 if question[1] else 0) if question[2] == scale[2] else (-2 if question[1] else -1)
    case = _Order(tuple(pairs), (first[1], first[3]), asked)
    steps = finished(case, ()).steps
    chain = steps[-1].split(" > ")
    return case if len(set(chain)) == len(pairs) + 1 and set(pairwise(chain)) == set(pairs) else None


@dataclass(frozen=True, slots=True)
class _Order:
    """pairs: who stands above whom, in the order told; asked: the place in the whole chain, from either end."""

    pairs: tuple[tuple[str, str], ...]
    first: tuple[str, str]
    asked: int
    start: str = ""
    kind: str = "order"

    def moves(self, line: str) -> Iterator[str]:
        """The chain with one more person, by any comparison that joins it."""
        chain = line.split(" > ") if line else []
        for high, low in self.pairs:
            if not chain:
                yield f"{high} > {low}"
            elif low in chain and high not in chain:
                yield _placed(chain, chain.index(low), high)
            elif high in chain and low not in chain:
                yield _placed(chain, chain.index(high) + 1, low)

    def outcome(self, line: str) -> str:
        """The person asked for, of a chain of all."""
        chain = line.split(" > ")
        return chain[self.asked] if len(chain) == len(self.pairs) + 1 else ""

    def readable(self, line: str) -> bool:
        """A chain of two or more of the people, each once."""
        chain = line.split(" > ")
        return 1 < len(chain) == len(set(chain)) and {name for pair in self.pairs for name in pair}.issuperset(chain)

    def mistakes(self, line: str, after: str) -> list[str]:
        """The new person in every place, also the right one; at the start, the two turned round."""
        chain = after.split(" > ")
        if not line:
            return [f"{chain[1]} > {chain[0]}"]
        new = chain[0] if after.endswith(line) else chain[-1]
        return [_placed(line.split(" > "), at, new) for at in range(len(chain))]

    def habit(self) -> Worked:
        """Takes the first person named, whatever is asked."""
        return Worked((" > ".join(self.first),), self.first[0])


def _placed(chain: list[str], at: int, name: str) -> str:
    return " > ".join([*chain[:at], name, *chain[at:]])


def draw_order(level: int, rng: Rng, held_out: bool) -> str:
    """Comparisons in a drawn order; from level 3 also the least is asked for, from level 4 the second."""
    more, less, most, least = SCALES[int(len(SCALES) * rng.random())]
    people = some(NAMES, level + 1, rng)
    facts = [
        f"{a} is {more} than {b}." if rng.random() < 0.5 else f"{b} is {less} than {a}." for a, b in pairwise(people)
    ]
    asked = most if level < 3 or rng.random() < 0.5 else least
    ask = pick(ASKS, rng).format(f"second {asked}" if level > 3 and rng.random() < 0.3 else asked)
    told = some(facts, level, rng)
    return " ".join([ask, *told] if held_out else [*told, ask])
