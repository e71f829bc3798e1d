"""Monitors of exploration and exploitation, and the score that balances them (B-STaR, arXiv:2412.17256)."""

from collections.abc import Iterable
from statistics import fmean

from sharpen.core.judging import by_problem, wording
from sharpen.core.records import Judged


def balance(kept: Iterable[Judged], queries: int, enough: int) -> float:
    """Mean over queries of min(n' / enough, 1) * n' / n, in [0, 1] (Eq. 3): n attempts selected for a query, n' of them
    right and unlike each other. A query without a selected attempt scores 0 (our choice)."""
    total = 0.0
    for group in by_problem(kept).values():
        right = _distinct(group)
        total += min(right / enough, 1.0) * right / len(group)
    return total / max(queries, 1)


def pass_at_k_s(marks: Iterable[Judged], s: int) -> float:
    """Share of problems with at least s right attempts unlike each other among their K."""
    groups = by_problem(marks).values()
    return fmean(_distinct(group) >= s for group in groups) if groups else 0.0


def reward_at_k_s(marks: Iterable[Judged], s: int) -> float:
    """Share of problems whose s highest-scored attempts of K are all right; s = 1 is best-of-K."""
    groups = by_problem(marks).values()
    return fmean(all(m.verdict.right for m in _top(group, s)) for group in groups) if groups else 0.0


def diversity(marks: Iterable[Judged]) -> float:
    """Mean over problems with a right attempt of the share of their right attempts' lines that are distinct."""
    shares = []
    for group in by_problem(marks).values():
        lines = [line for m in group if m.verdict.right for line in m.attempt.text.splitlines()]
        if lines:
            shares.append(len(set(lines)) / len(lines))
    return fmean(shares) if shares else 0.0


def _distinct(group: list[Judged]) -> int:
    return len({wording(mark.attempt) for mark in group if mark.verdict.right})


def _top(group: list[Judged], s: int) -> list[Judged]:
    return sorted(group, key=lambda mark: -mark.verdict.score)[:s]
