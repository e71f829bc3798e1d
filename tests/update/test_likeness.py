"""Alike by words: hand-worked scores, and what must hold of all."""

from math import log

import pytest

from sharpen.update.likeness import bm25, cosine, words

TEXTS = ["carry tens", "count apples apples"]


def test_words_are_lower_case_and_parted_by_underscores_and_signs() -> None:
    assert words("Carry_tens: 47+8, first!") == ("carry", "tens", ":", "47", "+", "8", ",", "first", "!")


def test_bm25_worked_by_hand() -> None:
    """Both words stand in one text of two, so idf is ln(1 + 1.5 / 1.5); the texts have 2 and 3 words, 2.5 in the mean:
    1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 2.5)) and 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2.5))."""
    assert bm25("Carry apples", TEXTS) == pytest.approx([log(2) * 2.2 / 2.02, log(2) * 4.4 / 3.38])


def test_bm25_is_zero_without_a_word_in_common_and_never_negative() -> None:
    assert bm25("nothing here", TEXTS) == [0.0, 0.0]
    assert bm25("tens", ["tens", "tens", "tens one"]) == pytest.approx(
        [log(1 + 0.5 / 3.5) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * n * 3 / 4)) for n in (1, 1, 2)]
    )


def test_bm25_of_no_texts_is_no_score() -> None:
    assert bm25("carry", []) == []


def test_a_rarer_word_counts_for_more() -> None:
    rare, common, _ = bm25("rare common", ["rare x", "common x", "common y"])
    assert rare > common


def test_cosine_worked_by_hand() -> None:
    assert cosine("a b", "a c") == pytest.approx(1 / 2)
    assert cosine("a a b", "a") == pytest.approx(2 / 5**0.5)
    assert cosine("a b", "b a") == 1.0 and cosine("a", "b") == 0.0 and cosine("", "") == 0.0


def test_cosine_is_symmetric() -> None:
    one, other = "add the tens first", "first add tens and ones"
    assert cosine(one, other) == cosine(other, one)
