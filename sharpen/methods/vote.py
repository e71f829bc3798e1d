"""Self-consistency (arXiv:2203.11171): ask several times, answer with the majority. Nothing is learned.

For each problem
    sample n attempts at a temperature
    group them by their final answer; attempts without one do not vote
    give an attempt of the largest group, the first seen of equals
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sharpen.core.method import Lab, Paper, Round
from sharpen.core.records import Sampling, Weights
from sharpen.judge.majority import Majority
from sharpen.sample.several import Several

PAPER = Paper(
    title="Self-Consistency Improves Chain of Thought Reasoning in Language Models",
    arxiv="2203.11171",
    year=2022,
    claim="the majority answer of sampled reasoning paths is right more often than the greedy path",
    generate="parallel samples",
    evaluate="agreement",
    control="fixed",
)
NEEDS = frozenset({"sample"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the vote."""

    how: Sampling = Sampling(n=8, temperature=0.7, max_tokens=4096)  # ours: paper 40 paths, temperature 0.5-0.8


@dataclass(frozen=True, slots=True)
class State:
    """Nothing changes: the weights that are asked."""

    weights: Weights


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: the solver is the method."""
    if state is None:
        state = State(lab.model.base)
        yield Round(state, Several(state.weights, config.how, Majority()), {})
