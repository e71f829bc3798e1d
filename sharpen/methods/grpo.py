"""GRPO: a policy gradient whose baseline is the group of attempts at the same problem (arXiv:2402.03300).

Repeat
    sample G attempts at each of a batch of problems; the oracle gives each a reward
    (optionally take the divergence from the base off the reward: k1)
    advantage of an attempt = its reward less the group's mean, over the group's standard deviation
    one or more steps on -min(ratio A, clip(ratio) A), with the divergence from the base as a k3 term

Config.rloo, dr_grpo, dapo, ppo_clip and reinforce are settings of this loop.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from sharpen.control.monitors import monitors
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import by_problem, judged
from sharpen.core.lessons import Lesson, Term, reinforcement
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Normaliser, PolicyGradient
from sharpen.core.ports import Policy
from sharpen.core.records import Judged, Sampling, Weights
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.advantage import group_mean, leave_one_out, penalised

PAPER = Paper(
    title="DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models",
    arxiv="2402.03300",
    year=2024,
    claim="a group of attempts is baseline enough: no value model is needed for a policy gradient on rewards",
    generate="parallel samples",
    evaluate="final answer",
    control="fixed",
)
NEEDS = frozenset({"sample", "logprobs", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the policy gradient; the defaults are GRPO's with small rounds (ours)."""

    rounds: int = 200  # most rounds; the budget may end it sooner
    problems: int = 16  # problems a round (ours)
    how: Sampling = Sampling(n=8, temperature=1.0, max_tokens=4096)  # n = G attempts a problem; paper 64
    baseline: Literal["group", "others", "running"] = "group"  # mean of the group, of its others, of all rounds before
    scale: bool = True  # divide by the group's standard deviation (group only)
    clip: tuple[float, float] | None = (0.2, 0.2)  # ratio kept in [1 - low, 1 + high]; the paper's
    ratio: Literal["token", "sequence"] = "token"  # what the ratio is of
    per: Normaliser = "sequences"  # the loss's normaliser; the paper's
    beta: float = 0.01  # strength of the divergence from the base; paper 0.04
    divergence: Literal["loss", "reward"] = "loss"  # k3 in the loss, or k1 in the reward
    mixed_only: bool = False  # leave out groups whose rewards are all equal (DAPO)
    training: Training = field(  # batch = problems x n: one step a round, as in the paper
        default_factory=lambda: Training(epochs=1, batch=128, inherit="moments", pace=0.3)
    )

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.problems < 1:
            raise InvalidInput(f"rounds and problems must be >= 1, got {self.rounds} and {self.problems}")
        self.how.require_exploring()
        if self.beta < 0:
            raise InvalidInput(f"beta must be >= 0, got {self.beta}")

    @classmethod
    def rloo(cls) -> "Config":
        """RLOO: leave-one-out baseline, clipped ratio of the whole sequence, k1 in the reward (arXiv:2402.14740)."""
        return cls(baseline="others", ratio="sequence", divergence="reward")

    @classmethod
    def dr_grpo(cls) -> "Config":
        """Dr. GRPO: no division by the spread, nor by the length (arXiv:2503.20783)."""
        return cls(scale=False, per="constant", beta=0.0)

    @classmethod
    def dapo(cls) -> "Config":
        """DAPO: token mean over the batch, a higher upper clip, mixed groups only, no divergence (arXiv:2503.14476)."""
        return cls(per="tokens", clip=(0.2, 0.28), beta=0.0, mixed_only=True)

    @classmethod
    def ppo_clip(cls) -> "Config":
        """PPO's clipped objective without a value model: four epochs on each batch (arXiv:1707.06347)."""
        return cls(training=Training(epochs=4, batch=32, inherit="moments", pace=0.3))

    @classmethod
    def reinforce(cls) -> "Config":
        """REINFORCE on whole sequences with a running mean as its baseline, k1 in the reward."""
        return cls(baseline="running", clip=None, ratio="sequence", divergence="reward")


@dataclass(frozen=True, slots=True)
class State:
    """The policy so far, and the mean reward of all rounds before."""

    weights: Weights
    round: int = 0
    mean_reward: float = 0.0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: attempt, compare within groups, step."""
    state = state or State(lab.model.base)
    base = lab.model.base
    longest = min(config.how.max_tokens, lab.env.max_tokens)
    objective = PolicyGradient(config.clip, config.ratio, config.per, longest, "k3", config.how.temperature)
    while state.round < config.rounds:
        policy = lab.at(state.weights, state.round)
        problems = lab.rng("problems", state.round).sample(lab.train, min(config.problems, len(lab.train)))
        marks = judged(rollout(policy, lab.env, problems, config.how), lab.oracle.judge)
        rewards = _rewards(marks, lab.at(base), config)
        lessons = _lessons(marks, rewards, state.mean_reward, config)
        learned = lab.model.learn(
            state.weights, [Term(objective, lessons, anchor=base if config.beta else None)], config.training
        )
        mean = (state.mean_reward * state.round + fmean(rewards)) / (state.round + 1)
        state = State(learned.weights, state.round + 1, mean)
        yield Round(state, Direct(state.weights), {**monitors(marks), **learned.metrics})


def _rewards(marks: Sequence[Judged], base: Policy, config: Config) -> list[float]:
    """One reward an attempt, the k1 divergence from the base taken off where it belongs there."""
    rewards = [mark.verdict.score for mark in marks]
    if config.divergence == "loss" or config.beta == 0:
        return rewards
    if all(mark.attempt.by == base.weights for mark in marks):
        return rewards  # no distance, and no rounding for the optimiser to blow up
    turns = [turn for mark in marks for turn in mark.attempt.turns]
    anchored = iter(base.logprobs([turn.seen for turn in turns], [turn.tokens for turn in turns]))
    return [
        penalised(
            reward,
            own=float(sum(turn.logprobs.sum() for turn in mark.attempt.turns)),
            anchored=float(sum(next(anchored).sum() for _ in mark.attempt.turns)),
            beta=config.beta,
        )
        for mark, reward in zip(marks, rewards, strict=True)
    ]


def _lessons(marks: Sequence[Judged], rewards: Sequence[float], expected: float, config: Config) -> list[Lesson]:
    """The attempts weighted by their advantages, groups in order."""
    paid = iter(rewards)
    lessons: list[Lesson] = []
    leash = config.beta if config.divergence == "loss" else 0.0
    for group in by_problem(marks).values():
        earned = [next(paid) for _ in group]
        if config.mixed_only and len({mark.verdict.score for mark in group}) == 1:
            continue
        for mark, advantage in zip(group, _advantages(earned, expected, config), strict=True):
            lessons += reinforcement(mark.attempt, advantage, leash)
    return lessons


def _advantages(earned: Sequence[float], expected: float, config: Config) -> list[float]:
    if config.baseline == "group":
        return group_mean(earned, config.scale)
    return leave_one_out(earned) if config.baseline == "others" else [reward - expected for reward in earned]
