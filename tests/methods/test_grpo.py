"""What the policy gradient leaves alone, and what its variants do otherwise."""

from dataclasses import replace

import numpy as np
import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.lessons import Lesson
from sharpen.core.objectives import PolicyGradient
from sharpen.core.records import Sampling
from sharpen.core.training import Training
from sharpen.methods.grpo import Config, State, run
from tests.methods.watching import Impossible, Place, place, rounds

HOW = Sampling(n=4, temperature=1.0, max_tokens=8)
SMALL = Config(problems=8, how=HOW, training=Training(epochs=1, batch=256, inherit="moments", rate=0.003))


def played(config: Config, n: int = 1) -> Place:
    there = place()
    rounds(run(there.lab, config), n)
    return there


def variant(name: str, problems: int = 8, n: int = 4) -> Config:
    config: Config = getattr(Config, name)()
    return replace(config, problems=problems, how=replace(HOW, n=n))


def advantages(lessons: list[Lesson]) -> list[float]:
    return [float(np.asarray(lesson.parts[1].weight).max()) for lesson in lessons]


@pytest.mark.parametrize("name", ["dr_grpo", "dapo", "ppo_clip"])
def test_a_group_of_one_teaches_nothing(name: str) -> None:
    there = played(replace(variant(name, n=1), beta=0.0), 2)
    assert there.same(there.learnings[-1].learned.weights, there.lab.model.base)


@pytest.mark.parametrize("name", ["", "rloo", "dr_grpo", "dapo"])
def test_equal_rewards_change_nothing(name: str) -> None:
    there = place(toy=Impossible)
    rounds(run(there.lab, variant(name) if name else SMALL), 1)
    assert len(there.learnings) == 1
    assert there.same(there.learnings[-1].learned.weights, there.lab.model.base)


def test_right_attempts_of_a_mixed_group_are_pushed_up_and_wrong_ones_down() -> None:
    there = played(SMALL)
    marks, lessons = there.task.judged[0], there.learnings[0].lessons
    rewards = np.array([mark.verdict.score for mark in marks]).reshape(8, 4)
    spread = rewards.std(1, ddof=1, keepdims=True)
    expected = (rewards - rewards.mean(1, keepdims=True)) / (spread + 1e-4)
    assert rewards.std() > 0
    assert advantages(lessons) == pytest.approx(expected.ravel().tolist(), abs=1e-6)
    assert all(lesson.parts[1].leash == SMALL.beta for lesson in lessons)
    assert there.learnings[0].terms[0].anchor == there.lab.model.base


def test_rloo_compares_with_the_others_and_pays_for_distance_in_the_reward() -> None:
    there = played(replace(variant("rloo"), beta=0.5, training=SMALL.training), 2)
    objective = there.learnings[1].terms[0].objective
    assert isinstance(objective, PolicyGradient) and objective.ratio == "sequence"
    marks, lessons = there.task.judged[1], there.learnings[1].lessons
    turns = [mark.attempt.turns[0] for mark in marks]
    base = there.lab.at(there.lab.model.base).logprobs([turn.seen for turn in turns], [turn.tokens for turn in turns])
    k1 = np.array([turn.logprobs.sum() - far.sum() for turn, far in zip(turns, base, strict=True)])
    assert abs(k1).max() > 0.01
    rewards = (np.array([mark.verdict.score for mark in marks]) - 0.5 * k1).reshape(8, 4)
    others = (rewards.sum(1, keepdims=True) - rewards) / 3
    assert advantages(lessons) == pytest.approx((rewards - others).ravel().tolist(), abs=1e-4)
    assert all(lesson.parts[1].leash == 0 for lesson in lessons)


def test_dapo_skips_groups_of_equals_and_only_those() -> None:
    there = played(variant("dapo"))
    mixed = [m for m in there.task.judged[0] if _mixed(there, m.attempt.problem.id)]
    assert len(there.learnings[0].lessons) == len(mixed) < 32
    assert there.learnings[0].terms[0].objective == PolicyGradient((0.2, 0.28), "token", "tokens", 8)


def test_groups_of_equals_are_skipped_whatever_their_distance_from_the_base() -> None:
    there = played(replace(variant("rloo"), mixed_only=True))
    mixed = [m for m in there.task.judged[0] if _mixed(there, m.attempt.problem.id)]
    assert len(there.learnings[0].lessons) == len(mixed) < 32


def _mixed(there: Place, problem: str) -> bool:
    return len({m.verdict.score for m in there.task.judged[0] if m.attempt.problem.id == problem}) > 1


def test_dr_grpo_divides_by_the_longest_attempt_there_can_be() -> None:
    there = played(replace(variant("dr_grpo"), how=replace(HOW, max_tokens=5)))
    assert there.learnings[0].terms[0].objective == PolicyGradient((0.2, 0.2), "token", "constant", 5)
    assert {round(a, 6) for a in advantages(there.learnings[0].lessons)} <= {-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75}


def test_reinforce_weighs_whole_sequences_against_the_mean_of_all_rounds_before() -> None:
    there = place()
    first, second = rounds(run(there.lab, replace(variant("reinforce"), beta=0.0)), 2)
    objective = there.learnings[0].terms[0].objective
    assert isinstance(objective, PolicyGradient) and objective.ratio == "sequence" and objective.clip is None
    means = [np.mean([mark.verdict.score for mark in marks]) for marks in there.task.judged]
    assert isinstance(first.state, State) and first.state.mean_reward == pytest.approx(means[0])
    assert isinstance(second.state, State) and second.state.mean_reward == pytest.approx(np.mean(means))
    paid = [mark.verdict.score - means[0] for mark in there.task.judged[1]]
    assert advantages(there.learnings[1].lessons) == pytest.approx(paid, abs=1e-6)


def test_ppo_clip_takes_four_epochs_of_four_steps() -> None:
    there = played(Config.ppo_clip())
    metrics = there.learnings[0].learned.metrics
    assert metrics["steps"] == 16 and metrics["ratio"] != 1.0


def test_words_that_were_cut_from_the_policy_cannot_be_reinforced() -> None:
    with pytest.raises(InvalidInput, match="top_p must be 1"):
        Config(how=Sampling(n=4, top_p=0.9))
