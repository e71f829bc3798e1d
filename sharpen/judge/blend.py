"""A judge that adds up two."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.ports import Judge
from sharpen.core.records import Attempt, Verdict


@dataclass(frozen=True, slots=True)
class Blend:
    """The first judge's verdict, its score plus `share` times the second's; the second's steps where it has any."""

    first: Judge
    second: Judge
    share: float = 1.0

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order."""
        return [
            replace(one, score=one.score + self.share * two.score, steps=two.steps or one.steps)
            for one, two in zip(self.first(attempts), self.second(attempts), strict=True)
        ]
