"""When a model is unsure: the margin between its likeliest answers (TT-SI, arXiv:2510.07841), and whom that picks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import exp, inf, isfinite, log
from typing import Literal

import numpy as np

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import plain_answer
from sharpen.core.ports import Env, Policy
from sharpen.core.records import Completion, Problem, Sampling
from sharpen.core.streams import Rng

CANDIDATES = "candidates"
"""The note under which a problem brings along the replies that are possible."""

Weighing = Literal["likelihood", "votes"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """How sure a policy is of a problem: the margin between the likelihoods of its possible answers.

    candidates   the replies that are possible, each a whole turn; a problem whose notes list `candidates` has its own;
                 none: the answers of some samples
    per_token    candidates are compared by their mean log-probability a token, not the sum: for unequal lengths
    how          the samples; temperature 1 where they are weighed by likelihood
    weigh        of a sampled answer: by the summed probability of its distinct samples, or by its votes
    """

    candidates: tuple[str, ...] = ()
    per_token: bool = False
    how: Sampling = Sampling(n=8, temperature=1.0, max_tokens=4096)
    weigh: Weighing = "likelihood"

    def margins(self, policy: Policy, env: Env, problems: Sequence[Problem]) -> list[float]:
        """[problem] u in [0, 1], small where unsure. In a task of several turns it is the first that counts."""
        listed = [self._listed(problem) for problem in problems]
        known = [problem for problem, replies in zip(problems, listed, strict=True) if replies]
        others = [problem for problem, replies in zip(problems, listed, strict=True) if not replies]
        scored = iter(self._scored(policy, env, known, [replies for replies in listed if replies]) if known else [])
        sampled = iter(self._sampled(policy, env, others) if others else [])
        return [margin(next(scored if replies else sampled)) for replies in listed]

    def _listed(self, problem: Problem) -> tuple[str, ...]:
        own = problem.notes.get(CANDIDATES)
        if own is None:
            return tuple(dict.fromkeys(self.candidates))
        if isinstance(own, str) or not isinstance(own, Sequence) or not all(isinstance(one, str) for one in own):
            raise InvalidInput(
                f"expected the note {CANDIDATES!r} of problem {problem.id} to be a list of replies, got {own!r:.60}; "
                "give the column another name if it is something else"
            )
        return tuple(dict.fromkeys(map(str, own)))

    def _scored(
        self, policy: Policy, env: Env, problems: Sequence[Problem], listed: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """[problem][candidate] l_n = -NLL = the log-likelihood of the reply, teacher-forced, its end of turn too; those
        that find no room in the context are left out."""
        asked = [
            (env.open(problem).chat, reply) for problem, one in zip(problems, listed, strict=True) for reply in one
        ]
        found = policy.logprobs([chat for chat, _ in asked], [reply for _, reply in asked])
        totals = iter(float(np.mean(said) if self.per_token else np.sum(said)) for said in found)
        return [[one for one in islice(totals, len(replies)) if isfinite(one)] for replies in listed]

    def _sampled(self, policy: Policy, env: Env, problems: Sequence[Problem]) -> list[list[float]]:
        how = replace(self.how, max_tokens=min(self.how.max_tokens, env.max_tokens))
        said = policy.sample([env.open(problem).chat for problem in problems], how)
        return [list(weighed(group, self.weigh).values()) for group in said]


@dataclass(frozen=True, slots=True)
class Gate:
    """Which problems are worth adapting to; with `doubt` as the measure.

    inputs   unsure: those whose margin is below tau; sure: the others; random: of those asked together as many as are
             unsure, drawn by lot, so that this one answer depends on its company; all: every one
    share    of the problems, in (0, 1]: what a measured tau lets through
    tau      a margin, from 0 up; None: to be measured with `settled`
    """

    doubt: Doubt = Doubt()
    inputs: Literal["unsure", "sure", "random", "all"] = "unsure"
    share: float = 0.5
    tau: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise InvalidInput(f"share must be in (0, 1], got {self.share}")
        if self.tau is not None and not self.tau >= 0:
            raise InvalidInput(f"tau must be >= 0, got {self.tau}")

    @property
    def weighs(self) -> bool:
        """Whether margins decide."""
        return self.inputs != "all"

    def settled(self, margins: Sequence[float]) -> "Gate":
        """With tau where it was left open: at the quantile of these margins, no label asked, that lets through the
        share. Equal margins fall on one side together, so that fewer unsure or more sure ones may pass."""
        if self.tau is not None or not self.weighs:
            return self
        return replace(self, tau=quantile(margins, 1 - self.share if self.inputs == "sure" else self.share))

    def __call__(self, policy: Policy, env: Env, problems: Sequence[Problem], rng: Callable[[str], Rng]) -> list[bool]:
        """[problem] whether it passes; `rng` gives a problem's own stream by its id."""
        margins = self.doubt.margins(policy, env, problems) if self.weighs else []
        return self.passed(problems, margins, rng)

    def passed(self, problems: Sequence[Problem], margins: Sequence[float], rng: Callable[[str], Rng]) -> list[bool]:
        """[problem] whether it passes with its margin (none is needed where all pass); raises InvalidInput where tau is
        not settled yet."""
        if not self.weighs:
            return [True] * len(problems)
        tau = self.tau
        if tau is None:
            raise InvalidInput("expected a gate with a threshold, got tau=None; set tau, or settle it on some margins")
        unsure = [u < tau for u in margins]
        if self.inputs == "random":
            lots = sorted(range(len(problems)), key=lambda place: rng(problems[place].id).random())
            drawn = frozenset(lots[: sum(unsure)])
            return [place in drawn for place in range(len(problems))]
        return [one == (self.inputs == "unsure") for one in unsure]


def shares(likelihoods: Sequence[float]) -> list[float]:
    """p_n = exp(l_n - max l) / sum_k exp(l_k - max l), in order; they sum to 1. `likelihoods` are log-likelihoods in
    nats: the likeliest has the largest l, and gets the largest share."""
    top = max(likelihoods)
    weights = [exp(one - top) for one in likelihoods]
    total = sum(weights)
    return [weight / total for weight in weights]


def margin(likelihoods: Sequence[float]) -> float:
    """u = p_(1) - p_(2), in [0, 1]: the largest share less the second largest. A lone answer is sure (1), no answer at
    all is not (0); both are ours."""
    if len(likelihoods) < 2:
        return float(len(likelihoods))
    first, second = sorted(shares(likelihoods), reverse=True)[:2]
    return first - second


def weighed(said: Sequence[Completion], weigh: Weighing = "likelihood") -> dict[str, float]:
    """Answer to l_n among samples of one chat, in the order of their appearance: the log of the summed probability of
    the distinct samples that gave it, or the log of their number. Samples that name no answer are left out; where none
    does, their wordings stand for answers. Raises LacksNeed for likelihoods that a server did not give."""
    named = [(plain_answer(one.text), one) for one in said]
    if all(answer is None for answer, _ in named):
        named = [(" ".join(one.text.split()) or None, one) for one in said]
    groups: dict[str, list[Completion]] = {}
    for answer, one in named:
        if answer is not None:
            groups.setdefault(answer, []).append(one)
    if weigh == "votes":
        return {answer: log(len(group)) for answer, group in groups.items()}
    return {answer: _summed(group) for answer, group in groups.items()}


def quantile(margins: Sequence[float], share: float) -> float:
    """The least margin that has that share of all, rounded to whole problems, in front of it; infinite where it is all
    of them."""
    place = round(share * len(margins))
    return sorted(margins)[place] if place < len(margins) else inf


def told_apart(margins: Sequence[float], right: Sequence[bool]) -> float:
    """The chance that a right one has a larger margin than a wrong one, ties half (AUROC of -u for error); 0.5 where
    all are alike."""
    good = [u for u, ok in zip(margins, right, strict=True) if ok]
    bad = [u for u, ok in zip(margins, right, strict=True) if not ok]
    wins = sum((u > v) + (u == v) / 2 for u in good for v in bad)
    return wins / (len(good) * len(bad)) if good and bad else 0.5


def _summed(group: Sequence[Completion]) -> float:
    found = [(one.piece.likelihood, one.piece.known) for one in group]
    distinct = {tokens: float(np.sum(likelihood)) for likelihood, tokens in found}
    return float(np.logaddexp.reduce(list(distinct.values())))
