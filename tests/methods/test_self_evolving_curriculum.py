"""What the curriculum pays, draws and keeps; the policy gradient under it is that of grpo."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sharpen.control.bandit import Bandit
from sharpen.core.errors import InvalidInput
from sharpen.core.method import Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.records import Attempt, Judged, Problem, Sampling, Verdict
from sharpen.core.streams import stream
from sharpen.core.training import Training
from sharpen.methods.self_evolving_curriculum import Config, State, run
from tests.methods.watching import Impossible, Place, WatchedToy, place, rounds

HOW = Sampling(n=4, temperature=1.0, max_tokens=8)
TRAINING = Training(epochs=1, batch=1024, inherit="moments", rate=0.003)
SMALL = Config(problems=16, how=HOW, training=TRAINING)
ARMS = (("animal", 1.0), ("animal", 2.0), ("colour", 1.0), ("colour", 2.0))
RIGHT = dict(zip(ARMS, (1.0, 0.9, 0.5, 0.0), strict=True))
EVENLY = Config.uniform()


class Rated(WatchedToy):
    """Attempts are right as often as their category says, whatever they say."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = stream("rated")

    def _verdict(self, attempt: Attempt) -> Verdict:
        right = self.rng.random() < RIGHT[arm(attempt.problem)]
        return Verdict(float(right), right)


class Lucky(WatchedToy):
    """The first of every eight attempts is right."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def _verdict(self, attempt: Attempt) -> Verdict:
        self.asked += 1
        return Verdict(float(self.asked % 8 == 1), self.asked % 8 == 1)


def arm(problem: Problem) -> tuple[str, float]:
    return problem.family, problem.level


def small(config: Config, problems: int = 16) -> Config:
    return replace(config, problems=problems, how=HOW, training=TRAINING)


def state(last: Round) -> State:
    assert isinstance(last.state, State)
    return last.state


def tried(marks: Sequence[Judged]) -> list[Problem]:
    """The problems of a round, in the order drawn."""
    return [mark.attempt.problem for mark in marks[:: HOW.n]]


def sizes(marks: Sequence[Judged], scaled: bool = True) -> list[float]:
    """The mean |A| of each group, by hand."""
    scores = np.array([mark.verdict.score for mark in marks]).reshape(-1, HOW.n)
    spread = scores.std(1, ddof=1) + 1e-4 if scaled else 1.0
    return list((abs(scores - scores.mean(1, keepdims=True)).mean(1) / spread).tolist())


def advantages(there: Place, learning: int = 0) -> list[float]:
    return [float(np.asarray(lesson.parts[1].weight).max()) for lesson in there.learnings[learning].lessons]


def test_the_arm_with_outcomes_nearest_one_half_has_the_highest_value_and_the_others_follow_in_order() -> None:
    last = rounds(run(place(toy=Rated).lab, small(EVENLY, 64)), 6)[-1]
    never, sure, often, half = (state(last).values[ARMS.index(a)] for a in (ARMS[3], ARMS[0], ARMS[1], ARMS[2]))
    assert half > often > sure == never == 0


def test_the_arm_with_outcomes_nearest_one_half_is_drawn_most() -> None:
    there = place(toy=Rated)
    rounds(run(there.lab, replace(SMALL, problems=32)), 8)
    late = Counter(arm(problem) for marks in there.task.judged[3:] for problem in tried(marks))
    assert late.most_common(1)[0][0] == ARMS[2]
    assert late[ARMS[2]] > 2 * late[ARMS[3]]


@pytest.mark.parametrize("worth", ["scaled", "plain"])
def test_an_arm_is_paid_the_mean_size_of_its_advantages(worth: str) -> None:
    there = place(toy=Rated)
    config = replace(SMALL, worth=worth, bandit=Bandit(rate=0.25))  # type: ignore[arg-type]  # one of the two
    (first,) = rounds(run(there.lab, config), 1)
    marks = there.task.judged[0]
    paid = [
        [size for size, problem in zip(sizes(marks, worth == "scaled"), tried(marks), strict=True) if arm(problem) == a]
        for a in ARMS
    ]
    assert state(first).values == pytest.approx([0.25 * np.mean(some) if some else 0.0 for some in paid])


def test_one_lucky_attempt_of_eight_pays_what_the_released_code_would() -> None:
    config = replace(SMALL, problems=1, how=replace(HOW, n=8), bandit=Bandit(rate=1.0))
    (first,) = rounds(run(place(toy=Lucky).lab, config), 1)
    assert max(state(first).values) == pytest.approx(0.619, abs=1e-3)


def test_the_values_in_a_round_are_those_it_drew_by() -> None:
    first, second = rounds(run(place(toy=Rated).lab, SMALL), 2)
    assert [first.metrics[f"curriculum/value/{family}:{level:g}"] for family, level in ARMS] == [0.0] * 4
    assert [first.metrics[f"curriculum/chance/{family}:{level:g}"] for family, level in ARMS] == [0.25] * 4
    seen = [second.metrics[f"curriculum/value/{family}:{level:g}"] for family, level in ARMS]
    assert tuple(seen) == state(first).values
    chances = [second.metrics[f"curriculum/chance/{family}:{level:g}"] for family, level in ARMS]
    assert chances == pytest.approx(SMALL.bandit.chances(seen))


def test_where_nothing_is_right_nothing_is_paid_and_nothing_changes() -> None:
    there = place(toy=Impossible)
    (first,) = rounds(run(there.lab, SMALL), 1)
    assert state(first).values == (0.0,) * 4
    assert there.same(state(first).weights, there.lab.model.base)


def test_all_attempts_are_learned_from_under_the_clip_and_without_an_anchor() -> None:
    there = place(toy=Rated)
    rounds(run(there.lab, SMALL), 1)
    (term,) = there.learnings[0].terms
    assert term.objective == PolicyGradient((0.2, 0.2), "token", "tokens", 8) and term.anchor is None
    assert len(term.lessons) == SMALL.problems * HOW.n
    assert np.abs(np.reshape(advantages(there), (-1, HOW.n))).mean(1) == pytest.approx(sizes(there.task.judged[0]))


def test_groups_at_the_same_problem_in_one_round_are_kept_apart() -> None:
    there = place(toy=Rated)
    rounds(run(there.lab, small(SMALL, 160)), 1)
    assert max(Counter(problem.id for problem in tried(there.task.judged[0])).values()) > 1
    assert np.reshape(advantages(there), (-1, HOW.n)).sum(1) == pytest.approx(np.zeros(160), abs=1e-5)


@pytest.mark.parametrize("config", [SMALL, small(EVENLY)], ids=["bandit", "uniform"])
def test_no_problem_of_an_arm_comes_again_before_all_have_come(config: Config) -> None:
    there = place(toy=Rated)
    last = rounds(run(there.lab, config), 12)[-1]
    counts = Counter(problem for marks in there.task.judged for problem in tried(marks))
    for place_of, a in enumerate(ARMS):
        mine = [counts[problem] for problem in there.lab.train if arm(problem) == a]
        assert max(mine) - min(mine) <= 1
        assert sum(mine) == state(last).drawn[place_of]


def test_uniform_draws_every_problem_as_often_whatever_the_values_say() -> None:
    there = place(toy=Rated)
    last = rounds(run(there.lab, small(EVENLY, 128)), 8)[-1]
    held = Counter(arm(problem) for problem in there.lab.train)
    shares = [count / sum(state(last).drawn) for count in state(last).drawn]
    assert shares == pytest.approx([held[a] / held.total() for a in ARMS], abs=0.04)
    assert max(state(last).values) > 0.3


def test_easy_to_hard_gives_each_level_an_equal_share_of_the_rounds_in_order() -> None:
    there = place()
    rounds(run(there.lab, replace(small(Config.easy_to_hard()), rounds=6)), 10)
    levels = [{problem.level for problem in tried(marks)} for marks in there.task.judged]
    assert levels == [{1.0}] * 3 + [{2.0}] * 3


def test_easy_to_hard_moves_on_with_the_budget_where_that_ends_first() -> None:
    there = place()
    left = iter([1.0, 0.51, 0.49, 0.0])
    rounds(run(replace(there.lab, left=lambda: next(left)), small(Config.easy_to_hard())), 4)
    levels = [{problem.level for problem in tried(marks)} for marks in there.task.judged]
    assert levels == [{1.0}, {1.0}, {2.0}, {2.0}]


def test_resumes_where_it_stopped() -> None:
    whole = rounds(run(place().lab, SMALL), 3)
    there = place()
    kept = rounds(run(there.lab, SMALL), 1)[0]
    again = rounds(run(there.lab, SMALL, state(kept)), 2)
    assert [state(r) for r in again] == [state(r) for r in whole[1:]]
    assert all(sum(late.drawn) - sum(early.drawn) == 16 for early, late in pairwise(map(state, whole)))


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (replace(HOW, n=1), "n must be >= 2"),
        (replace(HOW, temperature=0.0), "temperature > 0"),
        (replace(HOW, top_p=0.9), "top_p must be 1"),
    ],
)
def test_settings_without_a_gradient_are_refused(how: Sampling, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        Config(how=how)


def test_a_task_without_train_problems_is_refused() -> None:
    lab = replace(place().lab, train=())
    with pytest.raises(InvalidInput, match="needs train problems"):
        next(run(lab, SMALL))
