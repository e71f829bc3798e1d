"""Step values inferred on a tree, against the vectors of the method's sheet and by property."""

import pytest

from sharpen.core.records import Problem, Stop, user
from sharpen.core.streams import stream
from sharpen.core.tree import ROOT, Node, Tree
from sharpen.select.values import inferred, quality, valuations
from tests.search.scripted import PROBLEM, piece
from tests.spoken import BY

BARE = Tree(PROBLEM, PROBLEM.chat, BY)


def tree_of(parents: dict[str, str], ends: tuple[str, ...]) -> tuple[Tree, dict[str, int]]:
    """A tree by the names of its nodes, parents first, and where they stand."""
    tree, places = BARE, {"root": ROOT}
    for name, parent in parents.items():
        stop = Stop.DONE if name in ends else None
        places[name] = len(tree.nodes)
        tree = tree.grown(places[parent], [Node(piece(f"{name}\n"), stop=stop)])
    return tree, places


def named(parents: dict[str, str], ends: tuple[str, ...], right: tuple[str, ...]) -> dict[str, float]:
    tree, places = tree_of(parents, ends)
    values = inferred(tree, {places[name] for name in right})
    names = {place: name for name, place in places.items()}
    return {names[place]: value for place, value in values.items()}


def test_the_sheets_vector() -> None:
    parents = {"s1": "root", "s2": "s1", "s3": "s2", "A": "s3", "x3": "s2", "B": "x3"}
    values = named(parents, ("A", "B"), ("A",))
    assert values == pytest.approx({"s1": 0.25, "s2": 0.5, "s3": 0.75, "A": 1.0, "x3": 1 / 3, "B": 1 / 9})


@pytest.mark.parametrize("steps", range(1, 8))
def test_a_right_route_of_k_steps_climbs_by_one_kth(steps: int) -> None:
    parents = {f"s{k}": f"s{k - 1}" if k > 1 else "root" for k in range(1, steps + 1)}
    values = named(parents, (f"s{steps}",), (f"s{steps}",))
    assert values == pytest.approx({f"s{k}": k / steps for k in range(1, steps + 1)})


def test_the_shortest_way_to_a_right_end_counts() -> None:
    # s1 is one step from A and two from C: its distance is 1, so 1/2; s2 then makes half of what is missing.
    parents = {"s1": "root", "A": "s1", "s2": "s1", "C": "s2"}
    values = named(parents, ("A", "C"), ("A", "C"))
    assert values == pytest.approx({"s1": 0.5, "A": 1.0, "s2": 0.75, "C": 1.0})


def test_a_wrong_first_step_is_worth_nothing_and_stays_so() -> None:
    values = named({"A": "root", "x": "root", "B": "x"}, ("A", "B"), ("A",))
    assert values == pytest.approx({"A": 1.0, "x": 0.0, "B": 0.0})


def test_what_leads_to_no_end_has_no_value() -> None:
    values = named({"A": "root", "x": "root", "y": "x"}, ("A",), ("A",))
    assert set(values) == {"A"}


def test_a_tree_without_a_right_end_tells_nothing() -> None:
    assert named({"s1": "root", "B": "s1"}, ("B",), ()) == {}


def test_a_dead_end_is_wrong() -> None:
    tree, places = tree_of({"A": "root", "x": "root"}, ("A",))
    tree = tree.grown(places["x"], [])
    assert tree.ends == (places["A"], places["x"])
    assert inferred(tree, {places["A"]}) == {places["A"]: 1.0, places["x"]: 0.0}


def test_a_step_adds_or_takes_its_share_and_never_falls_below_zero() -> None:
    assert quality(0.5, 2, good=True) == pytest.approx(0.5 + 0.5 / 3)
    assert quality(0.5, 2, good=False) == pytest.approx(0.5 - 0.5 / 3)
    assert quality(0.2, 0, good=False) == 0.0
    assert quality(0.0, 0, good=True) == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_values_of_random_trees_lie_in_the_unit_interval_and_only_right_ends_reach_one(seed: int) -> None:
    rng = stream("trees", seed)
    tree = BARE
    for name in range(30):
        places = [place for place, node in enumerate(tree.nodes) if node.stop is None]
        stop = Stop.DONE if rng.random() < 0.4 else None
        tree = tree.grown(rng.choice(places), [Node(piece(f"{name}\n"), stop=stop)])
    right = {place for place in tree.complete if rng.random() < 0.5}
    values = inferred(tree, right)
    assert right <= set(values) and ROOT not in values
    assert all(0 <= value <= 1 for value in values.values())
    assert {place for place, value in values.items() if value == pytest.approx(1.0)} == right
    for place, value in values.items():
        before = values.get(tree.nodes[place].parent, 0.0)
        leads = any(place in tree.path(end) for end in right)
        assert value > before if leads else value <= before


def test_lessons_ask_for_the_value_behind_the_solution_so_far() -> None:
    tree, places = tree_of({"s1": "root", "A": "s1"}, ("A",))
    lessons = valuations(tree, {places["s1"]: 0.5, places["A"]: 1.0})
    assert [lesson.parts[-1].target for lesson in lessons] == [0.5, 1.0]
    assert [lesson.parts[0].content for lesson in lessons] == [tree.draft(1).chat, tree.draft(2).chat]
    assert tree.draft(2).chat[:-1] == Problem("sum", (user("1+1"),)).chat
