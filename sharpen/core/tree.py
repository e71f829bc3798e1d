"""Trees of solutions that share their first steps, as plain records."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.records import Attempt, Chat, Message, Piece, Problem, Stop, Turn, Weights
from sharpen.core.tokens import Tokens

ROOT = 0
"""The place of the root, at which nothing has been said."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A solution so far: the chat it answers, and its steps in order, their marks and ends included."""

    seen: Chat
    said: tuple[Piece, ...] = ()

    @property
    def text(self) -> str:
        """All steps in a row."""
        return "".join(piece.text for piece in self.said)

    @property
    def tokens(self) -> Tokens:
        """The tokens of all steps in a row, of which there must be one."""
        return sum((piece.known for piece in self.said[1:]), self.said[0].known)

    @property
    def message(self) -> Message:
        """What was said, token by token; at least one step."""
        return Message("assistant", self.text, self.tokens)

    @property
    def chat(self) -> Chat:
        """What the model sees when it is to go on."""
        return (*self.seen, self.message) if self.said else self.seen

    def plus(self, *said: Piece) -> "Draft":
        """The same with more said."""
        return replace(self, said=(*self.said, *said))


@dataclass(frozen=True, slots=True)
class Node:
    """A solution so far: its parent's, and one more step.

    step      what is said beyond the parent; None at the root
    parent    its place, before the node's own
    children  their places, in the order in which they were drawn; none while the node is not expanded
    score     what the critic said of it; None where it was not asked
    value     what a search makes of it; the score at first
    visits    how often a search came by
    stop      DONE where the policy ended its turn, LENGTH where nothing can follow; None where it is open
    """

    step: Piece | None = None
    parent: int = ROOT
    children: tuple[int, ...] = ()
    score: float | None = None
    value: float = 0.0
    visits: int = 0
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """Solutions of one problem that share their first steps; parents stand before their children. `sampled` counts the
    tokens that were drawn to grow it, those of steps that were thrown away included."""

    problem: Problem
    seen: Chat
    by: Weights
    nodes: tuple[Node, ...] = (Node(),)
    sampled: int = 0

    @property
    def complete(self) -> tuple[int, ...]:
        """The places at which the policy ended its turn, in order."""
        return tuple(place for place, node in enumerate(self.nodes) if node.stop is Stop.DONE)

    @property
    def ends(self) -> tuple[int, ...]:
        """The places that nothing will follow, complete or not, in order."""
        return tuple(place for place, node in enumerate(self.nodes) if node.stop is not None)

    @property
    def open(self) -> tuple[int, ...]:
        """The places that can still be expanded, in order."""
        return tuple(place for place, node in enumerate(self.nodes) if node.stop is None and not node.children)

    def path(self, place: int) -> tuple[int, ...]:
        """The places from the root to this one, both included."""
        up = [place]
        while up[-1] != ROOT:
            up.append(self.nodes[up[-1]].parent)
        return tuple(reversed(up))

    def draft(self, place: int) -> Draft:
        """The solution so far at a place."""
        steps = (self.nodes[step].step for step in self.path(place))
        return Draft(self.seen, tuple(step for step in steps if step is not None))

    def attempt(self, place: int) -> Attempt:
        """The solution at a place as an attempt of one turn; an open one was cut off."""
        turn = Turn(self.seen, self.draft(place).said)
        return Attempt(self.problem, (turn,), self.by, self.nodes[place].stop or Stop.LENGTH)

    def changed(self, place: int, node: Node) -> "Tree":
        """The same with another node at a place."""
        return replace(self, nodes=(*self.nodes[:place], node, *self.nodes[place + 1 :]))

    def grown(self, place: int, nodes: Sequence[Node], sampled: int = 0) -> "Tree":
        """The same with new children of a place, in order, and so many more tokens drawn; without any, nothing can
        follow there."""
        first, parent = len(self.nodes), self.nodes[place]
        places = tuple(range(first, first + len(nodes)))
        above = replace(parent, children=(*parent.children, *places), stop=None if nodes else Stop.LENGTH)
        below = tuple(replace(node, parent=place) for node in nodes)
        tree = self.changed(place, above)
        return replace(tree, nodes=(*tree.nodes, *below), sampled=self.sampled + sampled)
