"""A model on this machine: one body whose tensors are swapped in by name, its encoder, and the store of its weights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import compress
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from sharpen.core.budget import Charge, Spend, free
from sharpen.core.errors import InvalidInput, WontFit
from sharpen.core.lessons import Term
from sharpen.core.records import Chat, Completion, Finish, Piece, Sampling, Weights
from sharpen.core.streams import Stream, stream_key
from sharpen.core.tokens import Floats, Tokens, frozen_floats, frozen_ints
from sharpen.core.training import Head, Learned, Training
from sharpen.models import sampling, scoring
from sharpen.models.body import Body
from sharpen.models.heads import Reader, head_tensors
from sharpen.models.learner import Learner
from sharpen.models.lora import to_peft
from sharpen.models.mount import LARGE, full_state, mount, resolve, size, whole, with_head
from sharpen.models.names import derived_name
from sharpen.models.sampling import Speech
from sharpen.models.store import Store, Stored

OFFERS = frozenset({"sample", "logprobs", "choices", "values", "learn"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a body came from (a folder, or a name on the hub), and how a whole state is written as a folder like it."""

    name: str
    save: Callable[[Path, Mapping[str, Tensor]], None]


@dataclass(frozen=True)
class LocalModel:
    """The port `Model` over a body; `local_model` makes one. Copies for other runs share the body, not the store."""

    name: str
    body: Body
    encoder: Speech
    base: Weights
    store: Store
    origin: Origin | None = None
    charge: Charge = free
    stream: Stream = ()

    @property
    def offers(self) -> frozenset[str]:
        """Everything."""
        return OFFERS

    def at(self, weights: Weights, stream: Stream = ()) -> "LocalPolicy":
        """The policy of these weights; raises InvalidInput for another body's, CorruptRecord for lost bytes."""
        self.fetch(weights)
        return LocalPolicy(self, weights, stream)

    def head(self, start: Weights, head: Head) -> Weights:
        """The start with a new head, zero at first (its hidden layers are drawn by the start and the head alone)."""
        stored = with_head(start, self.fetch(start), head, self.body.width, stream_key("head", start.id, repr(head)))
        return self.store.put(_derived("head", start.id, repr(head)), start.body, stored)

    def blend(self, shares: Sequence[tuple[Weights, float]]) -> Weights:
        """The weighted sum of whole states, adapters merged, and of the heads that all of them have."""
        used = [(weights, share) for weights, share in shares if share != 0]
        if not used:
            raise InvalidInput("expected weights with a share that is not 0, got none; give at least one")
        if len(used) == 1 and used[0][1] == 1:
            return used[0][0]
        if size(self.body) > LARGE:
            raise WontFit(
                f"expected at most {LARGE:.0e} parameters, since a blend copies them all, got {size(self.body):.1e}; "
                "use a smaller model"
            )
        entries = [(self.fetch(weights), share) for weights, share in used]
        common = {
            name: head
            for name, head in entries[0][0].heads.items()
            if all(stored.heads.get(name) == head for stored, _ in entries)
        }
        states = [({**whole(stored, self.fetch), **head_tensors(stored.tensors)}, share) for stored, share in entries]
        names = [name for name in states[0][0] if all(name in state for state, _ in states)]
        with torch.no_grad():
            tensors = {name: _sum([(state[name], share) for state, share in states]) for name in names}
        identity = _derived("blend", *(part for weights, share in used for part in (weights.id, repr(float(share)))))
        return self.store.put(identity, self.base.body, Stored(tensors, heads=common))

    def learn(self, start: Weights, terms: Sequence[Term], how: Training) -> Learned:
        """New weights under a name derived from start, terms, training and stream; without lessons the start again."""
        self.fetch(start)
        learner = Learner(self.body, self.encoder, self.fetch, self.charge, self.stream)
        stored, spend, metrics = learner.learn(start, terms, how)
        name = derived_name(start, terms, how, self.stream)
        learned = start if name == start.id else self.store.put(name, start.body, stored)
        return Learned(learned, spend, metrics)

    def cost(self, read: int = 0, sampled: int = 0, learned: int = 0, context: float = 0.0) -> Spend:
        """Reading unembeds nothing, sampling and learning every token; learning costs three forward passes."""
        flops = self.body.flops
        forward = flops(read, context, 0) + flops(sampled, context, sampled)
        return Spend(read=read, sampled=sampled, learned=learned, flops=forward + 3 * flops(learned, context, learned))

    def bind(self, charge: Charge, stream: Stream = (), folder: Path | None = None) -> "LocalModel":
        """The same model for one run, with a store of its own."""
        store = Store(folder)
        base = store.put(self.base.id, self.base.body, self.store.get(self.base), given=True)
        return replace(self, base=base, store=store, charge=charge, stream=stream)

    def keep(self, live: Iterable[Weights]) -> None:
        """Writes the live weights to the run's folder and forgets all others."""
        self.store.keep(live)

    def export(self, weights: Weights, folder: Path, form: Literal["hf", "peft"]) -> None:
        """A folder others can load; raises InvalidInput where the body or the weights have no such form."""
        if self.origin is None:
            raise InvalidInput(f"{self.name} has no form that others can load; choose a model that came as a folder")
        stored = self.fetch(weights)
        if form == "hf":
            return self.origin.save(folder, whole(stored, self.fetch))
        adapters = resolve(stored, self.fetch).adapters
        if len(adapters) != 1 or not self._sits_on_base(stored):
            raise InvalidInput(
                f"expected weights with one adapter on the base, got {len(adapters)}; export them as hf instead"
            )
        to_peft(folder, *adapters[0], self.origin.name)

    def fetch(self, weights: Weights) -> Stored:
        """The bytes of weights; raises InvalidInput for another body's, CorruptRecord where they are gone."""
        if weights.body != self.base.body:
            raise InvalidInput(
                f"expected weights of {self.base.body}, got weights of {weights.body}; use their own model"
            )
        return self.store.get(weights)

    def ready(self, weights: Weights) -> dict[str, Reader]:
        """Makes the body speak with these weights, and gives their heads."""
        return mount(self.body, self.fetch(weights), self.fetch)

    def _sits_on_base(self, stored: Stored) -> bool:
        while stored.of is not None and stored.of != self.base:
            stored = self.fetch(stored.of)
        return stored.of is not None


@dataclass(frozen=True)
class LocalPolicy:
    """The port `Policy`: one set of weights of a local model, on one stream; nothing is loaded before it is asked. What
    does not fit into the context is neither read nor charged."""

    model: LocalModel
    weights: Weights
    stream: Stream = ()

    def sample(self, chats: Sequence[Chat], how: Sampling) -> list[list[Completion]]:
        """[chat][n] completions; FULL, without a token, for a chat that leaves none room."""
        model = self.model
        model.ready(self.weights)
        fit = self._room(chats)
        asked = list(compress(chats, fit))
        said = iter(sampling.sample(model.body, model.encoder, asked, how, stream=self.stream, charge=model.charge))
        nothing = Piece("", Tokens(frozen_ints([]), model.encoder.fingerprint), frozen_floats([]))
        return [next(said) if fits else [Completion(nothing, Finish.FULL)] * how.n for fits in fit]

    def logprobs(self, chats: Sequence[Chat], said: Sequence[Tokens | str]) -> list[Floats]:
        """[chat] float32[T] nats; raises InvalidInput unless there is one text per chat."""
        model = self.model
        model.ready(self.weights)
        if len(chats) != len(said):
            raise InvalidInput(f"expected one text per chat, got {len(chats)} chats and {len(said)} texts")
        texts = [model.encoder.reply(text) if isinstance(text, str) else text for text in said]
        fit = self._room(chats, [max(1, len(text)) for text in texts])
        asked = list(compress(chats, fit)), list(compress(texts, fit))
        found = iter(scoring.logprobs(model.body, model.encoder, *asked, model.charge))
        return [next(found) if fits else _never(len(text)) for fits, text in zip(fit, texts, strict=True)]

    def choices(self, chats: Sequence[Chat], labels: Sequence[str]) -> list[Floats]:
        """[chat] float32[labels] nats of the full softmax."""
        model = self.model
        model.ready(self.weights)
        fit = self._room(chats)
        asked = list(compress(chats, fit))
        found = iter(scoring.choices(model.body, model.encoder, asked, labels, model.charge))
        return [next(found) if fits else _never(len(labels)) for fits in fit]

    def values(self, chats: Sequence[Chat], head: str = "value") -> list[list[list[float]]]:
        """[chat][read][output]; raises InvalidInput where the weights have no such head."""
        model = self.model
        heads = model.ready(self.weights)
        if head not in heads:
            known = ", ".join(sorted(heads)) or "none"
            raise InvalidInput(
                f"expected a head of these weights ({known}), got {head!r}; make it first with model.head"
            )
        read = heads[head]
        fit = self._room(chats, [0] * len(chats))
        asked = list(compress(chats, fit))
        found = iter(scoring.values(model.body, model.encoder, asked, read, read.head.read, model.charge))
        return [next(found) if fits else [] for fits in fit]

    def _room(self, chats: Sequence[Chat], more: Sequence[int] | None = None) -> list[bool]:
        """[chat] whether so many more tokens fit into the context behind it; one without `more`."""
        encode, most = self.model.encoder.encode, self.model.body.context
        return [len(encode(chat)) + after <= most for chat, after in zip(chats, more or [1] * len(chats), strict=True)]


def local_model(name: str, body: Body, encoder: Speech, origin: Origin | None = None) -> LocalModel:
    """A model over a body as it stands; base and body are named by what the tensors and the tokenizer hold."""
    state = full_state(body.module)
    digest = blake2b(encoder.fingerprint.encode(), digest_size=8)
    for tensor_name, tensor in sorted(state.items()):
        digest.update(f"{tensor_name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    identity = digest.hexdigest()
    store = Store()
    base = store.put(f"base-{identity}", f"{Path(name).name}-{identity}", Stored(state), given=True)
    return LocalModel(name, body, encoder, base, store, origin)


def _never(length: int) -> Floats:
    """What has no room to be said is never said."""
    return frozen_floats(np.full(length, -np.inf, dtype=np.float32))


def _derived(*parts: str) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _sum(shares: Sequence[tuple[Tensor, float]]) -> Tensor:
    total = shares[0][0] * shares[0][1]
    for tensor, share in shares[1:]:
        total.add_(tensor, alpha=share)
    return total
