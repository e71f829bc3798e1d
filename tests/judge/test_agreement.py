from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sharpen.judge.agreement import kappa, kendall

SCORES = st.sampled_from([0.0, 0.5, 1.0])
VALUES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=9)


def test_kappa_of_a_table_worked_by_hand() -> None:
    verdicts = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    assert kappa(verdicts) == pytest.approx((0.7 - 0.5) / (1 - 0.5))


def test_kappa_with_draws_worked_by_hand() -> None:
    verdicts = [(1.0, 1.0), (1.0, 0.5), (0.5, 0.5), (0.0, 0.0)]
    chance = (2 * 1 + 1 * 2 + 1 * 1) / 16
    assert kappa(verdicts) == pytest.approx((0.75 - chance) / (1 - chance))


@given(st.lists(st.tuples(SCORES, SCORES), max_size=20))
def test_kappa_is_the_same_either_way_and_one_only_for_agreement(verdicts: list[tuple[float, float]]) -> None:
    value = kappa(verdicts)
    assert isnan(value) or value == pytest.approx(kappa([both[::-1] for both in verdicts]))
    assert isnan(value) or (value == 1) == all(one == other for one, other in verdicts)


def test_there_is_no_kappa_without_verdicts_or_without_variety() -> None:
    assert isnan(kappa([])) and isnan(kappa([(0.5, 0.5)] * 4))


@given(VALUES)
def test_kendalls_tau_is_scipys(values: list[tuple[int, int]]) -> None:
    one, other = zip(*values, strict=True)
    expected = stats.kendalltau(one, other).statistic
    assert kendall(one, other) == pytest.approx(expected, nan_ok=True)


def test_kendalls_tau_of_one_swap_in_four() -> None:
    assert kendall([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx((5 - 1) / 6)
