"""The solver that asks in a chosen way: the question inside a template, behind worked examples."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core import speech
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK
from sharpen.core.method import Seat
from sharpen.core.records import Attempt, Chat, Problem, Reference, Sampling, Weights
from sharpen.core.speech import QUESTION
from sharpen.sample.direct import GREEDY
from sharpen.sample.reworded import InOtherWords
from sharpen.sample.rollout import rollout


@dataclass(frozen=True, slots=True)
class Prompt:
    """A way to ask: every question, the examples' too, stands in the template where QUESTION is."""

    template: str = QUESTION
    examples: tuple[tuple[str, str], ...] = ()  # questions and solutions, shown as turns before the question

    def __post_init__(self) -> None:
        if self.template.count(QUESTION) != 1:
            raise InvalidInput(f"a template must hold {QUESTION} once, got {self.template!r}")

    def __call__(self, problem: Problem, chat: Chat) -> Chat:
        """A problem's chat asked in this way; raises InvalidInput where no user speaks last."""
        if not chat or chat[-1].role != "user":
            raise InvalidInput("a prompt goes around the words of a user, but the chat does not end in any")
        *before, last = chat
        examples = [(self._posed(question), solution) for question, solution in self.examples]
        return (*before, *speech.shown(examples, self._posed(last.text)))

    def _posed(self, question: str) -> str:
        return self.template.replace(QUESTION, question)


def example(problem: Problem, reference: Reference) -> tuple[str, str]:
    """A problem's question and its solution: the task's own words for it, or else its steps and marked answer."""
    whole = reference.notes.get("solution")
    lines = [*reference.steps, f"{MARK} {reference.answer}"]
    return problem.chat[-1].text, whole if isinstance(whole, str) else "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Prompted:
    """One attempt per problem, asked by the prompt; greedy unless told otherwise."""

    weights: Weights
    prompt: Prompt
    how: Sampling = GREEDY

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order."""
        return rollout(
            seat.at(self.weights, "answer"), InOtherWords(seat.env, self.prompt), problems, self.how.times(1)
        )
