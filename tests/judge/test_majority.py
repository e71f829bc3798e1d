import pytest

from sharpen.core.judging import final_answer, named_answer
from sharpen.judge.majority import Majority, PseudoLabel
from tests.spoken import attempt

TEXTS = ["Answer: 4", "so\nAnswer:  4", "Answer: 5", "no idea"]


def test_the_score_is_the_share_of_attempts_that_agree() -> None:
    assert [v.score for v in Majority()([attempt("p", t) for t in TEXTS])] == [0.5, 0.5, 0.25, 0.0]


def test_a_full_stop_does_not_split_the_vote() -> None:
    assert [v.score for v in Majority()([attempt("p", "Answer: 4."), attempt("p", "Answer: 4")])] == [1.0, 1.0]
    assert Majority()([attempt("p", "Answer: .")])[0].score == 0.0


def test_problems_vote_apart() -> None:
    assert [v.score for v in Majority()([attempt("p", "Answer: 4"), attempt("q", "Answer: 5")])] == [1.0, 1.0]


def test_nobody_learns_from_the_oracle() -> None:
    assert all(v.right is None for v in Majority()([attempt("p", t) for t in TEXTS]))


def test_the_majority_answer_stands_for_the_truth_only_where_it_is_sure_enough() -> None:
    attempts = [attempt("p", t) for t in TEXTS]
    assert [v.score for v in PseudoLabel(0.5)(attempts)] == [1.0, 1.0, 0.0, 0.0]
    assert [v.score for v in PseudoLabel(0.6)(attempts)] == [0.0] * 4


def test_of_equals_the_first_seen_wins() -> None:
    assert [v.score for v in PseudoLabel()([attempt("p", "Answer: 5"), attempt("p", "Answer: 4")])] == [1.0, 0.0]


def test_an_attempt_without_an_answer_never_leads() -> None:
    assert [v.score for v in PseudoLabel()([attempt("p", "hm"), attempt("p", "hm")])] == [0.0, 0.0]


def test_a_text_that_names_several_answers_has_given_none() -> None:
    assert final_answer("Answer: 4") == "4"
    assert final_answer("Answer: 4 Answer: 5") is None
    assert final_answer("Answer:") is None and final_answer("4") is None
    assert final_answer("Answer: 4\nor 5") is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("78", "78"),
        ("78.", "78"),
        ("47 + 31 = 78.", "78"),
        ("The answer to this problem is -1,234.5", "-1,234.5"),
        ("Answer: 78", "78"),
        ("Answer: 78\nAnswer: 79", None),
        ("It is 1. It is 78.", None),
        ("1 = 2 = 78", None),
        ("It is 78, or 79", None),
        ("78 79", None),
        ("Well.\nIt is 78.", None),
        ("What is 47 + 31 =", None),
        ("", None),
    ],
)
def test_a_reply_without_a_mark_may_name_one_number(text: str, answer: str | None) -> None:
    assert named_answer(text) == answer
