"""Pair-SFT: imitates a right attempt as the correction of a wrong one at the same problem (arXiv:2211.00053, as
compared in arXiv:2409.12917).

Repeat
    sample S attempts at each of a batch of problems from the base; the oracle says which are right
    of each problem match wrong attempts with right ones at random, at most m pairs (`plus`: right with right as well)
    imitate the second of a pair after the problem, the first, and words that ask again without telling anything
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sharpen.control.monitors import monitors
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import by_problem, judged
from sharpen.core.lessons import Lesson, Term, demonstration
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.objectives import Imitate
from sharpen.core.records import Attempt, Judged, Message, Sampling, Weights, user
from sharpen.core.speech import SURE
from sharpen.core.streams import Rng
from sharpen.core.training import Training
from sharpen.sample.retry import Twice
from sharpen.sample.rollout import rollout

PAPER = Paper(
    title="Generating Sequences by Learning to Self-Correct (its pairs, as a baseline of SCoRe 2409.12917)",
    arxiv="2211.00053",
    year=2022,
    claim="pairs of the base's attempts teach to correct the base's errors, and less those made after learning",
    generate="parallel samples",
    evaluate="final answer",
    control="fixed",
)
NEEDS = frozenset({"sample", "learn"})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the pairs; the defaults are small rounds (ours)."""

    rounds: int = 200  # most rounds; the budget may end it sooner (ours)
    problems: int = 32  # problems a round (ours)
    how: Sampling = Sampling(n=8, temperature=1.0, max_tokens=4096)  # n = S attempts a problem, of the base (ours)
    request: str = SURE  # the words that ask for the second try; they must not tell whether the first was wrong (ours)
    cap: int = 4  # m, most pairs of each kind of a problem (ours)
    right_pairs: bool = False  # also pairs of two right attempts
    training: Training = field(default_factory=lambda: Training(epochs=1, batch=32, inherit="moments"))

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.problems < 1 or self.cap < 1:
            raise InvalidInput(
                f"rounds, problems and cap must be >= 1, got {self.rounds}, {self.problems} and {self.cap}"
            )
        if self.how.n < 2:
            raise InvalidInput(f"a pair needs two attempts at a problem: n must be >= 2, got {self.how.n}")

    @classmethod
    def plus(cls) -> "Config":
        """Pair-SFT+: pairs of two right attempts as well, so that right answers may stay right."""
        return cls(right_pairs=True)


@dataclass(frozen=True, slots=True)
class State:
    """What was learned so far; the attempts are always the base's."""

    weights: Weights
    round: int = 0


def run(lab: Lab, config: Config, state: State | None = None) -> Iterator[Round]:
    """One round: attempt from the base, match, imitate."""
    state = state or State(lab.model.base)
    while state.round < config.rounds:
        policy = lab.at(lab.model.base, state.round)
        problems = lab.rng("problems", state.round).sample(lab.train, min(config.problems, len(lab.train)))
        marks = judged(rollout(policy, lab.env, problems, config.how), lab.oracle.judge)
        lessons = [
            _correction(first, second, config.request)
            for first, second in _pairs(marks, config, lab.rng("pairs", state.round))
        ]
        learned = lab.model.learn(state.weights, [Term(Imitate(), lessons)], config.training)
        state = State(learned.weights, state.round + 1)
        metrics = {**monitors(marks), "train/pairs": float(len(lessons))}
        yield Round(state, Twice(state.weights, config.request), {**metrics, **learned.metrics})


def _pairs(marks: Sequence[Judged], config: Config, rng: Rng) -> list[tuple[Attempt, Attempt]]:
    """(first, second) of each problem, wrong and right matched at random; no attempt is twice the first of such pairs,
    nor twice the second."""
    pairs: list[tuple[Attempt, Attempt]] = []
    for group in by_problem(marks).values():
        shuffled = rng.sample(group, len(group))
        right = [mark.attempt for mark in shuffled if mark.verdict.right]
        wrong = [mark.attempt for mark in shuffled if not mark.verdict.right]
        pairs += list(zip(wrong, right, strict=False))[: config.cap]
        pairs += list(pairwise(right))[: config.cap if config.right_pairs else 0]
    return pairs


def _correction(first: Attempt, second: Attempt, request: str) -> Lesson:
    """The second attempt, to be said after the first; raises InvalidInput for attempts of several turns, the later of
    which answer different scenes."""
    most = max(len(first.turns), len(second.turns))
    if most > 1:
        raise InvalidInput(f"expected attempts of one turn to pair, got one of {most}; choose a task of one turn")
    turn = first.turns[0]
    asked = (*turn.seen, Message("assistant", turn.text, turn.tokens), user(request))
    return demonstration(asked, second.turns[0].said)
