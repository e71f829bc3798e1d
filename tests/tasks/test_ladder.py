"""Every family as a task: gold passes on every rung, and levels, kinds and wordings are kept apart."""

import pytest

from sharpen.arena.preflight import gold_text
from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Refusal
from sharpen.core.records import Attempt, Piece, Problem, Turn, Weights, user
from sharpen.core.streams import stream
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import Family, split_for
from sharpen.tasks.ladder import Ladder, Sizes

SMALL = Sizes(train=8, dev=4, test=8)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


def score(task: Ladder, problem: Problem, text: str) -> float:
    return task.oracle.judge([Attempt(problem, (Turn(problem.chat, (Piece(text),)),), Weights("w", "b"))])[0].score


def test_gold_passes_and_nothing_does_not_on_every_rung(family: Family) -> None:
    for level in family.levels:
        task = Ladder(family, levels=(level,), sizes=SMALL)
        for problem in task.problems("test"):
            assert score(task, problem, gold_text(task, problem)) == 1.0
            assert score(task, problem, "") < 1.0
            assert problem.level == level


def test_levels_and_kinds_take_turns(family: Family) -> None:
    task = Ladder(family, levels=(2, 4), sizes=Sizes(4 * len(family.kinds), 1, 1))
    cells = [(problem.level, problem.family) for problem in task.problems("train")]
    wanted = [(float(level), kind) for level in (2, 4) for kind in family.kinds]
    assert cells[: len(wanted)] == wanted


def test_held_out_problems_are_in_wordings_that_others_never_have(family: Family) -> None:
    usual, kept = Ladder(family, sizes=SMALL), Ladder(family, held_out=True, sizes=SMALL)
    assert not any(family.place(problem.chat[-1].text)[2] for problem in usual.problems("train"))
    assert all(family.place(problem.chat[-1].text)[2] for problem in kept.problems("test"))
    assert isinstance(usual.admit(kept.problems("train")[0]), Refusal)


def test_one_thing_asked_in_two_wordings_is_of_one_split(family: Family) -> None:
    rng = stream("reworded")
    for _ in range(50):
        question = family.draw(family.kinds[0], 2, rng)
        assert split_for(family, question) == split_for(family, family.tidy(f" {question} "))


def test_what_is_no_question_is_refused(family: Family) -> None:
    task = Ladder(family, sizes=SMALL)
    assert isinstance(task.admit(Problem("mine", (user("Tell me a story."),))), Refusal)
    with pytest.raises(InvalidInput, match="level must be"):
        Ladder(family, levels=(99,))
    with pytest.raises(InvalidInput, match=r"unknown kind"):
        Ladder(family, kinds=("nothing",))


def test_an_admitted_question_is_judged_as_one_that_was_drawn(family: Family) -> None:
    task = Ladder(family, sizes=SMALL)
    drawn = task.problems("train")[0]
    admitted = task.admit(Problem("mine", (user(f"{drawn.chat[-1].text} "),)))
    assert isinstance(admitted, Problem)
    assert (admitted.id, admitted.family, admitted.level) == (drawn.id, drawn.family, drawn.level)
