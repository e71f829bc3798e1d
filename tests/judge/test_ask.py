import math
from collections.abc import Sequence

from sharpen.core.records import Chat, Completion, Finish, Piece, Sampling, Weights
from sharpen.judge.ask import Ask
from tests.spoken import BY, attempt


class Grader:
    """Says the same things to everybody, one after the other."""

    weights: Weights = BY

    def __init__(self, *words: str) -> None:
        self.words = words
        self.asked: list[Chat] = []

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.asked += chats
        return [[Completion(Piece(word), Finish.END) for word in self.words] for _ in chats]


def test_the_score_is_the_mean_of_the_grades_that_parse() -> None:
    assert Ask(Grader("good. score: 4", "Score: 2", "dunno"))([attempt("p", "x")])[0].score == 3.0


def test_what_cannot_be_graded_is_not_a_number() -> None:
    assert math.isnan(Ask(Grader("dunno", "score: 9"))([attempt("p", "x")])[0].score)


def test_the_judge_sees_the_question_and_the_answer_and_no_label() -> None:
    grader = Grader("score: 1")
    Ask(grader)([attempt("what is 2+2?", "five")])
    assert "what is 2+2?" in grader.asked[0][0].text and "five" in grader.asked[0][0].text
