"""What is asked, said and judged: the records that travel between the rooms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np

from sharpen.core.errors import InvalidInput, LacksNeed
from sharpen.core.tokens import Floats, Tokens, frozen_floats

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
Role = Literal["system", "user", "assistant", "tool", "text"]
Author = Literal["policy", "world", "method"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat; where `tokens` are given they win over the text.

    A lone `text` message is raw text without a chat template. A chat that ends in an assistant message is continued.
    """

    role: Role
    text: str
    tokens: Tokens | None = None


Chat: TypeAlias = tuple[Message, ...]


def user(text: str) -> Message:
    """A user's message."""
    return Message("user", text)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be solved; its answer lives behind the oracle. `notes` are public facts a row brought along."""

    id: str
    chat: Chat
    family: str = ""
    level: float = 0.0
    notes: Mapping[str, Json] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Weights:
    """The name of immutable weights of one body (a family of tensors with the same shapes)."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: `n` per chat, softmax temperature (0 is greedy), nucleus mass, most tokens, stop strings."""

    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InvalidInput(f"n must be >= 1, got {self.n}")
        if self.temperature < 0:
            raise InvalidInput(f"temperature must be >= 0 (0 is greedy), got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise InvalidInput(f"top_p must be in (0, 1], got {self.top_p}")
        if self.max_tokens < 1:
            raise InvalidInput(f"max_tokens must be >= 1, got {self.max_tokens}")

    def heated(self, temperature: float) -> "Sampling":
        """The same at another temperature."""
        return replace(self, temperature=temperature)

    def times(self, n: int) -> "Sampling":
        """The same with `n` samples per chat."""
        return replace(self, n=n)

    def require_exploring(self) -> None:
        """Raises InvalidInput unless it draws from the whole policy, as a policy gradient must."""
        if self.temperature == 0:
            raise InvalidInput("a policy gradient needs temperature > 0, got 0; greedy attempts do not explore")
        if self.top_p < 1:
            raise InvalidInput(f"a policy gradient draws from the whole policy: top_p must be 1, got {self.top_p}")

    def greedy(self) -> "Sampling":
        """One most likely continuation per chat."""
        return replace(self, n=1, temperature=0.0, top_p=1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A stretch of a turn with one author.

    `text` is what a reader sees: end-of-turn token and stop string left out. `tokens` are those sampled, ends included,
    never re-encoded from text; None where a remote server does not give them. `logprobs` float32[T], in nats, at
    temperature 1; `drawn` float32[T], in nats, under the distribution really sampled from (None: the same).
    """

    text: str
    tokens: Tokens | None = None
    logprobs: Floats | None = None
    author: Author = "policy"
    drawn: Floats | None = None

    def __post_init__(self) -> None:
        for name, values in (("logprobs", self.logprobs), ("drawn", self.drawn)):
            if values is not None:
                if self.tokens is None or len(values) != len(self.tokens):
                    raise InvalidInput(f"{name} must have one number per token, got {len(values)}")
                object.__setattr__(self, name, frozen_floats(values))

    @property
    def known(self) -> Tokens:
        """The tokens; raises LacksNeed where a server gave none."""
        if self.tokens is None:
            raise LacksNeed("expected tokens with what was said, got text only; use a model that runs here")
        return self.tokens

    @property
    def likelihood(self) -> Floats:
        """The log-probabilities; raises LacksNeed where a server gave none."""
        if self.logprobs is None:
            raise LacksNeed("expected log-probabilities with what was said, got none; use a model that gives them")
        return self.logprobs

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Piece)
            and (self.text, self.tokens, self.author) == (other.text, other.tokens, other.author)
            and _same(self.logprobs, other.logprobs)
            and _same(self.drawn, other.drawn)
        )

    def __hash__(self) -> int:
        return hash((self.text, self.tokens, self.author))


def _same(a: Floats | None, b: Floats | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


class Finish(StrEnum):
    """Why a completion ended: END its own end of turn or a stop string, LENGTH the token limit, ERROR a failure, FULL
    the chat left the model no room to say anything."""

    END = "end"
    LENGTH = "length"
    ERROR = "error"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Completion:
    """What a sampler returned for one chat, once."""

    piece: Piece
    finish: Finish

    @property
    def text(self) -> str:
        """What a reader sees of it."""
        return self.piece.text


@dataclass(frozen=True, slots=True)
class Scene:
    """What the model sees (`chat`), what only the world knows (`world`, opaque to all but its environment), and which
    try of the problem it belongs to (`trial`, from 0)."""

    chat: Chat
    done: bool = False
    world: object = None
    trial: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One move: the chat seen, the pieces said; `trial` counts which try of the problem it belongs to."""

    seen: Chat
    said: tuple[Piece, ...]
    trial: int = 0

    @property
    def text(self) -> str:
        """All that was said in this turn."""
        return "".join(piece.text for piece in self.said)

    @property
    def tokens(self) -> Tokens:
        """The tokens of all pieces in a row; raises LacksNeed where a server gave none."""
        return sum((piece.known for piece in self.said[1:]), self.said[0].known)

    @property
    def logprobs(self) -> Floats:
        """float32[T], nats at temperature 1, of all pieces in a row; raises LacksNeed where a server gave none."""
        return np.concatenate([piece.likelihood for piece in self.said])


class Stop(StrEnum):
    """Why an attempt ended: DONE the world says so, LENGTH a turn too long, TURNS too many turns, ERROR it broke, FULL
    what was to be seen next left the model no room to speak."""

    DONE = "done"
    LENGTH = "length"
    TURNS = "turns"
    ERROR = "error"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a problem, by one policy."""

    problem: Problem
    turns: tuple[Turn, ...]
    by: Weights
    stop: Stop = Stop.DONE

    @property
    def text(self) -> str:
        """What was said in the last turn: where the answer is."""
        return self.turns[-1].text if self.turns else ""

    @property
    def said(self) -> tuple[Piece, ...]:
        """All pieces of all turns, in order."""
        return tuple(piece for turn in self.turns for piece in turn.said)

    @property
    def length(self) -> int:
        """Tokens the policy itself sampled."""
        return sum(len(p.tokens) for p in self.said if p.tokens is not None and p.author == "policy")

    def behind(self, chat: Chat, shown: int) -> "Attempt":
        """The same behind another beginning: every turn sees `chat` where its first `shown` messages stood."""
        return replace(self, turns=tuple(replace(turn, seen=(*chat, *turn.seen[shown:])) for turn in self.turns))


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement: `score` in the judge's own range; `right` only from the oracle; `steps` each scored; a `note`."""

    score: float
    right: bool | None = None
    steps: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """An attempt with its verdict."""

    attempt: Attempt
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reference:
    """A revealed answer: `answer` alone, `steps` that lead to it, and what else the task knows."""

    answer: str
    steps: tuple[str, ...] = ()
    notes: Mapping[str, Json] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A way of working that can be used again: its name, a sentence that says when and how ("" where the name says
    all), and how often it was found, by the family of the problem it was found in."""

    name: str
    instruction: str = ""
    found: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def times(self) -> int:
        """How often it was found, in all families."""
        return sum(self.found.values())
