import pytest

from sharpen.control.monitors import monitors
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


def test_nothing_seen_is_nothing_said() -> None:
    assert monitors([]) == {}
