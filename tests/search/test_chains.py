"""Independent attempts as trees."""

import numpy as np

from sharpen.core.records import Piece, Sampling, Stop
from sharpen.core.tree import Tree
from sharpen.search.chains import Chains, divided
from tests.search.scripted import CUT, ENCODER, PROBLEM, Script, piece

SAID = ("a\nb\nAnswer: 1", "a\nc\nAnswer: 2", "a\nb\nAnswer: 1", f"a\n{CUT}")
WORTH = {text: place / 10 for place, text in enumerate(SAID)}
HOW = Chains(Sampling(n=4))


def grown() -> Tree:
    (tree,) = HOW.grow(Script({"": SAID}, WORTH).ground, [PROBLEM])
    return tree


def test_attempts_share_their_first_steps_and_each_has_its_own_end() -> None:
    tree = grown()
    assert [tree.attempt(place).text for place in tree.ends] == list(SAID)
    texts = [node.step.text for node in tree.nodes if node.step is not None]
    assert sorted(texts) == sorted(["a\n", "b\n", "c\n", "Answer: 1", "Answer: 1", "Answer: 2", CUT])


def test_an_attempt_that_was_cut_off_is_a_dead_end_that_nobody_reads() -> None:
    tree = grown()
    (cut,) = set(tree.ends) - set(tree.complete)
    assert tree.nodes[cut].stop is Stop.LENGTH and tree.nodes[cut].score is None
    assert [tree.nodes[place].score for place in tree.complete] == [WORTH[text] for text in (SAID[2], SAID[1], SAID[2])]


def test_without_a_critic_nothing_is_read() -> None:
    script = Script({"": SAID})
    (tree,) = HOW.unread(script.ground, [PROBLEM])
    assert script.read == [] and len(tree.complete) == 3
    assert tree.sampled == sum(len(piece(text).tokens or ()) for text in SAID)


def test_the_steps_of_a_piece_are_the_piece() -> None:
    whole = piece("a\nbc\n\nAnswer: 1")
    numbers = np.arange(len(whole.known), dtype=np.float32)
    steps = divided(Piece(whole.text, whole.tokens, numbers, drawn=numbers), ENCODER, "\n")
    assert [step.text for step in steps] == ["a\n", "bc\n", "\n", "Answer: 1"]
    assert sum((step.known for step in steps[1:]), steps[0].known) == whole.tokens
    assert np.array_equal(np.concatenate([step.likelihood for step in steps]), numbers)
    assert np.array_equal(np.concatenate([step.drawn for step in steps if step.drawn is not None]), numbers)
