from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Refusal
from sharpen.core.records import Chat, Completion, Finish, Message, Piece, Problem, Sampling, Scene, Weights, user
from sharpen.core.streams import stream
from sharpen.propose.families import in_turn
from sharpen.propose.pose import Writing, Written, dealt, read, watched
from tests.spoken import BY
from tests.toys import OneTurn, Toy

FRAME = (Message("system", "Be brief."),)
WRITING = Writing(form="reply", patience=3)
PROMPT = WRITING.prompt(["sums"])


@dataclass
class Teacher:
    """Says the next of its lines to whatever it is asked, over and over."""

    lines: Sequence[str]
    finish: Finish = Finish.END
    weights: Weights = BY
    said: int = 0
    asked: list[tuple[Chat, int]] = field(default_factory=list)
    streams: list[int] = field(default_factory=list)

    def at(self, stream: int) -> "Teacher":
        self.streams.append(stream)
        return self

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.asked += [(chat, how.n) for chat in chats]
        return [[self._next() for _ in range(how.n)] for _ in chats]

    def _next(self) -> Completion:
        self.said += 1
        return Completion(Piece(self.lines[(self.said - 1) % len(self.lines)]), self.finish)


def pairs(written: Sequence[Written]) -> list[tuple[str, str]]:
    return [(one.posed.problem.chat[-1].text, one.posed.answer) for one in written]


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Task: what is 1+1?\nAnswer: 2", ("what is 1+1?", "2")),
        ("Task: what is 1+1? Answer: 2.", ("what is 1+1?", "2")),
        ("A sum, I think. Task: what is\n1+1?\nSolution: 1+1=2\nAnswer: 2", ("what is\n1+1?", "2")),
        ("what is 1+1?\nAnswer: 2", None),
        ("Task: what is 1+1?", None),
        ("Task:  \nAnswer: 2", None),
        ("Task: one Task: two Answer: 2", None),
        ("Task: what is 1+1? Answer: 2 Answer: 3", None),
        ("Answer: 2 Task: what is 1+1?", None),
        ("Task: what is 1+1?\nAnswer:", None),
        ("Task: what is 1+1?\nAnswer: 2\nor so", None),
        ("", None),
    ],
)
def test_a_question_and_one_answer_are_read_and_nothing_else(text: str, pair: tuple[str, str] | None) -> None:
    assert read(text) == pair


def test_what_cannot_be_read_is_asked_for_again_until_there_are_enough() -> None:
    teacher = Teacher(["Task: a b Answer: 1", "what?", "Task: c d Answer: 2"])
    written, drawn = WRITING(teacher.at, OneTurn(), PROMPT, FRAME, 3)
    assert pairs(written) == [("a b", "1"), ("c d", "2"), ("a b", "1")]
    assert teacher.asked == [(PROMPT, 3), (PROMPT, 1)] and drawn == 4
    assert teacher.streams == [0, 1]  # asked twice on one stream it would say the same
    assert all(one.attempt.turns[0].seen == PROMPT and one.attempt.by == BY for one in written)
    assert written[0].posed.problem.chat == (*FRAME, user("a b"))


def test_a_teacher_that_cannot_write_is_given_up_after_so_many_calls() -> None:
    teacher = Teacher(["what?"])
    assert WRITING(teacher.at, OneTurn(), PROMPT, (), 2) == ([], 6)
    assert WRITING(Teacher(["Task: a Answer: 1"], Finish.LENGTH).at, OneTurn(), PROMPT, (), 2) == ([], 6)


def test_in_turns_the_teacher_answers_its_own_question_as_a_student_would_see_it() -> None:
    teacher = Teacher(["Task: a b", "Answer: 1"])
    (one,) = Writing(form="turns")(teacher.at, OneTurn(), PROMPT, FRAME, 1)[0]
    assert pairs([one]) == [("a b", "1")]
    assert [turn.seen for turn in one.attempt.turns] == [PROMPT, (*FRAME, user("a b"))]
    assert [turn.text for turn in one.attempt.turns] == ["Task: a b", "Answer: 1"]


@pytest.mark.parametrize("lines", [["", "Answer: 1"], ["a b", "no idea"], ["a Answer: 1", "Answer: 1"]])
def test_in_turns_both_must_be_readable(lines: list[str]) -> None:
    assert Writing(form="turns", patience=1)(Teacher(lines).at, OneTurn(), PROMPT, (), 1)[0] == []


def test_what_the_world_cannot_open_is_no_problem() -> None:
    class Shut(OneTurn):
        def open(self, problem: Problem) -> Scene:
            raise ValueError("no such place")

    for form, lines in (("reply", ["Task: a Answer: 1"]), ("turns", ["a", "Answer: 1"])):
        writing = Writing(form=form, patience=1)  # type: ignore[arg-type]  # one of the two
        assert writing(Teacher(lines).at, Shut(), PROMPT, (), 1)[0] == []


def test_one_question_with_two_answers_is_two_problems() -> None:
    teacher = Teacher(["Task: a Answer: 1", "Task: a Answer: 2", "Task: a Answer: 1"])
    written, _ = WRITING(teacher.at, OneTurn(), PROMPT, (), 3)
    ids = [one.posed.problem.id for one in written]
    assert ids[0] == ids[2] != ids[1]


def test_the_prompt_names_what_problems_are_about_or_is_the_users_own() -> None:
    assert "sums, words" in Writing(form="turns").prompt(["sums", "words"])[0].text
    assert "sums, words" in Writing(form="reply").prompt(["sums", "words"])[0].text
    assert Writing(request="Surprise me.").prompt(["sums"]) == (user("Surprise me."),)


def test_datasets_are_whole_and_in_order() -> None:
    written, _ = WRITING(Teacher([f"Task: {i} Answer: {i}" for i in range(5)]).at, OneTurn(), PROMPT, (), 5)
    assert [[one.posed.answer for one in each] for each in dealt(written, 2)] == [["0", "1"], ["2", "3"]]


def test_what_is_watched_is_counted_by_hand() -> None:
    teacher = Teacher(["Task: a Answer: 1", "Task: a Answer: 1", "Task: b Answer: 1", "Task: c Answer: 1"])
    written, _ = WRITING(teacher.at, OneTurn(), PROMPT, (), 4)

    def admit(problem: Problem) -> Problem | Refusal:
        text = problem.chat[-1].text
        return Refusal("no") if text == "c" else Problem(text, problem.chat, level=1.0 if text == "a" else 4.0)

    found = watched(written, 8, admit)
    assert found == {"teach/written": 0.5, "teach/distinct": 0.75, "teach/admitted": 0.75, "teach/level": 2.0}
    assert watched([], 8, admit) == {"teach/written": 0.0}


def test_a_posed_problem_is_one_the_oracle_does_not_know() -> None:
    question = Toy().problems("train")[0]
    teacher = Teacher([f"Task: {question.chat[-1].text} Answer: 1"])
    posed = WRITING(teacher.at, OneTurn(), PROMPT, (), 1)[0][0].posed
    assert posed.problem.chat == question.chat and posed.problem.id != question.id


def test_families_take_turns() -> None:
    made = in_turn(Toy(), 1, 3, lambda family: stream("made", family))
    assert [problem.family for problem in made] == ["animal", "colour", "animal"]
    assert {problem.level for problem in made} == {1.0}


def test_writing_without_a_gradient_is_refused() -> None:
    with pytest.raises(InvalidInput, match="sets >= 2"):
        Writing(sets=1)
    with pytest.raises(InvalidInput, match="top_p 1"):
        Writing(how=Sampling(top_p=0.9))
