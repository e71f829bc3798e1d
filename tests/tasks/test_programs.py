"""Programs: the executor refuses what is no program, and the family's solutions are what they say they are."""

import pytest

from sharpen.core.streams import stream
from sharpen.tasks.executor import LARGEST, printed, run
from sharpen.tasks.programs import HELD_OUT, WORDINGS, Programs
from sharpen.tasks.single import SingleTurn

PROGRAMS = Programs()
PLACES = [(kind, level) for kind in PROGRAMS.kinds for level in PROGRAMS.levels]
ASK = "What does this print?\n"
STRAIGHT = ASK + "a=3\na=a+4\nb=a*2\nprint b"
LOOP = ASK + "a=3\nrepeat 3: a=a+2\nprint a"
BRANCH = ASK + "a=3\nif a>5: a=a+1\nif a<5: a=a+2\nprint a"
ODD = [
    "",
    " ",
    "\n\n",
    "Answer:",
    "Answer: ",
    "a=",
    "=3",
    "skip",
    "a=9999999999999999999999",
    "é=3",
    "²",
    "a=²",
    "\x00",
]


def drawn(kind: str, level: int, count: int, held_out: bool = False) -> list[str]:
    rng = stream("test programs", kind, level)
    return [PROGRAMS.draw(kind, level, rng, held_out) for _ in range(count)]


def test_its_world_is_one_turn() -> None:
    assert PROGRAMS.world(50) == SingleTurn(50)


def test_the_executor_names_every_change_in_order() -> None:
    assert run("a=3\nb=a+4\nb=b*2\nc=b/7\nprint c") == [("a", 3), ("b", 7), ("b", 14), ("c", 2)]
    assert run("a=3\nrepeat 3: a=a+2\nprint a") == [("a", 3), ("a", 5), ("a", 7), ("a", 9)]
    assert run("a=3\nif a=4: a=1\nif 2<a: a=a-5\nprint a") == [("a", 3), ("a", -2)]
    assert run("a=3\nrepeat 0: a=b\nprint a") == [("a", 3)]


def test_the_executor_prints_what_the_name_holds_at_the_end() -> None:
    assert printed("a=3\nb=a\na=b-5\nprint a\n") == -2


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("", "last line such as 'print a'"),
        ("print a", "last line such as 'print a'"),
        ("a=3\nb=4", "last line such as 'print a'"),
        ("a=3\nprint 3", "last line such as 'print a'"),
        ("a=3\nprint a\nprint a", "expected a line such as"),
        ("a=1+2+3\nprint a", "expected a line such as"),
        ("ab=1\nprint a", "expected a line such as"),
        ("a=-1\nprint a", "expected a line such as"),
        ("a=²\nprint a", "expected a line such as"),
        ("a=01\nprint a", "expected a line such as"),
        ("a=__import__('os')\nprint a", "expected a line such as"),
        ("a=1\nrepeat 2: repeat 2: a=a+1\nprint a", "expected a line such as"),
        ("a=b+1\nprint a", "'b' without one"),
        ("a=1\nif b>1: a=2\nprint a", "'b' without one"),
        ("a=1\nif a>1: b=2\nprint b", "'b' without one"),
        ("a=7\nb=a/2\nprint b", "without a rest"),
        ("a=7\nb=a/0\nprint b", "without a rest"),
        ("a=1\nrepeat 9999999999: a=a+1\nprint a", "at most 200 steps"),
        ("a=1000000001\nprint a", "numbers up to"),
        ("a=9\nrepeat 99: a=a*a\nprint a", "numbers up to"),
        ("a=1\n" * 500 + "print a", "at most 2000 characters"),
    ],
)
def test_the_executor_says_why_it_refuses(program: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        run(program)


def test_the_executor_takes_the_largest_number_and_the_most_steps() -> None:
    assert printed(f"a={LARGEST}\nprint a") == LARGEST
    assert len(run("a=1\nrepeat 9: a=a+1\nprint a", most=10)) == 10
    with pytest.raises(ValueError, match="at most 10 steps"):
        run("a=1\nrepeat 10: a=a+1\nprint a", most=10)


@pytest.mark.parametrize(
    ("question", "kind", "level", "text"),
    [
        (STRAIGHT, "straight", 2, "a=3\na=7\nb=14\nAnswer: 14"),
        (LOOP, "loop", 1, "a=3\na=5\na=7\na=9\nAnswer: 9"),
        (BRANCH, "branch", 2, "a=3\nskip\na=5\nAnswer: 5"),
    ],
)
def test_works_as_by_hand(question: str, kind: str, level: int, text: str) -> None:
    assert PROGRAMS.work(question).text == text
    assert PROGRAMS.place(question) == (kind, level, False)


@pytest.mark.parametrize(
    ("question", "text", "wrong"),
    [
        (STRAIGHT, "a=3\na=3\nb=6\nAnswer: 6", 1),
        (LOOP, "a=3\na=5\nAnswer: 5", 2),
        (BRANCH, "a=3\na=4\na=6\nAnswer: 6", 1),
    ],
)
def test_has_its_habit_as_by_hand(question: str, text: str, wrong: int) -> None:
    habit = PROGRAMS.habit(question, stream("unused"))
    assert (habit.text, habit.wrong) == (text, wrong)


def test_a_wrong_line_is_carried_on() -> None:
    lines = PROGRAMS.follow(STRAIGHT, "a=3\na=8\nb=16\nAnswer: 16")
    assert [line.right for line in lines] == [True, False, True, True]
    assert [line.left for line in lines][1:] == ["a=8; b=a*2; print b", "a=8 b=16; print b", "a=8 b=16; print b"]


def test_a_test_misjudged_is_carried_on() -> None:
    assert [line.right for line in PROGRAMS.follow(BRANCH, "a=3\na=4\nskip\nAnswer: 4")] == [True, False, False, True]


def test_an_answer_before_the_end_or_after_another_is_wrong() -> None:
    assert [line.right for line in PROGRAMS.follow(LOOP, "a=3\nAnswer: 3\na=5")] == [True, False, False]
    assert [line.right for line in PROGRAMS.follow(LOOP, "a=3\na=5\na=7\na=9\nAnswer: 9\nAnswer: 9")][-2:] == [
        True,
        False,
    ]


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_six_tokens_a_step_fit_the_reach(kind: str, level: int) -> None:
    for question in drawn(kind, level, 100):
        assert 6 * len(PROGRAMS.work(question).steps) + 8 <= PROGRAMS.reach(level)


@pytest.mark.parametrize(("lines", "level"), [(6, 6), (7, 7), (9, 7), (10, 8), (12, 8)])
def test_a_program_is_of_the_level_that_has_as_many_lines(lines: int, level: int) -> None:
    assert PROGRAMS.place(ASK + "a=1\n" + "a=a+1\n" * lines + "print a") == ("straight", level, False)


@pytest.mark.parametrize(("lines", "largest"), [(6, 999), (7, 9999), (12, 99_999)])
def test_longer_programs_may_have_larger_values(lines: int, largest: int) -> None:
    longer = ASK + "a=1\n" + "a=a+0\n" * (lines - 1)
    assert PROGRAMS.work(f"{longer}a={largest}\nprint a").answer == str(largest)
    with pytest.raises(ValueError, match=f"from 0 to {largest}"):
        PROGRAMS.work(f"{longer}a={largest + 1}\nprint a")


@pytest.mark.parametrize("kind", PROGRAMS.kinds)
@pytest.mark.parametrize("level", [7, 8])
def test_the_numbers_of_long_programs_are_too_large_to_guess(kind: str, level: int) -> None:
    results = [int(PROGRAMS.work(question).answer) for question in drawn(kind, level, 200)]
    assert min(results) >= 1000
    assert len(set(results)) > 180


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_a_question_opens_with_a_wording_of_its_own(kind: str, level: int, held_out: bool) -> None:
    for question in drawn(kind, level, 100, held_out):
        assert question.partition("\n")[0] in (HELD_OUT if held_out else WORDINGS)


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_there_are_many_questions(kind: str, level: int) -> None:
    assert len(set(drawn(kind, level, 2500))) >= 2000


@pytest.mark.parametrize(
    "answer", ["", " ", "9.", "9 9", "9\n9", "a=9", "Answer: 9", "it is 9", "09", "+9", "9.0", "8", "²"]
)
def test_pays_for_the_number_alone(answer: str) -> None:
    assert PROGRAMS.right(LOOP, " 9 ")
    assert not PROGRAMS.right(LOOP, answer)


@pytest.mark.parametrize("text", [*ODD, "x" * 10**6, "a=3\n" * 10**5, "a=9999999999\n" * 1000, ASK, LOOP])
def test_odd_text_is_wrong_and_raises_nothing(text: str) -> None:
    for question in (STRAIGHT, LOOP, BRANCH):
        assert not all(line.right for line in PROGRAMS.follow(question, text)) or not text.strip()
        assert not PROGRAMS.right(question, text)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "What is 2+3?",
        ASK,
        ASK + "a=3\nprint a",
        ASK + "a=1\n" * 14 + "print a",
        ASK + "a=3\na=a-5\nprint a",
        ASK + "a=1\nrepeat 40: a=a+1\nprint a",
        ASK + "a=500\na=a*2\nprint a",
        STRAIGHT.replace("What", "what"),
        *ODD,
    ],
)
def test_what_is_no_question_of_the_family_is_refused(question: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        PROGRAMS.place(question)


def test_a_slip_in_a_hostile_program_stays_small_and_raises_nothing() -> None:
    question = ASK + "a=1\nb=1\nrepeat 30: a=a*a\nb=a/b\nif a>1: c=2\nif a<2: c=3\nb=b*c\nprint c"
    rng = stream("test hostile")
    for _ in range(100):
        assert len(PROGRAMS.slip(question, rng).text) < 600
    assert PROGRAMS.place(question)[0] == "loop"


@pytest.mark.parametrize(("kind", "level"), [("other", 1), ("loop", 0), ("loop", 9)])
def test_a_place_that_is_none_is_refused(kind: str, level: int) -> None:
    with pytest.raises(ValueError, match="expected a kind"):
        PROGRAMS.draw(kind, level, stream("unused"))


def test_spacing_is_put_right_and_odd_text_is_left_without_complaint() -> None:
    assert PROGRAMS.tidy(" What does this print? \n a=3\na=a+4 \nb=a*2\nprint b\n") == STRAIGHT
    assert all(PROGRAMS.tidy(text) == text.strip() for text in ODD)
