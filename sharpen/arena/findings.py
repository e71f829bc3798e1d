"""What was found of each claim: the number, its interval, its p-value among all claims of the file, and the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import stdev
from typing import Literal

from sharpen.arena.claims import Claim, Claims
from sharpen.arena.quantities import quantity
from sharpen.arena.statistics import LEVEL, POWER, equivalent, holm, paired, seeds_to_exclude
from sharpen.core.errors import InvalidInput
from sharpen.core.records import Json

Decision = Literal["replicated", "not replicated", "undecided"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim decided over its seeds.

    values        the claim's number, one a seed, in the order of the seeds
    mean          with its 95 % t-interval over seeds, [low, high]; None where all values are equal
    p             against the threshold, two-sided; of `within`, of both one-sided tests together (TOST)
    adjusted      p after Holm over the claims of the file
    seeds_needed  of an undecided claim: the seeds that would decide it, at this mean and spread, four times in five
    label         what the interval is over, or why there is none
    """

    claim: str
    values: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None
    verdict: Decision
    seeds_needed: int | None
    label: str


def findings(claims: Claims, results: Mapping[str, Sequence[Mapping[str, Json]]]) -> tuple[Finding, ...]:
    """The findings of all claims, from the results of every arm, one a seed, in the order of the seeds."""
    return decided(claims.claims, [_values(claim, results) for claim in claims.claims])


def decided(claims: Sequence[Claim], values: Sequence[Sequence[float]]) -> tuple[Finding, ...]:
    """The findings of claims whose numbers these are, `[claim][seed]`; p-values are corrected over all of them."""
    tested = [_tested(claim, own) for claim, own in zip(claims, values, strict=True)]
    known = [finding.p for finding in tested if finding.p is not None]
    corrected = iter(holm(known))
    adjusted = [replace(one, adjusted=None if one.p is None else next(corrected)) for one in tested]
    return tuple(_judged(claim, one, len(known)) for claim, one in zip(claims, adjusted, strict=True))


def verdict(claim: Claim, low: float, high: float, adjusted: float | None) -> Decision:
    """The rule, fixed beforehand, for an interval [low, high] of the claim's number.

    above, below   replicated: it lies beyond the threshold on the claimed side, and p after Holm is below 0.05.
                   not replicated: it holds the threshold or lies short of it, and ends less than the margin beyond.
    within         replicated: it lies less than the margin from the threshold on both sides, and p after Holm is
                   below 0.05. not replicated: it lies more than the margin from the threshold.
    Otherwise the claim is undecided. Without a p-value (all seeds alike) the interval decides alone.
    """
    near, far = _oriented(claim, low, high)
    clear = adjusted is None or adjusted < 1 - LEVEL
    if claim.relation == "within":
        if clear and -claim.margin < near and far < claim.margin:
            return "replicated"
        return "not replicated" if near > claim.margin or far < -claim.margin else "undecided"
    if near > 0:
        return "replicated" if clear else "undecided"
    return "not replicated" if far < claim.margin else "undecided"


def _oriented(claim: Claim, low: float, high: float) -> tuple[float, float]:
    """How far an interval lies beyond the threshold, in the claimed direction, its nearer end first."""
    if claim.relation == "below":
        return claim.threshold - high, claim.threshold - low
    return low - claim.threshold, high - claim.threshold


def _values(claim: Claim, results: Mapping[str, Sequence[Mapping[str, Json]]]) -> list[float]:
    """The claim's number, one a seed."""
    mine = [quantity(result, claim.of, claim.exam) for result in results[claim.arm]]
    if claim.than is None:
        return mine
    theirs = [quantity(result, claim.of, claim.exam) for result in results[claim.than]]
    if claim.statistic == "difference":
        return [one - other for one, other in zip(mine, theirs, strict=True)]
    if 0 in theirs:
        raise InvalidInput(
            f"claim {claim.id} is a ratio, but {claim.of} of {claim.than} is 0; state a difference instead"
        )
    return [one / other for one, other in zip(mine, theirs, strict=True)]


def _tested(claim: Claim, values: Sequence[float]) -> Finding:
    """The number with its interval and p-value, neither corrected nor decided."""
    beyond = [value - claim.threshold for value in values]
    interval = paired(beyond)
    p = equivalent(beyond, claim.margin).p if claim.relation == "within" else interval.p
    low = None if interval.low is None else interval.low + claim.threshold
    high = None if interval.high is None else interval.high + claim.threshold
    mean = interval.mean + claim.threshold
    return Finding(claim.id, tuple(values), mean, low, high, p, None, "undecided", None, interval.label)


def _judged(claim: Claim, tested: Finding, tests: int) -> Finding:
    """The finding with its verdict. Seeds that are all alike have no spread: their number stands for itself."""
    if tested.low is None or tested.high is None:
        return replace(tested, verdict=verdict(claim, tested.mean, tested.mean, None))
    said = verdict(claim, tested.low, tested.high, tested.adjusted)
    return replace(tested, verdict=said, seeds_needed=_needed(claim, tested, tests) if said == "undecided" else None)


def _needed(claim: Claim, tested: Finding, tests: int) -> int | None:
    """The seeds that would decide a claim either way, whichever takes fewer, at the mean and spread seen. What is to be
    replicated has to stand Holm's correction at its strictest: all tests at once."""
    beyond, _ = _oriented(claim, tested.mean, tested.mean)
    strict = 1 - (1 - LEVEL) / tests
    if claim.relation == "within":  # two bounds to keep inside of, each missed half as often
        ways = [(claim.margin - abs(beyond), strict, (1 + POWER) / 2), (abs(beyond) - claim.margin, LEVEL, POWER)]
    else:
        ways = [(beyond, strict, POWER), (claim.margin - beyond, LEVEL, POWER)]
    spread = stdev(tested.values)
    return min((seeds_to_exclude(far, spread, level, power) for far, level, power in ways if far > 0), default=None)
