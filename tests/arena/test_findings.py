"""The verdict rule on numbers worked by hand, and the seeds that would decide what is undecided."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpen.arena.claims import Claim
from sharpen.arena.findings import decided, verdict
from sharpen.arena.statistics import holm, paired, seeds_to_exclude

CLAIM = Claim("c", "it gains", "the sheet", "value", "gain", "a", 0.10, 0.02, None, None, "above")
BELOW = replace(CLAIM, relation="below")
WITHIN = replace(CLAIM, relation="within")
NUMBERS = st.floats(-1, 1).map(lambda x: round(x, 3))


@pytest.mark.parametrize(
    ("claim", "low", "high", "expected"),
    [
        (CLAIM, 0.101, 0.30, "replicated"),
        (CLAIM, 0.10, 0.30, "undecided"),  # on the threshold is not beyond it
        (CLAIM, 0.05, 0.119, "not replicated"),  # at best less than the margin beyond it
        (CLAIM, 0.05, 0.09, "not replicated"),
        (CLAIM, -0.50, -0.40, "not replicated"),
        (CLAIM, 0.05, 0.121, "undecided"),
        (CLAIM, -0.50, 0.50, "undecided"),
        (CLAIM, 0.101, 0.119, "replicated"),  # clear of the threshold, though by less than the margin
        (BELOW, -0.30, 0.099, "replicated"),
        (BELOW, 0.081, 0.20, "not replicated"),
        (BELOW, 0.079, 0.20, "undecided"),
        (BELOW, 0.30, 0.40, "not replicated"),
        (WITHIN, 0.081, 0.119, "replicated"),
        (WITHIN, 0.079, 0.119, "undecided"),
        (WITHIN, 0.121, 0.20, "not replicated"),
        (WITHIN, -0.20, 0.079, "not replicated"),
        (WITHIN, 0.09, 0.20, "undecided"),
    ],
)
def test_the_rule(claim: Claim, low: float, high: float, expected: str) -> None:
    assert verdict(claim, low, high, 0.001) == expected


@pytest.mark.parametrize("claim", [CLAIM, WITHIN])
def test_what_does_not_stand_the_correction_is_not_replicated_yet(claim: Claim) -> None:
    bounds = (0.15, 0.2) if claim is CLAIM else (0.09, 0.11)
    assert verdict(claim, *bounds, adjusted=0.049) == "replicated"
    assert verdict(claim, *bounds, adjusted=0.051) == "undecided"


@given(NUMBERS, NUMBERS)
def test_a_claim_turned_over_has_the_same_verdict(one: float, other: float) -> None:
    low, high = sorted((one, other))
    turned = replace(CLAIM, relation="below", threshold=-CLAIM.threshold)
    assert verdict(turned, -high, -low, 0.01) == verdict(CLAIM, low, high, 0.01)


def test_a_finding_is_worked_by_hand() -> None:
    (found,) = decided([CLAIM], [[0.2, 0.3, 0.4, 0.5, 0.6]])  # sd 0.158114, se 0.070711, t(4) 2.776445
    assert found.mean == pytest.approx(0.4)
    assert (found.low, found.high) == (pytest.approx(0.203676, abs=1e-6), pytest.approx(0.596324, abs=1e-6))
    assert found.p == found.adjusted == pytest.approx(0.013236, abs=1e-6)  # t = 0.3 / 0.070711, against the threshold
    assert (found.verdict, found.seeds_needed, found.label) == ("replicated", None, "95% over 5 seeds")


def test_p_values_are_corrected_over_the_claims_of_the_file() -> None:
    values = [[0.12, 0.14, 0.16, 0.12, 0.18], [0.0, 0.3, 0.1, 0.2, 0.3], [0.11, 0.12, 0.11, 0.12, 0.13]]
    found = decided([CLAIM] * 3, values)
    alone = [paired([value - 0.10 for value in own]).p for own in values]
    assert [one.p for one in found] == pytest.approx(alone)
    assert [one.adjusted for one in found] == pytest.approx(holm([p for p in alone if p is not None]))


def test_an_interval_that_only_stands_alone_is_undecided_among_others() -> None:
    values = [0.11, 0.13, 0.16, 0.12, 0.19]
    noise = [0.3, -0.3, 0.2, -0.1, 0.4]
    assert decided([CLAIM], [values])[0].verdict == "replicated"
    found = decided([CLAIM] * 3, [values, noise, noise])[0]
    assert found.low is not None and found.low > CLAIM.threshold
    assert found.verdict == "undecided" and found.seeds_needed is not None and found.seeds_needed > 5


def test_the_seeds_that_would_decide_are_those_of_the_shorter_way() -> None:
    values = [0.0, 0.1, 0.2, 0.3, 0.4]  # mean 0.2, sd 0.158114: 0.1 beyond the threshold
    (found,) = decided([CLAIM], [values])
    assert found.verdict == "undecided"
    assert found.seeds_needed == seeds_to_exclude(0.1, 0.15811388) == 22
    low = [value - 0.15 for value in values]  # mean 0.05: 0.07 short of the threshold and margin
    assert decided([CLAIM], [low])[0].seeds_needed == seeds_to_exclude(0.07, 0.15811388)


@pytest.mark.parametrize("claim", [CLAIM, BELOW, WITHIN])
@settings(max_examples=30)
@given(values=st.lists(NUMBERS, min_size=5, max_size=8).filter(lambda own: max(own) - min(own) > 0.01))
def test_more_seeds_than_there_were_would_decide(claim: Claim, values: list[float]) -> None:
    (found,) = decided([claim], [values])
    assert (found.seeds_needed is not None) == (found.verdict == "undecided")
    assert found.seeds_needed is None or found.seeds_needed > len(values)


@pytest.mark.parametrize(
    ("claim", "value", "expected"),
    [
        (CLAIM, 0.3, "replicated"),
        (CLAIM, 0.0, "not replicated"),
        (BELOW, 0.0, "replicated"),
        (WITHIN, 0.1, "replicated"),
        (WITHIN, 0.0, "not replicated"),
    ],
)
def test_seeds_that_are_all_alike_decide_without_an_interval(claim: Claim, value: float, expected: str) -> None:
    (found,) = decided([claim], [[value] * 5])
    assert (found.low, found.p, found.adjusted, found.seeds_needed) == (None, None, None, None)
    assert found.verdict == expected
    assert "spread is unknown" in found.label


def test_sameness_is_tested_from_both_sides() -> None:
    (same,) = decided([WITHIN], [[0.10, 0.101, 0.099, 0.1, 0.1]])
    assert same.verdict == "replicated" and same.p is not None and same.p < 0.001
    (other,) = decided([WITHIN], [[0.20, 0.21, 0.19, 0.2, 0.2]])
    assert other.verdict == "not replicated" and other.p is not None and other.p > 0.99
