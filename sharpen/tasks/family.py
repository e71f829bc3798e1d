"""What a family of the embedded world is: problems drawn by kind and level, worked, worked wrongly, and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sharpen.core.judging import MARK
from sharpen.core.ports import Env
from sharpen.core.streams import Rng, Split, split_of


@dataclass(frozen=True, slots=True)
class Worked:
    """A solution: its steps, a line each, and its answer; `wrong` is the place of the first wrong step (from 0), the
    number of steps where only the answer is wrong, and None where all is right."""

    steps: tuple[str, ...]
    answer: str
    wrong: int | None = None

    @property
    def text(self) -> str:
        """The steps and the marked answer, as they should be said."""
        return "\n".join([*self.steps, f"{MARK} {self.answer}"])


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a solution that is not blank, whether it is right where it stands, and what is left to do after it."""

    text: str
    right: bool
    left: str


class Family(Protocol):
    """Everything follows from the question's text, so nothing is kept: a question that was invented is judged as well
    as one that was drawn. A question that is not of the family raises ValueError everywhere."""

    @property
    def name(self) -> str:
        """As the user writes it."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of problem, in a fixed order."""
        ...

    @property
    def levels(self) -> range:
        """From 1, easiest, up."""
        ...

    @property
    def instructions(self) -> str:
        """How to answer, for models that were not raised on this world: one or two sentences."""
        ...

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """A question. Only `rng.random` is used, so the same generator state gives the same question on every machine.

        held_out: in wordings (templates) that training text never has.
        """
        ...

    def tidy(self, question: str) -> str:
        """The question as the family would write it, spacing put right; what is no question comes back as it is."""
        ...

    def place(self, question: str) -> tuple[str, int, bool]:
        """Kind, level and whether the wording is held out, of any question of the family."""
        ...

    def work(self, question: str) -> Worked:
        """The right solution."""
        ...

    def slip(self, question: str, rng: Rng) -> Worked:
        """A solution in which one step, drawn evenly, goes wrong by a small mistake and all that follows is carried on
        from it; `wrong` is that step's place."""
        ...

    def habit(self, question: str, rng: Rng) -> Worked:
        """A solution by the family's bad habit: a wrong procedure, always the same, not a random mistake. Where it
        happens to give the right answer, that is what it returns."""
        ...

    def follow(self, question: str, text: str) -> list[Line]:
        """What each line of a solution does; the line of the answer is the last. A step is judged by what stands before
        it: what an earlier wrong step claims is carried on. The steps of `work` are all right, and so are other right
        ways in other orders, where the family has them."""
        ...

    def right(self, question: str, answer: str) -> bool:
        """Whether this answer (what stands behind the mark) is right: the answer and nothing more."""
        ...

    def reach(self, level: int) -> int:
        """The longest reply, in tokens of the embedded tokenizer, that a right solution at this level needs, with room
        to spare (a digit, a word, a sign, a line end: one token each)."""
        ...

    def world(self, max_tokens: int) -> Env:
        """The world its problems are tried in."""
        ...


@runtime_checkable
class Reworded(Protocol):
    """A family that asks the same thing in several wordings."""

    def essence(self, question: str) -> str:
        """What is asked, whatever the wording. The split goes by it: what is examined is trained in no words."""
        ...


def split_for(family: Family, question: str) -> Split:
    """The split that a question of a family belongs to."""
    return split_of(family.essence(question) if isinstance(family, Reworded) else question)


@runtime_checkable
class Whole(Protocol):
    """A family that is judged by all that was said, in all turns, and not by what stands behind a mark."""

    def score(self, question: str, said: Sequence[str]) -> float:
        """From 0 to 1; 1 means right."""
        ...


def trimmed(question: str) -> str:
    """Without white space around it and its lines."""
    return "\n".join(line.strip() for line in question.strip().split("\n"))


def pick(options: Sequence[str], rng: Rng) -> str:
    """One of the options, evenly, by one uniform."""
    return options[int(len(options) * rng.random())]
