from hypothesis import given
from hypothesis import strategies as st

from sharpen.select.keep import above, cap_for, path
from tests.spoken import attempt, mark

MARKS = [
    mark("p", "a", 1.0),
    mark("p", "a", 1.0),
    mark("p", "b", 1.0),
    mark("p", "c", 0.0),
    mark("q", "a", 1.0),
    mark("q", "d", 0.5),
]


def test_keeps_distinct_attempts_strictly_above_the_threshold() -> None:
    assert [(m.attempt.problem.id, m.attempt.text) for m in above(MARKS, 0.5)] == [("p", "a"), ("p", "b"), ("q", "a")]


def test_keeps_the_best_of_a_problem_up_to_the_cap() -> None:
    assert [m.attempt.text for m in above(MARKS, 0.4, cap=1)] == ["a", "a"]
    assert [m.attempt.text for m in above([mark("q", "d", 0.5), mark("q", "a", 1.0)], 0.0, cap=1)] == ["a"]


def test_a_score_that_is_not_a_number_is_above_nothing() -> None:
    assert above([mark("p", "a", float("nan"))], -9.0) == []


def test_white_space_does_not_make_an_attempt_distinct() -> None:
    assert len(above([mark("p", "a  b", 1.0), mark("p", "a\nb", 1.0)], 0.5)) == 1


def test_two_attempts_with_the_same_calculations_are_one_path() -> None:
    one = attempt("p", "First 7 + 5 = 12\nthen 12-3=9\nAnswer: 9")
    same = attempt("p", "7+5=12\nso 12 - 3 = 9\nAnswer: 9")
    other = attempt("p", "5-3=2\n7+2=9\nAnswer: 9")
    assert path(one) == ("7+5=12", "12-3=9") == path(same)
    assert path(other) != path(one)


def test_the_cap_is_the_smallest_that_reaches_the_wanted_total() -> None:
    marks = [mark("p", str(i), 1.0) for i in range(5)] + [mark("q", str(i), 1.0) for i in range(2)]
    assert [cap_for(marks, 0.5, wanted) for wanted in (1, 2, 3, 4, 5, 6, 7, 8)] == [1, 1, 2, 2, 3, 4, 5, 64]


@given(
    st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from("abcd"), st.floats(0, 1)), max_size=30), st.floats(0, 1)
)
def test_what_is_kept_is_distinct_and_above(rows: list[tuple[str, str, float]], threshold: float) -> None:
    kept = above([mark(p, t, s) for p, t, s in rows], threshold)
    assert all(m.verdict.score > threshold for m in kept)
    assert len({(m.attempt.problem.id, m.attempt.text) for m in kept}) == len(kept)
