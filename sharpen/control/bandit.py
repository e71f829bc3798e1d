"""A bandit whose arms change under it: values follow the newest rewards, and arms are chosen by the values' softmax."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

from sharpen.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Bandit:
    """How values become choices and rewards become values (SEC, arXiv:2505.14970). The values themselves, one number an
    arm, begin at 0 and are passed in and out.

    rate          alpha of the TD(0) step, in (0, 1]: the share of the newest reward; ours. The paper's released runs
                  have 0.5, its code 0.1 by default
    temperature   tau of the softmax, > 0, in units of the reward; ours. Paper: 1.0, 0.4, and 0.2 with nine arms
    decay         an arm without a reward is paid 0, as in the paper's code; otherwise its value stays, as the
                  text reads
    """

    rate: float = 0.3
    temperature: float = 0.3
    decay: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise InvalidInput(f"rate must be in (0, 1], got {self.rate}")
        if not self.temperature > 0:
            raise InvalidInput(f"temperature must be > 0, got {self.temperature}")

    def chances(self, values: Sequence[float]) -> list[float]:
        """p(c) = exp(Q(c) / tau) / sum_c' exp(Q(c') / tau), in the order of the values; they sum to 1."""
        top = max(values)
        weights = [exp((value - top) / self.temperature) for value in values]
        total = sum(weights)
        return [weight / total for weight in weights]

    def updated(self, values: Sequence[float], rewards: Mapping[int, float]) -> tuple[float, ...]:
        """Q(c) <- alpha r(c) + (1 - alpha) Q(c), by the place of the arm."""
        return tuple(
            self.rate * rewards.get(arm, 0.0) + (1 - self.rate) * value if self.decay or arm in rewards else value
            for arm, value in enumerate(values)
        )
