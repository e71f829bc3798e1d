"""What every step of a finished tree was worth, from its final answers alone (ReST-MCTS*, arXiv:2406.03816)."""

from collections.abc import Collection, Mapping

from sharpen.core.lessons import Lesson, valuation
from sharpen.core.tree import ROOT, Tree


def quality(before: float, distance: int, good: bool) -> float:
    """v_k = max(v_{k-1} + w_k, 0) in [0, 1], with w_k = (1 - v_{k-1}) / (m_k + 1) * (1 - 2 r_k): `before` is the value
    of the solution without step k, `distance` is m_k, the fewest further steps to a right end, and r_k is 0 where the
    step is good and 1 where it is not (arXiv:2406.03816)."""
    weight = (1 - before) / (distance + 1)
    return max(before + weight if good else before - weight, 0.0)


def inferred(tree: Tree, right: Collection[int]) -> dict[int, float]:
    """The quality in [0, 1] of every node that leads to an end, by its place in order; `right` are the ends that are
    right, all other ends are wrong. Empty where none is right: such a tree tells nothing.

    A node above a right end is good, its distance the shortest way down to one. A node with wrong ends alone is bad and
    has the distance of the nearest good node above it. The root, where nothing has been said, is left out.
    """
    distances: dict[int, int] = {}
    for place in reversed(range(len(tree.nodes))):
        below = [distances[child] for child in tree.nodes[place].children if child in distances]
        if place in right:
            distances[place] = 0
        elif below:
            distances[place] = min(below) + 1
    astray = _astray(tree, distances) if distances else {}
    values = {ROOT: 0.0}
    for place, node in enumerate(tree.nodes[ROOT + 1 :], start=ROOT + 1):
        if place in distances:
            values[place] = quality(values[node.parent], distances[place], good=True)
        elif place in astray:
            values[place] = quality(values[node.parent], astray[place], good=False)
    del values[ROOT]
    return values


def _astray(tree: Tree, distances: Mapping[int, int]) -> dict[int, int]:
    """The nodes from each wrong end up to its nearest good ancestor, with that one's distance."""
    astray: dict[int, int] = {}
    for end in tree.ends:
        path = tree.path(end)
        turning = max(step for step, place in enumerate(path) if place in distances)
        astray |= dict.fromkeys(path[turning + 1 :], distances[path[turning]])
    return astray


def valuations(tree: Tree, values: Mapping[int, float]) -> list[Lesson]:
    """Asks a head for the value of each node at the last token of the solution so far."""
    return [valuation(tree.draft(place).chat, (), value) for place, value in values.items()]
