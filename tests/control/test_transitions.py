import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.control.transitions import edits, transitions
from sharpen.core.records import Judged
from tests.spoken import mark, marked_twice

WORDS = st.lists(st.sampled_from("abc"), max_size=6)
OUTCOMES = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12)


def outcomes(rows: list[tuple[bool, bool]]) -> list[tuple[Judged, ...]]:
    return [marked_twice(str(i), ("x", first), ("y", second)) for i, (first, second) in enumerate(rows)]


def test_the_sheets_row_of_the_base_model() -> None:
    """SCoRe, MATH: 52.6 / 41.4 / -11.2 / 4.6 / 15.8 per cent of 500 problems."""
    rows = [(False, True)] * 23 + [(True, False)] * 79 + [(True, True)] * 184 + [(False, False)] * 214
    found = transitions(outcomes(rows))
    assert [found[name] for name in ("first", "last", "delta", "fixed", "broken")] == pytest.approx(
        [0.526, 0.414, -0.112, 0.046, 0.158]
    )
    assert found["fixed_of_wrong"] == pytest.approx(23 / 237)


@given(OUTCOMES)
def test_what_is_gained_is_what_was_fixed_less_what_was_broken(rows: list[tuple[bool, bool]]) -> None:
    found = transitions(outcomes(rows))
    assert found["delta"] == pytest.approx(found["fixed"] - found["broken"])
    assert found["fixed"] == pytest.approx(found["fixed_of_wrong"] * (1 - found["first"]))


def test_copies_are_told_from_changes() -> None:
    tried = [
        marked_twice("p", ("7 + 5 = 12", False), ("7 +  5 = 12", False)),
        marked_twice("q", ("7 + 5 = 12", False), ("7 + 6 = 12", False)),
        marked_twice("r", ("a b", False), ("c d", False)),
        marked_twice("s", ("", False), ("", False)),
    ]
    found = transitions(tried)
    assert found["copied"] == 0.5
    assert found["changed"] == pytest.approx((0 + 1 / 10 + 2 / 4 + 0) / 4)


def test_an_attempt_that_ended_in_its_first_try_changed_nothing() -> None:
    found = transitions([(mark("p", "a", 1.0),), marked_twice("q", ("a", False), ("b", True))])
    assert (found["first"], found["last"], found["broken"], found["copied"]) == (0.5, 1.0, 0.0, 0.5)


def test_nothing_is_said_of_nothing() -> None:
    assert transitions([]) == {}


def test_edits_of_two_famous_words() -> None:
    assert edits("kitten", "sitting") == 3
    assert (edits("", "abc"), edits("abc", ""), edits("", "")) == (3, 3, 0)


@given(WORDS, WORDS, WORDS)
def test_edits_are_a_distance(one: list[str], other: list[str], third: list[str]) -> None:
    assert edits(one, other) == edits(other, one) == by_definition(one, other)
    assert edits(one, third) <= edits(one, other) + edits(other, third)
    assert (edits(one, other) == 0) == (one == other)


def by_definition(one: list[str], other: list[str]) -> int:
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return by_definition(one[1:], other[1:])
    return 1 + min(by_definition(one[1:], other), by_definition(one, other[1:]), by_definition(one[1:], other[1:]))
