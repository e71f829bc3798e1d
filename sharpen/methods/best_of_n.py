"""Best of N without an oracle: ask N times, give the attempt a score without labels likes best. Nothing is learned.

For each problem
    sample N attempts at a temperature
    score each: by the policy's own log-likelihood (sum or mean over tokens), or by how many others agree
    give the best, the first seen of equals
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sharpen.core.method import Lab, Paper, Round
from sharpen.core.records import Sampling, Weights
from sharpen.judge.likelihood import Likelihood
from sharpen.judge.majority import Majority
from sharpen.sample.several import Several

PAPER = Paper(
    title="Self-Improvement in Language Models: The Sharpening Mechanism",
    arxiv="2412.01951",
    year=2024,
    claim="the most likely of N own samples is right more often than the greedy one where likelihood tracks quality",
    generate="parallel samples",
    evaluate="own likelihood",
    control="fixed",
)
NEEDS = frozenset({"sample", "logprobs"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of best of N."""

    how: Sampling = Sampling(n=8, temperature=0.7, max_tokens=4096)  # ours: paper 10-50 attempts, temperature 1
    score: Literal["likelihood", "mean_likelihood", "majority"] = "likelihood"  # the paper's own: likelihood


@dataclass(frozen=True, slots=True)
class State:
    """Nothing changes: the weights that are asked."""

    weights: Weights


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: the solver is the method."""
    if state is None:
        state = State(lab.model.base)
        judge = Majority() if config.score == "majority" else Likelihood(config.score == "mean_likelihood")
        yield Round(state, Several(state.weights, config.how, judge), {})
