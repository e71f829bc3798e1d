"""Self-Rewarding Language Models (arXiv:2401.10020): the policy grades its answers, and prefers its best to its worst.

Repeat
    take prompts: given ones, or new ones written by the policy from a few examples
    sample N answers to each; the policy itself grades each by a rubric of five points, three times, averaged
    pair the highest with the lowest grade of a prompt; ties and what could not be graded are dropped
    one round of DPO from the policy, with the policy before as the reference

With judge=oracle the grades are the verifier's: the same loop on verifiable problems, to be reported apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import isnan
from statistics import fmean
from typing import Literal

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged
from sharpen.core.lessons import Term
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Prefer
from sharpen.core.ports import Judge
from sharpen.core.records import Problem, Sampling, Weights
from sharpen.core.training import Training
from sharpen.judge.ask import Ask
from sharpen.propose.invent import invent
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.pairs import extremes, preferences

PAPER = Paper(
    title="Self-Rewarding Language Models",
    arxiv="2401.10020",
    year=2024,
    claim="a model that judges its own answers improves by iterated DPO, and its judging improves with it",
    generate="parallel samples, invented prompts",
    evaluate="own rubric",
    control="fixed",
)
NEEDS = frozenset({"sample", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of self-rewarding."""

    rounds: int = 200  # most rounds, the budget may end it sooner; paper 2
    problems: int = 32  # prompts a round (ours); paper 3,964 pairs, then 6,942
    how: Sampling = Sampling(n=4, temperature=0.7, top_p=0.9, max_tokens=4096)  # the paper's
    judge: Literal["self", "oracle"] = "self"  # who grades
    grading: Sampling = Sampling(n=3, temperature=0.7, max_tokens=96)  # how a grade is asked for; 3 times as the paper
    prompts: Literal["given", "invented"] = "given"  # paper: invented; needs judge=self
    beta: float = 0.1  # DPO's, the paper's
    imitate: float = 0.0  # share of NLL of the better answer (IRPO, for reasoning: 1)
    training: Training = field(default_factory=lambda: Training(epochs=1, batch=32, pace=0.1))  # ours; paper batch 16

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.problems < 1:
            raise InvalidInput(f"rounds and problems must be >= 1, got {self.rounds} and {self.problems}")
        if self.how.n < 2:
            raise InvalidInput(f"how.n must be >= 2 to make a pair, got {self.how.n}")
        if self.prompts == "invented" and self.judge == "oracle":
            raise InvalidInput("an oracle cannot judge invented prompts; use judge=self or prompts=given")

    @classmethod
    def verified(cls) -> "Config":
        """The verifiable variant: graded by the oracle, with IRPO's term of weight 1 (arXiv:2404.19733)."""
        return cls(judge="oracle", imitate=1.0, how=Sampling(n=8, temperature=1.0, max_tokens=4096))


@dataclass(frozen=True, slots=True)
class State:
    """The policy so far, which is also the judge and the next round's reference."""

    weights: Weights
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: answer, grade, pair, prefer."""
    state = state or State(lab.model.base)
    while state.round < config.rounds:
        policy = lab.at(state.weights, state.round)
        judge: Judge = lab.oracle.judge if config.judge == "oracle" else Ask(policy, config.grading)
        marks = judged(rollout(policy, lab.env, _prompts(lab, config, state), config.how), judge)
        pairs = extremes(marks)
        learned = lab.model.learn(
            state.weights,
            [Term(Prefer(config.beta, config.imitate), preferences(pairs), anchor=state.weights)],
            config.training,
        )
        state = State(learned.weights, state.round + 1)
        graded = [mark.verdict.score for mark in marks if not isnan(mark.verdict.score)]
        metrics = {
            "train/reward": fmean(graded) if graded else 0.0,
            "train/graded": len(graded) / max(len(marks), 1),
            "train/pairs": float(len(pairs)),
        }
        yield Round(state, Direct(state.weights), {**metrics, **learned.metrics})


def _prompts(lab: Lab, config: Config, state: State) -> list[Problem]:
    rng = lab.rng("problems", state.round)
    if config.prompts == "given":
        return rng.sample(lab.train, min(config.problems, len(lab.train)))
    how = replace(config.how, max_tokens=min(config.how.max_tokens, lab.env.max_tokens))
    return invent(lab.at(state.weights, state.round), lab.train, config.problems, rng, how)
