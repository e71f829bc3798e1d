"""The solver that learns in its seat: before a problem it is unsure of it practises on others like it, and forgets what
it learned once it has answered (test-time self-improvement, arXiv:2510.07841)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import plain_answer
from sharpen.core.lessons import Lesson, Term, demonstration, retold
from sharpen.core.method import Seat, Solver
from sharpen.core.objectives import Imitate
from sharpen.core.ports import Env, Judge, Policy, Sampler, opens
from sharpen.core.records import Attempt, Chat, Message, Problem, Sampling, Stop, Weights
from sharpen.core.streams import Rng
from sharpen.core.training import Training
from sharpen.sample.direct import GREEDY, Direct
from sharpen.sample.rollout import rollout
from sharpen.sample.several import Several

Picks: TypeAlias = Callable[[Policy, Env, Sequence[Problem], Callable[[str], Rng]], list[bool]]
"""[problem] whether it is worth adapting to; draws from the stream that goes by a problem's id."""
Proposes: TypeAlias = Callable[[Sampler, Sequence[Problem], int, Callable[[str], Rng]], list[list[Problem]]]
"""[problem][at most n] others, in a model's words or drawn from the stream that goes by a problem's id."""

PER_TOKEN = Imitate(per="sequences")
"""-(1 / |y|) sum_t log p(y_t), meaned over the examples of a step."""


@dataclass(frozen=True, slots=True)
class Practice:
    """How worked examples come about.

    n       examples of a problem, at most
    tries   times that missing ones are asked for
    named   examples must name an answer; false for tasks that judge the whole of what was said
    """

    n: int = 1
    tries: int = 3
    named: bool = True

    def __post_init__(self) -> None:
        if self.n < 1 or self.tries < 1:
            raise InvalidInput(f"n and tries must be >= 1, got {self.n} and {self.tries}")

    def accepts(self, attempt: Attempt) -> bool:
        """Whether an attempt is whole; nobody asks whether it is right."""
        whole = attempt.stop is Stop.DONE and bool(attempt.text.strip())
        return whole and (not self.named or plain_answer(attempt.text) is not None)


@dataclass(frozen=True, slots=True)
class Adapted:
    """One attempt per problem: by the weights as they are, or, for a problem that is picked, by what they become on a
    few examples like it, which `writer` makes up and answers (None: the weights themselves).

    training   how they learn from the examples; None: nothing is learned, the examples stand before the question
    how        the last answer; the best of several where there is a `judge`, such as a vote
    """

    weights: Weights
    picks: Picks
    proposes: Proposes
    practice: Practice
    training: Training | None
    writer: Weights | None = None
    how: Sampling = GREEDY
    judge: Judge | None = None

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order; that of weights thrown away bears their name, but their bytes are gone."""
        picked = self.picks(seat.at(self.weights, "doubt"), seat.env, problems, partial(seat.rng, "picked"))
        hard = [problem for problem, yes in zip(problems, picked, strict=True) if yes]
        worked = dict(zip((problem.id for problem in hard), self.examples(seat, hard), strict=True))
        told = {problem.id: worked.get(problem.id, []) for problem in problems}
        if self.training is None:
            asked = [shown(problem, told[problem.id], seat.env) for problem in problems]
            answers = self.plain(self.weights).answer(seat, asked)
            return [replace(attempt, problem=problem) for attempt, problem in zip(answers, problems, strict=True)]
        easy = [problem for problem in problems if not told[problem.id]]
        known = dict(zip((p.id for p in easy), self.plain(self.weights).answer(seat, easy), strict=True))
        return [known[p.id] if p.id in known else self._taught(seat, p, told[p.id], self.training) for p in problems]

    def examples(self, seat: Seat, problems: Sequence[Problem]) -> list[list[Attempt]]:
        """[problem][at most practice.n] whole attempts at problems like it, by the writer: greedy, each question once;
        those that are missing are asked for again."""
        writer = self.writer or self.weights
        found: list[list[Attempt]] = [[] for _ in problems]
        tried: dict[str, Attempt] = {}
        for number in range(self.practice.tries):
            lacking = [place for place, made in enumerate(found) if len(made) < self.practice.n]
            if not lacking:
                break
            author = seat.at(writer, "write", number)
            drawn = partial(seat.rng, "write", number)
            written = self.proposes(author, [problems[place] for place in lacking], self.practice.n, drawn)
            new = {p.id: p for group in written for p in group if p.id not in tried and opens(seat.env, p)}
            attempts = rollout(seat.at(writer, "practise"), seat.env, list(new.values()), GREEDY) if new else []
            tried |= {attempt.problem.id: attempt for attempt in attempts}
            for place, group in zip(lacking, written, strict=True):
                made = [tried[p.id] for p in group if p.id in tried and self.practice.accepts(tried[p.id])]
                found[place] = [*found[place], *(one for one in made if one not in found[place])][: self.practice.n]
        return found

    def lessons(self, examples: Sequence[Attempt]) -> list[Lesson]:
        """A demonstration a turn: of the tokens as they were sampled where the writer is of the same body, else of its
        words."""
        own = self.writer is None or self.writer.body == self.weights.body
        return [
            lesson
            for example in examples
            for lesson in ([demonstration(turn.seen, turn.said) for turn in example.turns] if own else retold(example))
        ]

    def plain(self, weights: Weights) -> Solver:
        """Answers with these weights as they are."""
        return Direct(weights, self.how) if self.judge is None else Several(weights, self.how, self.judge)

    def _taught(self, seat: Seat, problem: Problem, examples: Sequence[Attempt], training: Training) -> Attempt:
        learned = seat.model.learn(self.weights, [Term(PER_TOKEN, self.lessons(examples))], training).weights
        attempt = self.plain(learned).answer(seat, [problem])[0]
        # The name alone, in a record of its own: bytes live as long as somebody holds the record that `learn` gave.
        return replace(attempt, by=Weights(learned.id, learned.body))


def shown(problem: Problem, examples: Sequence[Attempt], env: Env) -> Problem:
    """The problem with worked examples before its question, as turns of the chat."""
    *before, last = problem.chat
    turns = [message for example in examples for message in _told(example, len(before), env)]
    return replace(problem, chat=(*before, *turns, last))


def _told(example: Attempt, before: int, env: Env) -> Chat:
    """The example's own messages, from its question to its last words."""
    opened = len(env.open(example.problem).chat)
    later = (replace(message, tokens=None) for message in example.turns[-1].seen[opened:])
    return (*example.problem.chat[before:], *later, Message("assistant", example.text))
