"""What is learned from trees, by whom, and how the variants answer."""

from dataclasses import replace

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.objectives import Imitate, Regress
from sharpen.core.records import Sampling
from sharpen.core.training import Training
from sharpen.methods.rest_mcts import Config, State, run
from sharpen.sample.direct import Direct
from sharpen.search.chains import Chains
from sharpen.search.mcts import Mcts
from sharpen.search.searched import Searched
from tests.methods.watching import MODEL, Impossible, place, rounds, said, seen
from tests.toys import NUMBERS

SMALL = Config(
    problems=8,
    seeds=8,
    search=Mcts(iterations=2, branch=4),
    chains=Chains(Sampling(n=4)),
    training=Training(epochs=1, batch=16, rate=0.03),
    valuing=Training(epochs=1, batch=16, rate=0.003),
)


def test_two_are_taught_in_turns_each_from_where_it_was() -> None:
    there = place()
    first, second = (one.state for one in rounds(run(there.lab, SMALL), 2))
    assert isinstance(first, State) and isinstance(second, State)
    seeded, *taught = there.learnings
    assert [type(learning.terms[0].objective) for learning in there.learnings] == [Regress, *[Imitate, Regress] * 2]
    assert [learning.start for learning in taught] == [
        there.lab.model.base, seeded.learned.weights, first.policy, first.critic
    ]  # fmt: skip
    assert (second.policy, second.critic) == (taught[2].learned.weights, taught[3].learned.weights)
    assert rounds(run(there.lab, SMALL, first), 1)[0].state == second and len(there.learnings) == 5 + 2


def test_the_policy_imitates_right_solutions_only() -> None:
    there = place()
    rounds(run(there.lab, SMALL), 1)
    lessons = there.learnings[1].lessons
    assert lessons
    for lesson in lessons:
        word = next(word for word in seen(lesson).split() if word in NUMBERS)
        assert said(lesson, MODEL).strip() == NUMBERS[word]


def test_the_critic_learns_one_for_a_right_end_and_less_for_a_wrong_one() -> None:
    there = place()
    rounds(run(there.lab, SMALL), 1)
    right = {(m.attempt.problem.chat[-1].text, m.attempt.text): m.verdict.right for ms in there.task.judged for m in ms}
    told = [(tuple(seen(lesson).split("\n", 1)), lesson.parts[0].target) for lesson in there.learnings[2].lessons]
    assert {target for (_, target) in told if target == 1.0} == {1.0}
    for (question, text), target in told:
        assert target is not None and (target == 1.0) == right.get((question, text), False)


def test_nothing_right_teaches_nothing() -> None:
    there = place(toy=Impossible)
    (one,) = rounds(run(there.lab, SMALL), 1)
    assert isinstance(one.state, State) and one.state.policy == there.lab.model.base
    assert all(learning.lessons == [] for learning in there.learnings)
    assert one.metrics["search/solved"] == one.metrics["train/kept"] == 0.0


def test_every_variant_answers_with_the_same_two() -> None:
    solvers = {}
    for name in ("beam_search", "best_of_n", "vote", "greedy"):
        variant = replace(SMALL, answer=getattr(Config, name)().answer)
        solvers[name] = rounds(run(place().lab, variant), 1)[0].solver
    policy = solvers["greedy"].weights if isinstance(solvers["greedy"], Direct) else None
    searched = [solver for solver in solvers.values() if isinstance(solver, Searched)]
    assert {solver.policy for solver in searched} == {policy} and len({solver.critic for solver in searched}) == 1
    assert [(solver.search, solver.choose) for solver in searched] == [
        (SMALL.beam, "best"), (SMALL.chains, "best"), (SMALL.chains, "vote")
    ]  # fmt: skip


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match="seeds"):
        Config(seeds=0)
