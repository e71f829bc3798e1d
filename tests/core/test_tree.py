"""Trees as records."""

from sharpen.core.archive import from_json, to_json
from sharpen.core.records import Message, Stop
from sharpen.core.tree import ROOT, Draft, Node, Tree
from tests.search.scripted import PROBLEM, piece
from tests.spoken import BY

BARE = Tree(PROBLEM, PROBLEM.chat, BY)


def grown() -> Tree:
    tree = BARE.grown(ROOT, [Node(piece("a\n"), score=0.5, value=0.5), Node(piece("b\n"))], sampled=4)
    tree = tree.grown(1, [Node(piece("Answer: 1"), stop=Stop.DONE)], sampled=10)
    return tree.grown(2, [], sampled=3)


def test_places_of_what_is_complete_what_has_ended_and_what_is_open() -> None:
    assert BARE.open == (ROOT,) and BARE.ends == ()
    tree = grown()
    assert (tree.complete, tree.ends, tree.open) == ((3,), (2, 3), ())
    assert tree.nodes[2].stop is Stop.LENGTH and tree.sampled == 17
    assert BARE.grown(ROOT, [Node(piece("a\n"))]).open == (1,)


def test_parents_and_children_know_each_other() -> None:
    tree = grown()
    assert tree.path(3) == (ROOT, 1, 3) and tree.path(ROOT) == (ROOT,)
    assert tree.nodes[ROOT].children == (1, 2) and tree.nodes[1].children == (3,)
    assert all(place in tree.nodes[node.parent].children for place, node in enumerate(tree.nodes) if place != ROOT)


def test_a_solution_so_far_is_continued_in_its_own_tokens() -> None:
    draft = grown().draft(3)
    tokens = piece("a\n").known + piece("Answer: 1").known
    assert draft.chat == (*PROBLEM.chat, Message("assistant", "a\nAnswer: 1", tokens))
    assert Draft(PROBLEM.chat).chat == PROBLEM.chat
    assert Draft(PROBLEM.chat).plus(piece("a\n"), piece("Answer: 1")) == draft


def test_an_attempt_at_a_place_is_one_turn_of_its_steps() -> None:
    tree = grown()
    attempt = tree.attempt(3)
    assert (attempt.text, attempt.stop, attempt.problem) == ("a\nAnswer: 1", Stop.DONE, PROBLEM)
    assert [said.text for said in attempt.said] == ["a\n", "Answer: 1"] and attempt.turns[0].seen == PROBLEM.chat
    assert tree.attempt(1).stop is tree.attempt(2).stop is Stop.LENGTH


def test_a_tree_survives_the_archive() -> None:
    assert from_json(Tree, to_json(grown())) == grown()
