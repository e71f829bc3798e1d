"""What is asked in two sets of words, and what is read back."""

from dataclasses import replace

import pytest

from sharpen.core import speech
from sharpen.core.errors import InvalidInput
from sharpen.core.phrases import ENGLISH, NANO, rewritten
from sharpen.core.records import Behaviour, Message, user

CARRY = Behaviour("carry_tens", "Carry the tens.")
CHECK = Behaviour("check_sign", "Look at the sign.")


def test_english_lines_are_read_whatever_stands_around_them() -> None:
    reply = (
        "Here they are:\n1. behavior_carry_tens: Carry the tens.\n"
        '- **behavior_Check_Sign**: "Look at  the sign."\n'
        'behaviour_halve: Halve it,\n"behavior_carry_tens": "Again."\nbehavior_empty:\nThat is all: two of them.'
    )
    assert ENGLISH.read(reply) == [CARRY, CHECK, Behaviour("halve", "Halve it")]


def test_a_reply_that_repeats_the_form_or_rambles_names_nothing() -> None:
    assert ENGLISH.read("behavior_<name>: <one sentence that says when to use it and how>") == []
    assert ENGLISH.read("behavior_long: " + "on and " * 60) == []
    assert ENGLISH.read("") == []


def test_nanos_reply_is_one_name_alone() -> None:
    assert NANO.read("tens first\n") == [Behaviour("tens first")]
    for reply in ("7+5=12", "tens first\nresults only", "Answer: 12", ""):
        assert NANO.read(reply) == []


def test_nano_is_asked_in_the_words_it_was_raised_on() -> None:
    question, solution = "Work out 7+5.", "7+5=12\nAnswer: 12"
    for way in speech.BEHAVIOURS:
        assert NANO.using((user(question),), [Behaviour(way), CARRY]) == speech.behaving(question, way)
        assert speech.behaving(question, way) in [rewritten((user(question),), text) for text in NANO.solve]
    assert NANO.extracting(question, solution, "") == speech.behaviour_of(question, solution)
    assert rewritten((user(question),), NANO.brief) == speech.asked(question, speech.DIRECTLY)
    assert NANO.reflect == ""


def test_the_question_stands_with_its_behaviours_and_the_rest_of_the_chat_stays() -> None:
    chat = (Message("system", "Be kind."), user("What is {x}?"), Message("assistant", "It"))
    first, asked, last = ENGLISH.using(chat, [CARRY, CHECK])
    assert (first, last) == (chat[0], chat[2])
    assert asked.text.startswith("What is {x}?")
    assert "behavior_carry_tens: Carry the tens.\nbehavior_check_sign: Look at the sign.\n" in asked.text
    assert ENGLISH.using(chat, []) == chat


def test_reflecting_is_told_what_is_known() -> None:
    assert "carry_tens, check_sign" in ENGLISH.reflecting("q", "s", [CARRY, CHECK])[0].text
    assert "none" in ENGLISH.reflecting("q", "s", [])[0].text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("use", "{question}"),
        ("extract", "{question} {solution} {answer}"),
        ("reflect", "{question"),
        ("solve", ()),
        ("solve", ("now",)),
        ("placebo", ()),
        ("found", "("),
        ("found", "behaviour"),
        ("most", 0),
    ],
)
def test_words_that_cannot_be_used_are_refused(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=rf"phrases\.{field}"):
        replace(ENGLISH, **{field: value})  # type: ignore[arg-type]  # the wrong types are what is tested


def test_a_chat_without_a_question_cannot_be_reworded() -> None:
    with pytest.raises(InvalidInput, match="user's message"):
        rewritten((Message("system", "x"),), "{question}")
