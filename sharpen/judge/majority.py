"""Judges without labels that ask how many of a problem's attempts agree (self-consistency, arXiv:2203.11171)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.judging import plain_answer
from sharpen.core.records import Attempt, Verdict


@dataclass(frozen=True, slots=True)
class Majority:
    """The score is the share of the problem's attempts that end in the same answer, in [0, 1].

    A full stop behind an answer does not make it another. An attempt without one does not vote and scores 0. `right`
    stays unknown.
    """

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order; attempts are grouped by problem id."""
        ballots = _ballots(attempts)
        votes = Counter(ballot for ballot in ballots if ballot[1] is not None)
        tries = Counter(problem for problem, _ in ballots)
        return [Verdict(votes[ballot] / tries[ballot[0]]) for ballot in ballots]


@dataclass(frozen=True, slots=True)
class PseudoLabel:
    """1 for attempts that reach their problem's most frequent answer, where its share is at least `least`; else 0
    (LMSI, arXiv:2210.11610). Of equally frequent answers the first seen wins."""

    least: float = 0.0

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order; attempts are grouped by problem id."""
        shares = [verdict.score for verdict in Majority()(attempts)]
        ballots = _ballots(attempts)
        leaders: dict[str, tuple[float, str | None]] = {}
        for (problem, answer), share in zip(ballots, shares, strict=True):
            if share > leaders.get(problem, (0.0, None))[0]:
                leaders[problem] = (share, answer)
        return [
            Verdict(float(answer is not None and share >= self.least and leaders[problem][1] == answer))
            for (problem, answer), share in zip(ballots, shares, strict=True)
        ]


def _ballots(attempts: Sequence[Attempt]) -> list[tuple[str, str | None]]:
    return [(attempt.problem.id, plain_answer(attempt.text)) for attempt in attempts]
