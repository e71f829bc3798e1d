"""Which attempts are worth learning from: above a threshold, distinct, and not too many of one problem."""

import re
from collections.abc import Callable, Hashable, Iterable

from sharpen.core.judging import by_problem, wording
from sharpen.core.records import Attempt, Judged, Problem

CALCULATION = re.compile(r"[-(]?\d[-+*/^().\d \t]*=[ \t]*-?\d+(?:[./]\d+)?")
"""Numbers and operators, an equals sign, a number."""


def above(
    marks: Iterable[Judged], threshold: float, cap: int | None = None, key: Callable[[Attempt], Hashable] | None = None
) -> list[Judged]:
    """Of each problem the best `cap` attempts that score strictly above `threshold`, one per `key` (`wording` if
    None), the first of equals; a score of nan is above nothing."""
    key = key or wording
    kept: list[Judged] = []
    for group in by_problem(marks).values():
        distinct: dict[Hashable, Judged] = {}
        for mark in sorted((m for m in group if m.verdict.score > threshold), key=lambda m: -m.verdict.score):
            distinct.setdefault(key(mark.attempt), mark)
        kept += list(distinct.values())[:cap]
    return kept


def unsolved(marks: Iterable[Judged]) -> list[Problem]:
    """The problems that no attempt solved (fail@K of K attempts each), in order of first appearance."""
    return [
        group[0].attempt.problem
        for group in by_problem(marks).values()
        if not any(mark.verdict.right for mark in group)
    ]


def cap_for(marks: Iterable[Judged], threshold: float, wanted: int, most: int = 64) -> int:
    """The smallest cap per problem with which `above` keeps `wanted` attempts in all, or `most` (B-STaR's code)."""
    sizes = [len(group) for group in by_problem(above(marks, threshold)).values()]
    return next((cap for cap in range(1, most) if sum(min(cap, size) for size in sizes) >= wanted), most)


def path(attempt: Attempt) -> tuple[str, ...]:
    """The ordered list of calculations in an attempt: what makes two reasoning paths the same for RFT
    (arXiv:2308.01825). An attempt without any is told apart by its wording."""
    found = CALCULATION.findall("\n".join(piece.text for piece in attempt.said))
    return tuple("".join(calculation.split()) for calculation in found) or (wording(attempt),)
