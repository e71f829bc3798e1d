"""The same problem in other words, once and twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.archive import from_tagged, to_tagged
from sharpen.core.method import Seat
from sharpen.core.phrases import NANO
from sharpen.core.ports import Sampler
from sharpen.core.records import Attempt, Behaviour, Chat, Message, Problem, Sampling, Turn, user
from sharpen.core.streams import stream
from sharpen.models.linear import linear_model
from sharpen.sample.direct import Direct
from sharpen.sample.reworded import InOtherWords, Reminded, Reworded, Template, as_asked
from sharpen.sample.second_pass import SecondPass
from sharpen.tasks.grid import Grid, Walking
from sharpen.update.handbook import Always
from tests.spoken import BY
from tests.toys import OneTurn, Toy

MODEL = linear_model()
TOY = Toy()
SEAT = Seat({"model": MODEL}, TOY.env)
SHORT = Sampling(max_tokens=4)
REMINDED = Reminded(Always((Behaviour("tens first"),)), NANO)


@dataclass(frozen=True)
class Marked:
    """Shows how the first attempt began."""

    def __call__(self, policy: Sampler, attempts: Sequence[Attempt]) -> list[Chat]:
        return [(user(f"again {attempt.problem.chat[0].text}"),) for attempt in attempts]


def test_the_world_shows_other_words_at_first_and_is_the_same_in_all_else() -> None:
    world = InOtherWords(OneTurn(), REMINDED)
    scene = world.open(Problem("a", (user("Work out 7+5."),)))
    assert scene.chat == (user("Work out 7+5.\nUse: tens first."),)
    after = world.step_many([scene], [Message("assistant", "12")])[0]
    assert after.done and after.chat == (*scene.chat, Message("assistant", "12"))
    assert (world.max_tokens, world.deterministic) == (OneTurn.max_tokens, True)


def test_a_solver_answers_the_problem_itself_having_seen_other_words() -> None:
    problems = TOY.problems("dev")[:5]
    attempts = Reworded(MODEL.base, Template("hint {question}"), SHORT).answer(SEAT, problems)
    assert [attempt.problem for attempt in attempts] == list(problems)
    assert all(
        attempt.turns[0].seen[0].text == f"hint {problem.chat[0].text}"
        for attempt, problem in zip(attempts, problems, strict=True)
    )


def test_the_words_left_as_they_are_give_the_plain_answers() -> None:
    problems = TOY.problems("dev")[:5]
    assert Reworded(MODEL.base, Template()).answer(SEAT, problems) == Direct(MODEL.base).answer(SEAT, problems)


def test_an_attempt_as_it_would_have_been_asked_shows_no_other_words_in_any_turn() -> None:
    grid = Grid().draw("walk", 2, stream("grid"))
    problem = Problem("grid", (user(grid),))
    plain = Walking(4)
    reworded = InOtherWords(plain, REMINDED).open(problem).chat
    later = (Message("assistant", "right"), user("You are at 2 1."))
    attempt = Attempt(problem, (Turn(reworded, ()), Turn((*reworded, *later), ())), BY)
    bare = as_asked(attempt, plain)
    assert [turn.seen for turn in bare.turns] == [(user(grid),), (user(grid), *later)]


def test_the_second_pass_answers_and_sees_what_was_made_of_the_first() -> None:
    problems = TOY.problems("dev")[:5]
    solver = SecondPass(MODEL.base, Marked(), SHORT, SHORT)
    attempts = solver.answer(SEAT, problems)
    assert [attempt.problem for attempt in attempts] == list(problems)
    assert all(len(attempt.turns) == 1 for attempt in attempts)
    assert [a.turns[0].seen[0].text for a in attempts] == [f"again {p.chat[0].text}" for p in problems]


def test_a_solver_survives_the_archive() -> None:
    solver = Reworded(MODEL.base, REMINDED, SHORT)
    assert from_tagged(to_tagged(solver)) == solver
