"""Which of two attempts to prefer: the extremes of each problem's group."""

from collections.abc import Iterable, Sequence
from math import isnan

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import by_problem
from sharpen.core.lessons import Lesson, preference
from sharpen.core.records import Judged


def extremes(marks: Iterable[Judged]) -> list[tuple[Judged, Judged]]:
    """(best, worst) of each problem, the first of equals; problems whose attempts all score the same are left out, and
    so are attempts that could not be scored."""
    pairs = []
    for group in by_problem(marks).values():
        scored = [mark for mark in group if not isnan(mark.verdict.score)]
        if not scored:
            continue
        best = max(scored, key=lambda mark: mark.verdict.score)
        worst = min(scored, key=lambda mark: mark.verdict.score)
        if best.verdict.score > worst.verdict.score:
            pairs.append((best, worst))
    return pairs


def preferences(pairs: Sequence[tuple[Judged, Judged]]) -> list[Lesson]:
    """Two lessons per pair of attempts, the better first; raises InvalidInput for attempts of several turns: the later
    ones answer different scenes and cannot be compared."""
    most = max((len(mark.attempt.turns) for pair in pairs for mark in pair), default=1)
    if most > 1:
        raise InvalidInput(f"expected attempts of one turn to compare, got one of {most}; choose a task of one turn")
    return [
        lesson
        for group, (best, worst) in enumerate(pairs)
        for lesson in preference(best.attempt.turns[0].seen, best.attempt.said, worst.attempt.said, group)
    ]
