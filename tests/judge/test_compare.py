import math
from collections.abc import Callable, Sequence

import numpy as np

from sharpen.core.records import Attempt, Chat, Completion, Finish, Piece, Sampling, Verdict, Weights
from sharpen.core.streams import stream
from sharpen.core.tokens import Floats, Tokens
from sharpen.judge.compare import ByLabel, ByReply, Margin, Pair, shared
from sharpen.judge.grade import GradeByLabel, GradeByReply
from tests.spoken import BY, attempt

GOOD, BAD = attempt("which?", "good"), attempt("which?", "bad")


class Opinion:
    """Says to each chat what a function says of its text."""

    weights: Weights = BY

    def __init__(self, says: Callable[[str], str]) -> None:
        self.says = says
        self.asked: list[str] = []

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.asked += [chat[-1].text for chat in chats]
        return [[Completion(Piece(self.says(chat[-1].text)), Finish.END)] for chat in chats]


class Leaning:
    """Finds the label that a function names likelier."""

    def __init__(self, says: Callable[[str], str]) -> None:
        self.says = says
        self.asked: list[str] = []

    def logprobs(self, chats: Sequence[Chat], said: Sequence[Tokens | str]) -> list[Floats]:
        raise NotImplementedError

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        self.asked += [chat[-1].text for chat in chats]
        rows = [[-0.5 if label == self.says(chat[-1].text) else -2.0 for label in labels] for chat in chats]
        return [np.array(row, dtype=np.float32) for row in rows]


def discerning(text: str) -> str:
    return "A" if text.index("good") < text.index("bad") else "B"


def always_a(text: str) -> str:
    return "A"


def test_the_better_attempt_wins_on_either_side() -> None:
    for judge in (ByLabel(Leaning(discerning)), ByReply(Opinion(discerning))):
        assert judge([(GOOD, BAD), (BAD, GOOD)]) == [1.0, 0.0]


def test_a_judge_that_prefers_a_side_calls_everything_a_draw() -> None:
    for judge in (ByLabel(Leaning(always_a)), ByReply(Opinion(always_a))):
        assert judge([(GOOD, BAD), (BAD, GOOD)]) == [0.5, 0.5]


def test_each_pair_is_asked_about_in_both_orders_and_equal_wordings_not_at_all() -> None:
    for model, judge in ((one := Leaning(discerning), ByLabel(one)), (two := Opinion(discerning), ByReply(two))):
        assert judge([(GOOD, attempt("which?", " good\n")), (GOOD, BAD)]) == [0.5, 1.0]
        assert [discerning(text) for text in model.asked] == ["A", "B"]
        assert all("which?" in text for text in model.asked)


def test_nothing_is_asked_where_all_is_alike() -> None:
    model = Opinion(discerning)
    assert ByReply(model)([(GOOD, GOOD)]) == [0.5] and not model.asked


def test_a_reply_that_is_neither_label_speaks_for_nobody() -> None:
    assert ByReply(Opinion(lambda text: "A or B"))([(GOOD, BAD)]) == [0.5]
    assert ByReply(Opinion(lambda text: f" {discerning(text)}.\n"))([(GOOD, BAD)]) == [1.0]
    half = ByReply(Opinion(lambda text: "A" if discerning(text) == "A" else "neither"))
    assert half([(GOOD, BAD)]) == [0.5]


def by_length(attempts: Sequence[Attempt]) -> list[Verdict]:
    return [Verdict(float(len(one.text))) for one in attempts]


def test_the_higher_score_wins_and_equals_draw() -> None:
    assert Margin(by_length)([(GOOD, BAD), (BAD, GOOD), (BAD, attempt("which?", "odd"))]) == [1.0, 0.0, 0.5]


def test_an_attempt_that_meets_several_is_judged_once() -> None:
    seen: list[Attempt] = []

    def judge(attempts: Sequence[Attempt]) -> list[Verdict]:
        seen.extend(attempts)
        return by_length(attempts)

    Margin(judge)([(GOOD, BAD), (BAD, GOOD)])
    assert seen == [GOOD, BAD]


def test_what_cannot_be_scored_draws() -> None:
    assert Margin(lambda attempts: [Verdict(math.nan), Verdict(1.0)])([(GOOD, BAD)]) == [0.5]


def test_judges_share_the_pairs_and_see_a_tenth_twice() -> None:
    pairs = [(attempt(f"{place}", "good"), attempt(f"{place}", "bad")) for place in range(41)]
    asked: list[list[Pair]] = [[], [], []]

    def saying(place: int) -> Callable[[Sequence[Pair]], list[float]]:
        def say(own: Sequence[Pair]) -> list[float]:
            asked[place] += own
            return [place / 2] * len(own)

        return say

    scores, doubles = shared([saying(place) for place in range(3)], pairs, 0.1, stream("shares"))
    assert sorted(scores.count(score) for score in (0.0, 0.5, 1.0)) == [13, 14, 14]
    assert len(doubles) == 5 and set(doubles) <= {(0.0, 0.5), (0.5, 1.0), (1.0, 0.0)}
    assert sum(map(len, asked)) == 46
    assert all(pair in asked[round(2 * score)] for pair, score in zip(pairs, scores, strict=True))


def test_one_judge_sees_nothing_twice_and_equal_wordings_are_nobodys_second_look() -> None:
    pairs = [(GOOD, GOOD)] * 9 + [(GOOD, BAD)]
    assert shared([Margin(by_length)], pairs, 1.0, stream("one")) == ([0.5] * 9 + [1.0], [])
    assert shared([Margin(by_length)] * 2, pairs, 0.1, stream("two"))[1] == [(1.0, 1.0)]


def test_a_grade_is_the_reply_or_what_the_model_expects() -> None:
    assert GradeByReply(Opinion(lambda text: "4"))([GOOD])[0].score == 4.0
    assert math.isnan(GradeByReply(Opinion(lambda text: "between 2 and 4"))([GOOD])[0].score)
    score = GradeByLabel(Leaning(lambda text: "4"))([GOOD])[0].score
    low, high = math.exp(-2.0), math.exp(-0.5)
    assert abs(score - (11 * low + 4 * high) / (4 * low + high)) < 1e-6


def test_a_grader_sees_the_question_and_the_answer() -> None:
    model = Opinion(lambda text: "4")
    GradeByReply(model)([GOOD])
    assert model.asked == ["which?\ngood\nGrade it from 1 to 5."]


def test_a_grade_that_has_no_room_is_none() -> None:
    class Full:
        def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
            return [np.full(len(labels), -np.inf, dtype=np.float32) for _ in chats]

        def logprobs(self, chats: Sequence[Chat], said: Sequence[object]) -> list[Floats]:
            raise NotImplementedError

    assert math.isnan(GradeByLabel(Full())([GOOD])[0].score)
    assert ByLabel(Full())([(GOOD, attempt("p", "other"))]) == [0.5]
