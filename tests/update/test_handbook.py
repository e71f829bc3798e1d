"""A handbook adds by name, merges what is alike, stays in size, and recalls what suits."""

import pytest

from sharpen.core.archive import from_tagged, to_tagged
from sharpen.core.errors import InvalidInput
from sharpen.core.records import Behaviour, Problem, user
from sharpen.update.handbook import Always, Bookkeeping, Mismatched, Retrieval, added, cited, kept, merged

CARRY = Behaviour("carry_tens", "Add the ones, then carry the tens.", {"add": 3})
BORROW = Behaviour("borrow_ten", "Borrow a ten where the ones are too few.", {"subtract": 2})
CHECK = Behaviour("check_sign", "Look at the sign again.", {"add": 5, "subtract": 1})
BOOK = (CARRY, BORROW, CHECK)


def problem(family: str, text: str = "Work out 47+38.") -> Problem:
    return Problem(f"{family}-{text}", (user(text),), family)


def test_one_name_is_one_behaviour_with_the_latest_instruction_and_all_it_was_found_in() -> None:
    again = Behaviour("carry_tens", "Carry.", {"add": 1, "mixed": 1})
    (first, second) = added((CARRY,), [again, BORROW])
    assert first == Behaviour("carry_tens", "Carry.", {"add": 4, "mixed": 1})
    assert second == BORROW


def test_an_empty_instruction_takes_nothing_away() -> None:
    assert added((CARRY,), [Behaviour("carry_tens", "", {"add": 1})])[0].instruction == CARRY.instruction


def test_near_duplicates_become_the_one_found_more_often() -> None:
    """Six words each, five of them shared: a cosine of 5/6."""
    rare = Behaviour("sum", "carry the tens at last", {"add": 1})
    often = Behaviour("sum", "carry the tens at once", {"mixed": 2})
    other = Behaviour("brackets", "look inside first", {"add": 1})
    assert merged((rare, other, often), 0.8) == (other, Behaviour("sum", often.instruction, {"add": 1, "mixed": 2}))
    assert merged((rare, other, often), 0.84) == (rare, other, often)


def test_merging_keeps_the_count() -> None:
    book = tuple(Behaviour(f"rule {name}", "carry the ten", {"add": n}) for n, name in enumerate("abcd", 1))
    assert sum(one.times for one in merged(book, 0.7)) == 10 and len(merged(book, 0.7)) == 1
    assert merged(book, 1.0) == book


def test_a_full_handbook_keeps_what_was_found_most_and_of_equals_the_latest() -> None:
    once = [Behaviour(name, "", {"add": 1}) for name in "abc"]
    assert [one.name for one in kept((*once[:2], CARRY, once[2]), 2)] == ["carry_tens", "c"]


def test_by_topic_recalls_what_was_found_in_the_family_most_often_first() -> None:
    assert Retrieval(BOOK, "topic", 4)(problem("add")) == (CHECK, CARRY)
    assert Retrieval(BOOK, "topic", 1)(problem("subtract")) == (BORROW,)
    assert Retrieval(BOOK, "topic", 4)(problem("stories")) == ()


def test_by_topic_equals_go_by_how_often_they_were_found_anywhere() -> None:
    seldom, often = Behaviour("a", "", {"add": 1}), Behaviour("b", "", {"add": 1, "mixed": 4})
    assert Retrieval((seldom, often), "topic", 1)(problem("add")) == (often,)


def test_by_likeness_recalls_what_shares_words_with_the_question_and_then_the_most_found() -> None:
    asked = problem("stories", "How many times must she borrow?")
    assert Retrieval(BOOK, "likeness", 2)(asked) == (BORROW, CHECK)


def test_mismatched_recalls_as_many_others_and_the_same_each_time() -> None:
    wrong = Mismatched(Retrieval(BOOK, "topic", 1), seed=7)
    seen = {name: wrong(problem("add", name)) for name in map(str, range(40))}
    assert all(len(one) == 1 and CHECK not in one for one in seen.values())
    assert {one[0].name for one in seen.values()} == {"carry_tens", "borrow_ten"}
    assert all(wrong(problem("add", name)) == one for name, one in seen.items())
    assert Mismatched(Retrieval((CARRY,), "topic", 1))(problem("add")) == ()


def test_a_round_of_keeping_books() -> None:
    book = Bookkeeping(size=2, alike=0.9).written((CARRY,), [BORROW, CHECK])
    assert [one.name for one in book] == ["carry_tens", "check_sign"]


def test_cited_names_are_those_in_the_text() -> None:
    assert cited("By behavior_Carry_Tens we get 85.", BOOK) == [CARRY]


def test_a_name_inside_another_word_is_not_cited() -> None:
    short = Behaviour("add")
    assert cited("The address of added things, and behavior_add_up.", [short]) == []
    assert cited("I use behavior_add here.", [short]) == cited("Add!", [short]) == [short]


def test_what_recalls_survives_the_archive() -> None:
    for recall in (Retrieval(BOOK), Mismatched(Retrieval(BOOK), 3), Always(BOOK)):
        assert from_tagged(to_tagged(recall)) == recall


@pytest.mark.parametrize("wrong", [{"size": 0}, {"most": 0}, {"alike": 0.0}, {"alike": 1.5}])
def test_books_that_cannot_be_kept_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Bookkeeping(**wrong)  # type: ignore[arg-type]  # the numbers are what is tested
