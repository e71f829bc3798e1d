"""Which solution of a tree is the answer."""

from sharpen.core.archive import from_tagged, to_tagged
from sharpen.core.records import Stop
from sharpen.core.tree import ROOT, Node, Tree
from sharpen.search.beam import Beam
from sharpen.search.chains import Chains
from sharpen.search.mcts import Mcts
from sharpen.search.searched import Searched, best, finished, voted
from tests.search.scripted import CUT, PROBLEM, Script, piece
from tests.spoken import BY


def ended(*answers: tuple[str, float]) -> Tree:
    nodes = [Node(piece(text), value=value, stop=Stop.DONE) for text, value in answers]
    return Tree(PROBLEM, PROBLEM.chat, BY).grown(ROOT, nodes)


def test_the_best_is_the_first_of_the_highest_value() -> None:
    tree = ended(("Answer: 1", 0.4), ("Answer: 2", 0.7), ("Answer: 3", 0.7))
    assert best(tree, tree.complete) == 2


def test_the_vote_sums_the_values_of_an_answer_and_shows_its_best_solution() -> None:
    tree = ended(("Answer: 1", 0.9), ("Answer: 2", 0.5), ("so\nAnswer: 2.", 0.6), ("no answer", 1.0))
    assert voted(tree, tree.complete) == 3
    assert voted(ended(("none", 0.1), ("nor here", 0.2)), (1, 2)) == 2


def test_a_search_without_an_answer_goes_on_from_its_best_open_solution() -> None:
    script = Script({"a\n": ("b\nAnswer: 1",)})
    open_ones = [Node(piece("a\n"), value=0.6), Node(piece("c\n"), value=0.2)]
    tree = Tree(PROBLEM, PROBLEM.chat, BY).grown(ROOT, open_ones)
    (attempt,) = finished(script.ground, [tree])
    assert (attempt.text, attempt.stop) == ("a\nb\nAnswer: 1", Stop.DONE)


def test_no_answer_is_longer_than_the_world_allows() -> None:
    script = Script({"a\n": (f"bbb{CUT}",), "123456789\n": ("Answer: 1",)}, most=10)
    trees = [Tree(PROBLEM, PROBLEM.chat, BY).grown(ROOT, [Node(piece(text))]) for text in ("a\n", "123456789\n")]
    cut, full = finished(script.ground, trees)
    assert (cut.text, cut.stop) == (f"a\nbbb{CUT}", Stop.LENGTH)
    assert (full.text, full.stop) == ("123456789\n", Stop.LENGTH)
    assert script.asked[-1].max_tokens == 10 - 2 and script.asked[-1].temperature == 0


def test_the_solver_is_plain_data() -> None:
    for search in (Mcts(gate=0.9), Beam(), Chains()):
        solver = Searched(BY, BY, search, "vote")
        assert from_tagged(to_tagged(solver)) == solver
