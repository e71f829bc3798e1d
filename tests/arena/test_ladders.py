"""Ladders and skills measured on voices that are known: one that knows everything, one that knows nothing."""

from collections.abc import Sequence

import pytest

from sharpen.arena.ladders import rung
from sharpen.arena.preflight import gold_text
from sharpen.arena.skills import SKILLS, skills
from sharpen.core import speech
from sharpen.core.ports import Policy
from sharpen.core.records import Chat, Completion, Finish, Piece, Sampling, Weights
from sharpen.core.streams import stream
from sharpen.core.tokens import Floats, Tokens
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.ladder import Ladder, Sizes
from sharpen.tasks.solutions import checked, feedback, perhaps_wrong


class Voice:
    """Says the same to every chat, or what it knows of a question."""

    weights = Weights("w", "b")

    def __init__(self, said: str, known: dict[str, str] | None = None) -> None:
        self.said, self.known = said, known or {}

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        texts = [self.known.get(chat[-1].text, self.said) for chat in chats]
        return [[Completion(Piece(text), Finish.END)] * how.n for text in texts]

    def logprobs(self, chats: Sequence[Chat], said: Sequence[Tokens | str]) -> list[Floats]:
        raise AssertionError("nobody asked for likelihoods")

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        raise AssertionError("nobody asked for choices")

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        raise AssertionError("nobody asked for values")


def test_a_voice_that_knows_is_always_right_and_one_that_does_not_never() -> None:
    task = Ladder(Arithmetic(), levels=(2,), sizes=Sizes(1, 1, 10))
    known = {problem.chat[-1].text: gold_text(task, problem) for problem in task.problems("test")}
    all_, none = rung(Voice("", known), task, 64), rung(Voice("Answer: -1"), task, 64)
    assert (all_.pass_one, all_.pass_many, all_.pass_most, all_.ended) == (1.0, 1.0, 1.0, 1.0)
    assert all_.agreed == none.agreed == 1.0
    assert (none.pass_one, none.pass_many, none.pass_most) == (0.0, 0.0, 0.0)


def test_a_right_answer_behind_a_wrong_step_is_where_the_checkers_disagree() -> None:
    task = Ladder(Arithmetic(), levels=(2,), sizes=Sizes(1, 1, 10))
    solved = {problem.chat[-1].text: gold_text(task, problem) for problem in task.problems("test")}
    lucky = {text: "1+1=3\n" + gold for text, gold in solved.items()}
    found = rung(Voice("", lucky), task, 16)
    assert (found.pass_one, found.agreed) == (1.0, 0.0)


def test_half_knowledge_is_half_the_chance_and_has_an_interval() -> None:
    task = Ladder(Arithmetic(), levels=(2,), sizes=Sizes(1, 1, 10))
    problems = task.problems("test")
    half = rung(Voice("", {p.chat[-1].text: gold_text(task, p) for p in problems[::2]}), task, 16)
    assert half.pass_one == half.pass_many == 0.5
    assert half.pass_most is None
    assert half.low is not None and half.high is not None and half.low < 0.5 < half.high


@pytest.mark.parametrize(("said", "skill", "score"), [("A", "choose", 0.5), (speech.ENOUGH, "suffice", 0.5)])
def test_a_constant_voice_scores_what_chance_does(said: str, skill: str, score: float) -> None:
    found = skills(Voice(said), problems=40)[skill]()
    assert found.score == found.chance == score


def test_a_silent_voice_has_no_skill() -> None:
    found = skills(Voice(""), problems=12)
    assert set(found) == set(SKILLS)
    assert all(measure().score == 0.0 for measure in found.values())


class Listener(Voice):
    """Writes down at which temperature it was asked for what."""

    def __init__(self) -> None:
        super().__init__("")
        self.asked: list[tuple[str, float]] = []

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.asked += [(chat[-1].text, how.temperature) for chat in chats]
        return super().sample(chats, how)


def test_problems_are_proposed_by_drawing_and_all_else_is_said_greedily() -> None:
    listener = Listener()
    for measure in skills(listener, problems=4).values():
        measure()
    for text, temperature in listener.asked:
        assert temperature == float(text.startswith(("Write a task of ", "Write one more task "))), text


def test_right_checks_name_the_first_wrong_step() -> None:
    rng = stream("checks")
    for _ in range(200):
        family, text, said = perhaps_wrong(rng)
        right = family.work(text)
        for reply in (checked(right, said), feedback(right, said)):
            found = speech.first_wrong(reply)
            wanted = -1 if said.wrong is None else -2 if said.wrong >= len(said.steps) else said.wrong
            assert found == wanted


def test_voices_are_policies() -> None:
    kept: Policy = Voice("")
    assert kept.weights.id == "w"
