"""The family of lists: right workings, wrong workings, hidden operations, and what it will not be fooled by."""

import pytest

from sharpen.core.streams import stream
from sharpen.tasks.family import Worked
from sharpen.tasks.lists import OPERATIONS, Lists, applied, demonstrated

LISTS = Lists()
EVERYWHERE = [(kind, level) for kind in LISTS.kinds for level in LISTS.levels]
DRAWS = 120
REVERSE = "Reverse: k a t e"
TWO = "Sort, then drop the first: 5 2 9"
HIDDEN = demonstrated("reverse", [["a", "b", "c"], ["d", "e", "f"]], ["k", "a", "t", "e"])
ODD_TEXTS = ("", "\n\n", "Answer:", "Answer: e t a k\nAnswer: k a t e", "->", " ", "a  b", "7" * 900, "a " * 5000)


def drawn(kind: str, level: int, count: int = DRAWS) -> list[str]:
    rng = stream("test lists", kind, level)
    return [LISTS.draw(kind, level, rng, held_out=number % 4 == 0) for number in range(count)]


def first_wrong(question: str, text: str) -> int | None:
    return next((place for place, line in enumerate(LISTS.follow(question, text)) if not line.right), None)


@pytest.mark.parametrize(
    ("operation", "items", "result"),
    [
        ("reverse", "k a t e", "e t a k"),
        ("sort", "10 9 2", "2 9 10"),
        ("sort", "k a t e", "a e k t"),
        ("drop the first", "k a t e", "a t e"),
        ("drop the last", "k a t e", "k a t"),
        ("move the first to the end", "k a t e", "a t e k"),
        ("repeat the first", "k a t e", "k k a t e"),
        ("swap the first two", "k a t e", "a k t e"),
        ("keep the even", "10 7 8", "10 8"),
        ("keep those over 5", "10 5 6", "10 6"),
        ("repeat each", "k a", "k k a a"),
        ("count", "k a t e", "4"),
    ],
)
def test_an_operation_does_as_by_hand(operation: str, items: str, result: str) -> None:
    assert " ".join(applied(operation, items.split())) == result


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("items", [[], ["a"]])
def test_an_operation_bears_short_lists(operation: str, items: list[str]) -> None:
    assert set(applied(operation, items)) <= {"a"}


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (REVERSE, "e t a k\nAnswer: e t a k"),
        (TWO, "2 5 9\n5 9\nAnswer: 5 9"),
        ("Take 5 2 9. Keep those over 5, then count.", "9\n1\nAnswer: 1"),
        ("Start with a b, then repeat each.", "a a b b\nAnswer: a a b b"),
        ("Swap the first two. Take a b c.", "b a c\nAnswer: b a c"),
        (HIDDEN, "Answer: e t a k"),
        ("g: a b c = a a b c\ng: x y =", "Answer: x x y"),
    ],
)
def test_works_as_by_hand(question: str, text: str) -> None:
    assert LISTS.work(question).text == text


@pytest.mark.parametrize(
    ("question", "text", "place"),
    [
        (TWO, "5 9 2\n9 2\nAnswer: 9 2", 0),
        (TWO, "5 9\nAnswer: 5 9", 0),
        (TWO, "2 5 9\nAnswer: 5 9", 1),
        (TWO, "2 5 9\n5 9\n9\nAnswer: 5 9", 2),
        (TWO, "2 5 9\n5 9\nAnswer: 5 9\nAnswer: 5 9", 3),
        (HIDDEN, "e t a k\nAnswer: e t a k", 0),
        (HIDDEN, "Answer: k a t e", 0),
    ],
)
def test_finds_the_first_wrong_line(question: str, text: str, place: int) -> None:
    assert first_wrong(question, text) == place


def test_carries_on_what_a_wrong_line_claims() -> None:
    assert [line.right for line in LISTS.follow(TWO, "5 2 9\n2 9\nAnswer: 2 9")] == [False, True, True]


@pytest.mark.parametrize(
    ("question", "made"),
    [
        (REVERSE, Worked(("a k t e",), "a k t e", 0)),
        (TWO, Worked(("2 5 9",), "2 5 9", 1)),
        ("Swap the first two: a b c", Worked(("b a c",), "b a c", None)),
        (HIDDEN, Worked((), "k a t e", 0)),
    ],
)
def test_the_habit_is_as_by_hand(question: str, made: Worked) -> None:
    assert LISTS.habit(question, stream("habit")) == made


@pytest.mark.parametrize(("kind", "level"), EVERYWHERE)
def test_a_question_is_short(kind: str, level: int) -> None:
    assert max(map(len, drawn(kind, level))) < 300


@pytest.mark.parametrize(("kind", "level"), EVERYWHERE)
def test_the_questions_of_a_place_differ(kind: str, level: int) -> None:
    assert len(set(drawn(kind, level))) > 0.9 * DRAWS


@pytest.mark.parametrize("kind", LISTS.kinds)
@pytest.mark.parametrize(("level", "least"), [(7, 6), (8, 8)])
def test_the_longest_pipelines_leave_too_many_items_to_guess(kind: str, level: int, least: int) -> None:
    assert all(len(LISTS.work(question).answer.split()) >= least for question in drawn(kind, level))
    assert not any("count" in question for question in drawn(kind, level))


@pytest.mark.parametrize(("items", "level"), [(3, 1), (4, 2), (8, 6), (9, 7), (12, 7), (13, 8), (16, 8)])
def test_a_hidden_operation_is_of_the_level_that_has_as_many_items(items: int, level: int) -> None:
    question = demonstrated("reverse", [["a", "b", "c"], ["d", "e", "f"]], ["k", *"a" * (items - 1)])
    assert LISTS.place(question) == ("hidden", level, False)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_demonstrated_operation_is_found(operation: str) -> None:
    shown = [["c", "a", "b", "d"], ["z", "y", "x", "w"]]
    question = demonstrated(operation, shown, ["q", "e", "r"])
    assert LISTS.right(question, " ".join(applied(operation, ["q", "e", "r"])))


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize("question", [REVERSE, TWO, HIDDEN])
def test_odd_texts_are_wrong_and_nothing_worse(question: str, text: str) -> None:
    lines = LISTS.follow(question, text)
    assert len(lines) <= 40
    assert not all(line.right for line in lines) or not lines
    assert not LISTS.right(question, text)


@pytest.mark.parametrize("question", [REVERSE, HIDDEN])
@pytest.mark.parametrize(
    "answer", ["", "e t a", "etak", "e t a k.", "e t a k e t a k", "it is e t a k", "'e t a k'", REVERSE]
)
def test_only_the_answer_itself_is_right(question: str, answer: str) -> None:
    assert LISTS.right(question, "e t a k")
    assert not LISTS.right(question, answer)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Reverse:",
        "Turn: k a t e",
        "Reverse: k a 7",
        "Keep the even: k a t",
        "Keep the even: 5 7 9",
        "Count, then reverse: 5 7 9",
        "Drop the first: a",
        "f: k a t e ->",
        "f: a b -> b a\nf: k a t e ->",
        "f: a b c -> c b a\nf: a b c -> a b\nf: k a t e ->",
        "f: a b c -> c b a\ng: k a t e ->",
        "f: a b c -> c b a\nf: k a t e ->\nf: k a t e ->",
        "Reverse: " + " ".join("a" * 17),
        demonstrated("reverse", [["a", "b", "c"], ["d", "e", "f"]], ["k"] * 17),
        "a " * 5000,
    ],
)
def test_what_is_no_question_raises(question: str) -> None:
    with pytest.raises(ValueError, match="expected a question of lists"):
        LISTS.work(question)
    assert LISTS.tidy(question) == question


def test_spacing_is_put_right() -> None:
    assert LISTS.tidy("  Sort, then  drop the first:  5 2 9 ") == TWO
    assert LISTS.tidy(HIDDEN + " \n") == HIDDEN
