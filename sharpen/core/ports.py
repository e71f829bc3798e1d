"""What may be asked of models, worlds and judges: Protocols, and the records only they use. Ask for the least."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, Self, TypeAlias

from sharpen.core.budget import Charge, Spend
from sharpen.core.lessons import Lesson, Term
from sharpen.core.records import (
    Attempt,
    Behaviour,
    Chat,
    Completion,
    Json,
    Judged,
    Message,
    Problem,
    Reference,
    Sampling,
    Scene,
    Verdict,
    Weights,
)
from sharpen.core.streams import Rng, Split, Stream
from sharpen.core.tokens import Floats, Tokens
from sharpen.core.training import Head, Learned, Training


class Encoder(Protocol):
    """Text to tokens and back, under one tokenizer and chat template."""

    @property
    def fingerprint(self) -> str:
        """Names the tokenizer: equal for equal vocabularies and templates."""
        ...

    def encode(self, chat: Chat) -> Tokens:
        """The chat up to where the assistant speaks (or continues to); tokens of a message win over its text."""
        ...

    def reply(self, text: str) -> Tokens:
        """The assistant's words as it would say them, end of turn included."""
        ...

    def decode(self, tokens: Tokens) -> str:
        """What a reader sees: special marks the methods use are kept, the end of turn is left out."""
        ...

    def spans(self, tokens: Tokens, pattern: str) -> list[tuple[int, int]]:
        """Token ranges [start, stop) that cover each match of a regular expression in the decoded text."""
        ...


class Sampler(Protocol):
    """Something that can be asked to speak."""

    @property
    def weights(self) -> Weights:
        """Whose words they are."""
        ...

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        """[chat][n] completions. A function of weights, stream, chat, its occurrence in the call, and n: the order and
        company of the other chats do not matter, and the same call twice says the same. To a chat that leaves no room
        in the model's context nothing is said (FULL)."""
        ...


class Scorer(Protocol):
    """Something that gives the probability of words it is shown."""

    def logprobs(self, chats: Sequence[Chat], said: Sequence[Tokens | str]) -> list[Floats]:
        """[chat] float32[T]: nats at temperature 1 of each token said after its chat (words are encoded as a reply);
        minus infinity where both do not fit into the context."""
        ...

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        """[chat] float32[labels]: nats of the full softmax for each label's first token; labels must differ there.
        Minus infinity for all where the chat leaves no room for one."""
        ...


class Critic(Protocol):
    """Something with a head that reads values."""

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        """[chat][read][output]: the head's linked outputs where it reads: the last token, or every step mark; no read
        of a chat that does not fit into the context."""
        ...


class Policy(Sampler, Scorer, Critic, Protocol):
    """One immutable set of weights, on one stream of randomness."""


class Model(Protocol):
    """A body whose weights are values: it can be asked at any of them, and makes new ones."""

    @property
    def name(self) -> str:
        """What the user called it."""
        ...

    @property
    def base(self) -> Weights:
        """The weights it came with."""
        ...

    @property
    def encoder(self) -> Encoder:
        """Its tokenizer and chat template; raises LacksNeed where they are on a server."""
        ...

    @property
    def offers(self) -> frozenset[str]:
        """What it can do, of: sample, logprobs, choices, values, learn."""
        ...

    def at(self, weights: Weights, stream: Stream = ()) -> Policy:
        """The policy of these weights; raises CorruptRecord where their bytes are gone."""
        ...

    def head(self, start: Weights, head: Head) -> Weights:
        """The start with a new head, zero at first."""
        ...

    def blend(self, shares: Sequence[tuple[Weights, float]]) -> Weights:
        """The weighted sum of weights of this body."""
        ...

    def learn(self, start: Weights, terms: Sequence[Term], how: Training) -> Learned:
        """New weights that minimise the sum of the terms; `start` is left as it was. No lessons: the start again.
        Raises WontFit before it starts, ForeignTokens for another tokenizer's tokens."""
        ...

    def cost(self, read: int = 0, sampled: int = 0, learned: int = 0, context: float = 0.0) -> Spend:
        """What that many tokens cost at a mean context length (tokens): the arithmetic of this body."""
        ...

    def bind(self, charge: Charge, stream: Stream = (), folder: Path | None = None) -> "Model":
        """The same model for one run: work billed to `charge`, order of lessons by `stream`, bytes in `folder`."""
        ...

    def keep(self, live: Iterable[Weights]) -> None:
        """Writes the live weights (and their moments) to the folder, atomically, and forgets all others."""
        ...

    def export(self, weights: Weights, folder: Path, form: Literal["hf", "peft"]) -> None:
        """A folder others can load: a whole Hugging Face model, or a peft adapter (InvalidInput if there is none)."""
        ...


class Env(Protocol):
    """A world to act in: pure functions of scenes."""

    @property
    def deterministic(self) -> bool:
        """Whether the same actions always give the same scenes."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest move, in tokens; equal for every method."""
        ...

    def open(self, problem: Problem) -> Scene:
        """The first scene of a problem."""
        ...

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        """The scenes after each action (an assistant message, with its tokens where they are known)."""
        ...


def opens(env: Env, problem: Problem) -> bool:
    """Whether a world can make anything of a question that a model wrote."""
    try:
        env.open(problem)
    except ValueError:
        return False
    return True


class Oracle(Protocol):
    """Where the answers live. Raises Unanswerable for a problem that is not the task's own."""

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts with `right` set."""
        ...

    def reveal(self, problem: Problem) -> Reference:
        """The reference answer, counted apart."""
        ...

    def states(self, problem: Problem, text: str) -> list[Json]:
        """An executor's state after each step of a text; empty where the task has no executor."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a task would not admit an invented problem."""

    reason: str


class Source(Protocol):
    """Where new problems come from, their answers vouched for by the task's own oracle."""

    def families(self) -> tuple[str, ...]:
        """The kinds of problem, in a fixed order."""
        ...

    def generate(self, family: str, level: float, n: int, rng: Rng) -> list[Problem]:
        """New training problems; raises InvalidInput where the task has no generator."""
        ...

    def admit(self, problem: Problem) -> Problem | Refusal:
        """An invented problem the oracle will judge from now on, or why not."""
        ...


class Task(Source, Protocol):
    """What is to be solved."""

    @property
    def name(self) -> str:
        """As the user called it."""
        ...

    @property
    def env(self) -> Env:
        """The world its problems are tried in."""
        ...

    @property
    def oracle(self) -> Oracle:
        """Its judge."""
        ...

    @property
    def offers(self) -> frozenset[str]:
        """What it can do beyond judging, of: reveal, steps, states, generate, admit."""
        ...

    @property
    def measures(self) -> Mapping[str, Callable[[Sequence[Judged]], float]]:
        """Named functions of judged attempts beside the mean score (length, transitions, ...)."""
        ...

    def problems(self, split: Split) -> Sequence[Problem]:
        """The problems of a split, in a fixed order; splits are disjoint by question."""
        ...


Judge: TypeAlias = Callable[[Sequence[Attempt]], list[Verdict]]
Selector: TypeAlias = Callable[[Sequence[Judged]], list[Lesson]]
Recall: TypeAlias = Callable[[Problem], Sequence[Behaviour]]
"""A memory: what it holds for a problem, the most fitting first."""


class Curriculum(Protocol):
    """What to try next."""

    def draw(self, n: int, rng: Rng) -> list[Problem]:
        """The next problems."""
        ...

    def observe(self, problems: Sequence[Problem], values: Sequence[float]) -> Self:
        """The curriculum after what was learned from them."""
        ...
