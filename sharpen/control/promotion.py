"""When a student takes the place of the one before, which one, and what its problems are worth (SOAR,
arXiv:2601.18778)."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median_low, pstdev

from sharpen.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Promotion:
    """Due where the mean reward of the last rounds is above a threshold.

    threshold   tau, a difference of accuracies (paper 0.01; ours 0.02, above the 1 / 64 that one problem makes)
    window      rounds that are averaged, or as many as there are; the paper's
    """

    threshold: float = 0.02
    window: int = 3

    def __post_init__(self) -> None:
        if self.window < 1:
            raise InvalidInput(f"window must be >= 1, got {self.window}")

    def seen(self, before: Sequence[float], mean: float) -> tuple[float, ...]:
        """The window after one more round's mean reward."""
        return (*before, mean)[-self.window :]

    def due(self, seen: Sequence[float]) -> bool:
        """Whether a student is promoted."""
        return fmean(seen) > self.threshold


def typical(gains: Sequence[float]) -> int:
    """The place of the median, the lower of two, the first of equals: the best would be chosen for its luck."""
    return list(gains).index(median_low(gains))


def learnability(right: float) -> float:
    """1 - s, and 0 where s = 0: what a problem is worth that a student solves with frequency `s`, in [0, 1)."""
    return 1 - right if right > 0 else 0.0


def paid(rewards: Sequence[float], gains: Sequence[float]) -> dict[str, float]:
    """What to watch: the mean, best and spread of the datasets' rewards, and what their students gained in the mean."""
    return {
        "teach/reward": fmean(rewards),
        "teach/reward_best": max(rewards),
        "teach/reward_std": pstdev(rewards),
        "student/gain": fmean(gains),
    }
