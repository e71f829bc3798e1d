"""Breadth-first search with a beam (Tree of Thoughts, arXiv:2305.10601), led by a critic as in the code of ReST-MCTS*.

For every depth, in every tree at once
    draw some next steps from each solution in the beam
    take the best of them, if it is complete and good enough
    else keep the few best of all as the next beam; complete ones among them are done
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Problem
from sharpen.core.tree import ROOT, Tree
from sharpen.search.mcts import accepted
from sharpen.search.steps import Ground, Stepping, expanded


@dataclass(frozen=True, slots=True)
class Beam:
    """How trees are grown, level by level."""

    branch: int = 3  # steps drawn from each, the code's
    keep: int = 2  # solutions in the beam, the code's; the paper of Tree of Thoughts has 5
    depth: int = 16  # most steps (ours; the code's 8)
    gate: float | None = 0.9  # value in [0, 1] at which a complete solution is taken, the code's; None: never
    step: Stepping = Stepping()

    def __post_init__(self) -> None:
        if min(self.branch, self.keep, self.depth) < 1:
            raise InvalidInput(f"branch, keep and depth must be >= 1, got {self.branch}, {self.keep} and {self.depth}")

    def grow(self, ground: Ground, problems: Sequence[Problem]) -> list[Tree]:
        """One tree per problem, in order; what grows depends on the problem and the ground's streams alone."""
        trees = ground.rooted(problems)
        at = [(row, ROOT) for row in range(len(trees))]
        for depth in range(self.depth):
            before = [len(tree.nodes) for tree in trees]
            trees = expanded(ground.on("beam", depth), trees, at, self.branch, self.step)
            at = [(row, place) for row, tree in enumerate(trees) for place in self._beam(tree, before[row])]
            if not at:
                break
        return ground.closed(trees)

    def _beam(self, tree: Tree, first: int) -> list[int]:
        """The places to go on from, of the nodes from place `first` on, the best first."""
        best = sorted(range(first, len(tree.nodes)), key=lambda place: -tree.nodes[place].value)[: self.keep]
        if best and accepted(tree.nodes[best[0]], self.gate):
            return []
        return [place for place in best if tree.nodes[place].stop is None]
