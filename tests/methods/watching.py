"""A lab on the toy task and the linear model that writes down what was learned from what, and what was consulted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import torch

from sharpen.core.lessons import Lesson, Term
from sharpen.core.method import Lab, Round, Seat
from sharpen.core.records import Attempt, Judged, Problem, Reference, Verdict, Weights
from sharpen.core.tokens import Tokens
from sharpen.core.training import Learned, Training
from sharpen.models.linear import WORDS, linear_model
from sharpen.models.local import LocalModel
from tests.toys import Toy

MARKED = tuple(f"Answer: {number}" for number in range(10))
MODEL = linear_model()
MARKING = linear_model((*WORDS, *MARKED), MARKED)
"""One that says an answer behind its mark, as one word."""


@dataclass
class Learning:
    """One call of learn."""

    start: Weights
    terms: Sequence[Term]
    how: Training
    learned: Learned

    @property
    def lessons(self) -> list[Lesson]:
        return [lesson for term in self.terms for lesson in term.lessons]


@dataclass
class Watched:
    """A model whose learning is written down; all else it passes on."""

    model: LocalModel
    learnings: list[Learning] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def learn(self, start: Weights, terms: Sequence[Term], how: Training) -> Learned:
        learned = self.model.learn(start, terms, how)
        self.learnings.append(Learning(start, terms, how, learned))
        return learned


class WatchedToy(Toy):
    """The toy task, its consultations written down."""

    def __init__(self) -> None:
        super().__init__()
        self.judged: list[list[Judged]] = []
        self.revealed: list[Problem] = []

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        verdicts = [self._verdict(attempt) for attempt in attempts]
        self.judged.append([Judged(*both) for both in zip(attempts, verdicts, strict=True)])
        return verdicts

    def reveal(self, problem: Problem) -> Reference:
        self.revealed.append(problem)
        return super().reveal(problem)

    def _verdict(self, attempt: Attempt) -> Verdict:
        known = len(self.revealed)
        verdict = super()._verdict(attempt)
        del self.revealed[known:]  # the toy looks its own answer up
        return verdict


@dataclass
class Place:
    """A lab, and what happens in it."""

    lab: Lab
    model: Watched
    task: WatchedToy

    @property
    def learnings(self) -> list[Learning]:
        return self.model.learnings

    def tensors(self, weights: Weights) -> Mapping[str, torch.Tensor]:
        return self.model.model.fetch(weights).tensors

    def steps(self, weights: Weights) -> int:
        return self.model.model.fetch(weights).step

    def same(self, one: Weights, other: Weights) -> bool:
        return all(torch.equal(tensor, self.tensors(other)[name]) for name, tensor in self.tensors(one).items())

    def score(self, last: Round) -> float:
        """The share of dev problems the solver gets right."""
        attempts = last.solver.answer(self.lab.seat, self.lab.dev)
        verdicts = Toy().judge(attempts)
        return sum(verdict.score for verdict in verdicts) / len(verdicts)


class Impossible(WatchedToy):
    """Nothing is right."""

    def _verdict(self, attempt: Attempt) -> Verdict:
        return Verdict(0.0, False)


def place(model: LocalModel = MODEL, toy: type[WatchedToy] = WatchedToy) -> Place:
    """A fresh one."""
    task, watched = toy(), Watched(model.bind(lambda work, paid: None))
    seat = Seat({"model": watched}, task.env)  # type: ignore[dict-item]  # it passes on what it does not have itself
    return Place(Lab(seat, task, task.problems("train"), task.problems("dev"), task, lambda: 1.0), watched, task)


def rounds(run: Iterator[Round], n: int) -> list[Round]:
    return list(islice(run, n))


def seen(lesson: Lesson) -> str:
    """The text of a lesson's chat."""
    chat = lesson.parts[0].content
    assert isinstance(chat, tuple)
    return "\n".join(message.text for message in chat)


def said(lesson: Lesson, model: LocalModel = MODEL) -> str:
    """What a lesson teaches to say."""
    parts = [part.content for part in lesson.parts[1:]]
    return "".join(model.encoder.decode(part) if isinstance(part, Tokens) else str(part) for part in parts)
