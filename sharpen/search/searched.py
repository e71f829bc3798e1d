"""The solver that searches: it grows trees with a policy and its critic, and answers with one of their solutions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

from sharpen.core.judging import named_answer
from sharpen.core.method import Seat
from sharpen.core.records import Attempt, Finish, Problem, Sampling, Stop, Turn, Weights
from sharpen.core.tree import Tree
from sharpen.search.steps import Ground


class Search(Protocol):
    """A way to grow trees: Mcts, Beam or Chains."""

    def grow(self, ground: Ground, problems: Sequence[Problem]) -> list[Tree]:
        """One tree per problem, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Searched:
    """The complete solution of the highest value, or (vote) the best of the answer whose solutions have the largest sum
    of values; where a search found none, the open one of the highest value, gone on with greedily."""

    policy: Weights
    critic: Weights
    search: Search
    choose: Literal["best", "vote"] = "best"

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order."""
        speak = partial(seat.at, self.policy, "answer")
        ground = Ground(speak, seat.at(self.critic, "critic"), seat.model.encoder, seat.env)
        trees = self.search.grow(ground, problems)
        choose = voted if self.choose == "vote" else best
        rest = iter(finished(ground, [tree for tree in trees if not tree.complete]))
        return [tree.attempt(choose(tree, tree.complete)) if tree.complete else next(rest) for tree in trees]


def best(tree: Tree, places: Sequence[int]) -> int:
    """The place of the highest value, the first of equals."""
    return max(places, key=lambda place: tree.nodes[place].value)


def voted(tree: Tree, places: Sequence[int]) -> int:
    """The best place of the answer with the largest sum of values, the first of equals; without any answer the best."""
    ballots: defaultdict[str, list[int]] = defaultdict(list)
    for place in places:
        answer = (named_answer(tree.attempt(place).text) or "").removesuffix(".").rstrip()
        if answer:
            ballots[answer].append(place)
    if not ballots:
        return best(tree, places)
    return best(tree, max(ballots.values(), key=lambda votes: sum(tree.nodes[place].value for place in votes)))


def finished(ground: Ground, trees: Sequence[Tree]) -> list[Attempt]:
    """Each tree's open solution of the highest value, gone on with greedily as far as the world allows."""
    places = [best(tree, tree.open or tree.ends) for tree in trees]
    attempts = [tree.attempt(place) for tree, place in zip(trees, places, strict=True)]
    policy = ground.speak("finish")
    most = ground.env.max_tokens
    rooms = [most - said.length if tree.open else 0 for tree, said in zip(trees, attempts, strict=True)]
    for room in sorted(set(rooms) - {0}):
        rows = [row for row, left in enumerate(rooms) if left == room]
        chats = [trees[row].draft(places[row]).chat for row in rows]
        for row, (completion,) in zip(rows, policy.sample(chats, Sampling(max_tokens=room).greedy()), strict=True):
            seen, said = attempts[row].turns[0].seen, attempts[row].said
            stop = Stop.DONE if completion.finish is Finish.END else Stop.LENGTH
            attempts[row] = replace(attempts[row], turns=(Turn(seen, (*said, completion.piece)),), stop=stop)
    return attempts
