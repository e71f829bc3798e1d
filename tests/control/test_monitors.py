import pytest

from sharpen.control.monitors import auroc, monitors
from sharpen.core.records import Judged, Stop, Verdict
from tests.spoken import attempt, mark


def test_a_hand_worked_batch() -> None:
    cut = Judged(attempt("q", "x y z", stop=Stop.LENGTH), Verdict(0.0, False))
    seen = monitors([mark("p", "a", 1.0), mark("p", "b", 0.0), mark("q", "c", 0.0), cut])
    assert seen["train/reward"] == pytest.approx(0.25)
    assert seen["train/reward_std"] == pytest.approx(0.4330, abs=1e-4)
    assert seen["train/frac_reward_zero_std"] == pytest.approx(0.5)
    assert seen["train/completion_length"] == pytest.approx(1.5)
    assert seen["train/clipped_ratio"] == pytest.approx(0.25)


def test_attempts_that_found_no_room_are_counted_apart_from_those_cut_off() -> None:
    full = Judged(attempt("q", "", stop=Stop.FULL), Verdict(0.0, False))
    seen = monitors([mark("p", "a", 1.0), full])
    assert (seen["train/too_long"], seen["train/clipped_ratio"]) == (0.5, 0.0)


def test_nothing_seen_is_nothing_said() -> None:
    assert monitors([]) == {}


def test_auroc_is_the_chance_that_the_right_one_scores_above_the_wrong_one() -> None:
    scored = [(0.9, True), (0.4, True), (0.4, False), (0.1, False)]
    assert auroc(scored) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert auroc([(-score, not right) for score, right in scored]) == pytest.approx(auroc(scored))
    assert auroc([(0.3, True)]) == auroc([]) == 0.5
