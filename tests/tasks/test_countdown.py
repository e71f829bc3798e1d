"""Countdown: puzzles that can be solved, expressions that solve them, and expressions that only seem to."""

import pytest

from sharpen.core.streams import stream
from sharpen.tasks.countdown import Countdown, value
from sharpen.tasks.family import Family
from sharpen.tasks.reaching import solve

COUNTDOWN: Family = Countdown()
TIMES = "Use 3 5 9 once each to make 24."
PLUS = "Get 7 out of 3 5 9, each taken once."
PLACES = [
    (kind, level, held_out) for kind in COUNTDOWN.kinds for level in COUNTDOWN.levels for held_out in (False, True)
]


def drawn(kind: str, level: int, held_out: bool, count: int = 40) -> list[str]:
    rng = stream("test-countdown", kind, level)
    return [COUNTDOWN.draw(kind, level, rng, held_out) for _ in range(count)]


@pytest.mark.parametrize(
    ("question", "kind", "level", "held_out", "text"),
    [
        (TIMES, "times", 2, False, "3*5=15\n15+9=24\nAnswer: 3*5+9"),
        (PLUS, "plus", 2, True, "3+9=12\n12-5=7\nAnswer: 3+9-5"),
        ("Make 56 with all of 5 8 2.", "times", 2, False, "2+5=7\n7*8=56\nAnswer: (2+5)*8"),
    ],
)
def test_a_puzzle_is_solved_as_by_hand(question: str, kind: str, level: int, held_out: bool, text: str) -> None:
    assert COUNTDOWN.place(question) == (kind, level, held_out)
    assert COUNTDOWN.work(question).text == text


@pytest.mark.parametrize(("kind", "level", "held_out"), PLACES)
def test_a_slip_makes_two_wrong_lines(kind: str, level: int, held_out: bool) -> None:
    rng = stream("slips", kind, level)
    for question in drawn(kind, level, held_out):
        slip = COUNTDOWN.slip(question, rng)
        assert [line.right for line in COUNTDOWN.follow(question, slip.text)].count(False) == 2


def test_the_habit_adds_everything_up() -> None:
    assert COUNTDOWN.habit(TIMES, stream("habit")).text == "9+5=14\n14+3=17\nAnswer: 9+5+3"


def test_other_ways_are_right_too() -> None:
    question = "Reach 23 from 2 4 3 5. Use each number once."
    lines = COUNTDOWN.follow(question, "2*4=8\n3*5=15\n8+15=23\nAnswer: 2*4+3*5")
    assert all(line.right for line in lines)
    assert [line.left for line in lines] == ["3 5 8 to 23", "8 15 to 23", "23 to 23", "23 to 23"]
    assert COUNTDOWN.right(question, "5*3+(4*2)")


@pytest.mark.parametrize(
    ("text", "rights"),
    [
        ("3*3=9\n5*3=15", [False, True]),
        ("3*5=16\n16+9=25", [False, True]),
        ("5+3=8\n5+9=14", [True, False]),
        ("3-5=0\n9-0=9", [False, True]),
        ("03*5=15", [False]),
        ("15+9=24", [False]),
        ("Answer: 3*5+9\n3*5=15", [True, False]),
    ],
)
def test_a_step_takes_two_numbers_that_are_left(text: str, rights: list[bool]) -> None:
    assert [line.right for line in COUNTDOWN.follow(TIMES, text)] == rights


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("3*5+9", (24, [3, 5, 9])),
        ("9-(5-3)*2", (5, [9, 5, 3, 2])),
        ("2-3-4", (-5, [2, 3, 4])),
        ("((7))", (7, [7])),
        ("", None),
        ("3+", None),
        ("-3+5", None),
        ("(3+5", None),
        ("3+5)", None),
        ("3 5", None),
        ("1234", None),
        ("3(5)", None),
        ("()", None),
        ("3**5", None),
        ("03+5", None),
        ("٣+5", None),
        ("(" * 60, None),
        ("1+" * 40 + "1", None),
    ],
)
def test_an_expression_is_read_strictly(expression: str, expected: tuple[int, list[int]] | None) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " ",
        "24",
        "3*5",
        "3*5+9=24",
        "3*5+9 or 9+3*5",
        "3*5+9\n9+3*5",
        "3*5+9+9-9",
        "Answer: 3*5+9",
        "8*3",
        "3*(5+9)",
    ],
)
def test_nothing_but_a_solving_expression_is_an_answer(answer: str) -> None:
    assert not COUNTDOWN.right(TIMES, answer)
    assert COUNTDOWN.right(TIMES, "9+3*5") and COUNTDOWN.right(TIMES, "3*5+9.")


@pytest.mark.parametrize("text", ["", "\n", "?", "3*5=", "9" * 50_000, "3*5=15\n" * 9000, "Answer:" * 9000, "(" * 9000])
def test_odd_texts_are_wrong_and_never_raise(text: str) -> None:
    assert not COUNTDOWN.right(TIMES, text)
    assert not all(line.right for line in COUNTDOWN.follow(TIMES, text)) or not text.strip()


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Use 3 once each to make 3.",
        "Use 3 5 9 once each to make 24",
        "Use 3  5 once each to make 8.",
        "Use 3 05 once each to make 8.",
        "Use 3 51 once each to make 54.",
        "Use 1 1 1 1 1 1 1 1 1 once each to make 9.",
        "Use 1 1 once each to make 7.",
        "Use 3 5 once each to make 1000.",
    ],
)
def test_what_is_no_puzzle_or_cannot_be_solved_is_refused(question: str) -> None:
    for ask in (COUNTDOWN.place, COUNTDOWN.work):
        with pytest.raises(ValueError, match="expected a puzzle"):
            ask(question)


def test_signs_come_before_products_and_no_chain_is_none() -> None:
    assert solve((2, 2), 4) == (2, [("+", 2)])
    assert solve((9, 3, 5), 0) is None


@pytest.mark.parametrize("kind", COUNTDOWN.kinds)
def test_the_questions_of_a_kind_differ(kind: str) -> None:
    assert len(set(drawn(kind, 3, False, 1000))) > 900
