"""A handbook: behaviours that were found are added and merged, and those that suit a problem are recalled.

It is plain data, a row of behaviours in the order in which they were first found (arXiv:2509.13237).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Behaviour, Problem
from sharpen.core.streams import stream
from sharpen.update.likeness import bm25, cosine

Handbook: TypeAlias = tuple[Behaviour, ...]
By = Literal["topic", "likeness"]


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """How a handbook is kept and read.

    size    most behaviours in it; ours, the paper's grew to 785 and 1,457
    alike   two whose words have a cosine above it are one, in (0, 1]; ours, 1 merges none
    by      what suits a problem. topic: what was found in its family, the most often found first (the paper's for
            MATH); likeness: what shares most words with it, by BM25 (ours, for the paper's embeddings for AIME)
    most    K, the most that are recalled; ours, the paper recalls 40, or all of a topic
    """

    size: int = 256
    alike: float = 0.9
    by: By = "topic"
    most: int = 4

    def __post_init__(self) -> None:
        if self.size < 1 or self.most < 1:
            raise InvalidInput(f"size and most must be >= 1, got {self.size} and {self.most}")
        if not 0 < self.alike <= 1:
            raise InvalidInput(f"alike must be in (0, 1], got {self.alike}")

    def written(self, handbook: Handbook, found: Iterable[Behaviour]) -> Handbook:
        """The handbook with what was found: added by name, merged by likeness, cut to size."""
        return kept(merged(added(handbook, found), self.alike), self.size)


def added(handbook: Handbook, found: Iterable[Behaviour]) -> Handbook:
    """With what was found; of one name there is one, with the latest instruction that is not empty, and the sum of how
    often each was found."""
    named = {behaviour.name: behaviour for behaviour in handbook}
    for new in found:
        old = named.get(new.name)
        named[new.name] = _joined(new, old) if old else new
    return tuple(named.values())


def merged(handbook: Handbook, alike: float) -> Handbook:
    """Without those whose words, name and instruction, have a cosine above `alike` with one that was found at least as
    often, the first of equals; how often they were found is counted to the first such one."""
    stay: dict[int, Behaviour] = {}
    for place in sorted(range(len(handbook)), key=lambda place: -handbook[place].times):
        text = _text(handbook[place])
        like = next((other for other in stay if cosine(_text(stay[other]), text) > alike), None)
        if like is None:
            stay[place] = handbook[place]
        else:
            stay[like] = _joined(stay[like], handbook[place])
    return tuple(stay[place] for place in sorted(stay))


def kept(handbook: Handbook, size: int) -> Handbook:
    """The `size` that were found most often, the latest of equals: a full handbook still takes new ones in."""
    best = sorted(range(len(handbook)), key=lambda place: (-handbook[place].times, -place))[:size]
    return tuple(handbook[place] for place in sorted(best))


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Recalls from a handbook what suits a problem; of equals what was found most often, then what was found first."""

    handbook: Handbook
    by: By = "topic"
    most: int = 4

    def __call__(self, problem: Problem) -> Handbook:
        """At most `most`, the most fitting first; by topic none where nothing was found in the problem's family."""
        if self.by == "topic":
            own = [behaviour for behaviour in self.handbook if problem.family in behaviour.found]
            often = sorted(own, key=lambda behaviour: (-behaviour.found[problem.family], -behaviour.times))
            return tuple(often[: self.most])
        question = "\n".join(message.text for message in problem.chat if message.role in ("user", "text"))
        fits = bm25(question, [_text(behaviour) for behaviour in self.handbook])
        order = sorted(range(len(fits)), key=lambda place: (-fits[place], -self.handbook[place].times))
        return tuple(self.handbook[place] for place in order[: self.most])


@dataclass(frozen=True, slots=True)
class Mismatched:
    """Recalls as many as suit a problem, but others, drawn evenly from the rest of the handbook; fewer where there are
    no more. A control: the same behaviours in the wrong places."""

    retrieval: Retrieval
    seed: int = 0

    def __call__(self, problem: Problem) -> Handbook:
        """The same for a problem whenever it is asked."""
        own = self.retrieval(problem)
        rest = [behaviour for behaviour in self.retrieval.handbook if behaviour not in own]
        return tuple(stream("mismatched", self.seed, problem.id).sample(rest, min(len(own), len(rest))))


@dataclass(frozen=True, slots=True)
class Always:
    """Recalls the same for every problem. A control: behaviours that help with none."""

    behaviours: Handbook

    def __call__(self, problem: Problem) -> Handbook:
        """All of them."""
        return self.behaviours


def cited(text: str, behaviours: Sequence[Behaviour]) -> list[Behaviour]:
    """Those whose whole name stands in a text, in any case, with a prefix and an underscore before it or without."""
    return [one for one in behaviours if re.search(rf"(?<![^\W_]){re.escape(one.name)}(?!\w)", text, re.IGNORECASE)]


def _joined(one: Behaviour, other: Behaviour) -> Behaviour:
    """The one, with an instruction of the other where it has none, found as often as both."""
    found = Counter(other.found) + Counter(one.found)
    return replace(one, instruction=one.instruction or other.instruction, found=dict(found))


def _text(behaviour: Behaviour) -> str:
    return f"{behaviour.name} {behaviour.instruction}"
