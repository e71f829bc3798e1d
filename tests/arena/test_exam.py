"""The examination: what it measures, and that nobody is billed for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from sharpen.arena.exam import Exam, Room, difference, over_problems, some
from sharpen.core.errors import InvalidInput
from sharpen.core.method import Seat
from sharpen.core.records import Attempt, Piece, Problem, Turn, Weights
from sharpen.models.linear import linear_model
from sharpen.sample.direct import Direct
from sharpen.sample.retry import Twice
from tests.toy_methods.poll import Majority
from tests.toys import Toy

ROOM = Room(Toy(), {"model": linear_model()}, None, 0)
BASE = ROOM.cast["model"].base


@dataclass(frozen=True, slots=True)
class Recite:
    """Says the same to every problem, or answers the first few by heart."""

    by: Weights
    right: int

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        oracle = Toy()
        texts = [oracle.reveal(p).answer if i < self.right else "none" for i, p in enumerate(problems)]
        return [Attempt(p, (Turn(p.chat, (Piece(text),)),), self.by) for p, text in zip(problems, texts, strict=True)]


def test_the_score_is_the_share_of_right_answers_with_wilsons_interval() -> None:
    exam = ROOM.examine(Recite(BASE, 10), "test", 40)
    assert (exam.score, exam.n) == (0.25, 40)
    assert exam.low == pytest.approx(0.1419, abs=1e-3)
    assert exam.high == pytest.approx(0.4019, abs=1e-3)
    assert sum(exam.scores.values()) == 10


def test_inference_is_counted_per_problem() -> None:
    once, five = ROOM.examine(Direct(BASE), "test"), ROOM.examine(Majority(BASE, 5), "test")
    assert once.inference["flops"] > 0
    assert 3 < five.inference["sampled"] / once.inference["sampled"] < 8
    assert once.inference["verdicts"] == once.inference["labelled"] == 0
    assert once.measures["length"] == pytest.approx(once.inference["sampled"])


def test_answers_without_room_are_wrong_and_counted_where_there_are_any() -> None:
    narrow = linear_model()
    lengths = [len(narrow.encoder.encode(problem.chat)) for problem in Toy().problems("test")]
    narrow.body.context = max(lengths)  # type: ignore[misc]  # a smaller one for the test
    exam = Room(Toy(), {"model": narrow}, None, 0).examine(Direct(narrow.base), "test")
    assert exam.measures["too_long"] == pytest.approx(lengths.count(max(lengths)) / len(lengths))
    assert "too_long" not in ROOM.examine(Direct(BASE), "test", 8).measures


def test_the_last_of_two_tries_is_the_answer_and_both_are_paid_for() -> None:
    once, twice = ROOM.examine(Direct(BASE), "test"), ROOM.examine(Twice(BASE), "test")
    first, last = twice.measures["tries/first"], twice.measures["tries/last"]
    assert (first, last) == (once.score, twice.score)
    assert twice.measures["tries/delta"] == pytest.approx(last - first)
    assert twice.inference["sampled"] == pytest.approx(2 * once.inference["sampled"], rel=0.2)
    assert twice.inference["env_steps"] == 2 and twice.inference["verdicts"] == 0
    assert not [name for name in once.measures if name.startswith("tries/")]


def test_the_same_solver_scores_the_same_again() -> None:
    first, second = (ROOM.examine(Majority(BASE, 3), "dev") for _ in range(2))
    assert first.scores == second.scores


def test_exams_of_two_seeds_draw_differently() -> None:
    other = Room(ROOM.task, ROOM.cast, None, 1)
    assert other.examine(Majority(BASE, 1), "test").scores != ROOM.examine(Majority(BASE, 1), "test").scores


def test_a_part_of_a_split_is_the_same_part_every_time() -> None:
    problems = ROOM.task.problems("test")
    few = some(problems, 10)
    assert few == some(problems, 10)
    assert [problems.index(p) for p in few] == sorted(problems.index(p) for p in few)
    assert some(problems, None) == some(problems, 10**6) == problems


def test_a_difference_is_paired_by_problem() -> None:
    before, after = ROOM.examine(Recite(BASE, 2), "test", 20), ROOM.examine(Recite(BASE, 7), "test", 20)
    gained = difference(before, after)
    assert gained.mean == pytest.approx(0.25)
    assert "these weights only" in gained.label
    with pytest.raises(InvalidInput, match="same problems"):
        difference(before, ROOM.examine(Direct(BASE), "dev"))


def test_scores_between_zero_and_one_get_students_interval() -> None:
    interval = over_problems([0.25, 0.5, 0.75])
    assert (interval.mean, interval.over) == (0.5, "problems")
    assert interval.low is not None and interval.low < 0.25


def test_a_solver_that_skips_a_problem_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one attempt per problem"):
        ROOM.examine(_Lazy(), "test")


class _Lazy:
    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        return []


def test_a_summary_leaves_the_single_scores_out() -> None:
    exam = Exam(0.5, 0.1, 0.9, 2, {"length": 1.0}, {"flops": 2.0}, {"a": 1.0, "b": 0.0})
    assert set(exam.summary()) == {"score", "low", "high", "n", "measures", "inference"}
