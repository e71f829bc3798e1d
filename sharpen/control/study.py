"""How students are trained: many short runs that measure problems, and one long run on what was found (SOAR,
arXiv:2601.18778)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Problem, Sampling
from sharpen.core.streams import Rng


@dataclass(frozen=True, slots=True)
class Drill:
    """A student's short run on one dataset.

    repeats    runs on each dataset, alike but for their draws (r; ours, paper 4)
    steps      optimiser steps; `more` of them for each promotion so far, at most `most`; all three the paper's
    problems   problems a step; the paper's
    how        attempts at each (ours; paper 32)
    """

    repeats: int = 2
    steps: int = 10
    more: int = 5
    most: int = 20
    problems: int = 8
    how: Sampling = Sampling(n=8, temperature=1.0, max_tokens=4096)

    def __post_init__(self) -> None:
        if min(self.repeats, self.steps, self.problems) < 1 or self.more < 0 or self.most < self.steps:
            raise InvalidInput(
                "expected repeats, steps and problems >= 1, more >= 0 and most >= steps, "
                f"got {self.repeats}, {self.steps}, {self.problems}, {self.more} and {self.most}"
            )
        if self.how.n < 2:
            raise InvalidInput(f"the baseline is the mean of the other attempts: n must be >= 2, got {self.how.n}")
        if self.how.temperature == 0 or self.how.top_p < 1:
            raise InvalidInput(
                "a policy gradient draws from the whole policy: expected temperature > 0 and top_p 1, "
                f"got {self.how.temperature} and {self.how.top_p}"
            )

    def length(self, promotions: int) -> int:
        """Steps of a run after that many promotions."""
        return min(self.steps + self.more * promotions, self.most)


@dataclass(frozen=True, slots=True)
class Study:
    """A fresh student's long run, on questions that were found and on the hard problems.

    steps      optimiser steps; 0: none, and the promoted student is delivered
    share      of the budget that is kept for it, in [0, 1) (ours)
    questions  promoted: the datasets whose students were promoted; written: new ones by the teacher as it now is;
               curated: the task's own at `level`, judged by the oracle; none
    amount     how many are written or curated (ours, near the paper's 128)
    order      curriculum: the questions alone for `warm` steps, then the hard problems alone; mixed: both all along
    warmup     steps up to the peak rate, the paper's
    """

    steps: int = 0
    share: float = 0.5
    questions: Literal["promoted", "written", "curated", "none"] = "promoted"
    amount: int = 128
    level: float = 1.0
    order: Literal["curriculum", "mixed"] = "curriculum"
    warm: int = 64
    warmup: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise InvalidInput(f"share must be in [0, 1), got {self.share}")
        if min(self.steps, self.warm, self.warmup) < 0 or self.amount < 1:
            raise InvalidInput(
                "expected steps, warm and warmup >= 0 and amount >= 1, "
                f"got {self.steps}, {self.warm}, {self.warmup} and {self.amount}"
            )

    @property
    def kept(self) -> float:
        """The share of the budget that teaching must leave."""
        return self.share if self.steps else 0.0

    def pool(self, step: int, questions: Sequence[Problem], hard: Sequence[Problem]) -> Sequence[Problem]:
        """What step `step`, from 0, draws from; where there are no questions, the hard problems."""
        if self.order == "mixed":
            return [*questions, *hard]
        return questions if questions and step < self.warm else hard


def batches(problems: Sequence[Problem], size: int, rng: Rng) -> Iterator[list[Problem]]:
    """`size` of them at a time without end, each once, in a new order, before any comes again."""
    queue: list[Problem] = []
    while True:
        while len(queue) < size:
            queue += rng.sample(problems, len(problems))
        yield queue[:size]
        queue = queue[size:]
