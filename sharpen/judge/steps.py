"""A judge that reads a critic's head after every step (process reward model, in the manner of Math-Shepherd,
arXiv:2312.08935)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.ports import Critic
from sharpen.core.records import Attempt, Message, Stop, Verdict


@dataclass(frozen=True, slots=True)
class StepJudge:
    """The score is the least of the head's step values p in [0, 1], as 2p - 1 in [-1, 1]; an attempt that was cut off,
    says nothing, or does not fit into the critic's context is not read and scores -1. The steps' own scores are the p.

    A step ends with `mark`, at which the head must read; the last is given one where it has none.
    """

    critic: Critic
    head: str = "value"
    mark: str = "\n"

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order; reads the last turn."""
        texts = [self._readable(attempt) for attempt in attempts]
        chats = [
            (*attempt.turns[-1].seen, Message("assistant", text))
            for attempt, text in zip(attempts, texts, strict=True)
            if text
        ]
        reads = iter(self.critic.values(chats, self.head))
        # The head also reads at marks in the question: the attempt's own come last.
        return [
            _verdict([output[0] for output in next(reads)[-text.count(self.mark) :]] if text else []) for text in texts
        ]

    def _readable(self, attempt: Attempt) -> str:
        if attempt.stop is Stop.LENGTH or not attempt.text.strip():
            return ""
        return attempt.text.removesuffix(self.mark) + self.mark


def _verdict(steps: Sequence[float]) -> Verdict:
    return Verdict(2 * min(steps) - 1 if steps else -1.0, steps=tuple(steps))
