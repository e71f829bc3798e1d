"""What each try is paid and held by in each stage, and what the loss is made of."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import tries
from sharpen.core.lessons import Lesson
from sharpen.core.method import Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.records import Attempt, Sampling, Stop, Verdict
from sharpen.core.speech import AGAIN, SURE
from sharpen.core.streams import stream
from sharpen.core.training import Training
from sharpen.methods.score import Config, State, run
from sharpen.models.linear import linear_model
from sharpen.sample.retry import Twice
from tests.methods.watching import Impossible, Place, WatchedToy, place, rounds
from tests.toys import Toy

HOW = Sampling(n=4, temperature=1.0, max_tokens=8)
TRAINING = Training(epochs=1, batch=1024, inherit="moments", rate=0.001)
FIRST = Config(rounds=4, problems=8, how=HOW, training=TRAINING, initialise=1.0)
SECOND = replace(FIRST, initialise=0.0)
OUTCOMES = [(0, 0), (0, 1), (1, 1), (1, 0)]


class Cycling(WatchedToy):
    """The K attempts at a problem go, in order, as OUTCOMES say, whatever they say."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def _verdict(self, attempt: Attempt) -> Verdict:
        attempts, trial = divmod(self.asked, 2)
        assert attempt.turns[0].trial == trial
        self.asked += 1
        right = bool(OUTCOMES[attempts % 4][trial])
        return Verdict(float(right), right)


class Tossed(WatchedToy):
    """Every try is right by the toss of a coin."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = stream("tossed")

    def _verdict(self, attempt: Attempt) -> Verdict:
        right = self.rng.random() < 0.5
        return Verdict(float(right), right)


def lessons(there: Place, trial: int, learning: int = -1) -> list[Lesson]:
    return list(there.learnings[learning].terms[trial].lessons)


def advantages(there: Place, trial: int, learning: int = -1) -> list[float]:
    return [float(np.asarray(lesson.parts[1].weight).max()) for lesson in lessons(there, trial, learning)]


def leashes(there: Place, trial: int, learning: int = -1) -> set[float]:
    return {float(np.asarray(lesson.parts[1].leash).max()) for lesson in lessons(there, trial, learning)}


def state(last: Round) -> State:
    assert isinstance(last.state, State)
    return last.state


def test_stage_one_pays_the_second_try_alone_and_holds_the_first_strongly() -> None:
    there = place(toy=Cycling)
    rounds(run(there.lab, replace(FIRST, scale=False)), 1)
    assert advantages(there, 0) == [0.0] * 32
    # r2 = 0, 1, 1, 0: each less the mean of the other three.
    assert advantages(there, 1) == pytest.approx([-2 / 3, 2 / 3, 2 / 3, -2 / 3] * 8)
    assert (leashes(there, 0), leashes(there, 1)) == ({FIRST.beta2}, {FIRST.beta1}) == ({0.1}, {0.01})


def test_stage_two_pays_each_try_its_own_and_the_second_a_bonus_for_progress() -> None:
    there = place(toy=Cycling)
    rounds(run(there.lab, replace(SECOND, scale=False)), 1)
    # r1 = 0, 0, 1, 1; r2 + 10 (r2 - r1) = 0, 11, 1, -10: each less the mean of the other three.
    assert advantages(there, 0) == pytest.approx([-2 / 3, -2 / 3, 2 / 3, 2 / 3] * 8)
    assert advantages(there, 1) == pytest.approx([-2 / 3, 14, 2 / 3, -14] * 8)
    assert leashes(there, 0) == leashes(there, 1) == {0.01}


def test_a_wrong_first_try_is_never_paid_for_being_put_right() -> None:
    there = place(toy=Tossed)
    rounds(run(there.lab, replace(SECOND, scale=False)), 1)
    marks = there.task.judged[0]
    firsts = np.array([mark.verdict.score for mark in marks[::2]]).reshape(8, 4)
    others = (firsts.sum(1, keepdims=True) - firsts) / 3
    assert advantages(there, 0) == pytest.approx((firsts - others).ravel().tolist())


def test_advantages_are_divided_by_their_spread_over_the_batch_each_try_by_its_own() -> None:
    there = place(toy=Cycling)
    rounds(run(there.lab, SECOND), 1)
    assert advantages(there, 0) == pytest.approx([-1, -1, 1, 1] * 8, abs=1e-3)
    spread = np.std([-2 / 3, 14, 2 / 3, -14])
    assert advantages(there, 1) == pytest.approx(list(np.array([-2 / 3, 14, 2 / 3, -14] * 8) / spread), abs=1e-3)


@pytest.mark.parametrize("config", [FIRST, SECOND], ids=["stage one", "stage two"])
def test_the_loss_is_the_sheets_sum_over_the_longest_try_and_the_attempts(config: Config) -> None:
    """- A log pi of each try (ratio 1: its gradient) + beta k2, summed over tokens, by hand."""
    there = place(toy=Tossed)
    rounds(run(there.lab, config), 2)
    learning = there.learnings[1]
    base = there.lab.at(there.lab.model.base)
    total = 0.0
    tried = [mark.attempt for mark in there.task.judged[1]]
    for trial in (0, 1):
        turns = [attempt.turns[0] for attempt in tried[trial::2]]
        beta = config.beta2 if config is FIRST and trial == 0 else config.beta1
        anchored = base.logprobs([turn.seen for turn in turns], [turn.tokens for turn in turns])
        for turn, advantage, far in zip(turns, advantages(there, trial, 1), anchored, strict=True):
            total += float((beta * (turn.logprobs - far) ** 2 / 2 - advantage).sum())
    assert learning.learned.metrics["kl"] > 0.01
    assert learning.learned.metrics["loss"] == pytest.approx(total / (8 * 32), rel=1e-3)


def test_only_the_tries_own_words_are_learned_and_the_base_is_the_anchor_in_both_stages() -> None:
    there = place()
    rounds(run(there.lab, replace(FIRST, initialise=0.5)), 4)
    for learning in there.learnings:
        for term in learning.terms:
            assert term.objective == PolicyGradient(None, "token", "constant", 8, "k2", 1.0)
            assert term.anchor == there.lab.model.base and len(term.lessons) == 32
            assert all(isinstance(lesson.parts[0].content, tuple) for lesson in term.lessons)
            assert all(lesson.parts[0].weight == 0 == lesson.parts[0].leash for lesson in term.lessons)
        assert learning.learned.metrics["steps"] == 1 and learning.learned.metrics["ratio"] == pytest.approx(1)
    assert [learning.start for learning in there.learnings][1:] == [
        learning.learned.weights for learning in there.learnings[:-1]
    ]


def test_the_second_trys_lesson_shows_the_first_and_the_request() -> None:
    there = place()
    rounds(run(there.lab, replace(FIRST, request=AGAIN)), 1)
    for first, second in zip(lessons(there, 0), lessons(there, 1), strict=True):
        before, after = first.parts[0].content, second.parts[0].content
        assert isinstance(before, tuple) and isinstance(after, tuple)
        assert after[: len(before)] == before
        assert after[-2].tokens == first.parts[1].content and after[-1].text == AGAIN


def test_stage_one_is_a_share_of_the_rounds() -> None:
    done = rounds(run(place().lab, replace(FIRST, initialise=0.5)), 9)
    assert [one.metrics["score/stage"] for one in done] == [1, 1, 2, 2]


def test_stage_one_is_a_share_of_the_budget_where_that_ends_first() -> None:
    left = iter([1.0, 0.6, 0.4, 0.1])
    done = rounds(run(replace(place().lab, left=lambda: next(left)), replace(FIRST, initialise=0.5, rounds=400)), 4)
    assert [one.metrics["score/stage"] for one in done] == [1, 1, 2, 2]


def test_a_strong_leash_keeps_the_first_try_where_it_was_while_the_second_moves() -> None:
    """Mean |log pi - log base| of each try's words, in nats per token, after stage I without and with beta2."""
    free, held = ([_drift(beta2, trial) for trial in (0, 1)] for beta2 in (0.0, 1.0))
    assert held[0] < 0.5 * free[0]
    assert held[1] > 0.6 * free[1] and held[1] > 3 * held[0]


@cache
def _after(beta2: float) -> tuple[Place, State]:
    there, training = place(), replace(TRAINING, rate=1e-4)
    config = replace(FIRST, rounds=6, problems=32, beta1=0.0, beta2=beta2, training=training)
    return there, state(rounds(run(there.lab, config), 6)[-1])


def _drift(beta2: float, trial: int) -> float:
    there, last = _after(beta2)
    turns = [mark.attempt.turns[0] for mark in there.task.judged[0][trial::2]]
    now, then = (
        there.lab.at(weights).logprobs([turn.seen for turn in turns], [turn.tokens for turn in turns])
        for weights in (last.weights, there.lab.model.base)
    )
    return float(np.mean([abs(one - other).mean() for one, other in zip(now, then, strict=True)]))


def test_equal_rewards_change_nothing() -> None:
    for config in (FIRST, SECOND):
        there = place(toy=Impossible)
        last = rounds(run(there.lab, config), 1)[-1]
        assert there.same(state(last).weights, there.lab.model.base)


def test_a_second_try_without_room_leaves_the_first_as_the_answer_and_ends_no_run() -> None:
    model = linear_model()
    longest = max(len(model.encoder.encode(problem.chat)) for problem in Toy().problems("train"))
    model.body.context = longest + 4  # type: ignore[misc]  # a smaller one for the test
    there = place(model)
    (done,) = rounds(run(there.lab, FIRST), 1)
    assert 0.5 < done.metrics["train/too_long"] <= 1.0
    alone = [mark.attempt for mark in there.task.judged[0] if mark.attempt.stop is Stop.FULL]
    assert all(len(attempt.turns) == 1 and attempt.turns[0].trial == 0 and attempt.text for attempt in alone)
    assert len(lessons(there, 0)) == 32 and len(lessons(there, 1)) == 32 - len(alone)
    answers = done.solver.answer(there.lab.seat, there.lab.dev)
    assert any(answer.stop is Stop.FULL and answer.text for answer in answers)


def test_both_tries_are_judged_apart_in_one_call_and_the_transitions_told() -> None:
    there = place(toy=Cycling)
    (done,) = rounds(run(there.lab, FIRST), 1)
    assert len(there.task.judged) == 1 and len(there.task.judged[0]) == 64
    assert all(len(tries(mark.attempt)) == 1 for mark in there.task.judged[0])
    told = {name: done.metrics[f"train/{name}"] for name in ("first", "last", "delta", "fixed", "broken")}
    assert told == {"first": 0.5, "last": 0.5, "delta": 0, "fixed": 0.25, "broken": 0.25}
    assert done.metrics["train/reward"] == 0.5


def test_what_is_delivered_tries_twice_in_the_words_it_was_taught_in() -> None:
    (done,) = rounds(run(place().lab, replace(FIRST, request=AGAIN)), 1)
    assert done.solver == Twice(state(done).weights, AGAIN)
    assert Config().request == SURE


@pytest.mark.parametrize(
    ("name", "initialise", "alpha"),
    [("naive", 0.0, 0.0), ("without_first_stage", 0.0, 10.0), ("without_shaping", 0.375, 0.0)],
)
def test_an_ablation_differs_in_nothing_else(name: str, initialise: float, alpha: float) -> None:
    assert getattr(Config, name)() == replace(Config(), initialise=initialise, alpha=alpha)


def test_the_untrained_base_tries_twice_in_the_same_words_and_nothing_is_spent() -> None:
    there = place()
    config = replace(FIRST, rounds=Config.untrained().rounds, request=AGAIN)
    (only,) = list(run(there.lab, config))
    assert only.solver == Twice(there.lab.model.base, AGAIN) and only.metrics == {}
    assert there.learnings == [] == there.task.judged
    assert list(run(there.lab, config, state(only))) == []
    answers = only.solver.answer(there.lab.seat, there.lab.dev[:4])
    assert [len(tries(answer)) for answer in answers] == [2] * 4


def test_resumes_where_it_stopped_across_the_stages() -> None:
    config = replace(FIRST, initialise=0.5)
    whole = rounds(run(place().lab, config), 4)
    there = place()
    kept = rounds(run(there.lab, config), 2)[-1]
    again = rounds(run(there.lab, config, state(kept)), 2)
    assert [state(one) for one in again] == [state(one) for one in whole[2:]]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"how": replace(HOW, n=1)}, "n must be >= 2"),
        ({"how": replace(HOW, temperature=0.0)}, "temperature > 0"),
        ({"how": replace(HOW, top_p=0.9)}, "top_p must be 1"),
        ({"initialise": 1.5}, "initialise must be in"),
        ({"alpha": -1.0}, "alpha, beta1 and beta2 must be >= 0"),
        ({"rounds": -1}, "rounds must be >= 0"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        Config(**wrong)  # type: ignore[arg-type]  # wrong on purpose
