"""Who breeds and who survives: tournaments with replacement, and children that replace all parents (PromptQuine,
arXiv:2506.17930)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor
from typing import Literal, TypeAlias, TypeVar

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Chat
from sharpen.core.streams import Rng

MemberT = TypeVar("MemberT")
Fit: TypeAlias = tuple[MemberT, float]
"""A member and its fitness."""


@dataclass(frozen=True, slots=True)
class Breeding:
    """How a population goes on.

    population   members that survive a generation; paper 30
    children     bred in a generation; paper 50
    share        of the population that meets in a tournament, in (0, 1]; the paper's
    start        the first population: copies of the original, or the original thinned at random (paper: for style)
    """

    population: int = 16
    children: int = 32
    share: float = 0.2
    start: Literal["copies", "thinned"] = "copies"

    def __post_init__(self) -> None:
        if min(self.population, self.children) < 1:
            raise InvalidInput(f"population and children must be >= 1, got {self.population} and {self.children}")
        if not 0 < self.share <= 1:
            raise InvalidInput(f"share must be in (0, 1], got {self.share}")

    def parent(self, members: Sequence[Fit[MemberT]], rng: Rng) -> MemberT:
        """The fittest of max(1, floor(share * |P|)) members drawn with replacement; the first drawn of equals."""
        drawn = rng.choices(members, k=max(1, floor(self.share * len(members) + 1e-9)))
        return max(drawn, key=lambda member: member[1])[0]

    def survivors(self, children: Sequence[Fit[MemberT]]) -> tuple[Fit[MemberT], ...]:
        """The next population, best first: the fittest children and no parent, however few the children are."""
        return tuple(sorted(children, key=lambda child: -child[1])[: self.population])


def elite_count(explored: int, share: float) -> int:
    """How many of so many different fitnesses are at or above their (1 - share) quantile (linear interpolation, as
    numpy's): floor(share * (explored - 1)) + 1. Of 641, and a share of 0.1: 65."""
    if explored < 1 or not 0 <= share <= 1:
        raise InvalidInput(f"expected explored >= 1 and a share in [0, 1], got {explored} and {share}")
    return floor(share * (explored - 1) + 1e-9) + 1


@dataclass(frozen=True, slots=True)
class Tried:
    """A prompt that was tried: its fitness, and its score on other problems where it was ranked there."""

    prompt: Chat
    fitness: float
    score: float | None = None


def leading(before: Iterable[Tried], new: Sequence[Tried], most: int) -> tuple[Tried, ...]:
    """The `most` fittest of all, best first and the newest of equals first, each prompt once; one that was ranked
    before keeps its score."""
    found: dict[Chat, Tried] = {}
    for tried in (*reversed(new), *before):
        found[tried.prompt] = tried
    return tuple(sorted(found.values(), key=lambda tried: -tried.fitness)[:most])


def enough(fitness: float, best: float, tolerance: float | None) -> bool:
    """Whether a step is accepted: no more than a share of the best fitness may be lost (for one above 0, this is
    fitness / best >= 1 - tolerance); without a tolerance the fitness must rise."""
    return fitness > best if tolerance is None else fitness >= best - tolerance * abs(best)
