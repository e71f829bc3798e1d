"""Independent attempts as trees."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sharpen.core.records import Chat, Completion, Finish, Piece, Sampling, Stop
from sharpen.core.tokens import Tokens
from sharpen.core.tree import Draft, Tree
from sharpen.search.beam import Beam
from sharpen.search.chains import Chains, divided
from sharpen.search.mcts import Mcts
from sharpen.search.searched import finished
from tests.search.scripted import CUT, ENCODER, PROBLEM, Script, piece
from tests.spoken import BY

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
    steps = divided(Piece(whole.text, whole.tokens, numbers, drawn=numbers), ENCODER)
    assert [step.text for step in steps] == ["a\n", "bc\n", "\n", "Answer: 1"]
    assert sum((step.known for step in steps[1:]), steps[0].known) == whole.tokens
    assert np.array_equal(np.concatenate([step.likelihood for step in steps]), numbers)
    assert np.array_equal(np.concatenate([step.drawn for step in steps if step.drawn is not None]), numbers)


def test_a_problem_without_room_for_an_attempt_stays_a_root_and_is_answered_with_nothing() -> None:
    class Full:
        weights = BY

        def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
            nothing = Piece("", Tokens(np.zeros(0, dtype=np.int32), ENCODER.fingerprint))
            return [[Completion(nothing, Finish.FULL)] * how.n for _ in chats]

    script = Script({})
    ground = replace(script.ground, speak=lambda *path: Full())
    for search in (HOW, Mcts(iterations=2), Beam(depth=2)):
        (tree,) = search.grow(ground, [PROBLEM])
        assert len(tree.nodes) == 1 and tree.sampled == 0 and script.read == []
        (attempt,) = finished(ground, [tree])
        assert attempt.text == "" and attempt.stop is Stop.LENGTH


def test_what_leaves_a_critic_no_room_is_worth_nothing() -> None:
    class Blind(Script):
        def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
            return [[] for _ in chats]

    assert Blind({}).ground.scores([Draft(PROBLEM.chat)]) == [0.0]
