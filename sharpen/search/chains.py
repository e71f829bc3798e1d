"""Independent attempts as trees: for best-of-n, for a weighted vote, and for a critic to learn from first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Encoder
from sharpen.core.records import Completion, Finish, Piece, Problem, Sampling, Stop
from sharpen.core.tree import ROOT, Node, Tree
from sharpen.search.steps import LINE, Ground


@dataclass(frozen=True, slots=True)
class Chains:
    """How attempts are drawn: `how.n` whole ones at a time, whose steps are their lines."""

    how: Sampling = Sampling(n=8, temperature=0.8, max_tokens=4096)  # ours

    def __post_init__(self) -> None:
        if self.how.stop:
            raise InvalidInput(f"attempts are drawn whole: how.stop must be empty, got {self.how.stop}")

    def grow(self, ground: Ground, problems: Sequence[Problem]) -> list[Tree]:
        """One tree per problem, in order, its complete solutions read by the critic."""
        trees = self.unread(ground, problems)
        scores = iter(ground.scores([tree.draft(place) for tree in trees for place in tree.complete]))
        for row, tree in enumerate(trees):
            for place in tree.complete:
                score = next(scores)
                trees[row] = trees[row].changed(place, replace(tree.nodes[place], score=score, value=score))
        return trees

    def unread(self, ground: Ground, problems: Sequence[Problem]) -> list[Tree]:
        """The same without a critic. Attempts share the steps that they begin with, but each has an end of its own; a
        problem that leaves no room in the model's context stays a root."""
        trees = ground.rooted(problems)
        how = replace(self.how, max_tokens=min(self.how.max_tokens, ground.env.max_tokens))
        said = ground.speak("chains").sample([tree.seen for tree in trees], how)
        for row, group in enumerate(said):
            for completion in (one for one in group if one.finish is not Finish.FULL):
                trees[row] = self._with(trees[row], completion, ground.encoder)
        return ground.closed(trees)

    def _with(self, tree: Tree, completion: Completion, encoder: Encoder) -> Tree:
        *steps, last = divided(completion.piece, encoder)
        place = ROOT
        for step in steps:
            children = tree.nodes[place].children
            same = [child for child in children if tree.nodes[child].stop is None and _text(tree, child) == step.text]
            if not same:
                same = [len(tree.nodes)]
                tree = tree.grown(place, [Node(step)])
            place = same[0]
        stop = Stop.DONE if completion.finish is Finish.END else Stop.LENGTH
        return tree.grown(place, [Node(last, stop=stop)], len(completion.piece.known))


def divided(piece: Piece, encoder: Encoder) -> list[Piece]:
    """A piece in steps, each up to the token that ends a line, and the rest; together they are the piece."""
    marks = (stop for _, stop in encoder.spans(piece.known, re.escape(LINE)))
    bounds = sorted({*marks, len(piece.known)} - {0})
    steps: list[Piece] = []
    for start, stop in zip([0, *bounds], bounds, strict=False):
        before = "".join(step.text for step in steps)
        text = encoder.decode(piece.known[:stop])[len(before) :]
        logprobs = None if piece.logprobs is None else piece.logprobs[start:stop]
        drawn = None if piece.drawn is None else piece.drawn[start:stop]
        steps.append(Piece(text, piece.known[start:stop], logprobs, piece.author, drawn))
    return steps


def _text(tree: Tree, place: int) -> str:
    step = tree.nodes[place].step
    return "" if step is None else step.text
