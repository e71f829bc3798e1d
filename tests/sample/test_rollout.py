from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

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
    Tokens,
    Verdict,
    Weights,
    user,
)  # fmt: skip
from sharpen.models.linear import linear_model
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.sample.several import Several
from tests.spoken import BY
from tests.toys import Toy

PROBLEMS = [Problem("a", (user("a"),)), Problem("b", (user("b"),))]


class Echo:
    """Says how long the chat is, and how many times it was asked in this call."""

    weights: Weights = BY

    def __init__(self, finish: Finish = Finish.END) -> None:
        self.finish = finish
        self.calls: list[Sampling] = []

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.calls.append(how)
        token = Tokens(np.array([1], dtype=np.int32), "t")
        return [[Completion(Piece(f"{len(c)}:{i}", token), self.finish) for i in range(how.n)] for c in chats]


class Turns:
    """Ends after so many moves."""

    deterministic = True
    max_tokens = 5

    def __init__(self, moves: int) -> None:
        self.moves = moves

    def open(self, problem: Problem) -> Scene:
        return Scene(problem.chat, world=0)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        assert all(action.role == "assistant" and action.tokens is not None for action in actions)
        moved = [int(str(scene.world)) + 1 for scene in scenes]
        return [
            Scene((*scene.chat, action, user("go on")), done=move >= self.moves, world=move)
            for scene, action, move in zip(scenes, actions, moved, strict=True)
        ]


def test_attempts_of_a_problem_stand_side_by_side() -> None:
    attempts = rollout(Echo(), Turns(1), PROBLEMS, Sampling(n=2))
    assert [(a.problem.id, a.text) for a in attempts] == [("a", "1:0"), ("a", "1:1"), ("b", "1:0"), ("b", "1:1")]
    assert all(a.stop is Stop.DONE and len(a.turns) == 1 and a.by == BY for a in attempts)


def test_every_turn_is_one_call_and_sees_what_came_before() -> None:
    echo = Echo()
    attempts = rollout(echo, Turns(3), PROBLEMS, Sampling(n=2))
    assert [how.n for how in echo.calls] == [2, 1, 1]
    assert [len(turn.seen) for turn in attempts[0].turns] == [1, 3, 5]
    assert attempts[0].text == "5:0"


def test_the_worlds_limit_holds_for_every_method() -> None:
    echo = Echo()
    rollout(echo, Turns(1), PROBLEMS, Sampling(max_tokens=999))
    assert echo.calls[0].max_tokens == 5


@pytest.mark.parametrize(("finish", "stop"), [(Finish.LENGTH, Stop.LENGTH), (Finish.ERROR, Stop.ERROR)])
def test_a_turn_that_did_not_end_well_ends_the_attempt(finish: Finish, stop: Stop) -> None:
    attempts = rollout(Echo(finish), Turns(3), PROBLEMS, Sampling())
    assert all(a.stop is stop and len(a.turns) == 1 for a in attempts)


def test_too_many_turns_end_the_attempt() -> None:
    attempts = rollout(Echo(), Turns(99), PROBLEMS, Sampling(), most_turns=2)
    assert all(a.stop is Stop.TURNS and len(a.turns) == 2 for a in attempts)


class Longest:
    """Likes the text of highest code."""

    def __call__(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        return [Verdict(float(sum(map(ord, a.text)))) for a in attempts]


def test_solvers_answer_each_problem_alone_whatever_its_company() -> None:
    task, model = Toy(), linear_model()
    seat = Seat({"model": model}, task.env, seed=3)
    problems = list(task.problems("dev"))[:6]
    how = Sampling(n=4, temperature=1.0, max_tokens=8)
    for solver in (Direct(model.base), Several(model.base, how, Longest())):
        together = [a.text for a in solver.answer(seat, problems)]
        backwards = [a.text for a in solver.answer(seat, problems[::-1])][::-1]
        alone = [solver.answer(seat, [problem])[0].text for problem in problems]
        assert together == backwards == alone


def test_several_gives_the_attempt_the_judge_likes_best() -> None:
    task, model = Toy(), linear_model()
    seat = Seat({"model": model}, task.env, seed=3)
    problem = task.problems("dev")[0]
    how = Sampling(n=8, temperature=1.0, max_tokens=8)
    tried = rollout(seat.at(model.base, "answer"), task.env, [problem], how)
    best = Several(model.base, how, Longest()).answer(seat, [problem])[0]
    assert Longest()([best])[0].score == max(v.score for v in Longest()(tried))
    assert replace(how, n=1) != how


class Short:
    """Has room for chats of so many messages."""

    weights: Weights = BY

    def __init__(self, most: int) -> None:
        self.most = most

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        return [[_said("ok") if len(chat) <= self.most else _said("", Finish.FULL)] * how.n for chat in chats]


def _said(text: str, finish: Finish = Finish.END) -> Completion:
    return Completion(Piece(text, Tokens(np.zeros(len(text), dtype=np.int32), "t")), finish)


def test_an_attempt_ends_before_the_turn_that_finds_no_room_and_the_world_hears_nothing_of_it() -> None:
    long = Problem("c", (user("a"), user("b"), user("c")))
    heard: list[str] = []

    class Listening(Turns):
        def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
            heard.extend(action.text for action in actions)
            return super().step_many(scenes, actions)

    first, last = rollout(Short(2), Listening(4), [PROBLEMS[0], long], Sampling())
    assert (first.stop, [turn.text for turn in first.turns]) == (Stop.FULL, ["ok"])
    assert (last.stop, [turn.text for turn in last.turns], last.turns[0].seen) == (Stop.FULL, [""], long.chat)
    assert heard == ["ok"]
