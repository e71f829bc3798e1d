"""How far two judges, or two orders of the same players, agree."""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import combinations
from math import nan, sqrt


def kappa(verdicts: Sequence[tuple[Hashable, Hashable]]) -> float:
    """Cohen's kappa of two judges' verdicts on the same things: (p - p_e) / (1 - p_e), where p is the share they agree
    on and p_e what chance alone would give; at most 1, 0 for chance. nan where there is none: without verdicts, or
    where both always say the same one thing."""
    if not verdicts:
        return nan
    agreed = sum(one == other for one, other in verdicts) / len(verdicts)
    ones, others = (Counter(side) for side in zip(*verdicts, strict=True))
    chance = sum(count * others[verdict] for verdict, count in ones.items()) / len(verdicts) ** 2
    return (agreed - chance) / (1 - chance) if chance < 1 else nan


def kendall(one: Sequence[float], other: Sequence[float]) -> float:
    """Kendall's tau-b of two sequences of values by place, in [-1, 1]: 1 for the same order; nan where either is all
    ties. Written out, since scipy's takes longer to import than the command line to answer."""
    signs = [(_sign(a - c), _sign(b - d)) for (a, b), (c, d) in combinations(zip(one, other, strict=True), 2)]
    untied = sum(abs(first) for first, _ in signs) * sum(abs(second) for _, second in signs)
    return sum(first * second for first, second in signs) / sqrt(untied) if untied else nan


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)
