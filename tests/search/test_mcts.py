"""The search against trees worked by hand."""

from dataclasses import replace
from math import log, sqrt

import pytest
import torch

from sharpen.core.budget import Spend
from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Critic
from sharpen.core.records import Problem, Stop
from sharpen.core.training import Head
from sharpen.core.tree import ROOT, Node, Tree
from sharpen.models.linear import SCALE, WORDS, newborn
from sharpen.models.local import LocalModel, local_model
from sharpen.models.words import WordEncoder
from sharpen.search.mcts import Mcts, backed_up, best_child
from sharpen.search.steps import Ground, Stepping
from tests.search.scripted import PROBLEM, Script, piece, said
from tests.spoken import BY
from tests.toys import Toy

LINES = {
    "": ("a\n", "b\n"),
    "a\n": ("c\n", "Answer: 1"),
    "b\n": ("Answer: 2",),
}
WORTH = {"a\n": 0.6, "b\n": 0.4, "a\nc\n": 0.2, "a\nAnswer: 1": 0.9, "b\nAnswer: 2": 0.8}
HOW = Mcts(iterations=6, branch=2)


def grown(how: Mcts, script: Script | None = None) -> Tree:
    (tree,) = how.grow((script or Script(LINES, WORTH)).ground, [PROBLEM])
    return tree


def test_six_iterations_by_hand() -> None:
    # 1 expands the root and rolls from a to c; 2 takes b for its bonus; 3 to 5 stay at its end; 6 comes back to a.
    nodes = said(grown(HOW))
    assert set(nodes) == {"", *WORTH}
    visits = {text: node.visits for text, node in nodes.items()}
    assert visits == {"": 6, "a\n": 2, "b\n": 4, "a\nc\n": 0, "a\nAnswer: 1": 1, "b\nAnswer: 2": 4}
    assert nodes["a\n"].value == pytest.approx(0.9) and nodes["b\n"].value == pytest.approx(0.8)
    assert nodes[""].value == pytest.approx((2 * 0.9 + 4 * 0.8) / 6)
    assert {text: node.score for text, node in nodes.items() if text} == WORTH


def test_a_rollout_moves_the_value_of_the_best_child_and_leaves_no_step_behind() -> None:
    nodes = said(grown(replace(HOW, iterations=1)))
    assert set(nodes) == {"", "a\n", "b\n"}
    assert nodes["a\n"].value == pytest.approx(0.5 * 0.6 + 0.5 * 0.2) and nodes["a\n"].visits == 1
    assert (nodes["b\n"].value, nodes["b\n"].visits) == (0.4, 0)
    assert nodes[""].value == pytest.approx(0.4) and nodes[""].visits == 1


def test_a_rollout_takes_the_best_of_several_steps_and_remembers_the_largest_value_on_its_way() -> None:
    nodes = said(grown(replace(HOW, iterations=1, roll=2, roll_branch=2)))
    assert nodes["a\n"].value == pytest.approx(0.5 * 0.6 + 0.5 * 0.9)


def test_a_rollout_without_a_step_to_take_has_seen_nothing() -> None:
    nodes = said(grown(replace(HOW, iterations=1), Script({"": LINES[""]}, WORTH)))
    assert nodes["a\n"].value == pytest.approx(0.3)


def test_a_search_for_an_answer_ends_when_it_comes_by_one_that_is_good_enough() -> None:
    assert grown(replace(HOW, iterations=100, gate=0.9)) == grown(HOW)
    assert grown(replace(HOW, iterations=100, gate=0.8)) == grown(replace(HOW, iterations=2))


def test_an_unfinished_solution_is_not_an_answer_however_good() -> None:
    tree = grown(replace(HOW, iterations=100, gate=0.5), Script(LINES, WORTH | {"a\n": 1.0}))
    assert all(tree.nodes[place].stop is Stop.DONE for place in tree.complete) and tree.complete


def test_grows_to_the_end_and_then_stops() -> None:
    tree = grown(replace(HOW, iterations=1000))
    assert tree.open == () and tree.nodes[ROOT].visits < 1000
    assert said(tree)["a\nc\n"].stop is Stop.LENGTH


def test_counts_every_token_that_was_drawn() -> None:
    # a\n and b\n; rolled c\n; twice "Answer: 2" and its end; c\n and "Answer: 1" and its end.
    assert grown(HOW).sampled == (2 + 2) + 2 + 2 * 10 + (2 + 10)


def test_the_best_child_by_the_formula() -> None:
    children = [Node(piece("x\n"), value=v, visits=n) for v, n in ((0.5, 3), (0.6, 5), (0.1, 0))]
    tree = Tree(PROBLEM, PROBLEM.chat, BY).grown(ROOT, children)
    tree = tree.changed(ROOT, replace(tree.nodes[ROOT], visits=8))
    worths = [0.5 + 0.5 * sqrt(2 * log(8) / 3), 0.6 + 0.5 * sqrt(2 * log(8) / 5), 0.1 + 0.9]
    assert best_child(tree, ROOT, Mcts()) == 1 + worths.index(max(worths)) == 1
    assert best_child(tree, ROOT, Mcts(explore=0.0)) == 3
    assert best_child(tree, ROOT, Mcts(explore=0.0, unvisited=0.0)) == 2


def test_of_equal_children_the_first_that_was_drawn() -> None:
    tree = Tree(PROBLEM, PROBLEM.chat, BY).grown(ROOT, [Node(piece("x\n"), value=0.5), Node(piece("y\n"), value=0.5)])
    assert best_child(tree, ROOT, Mcts()) == 1


def test_a_visited_parent_is_worth_the_mean_of_its_visited_children() -> None:
    children = [Node(piece("x\n"), value=v, visits=n) for v, n in ((0.2, 3), (0.8, 1), (1.0, 0))]
    tree = backed_up(Tree(PROBLEM, PROBLEM.chat, BY).grown(ROOT, children), ROOT)
    assert tree.nodes[ROOT].value == pytest.approx((3 * 0.2 + 0.8) / 4) and tree.nodes[ROOT].visits == 1


def rambling() -> LocalModel:
    """A linear model that says a digit, then as often goes on in a new line as it ends its turn."""
    encoder = WordEncoder(WORDS)
    body = newborn(encoder, ("1", "2", "3"))
    with torch.no_grad():
        for digit in ("1", "2", "3"):
            body.module.out.weight[encoder.place("\n"), encoder.place(digit)] = 10.0 / SCALE
    return local_model("rambling", body, encoder)


MODEL = rambling()
LONGER = Mcts(iterations=4, branch=3, roll=2, roll_branch=2, step=Stepping(temperature=1.0, max_tokens=4))


def on_the_toy(problems: list[Problem], charge: list[Spend] | None = None) -> list[Tree]:
    charged = charge if charge is not None else []
    model = MODEL.bind(lambda work, paid: charged.append(work))
    critic: Critic = model.at(model.head(model.base, Head("value", link="sigmoid")))
    ground = Ground(lambda *path: model.at(model.base, ("toy", *path)), critic, model.encoder, Toy().env)
    return LONGER.grow(ground, problems)


def test_a_tree_grows_the_same_in_any_company() -> None:
    problems = list(Toy().problems("train"))[:4]
    together = on_the_toy(problems)
    assert together == [tree for problem in reversed(problems) for tree in on_the_toy([problem])][::-1]
    assert max(len(tree.nodes) for tree in together) > 4


def test_the_trees_agree_with_the_ledger_about_the_tokens_drawn() -> None:
    charged: list[Spend] = []
    trees = on_the_toy(list(Toy().problems("train"))[:4], charged)
    assert sum(tree.sampled for tree in trees) == sum(spend.sampled for spend in charged) > 0


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match="iterations"):
        Mcts(iterations=0)
    with pytest.raises(InvalidInput, match="alpha"):
        Mcts(alpha=1.5)
