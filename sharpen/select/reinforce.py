"""Judged attempts into the lessons of a policy gradient, each against the others at its problem."""

from collections.abc import Sequence
from typing import TypeVar

from sharpen.core.lessons import Lesson, reinforcement
from sharpen.core.records import Judged
from sharpen.select.advantage import leave_one_out

T = TypeVar("T")


def groups(items: Sequence[T], n: int) -> list[Sequence[T]]:
    """`n` in a row at a time, as a rollout of `n` attempts a problem gives them: two groups at one problem stay two."""
    return [items[start : start + n] for start in range(0, len(items), n)]


def against_others(marks: Sequence[Judged], n: int, leash: float = 0.0) -> list[Lesson]:
    """Every attempt weighted by its score less the mean of its group's others (RLOO), groups of `n` in order; an
    attempt among equals has weight 0 and still counts."""
    return [
        lesson
        for group in groups(marks, n)
        for mark, advantage in zip(group, leave_one_out([mark.verdict.score for mark in group]), strict=True)
        for lesson in reinforcement(mark.attempt, advantage, leash)
    ]
