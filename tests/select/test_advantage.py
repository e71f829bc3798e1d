import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.select.advantage import by_turn, group_mean, leave_one_out, penalised, progress, scaled

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


@pytest.mark.parametrize(
    ("first", "second", "paid"), [(0, 0, (0, 0)), (0, 1, (0, 11)), (1, 1, (1, 1)), (1, 0, (1, -10))]
)
def test_the_sheets_four_ways_two_tries_can_go(first: float, second: float, paid: tuple[float, float]) -> None:
    assert progress(first, second, bonus=10) == paid


def test_without_a_bonus_each_try_is_paid_its_own_reward() -> None:
    assert progress(0.25, 0.75, bonus=0) == (0.25, 0.75)


def test_turns_are_compared_with_the_same_turn_of_the_others() -> None:
    paid = [progress(first, second, 10) for first, second in [(0, 1), (1, 1), (1, 0)]]
    assert paid == [(0, 11), (1, 1), (1, -10)]
    assert by_turn(paid) == [(-1, pytest.approx(15.5)), (0.5, pytest.approx(0.5)), (0.5, pytest.approx(-16))]


def test_no_turn_is_paid_for_what_comes_after_it() -> None:
    fixed, spoiled = ([progress(0, second, 10), progress(1, 1, 10)] for second in (1, 0))
    assert [turns[0] for turns in by_turn(fixed)] == [-1, 1] == [turns[0] for turns in by_turn(spoiled)]


def test_a_bonus_within_one_first_try_would_cancel_and_over_several_it_does_not() -> None:
    same, mixed = ([progress(first, second, 10)[1] for first, second in rows]
                   for rows in ([(0, 1), (0, 0)], [(0, 1), (1, 0)]))  # fmt: skip
    assert leave_one_out(same) == [11, -11]
    assert leave_one_out(mixed) == [21, -21]


def test_scaled_advantages_have_a_spread_of_one_and_keep_their_signs_and_proportions() -> None:
    assert scaled([2.0, -2.0, 0.0, 0.0]) == pytest.approx([2**0.5, -(2**0.5), 0, 0], abs=1e-3)
    assert scaled([0.0, 0.0]) == [0.0, 0.0]


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1])), min_size=2, max_size=8))
def test_every_turns_advantages_sum_to_zero(rows: list[tuple[int, int]]) -> None:
    credits = by_turn([progress(first, second, 10) for first, second in rows])
    assert [sum(turn) for turn in zip(*credits, strict=True)] == pytest.approx([0, 0], abs=1e-9)
