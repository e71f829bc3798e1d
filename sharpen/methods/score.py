"""SCoRe: a policy gradient on two tries in a row, in two stages, that teaches a model to put itself right
(arXiv:2409.12917).

Repeat
    try each of a batch of problems K times, and each time ask for a second try in words that tell nothing
    the oracle gives each try a reward: r1, r2; the baseline of each is the mean over the problem's other K - 1
    stage I, the first share of the run: the first try is paid nothing and held to the base by a strong divergence,
        beta2; the second is paid r2
    stage II, the rest: the first try is paid r1, the second r2 + alpha (r2 - r1), and both are held weakly
    step on -A log pi of each try's own words, plus beta1 (in stage I beta2 on the first) times the divergence

No try is credited with the other's reward: what the second earns would pay the first for being wrong.
Config.naive, without_first_stage and without_shaping are the ablations; untrained is the base, asked twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from sharpen.control.monitors import monitors
from sharpen.control.transitions import transitions
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged_by_try
from sharpen.core.lessons import Term, reinforcement
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import PolicyGradient
from sharpen.core.records import Judged, Sampling, Weights
from sharpen.core.speech import SURE
from sharpen.core.training import Training
from sharpen.sample.retry import Retry, Twice
from sharpen.sample.rollout import rollout
from sharpen.select.advantage import by_turn, progress, scaled
from sharpen.select.reinforce import groups

PAPER = Paper(
    title="Training Language Models to Self-Correct via Reinforcement Learning",
    arxiv="2409.12917",
    year=2024,
    claim="two stages and a bonus for progress teach second tries that correct, where plain training learns to copy",
    generate="parallel samples, each tried twice",
    evaluate="final answer of each try",
    control="two stages",
)
NEEDS = frozenset({"sample", "logprobs", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of both stages; alpha, beta1 and beta2 are the paper's, the sizes are for small models (ours)."""

    rounds: int = 400  # most rounds, both stages together, or 0: nothing is learned (ours; paper 1500 and 3000)
    problems: int = 32  # problems a round (ours)
    how: Sampling = Sampling(n=4, temperature=1.0, max_tokens=4096)  # n = K attempts of two tries (ours); T the paper's
    request: str = SURE  # the words that ask for the second try; they must not tell whether the first was wrong (ours)
    initialise: float = 0.375  # share of the run, 0-1, that is stage I (ours)
    alpha: float = 10.0  # bonus for progress in stage II, >= 0
    beta1: float = 0.01  # strength of the divergence from the base on every try
    beta2: float = 0.1  # the same on the first try in stage I; the paper's for MATH, 0.25 for MBPP
    divergence: Literal["k2", "k3"] = "k2"  # gradient of KL(policy || base), or of KL(base || policy)
    scale: bool = True  # divide each try's advantages by their spread over the batch (ours)
    training: Training = field(  # batch = problems x n: one step a round
        default_factory=lambda: Training(epochs=1, batch=128, inherit="moments", pace=0.3)
    )

    def __post_init__(self) -> None:
        if self.rounds < 0 or self.problems < 1:
            raise InvalidInput(f"rounds must be >= 0 and problems >= 1, got {self.rounds} and {self.problems}")
        if self.how.n < 2:
            raise InvalidInput(f"the baseline is the mean of the other attempts: n must be >= 2, got {self.how.n}")
        self.how.require_exploring()
        if not 0 <= self.initialise <= 1:
            raise InvalidInput(f"initialise must be in [0, 1], got {self.initialise}")
        if min(self.alpha, self.beta1, self.beta2) < 0:
            raise InvalidInput(f"alpha, beta1 and beta2 must be >= 0, got {self.alpha}, {self.beta1} and {self.beta2}")

    @classmethod
    def naive(cls) -> "Config":
        """Plain multi-turn reinforcement learning: no stage I and no bonus, the paper's foil."""
        return cls(initialise=0.0, alpha=0.0)

    @classmethod
    def without_first_stage(cls) -> "Config":
        """Stage II alone."""
        return cls(initialise=0.0)

    @classmethod
    def without_shaping(cls) -> "Config":
        """Both stages, and no bonus for progress."""
        return cls(alpha=0.0)

    @classmethod
    def untrained(cls) -> "Config":
        """Baseline: the two tries of the base itself, asked in the same words; one round, in which nothing is done."""
        return cls(rounds=0)


@dataclass(frozen=True, slots=True)
class State:
    """The policy so far; the stage follows from how far the run is."""

    weights: Weights
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: try twice, pay each try for itself, step; without rounds, the base as it is."""
    if config.rounds == 0 and state is None:
        yield Round(State(lab.model.base), Twice(lab.model.base, config.request), {})
    state = state or State(lab.model.base)
    base, world = lab.model.base, Retry(lab.env, config.request)
    longest = min(config.how.max_tokens, lab.env.max_tokens)
    objective = PolicyGradient(None, "token", "constant", longest, config.divergence, config.how.temperature)
    while state.round < config.rounds:
        gone = max(state.round / config.rounds, 1 - lab.left())
        stage: Literal[1, 2] = 1 if gone < config.initialise else 2
        policy = lab.at(state.weights, state.round)
        problems = lab.rng("problems", state.round).sample(lab.train, min(config.problems, len(lab.train)))
        tried = judged_by_try(rollout(policy, world, problems, config.how), lab.oracle.judge)
        firsts, seconds = _advantages(tried, stage, config)
        held = config.beta2 if stage == 1 else config.beta1
        first = [
            lesson
            for marks, advantage in zip(tried, firsts, strict=True)
            for lesson in reinforcement(marks[0].attempt, advantage, held)
        ]
        second = [
            lesson
            for marks, advantage in zip(tried, seconds, strict=True)
            for again in marks[1:]
            for lesson in reinforcement(again.attempt, advantage, config.beta1)
        ]
        terms = [Term(objective, lessons, anchor=base) for lessons in (first, second)]
        learned = lab.model.learn(state.weights, terms, config.training)
        state = State(learned.weights, state.round + 1)
        metrics = {"score/stage": float(stage), **_watched(tried, longest), **learned.metrics}
        yield Round(state, Twice(state.weights, config.request), metrics)


def _advantages(
    tried: Sequence[Sequence[Judged]], stage: Literal[1, 2], config: Config
) -> tuple[Sequence[float], Sequence[float]]:
    """The advantages of all first tries and of all second ones, in order; groups of `n` at one problem."""
    paid = [_paid(marks, stage, config.alpha) for marks in tried]
    credited = (credit for group in groups(paid, config.how.n) for credit in by_turn(group))
    firsts, seconds = zip(*credited, strict=True)
    return (scaled(firsts), scaled(seconds)) if config.scale else (firsts, seconds)


def _paid(marks: Sequence[Judged], stage: Literal[1, 2], alpha: float) -> tuple[float, float]:
    """What both tries are paid; an attempt that ended in its first has that for its second."""
    first, second = marks[0].verdict.score, marks[-1].verdict.score
    return (0.0, second) if stage == 1 else progress(first, second, alpha)


def _watched(tried: Sequence[Sequence[Judged]], longest: int) -> dict[str, float]:
    """The monitors of the last tries, the transitions, and the share of first tries as long as a move may be: a cut one
    looks like an error."""
    full = [max(len(turn.tokens) for turn in marks[0].attempt.turns) >= longest for marks in tried]
    changes = {f"train/{name}": value for name, value in transitions(tried).items()}
    return {**monitors([marks[-1] for marks in tried]), **changes, "train/first_full": fmean(full)}
