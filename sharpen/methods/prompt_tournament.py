"""A tournament of prompts: judged pair against pair over the same problems, ranked by Glicko-2, the best delivered
(arXiv:2601.16134). No improvement but a judgement: the selector that methods which invent prompts lack.

Every prompt begins with rating 1500, deviation 350, volatility 0.06. Repeat, for each rating period
    pair the prompts over each of the period's problems: a matching of a round robin, all pairs, or the most telling
    one output of each prompt that is paired, at each problem
    a judge is shown each pair, sides at random, and says win, loss or draw; some pairs are judged by a second one
    rate: all prompts at once, from where everybody stood at the period's start
    deliver the prompt of the highest rating; it has won where it is superior to every other with P >= 0.95
until all deviations are small enough or the problems are used up.

Config.absolute and win_rate choose by mean score and by plain win rate instead: the baselines.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import inf, isnan
from statistics import fmean
from typing import Literal, TypeAlias

from sharpen.core import speech
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged, wording
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.ports import Judge, Policy
from sharpen.core.records import Attempt, Problem, Sampling, Weights
from sharpen.core.speech import QUESTION
from sharpen.judge.agreement import kappa
from sharpen.judge.compare import Arbiter, ByLabel, ByReply, Margin, shared
from sharpen.judge.duel import Bout, Rating, leaders, rated
from sharpen.judge.grade import GradeByLabel, GradeByReply
from sharpen.judge.pairing import everyone, matchings, telling
from sharpen.judge.standing import cross_check, standing
from sharpen.judge.strengths import win_rates, wins
from sharpen.sample.prompted import Prompt, Prompted, example
from sharpen.sample.reworded import InOtherWords
from sharpen.sample.rollout import rollout

PAPER = Paper(
    title="LLM Prompt Evaluation for Educational Applications",
    arxiv="2601.16134",
    year=2026,
    claim="pairwise judgements rated by Glicko-2 rank prompts, and say how sure the ranking is",
    generate="one sample a prompt",
    evaluate="pairwise judgements",
    control="rating periods",
)
NEEDS = frozenset({"sample"})

_Name: TypeAlias = Literal["oracle", "labels", "reply", "judge"]
_Game: TypeAlias = tuple[int, int, int]
"""The place of a problem in its period, and the places of two prompts."""
_Outputs: TypeAlias = Mapping[tuple[int, int], Attempt]
"""By the places of the problem and of the prompt."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the tournament; the paper's where it names them, the rest ours."""

    templates: tuple[str, ...] = (  # one prompt each; {question} stands where the problem's words go (ours)
        QUESTION,
        f"{QUESTION}\n{speech.DIRECTLY}",
        f"{QUESTION}\n{speech.CAREFULLY}",
        f"You are a patient teacher. Use what the task says and nothing else.\n{QUESTION}\nShow every step.",
    )
    shots: tuple[int, ...] = (1, 2)  # one prompt each: so many train problems with solutions, then the question
    problems: int = 120  # problems of the whole tournament, at most those there are; the paper's
    periods: int = 5  # rating periods; 3 to 10 are advised, with >= 10 games a prompt in each
    pairing: Literal["balanced", "full", "adaptive"] = "balanced"  # who meets over a problem
    judges: tuple[_Name, ...] = ("oracle",)  # who judges, an equal share of the pairs each; paper 8 people
    doubled: float = 0.1  # share of pairs that a second judge sees too, where there are several, 0-1
    rank: Literal["rating", "wins", "scores"] = "rating"  # what chooses: Glicko-2, win rate, or mean score
    tau: float = 0.5  # how freely the volatility moves, 0.3-1.2
    enough: float = 60.0  # points: the tournament ends once every deviation is as small; 0 for never
    draws: int = 1000  # of the bootstrap over problems
    how: Sampling = Sampling(temperature=0.0, max_tokens=4096)  # an output

    def __post_init__(self) -> None:
        for template in self.templates:
            Prompt(template)
        if len(self.templates) + len(self.shots) < 2:
            raise InvalidInput(f"a tournament needs >= 2 prompts, got {len(self.templates) + len(self.shots)}")
        if any(shots < 1 for shots in self.shots):
            raise InvalidInput(f"shots must be >= 1 each, got {self.shots}; a template alone is a prompt without any")
        if not 1 <= self.periods <= self.problems:
            raise InvalidInput(f"periods must be in [1, problems = {self.problems}], got {self.periods}")
        if not self.judges or len(set(self.judges)) < len(self.judges):
            raise InvalidInput(f"judges must be one or more, each once, got {self.judges}")
        if self.rank == "scores" and len(self.judges) > 1:
            raise InvalidInput(f"scores of several judges cannot be compared; name one, got {self.judges}")
        if not 0 <= self.doubled <= 1:
            raise InvalidInput(f"doubled must be in [0, 1], got {self.doubled}")
        if not 0 < self.tau < inf or self.draws < 1:
            raise InvalidInput(f"tau must be > 0 and draws >= 1, got {self.tau} and {self.draws}")
        if not 0 <= self.enough < Rating().deviation:
            raise InvalidInput(f"enough must be in [0, {Rating().deviation:g}), got {self.enough}; 0 never ends early")
        if self.how.n > 1:
            raise InvalidInput(f"a prompt gives one output a problem: how.n must be 1, got {self.how.n}")

    @property
    def needs(self) -> frozenset[str]:
        """Shots are revealed solutions; a judge may need label probabilities, or be another model."""
        asked = {"labels": "choices", "judge": "judge"}
        return frozenset({asked[name] for name in self.judges if name in asked} | ({"reveal"} if self.shots else set()))

    @classmethod
    def absolute(cls) -> "Config":
        """Baseline: each output scored alone by the same judge, the highest mean chosen."""
        return cls(rank="scores")

    @classmethod
    def win_rate(cls) -> "Config":
        """Baseline: the same games, the highest share won chosen, a draw half a win."""
        return cls(rank="wins")


@dataclass(frozen=True, slots=True)
class State:
    """The prompts and, in their order, their ratings; all games so far; the verdicts of first and second judges on
    the same pairs; and the scores of each prompt's outputs, where they are scored alone."""

    weights: Weights
    prompts: tuple[Prompt, ...]
    ratings: tuple[Rating, ...]
    scores: tuple[tuple[float, ...], ...]
    bouts: tuple[Bout, ...] = ()
    doubles: tuple[tuple[float, float], ...] = ()
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: a rating period."""
    shown, problems = _dealt(lab, config)
    state = state or _start(lab, config, shown)
    while state.round < config.periods and any(rating.deviation > config.enough for rating in state.ratings):
        start, end = (len(problems) * place // config.periods for place in (state.round, state.round + 1))
        if config.rank == "scores":
            state, metrics = _scored(lab, config, state, problems[start:end])
        else:
            state, metrics = _played(lab, config, state, problems[start:end], start)
        best = _best(config, state)
        yield Round(state, Prompted(state.weights, state.prompts[best], config.how), {"best": float(best), **metrics})


def _played(
    lab: Lab, config: Config, state: State, period: Sequence[Problem], start: int
) -> tuple[State, dict[str, float]]:
    """Pair, answer, judge, rate."""
    games = _games(lab, config, state, start, len(period))
    paired = {(at, player) for at, one, other in games for player in (one, other)}
    outputs = _outputs(lab, config, state, period, sorted(paired))
    pairs = [(outputs[at, one], outputs[at, other]) for at, one, other in games]
    arbiters = [_arbiter(lab, name, state) for name in config.judges]
    results, doubles = shared(arbiters, pairs, config.doubled, lab.rng("judges", state.round))
    bouts = [Bout(period[at].id, one, other, score) for (at, one, other), score in zip(games, results, strict=True)]
    state = replace(
        state,
        ratings=rated(state.ratings, bouts, config.tau),
        bouts=(*state.bouts, *bouts),
        doubles=(*state.doubles, *doubles),
        round=state.round + 1,
    )
    checked = cross_check(state.bouts, state.ratings, config.draws, lab.rng("bootstrap", state.round))
    return state, {**standing(state.ratings), **checked, **_watched(pairs, results, state)}


def _scored(lab: Lab, config: Config, state: State, period: Sequence[Problem]) -> tuple[State, dict[str, float]]:
    """Answer, and score each output alone; what could not be scored is left out."""
    every = product(range(len(period)), range(len(state.prompts)))
    outputs = _outputs(lab, config, state, period, list(every))
    marks = judged(list(outputs.values()), _judge(lab, config.judges[0], state))
    scores = [list(known) for known in state.scores]
    for (_, player), mark in zip(outputs, marks, strict=True):
        if not isnan(mark.verdict.score):
            scores[player].append(mark.verdict.score)
    state = replace(state, scores=tuple(map(tuple, scores)), round=state.round + 1)
    return state, {f"score/{player}": _mean(known) for player, known in enumerate(scores)}


def _dealt(lab: Lab, config: Config) -> tuple[Sequence[Problem], Sequence[Problem]]:
    """The problems that are shown as examples, and those of the tournament: no prompt shows what is asked."""
    most = max(config.shots, default=0)
    dealt = lab.rng("problems").sample(lab.train, min(most + config.problems, len(lab.train)))
    if len(dealt) - most < config.periods:
        raise InvalidInput(
            f"expected a train problem for each of {config.periods} periods beside {most} shown, got {len(dealt)}"
        )
    return dealt[:most], dealt[most:]


def _start(lab: Lab, config: Config, shown: Sequence[Problem]) -> State:
    examples = tuple(example(problem, lab.oracle.reveal(problem)) for problem in shown)
    behind = [Prompt(examples=examples[:shots]) for shots in config.shots]
    prompts = (*map(Prompt, config.templates), *behind)
    return State(lab.model.base, prompts, (Rating(),) * len(prompts), ((),) * len(prompts))


def _games(lab: Lab, config: Config, state: State, start: int, problems: int) -> list[_Game]:
    """The period's games, which side is which at random; `start` problems were met before it."""
    players = len(state.prompts)
    if config.pairing == "balanced":
        cycle = matchings(players)
        pairs = [cycle[(start + at) % len(cycle)] for at in range(problems)]
    elif config.pairing == "full":
        pairs = [everyone(players)] * problems
    else:
        pairs = telling(state.ratings, problems)
    rng = lab.rng("sides", state.round)
    sided = [(at, rng.sample(pair, 2)) for at, met in enumerate(pairs) for pair in met]
    return [(at, one, other) for at, (one, other) in sided]


def _outputs(
    lab: Lab, config: Config, state: State, period: Sequence[Problem], wanted: Sequence[tuple[int, int]]
) -> _Outputs:
    """One output for each wanted pair of places, of a problem and a prompt."""
    policy, found = lab.at(state.weights, "outputs", state.round), dict[tuple[int, int], Attempt]()
    for player, prompt in enumerate(state.prompts):
        own = [place for place in wanted if place[1] == player]
        attempts = rollout(policy, InOtherWords(lab.env, prompt), [period[at] for at, _ in own], config.how)
        found |= zip(own, attempts, strict=True)
    return found


def _judge(lab: Lab, name: _Name, state: State) -> Judge:
    """Who scores an attempt alone."""
    if name == "oracle":
        return lab.oracle.judge
    policy = _judging(lab, name, state)
    return GradeByLabel(policy) if name == "labels" else GradeByReply(policy)


def _arbiter(lab: Lab, name: _Name, state: State) -> Arbiter:
    """Who says which of two attempts is better."""
    if name == "oracle":
        return Margin(lab.oracle.judge)
    policy = _judging(lab, name, state)
    return ByLabel(policy) if name == "labels" else ByReply(policy)


def _judging(lab: Lab, name: _Name, state: State) -> Policy:
    base = lab.cast["judge"].base if name == "judge" else state.weights
    return lab.at(base, "judging", state.round)


def _best(config: Config, state: State) -> int:
    """The place of the chosen prompt, the first of equals."""
    if config.rank == "rating":
        return leaders(state.ratings)[0]
    players = range(len(state.prompts))
    if config.rank == "wins":
        worth = win_rates(wins(state.bouts, len(players)).sum(0)).tolist()
    else:
        worth = [_mean(scores) for scores in state.scores]
    return max(players, key=worth.__getitem__)


def _watched(pairs: Sequence[tuple[Attempt, Attempt]], results: Sequence[float], state: State) -> dict[str, float]:
    """The period's games, and how far the judges agree so far, where any pair was judged twice."""
    agreed = kappa(state.doubles)
    return {
        "games": float(len(pairs)),
        "draws": fmean(result == 0.5 for result in results),
        "identical": fmean(wording(one) == wording(other) for one, other in pairs),
        **({} if isnan(agreed) else {"kappa": agreed}),
    }


def _mean(scores: Sequence[float]) -> float:
    """0 where nothing could be scored."""
    return fmean(scores) if scores else 0.0
