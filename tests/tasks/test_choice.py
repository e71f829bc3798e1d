"""The family `choice`: hand-worked cases, and what it will not be fooled by."""

import pytest

from sharpen.core.streams import stream
from sharpen.tasks.choice import Choice
from sharpen.tasks.labelling import RULES, examples, labelled

FAMILY = Choice()
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


CASES = (
    ("Which is 7+5?\nA: 11\nB: 12\nC: 22\nD: 2", ("options", 1, False), "7+5=12\nAnswer: B"),
    ("Pick 2+3*4.\nA: 20\nB: 24\nC: 13\nD: 14", ("options", 2, True), "3*4=12\n2+12=14\nAnswer: D"),
    ("What is plum: animal, fruit, tool or colour?", ("category", 1, False), "Answer: fruit"),
    ("Which is an animal: plum, saw, red, cow?", ("category", 2, False), "Answer: cow"),
    ("Which does not belong: cow, dog, plum, fox?", ("category", 4, False), "Answer: plum"),
    ("Which two belong together: cow, plum, red, fig, saw?", ("category", 6, False), "Answer: plum fig"),
    ("Which two do not belong: cow, plum, dog, fox, saw, cat?", ("category", 7, False), "Answer: plum saw"),
    ("Is 34 more than 43? Say more, less or same.", ("compare", 2, False), "Answer: less"),
    ("Put 7 next to 7: more, less or same?", ("compare", 1, True), "Answer: same"),
    ("12+7 against 30-8: more, less or same?", ("compare", 4, False), "12+7=19\n30-8=22\nAnswer: less"),
    ("cow -> good\nplum -> bad\nfox -> good\nsaw -> bad\ndog ->", ("label", 4, False), "Answer: good"),
    ("Go on.\n5 -> up\n24 -> down\n20 -> up\n7 -> down\n30 ->", ("label", 8, False), "Answer: up"),
)


@pytest.mark.parametrize(("question", "place", "text"), CASES)
def test_hand_worked_cases(question: str, place: tuple[str, int, bool], text: str) -> None:
    assert FAMILY.place(question) == place
    assert FAMILY.work(question).text == text


def test_steps_in_another_order_are_right_and_a_claim_is_carried_on() -> None:
    question = "Which is (1+2)+(3+4)?\nA: 10\nB: 11\nC: 20\nD: 9"
    assert [line.right for line in FAMILY.follow(question, "3+4=7\n1+2=3\n3+7=10\nAnswer: A")] == [True] * 4
    carried = FAMILY.follow(question, "3+4=8\n1+2=3\n3+8=11\nAnswer: B")
    assert [line.right for line in carried] == [False, True, True, True]
    assert carried[0].left == "(1+2)+8"


def test_two_words_may_come_in_either_order() -> None:
    question = "Which two belong together: cow, plum, red, fig, saw?"
    assert FAMILY.right(question, "fig plum")
    assert not any(
        FAMILY.right(question, said) for said in ("plum", "fig", "plum fig cow", "plum plum", "plum and fig")
    )


def test_rules_label_their_items() -> None:
    assert labelled("animal", ["cow", "plum"], ("good", "bad")) == ["cow -> good", "plum -> bad"]
    assert labelled("digits", ["73", "72"], ("up", "down")) == ["73 -> up", "72 -> down"]


@pytest.mark.parametrize("rule", RULES)
def test_examples_show_both_labels_and_no_item_twice(rule: str) -> None:
    for seed in range(50):
        lines = examples(rule, ("yes", "no"), 2 + seed % 7, stream(rule, seed))
        assert len({line.split(" -> ")[0] for line in lines}) == 2 + seed % 7
        assert {line.split(" -> ")[1] for line in lines} == {"yes", "no"}


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Which is 7+5?",
        "Which is 7+5?\nA: 11\nB: 13\nC: 22\nD: 2",
        "Which is 7+?\nA: 11\nB: 12\nC: 22\nD: 2",
        "Which does not belong: cow, plum, red, saw?",
        "Which two belong together: cow, plum, red, table, saw?",
        "Which is a fruit: plum, saw, fig, cow?",
        "What is table: animal, fruit, tool or colour?",
        "Is 3+4 more than 7? Say more, less or same.",
        "cow -> ok\ncat -> ok\nfox -> ok\ndog -> ok\nowl ->",
        "cow -> good\nplum -> bad\nfox -> good\nsaw -> bad\ntable ->",
        "cow -> good\nplum -> bad\nfox -> good\nsaw -> bad\n12 ->",
        "5 -> up\n24 -> down\n85 -> up\n8 -> down\n30 ->",
        "cow -> good\nplum -> bad\ncow -> bad\nsaw -> bad\ndog ->",
        "What is " + "plum" * 5000,
    ],
)
def test_a_text_that_is_no_question_is_refused(question: str) -> None:
    with pytest.raises(ValueError):
        FAMILY.place(question)


@pytest.mark.parametrize("question", [case[0] for case in CASES])
def test_only_the_answer_alone_is_paid_for(question: str) -> None:
    answer = FAMILY.work(question).answer
    assert FAMILY.right(question, answer)
    for said in (
        *ODD,
        f"{answer} {answer}",
        f"It is {answer}",
        f"{answer}.",
        f"{answer} A B more",
        f"'{answer}'",
        question,
    ):
        assert not FAMILY.right(question, said)


@pytest.mark.parametrize("question", [case[0] for case in CASES])
@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_wrong_and_never_raise(question: str, text: str) -> None:
    assert not any(line.right for line in FAMILY.follow(question, text))
