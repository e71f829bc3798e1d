"""How well a prompt tells labels apart where one of them must be said, by the probabilities of their tokens alone
(PromptQuine, arXiv:2506.17930)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf
from statistics import fmean
from typing import Literal

from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Scorer
from sharpen.core.records import Chat
from sharpen.core.speech import posed
from sharpen.core.tokens import Floats

RIGHT, WRONG = 200.0, 180.0
"""What the gap counts where the right label leads, and where it does not; the paper's."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled questions, on which prompts are judged.

    labels   as the model says them, which differ in their first token
    right    the place among them of each question's label
    """

    labels: tuple[str, ...]
    questions: tuple[str, ...]
    right: tuple[int, ...]

    def fitness(self, scorer: Scorer, prompts: Sequence[Chat], by: Literal["reward", "accuracy"]) -> list[float]:
        """The mean `reward` over the questions of each prompt, or the share of them whose right label is the likeliest;
        everything is asked in one call."""
        chats = [posed(prompt, question) for prompt in prompts for question in self.questions]
        rows, n = scorer.choices(chats, self.labels), len(self.questions)
        mark = reward if by == "reward" else hit
        return [fmean(map(mark, rows[at : at + n], self.right)) for at in range(0, len(rows), n)]


def probabilities(logprobs: Sequence[float] | Floats) -> list[float]:
    """Probabilities of the labels given that one of them is said: nats of the full softmax, brought to sum to 1; all 0
    where none has room to be said."""
    top = max(float(value) for value in logprobs)
    if top == -inf:
        return [0.0 for _ in logprobs]
    weights = [exp(float(value) - top) for value in logprobs]
    total = sum(weights)
    return [weight / total for weight in weights]


def reward(logprobs: Sequence[float] | Floats, right: int) -> float:
    """200 * gap where gap > 0, else 180 * gap; gap = p(right label) - the largest p of another, in [-1, 1]; 0 where
    there is no room for a label."""
    if len(logprobs) < 2 or not 0 <= right < len(logprobs):
        raise InvalidInput(
            f"expected two labels or more, the right one's place among them; got {len(logprobs)}, {right}"
        )
    chances = probabilities(logprobs)
    gap = chances[right] - max(chance for place, chance in enumerate(chances) if place != right)
    return (RIGHT if gap > 0 else WRONG) * gap


def hit(logprobs: Sequence[float] | Floats, right: int) -> float:
    """1 where the right label is the likeliest, the first of equals; else 0, and where there is no room for a label."""
    likeliest = max(range(len(logprobs)), key=lambda place: float(logprobs[place]))
    return float(likeliest == right and float(logprobs[right]) > -inf)
