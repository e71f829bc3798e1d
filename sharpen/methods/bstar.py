"""B-STaR: self-training whose temperature and threshold are chosen anew each round (arXiv:2412.17256).

Repeat
    on a fixed probe of problems, sample k attempts at every temperature of the grid and score them all once
    for every (temperature, threshold): keep what scores above it, capped per problem; its balance score is the mean of
        min(n' / n*, 1) * n' / n        n kept attempts of a problem, n' of them right and distinct, n* wanted
    sample the round's problems at the best temperature, keep above the best threshold, capped
    imitate what was kept for a fixed number of steps, the optimiser and the schedule going on from round to round

The reward is 1 for the right answer, plus the least step value in [-1, 1] of a process reward model where there is one:
trained before the first round, on whether any of several completions from a step arrives, and frozen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from sharpen.control.balance import balance, diversity, pass_at_k_s, reward_at_k_s
from sharpen.control.monitors import monitors
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged
from sharpen.core.lessons import Lesson, Term, demonstrations, valuation
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Imitate, Regress
from sharpen.core.ports import Judge
from sharpen.core.records import Judged, Sampling, Weights
from sharpen.core.training import Head, Training
from sharpen.judge.blend import Blend
from sharpen.judge.steps import StepJudge
from sharpen.propose.prefix import joined, prefixes
from sharpen.sample.direct import Direct
from sharpen.sample.rollout import rollout
from sharpen.select.keep import above, cap_for

PAPER = Paper(
    title="B-STaR: Monitoring and Balancing Exploration and Exploitation in Self-Taught Reasoners",
    arxiv="2412.17256",
    year=2024,
    claim="choosing temperature and threshold anew each round by the balance score beats any fixed choice",
    generate="parallel samples",
    evaluate="final answer, and a process reward model",
    control="adaptive temperature and threshold",
)
NEEDS = frozenset({"sample", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of B-STaR; every default is ours, for small models, the paper's is beside it."""

    rounds: int = 20  # rounds the schedule spans; paper 9
    problems: int = 32  # M, problems a round; paper 11,500
    probe: int = 16  # problems of the fixed probe; paper 600
    how: Sampling = Sampling(n=8, temperature=1.0, max_tokens=4096)  # n = k attempts a problem; paper 64
    temperatures: tuple[float, ...] = (0.4, 0.6, 0.8, 1.0, 1.2)  # the grid; paper 0.5-1.2 by 0.1
    thresholds: tuple[float, ...] = (0.0,)  # the grid, on rewards in [-1, 2]; with a critic, paper -1.0-1.0 by 0.1
    enough: int = 4  # n*, right and distinct attempts wanted of a problem; paper 6
    critic: int = 0  # problems the process reward model is trained on; 0: none, paper all
    completions: int = 8  # tries from each step for its label; the paper's
    training: Training = field(  # paper 500 steps of 128, cosine to a twentieth of the peak
        default_factory=lambda: Training(steps=4, batch=32, schedule="cosine", floor=0.1, inherit="moments")
    )

    @property
    def needs(self) -> frozenset[str]:
        """A critic is a head that reads values."""
        return frozenset({"values"} if self.critic else ())

    def __post_init__(self) -> None:
        if min(self.rounds, self.problems, self.probe, self.enough, self.completions) < 1 or self.critic < 0:
            raise InvalidInput(
                "rounds, problems, probe, enough and completions must be >= 1 and critic >= 0, got "
                f"{self.rounds}, {self.problems}, {self.probe}, {self.enough}, {self.completions} and {self.critic}"
            )
        if not self.temperatures or not self.thresholds or min(self.temperatures) <= 0:
            raise InvalidInput(f"the grids must not be empty, temperatures > 0; got {self.temperatures}")


@dataclass(frozen=True, slots=True)
class State:
    """The policy so far, and the frozen process reward model, if any."""

    weights: Weights
    critic: Weights | None = None
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: choose the knobs on the probe, attempt, keep, imitate."""
    state = state or State(lab.model.base, _critic(lab, config))
    few = lab.rng("probe").sample(lab.train, min(config.probe, len(lab.train)))
    while state.round < config.rounds:
        policy = lab.at(state.weights, state.round)
        judge = _judge(lab, state.critic)
        # Control: the (temperature, threshold) of highest balance on the probe, all drawn with the same random numbers.
        trial = lab.at(state.weights, state.round, "probe")
        probe = {t: judged(rollout(trial, lab.env, few, config.how.heated(t)), judge) for t in config.temperatures}
        worth = {
            (t, tau): balance(_kept(probe[t], tau, config.enough * len(few)), len(few), config.enough)
            for t, tau in product(config.temperatures, config.thresholds)
        }
        temperature, threshold = max(worth, key=worth.__getitem__)
        many = lab.rng("problems", state.round).sample(lab.train, min(config.problems, len(lab.train)))
        marks = judged(rollout(policy, lab.env, many, config.how.heated(temperature)), judge)
        kept = _kept(marks, threshold, config.enough * len(many))
        training = config.training.at(state.round, config.rounds)
        learned = lab.model.learn(state.weights, [Term(Imitate(), demonstrations(kept))], training)
        state = State(learned.weights, state.critic, state.round + 1)
        chosen = {"temperature": temperature, "threshold": threshold, "balance": worth[temperature, threshold]}
        yield Round(state, Direct(state.weights), {**chosen, **_watch(marks, kept, config.enough), **learned.metrics})


def _kept(marks: Sequence[Judged], threshold: float, wanted: int) -> list[Judged]:
    """Above the threshold, distinct, with the smallest cap per problem that still gives `wanted` in all."""
    return above(marks, threshold, cap_for(marks, threshold, wanted))


def _watch(marks: Sequence[Judged], kept: Sequence[Judged], s: int) -> dict[str, float]:
    return {
        **monitors(marks),
        "train/kept": float(len(kept)),
        "pass@k": pass_at_k_s(marks, 1),
        "pass@k-s": pass_at_k_s(marks, s),
        "reward@k-s": reward_at_k_s(marks, s),
        "diversity": diversity(marks),
    }


def _judge(lab: Lab, critic: Weights | None) -> Judge:
    return Blend(lab.oracle.judge, StepJudge(lab.at(critic))) if critic else lab.oracle.judge


def _critic(lab: Lab, config: Config) -> Weights | None:
    """The process reward model: a head on the base, trained on whether any completion from a step arrives, and for the
    last step on whether the attempt is right (hard labels, Math-Shepherd, arXiv:2312.08935)."""
    if not config.critic:
        return None
    policy = lab.at(lab.model.base, "critic")
    problems = lab.rng("critic").sample(lab.train, min(config.critic, len(lab.train)))
    marks = judged(rollout(policy, lab.env, problems, config.how), lab.oracle.judge)
    steps = [(prefixes(mark.attempt), bool(mark.verdict.right)) for mark in marks if mark.attempt.text.strip()]
    begun = [start for starts, _ in steps for start in starts[:-1]]
    tried = rollout(policy, lab.env, begun, config.how.times(config.completions))
    arrived = [mark.verdict.right for mark in judged([joined(attempt) for attempt in tried], lab.oracle.judge)]
    labels = [any(arrived[i : i + config.completions]) for i in range(0, len(arrived), config.completions)]
    known = [*zip(begun, labels, strict=True), *((starts[-1], right) for starts, right in steps)]
    lessons: list[Lesson] = [valuation(lab.env.open(start).chat, (), float(label)) for start, label in known]
    start = lab.model.head(lab.model.base, Head("value", link="sigmoid", read="\n"))
    return lab.model.learn(start, [Term(Regress("bce"), lessons)], Training(epochs=2, batch=32)).weights
