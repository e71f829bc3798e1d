"""How sure a number is: intervals over seeds, problems or both, corrections for many claims, unbiased estimators."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, floor, inf, isfinite, log2
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from sharpen.core.errors import InvalidInput

Over = Literal["seeds", "problems", "seeds and problems"]
LEVEL = 0.95
POWER = 0.8
ROUNDING = 1e-12
"""Relative: differences of equal scores need not be equal to the last bit."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its confidence interval; `p` is two-sided, against a mean of zero (a proportion has none). What the
    data do not give is None, and `label` says why."""

    mean: float
    low: float | None
    high: float | None
    n: int  # what it is over: so many seeds, or problems; for both, so many seeds
    p: float | None
    over: Over
    level: float = LEVEL

    @property
    def label(self) -> str:
        """What the interval is over, in words: one over problems alone says nothing about another training run."""
        count = f"{self.n} {self.over if self.n != 1 else self.over.removesuffix('s')}"
        if self.over == "seeds and problems":
            count = f"{self.n} seeds and their problems"
        if self.low is None:
            why = "one value has no spread" if self.n == 1 else "all values are equal, so their spread is unknown"
            return f"{count}: no interval, {why}"
        return f"{self.level:.0%} over {count}" + (", these weights only" if self.over == "problems" else "")

    def excludes(self, value: float = 0.0) -> bool:
        """Whether there is an interval and `value` lies outside it."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether a mean difference is shown to lie inside (-margin, margin): two one-sided tests, `p` the larger of their
    two. `low` and `high` bound the mean at the level 1 - 2 (1 - level): what the tests compare with the margin."""

    mean: float
    low: float | None
    high: float | None
    n: int
    margin: float
    p: float | None
    holds: bool


def paired(differences: Sequence[float], level: float = LEVEL, over: Over = "seeds") -> Interval:
    """The t-interval on paired differences, one a seed (or, with `over`, one a problem). One value, or values that are
    all equal, have a mean and no interval."""
    values = _checked(differences, "differences")
    mean, n = float(values.mean()), len(values)
    if _without_spread(values):
        return Interval(mean, None, None, n, None, over, _level(level))
    test = stats.ttest_1samp(values, 0.0)
    bounds = test.confidence_interval(_level(level))
    return Interval(mean, float(bounds.low), float(bounds.high), n, float(test.pvalue), over, level)


def wilson(right: int, n: int, level: float = LEVEL) -> Interval:
    """The Wilson interval of one proportion, `right` of `n` problems."""
    if not 0 <= right <= n or n == 0:
        raise InvalidInput(f"a proportion needs 0 <= right <= n and n > 0, got right={right} and n={n}")
    bounds = stats.binomtest(right, n).proportion_ci(_level(level), method="wilson")
    return Interval(right / n, float(bounds.low), float(bounds.high), n, None, "problems", level)


def two_way(matrix: Sequence[Sequence[float]], level: float = LEVEL) -> Interval:
    """The mean of `matrix[seed][problem]` with both seeds and problems drawn at random: variance components from the
    two-way table without repeats (negative ones count as zero), Satterthwaite's degrees of freedom. With one seed only
    it is an interval over problems, with one problem only over seeds."""
    if len({len(row) for row in matrix}) != 1:
        raise InvalidInput("two_way needs the same problems for every seed, got rows of different lengths or none")
    values = np.array([_checked(row, "scores") for row in matrix])
    seeds, problems = values.shape
    if seeds == 1 or problems == 1:
        return paired(values.ravel().tolist(), level, "problems" if seeds == 1 else "seeds")
    mean = float(values.mean())
    if _without_spread(values):
        return Interval(mean, None, None, seeds, None, "seeds and problems", _level(level))
    by_seed, by_problem = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
    free = (seeds - 1, problems - 1, (seeds - 1) * (problems - 1))
    squares = (
        problems * float(((by_seed - mean) ** 2).sum()) / free[0],
        seeds * float(((by_problem - mean) ** 2).sum()) / free[1],
        float(((values - by_seed - by_problem + mean) ** 2).sum()) / free[2],
    )
    variance, degrees = _satterthwaite(squares, free)
    error = (variance / values.size) ** 0.5
    half = float(stats.t.ppf((1 + _level(level)) / 2, degrees)) * error
    p = float(2 * stats.t.sf(abs(mean) / error, degrees))
    return Interval(mean, mean - half, mean + half, seeds, p, "seeds and problems", level)


def _satterthwaite(squares: tuple[float, float, float], free: tuple[int, int, int]) -> tuple[float, float]:
    """Variance of the grand mean times the number of cells, and its degrees of freedom, from the mean squares of
    seeds, problems and what is left. A factor whose mean square is below the last has no component and drops out."""
    left = squares[2]
    own = [i for i in (0, 1) if squares[i] > left]
    parts = [(squares[i], free[i]) for i in own] or [(left, free[2])]
    if len(own) == 2:
        parts.append((-left, free[2]))
    variance = sum(square for square, _ in parts)
    return variance, variance**2 / sum(square**2 / degrees for square, degrees in parts)


def equivalent(differences: Sequence[float], margin: float, level: float = LEVEL) -> Equivalence:
    """Whether paired differences show a mean closer to zero than `margin` (TOST). Without spread nothing is shown."""
    if not margin > 0:
        raise InvalidInput(f"an equivalence margin must be > 0, got {margin}")
    values = _checked(differences, "differences")
    inner = paired(differences, 2 * _level(level) - 1)
    if inner.low is None:
        return Equivalence(inner.mean, None, None, inner.n, margin, None, False)
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(values, margin, alternative="less").pvalue
    p = float(max(above, below))
    return Equivalence(inner.mean, inner.low, inner.high, inner.n, margin, p, p < 1 - level)


def sign(difference: float, n: int) -> float:
    """The exact two-sided sign test of `n` differences that are all alike: the chance that so many fair coins fall on
    one side, 2^(1-n); 1 where they are 0, which no side has. It asks nothing of their spread."""
    return min(1.0, 2.0 ** (1 - n)) if difference else 1.0


def signs_to_exclude(p: float) -> int:
    """The fewest differences, all alike, with which the sign test comes below `p`."""
    if not 0 < p < 1:
        raise InvalidInput(f"a p-value to come below must lie between 0 and 1, got {p}")
    return floor(1 - log2(p)) + 1


def holm(pvalues: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given: the chance of any false claim is at most their threshold."""
    if not all(0 <= p <= 1 for p in pvalues):
        raise InvalidInput(f"p-values must lie in [0, 1], got {list(pvalues)}")
    adjusted, largest = list(pvalues), 0.0
    for rank, i in enumerate(sorted(range(len(pvalues)), key=pvalues.__getitem__)):
        largest = max(largest, min(1.0, (len(pvalues) - rank) * pvalues[i]))
        adjusted[i] = largest
    return adjusted


def seeds_to_exclude(distance: float, spread: float, level: float = LEVEL, power: float = POWER) -> int:
    """The fewest seeds with which the t-interval of a mean lies clear of a value `distance` away, on that side, with
    this chance, where single seeds have the standard deviation `spread`: the one-sample t-test's power by the
    noncentral t (Cohen, Statistical Power Analysis, 1988; as G*Power and R's power.t.test count it, one tail)."""
    return seeds_to_enclose(distance, inf, spread, level, power)


def seeds_to_enclose(near: float, far: float, spread: float, level: float = LEVEL, power: float = POWER) -> int:
    """The fewest seeds with which the t-interval lies between two values at once, one `near` below and the other `far`
    above, with this chance at least: what both tests miss, taken together (Bonferroni's inequality), is at most the
    rest."""
    if not (min(near, far) > 0 and spread > 0 and isfinite(near) and isfinite(spread)):
        raise InvalidInput(f"a number of seeds needs a distance and a spread > 0, got {near} and {spread}")
    if not 0 < power < 1:
        raise InvalidInput(f"a power must lie between 0 and 1, got {power}")

    def missed(distance: float, n: int) -> float:
        bound = float(stats.t.ppf((1 + _level(level)) / 2, n - 1))
        return 1 - float(stats.nct.sf(bound, n - 1, distance / spread * n**0.5)) if isfinite(distance) else 0.0

    def enough(n: int) -> bool:
        return 1 - missed(near, n) - missed(far, n) >= power

    most = 2
    while not enough(most):
        most *= 2
    least = most // 2 + 1  # as many as most // 2 are too few
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle + 1, most)
    return most


def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased chance that some of `k` attempts is right, from `c` right of `n` (arXiv:2107.03374, Eq. 1)."""
    if not (0 <= c <= n and 1 <= k <= n):
        raise InvalidInput(f"pass@k needs 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")
    return 1.0 - comb(n - c, k) / comb(n, k)


def best_of(scores: Sequence[float], right: Sequence[bool], k: int) -> float:
    """The unbiased chance that the highest scored of `k` attempts is right, from all n scored attempts of one problem:
    sum over ranks i of right_i C(n - i, k - 1) / C(n, k). Of equal scores the earlier attempt wins."""
    n = len(scores)
    if len(right) != n or not 1 <= k <= n:
        raise InvalidInput(f"best_of needs one score per attempt and 1 <= k <= n, got {n}, {len(right)} and k={k}")
    ranked = sorted(range(n), key=lambda i: -scores[i])
    return sum(comb(n - rank, k - 1) for rank, i in enumerate(ranked, start=1) if right[i]) / comb(n, k)


def _checked(values: Sequence[float], what: str) -> npt.NDArray[np.float64]:
    if not values or not all(isfinite(value) for value in values):
        raise InvalidInput(f"{what} must be at least one finite number, got {list(values)[:8]}")
    return np.asarray(values, dtype=np.float64)


def _level(level: float) -> float:
    if not 0.5 < level < 1:
        raise InvalidInput(f"a confidence level must lie between 0.5 and 1, got {level}")
    return level


def _without_spread(values: npt.NDArray[np.float64]) -> bool:
    """Equal up to rounding."""
    return bool(np.ptp(values) <= ROUNDING * max(1.0, float(np.abs(values).max())))
