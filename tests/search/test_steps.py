"""What counts as a step, and how often it is asked for."""

import numpy as np
import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Message, Scene, Stop
from sharpen.core.tree import ROOT, Draft
from sharpen.search.steps import Ground, Stepping, expanded, proposed
from tests.sample.test_rollout import Turns
from tests.search.scripted import CUT, ENCODER, PROBLEM, Script, piece, said

HOW = Stepping()


def steps(script: Script, begun: tuple[str, ...], n: int, how: Stepping = HOW) -> list[tuple[str, bool]]:
    draft = Draft(PROBLEM.chat, tuple(map(piece, begun)))
    (proposal,) = proposed(script.ground.on("go"), [draft], n, how)
    return [(step.piece.text, step.ends) for step in proposal.steps]


def test_a_step_is_a_line_with_its_mark_or_the_last_words_of_a_turn() -> None:
    script = Script({"a\n": ("b\n", "Answer: 1")})
    assert steps(script, ("a\n",), 2) == [("b\n", False), ("Answer: 1", True)]


def test_the_words_come_with_the_tokens_that_were_sampled() -> None:
    draft = Draft(PROBLEM.chat, (piece("a\n"),))
    (proposal,) = proposed(Script({"a\n": ("b\n",)}).ground.on("go"), [draft], 1, HOW)
    whole = draft.plus(proposal.steps[0].piece)
    assert ENCODER.decode(whole.tokens) == whole.text == whole.chat[-1].text == "a\nb\n"
    assert np.array_equal(ENCODER.encode(whole.chat).ids[-len(whole.tokens) :], whole.tokens.ids)


def test_ending_the_turn_behind_a_line_is_a_step_and_saying_nothing_at_all_is_none() -> None:
    assert steps(Script({"a\n": ("",)}), ("a\n",), 1) == [("", True)]
    assert steps(Script({"": ("",)}), (), 1) == []


@pytest.mark.parametrize("line", ["\n", " \n", "a\n", " a \n", "a", CUT, "x" * 63 + "\n"])
def test_what_is_blank_said_before_cut_off_or_too_long_is_no_step(line: str) -> None:
    script = Script({"a\n": (line,)}, again={"a\n": ("b\n",)})
    assert steps(script, ("a\n",), 1) == [("b\n", False)]


def test_only_what_is_missing_is_asked_for_again_and_not_for_ever() -> None:
    script = Script({"": ("a\n", "\n", "\n")}, again={"": ("b\n", "\n")})
    (proposal,) = proposed(script.ground.on("go"), [Draft(PROBLEM.chat)], 3, HOW)
    assert [step.piece.text for step in proposal.steps] == ["a\n", "b\n", "b\n"]
    assert script.paths == [("go", 0), ("go", 1), ("go", 2)]
    assert proposal.sampled == (2 + 1 + 1) + (2 + 1) + 2
    once = Script({"": ("\n",)}, again={"": ("b\n",)})
    assert steps(once, (), 1, Stepping(tries=1)) == []


def test_equal_steps_become_one_child_that_is_read_once() -> None:
    script = Script({"": ("a\n", "b\n", "a\n")}, {"a\n": 0.1, "b\n": 0.2})
    (tree,) = expanded(script.ground.on("go"), script.ground.rooted([PROBLEM]), [(0, ROOT)], 3, HOW)
    assert list(said(tree)) == ["", "a\n", "b\n"] and script.read == ["a\n", "b\n"]


def test_nothing_can_follow_where_no_step_is_sound() -> None:
    script = Script({})
    (tree,) = expanded(script.ground.on("go"), script.ground.rooted([PROBLEM]), [(0, ROOT)], 3, HOW)
    assert tree.nodes[ROOT].stop is Stop.LENGTH and tree.sampled == 3 * 3 * 4


def test_a_problem_that_goes_on_after_a_turn_is_refused() -> None:
    script = Script({"": ("Answer: 1",)}, {"Answer: 1": 0.5})
    (tree,) = expanded(script.ground.on("go"), script.ground.rooted([PROBLEM]), [(0, ROOT)], 1, HOW)
    assert script.ground.closed([tree]) == [tree]
    going_on = Ground(script.speak, script, ENCODER, Turns(2))
    with pytest.raises(InvalidInput, match="one turn"):
        going_on.closed([tree])


def test_the_world_hears_whole_solutions_with_their_tokens() -> None:
    heard: list[Message] = []

    class Listening(Turns):
        def step_many(self, scenes: list[Scene], actions: list[Message]) -> list[Scene]:  # type: ignore[override]  # lists
            heard.extend(actions)
            return super().step_many(scenes, actions)

    script = Script({"": ("a\n",), "a\n": ("Answer: 1",)}, {"a\n": 0.5, "a\nAnswer: 1": 0.5})
    trees = script.ground.rooted([PROBLEM])
    for place in (ROOT, 1):
        trees = expanded(script.ground.on("go", place), trees, [(0, place)], 1, HOW)
    Ground(script.speak, script, ENCODER, Listening(1)).closed(trees)
    assert [(action.text, action.tokens) for action in heard] == [("a\nAnswer: 1", trees[0].draft(2).tokens)]


def test_settings_that_ask_for_nothing_are_refused() -> None:
    with pytest.raises(InvalidInput, match="tries"):
        Stepping(tries=0)
    with pytest.raises(InvalidInput, match="temperature"):
        Stepping(temperature=-1.0)
