"""Attempts of several tries, taken apart and judged."""

from collections.abc import Sequence
from dataclasses import replace

from sharpen.core.judging import judged_by_try, tries
from sharpen.core.records import Attempt, Stop, Verdict
from tests.spoken import attempt, twice


class Echo:
    """Scores an attempt by the length of its last words, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        self.asked.append([one.text for one in attempts])
        return [Verdict(float(len(one.text))) for one in attempts]


def test_each_try_has_its_own_turns_and_the_whole_attempts_problem_and_policy() -> None:
    whole = replace(twice("p", "one", "two"), stop=Stop.LENGTH)
    first, second = tries(whole)
    assert [(one.text, len(one.turns)) for one in (first, second)] == [("one", 1), ("two", 1)]
    assert second.turns[0].seen[1].text == "one"
    assert (first.problem, first.by) == (second.problem, second.by) == (whole.problem, whole.by)
    assert (first.stop, second.stop) == (Stop.DONE, Stop.LENGTH)
    assert first.length + second.length == whole.length


def test_turns_of_one_try_stay_together() -> None:
    whole = twice("p", "one", "two")
    longer = replace(whole, turns=(whole.turns[0], whole.turns[0], whole.turns[1]))
    assert [len(one.turns) for one in tries(longer)] == [2, 1]


def test_an_attempt_of_one_try_or_without_a_turn_is_alone() -> None:
    once = attempt("p", "one", stop=Stop.LENGTH)
    assert tries(once) == [once]
    silent = replace(once, turns=())
    assert tries(silent) == [silent]


def test_the_judge_is_asked_once_for_every_try() -> None:
    judge = Echo()
    marks = judged_by_try([twice("p", "a", "bcd"), attempt("q", "ef"), twice("q", "gh", "")], judge)
    assert judge.asked == [["a", "bcd", "ef", "gh", ""]]
    assert [[mark.verdict.score for mark in each] for each in marks] == [[1, 3], [2], [2, 0]]
