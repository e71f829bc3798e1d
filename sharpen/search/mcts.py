"""MCTS*, tree search led by a critic (ReST-MCTS*, arXiv:2406.03816, Algorithm 2 and its code).

Each iteration, in every tree at once
    go down from the root to the child with the largest V + C sqrt(2 ln N / n), or V + the bonus where it has no visit
    expand the node that is reached: b steps, each read once by the critic
    from the best child roll on for some steps, the best of several each time; V <- (1 - alpha) V + alpha max V seen
    back up: one visit more, and V the mean of the children's by their visits
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log, sqrt

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Problem, Stop
from sharpen.core.tree import ROOT, Draft, Node, Tree
from sharpen.search.steps import Ground, Stepping, expanded, proposed


@dataclass(frozen=True, slots=True)
class Mcts:
    """How trees are grown; `gate` makes it a search for an answer: a tree is done when it comes by a complete solution
    of that value."""

    iterations: int = 16  # ours; the code's 50 (MATH) or 40 (GSM8K), and 100 for an answer
    branch: int = 3  # b, steps drawn at an expansion, the code's
    explore: float = 0.5  # C; the code's 0.5 for data, 0.4 for an answer
    unvisited: float = 0.9  # bonus of a child without a visit; the code's 0.9 for data, 0.8 for an answer
    roll: int = 1  # steps of a rollout; the code's 1 for data, 2 for an answer
    roll_branch: int = 1  # steps drawn at each, the code's
    alpha: float = 0.5  # weight of what a rollout saw, 0-1, the code's
    gate: float | None = None  # value in [0, 1] at which a complete solution is taken; None: grow to the end
    step: Stepping = Stepping()

    def __post_init__(self) -> None:
        if min(self.iterations, self.branch, self.roll_branch) < 1 or self.roll < 0:
            raise InvalidInput(
                "iterations, branch and roll_branch must be >= 1 and roll >= 0, got "
                f"{self.iterations}, {self.branch}, {self.roll_branch} and {self.roll}"
            )
        if not 0 <= self.alpha <= 1 or self.explore < 0:
            raise InvalidInput(f"alpha must be in [0, 1] and explore >= 0, got {self.alpha} and {self.explore}")

    def grow(self, ground: Ground, problems: Sequence[Problem]) -> list[Tree]:
        """One tree per problem, in order; what grows depends on the problem and the ground's streams alone."""
        trees = ground.rooted(problems)
        for iteration in range(self.iterations):
            reached = [(row, selected(tree, self)) for row, tree in enumerate(trees) if tree.open]
            at = [(row, place) for row, place in reached if not accepted(trees[row].nodes[place], self.gate)]
            if not at:
                break
            fresh = [(row, place) for row, place in at if trees[row].nodes[place].stop is None]
            trees = expanded(ground.on("expand", iteration), trees, fresh, self.branch, self.step)
            rolling = [(row, place) for row, place in fresh if trees[row].nodes[place].children]
            trees = rolled(ground.on("roll", iteration), trees, rolling, self)
            for row, place in at:
                trees[row] = backed_up(trees[row], place)
        return ground.closed(trees)


def accepted(node: Node, gate: float | None) -> bool:
    """Whether a node is a complete solution whose value reaches the gate."""
    return gate is not None and node.stop is Stop.DONE and node.value >= gate


def selected(tree: Tree, how: Mcts) -> int:
    """The place that is reached from the root by going to the best child while there are children."""
    place = ROOT
    while tree.nodes[place].children:
        place = best_child(tree, place, how)
    return place


def best_child(tree: Tree, place: int, how: Mcts) -> int:
    """The child of the largest V + C sqrt(2 ln N / n), or V + bonus without a visit; the first of equals: their order,
    that in which they were drawn, is random already."""
    visits = max(tree.nodes[place].visits, 1)

    def worth(child: int) -> float:
        node = tree.nodes[child]
        return node.value + (how.explore * sqrt(2 * log(visits) / node.visits) if node.visits else how.unvisited)

    return max(tree.nodes[place].children, key=worth)


def rolled(ground: Ground, trees: Sequence[Tree], at: Sequence[tuple[int, int]], how: Mcts) -> list[Tree]:
    """The trees after a rollout from the best child of each (tree, place); its steps do not stay."""
    children = {row: best_child(trees[row], place, how) for row, place in at}
    drafts = {row: trees[row].draft(child) for row, child in children.items() if trees[row].nodes[child].stop is None}
    seen, sampled = _seen(ground, drafts, how)
    after = list(trees)
    for row, child in children.items():
        node = after[row].nodes[child]
        value = (1 - how.alpha) * node.value + how.alpha * seen[row] if row in seen else node.value
        after[row] = after[row].changed(child, replace(node, value=value, visits=node.visits + 1))
        after[row] = replace(after[row], sampled=after[row].sampled + sampled.get(row, 0))
    return after


def _seen(ground: Ground, drafts: Mapping[int, Draft], how: Mcts) -> tuple[dict[int, float], dict[int, int]]:
    """The largest value seen on the way from each draft, 0 where there was no step to take (as in the code), and the
    tokens drawn for it; none without rollouts."""
    seen, sampled = (dict.fromkeys(drafts, 0.0) if how.roll else {}), dict.fromkeys(drafts, 0)
    alive = dict(drafts)
    for number in range(how.roll):
        proposals = proposed(ground.on(number), list(alive.values()), how.roll_branch, how.step)
        steps = [(row, step) for row, proposal in zip(alive, proposals, strict=True) for step in proposal.steps]
        for row, proposal in zip(alive, proposals, strict=True):
            sampled[row] += proposal.sampled
        scores = ground.scores([alive[row].plus(step.piece) for row, step in steps])
        best: dict[int, tuple[float, Draft, bool]] = {}
        for (row, step), score in zip(steps, scores, strict=True):
            if row not in best or score > best[row][0]:
                best[row] = score, alive[row].plus(step.piece), step.ends
        seen |= {row: max(seen[row], score) for row, (score, _, _) in best.items()}
        alive = {row: draft for row, (_, draft, ends) in best.items() if not ends}
    return seen, sampled


def backed_up(tree: Tree, place: int) -> Tree:
    """The tree after one visit more from a place up to the root, each with children worth their mean by visits."""
    for step in reversed(tree.path(place)):
        node = tree.nodes[step]
        visited = [child for child in (tree.nodes[child] for child in node.children) if child.visits]
        total = sum(child.visits for child in visited)
        value = sum(child.visits * child.value for child in visited) / total if total else node.value
        tree = tree.changed(step, replace(node, visits=node.visits + 1, value=value))
    return tree
