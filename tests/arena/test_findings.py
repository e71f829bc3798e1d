"""The verdict rule on numbers worked by hand, and the seeds that would decide what is undecided."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sharpen.arena.claims import Claim
from sharpen.arena.findings import Decision, decided, verdict
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
    (found,) = decided([CLAIM], [[0.2, 0.3, 0.4, 0.5, 0.6]], 1)  # sd 0.158114, se 0.070711, t(4) 2.776445
    assert found.mean == pytest.approx(0.4)
    assert (found.low, found.high) == (pytest.approx(0.203676, abs=1e-6), pytest.approx(0.596324, abs=1e-6))
    assert found.p == pytest.approx(0.013236, abs=1e-6)  # t = 0.3 / 0.070711, against the threshold
    assert found.adjusted == 2 * found.p  # the first look
    assert (found.verdict, found.seeds_needed, found.label) == ("replicated", None, "95% over 5 seeds")


def test_p_values_are_corrected_over_the_claims_of_the_file() -> None:
    values = [[0.12, 0.14, 0.16, 0.12, 0.18], [0.0, 0.3, 0.1, 0.2, 0.3], [0.11, 0.12, 0.11, 0.12, 0.13]]
    found = decided([CLAIM] * 3, values, 1)
    alone = [paired([value - 0.10 for value in own]).p for own in values]
    assert [one.p for one in found] == pytest.approx(alone)
    assert [one.adjusted for one in found] == pytest.approx([2 * p for p in holm([p for p in alone if p is not None])])


def test_an_interval_that_only_stands_alone_is_undecided_among_others() -> None:
    values = [0.12, 0.13, 0.15, 0.16, 0.19]  # p = .015
    noise = [0.3, -0.3, 0.2, -0.1, 0.4]
    assert decided([CLAIM], [values], 1)[0].verdict == "replicated"
    found = decided([CLAIM] * 3, [values, noise, noise], 1)[0]
    assert found.low is not None and found.low > CLAIM.threshold
    assert found.verdict == "undecided" and found.seeds_needed is not None and found.seeds_needed > 5


def test_the_seeds_that_would_decide_are_those_of_the_shorter_way() -> None:
    values = [0.0, 0.1, 0.2, 0.3, 0.4]  # mean 0.2, sd 0.158114: 0.1 beyond the threshold
    (found,) = decided([CLAIM], [values], 1)
    assert found.verdict == "undecided"
    assert found.seeds_needed == seeds_to_exclude(0.1, 0.15811388, 1 - 0.05 / 4)  # .05 / 4 is left for the next look
    low = [value - 0.15 for value in values]  # mean 0.05: 0.07 short of the threshold and margin
    assert decided([CLAIM], [low], 1)[0].seeds_needed == seeds_to_exclude(0.07, 0.15811388)


@pytest.mark.parametrize("claim", [CLAIM, BELOW, WITHIN])
@settings(max_examples=30)
@given(
    values=st.lists(NUMBERS, min_size=5, max_size=8).filter(lambda own: max(own) - min(own) > 0.01),
    look=st.integers(1, 4),
)
def test_more_seeds_than_there_were_would_decide(claim: Claim, values: list[float], look: int) -> None:
    (found,) = decided([claim], [values], look)
    assert (found.seeds_needed is not None) == (found.verdict == "undecided")
    assert found.seeds_needed is None or found.seeds_needed > len(values)


@pytest.mark.parametrize(
    ("claim", "value", "seeds", "p", "expected", "needed"),
    [
        (CLAIM, 0.3, 5, 2 / 32, "undecided", 8),  # 2^-4; 2^(1-n) 4 < .05 from n = 8 on
        (CLAIM, 0.3, 6, 2 / 64, "undecided", 8),  # doubled at the first look: .0625
        (CLAIM, 0.3, 7, 2 / 128, "replicated", None),
        (CLAIM, 0.0, 5, 2 / 32, "undecided", 6),
        (CLAIM, 0.0, 6, 2 / 64, "not replicated", None),
        (CLAIM, 0.1, 6, 1.0, "not replicated", None),  # on the threshold is not beyond it
        (BELOW, 0.0, 7, 2 / 128, "replicated", None),
        (BELOW, 0.3, 6, 2 / 64, "not replicated", None),
        (WITHIN, 0.1, 5, 1 / 32, "undecided", 7),  # each of two tests is one-sided: 2^-n 4 < .05 from n = 7 on
        (WITHIN, 0.1, 6, 1 / 64, "replicated", None),
        (WITHIN, 0.0, 5, 1.0, "undecided", 6),
        (WITHIN, 0.0, 6, 1.0, "not replicated", None),
    ],
)
def test_seeds_that_are_all_alike_are_decided_by_their_signs(
    claim: Claim, value: float, seeds: int, p: float, expected: str, needed: int | None
) -> None:
    (found,) = decided([claim], [[value] * seeds], 1)
    assert (found.low, found.high, found.p) == (None, None, p)
    assert (found.verdict, found.seeds_needed) == (expected, needed)
    assert found.adjusted == min(1.0, 2 * p)
    assert "spread is unknown" in found.label


@pytest.mark.parametrize("claim", [CLAIM, BELOW, WITHIN])
@pytest.mark.parametrize("value", [-0.3, 0.09, 0.1, 0.11, 0.3])
@pytest.mark.parametrize("tests", [1, 3])
def test_as_many_seeds_as_are_asked_for_decide_where_they_stay_alike(claim: Claim, value: float, tests: int) -> None:
    others = [[0.3, -0.3, 0.2, -0.1, 0.4]] * (tests - 1)
    needed = decided([claim] * tests, [[value] * 5, *others], 1)[0].seeds_needed
    assert needed is not None and needed > 5
    assert decided([claim] * tests, [[value] * needed, *others], 2)[0].verdict != "undecided"


def test_signs_claim_what_is_not_so_as_seldom_as_they_promise() -> None:
    """The worst case: numbers of two kinds, one just beyond the threshold in half of all seeds, so that its median lies
    on it. How often all of seven or more agree on the claimed side and are called replicated, counted exactly."""
    for seeds in range(5, 12):
        (found,) = decided([CLAIM], [[0.11] * seeds], 1)
        claimed = 0.5**seeds if found.verdict == "replicated" else 0.0
        assert claimed <= 0.025 / 2


@pytest.mark.parametrize("looks", [1, 4])
def test_looking_again_and_again_claims_what_is_not_so_as_seldom_as_promised(looks: int) -> None:
    """On the threshold, five seeds more at every look until it is called replicated: at most one in twenty, on the
    claimed side or the other."""
    numbers = np.random.default_rng(7).normal(0.1, 0.05, (4000, 5 * looks))
    claimed = np.zeros(len(numbers), bool)
    for look in range(1, looks + 1):
        t = stats.ttest_1samp(numbers[:, : 5 * look], 0.1, axis=1)
        claimed |= (t.pvalue * 2**look < 0.05) & (t.statistic > 0)
    assert np.mean(claimed) <= 0.025 + 0.005
    few = [decided([CLAIM], [list(own[:5])], 1)[0].verdict == "replicated" for own in numbers[:200]]
    assert looks > 1 or few == list(claimed[:200])


@pytest.mark.parametrize("look", [2, 3])
def test_a_later_look_takes_more_to_replicate(look: int) -> None:
    values = [0.12, 0.13, 0.15, 0.16, 0.19]
    once, again = (decided([CLAIM], [values], n)[0] for n in (look - 1, look))
    assert again.adjusted == 2 * once.adjusted and again.p == once.p
    assert again.seeds_needed is None or once.seeds_needed is None or again.seeds_needed > once.seeds_needed
    assert again.verdict == ("replicated" if again.adjusted < 0.05 else "undecided")


def replicated(n: int, mean: float, spread: float, tests: int, look: int) -> float:
    """How often so many seeds of that mean and spread replicate WITHIN, its p the smallest of so many: simulated, with
    the interval and both one-sided tests written out."""
    numbers = np.random.default_rng(n).normal(mean - WITHIN.threshold, spread, (20_000, n))
    middle, error = numbers.mean(axis=1), numbers.std(axis=1, ddof=1) / n**0.5
    half = stats.t.ppf(0.975, n - 1) * error
    p = stats.t.sf((WITHIN.margin - np.abs(middle)) / error, n - 1)
    inside = (middle - half > -WITHIN.margin) & (middle + half < WITHIN.margin)
    return float(np.mean(inside & (p * tests * 2**look < 0.05)))


@pytest.mark.parametrize("tests", [1, 2, 4])
@pytest.mark.parametrize("mean", [0.1, 0.106])
def test_the_seeds_that_keep_a_number_within_are_enough_and_hardly_more(tests: int, mean: float) -> None:
    values = [
        mean + 0.03 * z for z in (-1.2649110640673518, -0.6324555320336759, 0, 0.6324555320336759, 1.2649110640673518)
    ]
    noise = [0.3, -0.3, 0.2, -0.1, 0.4]
    found = decided([WITHIN] * tests, [values, *[noise] * (tests - 1)], 1)[0]
    assert found.verdict == "undecided" and found.seeds_needed is not None
    assert np.std(values, ddof=1) == pytest.approx(0.03)
    assert replicated(found.seeds_needed, mean, 0.03, tests, 2) > 0.79
    assert replicated(round(found.seeds_needed * 0.9), mean, 0.03, tests, 2) < 0.79


def test_no_number_of_seeds_decides_what_lies_on_the_bound() -> None:
    on: tuple[Decision, int | None] = ("undecided", None)
    (found,) = decided([replace(WITHIN, threshold=0.0, margin=0.25)], [[0.25] * 8], 1)
    assert (found.verdict, found.seeds_needed) == on


def test_sameness_is_tested_from_both_sides() -> None:
    (same,) = decided([WITHIN], [[0.10, 0.101, 0.099, 0.1, 0.1]], 1)
    assert same.verdict == "replicated" and same.p is not None and same.p < 0.001
    (other,) = decided([WITHIN], [[0.20, 0.21, 0.19, 0.2, 0.2]], 1)
    assert other.verdict == "not replicated" and other.p is not None and other.p > 0.99
