"""A model on any OpenAI-compatible server: it can be asked, in chats and raw text, but not taught."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import numpy as np

from sharpen.core.budget import Charge, Spend, free
from sharpen.core.errors import InvalidInput, LacksNeed
from sharpen.core.lessons import Term
from sharpen.core.ports import Encoder
from sharpen.core.records import Chat, Completion, Finish, Piece, Sampling, Weights
from sharpen.core.streams import Stream, stream_key
from sharpen.core.tokens import Floats, Tokens
from sharpen.core.training import Head, Learned, Training
from sharpen.models.server import Refused, Server


@dataclass(frozen=True)
class RemoteModel:
    """The port `Model` over a server. Its tokens are known by their text only, under a tokenizer of the server's name:
    no model here can learn from them by accident; pass the text. It costs tokens and seconds, no operations of ours."""

    model: str
    server: Server
    charge: Charge = free

    @property
    def name(self) -> str:
        """openai:MODEL@URL."""
        return f"openai:{self.model}@{self.server.url}"

    @property
    def base(self) -> Weights:
        """The only weights there are."""
        return Weights("served", self.name)

    @property
    def encoder(self) -> Encoder:
        """Raises LacksNeed: it is on the server."""
        raise self._lacks("its tokenizer")

    @cached_property
    def offers(self) -> frozenset[str]:
        """sample; and logprobs where the server gives them, found out by asking for one token, in a chat or, of a
        server without chats, in raw text. Raises ServerFailed where it answers neither."""
        one = {"model": self.model, "max_tokens": 1}
        chat, raw = one | {"messages": [{"role": "user", "content": "1"}]}, one | {"prompt": "1"}
        # Some servers answer a request for log-probabilities they cannot give with an error of their own.
        briefly = replace(self.server, tries=min(2, self.server.tries))
        for path, asked in (
            ("chat/completions", chat | {"logprobs": True, "top_logprobs": 1}),
            ("completions", raw | {"logprobs": 1}),
            ("completions", raw),
        ):
            with suppress(Refused):
                told = briefly.post(path, [asked])
                return frozenset({"sample", "logprobs"} if _has_logprobs(told[0]["choices"][0]) else {"sample"})
        self.server.post("chat/completions", [chat])
        return frozenset({"sample"})

    def at(self, weights: Weights, stream: Stream = ()) -> "RemotePolicy":
        """The policy on the server; raises InvalidInput for any other weights."""
        if weights != self.base:
            raise InvalidInput(f"expected the weights that {self.name} serves, got {weights.id}; it has no others")
        return RemotePolicy(self, stream)

    def head(self, start: Weights, head: Head) -> Weights:
        """Raises LacksNeed."""
        raise self._lacks("heads")

    def blend(self, shares: Sequence[tuple[Weights, float]]) -> Weights:
        """Raises LacksNeed."""
        raise self._lacks("its weights")

    def learn(self, start: Weights, terms: Sequence[Term], how: Training) -> Learned:
        """Raises LacksNeed."""
        raise self._lacks("learning")

    def cost(self, read: int = 0, sampled: int = 0, learned: int = 0, context: float = 0.0) -> Spend:
        """Tokens; whoever runs the server knows the operations."""
        return Spend(read=read, sampled=sampled)

    def bind(self, charge: Charge, stream: Stream = (), folder: Path | None = None) -> "RemoteModel":
        """The same server, billed to `charge`."""
        return replace(self, charge=charge)

    def keep(self, live: Iterable[Weights]) -> None:
        """Nothing to keep."""

    def export(self, weights: Weights, folder: Path, form: Literal["hf", "peft"]) -> None:
        """Raises InvalidInput: the weights are on the server."""
        raise InvalidInput(f"the weights of {self.name} are on its server: nothing to export here; export the prompt")

    def _lacks(self, what: str) -> LacksNeed:
        return LacksNeed(f"a model on a server can be asked only, and {what} is not to be had from {self.name}")


@dataclass(frozen=True)
class RemotePolicy:
    """The port `Policy` over a server; of its methods only `sample` can be answered."""

    model: RemoteModel
    stream: Stream = ()

    @property
    def weights(self) -> Weights:
        """What the server serves."""
        return self.model.base

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        """[chat][n] completions, one request each. Seeds follow from the stream, the chat, its occurrence and n;
        whether the same seed says the same is the server's affair. Charged on arrival: only then they are counted."""
        # Work done elsewhere cannot be refused half-way; an exhausted budget is noticed before it is asked for.
        self.model.charge(Spend(), Spend())
        asked = [(chat, seed) for chat, seeds in zip(chats, self._seeds(chats, how.n), strict=True) for seed in seeds]
        paths = {"text" if _raw(chat) else "chat" for chat, _ in asked}
        if len(paths) > 1:
            raise InvalidInput("expected chats alone or raw texts alone in one call, got both; ask for them apart")
        path = "completions" if "text" in paths else "chat/completions"
        answers = self.model.server.post(path, [self._body(chat, how, seed) for chat, seed in asked])
        self._bill(answers, how.n)
        said = [_completion(answer, self.model.name) for answer in answers]
        return [said[start : start + how.n] for start in range(0, len(said), how.n)]

    def logprobs(self, chats: Sequence[Chat], said: Sequence[Tokens | str]) -> list[Floats]:
        """Raises LacksNeed: servers give the probabilities of what they sample, not of given words."""
        raise self.model._lacks("the probability of given words")

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        """Raises LacksNeed."""
        raise self.model._lacks("the probability of labels")

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        """Raises LacksNeed."""
        raise self.model._lacks("a head")

    def _seeds(self, chats: Sequence[Chat], n: int) -> list[list[int]]:
        seen: Counter[str] = Counter()
        seeds = []
        for chat in chats:
            words = repr([(message.role, message.text) for message in chat])
            seeds.append([stream_key(*self.stream, words, seen[words], i) % 2**31 for i in range(n)])
            seen[words] += 1
        return seeds

    def _body(self, chat: Chat, how: Sampling, seed: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model.model,
            "max_tokens": how.max_tokens,
            "temperature": how.temperature,
            "top_p": how.top_p,
            "seed": seed,
        }
        if how.stop:
            body["stop"] = list(how.stop)
        wants = "logprobs" in self.model.offers
        if _raw(chat):
            return body | {"prompt": chat[0].text} | ({"logprobs": 1} if wants else {})
        if chat[-1].role == "assistant":
            raise LacksNeed("a server cannot be asked to go on with a begun answer; use a model that runs here")
        messages = [{"role": message.role, "content": message.text} for message in chat]
        return body | {"messages": messages} | ({"logprobs": True, "top_logprobs": 1} if wants else {})

    def _bill(self, answers: Sequence[Mapping[str, Any]], n: int) -> None:
        work, paid = Spend(), Spend()
        for place, answer in enumerate(answers):
            usage = answer.get("usage") or {}
            spend = Spend(read=int(usage.get("prompt_tokens", 0)), sampled=int(usage.get("completion_tokens", 0)))
            paid += spend
            # A prompt is read once per call, however many answers are asked for.
            work += spend if place % n == 0 else replace(spend, read=0)
        self.model.charge(work, paid)


def _raw(chat: Chat) -> bool:
    return len(chat) == 1 and chat[0].role == "text"


def _has_logprobs(choice: Mapping[str, Any]) -> bool:
    told = choice.get("logprobs")
    return bool(told and (told.get("content") or told.get("token_logprobs")))


def _completion(answer: Mapping[str, Any], tokenizer: str) -> Completion:
    """One choice as a completion; a server that says nothing at all has failed at this one."""
    choice = answer["choices"][0]
    text = (choice["message"].get("content") if "message" in choice else choice.get("text")) or ""
    finish = {"stop": Finish.END, "length": Finish.LENGTH}.get(choice.get("finish_reason") or "", Finish.ERROR)
    if not _has_logprobs(choice):
        return Completion(Piece(text), finish)
    told = choice["logprobs"]
    pairs = [(token["token"], token["logprob"]) for token in told["content"]] if told.get("content") else list(
        zip(told["tokens"], told["token_logprobs"], strict=True)
    )  # fmt: skip
    ids = np.array([crc32(token.encode()) & 0x7FFFFFFF for token, _ in pairs], dtype=np.int32)
    logprobs = np.array([0.0 if logprob is None else logprob for _, logprob in pairs], dtype=np.float32)
    return Completion(Piece(text, Tokens(ids, tokenizer), logprobs), finish)
