"""The bandit's two formulas by hand, and what holds of them whatever the numbers."""

from math import exp
from statistics import fmean

import pytest

from sharpen.control.bandit import Bandit
from sharpen.core.errors import InvalidInput
from sharpen.core.streams import stream

VALUES = (0.2, 0.9, 0.0, 0.5)


def test_a_hand_worked_step() -> None:
    bandit = Bandit(rate=0.25, decay=False)
    assert bandit.updated((0.4, 0.8, 0.2), {0: 0.8, 2: 0.0}) == pytest.approx((0.5, 0.8, 0.15))


def test_an_arm_that_was_not_drawn_decays_where_it_is_asked_to() -> None:
    assert Bandit(rate=0.25, decay=True).updated((0.4, 0.8), {0: 0.8}) == pytest.approx((0.5, 0.6))


def test_hand_worked_chances() -> None:
    assert Bandit(temperature=0.5).chances((1.0, 0.5)) == pytest.approx([exp(2) / (exp(2) + exp(1)), 0.2689414])


def test_equal_values_are_drawn_evenly_at_any_temperature() -> None:
    assert Bandit(temperature=0.01).chances((0.0,) * 4) == pytest.approx([0.25] * 4)


@pytest.mark.parametrize("temperature", [1e-300, 0.05, 0.3, 1.0, 50.0])
def test_chances_sum_to_one_and_keep_the_order_of_the_values(temperature: float) -> None:
    chances = Bandit(temperature=temperature).chances(VALUES)
    assert sum(chances) == pytest.approx(1.0)
    ranked = [chance for _, chance in sorted(zip(VALUES, chances, strict=True))]
    assert ranked == sorted(ranked)


def test_chances_do_not_change_when_all_values_move_together() -> None:
    moved = [value + 1000 for value in VALUES]
    assert Bandit().chances(moved) == pytest.approx(Bandit().chances(VALUES))


@pytest.mark.parametrize("rate", [0.05, 0.5, 1.0])
def test_a_value_ends_at_the_reward_that_stays_and_never_passes_it(rate: float) -> None:
    values: tuple[float, ...] = (0.0,)
    for _ in range(300):
        before, values = values, Bandit(rate=rate).updated(values, {0: 0.7})
        assert before[0] <= values[0] <= 0.7 + 1e-12
    assert values[0] == pytest.approx(0.7, abs=1e-6)


def test_of_noisy_arms_the_better_is_drawn_more_and_a_change_is_noticed() -> None:
    bandit, rng = Bandit(decay=False), stream("bandit")
    values: tuple[float, ...] = (0.0, 0.0)
    late: list[int] = []
    for step in range(400):
        arm = rng.choices((0, 1), bandit.chances(values))[0]
        better = int(step >= 200)
        values = bandit.updated(values, {arm: rng.gauss(0.8 if arm == better else 0.1, 0.1)})
        late += [arm] if step >= 300 else []
    assert fmean(late) > 0.7


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": 1.1}, {"temperature": 0.0}, {"temperature": float("nan")}])
def test_a_bandit_that_cannot_learn_or_choose_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Bandit(**wrong)  # type: ignore[arg-type]  # none of these is the flag
