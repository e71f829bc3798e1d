"""Word problems: what they come to, how they go wrong, and what is not accepted for an answer."""

import pytest

from sharpen.core.streams import stream
from sharpen.tasks.family import Family
from sharpen.tasks.plots import ENDINGS, OPENINGS, PLOTS
from sharpen.tasks.stories import Stories, program_of, read

STORIES: Family = Stories()
GAIN = "Ada has 7 apples. Ada finds 5 more. How many apples does Ada have now?"
LOSS = "There are 9 nuts in the bag of Will. Max takes 4 away. Will buys 2 more. How many nuts are there now?"
GROUPS = "At first Kim has 4 pens. Then the pile doubles. Kim gets 3 boxes of 5 each. How many pens are there now?"
SHARE = "Tom starts with 9 cups. Tom loses 1. Half of the pile is lost. What is the number of cups in the end?"
PLACES = [(kind, level, held_out) for kind in STORIES.kinds for level in STORIES.levels for held_out in (False, True)]


def drawn(kind: str, level: int, held_out: bool, count: int = 60) -> list[str]:
    rng = stream("test-stories", kind, level)
    return [STORIES.draw(kind, level, rng, held_out) for _ in range(count)]


@pytest.mark.parametrize(
    ("question", "kind", "level", "held_out", "text"),
    [
        (GAIN, "gain", 1, False, "7+5=12\nAnswer: 12"),
        (LOSS, "loss", 2, False, "9-4=5\n5+2=7\nAnswer: 7"),
        (GROUPS, "groups", 2, False, "4*2=8\n3*5=15\n8+15=23\nAnswer: 23"),
        (SHARE, "share", 2, True, "9-1=8\n8/2=4\nAnswer: 4"),
    ],
)
def test_a_story_is_worked_as_by_hand(question: str, kind: str, level: int, held_out: bool, text: str) -> None:
    assert STORIES.place(question) == (kind, level, held_out)
    assert STORIES.work(question).text == text


@pytest.mark.parametrize(
    ("question", "text", "wrong"),
    [
        (GAIN, "7-5=2\nAnswer: 2", 0),
        (GAIN.replace("finds 5 more", "gets 3 boxes of 4 each"), "7+3=10\nAnswer: 10", 0),
        (LOSS, "9-4=5\nAnswer: 5", 1),
        (GROUPS, "4*2=8\nAnswer: 8", 1),
        (SHARE, "9-1=8\nAnswer: 8", 1),
    ],
)
def test_the_habit_is_as_by_hand(question: str, text: str, wrong: int) -> None:
    habit = STORIES.habit(question, stream("habit"))
    assert (habit.text, habit.wrong) == (text, wrong)


def test_follow_says_what_is_left_and_carries_a_wrong_product_on() -> None:
    lines = STORIES.follow(GROUPS, "2*4=8\n\n3*5=16\n16+8=24\nAnswer: 24\n24+1=25")
    assert [line.right for line in lines] == [True, False, True, True, False]
    assert [line.left for line in lines] == ["8 3*5 +", "8 +16", "24", "24", "24"]


def test_a_difference_may_not_be_turned_round_and_steps_may_not_be_left_out() -> None:
    assert [line.right for line in STORIES.follow(LOSS, "4-9=5\n5+2=7\nAnswer: 7")] == [False, True, True]
    assert [line.right for line in STORIES.follow(LOSS, "9-4=5\nAnswer: 7")] == [True, False]


def test_the_program_tells_the_same_story() -> None:
    assert program_of(GROUPS) == "a=4\nb=a*2\nc=3*5\nd=b+c\nprint d"
    assert program_of(SHARE) == "a=9\nb=a-1\nc=b/2\nprint c"


@pytest.mark.parametrize(("kind", "level", "held_out"), PLACES)
def test_the_program_comes_to_the_answer(kind: str, level: int, held_out: bool) -> None:
    for question in drawn(kind, level, held_out, 20):
        *lines, last = program_of(question).split("\n")
        values: dict[str, int] = {}
        for place, line in enumerate(lines):
            letter, _, expression = line.partition("=")
            assert letter == "abcdefghijklmnopqrstuvwxyz"[place]
            values[letter] = int(eval(expression, {}, dict(values)))
        assert str(values[last.removeprefix("print ")]) == STORIES.work(question).answer


@pytest.mark.parametrize(
    "answer", ["", " ", "11", "12 apples", "12 12", "12\n12", "7+5=12", "Answer: 12", "012", "+12"]
)
def test_more_than_the_number_is_no_answer(answer: str) -> None:
    assert not STORIES.right(GAIN, answer)
    assert STORIES.right(GAIN, "12") and STORIES.right(GAIN, "12.")


@pytest.mark.parametrize("text", ["", "\n\n", "?", "7+5=", "9" * 50_000, "7+5=12\n" * 9000, "Answer:" * 9000, "٧+٥=١٢"])
def test_odd_texts_are_wrong_and_never_raise(text: str) -> None:
    assert not STORIES.right(GAIN, text)
    assert not all(line.right for line in STORIES.follow(GAIN, text)) or not text.strip()


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Ada has 7 apples.",
        "Ada has 7 apples. How many apples does Ada have now?",
        GAIN + " ",
        GAIN.replace("5", "05"),
        GAIN.replace("finds", "eats"),
        GAIN.replace("5 more", "# more"),
        GAIN.replace("Ada", "Nobody"),
        GAIN.replace("apples does", "nuts does"),
        LOSS.replace("4", "10"),
        SHARE.replace("loses 1", "loses 2"),
        GAIN.replace("5", "999"),
        "Ada has 7 apples. " + "Ada finds 5 more. " * 12 + "How many apples are there now?",
        "Ada has 7 apples. " + "Ada finds 200 more. " * 6 + "How many apples are there now?",
    ],
)
def test_what_is_no_story_is_refused(question: str) -> None:
    for ask in (STORIES.place, STORIES.work, read, program_of):
        with pytest.raises(ValueError, match="expected a word problem"):
            ask(question)


@pytest.mark.parametrize(("events", "level"), [(6, 6), (7, 7), (9, 7), (10, 8), (11, 8)])
def test_long_stories_count_to_the_level_that_has_as_many_events(events: int, level: int) -> None:
    question = "Ada has 7 apples. " + "Ada finds 5 more. " * events + "How many apples are there now?"
    assert STORIES.place(question) == ("gain", level, False)
    assert STORIES.work(question).answer == str(7 + 5 * events)


@pytest.mark.parametrize("kind", STORIES.kinds)
@pytest.mark.parametrize("level", [7, 8])
def test_the_numbers_of_long_stories_are_too_large_to_guess(kind: str, level: int) -> None:
    results = [int(STORIES.work(question).answer) for question in drawn(kind, level, False, 200)]
    assert min(results) >= 1000
    assert len(set(results)) > 180


@pytest.mark.parametrize("kind", STORIES.kinds)
def test_the_questions_of_a_kind_differ(kind: str) -> None:
    assert len(set(drawn(kind, 1, False, 1000))) > 900


def test_no_two_plots_look_the_same_and_enough_are_held_out() -> None:
    assert len({plot.shape for plot in PLOTS}) == len(PLOTS)
    assert sum(plot.held_out for plot in PLOTS) >= 15
    assert len({plot.operation for plot in PLOTS if plot.held_out}) == 6
    assert len(PLOTS) + len(OPENINGS) + len(ENDINGS) >= 60
