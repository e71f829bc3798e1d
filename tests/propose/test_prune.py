"""What may be left out of a prompt, and what never is."""

from collections import Counter

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Message, user
from sharpen.core.speech import QUESTION, posed
from sharpen.core.streams import stream
from sharpen.models.linear import linear_model
from sharpen.propose.prune import SHARES, Original, pruned, scattered, thinned, without

ENCODER = linear_model().encoder
TEXT = (Message("text", f"red cat {QUESTION} is 7"),)
"""Tokens: red, space, cat, space, the question's place, space, is, space, 7."""
TURNS = (user("cat red"), Message("assistant", "Answer: 3"), user(QUESTION), Message("assistant", "Answer:"))


def test_the_whole_mask_gives_the_prompt_back() -> None:
    for prompt in (TEXT, TURNS):
        original = Original.of(prompt, ENCODER)
        assert original.kept(original.whole) == prompt


def test_hand_worked_masks() -> None:
    original = Original.of(TEXT, ENCODER)
    assert len(original) == 8
    assert original.kept("10100101") == (Message("text", f"redcat{QUESTION}is7"),)
    assert original.kept("00000000") == (Message("text", QUESTION),)
    assert without("1101", (0, 2)) == "0101"


def test_masks_count_through_all_messages_and_leave_roles_and_order() -> None:
    original = Original.of(TURNS, ENCODER)
    kept = original.kept(without(original.whole, (0, 1, 2, 3)))  # cat, space, red; Answer
    assert [message.role for message in kept] == [message.role for message in TURNS]
    assert [message.text for message in kept] == ["", ": 3", QUESTION, "Answer:"]


def test_no_mask_loses_the_questions_place() -> None:
    for prompt in (TEXT, TURNS):
        original, rng = Original.of(prompt, ENCODER), stream("masks")
        for _ in range(200):
            asked = posed(original.kept(scattered(len(original), rng)), "WHAT")
            assert sum(message.text.count("WHAT") for message in asked) == 1


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="8 characters"):
        Original.of(TEXT, ENCODER).kept("111")


def test_what_is_left_may_join_into_fewer_tokens() -> None:
    original = Original.of((Message("text", f"y,es{QUESTION}"),), ENCODER)
    assert len(original) == 4
    assert len(Original.of(original.kept("1011"), ENCODER)) == 1


def test_a_mutation_leaves_one_to_four_more_out_evenly_and_brings_nothing_back() -> None:
    rng, mask = stream("mutations"), "1101" * 10
    sizes: Counter[int] = Counter()
    for _ in range(4000):
        child = pruned(mask, rng)
        assert child is not None and all(new <= old for new, old in zip(child, mask, strict=True))
        sizes[mask.count("1") - child.count("1")] += 1
    assert set(sizes) == {1, 2, 3, 4}
    assert all(900 < count < 1100 for count in sizes.values())


def test_every_kept_token_is_as_likely_to_go() -> None:
    rng = stream("places")
    children = [pruned("0111111110", rng) for _ in range(4000)]
    gone = Counter(place for child in children if child for place in range(1, 9) if child[place] == "0")
    assert all(0.9 * 1250 < count < 1.1 * 1250 for count in gone.values())  # 2.5 of 8 on average


def test_a_mutation_never_takes_all() -> None:
    rng = stream("few")
    assert pruned("010", rng) is None
    assert {child.count("1") for _ in range(50) if (child := pruned("0101", rng))} == {1}
    assert {child.count("1") for _ in range(50) if (child := pruned("1101", rng))} == {1, 2}


def test_thinning_takes_a_twentieth_to_a_fifth() -> None:
    assert SHARES[0] == 0.05 and SHARES[-1] == pytest.approx(0.2) and len(SHARES) == 10
    assert SHARES[1] - SHARES[0] == pytest.approx(0.15 / 9)
    rng = stream("thinned")
    left = [thinned("1" * 1000, rng).count("0") / 1000 for _ in range(200)]
    assert sum(left) / 200 == pytest.approx(0.125, abs=0.015)
    assert min(left) < 0.07 and max(left) > 0.17
    assert thinned("0" * 50, rng) == "0" * 50


def test_random_masks_are_of_all_lengths_but_none_and_all() -> None:
    rng = stream("scattered")
    assert {scattered(5, rng).count("1") for _ in range(200)} == {1, 2, 3, 4}
    with pytest.raises(InvalidInput, match="two tokens"):
        scattered(1, rng)
