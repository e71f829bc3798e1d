"""A judge without labels: how likely the policy found its own words (sharpening, arXiv:2412.01951)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.records import Attempt, Verdict
from sharpen.core.tokens import Floats


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The score is the log-likelihood, in nats at temperature 1, of the tokens the policy said; or their mean."""

    per_token: bool = False

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order; raises LacksNeed where the model gave no log-probabilities."""
        return [
            Verdict(self._score([p.likelihood for p in attempt.said if p.author == "policy"])) for attempt in attempts
        ]

    def _score(self, said: Sequence[Floats]) -> float:
        total = float(sum(logprobs.sum() for logprobs in said))
        return total / max(sum(len(logprobs) for logprobs in said), 1) if self.per_token else total
