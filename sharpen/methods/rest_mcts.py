"""ReST-MCTS* (arXiv:2406.03816): a tree search whose finished trees teach both the policy and the critic that leads it.

Before the first round, teach the critic on independent attempts of the base, valued as below. Repeat
    grow a tree for each problem by MCTS*, with the policy's steps and the critic's values
    ask whether the final answer of each complete solution is right; nobody labels a step
    infer what every step was worth from the ends it led to:
        v_k = max(v_{k-1} + w_k, 0),  w_k = (1 - v_{k-1}) / (m_k + 1) * (1 - 2 r_k)
        m_k: fewest further steps to a right end; r_k: 0 where one lies ahead, 1 where none does
    imitate the right solutions, distinct and at most `cap` of a problem, starting from the policy before
    regress the critic on the inferred values, starting from the critic before

What is delivered searches with both; the variants beam_search, best_of_n, vote and greedy answer otherwise with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean
from typing import Literal

from sharpen.control.monitors import auroc
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged
from sharpen.core.lessons import Lesson, Term, demonstrations
from sharpen.core.method import Lab, Paper, Round, Solver
from sharpen.core.objectives import Imitate, Regress
from sharpen.core.records import Judged, Weights
from sharpen.core.training import Head, Training
from sharpen.core.tree import Tree
from sharpen.sample.direct import Direct
from sharpen.search.beam import Beam
from sharpen.search.chains import Chains
from sharpen.search.mcts import Mcts
from sharpen.search.searched import Search, Searched
from sharpen.search.steps import Ground
from sharpen.select.keep import above
from sharpen.select.values import inferred, valuations

PAPER = Paper(
    title="ReST-MCTS*: LLM Self-Training via Process Reward Guided Tree Search",
    arxiv="2406.03816",
    year=2024,
    claim="solutions and step values from a critic's tree search, trained on in turns, beat self-training on samples",
    generate="tree search",
    evaluate="final answer, and step values inferred from trees",
    control="a critic leads the search",
)
NEEDS = frozenset({"sample", "learn", "values"})
_FIRST = Chains()
"""How the critic's first lessons are drawn, whatever the solver's size: all variants hold one critic (ours)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of ReST-MCTS*; sizes are ours, for small models, the paper's or its code's are beside them."""

    rounds: int = 200  # most rounds, the budget may end it sooner; paper 2
    problems: int = 32  # problems a round
    seeds: int = 64  # problems of the critic's first lessons, 8 attempts each; paper 11,554 and trees of MATH
    cap: int = 4  # most right solutions learned from of a problem; paper: no cap
    explore: Literal["tree", "chains"] = "tree"  # what a round learns from: searched trees, or independent attempts
    search: Mcts = Mcts()  # for data
    chains: Chains = Chains()  # independent attempts, to answer from or to learn from
    answer: Literal["search", "beam", "best", "vote", "greedy"] = "search"  # how the solver answers
    answering: Mcts = Mcts(explore=0.4, unvisited=0.8, gate=0.9)  # for answers; the code's: 100 iterations, 2 rolled
    beam: Beam = Beam()
    training: Training = field(default_factory=lambda: Training(epochs=2, batch=32))  # the policy's
    valuing: Training = field(default_factory=lambda: Training(epochs=3, batch=32))  # the critic's; epochs the paper's

    def __post_init__(self) -> None:
        if min(self.rounds, self.problems, self.seeds, self.cap) < 1:
            raise InvalidInput(
                "rounds, problems, seeds and cap must be >= 1, got "
                f"{self.rounds}, {self.problems}, {self.seeds} and {self.cap}"
            )

    @classmethod
    def beam_search(cls) -> "Config":
        """Answers by Tree of Thoughts, breadth first (arXiv:2305.10601), with the same policy and critic."""
        return cls(answer="beam")

    @classmethod
    def best_of_n(cls) -> "Config":
        """Answers with the best of n independent attempts by the same critic's value (PRM best of n)."""
        return cls(answer="best")

    @classmethod
    def vote(cls) -> "Config":
        """Answers with the largest sum of the same critic's values over n independent attempts (SC + value)."""
        return cls(answer="vote")

    @classmethod
    def greedy(cls) -> "Config":
        """Answers once, without a search: what the policy itself has learned."""
        return cls(answer="greedy")

    @classmethod
    def samples(cls) -> "Config":
        """Learns from independent attempts instead of trees, and answers as `greedy`: shows what the search adds."""
        return cls(explore="chains", answer="greedy")


@dataclass(frozen=True, slots=True)
class State:
    """The policy and its critic, two sets of weights of one body."""

    policy: Weights
    critic: Weights
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: search, ask for the answers, infer the values, teach both."""
    state = state or State(lab.model.base, _first_critic(lab, config))
    search = config.search if config.explore == "tree" else config.chains
    while state.round < config.rounds:
        problems = lab.rng("problems", state.round).sample(lab.train, min(config.problems, len(lab.train)))
        trees = search.grow(_ground(lab, state, state.round), problems)
        marks = _marks(lab, trees)
        values = _values(trees, marks)
        right = [mark for found in marks for mark in found.values() if mark.verdict.right]
        kept = above(right, 0.5, config.cap)
        policy = lab.model.learn(state.policy, [Term(Imitate(), demonstrations(kept))], config.training)
        critic = lab.model.learn(state.critic, [Term(Regress(), _lessons(trees, values))], config.valuing)
        metrics = _watched(trees, marks, values) | {"train/kept": float(len(kept))}
        state = State(policy.weights, critic.weights, state.round + 1)
        taught = {f"critic/{name}": value for name, value in critic.metrics.items()}
        yield Round(state, _solver(config, state), {**metrics, **policy.metrics, **taught})


def _first_critic(lab: Lab, config: Config) -> Weights:
    """A head on the base that has learned from independent attempts: an untrained one would lead the search nowhere,
    and trees without a right end teach nothing."""
    state = State(lab.model.base, lab.model.head(lab.model.base, Head("value", link="sigmoid")))
    problems = lab.rng("seeds").sample(lab.train, min(config.seeds, len(lab.train)))
    trees = _FIRST.unread(_ground(lab, state, "seeds"), problems)
    lessons = _lessons(trees, _values(trees, _marks(lab, trees)))
    return lab.model.learn(state.critic, [Term(Regress(), lessons)], config.valuing).weights


def _ground(lab: Lab, state: State, name: str | int) -> Ground:
    return Ground(partial(lab.at, state.policy, name), lab.at(state.critic, name), lab.model.encoder, lab.env)


def _marks(lab: Lab, trees: Sequence[Tree]) -> list[dict[int, Judged]]:
    """The verdict on every complete solution, by its place, tree by tree; what never ended is not asked about."""
    marks = iter(judged([tree.attempt(place) for tree in trees for place in tree.complete], lab.oracle.judge))
    return [{place: next(marks) for place in tree.complete} for tree in trees]


def _values(trees: Sequence[Tree], marks: Sequence[Mapping[int, Judged]]) -> list[dict[int, float]]:
    """What every node is worth, by its place, tree by tree."""
    right = [{place for place, mark in found.items() if mark.verdict.right} for found in marks]
    return [inferred(tree, places) for tree, places in zip(trees, right, strict=True)]


def _lessons(trees: Sequence[Tree], values: Sequence[Mapping[int, float]]) -> list[Lesson]:
    return [lesson for tree, worth in zip(trees, values, strict=True) for lesson in valuations(tree, worth)]


def _solver(config: Config, state: State) -> Solver:
    if config.answer == "greedy":
        return Direct(state.policy)
    searches: dict[str, Search] = {"search": config.answering, "beam": config.beam}
    search = searches.get(config.answer, config.chains)
    return Searched(state.policy, state.critic, search, "vote" if config.answer == "vote" else "best")


def _watched(
    trees: Sequence[Tree], marks: Sequence[Mapping[int, Judged]], values: Sequence[Mapping[int, float]]
) -> dict[str, float]:
    """How the search went, and how far the critic that led it agreed with what came out."""
    scores = [[node.score for node in tree.nodes] for tree in trees]
    ends = [
        (score, bool(mark.verdict.right))
        for read, found in zip(scores, marks, strict=True)
        for place, mark in found.items()
        if (score := read[place]) is not None
    ]
    errors = [
        abs(score - value)
        for read, worth in zip(scores, values, strict=True)
        for place, value in worth.items()
        if (score := read[place]) is not None
    ]
    return {
        "search/solved": fmean(any(mark.verdict.right for mark in found.values()) for found in marks),
        "search/nodes": fmean(len(tree.nodes) for tree in trees),
        "search/complete": fmean(len(tree.complete) for tree in trees),
        "search/sampled": fmean(tree.sampled for tree in trees),
        "train/reward": fmean(right for _, right in ends) if ends else 0.0,
        "train/values": float(sum(map(len, values))),
        "critic/close": fmean(error <= 0.1 for error in errors) if errors else 0.0,
        "critic/auroc": auroc(ends),
    }
