"""TT-SI: test-time self-improvement, adapting to each input the model is unsure of and forgetting it again.

For each input x
    score its possible answers by their log-likelihood l_n; p = softmax(l); u = p_(1) - p_(2)
    u >= tau: answer with theta_0
    else: write K inputs like x and answer them, with the same model (TT-SI) or a teacher (TT-D)
          from a fresh adapter phi on theta_0: minimise sum_k -(1 / |y'_k|) log p(y'_k | x'_k), answer tokens alone
          answer with theta_0 + phi, and throw phi away

All this is the solver's, in its seat. The method's own rounds measure doubt on dev problems, without a label, and set
tau where the settings leave it open. The paper's arms are settings: Config.tt_d, in_context, every_input, certain, ...
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import compress
from math import isfinite
from operator import not_
from statistics import fmean
from typing import Literal

from sharpen.control.doubt import Gate, told_apart
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged
from sharpen.core.lessons import Term
from sharpen.core.method import Lab, Paper, Round, Solver
from sharpen.core.ports import Refusal
from sharpen.core.records import Attempt, Problem, Sampling, Weights
from sharpen.core.training import Adapter, Training
from sharpen.judge.majority import Majority
from sharpen.propose.similar import Drawn, Similar
from sharpen.sample.adapt import PER_TOKEN, Adapted, Practice
from sharpen.sample.direct import GREEDY

PAPER = Paper(
    title="Self-Improving LLM Agents at Test-Time",
    arxiv="2510.07841",
    year=2025,
    claim="a throw-away adapter on one self-written example helps most on the inputs the model is unsure of",
    generate="similar inputs, written and answered by the model or a teacher",
    evaluate="none",
    control="margin of doubt",
)
NEEDS = frozenset({"sample"})

_POOL = 64
"""Train problems that random examples are drawn from."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of test-time self-improvement."""

    rounds: int = 1  # rounds in which doubt is measured (ours)
    probe: int = 64  # dev problems a round, their labels unasked (ours; paper none, tau is given)
    gate: Gate = Gate()  # whom it adapts to: the unsure half (ours; paper margins below 0.95)
    practice: Practice = Practice()  # n = K = 1 example an input, the paper's
    writer: Literal["self", "teacher"] = "self"  # who writes and answers the examples
    writing: Sampling = Sampling(temperature=0.8, top_p=0.95, max_tokens=256)  # how (ours; paper not recovered)
    examples: Literal["similar", "drawn"] = "similar"  # like the input, or train problems at random
    use: Literal["train", "show", "together"] = "train"  # an adapter an input, in the prompt, or one adapter for all
    training: Training = field(  # 5 epochs of batch 1, rank 8, alpha 16: the paper's; rate ours, paper 1e-4
        default_factory=lambda: Training(epochs=5, batch=1, rate=3e-4, adapter=Adapter(rank=8, alpha=16.0))
    )
    answering: Sampling = GREEDY  # the last answer; n > 1: the majority of n
    measure: bool = False  # ask the oracle about the probe, to see how doubt and examples fare; it decides nothing

    @property
    def needs(self) -> frozenset[str]:
        """Likelihoods where they weigh answers, be it for the eye alone, learning unless examples are only shown, and a
        teacher for TT-D."""
        doubt, asked = self.gate.doubt, self.gate.weighs or self.measure
        likely = asked and (bool(doubt.candidates) or doubt.weigh == "likelihood")
        wanted = {"logprobs": likely, "learn": self.use != "show", "teacher": self.writer == "teacher"}
        return frozenset(need for need, yes in wanted.items() if yes)

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.probe < 1:
            raise InvalidInput(f"rounds and probe must be >= 1, got {self.rounds} and {self.probe}")
        if self.training.inherit != "nothing":
            raise InvalidInput("an adapter is learned afresh for every input: training.inherit must be nothing")

    @classmethod
    def tt_d(cls) -> "Config":
        """Test-time distillation: a teacher writes and answers the examples."""
        return cls(writer="teacher")

    @classmethod
    def in_context(cls) -> "Config":
        """TT-ICL: the same examples in the prompt, nothing is learned."""
        return cls(use="show")

    @classmethod
    def every_input(cls) -> "Config":
        """Without the estimator H (tau infinite): adapts to every input."""
        return cls(gate=Gate(inputs="all"))

    @classmethod
    def certain(cls) -> "Config":
        """The control H': adapts only where the model is sure."""
        return cls(gate=Gate(inputs="sure"))

    @classmethod
    def random_inputs(cls) -> "Config":
        """Adapts to as many inputs as it is unsure of, drawn by lot."""
        return cls(gate=Gate(inputs="random"))

    @classmethod
    def random_examples(cls) -> "Config":
        """Practises on train problems drawn at random, answered by the model: what likeness is worth."""
        return cls(examples="drawn")

    @classmethod
    def together(cls) -> "Config":
        """One adapter for all, learned before the exam on the examples of all unsure probe problems."""
        return cls(probe=200, use="together")

    @classmethod
    def paper(cls) -> "Config":
        """The paper's threshold and schedule: tau 0.95, rate 1e-4, cosine; its warm-up is 3 % of 5 steps, none."""
        return cls(gate=Gate(tau=0.95), training=Training(epochs=5, batch=1, rate=1e-4, schedule="cosine",
                   adapter=Adapter(rank=8, alpha=16.0)))  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """The weights that answer (the base, but for `together`), and all margins measured so far."""

    weights: Weights
    margins: tuple[float, ...] = ()
    round: int = 0


@dataclass(frozen=True, slots=True)
class _Probed:
    """What a probe showed: [problem] margins (none where nobody asked) and whether it is picked, and the examples of
    those that are."""

    margins: Sequence[float]
    picked: Sequence[bool]
    examples: Sequence[Sequence[Attempt]]


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: measure doubt on a probe, settle the gate, write examples: what the solver will do, tried out."""
    state = state or State(lab.model.base)
    order = lab.rng("probe").sample(lab.dev, len(lab.dev))
    while state.round < config.rounds:
        start = state.round * config.probe % len(order)
        problems = order[start : start + config.probe]
        policy = lab.at(lab.model.base, "doubt")
        asked = config.gate.weighs or config.measure
        margins = config.gate.doubt.margins(policy, lab.env, problems) if asked else []
        seen = (*state.margins, *margins)
        gate = config.gate.settled(seen)
        picked = gate.passed(problems, margins, partial(lab.rng, "picked"))
        adapted = _adapted(lab, config, gate)
        probed = _Probed(margins, picked, adapted.examples(lab.seat, list(compress(problems, picked))))
        metrics = _watched(gate, probed) | (_measured(lab, adapted, problems, probed) if config.measure else {})
        solver: Solver = adapted
        if config.use == "together":
            lessons = adapted.lessons([one for made in probed.examples for one in made])
            learned = lab.model.learn(state.weights, [Term(PER_TOKEN, lessons)], config.training)
            state, solver = replace(state, weights=learned.weights), adapted.plain(learned.weights)
            metrics |= learned.metrics
        state = replace(state, margins=seen, round=state.round + 1)
        yield Round(state, solver, metrics)


def _adapted(lab: Lab, config: Config, gate: Gate) -> Adapted:
    base, few = lab.model.base, min(_POOL, len(lab.train))
    drawn = Drawn(tuple(lab.rng("pool").sample(lab.train, few))) if config.examples == "drawn" else None
    return Adapted(
        base,
        gate,
        drawn or Similar(config.writing),
        config.practice,
        None if config.use == "show" else config.training,
        lab.cast["teacher"].base if config.writer == "teacher" else None,
        config.answering,
        Majority() if config.answering.n > 1 else None,
    )


def _watched(gate: Gate, probed: _Probed) -> dict[str, float]:
    """The share that is adapted to, how many examples each of them has, the mean margin and the threshold."""
    found = {"adapt/share": fmean(probed.picked)}
    if probed.examples:
        found["adapt/examples"] = fmean(map(len, probed.examples))
    if probed.margins:
        found["doubt/margin"] = fmean(probed.margins)
    if gate.tau is not None and isfinite(gate.tau):
        found["doubt/tau"] = gate.tau
    return found


def _measured(lab: Lab, solver: Adapted, problems: Sequence[Problem], probed: _Probed) -> dict[str, float]:
    """What the oracle says of it all, for the eye alone: whether doubt tells wrong from right, what adapting mended and
    broke, and how many examples the task knows and finds right."""
    before, after = (
        [bool(mark.verdict.right) for mark in judged(one.answer(lab.seat, problems), lab.oracle.judge)]
        for one in (solver.plain(solver.weights), solver)
    )
    known = [(one, lab.source.admit(one.problem)) for made in probed.examples for one in made]
    admitted = [replace(one, problem=problem) for one, problem in known if not isinstance(problem, Refusal)]
    found = {
        "right/picked": list(compress(before, probed.picked)),
        "right/others": list(compress(before, map(not_, probed.picked))),
        "adapt/mended": [new and not old for old, new in zip(before, after, strict=True)],
        "adapt/broken": [old and not new for old, new in zip(before, after, strict=True)],
        "examples/admitted": [not isinstance(problem, Refusal) for _, problem in known],
        "examples/right": [bool(mark.verdict.right) for mark in judged(admitted, lab.oracle.judge)],
    }
    return {"doubt/auroc": told_apart(probed.margins, before)} | {n: fmean(v) for n, v in found.items() if v}
