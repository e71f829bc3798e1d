"""A teacher of the toy task that is a program: it writes a question like the one it is shown, and knows the answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.records import Chat, Completion, Finish, Piece, Sampling, Weights
from sharpen.core.streams import Stream
from tests.toys import IDLE, NUMBERS

NEXT = dict(zip(IDLE, (*IDLE[1:], IDLE[0]), strict=True))


@dataclass(frozen=True)
class Tutor:
    """A model as far as a solver asks one, and its policy: `off` is added to every answer, modulo ten. It says words
    alone, as a server does."""

    off: int = 0
    name: str = "tutor"
    base: Weights = Weights("tutor", "tutor")

    @property
    def weights(self) -> Weights:
        return self.base

    def at(self, weights: Weights, stream: Stream = ()) -> "Tutor":
        return self

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        return [[Completion(Piece(self._reply(chat[-1].text)), Finish.END)] * how.n for chat in chats]

    def _reply(self, text: str) -> str:
        """To a request for a task, the one that is shown in other idle words; to a question, its number."""
        listed = [line.removeprefix("Task: ") for line in text.splitlines() if line.startswith("Task: ")]
        if listed:
            return " ".join(NEXT.get(word, word) for word in listed[0].split())
        key = next((word for word in text.split() if word in NUMBERS), "cat")
        return str((int(NUMBERS[key]) + self.off) % 10)
