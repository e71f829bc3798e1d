"""STaR-style correction: imitates those of one's own second tries that put a wrong first try right (as compared in
arXiv:2409.12917; alone, for small models, STaSC, arXiv:2503.08681).

Repeat
    try each of a batch of problems K times, and each time ask for a second try in words that tell nothing
    keep the attempts whose first try is wrong and whose second is right (or, `plus`, whose second is right)
    imitate the second try after the problem, the first and the words, starting from the policy before or the base
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from sharpen.control.monitors import monitors
from sharpen.control.transitions import transitions
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged_by_try, wording
from sharpen.core.lessons import Term, demonstrations
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Imitate
from sharpen.core.records import Attempt, Sampling, Weights
from sharpen.core.speech import SURE
from sharpen.core.training import Training
from sharpen.sample.retry import Retry, Twice
from sharpen.sample.rollout import rollout
from sharpen.select.keep import above

PAPER = Paper(
    title="STaR: Bootstrapping Reasoning With Reasoning (its form for corrections: SCoRe 2409.12917, STaSC 2503.08681)",
    arxiv="2203.14465",
    year=2022,
    claim="imitating one's own successful corrections alone teaches little beyond repeating the first try",
    generate="parallel samples, each tried twice",
    evaluate="final answer of each try",
    control="fixed",
)
NEEDS = frozenset({"sample", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the corrections; the defaults are small rounds on the latest policy (ours)."""

    rounds: int = 200  # most rounds; the budget may end it sooner (ours)
    problems: int = 32  # problems a round (ours)
    how: Sampling = Sampling(n=4, temperature=1.0, max_tokens=4096)  # n = K attempts of two tries (ours; STaSC 5 and 5)
    request: str = SURE  # the words that ask for the second try; they must not tell whether the first was wrong (ours)
    keep: Literal["fixed", "right"] = "fixed"  # wrong at first and right at last, or right at last whatever was first
    cap: int = 4  # most attempts kept of a problem (ours)
    start: Literal["base", "previous", "moments"] = "moments"  # where a round's learning starts; sets training.inherit
    training: Training = field(default_factory=lambda: Training(epochs=1, batch=32))

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.problems < 1 or self.cap < 1:
            raise InvalidInput(
                f"rounds, problems and cap must be >= 1, got {self.rounds}, {self.problems} and {self.cap}"
            )

    @classmethod
    def plus(cls) -> "Config":
        """Also what was right and stayed right, so that right answers are not spoiled."""
        return cls(keep="right")

    @classmethod
    def iterations(cls) -> "Config":
        """Three large rounds, each learned from the base anew, as SCoRe's comparison (from memory; two epochs)."""
        return cls(rounds=3, problems=256, start="base", training=Training(epochs=2))


@dataclass(frozen=True, slots=True)
class State:
    """The policy so far."""

    weights: Weights
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: try twice, keep corrections, imitate them."""
    state = state or State(lab.model.base)
    world = Retry(lab.env, config.request)
    training = replace(config.training, inherit="moments" if config.start == "moments" else "nothing")
    while state.round < config.rounds:
        policy = lab.at(state.weights, state.round)
        problems = lab.rng("problems", state.round).sample(lab.train, min(config.problems, len(lab.train)))
        tried = judged_by_try(rollout(policy, world, problems, config.how), lab.oracle.judge)
        corrected = [
            marks[1]
            for marks in tried
            if len(marks) > 1 and marks[1].verdict.right and (config.keep == "right" or not marks[0].verdict.right)
        ]
        kept = above(corrected, 0.5, config.cap, _seen_and_said)
        start = lab.model.base if config.start == "base" else state.weights
        learned = lab.model.learn(start, [Term(Imitate(), demonstrations(kept))], training)
        state = State(learned.weights, state.round + 1)
        changes = {f"train/{name}": value for name, value in transitions(tried).items()}
        metrics = {**monitors([marks[-1] for marks in tried]), **changes, "train/kept": float(len(kept))}
        yield Round(state, Twice(state.weights, config.request), {**metrics, **learned.metrics})


def _seen_and_said(attempt: Attempt) -> Hashable:
    """The same words after another first try are another correction."""
    return attempt.turns[0].seen, wording(attempt)
