import numpy as np
import pytest

from sharpen.select.keep import unsolved
from sharpen.select.reinforce import against_others, groups
from tests.spoken import mark


def test_each_attempt_is_weighed_against_the_others_of_its_group() -> None:
    scores = [120, 0, 0, 20, 10, 10, 10, 10]
    lessons = against_others([mark("p", "a b", score) for score in scores], 4, leash=0.5)
    weights = [float(np.asarray(lesson.parts[1].weight)) for lesson in lessons]
    assert weights == pytest.approx([120 - 20 / 3, -140 / 3, -140 / 3, 20 - 40, 0, 0, 0, 0])
    assert all(lesson.parts[1].leash == 0.5 and lesson.parts[0].weight == 0 for lesson in lessons)


def test_two_groups_at_one_problem_stay_two() -> None:
    marks = [mark("p", "a", 1.0), mark("p", "a", 0.0), mark("p", "a", 5.0), mark("p", "a", 5.0)]
    assert [len(group) for group in groups(marks, 2)] == [2, 2]
    weights = [float(np.asarray(lesson.parts[1].weight)) for lesson in against_others(marks, 2)]
    assert weights == [1.0, -1.0, 0.0, 0.0]


def test_what_no_attempt_solved_is_unsolved() -> None:
    marks = [mark("a", "x", 0.0), mark("b", "x", 0.0), mark("a", "x", 1.0), mark("b", "x", 0.5), mark("c", "x", 0.0)]
    assert [problem.id for problem in unsolved(marks)] == ["b", "c"]
