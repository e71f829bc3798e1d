"""Expert iteration: learn from those of one's own attempts that turned out right (STaR, ReST-EM, RFT and kin).

Repeat
    sample attempts at a batch of problems from the latest policy
    keep the right ones (or those of the majority answer): distinct, at most `cap` of a problem
    for problems without any, show the answer, try again, keep what arrives there, and forget the hint   (STaR)
    imitate what was kept, starting from the base, from the previous policy, or from it with its optimiser

The papers are settings of this loop: Config.star, rest_em, rft, iterative, online, lmsi.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sharpen.control.monitors import monitors
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged, wording
from sharpen.core.lessons import Term, demonstrations
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Imitate
from sharpen.core.ports import Sampler
from sharpen.core.records import Judged, Problem, Sampling, Weights
from sharpen.core.training import Training
from sharpen.judge.majority import PseudoLabel
from sharpen.propose.hint import hinted, unhinted
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.keep import above, path

PAPER = Paper(
    title="STaR: Bootstrapping Reasoning With Reasoning (and ReST-EM 2312.06585, RFT 2308.01825, LMSI 2210.11610)",
    arxiv="2203.14465",
    year=2022,
    claim="imitating one's own right attempts raises accuracy beyond fine-tuning on answers alone",
    generate="parallel samples",
    evaluate="final answer, or agreement",
    control="fixed",
)
NEEDS = frozenset({"sample", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of expert iteration; the defaults are online RFT's in small rounds (ours)."""

    rounds: int = 200  # most rounds; the budget may end it sooner
    problems: int = 32  # problems a round (ours)
    how: Sampling = Sampling(n=8, temperature=1.0, max_tokens=4096)  # n attempts a problem
    cap: int = 4  # most attempts kept of a problem; ReST-EM's paper 10
    distinct: Literal["wording", "path"] = "wording"  # what makes two attempts the same
    start: Literal["base", "previous", "moments"] = "moments"  # where a round's learning starts; sets training.inherit
    labels: Literal["oracle", "majority"] = "oracle"  # who says what is right
    confidence: float = 0.0  # least share of the majority answer, 0-1
    rationalise: bool = False  # try again with the answer shown
    training: Training = field(default_factory=lambda: Training(epochs=1, batch=32))

    @property
    def needs(self) -> frozenset[str]:
        """A hint is a revealed reference."""
        return frozenset({"reveal"} if self.rationalise else ())

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.problems < 1 or self.cap < 1:
            raise InvalidInput(
                f"rounds, problems and cap must be >= 1, got {self.rounds}, {self.problems} and {self.cap}"
            )
        if not 0 <= self.confidence <= 1:
            raise InvalidInput(f"confidence must be in [0, 1], got {self.confidence}")
        if self.rationalise and self.labels != "oracle":
            raise InvalidInput(f"rationalise shows the oracle's answers; it needs labels=oracle, got {self.labels}")

    @classmethod
    def star(cls) -> "Config":
        """STaR (arXiv:2203.14465): greedy, rationalisation, from the base, the paper's; loops and epochs ours."""
        return cls(rounds=5, problems=256, how=Sampling(temperature=0.0, max_tokens=4096), start="base",
                   rationalise=True, training=Training(epochs=2))  # fmt: skip

    @classmethod
    def rest_em(cls) -> "Config":
        """ReST-EM (arXiv:2312.06585): from the base, 3 rounds, the paper's; paper 32 samples at 0.7, 10 kept."""
        return cls(rounds=3, problems=256, how=Sampling(n=16, temperature=0.8, max_tokens=4096), start="base",
                   training=Training(epochs=2))  # fmt: skip

    @classmethod
    def rft(cls) -> "Config":
        """RFT (arXiv:2308.01825): one round, one attempt per path, T 0.7, 3 epochs, the paper's; paper 100 samples."""
        return cls(rounds=1, problems=512, how=Sampling(n=32, temperature=0.7, max_tokens=4096), cap=32,
                   distinct="path", start="base", training=Training(epochs=3))  # fmt: skip

    @classmethod
    def iterative(cls) -> "Config":
        """Iterative RFT: from the previous policy, a fresh optimiser each time."""
        return cls(start="previous")

    @classmethod
    def online(cls) -> "Config":
        """Online RFT: short rounds, the optimiser goes on (B-STaR's baseline, arXiv:2412.17256)."""
        return cls(start="moments")

    @classmethod
    def lmsi(cls) -> "Config":
        """LMSI (arXiv:2210.11610): no labels, the majority answer stands for the truth; paper 32 samples at 0.7."""
        return cls(labels="majority", confidence=0.5, how=Sampling(n=16, temperature=0.7, max_tokens=4096), cap=16)


@dataclass(frozen=True, slots=True)
class State:
    """The policy so far."""

    weights: Weights
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: attempt, keep, imitate."""
    state = state or State(lab.model.base)
    judge = lab.oracle.judge if config.labels == "oracle" else PseudoLabel(config.confidence)
    training = replace(config.training, inherit="moments" if config.start == "moments" else "nothing")
    while state.round < config.rounds:
        policy = lab.at(state.weights, state.round)
        problems = lab.rng("problems", state.round).sample(lab.train, min(config.problems, len(lab.train)))
        marks = judged(rollout(policy, lab.env, problems, config.how), judge)
        kept = above(marks, 0.5, config.cap, path if config.distinct == "path" else wording)
        found = _rationalised(lab, policy, _missed(problems, kept), config.how) if config.rationalise else []
        lessons = demonstrations([*kept, *found])
        start = lab.model.base if config.start == "base" else state.weights
        learned = lab.model.learn(start, [Term(Imitate(), lessons)], training)
        state = State(learned.weights, state.round + 1)
        metrics = {**monitors(marks), "train/kept": float(len(kept)), "train/lessons": float(len(lessons))}
        yield Round(state, Direct(state.weights), {**metrics, **learned.metrics})


def _missed(problems: Sequence[Problem], kept: Sequence[Judged]) -> list[Problem]:
    solved = {mark.attempt.problem.id for mark in kept}
    return [problem for problem in problems if problem.id not in solved]


def _rationalised(lab: Lab, policy: Sampler, missed: Sequence[Problem], how: Sampling) -> list[Judged]:
    """One right attempt, at most, of each missed problem, reached with the answer shown and put back without it."""
    shown = [hinted(problem, lab.oracle.reveal(problem)) for problem in missed]
    own = {problem.id: problem for problem in missed}
    attempts = [unhinted(attempt, own[attempt.problem.id], lab.env) for attempt in rollout(policy, lab.env, shown, how)]
    return above(judged(attempts, lab.oracle.judge), 0.5, cap=1)
