from collections.abc import Sequence

from sharpen.core.records import (
    Attempt,
    Chat,
    Completion,
    Finish,
    Piece,
    Problem,
    Reference,
    Sampling,
    Turn,
    Weights,
    user,
)
from sharpen.core.streams import stream
from sharpen.propose.hint import hinted, unhinted
from sharpen.propose.invent import invent
from sharpen.propose.prefix import joined, prefixes
from tests.spoken import BY, attempt
from tests.toys import OneTurn

SEEDS = [Problem(str(i), (user(f"what is {i}+{i}?"),)) for i in range(4)]


class Writer:
    """Says one thing after the other."""

    weights: Weights = BY

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        return [[Completion(Piece(text), Finish.END)] for text, _ in zip(self.texts, chats, strict=True)]


def test_a_hint_shows_the_answer_and_leaves_the_problem_its_id() -> None:
    shown = hinted(SEEDS[0], Reference("0"))
    assert shown.id == "0" and "0" in shown.chat[-1].text.removeprefix(SEEDS[0].chat[-1].text)
    assert SEEDS[0].chat[-1].text == "what is 0+0?"


def test_an_attempt_with_a_hint_is_put_back_without_it() -> None:
    shown = hinted(SEEDS[0], Reference("0"))
    turns = (Turn(shown.chat, (Piece("hm"),)), Turn((*shown.chat, user("go on")), (Piece("Answer: 0"),)))
    back = unhinted(Attempt(shown, turns, BY), SEEDS[0], OneTurn())
    assert back.problem == SEEDS[0] and back.text == "Answer: 0"
    assert [turn.seen for turn in back.turns] == [SEEDS[0].chat, (*SEEDS[0].chat, user("go on"))]


def test_prefixes_end_with_the_whole_attempt_every_step_with_its_mark() -> None:
    begun = prefixes(attempt("p", "one\ntwo\nthree"))
    assert [problem.chat[-1].text for problem in begun] == ["one\n", "one\ntwo\n", "one\ntwo\nthree\n"]
    assert all(problem.id == "p" and problem.chat[-1].role == "assistant" for problem in begun)
    assert [problem.chat[-1].text for problem in prefixes(attempt("p", "one\n"))] == ["one\n"]
    assert prefixes(attempt("p", " ")) == []


def test_what_was_begun_and_gone_on_with_is_one_attempt_at_the_problem_itself() -> None:
    start = prefixes(attempt("p", "one\ntwo"))[0]
    gone_on = Attempt(start, (Turn(start.chat, (Piece("Answer: 2"),)),), BY)
    whole = joined(gone_on)
    assert whole.problem == Problem("p", (user("p"),)) and whole.turns[0].seen == (user("p"),)
    assert whole.text == "one\nAnswer: 2"
    assert [piece.author for piece in whole.said] == ["method", "policy"]


def test_invented_problems_are_new_distinct_and_named_by_their_text() -> None:
    writer = Writer("Task: what is 9+9?", "what is 9+9?", "what is 1+1?", "")
    invented = invent(writer, SEEDS, 4, stream("test"), Sampling())
    assert [problem.chat[-1].text for problem in invented] == ["what is 9+9?"]
    assert invented[0].id == invent(writer, SEEDS, 4, stream("else"), Sampling())[0].id
