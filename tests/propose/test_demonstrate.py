"""How a prompt of examples is written, and which labelled problems it shows."""

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Message, user
from sharpen.core.speech import QUESTION
from sharpen.propose.demonstrate import by_label, dealt, few_shot

EXAMPLES = [("one?", "yes"), ("two?", "no"), ("three?", "yes"), ("four?", "no"), ("five?", "no")]


def test_raw_text_has_a_blank_line_behind_each_example_and_ends_in_the_cue() -> None:
    (message,) = few_shot(EXAMPLES[:2])
    assert message == Message("text", f"one?\nAnswer: yes\n\ntwo?\nAnswer: no\n\n{QUESTION}\nAnswer:")


def test_turns_end_in_the_cue_that_the_assistant_began() -> None:
    prompt = few_shot(EXAMPLES[:1], "turns", space=" ")
    assert prompt == (
        user("one?"),
        Message("assistant", "Answer: yes"),
        user(QUESTION),
        Message("assistant", "Answer: "),
    )


def test_without_examples_only_the_question_is_asked() -> None:
    assert few_shot([]) == (Message("text", f"{QUESTION}\nAnswer:"),)


def test_the_first_of_each_label_are_shown_and_the_others_asked() -> None:
    shown, asked = dealt(EXAMPLES, 1)
    assert (shown, asked) == (EXAMPLES[:2], EXAMPLES[2:])
    assert dealt(EXAMPLES, 0) == ([], EXAMPLES)
    shown, asked = dealt(EXAMPLES, 2)
    assert (shown, asked) == (EXAMPLES[:4], EXAMPLES[4:])
    assert list(by_label(EXAMPLES)) == ["no", "yes"]


def test_answers_that_are_no_labels_are_refused() -> None:
    for bad in ([(str(i), str(i)) for i in range(10)], [(str(i), "yes") for i in range(10)]):
        with pytest.raises(InvalidInput, match="labels that recur"):
            dealt(bad, 1)
    with pytest.raises(InvalidInput, match="label more"):
        dealt(EXAMPLES, 9)
