"""The world of two tries: what is seen, when it ends, and the solver that takes both."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import tries
from sharpen.core.method import Seat
from sharpen.core.records import (
    Attempt,
    Chat,
    Completion,
    Finish,
    Message,
    Piece,
    Problem,
    Sampling,
    Scene,
    Stop,
    Weights,
    user,
)  # fmt: skip
from sharpen.core.speech import AGAIN, SURE, reconsidered
from sharpen.core.tokens import Tokens
from sharpen.models.linear import linear_model
from sharpen.sample.direct import Direct
from sharpen.sample.retry import Retry, Twice
from sharpen.sample.rollout import rollout
from tests.spoken import BY
from tests.toys import OneTurn, Toy

HOW = Sampling(n=2, temperature=1.0, max_tokens=8)


@dataclass
class Counting:
    """A world of `moves` moves that says how many were made; it counts its steps and openings."""

    moves: int
    steps: int = 0
    opened: int = 0
    deterministic: bool = True
    max_tokens: int = 8

    def open(self, problem: Problem) -> Scene:
        self.opened += 1
        return Scene((*problem.chat, user("0 made")), world=0)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        self.steps += len(scenes)
        made = [int(str(scene.world)) + 1 for scene in scenes]
        return [
            Scene((*scene.chat, action), True, count)
            if count == self.moves
            else Scene((*scene.chat, action, user(f"{count} made")), False, count)
            for scene, action, count in zip(scenes, actions, made, strict=True)
        ]


@dataclass
class Script:
    """Says what is written, move by move, whatever it is asked."""

    moves: Sequence[tuple[str, Finish]]
    weights: Weights = BY
    asked: list[list[Chat]] = field(default_factory=list)

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        text, finish = self.moves[len(self.asked)]
        self.asked.append(list(chats))
        piece = Piece(text, Tokens(np.arange(2, dtype=np.int32), "hand"))
        return [[Completion(piece, finish)] * how.n for _ in chats]


def said(*texts: str) -> Script:
    return Script([(text, Finish.END) for text in texts])


def tried(attempt: Attempt) -> list[tuple[int, str, list[str]]]:
    return [(turn.trial, turn.text, [message.text for message in turn.seen]) for turn in attempt.turns]


PROBLEM = Problem("p", (user("p"),))


def test_the_second_try_sees_the_first_and_words_that_tell_nothing() -> None:
    (attempt,) = rollout(said("one", "two"), Retry(OneTurn()), [PROBLEM], Sampling())
    assert tried(attempt) == [(0, "one", ["p"]), (1, "two", ["p", "one", SURE])]
    assert [(m.role, m.text) for m in attempt.turns[1].seen] == [(m.role, m.text) for m in reconsidered("p", "one")]
    assert (attempt.text, attempt.stop) == ("two", Stop.DONE)


def test_the_words_are_a_setting() -> None:
    (attempt,) = rollout(said("one", "two"), Retry(OneTurn(), AGAIN), [PROBLEM], Sampling())
    assert attempt.turns[1].seen[-1] == user(AGAIN)


def test_the_words_are_the_same_whether_the_first_try_is_right_or_wrong() -> None:
    task, model = Toy(), linear_model()
    attempts = rollout(model.at(model.base), Retry(task.env), task.problems("train")[:16], HOW.times(8))
    right = {verdict.right for verdict in task.judge([tries(attempt)[0] for attempt in attempts])}
    assert right == {True, False}
    assert {attempt.turns[1].seen[-1] for attempt in attempts} == {user(SURE)}


def test_the_first_trys_own_tokens_are_what_the_second_continues_from() -> None:
    model = linear_model()
    for attempt in rollout(model.at(model.base), Retry(Toy.env), Toy().problems("train")[:4], HOW):
        first, second = attempt.turns
        before, after = (model.encoder.encode(turn.seen).ids for turn in (first, second))
        own = [*before.tolist(), *first.tokens.ids.tolist()]
        assert after.tolist()[: len(own)] == own


def test_a_world_of_many_moves_is_opened_anew_and_its_opening_not_shown_again() -> None:
    world = Counting(2)
    (attempt,) = rollout(said("a", "b", "c", "d"), Retry(world), [PROBLEM], Sampling())
    assert tried(attempt) == [
        (0, "a", ["p", "0 made"]),
        (0, "b", ["p", "0 made", "a", "1 made"]),
        (1, "c", ["p", "0 made", "a", "1 made", "b", SURE]),
        (1, "d", ["p", "0 made", "a", "1 made", "b", SURE, "c", "1 made"]),
    ]
    assert (world.steps, world.opened, attempt.stop) == (4, 2, Stop.DONE)
    assert [[turn.text for turn in one.turns] for one in tries(attempt)] == [["a", "b"], ["c", "d"]]


def test_a_first_try_that_was_cut_off_has_its_second_chance() -> None:
    script = Script([("one", Finish.LENGTH), ("two", Finish.END)])
    (attempt,) = rollout(script, Retry(OneTurn()), [PROBLEM], Sampling())
    assert [turn.trial for turn in attempt.turns] == [0, 1] and attempt.stop is Stop.DONE


def test_a_second_try_that_was_cut_off_ends_so() -> None:
    script = Script([("one", Finish.END), ("two", Finish.LENGTH)])
    (attempt,) = rollout(script, Retry(OneTurn()), [PROBLEM], Sampling())
    assert [turn.trial for turn in attempt.turns] == [0, 1] and attempt.stop is Stop.LENGTH


@pytest.mark.parametrize(("finish", "stop"), [(Finish.LENGTH, Stop.LENGTH), (Finish.ERROR, Stop.ERROR)])
def test_a_try_broken_off_in_the_middle_ends_the_attempt(finish: Finish, stop: Stop) -> None:
    (attempt,) = rollout(Script([("one", finish)]), Retry(Counting(2)), [PROBLEM], Sampling())
    assert [turn.trial for turn in attempt.turns] == [0] and attempt.stop is stop


def test_scenes_are_stepped_purely() -> None:
    world = Retry(OneTurn())
    scene, action = world.open(PROBLEM), Message("assistant", "one")
    first, again = (world.step_many([scene], [action])[0] for _ in range(2))
    assert first == again and not first.done and first.trial == 1
    assert world.step_many([first], [action])[0].done


def test_a_scene_of_another_world_is_refused() -> None:
    with pytest.raises(InvalidInput, match="that Retry opened"):
        Retry(OneTurn()).step_many([Scene((user("p"),))], [Message("assistant", "one")])


def test_each_problem_is_tried_twice_alone_whatever_its_company() -> None:
    task, model = Toy(), linear_model()
    seat = Seat({"model": model}, task.env, seed=3)
    problems = list(task.problems("dev"))[:6]
    for how in (Sampling(temperature=0.0, max_tokens=8), HOW):
        solver = Twice(model.base, SURE, how)
        together = [tried(a) for a in solver.answer(seat, problems)]
        backwards = [tried(a) for a in solver.answer(seat, problems[::-1])][::-1]
        assert together == backwards == [tried(solver.answer(seat, [problem])[0]) for problem in problems]
    first = [tries(attempt)[0].text for attempt in Twice(model.base).answer(seat, problems)]
    assert first == [attempt.text for attempt in Direct(model.base).answer(seat, problems)]
