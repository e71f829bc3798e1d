"""Pairs, the reference that moves along, and prompts of the model's own."""

from dataclasses import replace
from typing import Literal

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.method import Round
from sharpen.core.objectives import Prefer
from sharpen.core.training import Training
from sharpen.methods.self_rewarding import Config, State, run
from sharpen.sample.direct import Direct
from tests.methods.watching import place, rounds, said, seen
from tests.toys import NUMBERS

VERIFIED = replace(Config.verified(), problems=64, training=Training(epochs=1, batch=16, rate=3e-4))


def test_the_verified_variant_makes_pairs_and_improves_the_toy() -> None:
    there = place()
    before = there.score(Round(None, Direct(there.lab.model.base), {}))
    played = rounds(run(there.lab, VERIFIED), 4)
    assert all(one.metrics["train/pairs"] > 0 for one in played)
    assert there.score(played[-1]) > before + 0.4


def test_the_better_of_a_pair_is_right_and_the_worse_is_wrong() -> None:
    there = place()
    rounds(run(there.lab, VERIFIED), 1)
    lessons = there.learnings[0].lessons
    answer = {problem.chat[-1].text: NUMBERS[word] for problem in there.lab.train for word in NUMBERS
              if word in problem.chat[-1].text.split()}  # fmt: skip
    for better, worse in zip(lessons[::2], lessons[1::2], strict=True):
        assert better.group == worse.group and seen(better) == seen(worse)
        assert said(better).strip() == answer[seen(better)] != said(worse).strip()


def test_the_reference_is_the_policy_of_the_round_before() -> None:
    there = place()
    rounds(run(there.lab, VERIFIED), 3)
    for learning in there.learnings:
        assert learning.terms[0].anchor == learning.start
        assert learning.terms[0].objective == Prefer(0.1, 1.0)
    assert len({learning.start for learning in there.learnings}) == 3


@pytest.mark.parametrize("prompts", ["given", "invented"])
def test_a_model_that_cannot_grade_stays_as_it_was_and_asks_no_oracle(prompts: Literal["given", "invented"]) -> None:
    there = place()
    config = replace(Config(), problems=8, prompts=prompts)
    played = rounds(run(there.lab, config), 2)
    assert [one.metrics["train/graded"] for one in played] == [0.0, 0.0]
    assert isinstance(played[-1].state, State) and played[-1].state.weights == there.lab.model.base
    assert there.task.judged == []


def test_an_oracle_does_not_judge_invented_prompts() -> None:
    with pytest.raises(InvalidInput, match="invented"):
        Config(judge="oracle", prompts="invented")
