import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.control.promotion import Promotion, learnability, paid, typical
from sharpen.core.errors import InvalidInput

GAINS = st.lists(st.integers(-8, 8).map(lambda eighths: eighths / 8), min_size=1, max_size=9)


def test_the_median_student_of_four_is_the_lower_of_the_middle_two_and_never_the_lucky_one() -> None:
    assert typical([0.1, -0.05, 0.2, 0.0]) == 3
    assert typical([0.25, 0.5]) == 0 and typical([0.5, 0.25]) == 1
    assert typical([0.2, 0.1, 0.1]) == 1 and typical([0.3]) == 0


@given(GAINS)
def test_at_most_half_are_better_and_fewer_than_half_are_worse(gains: list[float]) -> None:
    median = gains[typical(gains)]
    assert sum(gain > median for gain in gains) <= len(gains) / 2
    assert sum(gain < median for gain in gains) < len(gains) / 2


def test_the_mean_of_the_last_three_rounds_must_pass_the_threshold() -> None:
    rule = Promotion(threshold=0.01, window=3)
    seen: tuple[float, ...] = ()
    due = []
    for mean in (0.0, 0.01, 0.02, 0.01, -0.2):
        seen = rule.seen(seen, mean)
        due.append(rule.due(seen))
    assert seen == (0.02, 0.01, -0.2)
    assert due == [False, False, False, True, False]  # 0, 0.005, 0.01 (not above), 0.0133, -0.0567


def test_a_window_of_one_looks_at_the_last_round_alone() -> None:
    assert Promotion(window=1).seen((0.5,), 0.1) == (0.1,)
    with pytest.raises(InvalidInput, match="window"):
        Promotion(window=0)


def test_a_problem_is_worth_most_that_is_solved_seldom_and_nothing_that_never_is() -> None:
    assert [learnability(share) for share in (0.0, 1 / 32, 0.5, 1.0)] == [0.0, 31 / 32, 0.5, 0.0]


def test_what_is_watched_is_counted_by_hand() -> None:
    found = paid([0.375, -0.125], [0.25, 0.5, 0.0, -0.25])
    assert found == {
        "teach/reward": 0.125,
        "teach/reward_best": 0.375,
        "teach/reward_std": 0.25,
        "student/gain": 0.125,
    }
