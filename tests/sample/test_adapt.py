"""Adapting in the seat: what is practised, what is learned from it, and that nothing of it stays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from sharpen.control.doubt import Gate
from sharpen.core.archive import from_tagged, to_tagged
from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.method import Seat
from sharpen.core.ports import Env, Policy
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
    Turn,
    Weights,
    user,
)
from sharpen.core.speech import more_like
from sharpen.core.streams import Rng, Stream
from sharpen.core.tokens import Tokens
from sharpen.core.training import Adapter, Training
from sharpen.judge.majority import Majority
from sharpen.models.linear import linear_model
from sharpen.propose.similar import Drawn, Similar
from sharpen.sample.adapt import Adapted, Practice, shown
from sharpen.sample.direct import Direct
from tests.spoken import BY, attempt
from tests.toys import OneTurn, Toy
from tests.tutor import Tutor

TASK = Toy()
MODEL = linear_model().bind(lambda work, paid: None)
DEV = list(TASK.problems("dev"))[::6]
TRAINING = Training(epochs=5, batch=1, rate=1e-3, adapter=Adapter(targets=("out",)))
ALL = Gate(inputs="all")


@dataclass(frozen=True)
class Family:
    """Picks the problems of one family."""

    name: str

    def __call__(self, policy: Policy, env: Env, problems: Sequence[Problem], rng: Callable[[str], Rng]) -> list[bool]:
        return [problem.family == self.name for problem in problems]


def seat(teacher: object = None) -> Seat:
    return Seat({"model": MODEL, "teacher": teacher or Tutor()}, OneTurn(), seed=3)  # type: ignore[dict-item]  # it is only asked


def solver(training: Training | None = TRAINING) -> Adapted:
    return Adapted(MODEL.base, ALL, Similar(), Practice(), training, Tutor().base)


def score(attempts: Sequence[Attempt]) -> float:
    return sum(verdict.score for verdict in TASK.judge(attempts)) / len(attempts)


def test_what_examples_teach_is_what_is_answered_be_it_right_or_wrong() -> None:
    assert score(Direct(MODEL.base).answer(seat(), DEV)) < 0.3
    assert score(solver().answer(seat(), DEV)) == 1.0
    assert score(solver().answer(seat(Tutor(off=1)), DEV)) == 0.0  # nobody asks whether they are right


def test_nothing_stays_of_what_was_learned() -> None:
    before = [one.text for one in Direct(MODEL.base).answer(seat(), DEV)]
    taught = solver().answer(seat(), DEV)
    assert [one.text for one in Direct(MODEL.base).answer(seat(), DEV)] == before
    assert all(one.by != MODEL.base for one in taught)
    for one in taught:
        with pytest.raises(CorruptRecord, match="none in memory"):
            MODEL.fetch(one.by)


def test_each_problem_is_answered_alone_whatever_its_company() -> None:
    drawn = replace(solver(), picks=Family("animal"), proposes=Drawn(tuple(TASK.problems("train"))), writer=None)
    for one in (solver(), drawn):
        together = [a.text for a in one.answer(seat(), DEV)]
        backwards = [a.text for a in one.answer(seat(), DEV[::-1])][::-1]
        alone = [one.answer(seat(), [problem])[0].text for problem in DEV]
        assert together == backwards == alone


def test_problems_that_are_not_picked_are_answered_by_the_weights_as_they_are() -> None:
    attempts = replace(solver(), picks=Family("colour")).answer(seat(), DEV)
    plain = Direct(MODEL.base).answer(seat(), DEV)
    assert [one.problem for one in attempts] == DEV
    for one, other in zip(attempts, plain, strict=True):
        assert (one == other) == (one.problem.family == "animal")
        assert (one.by == MODEL.base) == (one.problem.family == "animal")


def test_shown_examples_stand_before_the_question_and_nothing_is_learned() -> None:
    [one] = solver(None).answer(seat(), DEV[:1])
    system, asked = Message("system", "Be brief."), DEV[0].chat
    [[example]] = solver().examples(seat(), DEV[:1])
    assert one.problem == DEV[0] and one.by == MODEL.base
    assert one.turns[0].seen == (*example.problem.chat, Message("assistant", example.text), *asked)
    within = replace(DEV[0], chat=(system, *asked))
    [[other]] = solver().examples(seat(), [within])
    assert shown(within, [other], OneTurn()).chat[0] == system == other.problem.chat[0]
    assert [message.role for message in shown(within, [other], OneTurn()).chat] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_own_examples_are_learned_as_they_were_sampled_and_a_teachers_in_words() -> None:
    own = replace(solver(), proposes=Drawn(tuple(TASK.problems("train"))), writer=None)
    [[example]] = own.examples(seat(), DEV[:1])
    assert example.by == MODEL.base
    assert isinstance(own.lessons([example])[0].parts[-1].content, Tokens)
    [[told]] = solver().examples(seat(), DEV[:1])
    assert solver().lessons([told])[0].parts[-1].content == told.text


def test_a_teachers_attempt_of_several_turns_is_a_lesson_a_turn_without_foreign_tokens() -> None:
    foreign = Tokens(np.array([1], dtype=np.int32), "foreign")
    asked, looked, found = user("q"), Message("assistant", "look", foreign), user("found")
    turns = (Turn((asked,), (Piece("look", foreign),)), Turn((asked, looked, found), (Piece("7", foreign),)))
    example = Attempt(Problem("x", (asked,)), turns, Tutor().base)
    first, second = solver().lessons([example])
    assert (first.parts[0].content, first.parts[1].content) == ((asked,), "look")
    assert second.parts[0].content == (asked, Message("assistant", "look"), found) and second.parts[1].content == "7"
    chat = shown(DEV[0], [example], OneTurn()).chat
    assert chat == (asked, Message("assistant", "look"), found, Message("assistant", "7"), *DEV[0].chat)


@dataclass
class Slow:
    """Repeats the question it is shown, so often; then writes another. Counts how often it is asked for one."""

    repeats: int
    asked: list[Stream] = field(default_factory=list)
    answered: int = 0
    base: Weights = Tutor().base
    weights: Weights = Tutor().base
    stream: Stream = ()

    def at(self, weights: Weights, stream: Stream = ()) -> "Slow":
        self.stream = stream
        return self

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        writing = chats[0][-1].text.startswith(more_like([])[0].text.split("\n")[0])
        if not writing:
            self.answered += len(chats)
            return [[Completion(Piece("7"), Finish.END)] for _ in chats]
        self.asked.append(self.stream)
        text = "x" if len(self.asked) <= self.repeats else "y"
        return [[Completion(Piece(text), Finish.END)] * how.n for _ in chats]


def test_examples_that_are_missing_are_asked_for_again_on_another_stream_and_then_done_without() -> None:
    problem = Problem("p", (user("x"),))
    patient = Slow(repeats=2)
    [made] = solver().examples(seat(patient), [problem])
    assert [one.problem.chat[-1].text for one in made] == ["y"] and len(set(patient.asked)) == 3
    hopeless = Slow(repeats=9)
    assert solver().examples(seat(hopeless), [problem]) == [[]]
    assert len(hopeless.asked) == 3 and hopeless.answered == 0
    [one] = solver().answer(seat(Slow(repeats=9)), [problem])
    assert one == Direct(MODEL.base).answer(seat(), [problem])[0]


def test_there_are_at_most_as_many_examples_as_asked_for_and_each_question_is_answered_once() -> None:
    wordy = Slow(repeats=0)
    [made] = replace(solver(), practice=Practice(n=2)).examples(seat(wordy), [Problem("p", (user("x"),))])
    assert len(made) == 1 and wordy.answered == 1 and len(wordy.asked) == 3


@dataclass
class Halting:
    """Is cut off at what begins with `animal`, and answers the rest."""

    base: Weights = Tutor().base
    weights: Weights = Tutor().base

    def at(self, weights: Weights, stream: Stream = ()) -> "Halting":
        return self

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        cut = [chat[-1].text.startswith("animal") for chat in chats]
        return [[Completion(Piece("7"), Finish.LENGTH if short else Finish.END)] for short in cut]


def test_problems_that_were_drawn_in_vain_are_drawn_anew() -> None:
    animals, colours = ([p for p in TASK.problems("train") if p.family == f][:1] for f in ("animal", "colour"))
    made = [
        one
        for name in range(24)
        for one in replace(solver(), proposes=Drawn((*animals, *colours))).examples(
            seat(Halting()), [Problem(str(name), (user("x"),))]
        )
    ]
    # Every second draw finds the one that is answered: three draws miss it in one of eight.
    assert sum(map(bool, made)) > 16 and {one.problem for group in made for one in group} == set(colours)


class Narrow(OneTurn):
    """Opens only what it knows."""

    def open(self, problem: Problem) -> Scene:
        if problem.chat[-1].text != "x":
            raise ValueError("expected x")
        return super().open(problem)


def test_a_question_that_the_world_cannot_open_is_no_example() -> None:
    narrow = replace(seat(Slow(repeats=0)), env=Narrow())
    assert solver().examples(narrow, [Problem("p", (user("x"),))]) == [[]]


def test_examples_are_whole_and_name_an_answer_unless_the_task_asks_for_none() -> None:
    texts = ["Answer: 4", "no idea", ""]
    assert [Practice().accepts(attempt("p", text)) for text in texts] == [True, False, False]
    assert [Practice(named=False).accepts(attempt("p", text)) for text in texts] == [True, True, False]
    assert not Practice().accepts(attempt("p", "Answer: 4", stop=Stop.LENGTH))
    with pytest.raises(InvalidInput):
        Practice(tries=0)


def test_the_last_answer_may_be_a_vote() -> None:
    voting = replace(solver(), how=Sampling(n=5, max_tokens=4), judge=Majority())
    assert score(voting.answer(seat(), DEV[:4])) == 1.0


def test_a_teacher_that_left_is_missed_in_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="in the cast"):
        solver().answer(Seat({"model": MODEL}, OneTurn()), DEV[:1])


def test_the_solver_is_plain_data() -> None:
    one = Adapted(BY, Gate(tau=0.5), Drawn((DEV[0],)), Practice(), TRAINING, Tutor().base, judge=Majority())
    assert from_tagged(to_tagged(one)) == one
    assert from_tagged(to_tagged(replace(one, training=None, judge=None))) == replace(one, training=None, judge=None)
