"""A policy that says what is written, and a critic that thinks what is written: trees that can be worked by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sharpen.core.ports import Sampler
from sharpen.core.records import Chat, Completion, Finish, Piece, Problem, Sampling, user
from sharpen.core.tokens import Tokens
from sharpen.core.tree import Node, Tree
from sharpen.models.words import WordEncoder
from sharpen.search.steps import Ground
from sharpen.tasks.single import SingleTurn
from tests.spoken import BY

ENCODER = WordEncoder(())
"""Every character is a token."""
PROBLEM = Problem("sum", (user("1+1"),))
CUT = "CUT"
"""Behind these letters a reply is cut off."""


def piece(text: str) -> Piece:
    """What is said, with the end of turn where it ends without a newline."""
    said = ENCODER.reply(text)
    tokens = said[: len(said) - 1] if text.endswith("\n") else said
    return Piece(text, Tokens(tokens.ids, tokens.tokenizer))


@dataclass(frozen=True)
class Scripted:
    """Says in turn what stands behind the words so far; nothing but CUT where nothing stands there."""

    lines: Mapping[str, Sequence[str]]
    asked: list[Sampling]
    weights = BY

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        self.asked.append(how)
        return [[self._said(_begun(chat), number, how) for number in range(how.n)] for chat in chats]

    def _said(self, begun: str, number: int, how: Sampling) -> Completion:
        options = self.lines.get(begun, (CUT,))
        text = options[number % len(options)]
        shown = text.partition("\n")[0] if how.stop else text
        return Completion(Piece(shown, piece(text).tokens), Finish.LENGTH if text.endswith(CUT) else Finish.END)


@dataclass
class Script:
    """A ground for one tree: what is said at first, what is said when asked again, and what it is worth."""

    lines: Mapping[str, Sequence[str]]
    worth: Mapping[str, float] = field(default_factory=dict)
    again: Mapping[str, Sequence[str]] = field(default_factory=dict)
    most: int = 64
    paths: list[tuple[str | int, ...]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    asked: list[Sampling] = field(default_factory=list)

    @property
    def ground(self) -> Ground:
        return Ground(self.speak, self, ENCODER, SingleTurn(self.most))

    def speak(self, *path: str | int) -> Sampler:
        self.paths.append(path)
        repeated = len(path) > 1 and path[-1] != 0
        return Scripted(self.again if repeated else self.lines, self.asked)

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        texts = [_begun(chat) for chat in chats]
        self.read += texts
        return [[[self.worth[text]]] for text in texts]


def said(tree: Tree) -> dict[str, Node]:
    """The nodes by what has been said at each."""
    return {tree.draft(place).text: node for place, node in enumerate(tree.nodes)}


def _begun(chat: Chat) -> str:
    return chat[-1].text if chat[-1].role == "assistant" else ""
