"""A trial of a skill of speech: what is asked, what a reply is worth, and what the same costs nothing to get."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sharpen.core.judging import final_answer
from sharpen.core.records import Chat
from sharpen.tasks.family import Family


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked, and what a reply to it is worth, 0 to 1."""

    chat: Chat
    worth: Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials of a skill, and what they are compared with: other trials, or a number.

    varied: replies are drawn at temperature 1, where the same few requests should get a different reply each time; all
    else is greedy.
    """

    asked: Sequence[Trial]
    against: Sequence[Trial] | float
    varied: bool = False


def solves(family: Family, question: str) -> Callable[[str], float]:
    """Worth 1 with the right answer behind the mark."""
    return lambda reply: float(family.right(question, final_answer(reply) or ""))


def exactly(gold: str) -> Callable[[str], float]:
    """Worth 1 if the whole reply is this."""
    return lambda reply: float(reply.strip() == gold)


def answers(gold: str) -> Callable[[str], float]:
    """Worth 1 with this answer behind the mark."""
    return lambda reply: float(final_answer(reply) == gold)


def constant(golds: Sequence[str]) -> float:
    """What the best single reply would score."""
    return max(Counter(golds).values()) / len(golds)
