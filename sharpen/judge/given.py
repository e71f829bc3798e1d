"""A judge that holds attempts to answers that somebody gave, right or wrong, and pays a little for form (SOAR,
arXiv:2601.18778)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import fmean

from sharpen.core.errors import Unanswerable
from sharpen.core.judging import plain_answer
from sharpen.core.ports import Judge
from sharpen.core.records import Attempt, Judged, Verdict

AGREES, NAMES, FORMED, SHAPELESS = 120.0, 20.0, 10.0, 0.0
"""For the answer itself, one that has it among other words, any other that can be read, and none: the paper's."""
_NUMBER = re.compile(r"-?\d{1,30}(?:,\d{3}){0,8}(?:\.\d{1,30})?(?:/\d{1,30})?")


@dataclass(frozen=True, slots=True)
class Given:
    """Scores 120, 20, 10 or 0 by the answers given for each problem id; `right` stays unknown. Problems nobody gave an
    answer to go to the judge `otherwise`, whose verdicts keep `right` and are paid alike: for the right answer, and for
    one that can be read; it is not asked to reveal what it should have been, so that naming it is paid nothing."""

    answers: Mapping[str, str]
    otherwise: Judge | None = None

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts in order; raises Unanswerable for a problem without an answer where there is no other judge."""
        others = [attempt for attempt in attempts if attempt.problem.id not in self.answers]
        if others and self.otherwise is None:
            raise Unanswerable(f"no answer was given to problem {others[0].problem.id!r}; name a judge for it")
        known = iter(self.otherwise(others) if others and self.otherwise else ())
        return [
            Verdict(points(attempt.text, self.answers[attempt.problem.id]))
            if attempt.problem.id in self.answers
            else _paid(attempt, next(known))
            for attempt in attempts
        ]


def points(text: str, answer: str) -> float:
    """What a reply is paid where this is the answer."""
    claim = plain_answer(text)
    if claim is None:
        return SHAPELESS
    if agree(claim, answer):
        return AGREES
    return NAMES if f" {' '.join(answer.split())} " in f" {claim} " else FORMED


def shares(name: str, marks: Sequence[Judged]) -> dict[str, float]:
    """The share of replies that give the answer, and of those that give any: what is learned of form is told apart from
    what is learned of solving."""
    scores = [mark.verdict.score for mark in marks]
    right, formed = ([score == AGREES for score in scores], [score != SHAPELESS for score in scores])
    return {f"{name}/right": fmean(right), f"{name}/formed": fmean(formed)}


def agree(one: str, other: str) -> bool:
    """Whether two answers are the same words in a row, or the same number."""
    if one.split() == other.split():
        return True
    first, second = _number(one), _number(other)
    return first is not None and first == second


def _paid(attempt: Attempt, verdict: Verdict) -> Verdict:
    formed = SHAPELESS if plain_answer(attempt.text) is None else FORMED
    return replace(verdict, score=AGREES if verdict.right else formed)


def _number(text: str) -> Fraction | None:
    """Exactly; fractions and thousands marked by commas are read, an exponent is not."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    whole, _, below = text.strip().replace(",", "").partition("/")
    return None if below and not int(below) else Fraction(whole) / (int(below) if below else 1)
