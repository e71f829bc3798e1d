from dataclasses import replace

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.select.pairs import extremes, preferences
from tests.spoken import mark

NAN = float("nan")


def test_the_best_is_paired_with_the_worst_of_each_problem() -> None:
    pairs = extremes(
        [mark("p", "a", 0.5), mark("p", "b", 1.0), mark("p", "c", 0.0), mark("q", "d", 1.0), mark("q", "e", 0.0)]
    )
    assert [(best.attempt.text, worst.attempt.text) for best, worst in pairs] == [("b", "c"), ("d", "e")]


def test_ties_and_what_could_not_be_scored_make_no_pair() -> None:
    assert extremes([mark("p", "a", 1.0), mark("p", "b", 1.0), mark("q", "c", NAN), mark("q", "d", 1.0)]) == []


def test_attempts_of_several_turns_cannot_be_compared() -> None:
    best, worst = mark("p", "a", 1.0), mark("p", "b", 0.0)
    longer = replace(best.attempt, turns=best.attempt.turns * 2)
    with pytest.raises(InvalidInput, match="one turn"):
        preferences([(replace(best, attempt=longer), worst)])


def test_a_pair_becomes_two_lessons_of_one_group_the_better_first() -> None:
    pairs = extremes([mark("p", "a", 0.0), mark("p", "b b", 1.0), mark("q", "c", 1.0), mark("q", "d", 0.0)])
    lessons = preferences(pairs)
    assert [lesson.group for lesson in lessons] == [0, 0, 1, 1]
    assert [len(lesson.parts[1].content) for lesson in lessons] == [2, 1, 1, 1]
