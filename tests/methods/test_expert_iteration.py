"""What each member of the family does that the others do not."""

from collections import Counter
from dataclasses import replace

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Sampling
from sharpen.core.training import Training
from sharpen.methods.expert_iteration import Config, State, run
from tests.methods.watching import MARKING, Place, place, rounds, said, seen
from tests.toys import NUMBERS

HOT = Sampling(n=1, temperature=1.0, max_tokens=8)
QUICK = Training(epochs=1, batch=16, rate=0.01)


def played(config: Config, n: int = 2, there: Place | None = None) -> Place:
    there = there or place()
    rounds(run(there.lab, config), n)
    return there


def test_stars_lessons_after_a_hint_show_no_hint() -> None:
    there = played(replace(Config.star(), problems=64, how=HOT))
    assert there.task.revealed
    own = {problem.chat[-1].text for problem in there.lab.train}
    for learning, (first, hinted) in zip(
        there.learnings, zip(*[iter(there.task.judged)] * 2, strict=True), strict=True
    ):
        rationalised = [mark for mark in hinted if mark.verdict.right]
        assert rationalised
        assert len(learning.lessons) == len(rationalised) + sum(bool(mark.verdict.right) for mark in first)
        assert {seen(lesson) for lesson in learning.lessons} <= own


def test_star_asks_for_the_answers_of_missed_problems_only() -> None:
    there = played(replace(Config.star(), problems=64, how=HOT), 1)
    missed = [mark.attempt.problem for mark in there.task.judged[0] if not mark.verdict.right]
    assert there.task.revealed == missed


@pytest.mark.parametrize("name", ["star", "rest_em", "rft"])
def test_some_start_every_round_from_the_base(name: str) -> None:
    config = replace(getattr(Config, name)(), problems=32, rounds=3, training=QUICK, how=replace(HOT, n=8))
    there = played(config, 3)
    base = there.lab.model.base
    assert [learning.start for learning in there.learnings] == [base] * 3
    assert all(there.steps(one.learned.weights) == one.learned.metrics["steps"] for one in there.learnings)


@pytest.mark.parametrize(("name", "inherits"), [("iterative", False), ("online", True)])
def test_others_go_on_from_the_policy_before_with_or_without_its_optimiser(name: str, inherits: bool) -> None:
    there = played(replace(getattr(Config, name)(), problems=16, training=QUICK), 3)
    starts = [learning.start for learning in there.learnings]
    assert starts == [there.lab.model.base, *(learning.learned.weights for learning in there.learnings[:-1])]
    assert {learning.how.inherit for learning in there.learnings} == {"moments" if inherits else "nothing"}


def test_rft_keeps_one_attempt_of_a_path() -> None:
    there = played(replace(Config.rft(), problems=16, how=replace(HOT, n=32)), 1)
    taught = Counter((seen(lesson), said(lesson).strip()) for lesson in there.learnings[0].lessons)
    right = sum(bool(mark.verdict.right) for mark in there.task.judged[0])
    assert taught and max(taught.values()) == 1 and right > len(taught)


def test_what_is_learned_is_right_and_capped() -> None:
    there = played(Config(problems=16, cap=1), 1)
    answers = {problem.chat[-1].text: NUMBERS[word] for problem in there.lab.train for word in NUMBERS
               if word in problem.chat[-1].text.split()}  # fmt: skip
    lessons = there.learnings[0].lessons
    assert lessons and len({seen(lesson) for lesson in lessons}) == len(lessons)
    assert all(said(lesson).strip() == answers[seen(lesson)] for lesson in lessons)


def test_lmsi_consults_no_label_and_follows_the_majority() -> None:
    there = played(replace(Config.lmsi(), problems=16, confidence=0.0), 2, place(MARKING))
    assert there.task.judged == [] and there.task.revealed == []
    lessons = there.learnings[0].lessons
    assert lessons
    for question in {seen(lesson) for lesson in lessons}:
        assert len({said(lesson, MARKING).strip() for lesson in lessons if seen(lesson) == question}) == 1


def test_lmsi_learns_nothing_where_no_answer_is_sure_enough() -> None:
    there = played(replace(Config.lmsi(), problems=16, confidence=1.0), 1, place(MARKING))
    assert there.learnings[0].lessons == []


def test_a_round_without_a_right_attempt_leaves_the_policy_as_it_was() -> None:
    there = place()
    unsure = replace(
        Config(), problems=4, labels="majority", confidence=1.0
    )  # no problem is answered alike eight times
    (one,) = rounds(run(there.lab, unsure), 1)
    assert isinstance(one.state, State) and one.state.weights == there.lab.model.base


def test_answers_cannot_be_shown_by_a_method_without_labels() -> None:
    with pytest.raises(InvalidInput, match="labels=oracle"):
        replace(Config.lmsi(), rationalise=True)
