import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.select.advantage import group_mean, leave_one_out, penalised

REWARDS = st.lists(st.floats(-10, 10), min_size=2, max_size=16)


def test_the_sheets_case_of_one_right_in_four() -> None:
    assert group_mean([1, 0, 0, 0]) == pytest.approx([1.4997, -0.4999, -0.4999, -0.4999], abs=1e-4)
    assert group_mean([1, 0, 0, 0], scale=False) == pytest.approx([0.75, -0.25, -0.25, -0.25])
    assert leave_one_out([1, 0, 0, 0]) == pytest.approx([1, -1 / 3, -1 / 3, -1 / 3])


def test_a_group_of_one_or_of_equals_teaches_nothing() -> None:
    assert group_mean([1.0]) == [0.0] and leave_one_out([1.0]) == [0.0]
    assert group_mean([1.0, 1.0, 1.0]) == [0.0, 0.0, 0.0] == leave_one_out([1.0, 1.0, 1.0])


@given(REWARDS)
def test_advantages_of_a_group_sum_to_zero(rewards: list[float]) -> None:
    assert sum(group_mean(rewards)) == pytest.approx(0, abs=1e-3)
    assert sum(leave_one_out(rewards)) == pytest.approx(0, abs=1e-6)


@given(REWARDS, st.floats(-5, 5))
def test_a_constant_on_all_rewards_changes_nothing(rewards: list[float], more: float) -> None:
    moved = [reward + more for reward in rewards]
    assert leave_one_out(moved) == pytest.approx(leave_one_out(rewards), abs=1e-6)


def test_words_likelier_than_under_the_reference_are_taxed() -> None:
    assert penalised(1.0, own=-2.0, anchored=-5.0, beta=0.1) == pytest.approx(0.7)
    assert penalised(1.0, own=-5.0, anchored=-2.0, beta=0.1) == pytest.approx(1.3)
