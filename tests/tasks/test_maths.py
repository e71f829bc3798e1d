"""Mathematical answers: numbers decided at once, formulas in a process that cannot hold up the run."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.core.errors import WorkerDied
from sharpen.tasks.maths import Maths, number
from sharpen.tasks.worker import DIED, TIMED_OUT, Worker


@pytest.fixture(scope="module")
def maths() -> Maths:
    return Maths()


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("12", "12.0", True),
        ("12", "$12$", True),
        ("12", r"\boxed{12}", True),
        ("1000", "1,000", True),
        ("0.5", "1/2", True),
        ("1/2", r"\frac{2}{4}", True),
        ("50%", "0.5", True),
        ("12", "x = 12", True),
        ("12", "13", False),
        ("12", "6+6", False),
        ("12", "144/12", False),
        ("12", "13=12", False),
        ("12", "12 or 13", False),
        ("12", "", False),
        ("Paris", "Paris", True),
        ("Paris", "London", False),
        ("x^2+1", "1+x^2", True),
        ("x^2+1", "1 + x**2", True),
        ("x^2+1", "x^2-1", False),
        (r"\sqrt{2}", "sqrt(2)", True),
        ("(1,2)", "(1, 2)", True),
        (r"\{1,2\}", r"\{2,1\}", True),
        ("x^2+1", "it is x^2+1", False),
        ("x^2+1", "x^2+1 or x^2", False),
    ],
)
def test_answers_are_compared_as_mathematics(maths: Maths, gold: str, answer: str, right: bool) -> None:
    assert maths.same([(gold, answer)]) == [(right, "")]


@given(st.integers(-(10**9), 10**9), st.integers(0, 999))
def test_a_number_is_read_exactly(whole: int, thousandths: int) -> None:
    sign = "-" if whole < 0 else ""
    value = Fraction(abs(whole) * 1000 + thousandths, 1000) * (-1 if whole < 0 else 1)
    for text in (f"{sign}{abs(whole)}.{thousandths:03}", f"{sign}{abs(whole):,}.{thousandths:03}"):
        assert number(text) == value


@given(st.text())
def test_no_text_breaks_the_reading_of_numbers(text: str) -> None:
    assert number(text) is None or isinstance(number(text), Fraction)


def test_a_formula_that_takes_too_long_gets_no_marks_and_the_next_is_judged() -> None:
    slow = Maths(seconds=0.8)
    slow.same([("x^2", "x^2+1")])
    endless = r"\sum_{k=1}^{10^{12}} \frac{1}{k^{k}} x^{k} \prod_{j=1}^{k} \sin(j)"
    verdicts = slow.same([(r"x^{9^{9^{9}}}+1", "9^9^9^9^9 x"), ("y+x", endless)])
    assert [right for right, _ in verdicts] == [False, False]
    assert Maths().same([("x^2+1", "1+x^2")]) == [(True, "")]


def test_a_worker_that_is_late_is_killed_and_starts_again() -> None:
    worker = Worker()
    assert worker.ask({"do": "nothing"}, 30.0) == {"ok": True}
    assert worker.ask({"do": "math", "gold": "x^2", "answer": "x^3"}, 0.001) is TIMED_OUT
    assert worker.ask({"do": "nothing"}, 30.0) == {"ok": True}


def crash(worker: Worker) -> None:
    """Ends the process behind the worker's back; starts it first where it does not run."""
    worker.greet()
    assert worker._line is not None
    worker._line._process.kill()
    worker._line._process.wait()


def test_a_worker_that_dies_three_times_in_a_row_is_an_error() -> None:
    worker = Worker()
    assert worker.ask({"do": "nothing"}, 30.0) == {"ok": True}
    for _ in range(2):
        crash(worker)
        assert worker.ask({"do": "nothing"}, 30.0) is DIED
    crash(worker)
    with pytest.raises(WorkerDied, match="ended 3 times in a row"):
        worker.ask({"do": "nothing"}, 30.0)


def test_it_works_from_threads(maths: Maths) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: maths.same([(f"x+{k}", f"{k}+x")])[0][0], range(12)))
    assert found == [True] * 12
