from collections import Counter
from itertools import islice

import pytest

from sharpen.control.study import Drill, Study, batches
from sharpen.core.errors import InvalidInput
from sharpen.core.records import Problem, Sampling
from sharpen.core.streams import stream

EASY = [Problem(f"e{i}", ()) for i in range(3)]
HARD = [Problem(f"h{i}", ()) for i in range(4)]


def test_runs_grow_by_five_steps_a_promotion_from_ten_to_twenty() -> None:
    assert [Drill().length(promotions) for promotions in range(4)] == [10, 15, 20, 20]


def test_a_curriculum_leaves_the_questions_behind_and_a_mixture_keeps_both() -> None:
    study = Study(warm=2)
    assert [study.pool(step, EASY, HARD) for step in range(3)] == [EASY, EASY, HARD]
    assert study.pool(0, [], HARD) == HARD
    assert Study(order="mixed", warm=0).pool(9, EASY, HARD) == [*EASY, *HARD]


def test_teaching_leaves_a_share_only_where_something_is_studied() -> None:
    assert Study().kept == 0.0 and Study(steps=5, share=0.3).kept == 0.3


def test_every_problem_comes_once_before_any_comes_again() -> None:
    drawn = list(islice(batches(HARD, 3, stream("x")), 4))
    assert [len(batch) for batch in drawn] == [3, 3, 3, 3]
    flat = [problem.id for batch in drawn for problem in batch]
    assert all(set(flat[start : start + 4]) == {problem.id for problem in HARD} for start in (0, 4, 8))
    assert Counter(problem.id for problem in next(batches(HARD, 8, stream("x")))) == dict.fromkeys(
        (problem.id for problem in HARD), 2
    )


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (Sampling(n=1), "n must be >= 2"),
        (Sampling(n=2, temperature=0.0), "temperature > 0"),
        (Sampling(n=2, top_p=0.9), "top_p 1"),
    ],
)
def test_drills_without_a_gradient_are_refused(how: Sampling, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        Drill(how=how)


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InvalidInput, match="most >= steps"):
        Drill(steps=10, most=5)
    with pytest.raises(InvalidInput, match=r"share must be in \[0, 1\)"):
        Study(share=1.0)
    with pytest.raises(InvalidInput, match="amount >= 1"):
        Study(amount=0)
