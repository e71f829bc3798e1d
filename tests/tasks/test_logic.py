"""The family of logic: right workings, wrong workings, and what it will not be fooled by."""

import pytest

from sharpen.core.streams import stream
from sharpen.tasks.family import Worked
from sharpen.tasks.logic import Logic

LOGIC = Logic()
EVERYWHERE = [(kind, level) for kind in LOGIC.kinds for level in LOGIC.levels]
DRAWS = 120
BOOLEAN = "Is ( true and false ) or not false true?"
ORDER = "Ada is taller than Ben. Cal is shorter than Ben. Dora is taller than Ada. Who is {}?"
RULES = "Every wug is a dax. Every mip is a wug. Every dax is a fep. "
ODD_TEXTS = ("", "\n\n", "Answer:", "Answer: yes\nAnswer: no", "-> ->", " > ", "Ada > Ada", "( " * 200, "not " * 500)


def drawn(kind: str, level: int, count: int = DRAWS) -> list[str]:
    rng = stream("test logic", kind, level)
    return [LOGIC.draw(kind, level, rng, held_out=number % 4 == 0) for number in range(count)]


def first_wrong(question: str, text: str) -> int | None:
    return next((place for place, line in enumerate(LOGIC.follow(question, text)) if not line.right), None)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (BOOLEAN, "false or not false\nfalse or true\ntrue\nAnswer: yes"),
        ("Is true or false and false true?", "true or false\ntrue\nAnswer: yes"),
        ("Is not ( true or false ) true?", "not true\nfalse\nAnswer: no"),
        ("Ada asks Ben: Is this right: not not true?", "not false\ntrue\nAnswer: yes"),
        (ORDER.format("tallest"), "Ada > Ben\nAda > Ben > Cal\nDora > Ada > Ben > Cal\nAnswer: Dora"),
        (ORDER.format("second shortest"), "Ada > Ben\nAda > Ben > Cal\nDora > Ada > Ben > Cal\nAnswer: Ben"),
        ("Who is oldest? Ada is younger than Ben.", "Ben > Ada\nAnswer: Ben"),
        (RULES + "Is every wug a fep?", "wug -> dax\nwug -> fep\nAnswer: yes"),
        (RULES + "Is every wug a mip?", "wug -> dax\nwug -> fep\nAnswer: no"),
        (RULES + "Ada is a dax. Is Ada a fep?", "Ada -> dax\nAda -> fep\nAnswer: yes"),
        ("Is a wug a dax? Every wug is a dax.", "wug -> dax\nAnswer: yes"),
    ],
)
def test_works_as_by_hand(question: str, text: str) -> None:
    assert LOGIC.work(question).text == text


@pytest.mark.parametrize(
    ("question", "text", "place"),
    [
        (BOOLEAN, "( true and false ) or true\nfalse or true\ntrue\nAnswer: yes", None),
        (BOOLEAN, "true or not false\ntrue or true\ntrue\nAnswer: yes", 0),
        (BOOLEAN, "false or not false\nfalse or true\nAnswer: yes", 2),
        (BOOLEAN, "Answer: yes", 0),
        (BOOLEAN, "false or not false\nfalse or true\ntrue\nAnswer: yes\nI am sure", 4),
        ("Is true or false and false true?", "true and false\nfalse\nAnswer: no", 0),
        (ORDER.format("tallest"), "Dora > Ada\nDora > Ada > Ben\nDora > Ada > Ben > Cal\nAnswer: Dora", None),
        (ORDER.format("tallest"), "Ada > Ben\nDora > Ada > Ben > Cal\nAnswer: Dora", 1),
        (ORDER.format("tallest"), "Ada > Ben\nAda > Ben > Cal\nAda > Dora > Ben > Cal\nAnswer: Ada", 2),
        (RULES + "Is every wug a fep?", "wug -> fep\nAnswer: yes", 0),
        (RULES + "Is every wug a mip?", "wug -> dax\nAnswer: no", 1),
    ],
)
def test_finds_the_first_wrong_line(question: str, text: str, place: int | None) -> None:
    assert first_wrong(question, text) == place


def test_carries_on_what_a_wrong_line_claims() -> None:
    lines = LOGIC.follow(BOOLEAN, "false or not false\nfalse or false\nfalse\nAnswer: no")
    assert [line.right for line in lines] == [True, False, True, True]


@pytest.mark.parametrize(("kind", "level"), EVERYWHERE)
def test_a_working_has_a_step_for_each_level(kind: str, level: int) -> None:
    assert {len(LOGIC.work(question).steps) for question in drawn(kind, level)} == {level}


@pytest.mark.parametrize(("kind", "level"), EVERYWHERE)
def test_a_slip_is_in_a_step_and_never_in_the_answer_alone(kind: str, level: int) -> None:
    rng = stream("slip", kind, level)
    for question in drawn(kind, level):
        slipped = LOGIC.slip(question, rng)
        assert slipped.wrong is not None and slipped.wrong < level


@pytest.mark.parametrize(
    ("question", "made"),
    [
        ("Is true or ( true and false ) true?", Worked(("true and false", "false"), "no", 0)),
        ("Is true and not false true?", Worked(("true and true", "true"), "yes", None)),
        (ORDER.format("tallest"), Worked(("Ada > Ben",), "Ada", 1)),
        (RULES + "Is every wug a mip?", Worked(("wug -> mip",), "yes", 0)),
        (RULES + "Is every wug a fep?", Worked(("wug -> dax",), "no", 1)),
    ],
)
def test_the_habit_is_as_by_hand(question: str, made: Worked) -> None:
    assert LOGIC.habit(question, stream("habit")) == made


@pytest.mark.parametrize(("kind", "level"), EVERYWHERE)
def test_a_question_is_short(kind: str, level: int) -> None:
    assert max(map(len, drawn(kind, level))) < 400


@pytest.mark.parametrize(("kind", "level"), [at for at in EVERYWHERE if at[0] != "order"])
def test_yes_and_no_are_even(kind: str, level: int) -> None:
    assert 150 < sum(LOGIC.work(question).answer == "yes" for question in drawn(kind, level, 400)) < 250


@pytest.mark.parametrize(("kind", "level"), EVERYWHERE)
def test_the_questions_of_a_place_differ(kind: str, level: int) -> None:
    assert len(set(drawn(kind, level))) > 0.7 * DRAWS


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize("question", [BOOLEAN, ORDER.format("tallest"), RULES + "Is every wug a fep?"])
def test_odd_texts_are_wrong_and_nothing_worse(question: str, text: str) -> None:
    assert not any(line.right for line in LOGIC.follow(question, text)[:1])
    assert not LOGIC.right(question, text)


@pytest.mark.parametrize(
    "answer", ["", "no", "Yes", "yes yes", "yes no", "the answer is yes", "'yes'", "yes\nyes", "true"]
)
def test_only_the_answer_itself_is_right(answer: str) -> None:
    assert LOGIC.right(BOOLEAN, "yes")
    assert not LOGIC.right(BOOLEAN, answer)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Is true true?",
        "Is ( true and false true?",
        "Is true and and false true?",
        "Who is tallest?",
        "Ada is taller than Ada. Who is tallest?",
        "Ada is taller than Ben. Ben is taller than Ada. Who is tallest?",
        "Ada is taller than Ben. Cal is taller than Ben. Who is tallest?",
        "Ada is older than Ben. Who is tallest?",
        "Every wug is a dax. Every dax is a wug. Is every wug a fep?",
        "Every wug is a dax. Every wug is a fep. Is every wug a fep?",
        "Every wug is a dax. Is every dax a wug?",
        "Is every wug a dax?",
        "Is " + "not " * 9 + "true true?",
        "true " * 5000,
    ],
)
def test_what_is_no_question_raises(question: str) -> None:
    with pytest.raises(ValueError, match="expected a question of logic"):
        LOGIC.work(question)
    assert LOGIC.tidy(question) == question


def test_spacing_is_put_right() -> None:
    assert LOGIC.tidy(" Is  (true and false)or not false true ?") == BOOLEAN


def test_the_smallest_invented_syllogism_can_go_wrong() -> None:
    question = "Every wug is a dax. Is every wug a dax?"
    slipped = LOGIC.slip(question, stream("slip"))
    assert slipped.answer == "no" and first_wrong(question, slipped.text) == slipped.wrong == 0
