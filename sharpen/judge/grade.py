"""Judges that ask a model for a grade from 1 to 5: its reply, or what it expects the grade to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, nan

from sharpen.core import speech
from sharpen.core.ports import Sampler, Scorer
from sharpen.core.records import Attempt, Chat, Sampling, Verdict
from sharpen.judge.compare import BRIEF, question, solution

GRADES = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class GradeByLabel:
    """The score is the mean grade under the model's probabilities of GRADES, in [1, 5]; nan where there is no room for
    one."""

    model: Scorer

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order."""
        likely = self.model.choices([_asked(attempt) for attempt in attempts], GRADES)
        return [Verdict(_mean([float(nats) for nats in row])) for row in likely]


@dataclass(frozen=True, slots=True)
class GradeByReply:
    """The score is the grade that the model replies, nan where there is none."""

    model: Sampler
    how: Sampling = BRIEF

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order; `note` is the reply."""
        replies = self.model.sample([_asked(attempt) for attempt in attempts], self.how.times(1))
        grades = [(speech.grade(said[0].text), said[0].text) for said in replies]
        return [Verdict(nan if grade is None else float(grade), note=note) for grade, note in grades]


def _asked(attempt: Attempt) -> Chat:
    return speech.graded(question(attempt.problem), solution(attempt))


def _mean(nats: Sequence[float]) -> float:
    if max(nats) == -inf:
        return nan
    shares = [exp(one - max(nats)) for one in nats]
    return sum(place * share for place, share in enumerate(shares, 1)) / sum(shares)
