from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sharpen.arena.statistics import (
    best_of,
    equivalent,
    holm,
    paired,
    pass_at_k,
    seeds_to_enclose,
    seeds_to_exclude,
    sign,
    signs_to_exclude,
    two_way,
    wilson,
)
from sharpen.core.errors import InvalidInput

DIFFERENCES = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=3, max_size=12).filter(
    lambda d: len(set(d)) > 1
)


def test_paired_interval_is_the_one_worked_by_hand() -> None:
    interval = paired([0.1, 0.2, 0.3, 0.4, 0.5])  # sd 0.158114, standard error 0.070711, t(4) 2.776445
    assert interval.mean == pytest.approx(0.3)
    assert (interval.low, interval.high) == (pytest.approx(0.103676, abs=1e-6), pytest.approx(0.496324, abs=1e-6))
    assert interval.p == pytest.approx(0.013236, abs=1e-6)
    assert interval.excludes(0.0) and not interval.excludes(0.3)
    assert interval.label == "95% over 5 seeds"


@given(DIFFERENCES)
def test_paired_interval_turns_over_with_its_data_and_grows_with_its_level(differences: list[float]) -> None:
    here, there, wide = paired(differences), paired([-d for d in differences]), paired(differences, level=0.99)
    assert None not in (here.low, here.high, there.low, there.high, wide.low, wide.high)
    assert here.low == pytest.approx(-there.high) and here.high == pytest.approx(-there.low)
    assert wide.low < here.low < here.mean < here.high < wide.high
    assert here.p == pytest.approx(there.p)


@given(DIFFERENCES)
def test_paired_interval_excludes_zero_exactly_when_p_is_below_five_percent(differences: list[float]) -> None:
    interval = paired(differences)
    assert interval.p is not None
    if abs(interval.p - 0.05) > 1e-9:
        assert interval.excludes(0.0) == (interval.p < 0.05)


def test_one_seed_has_a_mean_and_says_why_it_has_no_interval() -> None:
    interval = paired([0.25])
    assert (interval.mean, interval.low, interval.high, interval.p) == (0.25, None, None, None)
    assert interval.label == "1 seed: no interval, one value has no spread"
    assert not interval.excludes(0.0)


@pytest.mark.parametrize("differences", [[0.0] * 5, [0.1, 0.3 - 0.2, 0.1]])
def test_equal_differences_give_no_interval_of_width_zero(differences: list[float]) -> None:
    interval = paired(differences)
    assert interval.low is None and interval.p is None
    assert "spread is unknown" in interval.label


def test_an_interval_over_problems_alone_says_these_weights_only() -> None:
    assert paired([0.0, 1.0, 1.0], over="problems").label == "95% over 3 problems, these weights only"
    assert wilson(3, 10).label == "95% over 10 problems, these weights only"


def test_wilson_interval_is_the_one_worked_by_hand() -> None:
    interval = wilson(3, 10)  # centre (0.3 + z^2/20) / (1 + z^2/10), z = 1.959964
    assert (interval.low, interval.high) == (pytest.approx(0.107791, abs=1e-6), pytest.approx(0.603222, abs=1e-6))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_its_proportion_and_mirrors(counts: tuple[int, int]) -> None:
    right, n = counts
    here, there = wilson(right, n), wilson(n - right, n)
    assert here.low is not None and here.high is not None and there.high is not None
    assert -1e-9 <= here.low <= here.mean + 1e-9 and here.mean <= here.high + 1e-9 and here.high <= 1 + 1e-9
    assert here.low == pytest.approx(1 - there.high, abs=1e-9)


def test_holm_adjusts_as_worked_by_hand_and_keeps_the_order() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_no_correction_and_bonferroni(pvalues: list[float]) -> None:
    for p, adjusted in zip(pvalues, holm(pvalues), strict=True):
        assert p <= adjusted <= 1
    smallest = min(range(len(pvalues)), key=pvalues.__getitem__)
    assert holm(pvalues)[smallest] == pytest.approx(min(1.0, len(pvalues) * pvalues[smallest]))


@given(st.lists(st.booleans(), min_size=1, max_size=7), st.data())
def test_pass_at_k_is_the_mean_over_all_subsets(right: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(right)))
    subsets = list(combinations(right, k))
    assert pass_at_k(len(right), sum(right), k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_k_is_the_one_worked_by_hand() -> None:
    assert pass_at_k(5, 2, 2) == pytest.approx(0.7)  # 1 - C(3,2) / C(5,2)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=7), st.data())
def test_best_of_is_the_mean_over_all_subsets_even_with_equal_scores(
    marks: list[tuple[int, bool]], data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(marks)))
    subsets = list(combinations(marks, k))
    chosen = [max(subset, key=lambda mark: mark[0])[1] for subset in subsets]  # max takes the first of equals
    scores, right = [float(s) for s, _ in marks], [r for _, r in marks]
    assert best_of(scores, right, k) == pytest.approx(sum(chosen) / len(chosen))


def test_best_of_is_the_one_worked_by_hand() -> None:
    assert best_of([0.9, 0.5, 0.1], [False, True, True], 2) == pytest.approx(1 / 3)  # only {second, third} is right


def test_two_way_interval_is_the_one_worked_by_hand() -> None:
    interval = two_way([[0.0, 1.0, 2.0], [1.0, 2.0, 6.0]])  # mean squares 6, 6.5, 1.5; variance 11 / 6
    assert interval.mean == 2.0 and interval.n == 2
    degrees = 11**2 / (6**2 / 1 + 6.5**2 / 2 + 1.5**2 / 2)
    assert degrees == pytest.approx(2.07725, abs=1e-5)
    assert interval.high == pytest.approx(2.0 + 4.15289 * (11 / 6) ** 0.5, rel=1e-5)
    assert interval.label == "95% over 2 seeds and their problems"


def test_two_way_interval_drops_a_factor_without_a_component_of_its_own() -> None:
    # Seeds differ by nothing (mean square 0), so only the problems' mean square 2 with 2 degrees of freedom is left.
    interval = two_way([[0.0, 1.0, 2.0], [0.5, 0.5, 2.0]])
    by_problem = paired([0.25, 0.75, 2.0])
    assert interval.low == pytest.approx(by_problem.low) and interval.high == pytest.approx(by_problem.high)


def test_two_way_with_one_seed_speaks_of_these_weights_only() -> None:
    assert two_way([[0.0, 1.0, 1.0]]).label == "95% over 3 problems, these weights only"
    assert two_way([[0.0], [1.0], [1.0]]).label == "95% over 3 seeds"


def test_equivalence_holds_only_inside_the_margin() -> None:
    differences = [0.01, -0.01, 0.02, -0.02, 0.0]
    assert equivalent(differences, margin=0.05).holds
    assert not equivalent(differences, margin=0.01).holds
    assert not equivalent([d + 0.2 for d in differences], margin=0.05).holds
    assert not equivalent([0.0], margin=0.05).holds


@given(DIFFERENCES, st.floats(0.01, 1))
def test_equivalence_is_the_narrower_interval_inside_the_margin(differences: list[float], margin: float) -> None:
    shown = equivalent(differences, margin)
    assert shown.low is not None and shown.high is not None
    if min(abs(shown.high - margin), abs(shown.low + margin)) > 1e-9:
        assert shown.holds == (-margin < shown.low and shown.high < margin)


@pytest.mark.parametrize(
    "call",
    [
        lambda: paired([]),
        lambda: paired([0.1, float("nan")]),
        lambda: paired([0.1, 0.2], level=95),
        lambda: wilson(3, 2),
        lambda: wilson(0, 0),
        lambda: holm([0.5, 1.5]),
        lambda: pass_at_k(4, 1, 5),
        lambda: best_of([0.1], [True, False], 1),
        lambda: two_way([]),
        lambda: two_way([[1.0, 2.0], [1.0]]),
        lambda: equivalent([0.1, 0.2], margin=0.0),
        lambda: equivalent([0.1, 0.2], margin=0.1, level=0.7),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call) -> None:  # type: ignore[no-untyped-def]  # a lambda a case
    with pytest.raises(InvalidInput, match="got"):
        call()


def exams(rng: np.random.Generator, gain: float, seeds: int = 5, problems: int = 200) -> list[float]:
    """Differences of two binomial exams a seed; the seeds' own skill varies, and both arms share its starting point."""
    start = rng.normal(0.5, 0.05, seeds)
    after = np.clip(start + gain + rng.normal(0, 0.03, seeds), 0, 1)
    before = np.clip(start + rng.normal(0, 0.03, seeds), 0, 1)
    return list((rng.binomial(problems, after) - rng.binomial(problems, before)) / problems)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [0.0, 0.1])
def test_paired_intervals_cover_what_they_promise(gain: float) -> None:
    rng = np.random.default_rng(1)
    covered = [not paired(exams(rng, gain)).excludes(gain) for _ in range(4000)]
    assert 0.93 <= np.mean(covered) <= 0.97


@pytest.mark.slow
def test_a_method_against_itself_is_seldom_called_different() -> None:
    rng = np.random.default_rng(2)
    alarms = [paired(exams(rng, 0.0)).excludes(0.0) for _ in range(400)]
    assert np.mean(alarms) <= 0.073


@pytest.mark.slow
@pytest.mark.parametrize("spread", [(0.2, 0.2), (0.5, 0.5), (0.05, 0.5)])
def test_two_way_intervals_cover_at_least_what_they_promise(spread: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)

    def table() -> list[list[float]]:
        by_seed, by_problem = rng.normal(0, spread[0], (5, 1)), rng.normal(0, spread[1], (1, 60))
        return (by_seed + by_problem + rng.normal(0, 1, (5, 60))).tolist()

    covered = [not two_way(table()).excludes(0.0) for _ in range(2000)]
    assert 0.93 <= np.mean(covered) <= 0.99


@pytest.mark.slow
def test_holm_keeps_false_claims_of_a_card_below_the_level() -> None:
    rng = np.random.default_rng(4)
    any_claimed = []
    for _ in range(2000):
        pvalues = [paired(exams(rng, 0.0)).p for _ in range(4)]
        any_claimed.append(min(holm([1.0 if p is None else p for p in pvalues])) < 0.05)
    assert np.mean(any_claimed) <= 0.065


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_the_seeds_that_decide_are_those_of_the_published_tables(effect: float, seeds: int) -> None:
    """One-sample t-test, two-sided 5 %, power 0.8, as G*Power has them."""
    assert seeds_to_exclude(effect, 1.0) == seeds_to_exclude(effect * 3, 3.0) == seeds


def test_surer_claims_take_more_seeds() -> None:
    usual = seeds_to_exclude(0.5, 1.0)
    assert seeds_to_exclude(0.5, 1.0, level=0.99) > usual < seeds_to_exclude(0.5, 1.0, power=0.95)
    assert seeds_to_exclude(100.0, 1.0) == 2


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (float("nan"), 1.0)])
def test_no_number_of_seeds_without_a_distance_and_a_spread(wrong: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput, match="distance and a spread"):
        seeds_to_exclude(*wrong)


def test_the_sign_test_counts_coins_on_one_side() -> None:
    assert [sign(0.1, n) for n in (1, 5, 6)] == [1.0, 2 / 32, 2 / 64]
    assert sign(-3.0, 5) == sign(0.1, 5) and sign(0.0, 50) == 1.0
    for n in (5, 9):
        assert sign(1.0, n) == pytest.approx(stats.binomtest(n, n).pvalue)


@pytest.mark.parametrize(("p", "n"), [(0.05, 6), (0.0625, 6), (0.0626, 5), (0.0125, 8)])
def test_as_many_signs_as_come_below_a_level(p: float, n: int) -> None:
    assert signs_to_exclude(p) == n
    assert sign(1.0, n) < p <= sign(1.0, n - 1)


def test_seeds_between_two_values_miss_each_half_as_often() -> None:
    assert seeds_to_enclose(0.5, 0.5, 1.0) == seeds_to_exclude(0.5, 1.0, power=0.9)
    assert seeds_to_enclose(0.5, 50.0, 1.0) == seeds_to_exclude(0.5, 1.0)
    with pytest.raises(InvalidInput, match="distance and a spread"):
        seeds_to_enclose(0.5, 0.0, 1.0)
