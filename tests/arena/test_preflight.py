"""The preflight: a sound judge is told from an unsound one, and what can be learned from what cannot."""

from collections.abc import Sequence

import pytest

from sharpen.arena.preflight import gold_text, preflight
from sharpen.core.errors import InvalidInput
from sharpen.core.records import Attempt, Verdict
from sharpen.models.linear import linear_model
from tests.toys import Toy


def test_a_sound_task_and_a_model_that_is_sometimes_right_can_learn() -> None:
    found = preflight(Toy(), linear_model(), problems=40, tries=16)
    assert found.sound and found.gold_accepted == found.wrong_rejected == 1.0
    assert 0.04 < found.pass_one < 0.2 < found.pass_many
    assert 0 < found.variance < 0.25
    assert found.sentence.startswith("this pair can learn by sampling")


def test_gold_is_rendered_with_its_steps_and_its_mark() -> None:
    task = Toy()
    problem = next(p for p in task.problems("train") if "green" in p.chat[0].text)
    assert gold_text(task, problem) == "green is 5\nAnswer: 5"


def test_a_judge_that_accepts_anything_is_found_out() -> None:
    found = preflight(_Lenient(), linear_model(), problems=8, tries=2)
    assert not found.sound and found.wrong_rejected == 0.0
    assert "not sound" in found.sentence


def test_a_model_that_is_never_right_cannot_learn_by_sampling() -> None:
    found = preflight(Toy(), linear_model(answers=("9",)), problems=8, tries=2)
    assert found.sound and found.pass_many < 0.2
    silent = preflight(_Strict(), linear_model(), problems=8, tries=2)
    assert silent.pass_many == 0
    assert "cannot learn by sampling" in silent.sentence


def test_one_try_is_too_few() -> None:
    with pytest.raises(InvalidInput, match="2 tries"):
        preflight(Toy(), linear_model(), tries=1)


class _Lenient(Toy):
    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        return [Verdict(1.0, True) for _ in attempts]


class _Strict(Toy):
    """Accepts full references only."""

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        exact = [attempt.text == gold_text(Toy(), attempt.problem) for attempt in attempts]
        return [Verdict(float(right), right) for right in exact]
