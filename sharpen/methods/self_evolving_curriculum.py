"""SEC: a policy gradient that trains on the problems it has most to learn from, told by its advantages
(arXiv:2505.14970).

Every category of problems (family and level) is an arm of a bandit, its value Q = 0 at first. Repeat
    draw each of a batch's categories by the softmax of Q / tau, and take the category's next problem
    sample G attempts at each; the oracle gives each a reward; its advantage A is GRPO's
    pay a category the mean |A| of its attempts: r; Q <- alpha r + (1 - alpha) Q
    step on -min(ratio A, clip(ratio) A)

With rewards of 0 and 1 the mean |A| is 2 sqrt(p (1 - p)), highest where the chance p to be right is one half.
Config.uniform and easy_to_hard are the same loop with the batch drawn otherwise: the baselines.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean
from typing import Literal, TypeAlias

from sharpen.control.bandit import Bandit
from sharpen.control.monitors import monitors
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged
from sharpen.core.lessons import Term, reinforcement
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Normaliser, PolicyGradient
from sharpen.core.records import Judged, Problem, Sampling, Weights
from sharpen.core.streams import Rng
from sharpen.core.training import Training
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.advantage import group_mean
from sharpen.select.reinforce import groups

PAPER = Paper(
    title="Self-Evolving Curriculum for LLM Reasoning",
    arxiv="2505.14970",
    year=2025,
    claim="problems drawn where the mean absolute advantage is high carry further beyond the levels trained on",
    generate="parallel samples",
    evaluate="final answer",
    control="bandit over categories of problems",
)
NEEDS = frozenset({"sample", "logprobs", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the curriculum and of the policy gradient it drives; the defaults are the paper's with small rounds
    (ours)."""

    rounds: int = 150  # most rounds; the budget may end it sooner (ours; paper 240)
    problems: int = 32  # B, problems a round (ours; paper 256)
    how: Sampling = Sampling(n=8, temperature=1.0, max_tokens=4096)  # n = G attempts a problem; the paper's
    order: Literal["bandit", "uniform", "easy_to_hard"] = "bandit"  # what draws the categories
    bandit: Bandit = Bandit()  # alpha, tau, and whether absent arms decay
    worth: Literal["scaled", "plain"] = "scaled"  # the |A| an arm is paid: over the group's spread (paper), or not
    clip: tuple[float, float] | None = (0.2, 0.2)  # ratio kept in [1 - low, 1 + high]; the paper's
    per: Normaliser = "tokens"  # the loss's normaliser; the paper's
    training: Training = field(  # batch = problems x n: one step a round (ours; paper 4)
        default_factory=lambda: Training(epochs=1, batch=256, inherit="moments", pace=0.3)
    )

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.problems < 1:
            raise InvalidInput(f"rounds and problems must be >= 1, got {self.rounds} and {self.problems}")
        if self.how.n < 2:
            raise InvalidInput(f"an advantage needs a group of attempts: n must be >= 2, got {self.how.n}")
        self.how.require_exploring()

    @classmethod
    def uniform(cls) -> "Config":
        """The paper's random baseline: every problem as likely as any other."""
        return cls(order="uniform")

    @classmethod
    def easy_to_hard(cls) -> "Config":
        """The paper's ordered baseline: one level after another, an equal share of the run each."""
        return cls(order="easy_to_hard")


@dataclass(frozen=True, slots=True)
class State:
    """The policy so far and, in the order of the arms, their values and how often a problem of each was drawn."""

    weights: Weights
    values: tuple[float, ...]
    drawn: tuple[int, ...]
    round: int = 0


_Arms: TypeAlias = Mapping[tuple[str, float], Sequence[Problem]]


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: draw categories, attempt, pay the categories, step."""
    arms = _arms(lab.train)
    state = state or State(lab.model.base, (0.0,) * len(arms), (0,) * len(arms))
    longest = min(config.how.max_tokens, lab.env.max_tokens)
    objective = PolicyGradient(config.clip, "token", config.per, longest, temperature=config.how.temperature)
    while state.round < config.rounds:
        policy = lab.at(state.weights, state.round)
        chances = _chances(config, state, arms, spent=1 - lab.left())
        pulled = lab.rng("arms", state.round).choices(range(len(arms)), chances, k=config.problems)
        queues = [
            _queue(problems, drawn, partial(lab.rng, "queue", arm))
            for arm, (problems, drawn) in enumerate(zip(arms.values(), state.drawn, strict=True))
        ]
        problems = [next(queues[arm]) for arm in pulled]
        marks = judged(rollout(policy, lab.env, problems, config.how), lab.oracle.judge)
        tried = groups(marks, config.how.n)
        metrics = monitors(marks) | _watched(arms, state, chances, problems)
        values = config.bandit.updated(state.values, _worths(pulled, tried, config.worth == "scaled"))
        lessons = [
            lesson
            for group in tried
            for mark, advantage in zip(group, _advantages(group), strict=True)
            for lesson in reinforcement(mark.attempt, advantage)
        ]
        learned = lab.model.learn(state.weights, [Term(objective, lessons)], config.training)
        drawn = tuple(count + pulled.count(arm) for arm, count in enumerate(state.drawn))
        state = State(learned.weights, values, drawn, state.round + 1)
        yield Round(state, Direct(state.weights), {**metrics, **learned.metrics})


def _arms(train: Sequence[Problem]) -> _Arms:
    """The problems by family and level, families by name and levels ascending."""
    if not train:
        raise InvalidInput("a curriculum needs train problems, got none; give the task more rows or other shares")
    arms: defaultdict[tuple[str, float], list[Problem]] = defaultdict(list)
    for problem in train:
        arms[problem.family, problem.level].append(problem)
    return {arm: arms[arm] for arm in sorted(arms)}


def _chances(config: Config, state: State, arms: _Arms, spent: float) -> list[float]:
    """What each arm is drawn with, summing to 1; `spent` is the share of the budget that is gone."""
    if config.order == "bandit":
        return config.bandit.chances(state.values)
    levels = sorted({level for _, level in arms})
    if config.order == "easy_to_hard":
        gone = max(state.round / config.rounds, spent)
        levels = [levels[min(int(gone * len(levels)), len(levels) - 1)]]
    sizes = [len(problems) if level in levels else 0 for (_, level), problems in arms.items()]
    return [size / sum(sizes) for size in sizes]


def _queue(problems: Sequence[Problem], start: int, rng: Callable[[int], Rng]) -> Iterator[Problem]:
    """The problems over and over from the place `start` on: each once, in a new order, before any comes again."""
    epoch, place = divmod(start, len(problems))
    while True:
        yield from rng(epoch).sample(problems, len(problems))[place:]
        epoch, place = epoch + 1, 0


def _worths(pulled: Sequence[int], tried: Sequence[Sequence[Judged]], scaled: bool) -> dict[int, float]:
    """The mean |A| of all attempts at an arm's problems, by the arm's place; arms that were not drawn are left out.
    Groups of equals count, with 0: without them all arms would look much alike."""
    sizes: defaultdict[int, list[float]] = defaultdict(list)
    for arm, group in zip(pulled, tried, strict=True):
        sizes[arm] += map(abs, _advantages(group, scaled))
    return {arm: fmean(sizes[arm]) for arm in sorted(sizes)}


def _advantages(group: Sequence[Judged], scaled: bool = True) -> list[float]:
    return group_mean([mark.verdict.score for mark in group], scaled)


def _watched(arms: _Arms, state: State, chances: Sequence[float], problems: Sequence[Problem]) -> dict[str, float]:
    """The mean level drawn, and each arm's value and chance when it was drawn."""
    names = [f"{family}:{level:g}" if family else f"{level:g}" for family, level in arms]
    values = {f"curriculum/value/{name}": value for name, value in zip(names, state.values, strict=True)}
    likely = {f"curriculum/chance/{name}": chance for name, chance in zip(names, chances, strict=True)}
    return {"curriculum/level": fmean(problem.level for problem in problems), **values, **likely}
