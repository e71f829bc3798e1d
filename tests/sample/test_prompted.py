import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.method import Seat
from sharpen.core.records import Message, Problem, Reference, user
from sharpen.models.linear import linear_model
from sharpen.sample.prompted import Prompt, Prompted, example
from sharpen.sample.reworded import InOtherWords
from sharpen.tasks.grid import Grid
from sharpen.tasks.ladder import Ladder, Sizes
from tests.toys import Toy

PROBLEM = Problem("p", (user("2 + 2"),))
DEMONSTRATED = Prompt("Task: {question}\nBe brief.", (("animal of cat", "Answer: 0"),))


def test_the_question_stands_in_the_template_and_so_do_those_of_the_examples() -> None:
    chat = DEMONSTRATED(PROBLEM, (Message("system", "You count."), user("colour red {x}")))
    assert [(message.role, message.text) for message in chat] == [
        ("system", "You count."),
        ("user", "Task: animal of cat\nBe brief."),
        ("assistant", "Answer: 0"),
        ("user", "Task: colour red {x}\nBe brief."),
    ]


def test_the_plain_prompt_changes_nothing() -> None:
    chat = (user("animal of cat"),)
    assert Prompt()(PROBLEM, chat) == chat


@pytest.mark.parametrize("template", ["no place", "{question} and {question}"])
def test_a_template_without_one_place_for_the_question_is_refused(template: str) -> None:
    with pytest.raises(InvalidInput, match="a template must hold"):
        Prompt(template)


def test_a_chat_in_which_no_user_speaks_last_is_refused() -> None:
    with pytest.raises(InvalidInput, match="words of a user"):
        Prompt()(PROBLEM, (user("2 + 2"), Message("assistant", "It is")))


def test_an_example_is_solved_in_the_tasks_own_words_or_by_its_steps_and_answer() -> None:
    problem = Problem("p", (user("2 + 2"),))
    assert example(problem, Reference("4", ("two and two",))) == ("2 + 2", "two and two\nAnswer: 4")
    assert example(problem, Reference("4", notes={"solution": "It is 4."})) == ("2 + 2", "It is 4.")


def test_the_solver_asks_by_the_prompt_and_its_attempts_are_at_the_problems_themselves() -> None:
    model, task = linear_model(), Toy()
    solver = Prompted(model.base, DEMONSTRATED)
    seat = Seat({"model": model.bind(lambda work, paid: None)}, task.env)
    problems = task.problems("dev")[:5]
    attempts = solver.answer(seat, problems)
    assert [attempt.problem for attempt in attempts] == list(problems)
    assert [attempt.turns[0].seen for attempt in attempts] == [DEMONSTRATED(one, one.chat) for one in problems]
    assert len(task.judge(attempts)) == 5


def test_a_world_that_reads_its_question_is_asked_before_the_prompt_goes_around_it() -> None:
    task = Ladder(Grid(), levels=(1,), sizes=Sizes(4, 2, 2))
    problem = task.problems("train")[0]
    asked = InOtherWords(task.env, Prompt("{question}\nBe brief."))
    scene, plain = asked.open(problem), task.env.open(problem)
    assert scene.world == plain.world and scene.chat[-1].text == plain.chat[-1].text + "\nBe brief."
    (after,), (before,) = (
        env.step_many([one], [Message("assistant", "up")]) for env, one in ((asked, scene), (task.env, plain))
    )
    assert (after.done, after.world, after.chat[-1]) == (before.done, before.world, before.chat[-1])
    assert (asked.max_tokens, asked.deterministic) == (task.env.max_tokens, task.env.deterministic)
