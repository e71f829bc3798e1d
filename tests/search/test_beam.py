"""Breadth-first search with a beam, against a tree worked by hand."""

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.tree import Tree
from sharpen.search.beam import Beam
from sharpen.search.steps import Stepping
from tests.search.scripted import PROBLEM, Script, said

LINES = {
    "": ("a\n", "b\n", "c\n"),
    "a\n": ("Answer: 1", "d\n"),
    "b\n": ("e\n",),
    "a\nd\n": ("Answer: 2",),
    "b\ne\n": ("Answer: 3",),
}
WORTH = {
    "a\n": 0.5,
    "b\n": 0.4,
    "c\n": 0.3,
    "a\nAnswer: 1": 0.6,
    "a\nd\n": 0.1,
    "b\ne\n": 0.2,
    "b\ne\nAnswer: 3": 0.95,
}
HOW = Beam(branch=3, keep=2, step=Stepping(tries=1))


def grown(how: Beam, worth: dict[str, float]) -> Tree:
    (tree,) = how.grow(Script(LINES, worth).ground, [PROBLEM])
    return tree


def test_keeps_the_best_of_every_level_and_goes_on_from_the_open_ones() -> None:
    nodes = said(grown(HOW, WORTH))
    assert set(nodes) == {"", *WORTH}
    # c fell out of the beam at once, d behind it; the complete answer took a place in the beam.
    assert [text for text, node in nodes.items() if not node.children and node.stop is None] == ["c\n", "a\nd\n"]


def test_a_complete_solution_that_is_good_enough_ends_the_search() -> None:
    assert set(said(grown(HOW, WORTH | {"a\nAnswer: 1": 0.9}))) == set(said(grown(HOW, WORTH))) - {"b\ne\nAnswer: 3"}


def test_goes_no_deeper_than_told() -> None:
    assert set(said(grown(Beam(branch=3, depth=1), WORTH))) == {"", "a\n", "b\n", "c\n"}


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match="keep"):
        Beam(keep=0)
