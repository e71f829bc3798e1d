"""What was found of each claim: the number, its interval, its p-value among all claims of the file, and the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import stdev
from typing import Literal

from sharpen.arena.claims import Claim, Claims
from sharpen.arena.quantities import quantity
from sharpen.arena.statistics import (
    LEVEL,
    ROUNDING,
    equivalent,
    holm,
    paired,
    seeds_to_enclose,
    seeds_to_exclude,
    sign,
    signs_to_exclude,
)
from sharpen.core.errors import InvalidInput, SharpenError
from sharpen.core.records import Json

Decision = Literal["replicated", "not replicated", "undecided"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim decided over its seeds.

    values        the claim's number, one a seed, in the order of the seeds
    mean          with its 95 % t-interval over seeds, [low, high]; None where all values are equal
    p             against the threshold, two-sided; of `within`, of both one-sided tests together (TOST). The t-test's;
                  the exact sign test's where all values are equal
    adjusted      p after Holm over the claims of the file, doubled at every look
    seeds_needed  of an undecided claim: the seeds that would decide it at the next look, at this mean and spread, four
                  times in five
    label         what the interval is over, or why there is none
    """

    claim: str
    values: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    p: float
    adjusted: float
    verdict: Decision
    seeds_needed: int | None
    label: str


def numbers(claims: Claims, results: Mapping[str, Sequence[Mapping[str, Json]]]) -> tuple[tuple[float, ...], ...]:
    """The claims' numbers, `[claim][seed]`, from the results of every arm, one a seed, in the order of the seeds."""
    return tuple(tuple(_values(claim, results)) for claim in claims.claims)


def require_numbers(claims: Claims, arm: str, result: Mapping[str, Json]) -> None:
    """Raises InvalidInput where a run of an arm does not tell what a claim asks of it: no other run of it will."""
    for claim in claims.claims:
        if arm not in claim.arms:
            continue
        try:
            value = quantity(result, claim.of, claim.exam)
        except SharpenError as wrong:
            raise InvalidInput(f"claim {claim.id} cannot be decided by arm {arm}: {wrong}") from wrong
        if not isfinite(value):
            raise InvalidInput(
                f"claim {claim.id} cannot be decided by arm {arm}: its {claim.of} is {value}; name another"
            )
        if claim.statistic == "ratio" and arm == claim.than and value == 0:
            raise InvalidInput(f"claim {claim.id} is a ratio, but {claim.of} of {arm} is 0; state a difference instead")


def decided(claims: Sequence[Claim], values: Sequence[Sequence[float]], look: int) -> tuple[Finding, ...]:
    """The findings of claims whose numbers these are, `[claim][seed]`. p-values are corrected over all of them, and for
    this being the `look`-th time (from 1) that such numbers are looked at: 0.05 / 2^look is spent on each."""
    tested = [_tested(claim, own) for claim, own in zip(claims, values, strict=True)]
    corrected = [min(1.0, 2.0**look * p) for p in holm([one.p for one in tested])]
    found = [replace(one, adjusted=p) for one, p in zip(tested, corrected, strict=True)]
    ahead = len(claims) * 2 ** (look + 1)
    return tuple(_judged(claim, one, ahead) for claim, one in zip(claims, found, strict=True))


def verdict(claim: Claim, low: float, high: float, adjusted: float) -> Decision:
    """The rule, fixed beforehand, for an interval [low, high] of the claim's number.

    above, below   replicated: it lies beyond the threshold on the claimed side, and p as corrected is below 0.05.
                   not replicated: it holds the threshold or lies short of it, and ends less than the margin beyond.
    within         replicated: it lies less than the margin from the threshold on both sides, and p as corrected is
                   below 0.05. not replicated: it lies more than the margin from the threshold.
    Otherwise the claim is undecided.
    """
    near, far = _oriented(claim, low, high)
    clear = adjusted < 1 - LEVEL
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
    return [one / other for one, other in zip(mine, theirs, strict=True)]


def _tested(claim: Claim, values: Sequence[float]) -> Finding:
    """The number with its interval and p-value, neither corrected nor decided."""
    beyond = [value - claim.threshold for value in values]
    interval = paired(beyond)
    p = equivalent(beyond, claim.margin).p if claim.relation == "within" else interval.p
    if p is None:
        p = _sign(claim, _apart(values[0], claim.threshold), len(values))
    low = None if interval.low is None else interval.low + claim.threshold
    high = None if interval.high is None else interval.high + claim.threshold
    mean = interval.mean + claim.threshold
    return Finding(claim.id, tuple(values), mean, low, high, p, p, "undecided", None, interval.label)


def _sign(claim: Claim, beyond: float, seeds: int) -> float:
    """p where every seed's number lies equally far beyond the threshold: by the sign test, of `within` the larger of
    the two one-sided ones against its bounds."""
    if claim.relation != "within":
        return sign(beyond, seeds)
    return sign(1.0, seeds) / 2 if abs(beyond) < claim.margin else 1.0


def _apart(value: float, threshold: float) -> float:
    """How far a value lies from a threshold; 0 where that is rounding alone."""
    close = abs(value - threshold) <= ROUNDING * max(1.0, abs(threshold))
    return 0.0 if close else value - threshold


def _judged(claim: Claim, tested: Finding, ahead: int) -> Finding:
    """The finding with its verdict; `ahead` are the tests that what is replicated at the next look has to stand."""
    if tested.low is None or tested.high is None:
        return _judged_alike(claim, tested, ahead)
    said = verdict(claim, tested.low, tested.high, tested.adjusted)
    return replace(tested, verdict=said, seeds_needed=_needed(claim, tested, ahead) if said == "undecided" else None)


def _judged_alike(claim: Claim, tested: Finding, ahead: int) -> Finding:
    """Where all seeds are alike, their number is its own interval as soon as there are so many that the median of all
    seeds lies there at 95 % (six); with fewer, nothing is decided."""
    fewest, at = signs_to_exclude(1 - LEVEL), claim.threshold + _apart(tested.mean, claim.threshold)
    if len(tested.values) >= fewest and (said := verdict(claim, at, at, tested.adjusted)) != "undecided":
        return replace(tested, verdict=said)
    beyond, _ = _oriented(claim, at, at)
    within = claim.relation == "within"
    if within and abs(beyond) == claim.margin:
        return tested
    if not (abs(beyond) < claim.margin if within else beyond > 0):
        return replace(tested, seeds_needed=fewest)
    strict = (1 - LEVEL) / ahead  # of `within` each test is one-sided
    return replace(tested, seeds_needed=max(fewest, signs_to_exclude(2 * strict if within else strict)))


def _needed(claim: Claim, tested: Finding, ahead: int) -> int | None:
    """The seeds that would decide a claim either way, whichever takes fewer, at the mean and spread seen. What is to be
    replicated has to keep its interval clear, and its p below .05 over all tests ahead, Holm's strictest."""
    beyond, _ = _oriented(claim, tested.mean, tested.mean)
    spread, strict = stdev(tested.values), (1 - LEVEL) / ahead
    ways = []
    if claim.relation == "within":
        inside = claim.margin - abs(beyond)
        if inside > 0:  # one-sided tests against two bounds, besides the interval
            level = max(LEVEL, 1 - 2 * strict)
            ways.append(seeds_to_enclose(inside, claim.margin + abs(beyond), spread, level))
        elif inside < 0:
            ways.append(seeds_to_exclude(-inside, spread))
        return min(ways, default=None)
    if beyond > 0:
        ways.append(seeds_to_exclude(beyond, spread, 1 - strict))
    if beyond < claim.margin:
        ways.append(seeds_to_exclude(claim.margin - beyond, spread))
    return min(ways, default=None)
