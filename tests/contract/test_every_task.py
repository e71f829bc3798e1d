"""What every task must hold: it pays for the answer and nothing else, repeats itself, and gives no answer away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sharpen.arena.preflight import gold_text
from sharpen.core.errors import Unanswerable
from sharpen.core.ports import Task
from sharpen.core.records import Attempt, Message, Piece, Problem, Turn, Weights, user
from sharpen.core.streams import SPLITS
from sharpen.tasks.open import open_task

SPECS = (
    "arithmetic:train=40,dev=10,test=10",
    "arithmetic:level=1,kind=add,train=40,dev=10,test=10,instructions=true",
    "stories:level=2,train=40,dev=10,test=10",
    "countdown:level=2,train=40,dev=10,test=10",
    "logic:level=3,kind=order,train=40,dev=10,test=10",
    "lists:level=3,train=40,dev=10,test=10",
    "programs:level=2,train=40,dev=10,test=10",
    "lookup:level=3,train=40,dev=10,test=10",
    "choice:level=1;2,kind=options,train=40,dev=10,test=10",
    "longform:level=2,train=40,dev=10,test=10",
    "grid:level=3,train=40,dev=10,test=10",
    "stories:level=3,held_out=true,train=40,dev=10,test=10",
    "gym:chain_sum:min_terms=2,max_terms=2,train=40,dev=10,test=10",
    "gym:products:min_digits=1,max_digits=1",
    "gym:simple_equations:train=40,dev=10,test=10",
    str(Path(__file__).parents[2] / "examples" / "sums.jsonl"),
)


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: spec.rsplit("/", 1)[-1])
def task(request: pytest.FixtureRequest) -> Iterator[Task]:
    yield open_task(request.param)


def judged(task: Task, problem: Problem, text: str) -> bool:
    verdict = task.oracle.judge([Attempt(problem, (Turn(problem.chat, (Piece(text),)),), Weights("w", "b"))])[0]
    assert verdict.right is not None
    assert verdict.right == (verdict.score >= 1.0)
    return verdict.right


def asked(problem: Problem) -> str:
    return "\n".join(message.text for message in problem.chat)


def test_the_reference_answer_passes(task: Task) -> None:
    for split in SPLITS:
        for problem in task.problems(split)[:5]:
            assert judged(task, problem, gold_text(task, problem))


def test_wrong_empty_verbose_repeated_and_quoting_replies_do_not_pass(task: Task) -> None:
    for problem in task.problems("train")[:5]:
        gold = task.oracle.reveal(problem).answer
        question = problem.chat[-1].text
        replies = [
            "",
            " ",
            "Answer:",
            "Answer: -987654321",
            f"{gold} {gold}",
            f"The answer is {gold}, I think.",
            f"It is 1. It is {gold}.",
            f"It is 5 = {gold}",
            f"Let me see.\nIt is {gold}.",
            f"{question} {gold}, or {gold}",
            f"Answer: I believe that it is {gold}, which I worked out.",
            f"Answer: {gold} or 5",
            f"Answer: {gold}\nAnswer: {gold}",
            f"Answer: {gold} {gold}",
            f"Answer: 1 Answer: {gold}",
            question,
            asked(problem),
            f"Answer: {question}",
            f"Answer: {asked(problem)}",
            f"Answer: {asked(problem)} {gold}",
            "\n".join(f"Answer: {n}" for n in range(100)),
            "Answer: " + " ".join(map(str, range(200))),
        ]
        assert [reply for reply in replies if judged(task, problem, reply)] == []


def test_the_same_name_gives_the_same_problems(request: pytest.FixtureRequest, task: Task) -> None:
    again = open_task(request.node.callspec.params["task"])
    for split in SPLITS:
        assert list(task.problems(split)) == list(again.problems(split))


def test_splits_share_no_question_and_no_id(task: Task) -> None:
    problems = [problem for split in SPLITS for problem in task.problems(split)]
    assert len({" ".join(asked(problem).split()) for problem in problems}) == len(problems)
    assert len({problem.id for problem in problems}) == len(problems)


def test_the_oracle_refuses_an_invented_problem(task: Task) -> None:
    own = task.problems("train")[0]
    for problem in (Problem("invented", (user("What is love?"),)), Problem(own.id, (user("What is love?"),))):
        for ask in (task.oracle.reveal, lambda p: judged(task, p, "Answer: 1")):
            with pytest.raises(Unanswerable):
                ask(problem)


def test_a_problem_holds_no_answer(task: Task) -> None:
    for problem in task.problems("train")[:20]:
        answer = task.oracle.reveal(problem).answer
        beside = repr((problem.family, problem.level, problem.notes))
        assert len(answer) < 2 or answer not in beside


def test_an_attempt_is_one_move_that_is_done(task: Task) -> None:
    scene = task.env.open(task.problems("train")[0])
    assert not scene.done
    assert scene.chat == task.problems("train")[0].chat
    after = task.env.step_many([scene], [Message("assistant", "Answer: 1")])[0]
    assert after.done
    assert task.env.deterministic


def test_a_task_says_what_it_offers(task: Task) -> None:
    assert task.offers <= {"reveal", "steps", "states", "generate", "admit"}
    assert task.name
    assert task.families()
    assert all(problem.family in task.families() for problem in task.problems("train"))
    assert all(measure([]) == 0.0 for measure in task.measures.values())
