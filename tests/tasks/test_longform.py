"""The family `longform`: hand-worked cases, what holds of every draw, and what it will not be fooled by."""

import pytest

from sharpen.core.streams import stream
from sharpen.tasks.longform import Longform

FAMILY = Longform()
DRAWS = 150
PLACES = [(kind, level) for kind in FAMILY.kinds for level in FAMILY.levels]
ODD = (
    "",
    "Answer:",
    "Answer: ",
    "Answer: 1\nAnswer: 1",
    "=",
    "7+5=",
    "- ",
    "- - -",
    "\x00",
    "²",
    "-" * 9000,
    "1" * 9000,
)


def drawn(kind: str, level: int) -> list[str]:
    rng = stream("test", kind, level)
    return [FAMILY.draw(kind, level, rng) for _ in range(DRAWS)]


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_the_steps_of_the_working_alone_have_the_full_score(kind: str, level: int) -> None:
    for question in drawn(kind, level):
        assert FAMILY.score(question, ["\n".join(FAMILY.work(question).steps)]) == 1.0


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_the_habit_stops_early_and_claims_all(kind: str, level: int) -> None:
    rng = stream("habit", kind, level)
    for question in drawn(kind, level):
        worked = FAMILY.habit(question, rng)
        assert worked.wrong == len(worked.steps)
        assert 0 < FAMILY.score(question, [worked.text]) < 0.7


CASES = (
    ("Write 2 of tool, but no saw or axe.", ("items", 1, False), "- drill\n- file\nAnswer: 2"),
    (
        "Say 12 items about fruit and animal in turn, but not pear or dog.",
        ("items", 6, False),
        "- apple\n- cat\n- plum\n- cow\n- fig\n- horse\n- grape\n- sheep\n- lemon\n- fox\n- melon\n- bear\nAnswer: 12",
    ),
    ("Write 3 even numbers over 20.", ("numbers", 2, False), "- 22\n- 24\n- 26\nAnswer: 3"),
    ("2 odd, under 9.", ("numbers", 1, True), "- 7\n- 5\nAnswer: 2"),
    ("Continue 2 more: 3 5 7", ("pattern", 1, False), "- 9\n- 11\nAnswer: 2"),
    ("What 3 come next: 3 5 10 12 17", ("pattern", 2, True), "- 19\n- 24\n- 26\nAnswer: 3"),
)


@pytest.mark.parametrize(("question", "place", "text"), CASES)
def test_hand_worked_cases(question: str, place: tuple[str, int, bool], text: str) -> None:
    assert FAMILY.place(question) == place
    assert FAMILY.work(question).text == text


def test_any_valid_items_in_any_order_are_complete() -> None:
    assert FAMILY.complete("Write 3 even numbers over 20.", "- 900\n- 22\n\n- 30\nAnswer: 3")
    assert FAMILY.complete("Write 2 of tool, but no saw or axe.", "- awl\n- rake\nAnswer: 2")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("- 22\n- 24\n- 26\nAnswer: 3", 1.0),
        ("- 22\n- 24\n- 26", 1.0),
        ("- 22\n- 24", 2 / 3),
        ("- 22\n- 22\n- 22", 1 / 3),
        ("- 22\n- 23\n- 24", 2 / 3),
        ("- 22\n- 24\n- 26\n- 28", 3 / 4),
        ("- 22\nAnswer: 3\n- 24\n- 26", 3 / 4),
        ("- 22 - 24 - 26", 0.0),
        ("22\n24\n26", 0.0),
        ("", 0.0),
    ],
)
def test_the_score_is_the_share_of_right_lines(text: str, share: float) -> None:
    assert FAMILY.score("Write 3 even numbers over 20.", [text]) == pytest.approx(share)


def test_a_pattern_is_carried_on_from_a_wrong_number() -> None:
    lines = FAMILY.follow("Continue 3 more: 3 5 7", "- 9\n- 12\n- 14\nAnswer: 3")
    assert [(line.right, line.left) for line in lines] == [(True, "2"), (False, "1"), (True, "0"), (True, "0")]


def test_the_count_must_be_what_was_asked_and_what_was_said() -> None:
    question = "Write 3 even numbers over 20."
    assert not FAMILY.complete(question, "- 22\n- 24\n- 26\nAnswer: 2")
    assert not FAMILY.complete(question, "- 22\n- 24\nAnswer: 3")
    assert not FAMILY.complete(question, "- 22\n- 24\nAnswer: 2")
    assert not FAMILY.complete(question, "- 22\n- 24\n- 26")


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Write 5 items about fruit.",
        "Write 11 of tool, but no saw or axe.",
        "Write 2 of tool, but no saw or saw.",
        "Write 2 of tree, but no saw or axe.",
        "Write 12 of tool and tool in turn, but no saw or axe.",
        "Write 5 odd numbers under 9.",
        "Continue 2 more: 3 5 8",
        "Continue 2 more: 7 5 3",
        "Write 3 even numbers over " + "9" * 9000 + ".",
    ],
)
def test_a_text_that_is_no_question_is_refused(question: str) -> None:
    with pytest.raises(ValueError):
        FAMILY.place(question)


@pytest.mark.parametrize(("question", "place", "text"), CASES)
def test_only_the_asked_lines_and_nothing_more_are_complete(
    question: str, place: tuple[str, int, bool], text: str
) -> None:
    lines = text.split("\n")
    longer = (f"{text}\n{text}", f"Here:\n{text}", f"{text}\nDone.", f"{question}\n{text}", f"{text} items", f"{text}.")
    for said in (*ODD, *longer, "\n".join(lines[:-1]), "\n".join([lines[0], *lines]), "\n".join(lines[1:])):
        assert not FAMILY.complete(question, said)
    for said in (*ODD, f"{place[1]} items", "two"):
        assert not FAMILY.right(question, said)


@pytest.mark.parametrize("question", [case[0] for case in CASES])
@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_wrong_and_never_raise(question: str, text: str) -> None:
    assert not any(line.right for line in FAMILY.follow(question, text))
    assert FAMILY.score(question, [text]) == 0.0
