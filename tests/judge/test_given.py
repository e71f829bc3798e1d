import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.core.errors import Unanswerable
from sharpen.core.records import Verdict
from sharpen.judge.given import Given, agree, points, shares
from tests.spoken import attempt, mark


@pytest.mark.parametrize(
    ("text", "paid"),
    [
        ("7+5=12\nAnswer: 12", 120),
        ("Answer: 12.", 120),
        ("12", 120),
        ("Answer: 12.0", 120),
        ("Answer: 12 or 13", 20),
        ("Answer: it is 12 I think", 20),
        ("Answer: 112", 10),
        ("Answer: 13", 10),
        ("Answer: 13, for 12 is too few", 20),
        ("7+5=12\nAnswer: 13", 10),  # what is said elsewhere is no answer
        ("Answer: 12 Answer: 13", 0),
        ("Answer:", 0),
        ("it could be 12 or 13", 0),
        ("", 0),
    ],
)
def test_the_sheets_pay_for_the_answer_for_naming_it_for_form_and_for_nothing(text: str, paid: float) -> None:
    assert points(text, "12") == paid


@pytest.mark.parametrize(
    ("one", "other"), [("1,000", "1000"), ("0.5", "1/2"), ("-3", "-3.00"), ("two  words", "two words"), ("1/0", "1/0")]
)
def test_answers_agree_as_words_or_as_numbers(one: str, other: str) -> None:
    assert agree(one, other) and agree(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("1", "-1"), ("1/0", "2/0"), ("1e3", "1000"), ("12", "12 apples"), ("", "0")]
)
def test_what_is_another_number_or_no_plain_one_does_not_agree(one: str, other: str) -> None:
    assert not agree(one, other) and not agree(other, one)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_numbers_agree_where_they_are_equal(one: int, other: int) -> None:
    assert agree(f"{one:,}", f"{other}.0") == (one == other)


def test_posed_problems_are_judged_by_their_answers_and_all_others_by_the_other_judge_in_order() -> None:
    asked: list[str] = []

    def oracle(attempts: object) -> list[Verdict]:
        assert isinstance(attempts, list)
        asked.extend(one.problem.id for one in attempts)
        return [Verdict(1.0, True), Verdict(0.0, False), Verdict(0.0, False)]

    tried = [
        attempt("hard", "9"),
        attempt("posed", "7"),
        attempt("hard", "8"),
        attempt("posed", "6"),
        attempt("hard", "x"),
    ]
    verdicts = Given({"posed": "7"}, oracle)(tried)
    assert [verdict.score for verdict in verdicts] == [120, 120, 10, 10, 0]
    assert [verdict.right for verdict in verdicts] == [True, None, False, None, False]
    assert asked == ["hard", "hard", "hard"]


def test_no_other_judge_is_asked_where_all_were_answered_and_needed_where_not() -> None:
    assert Given({"posed": "7"})([attempt("posed", "7")])[0].right is None
    with pytest.raises(Unanswerable, match="'hard'"):
        Given({"posed": "7"})([attempt("hard", "7")])


def test_solving_is_told_apart_from_form() -> None:
    marks = [mark("p", "7", score) for score in (120.0, 20.0, 10.0, 0.0)]
    assert shares("drill", marks) == {"drill/right": 0.25, "drill/formed": 0.75}
