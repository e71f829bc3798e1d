"""The same problem asked in other words: with a memory's behaviours, or in a template."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from sharpen.core.method import Seat
from sharpen.core.phrases import Phrases, rewritten
from sharpen.core.ports import Env, Recall
from sharpen.core.records import Attempt, Chat, Message, Problem, Sampling, Scene, Weights
from sharpen.core.speech import QUESTION
from sharpen.sample.direct import GREEDY
from sharpen.sample.rollout import rollout

Rewording: TypeAlias = Callable[[Problem, Chat], Chat]
"""What is seen at first of a problem, from what its world shows at first."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """With the behaviours that a memory holds for the problem: behaviour-conditioned inference (arXiv:2509.13237)."""

    recall: Recall
    phrases: Phrases

    def __call__(self, problem: Problem, chat: Chat) -> Chat:
        """The chat with its question behind (or before) the behaviours, as the phrases have it."""
        return self.phrases.using(chat, self.recall(problem))


@dataclass(frozen=True, slots=True)
class Template:
    """In a template of {question}."""

    text: str = QUESTION

    def __call__(self, problem: Problem, chat: Chat) -> Chat:
        """The chat with its question in the template."""
        return rewritten(chat, self.text)


@dataclass(frozen=True, slots=True)
class InOtherWords:
    """A world that shows a problem in other words at first, and is the same in all else."""

    env: Env
    reword: Rewording

    @property
    def deterministic(self) -> bool:
        """As the world is."""
        return self.env.deterministic

    @property
    def max_tokens(self) -> int:
        """The longest move, in tokens."""
        return self.env.max_tokens

    def open(self, problem: Problem) -> Scene:
        """The first scene of a problem, reworded."""
        scene = self.env.open(problem)
        return replace(scene, chat=self.reword(problem, scene.chat))

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        """The scenes after each action."""
        return self.env.step_many(scenes, actions)


def as_asked(attempt: Attempt, env: Env) -> Attempt:
    """An attempt made in other words as one in the world's own: every turn sees what the world itself shows at first,
    and then what followed. What was learned from the other words must then come from within (context distillation)."""
    return attempt.behind(env.open(attempt.problem).chat, len(attempt.turns[0].seen))


@dataclass(frozen=True, slots=True)
class Reworded:
    """The solver that asks once, in other words; greedy unless told otherwise."""

    weights: Weights
    reword: Rewording
    how: Sampling = GREEDY

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order."""
        env = InOtherWords(seat.env, self.reword)
        return rollout(seat.at(self.weights, "answer"), env, problems, self.how.times(1))
