"""A prompt with some of its own tokens left out, and nothing else changed (PromptQuine, arXiv:2506.17930)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Encoder
from sharpen.core.records import Chat, Message, Role
from sharpen.core.speech import QUESTION
from sharpen.core.streams import Rng
from sharpen.core.tokens import Tokens, frozen_ints

Mask: TypeAlias = str
"""One character per token of the original prompt: 1 where it is kept, 0 where it is left out."""

SIZES = (1, 2, 3, 4)
"""How many tokens a mutation leaves out, evenly; the paper's."""
TRIES = 10
"""How often a size is drawn before a mask is given up as too short; the paper's."""
SHARES = tuple(1 / 20 + step * (1 / 5 - 1 / 20) / 9 for step in range(10))
"""With what probability a thinned prompt loses each token: ten values, evenly spaced; the paper's."""


@dataclass(frozen=True, slots=True)
class Original:
    """A prompt in the tokens it was written in; masks count them through all messages. What cannot be left out is not
    among them: the place of the question, and the roles and order of the messages.

    stretches   of each message its tokens; where the question's place is, those before and those behind it
    """

    encoder: Encoder
    roles: tuple[Role, ...]
    stretches: tuple[tuple[Tokens, ...], ...]

    @classmethod
    def of(cls, prompt: Chat, encoder: Encoder) -> "Original":
        """The prompt's texts, tokenised."""
        end = len(encoder.reply(""))
        said = [[encoder.reply(text) for text in message.text.split(QUESTION)] for message in prompt]
        stretches = tuple(tuple(tokens[: len(tokens) - end] for tokens in message) for message in said)
        return cls(encoder, tuple(message.role for message in prompt), stretches)

    def __len__(self) -> int:
        return sum(len(tokens) for message in self.stretches for tokens in message)

    @property
    def whole(self) -> Mask:
        """The mask that keeps everything."""
        return "1" * len(self)

    def kept(self, mask: Mask) -> Chat:
        """The prompt of the tokens kept, in their order, as text: whoever reads it may join them into other tokens."""
        if len(mask) != len(self):
            raise InvalidInput(f"expected a mask of {len(self)} characters, one per token, got {len(mask)}")
        marks = iter(mask)
        texts = [
            QUESTION.join(
                self.encoder.decode(Tokens(frozen_ints(_marked(tokens, marks)), tokens.tokenizer)) for tokens in message
            )
            for message in self.stretches
        ]
        return tuple(Message(role, text) for role, text in zip(self.roles, texts, strict=True))


def _marked(tokens: Tokens, marks: Iterator[str]) -> list[int]:
    return [token for token in tokens.ids.tolist() if next(marks) == "1"]


def without(mask: Mask, places: Collection[int]) -> Mask:
    """The mask with the tokens at these places left out."""
    return "".join("0" if place in places else mark for place, mark in enumerate(mask))


def pruned(mask: Mask, rng: Rng) -> Mask | None:
    """A mutation: of the tokens kept, a few more are left out, never all. Their number is drawn from SIZES until there
    are more than that; None where TRIES draws do not find one."""
    kept = [place for place, mark in enumerate(mask) if mark == "1"]
    for _ in range(TRIES):
        size = rng.choice(SIZES)
        if size < len(kept):
            return without(mask, rng.sample(kept, size))
    return None


def thinned(mask: Mask, rng: Rng) -> Mask:
    """Every token kept is left out with one probability, drawn from SHARES."""
    share = rng.choice(SHARES)
    return "".join("0" if mark == "1" and rng.random() < share else mark for mark in mask)


def scattered(length: int, rng: Rng) -> Mask:
    """A random mask: how many tokens are kept is drawn evenly from 1 to `length` - 1, and then which (ours)."""
    if length < 2:
        raise InvalidInput(f"expected a prompt of at least two tokens to leave some out, got {length}")
    dropped = rng.sample(range(length), rng.randint(1, length - 1))
    return without("1" * length, dropped)
