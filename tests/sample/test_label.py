"""The solver that must say a label."""

import pytest

from sharpen.core.budget import Spend
from sharpen.core.errors import InvalidInput
from sharpen.core.lessons import Term, demonstration
from sharpen.core.method import Seat
from sharpen.core.objectives import Imitate
from sharpen.core.records import Message, Stop
from sharpen.core.speech import QUESTION, posed
from sharpen.core.training import Training
from sharpen.models.linear import linear_model
from sharpen.models.words import WordEncoder
from sharpen.sample.label import ForcedChoice, as_said
from tests.toys import Toy

PROMPT = (Message("text", f"{QUESTION}\nAnswer: "),)
DIGITS = tuple(map(str, range(8)))


def taught(spent: list[Spend]) -> tuple[Seat, ForcedChoice]:
    """A linear model that learned the toy task's answers behind the prompt, and the solver over it."""
    task, model = Toy(), linear_model().bind(lambda work, paid: spent.append(work))
    lessons = [
        demonstration(posed(PROMPT, problem.chat[0].text), task.reveal(problem).answer)
        for problem in task.problems("train")
    ]
    learned = model.learn(model.base, [Term(Imitate(), lessons)], Training(epochs=6, batch=16, rate=0.03))
    spent.clear()
    return Seat({"model": model}, task.env), ForcedChoice(learned.weights, PROMPT, DIGITS)


def test_the_label_it_says_is_judged_as_an_answer() -> None:
    seat, solver = taught([])
    problems = Toy().problems("dev")
    attempts = solver.answer(seat, problems)
    assert [attempt.problem for attempt in attempts] == list(problems)
    assert sum(bool(verdict.right) for verdict in Toy().judge(attempts)) > 0.8 * len(problems)
    assert all(attempt.text in {f"Answer: {digit}" for digit in DIGITS} for attempt in attempts)
    assert all(attempt.stop is Stop.DONE and attempt.by == solver.weights for attempt in attempts)
    assert attempts[0].turns[0].seen == posed(PROMPT, problems[0].chat[0].text)


def test_nothing_is_sampled() -> None:
    spent: list[Spend] = []
    seat, solver = taught(spent)
    attempts = solver.answer(seat, Toy().problems("dev")[:4])
    assert spent and sum(work.sampled for work in spent) == 0 < sum(work.read for work in spent)
    assert [attempt.length for attempt in attempts] == [0] * 4
    assert [piece.author for piece in attempts[0].said] == ["method", "policy"]


def test_each_problem_is_answered_alone_whatever_its_company() -> None:
    seat, solver = taught([])
    problems = list(Toy().problems("dev")[:6])
    together = [attempt.text for attempt in solver.answer(seat, problems)]
    backwards = [attempt.text for attempt in solver.answer(seat, problems[::-1])][::-1]
    assert together == backwards == [solver.answer(seat, [problem])[0].text for problem in problems]


def test_where_the_prompt_leaves_no_room_no_label_is_said_and_that_is_wrong() -> None:
    seat, solver = taught([])
    problems = list(Toy().problems("dev"))
    encoder, body = seat.model.encoder, seat.model.body  # type: ignore[attr-defined]  # a local model has one
    lengths = [len(encoder.encode(posed(PROMPT, problem.chat[0].text))) for problem in problems]
    body.context = max(lengths)
    attempts = solver.answer(seat, problems)
    full = [attempt.stop is Stop.FULL for attempt in attempts]
    assert full == [length == max(lengths) for length in lengths] and 0 < sum(full) < len(full)
    right = [verdict.right for verdict in Toy().judge(attempts)]
    assert not any(ok for ok, none in zip(right, full, strict=True) if none) and any(right)
    assert {attempt.text for attempt, none in zip(attempts, full, strict=True) if none} == {"Answer: "}


def test_labels_are_said_with_a_space_before_them_where_that_tells_them_apart() -> None:
    assert as_said(["yes", "no"], WordEncoder([" yes", " no"])) == (" yes", " no")
    encoder = linear_model().encoder  # its space is a token of its own
    assert as_said(["yes", "no"], encoder) == ("yes", "no")
    with pytest.raises(InvalidInput, match="first token"):
        as_said(["yo", "yp"], encoder)
    with pytest.raises(InvalidInput, match="none"):
        as_said([], encoder)


def test_a_prompt_without_the_questions_place_is_refused() -> None:
    seat, solver = taught([])
    blind = ForcedChoice(solver.weights, (Message("text", "Answer: "),), DIGITS)
    with pytest.raises(InvalidInput, match="question"):
        blind.answer(seat, Toy().problems("dev")[:1])
