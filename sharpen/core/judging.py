"""Attempts and verdicts put side by side: marking, grouping, what tells two apart, and where the answer stands."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from sharpen.core.ports import Judge
from sharpen.core.records import Attempt, Judged, Stop

MARK = "Answer:"
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_CLAIM = re.compile(rf"(?:=|:|\b(?:is|are|equals))\s*({_NUMBER.pattern})", re.IGNORECASE)


def judged(attempts: Sequence[Attempt], judge: Judge) -> list[Judged]:
    """Each attempt with its verdict, in order; the judge is asked once for all."""
    return [Judged(attempt, verdict) for attempt, verdict in zip(attempts, judge(attempts), strict=True)]


def tries(attempt: Attempt) -> list[Attempt]:
    """An attempt as one attempt for each try of its problem, in order: an oracle judges a try by its own turns. Those
    before the last are done; an attempt of one try, or without a turn, is alone."""
    moves = [tuple(turns) for _, turns in groupby(attempt.turns, key=lambda turn: turn.trial)]
    if len(moves) < 2:
        return [attempt]
    *before, last = moves
    return [*(replace(attempt, turns=turns, stop=Stop.DONE) for turns in before), replace(attempt, turns=last)]


def judged_by_try(attempts: Sequence[Attempt], judge: Judge) -> list[tuple[Judged, ...]]:
    """[attempt][try]: each try of each attempt with its verdict, in order; the judge is asked once for all."""
    parts = [tries(attempt) for attempt in attempts]
    marks = iter(judged([attempt for part in parts for attempt in part], judge))
    return [tuple(next(marks) for _ in part) for part in parts]


def by_problem(marks: Iterable[Judged]) -> dict[str, list[Judged]]:
    """Judged attempts by problem id, problems and attempts in their order of first appearance."""
    groups: dict[str, list[Judged]] = {}
    for mark in marks:
        groups.setdefault(mark.attempt.problem.id, []).append(mark)
    return groups


def wording(attempt: Attempt) -> str:
    """All that was said in an attempt, white space folded: attempts of one wording are the same."""
    return " ".join(" ".join(piece.text for piece in attempt.said).split())


def final_answer(text: str) -> str | None:
    """What stands behind the one `Answer:` of a text, white space folded; None without a mark, with several, or with
    nothing or more lines behind it: a text that names many answers has given none."""
    _, mark, tail = text.partition(MARK)
    if not mark or MARK in tail:
        return None
    answer = tail.strip()
    return " ".join(answer.split()) if answer and "\n" not in answer else None


def named_answer(text: str) -> str | None:
    """The final answer; or, of a reply without the mark, the number it names. Such a reply must be one line that is a
    number, or that ends by saying what is (`=`, `:`, is, are, equals) one, and says so of no other number."""
    if MARK in text:
        return final_answer(text)
    line = text.strip().removesuffix(".").rstrip()
    alone = _NUMBER.fullmatch(line)
    claims = list(_CLAIM.finditer(line))
    if alone or "\n" in line or len(claims) != 1 or claims[0].end() != len(line):
        return alone[0] if alone else None
    return claims[0][1]


def plain_answer(text: str) -> str | None:
    """The named answer as it is compared with others: without a full stop behind it."""
    answer = named_answer(text)
    return answer.removesuffix(".").rstrip() or None if answer else None
