"""The solver that must say one of a few labels: nothing is sampled, the likeliest label is its answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK
from sharpen.core.method import Seat
from sharpen.core.ports import Encoder
from sharpen.core.records import Attempt, Chat, Message, Piece, Problem, Stop, Turn, Weights
from sharpen.core.speech import posed


@dataclass(frozen=True, slots=True)
class ForcedChoice:
    """One attempt per problem: the label that is likeliest behind the prompt, the first of equals; no label where the
    prompt leaves none room. The mark before it is the method's; the label has no tokens, for none was sampled.

    prompt   a chat with the place of the question in it; of a problem's own chat only the question is asked
    labels   as the model says them behind the prompt, space included (`as_said`)
    """

    weights: Weights
    prompt: Chat
    labels: tuple[str, ...]

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order."""
        scenes = [seat.env.open(problem) for problem in problems]
        asked = [posed(self.prompt, scene.chat[-1].text) for scene in scenes]
        rows = seat.at(self.weights, "answer").choices(asked, self.labels)
        full = [bool(np.isneginf(row.max())) for row in rows]
        said = ["" if none else self.labels[int(row.argmax())].strip() for row, none in zip(rows, full, strict=True)]
        done = seat.env.step_many(scenes, [Message("assistant", f"{MARK} {label}") for label in said])
        return [
            Attempt(
                problem,
                (Turn(chat, (Piece(f"{MARK} ", author="method"), Piece(label))),),
                self.weights,
                Stop.FULL if none else Stop.DONE if scene.done else Stop.TURNS,
            )
            for problem, chat, label, scene, none in zip(problems, asked, said, done, full, strict=True)
        ]


def as_said(labels: Sequence[str], encoder: Encoder) -> tuple[str, ...]:
    """The labels with a space before them, or without where they would begin with the same token otherwise; raises
    InvalidInput where they do either way."""
    for lead in (" ", ""):
        said = tuple(lead + label for label in labels)
        if len({int(encoder.reply(label).ids[0]) for label in said}) == len(labels) > 0:
            return said
    raise InvalidInput(
        f"expected labels that differ in their first token, got {', '.join(map(repr, labels)) or 'none'}; "
        "give the answers names that begin differently"
    )
