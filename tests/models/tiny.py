"""A two-layer decoder of some thousand parameters, its word encoder, and what the tests of learning share."""

import torch
from torch import Tensor

from sharpen.core.budget import Charge, free
from sharpen.core.records import Weights, user
from sharpen.core.tokens import Tokens
from sharpen.models.learner import Learner
from sharpen.models.mount import full_state
from sharpen.models.shape import Shape
from sharpen.models.store import Store, Stored
from sharpen.models.transformer import Decoder
from sharpen.models.words import WordEncoder

ENCODER = WordEncoder(["red", "blue", "cat", "dog"])
CHAT = (user("cat"),)
BODY = "tiny"


def decoder(seed: int = 0, *, width: int = 16, tied: bool = False, context: int = 64) -> Decoder:
    """Random weights, large enough that probabilities are far from uniform."""
    torch.manual_seed(seed)
    body = Decoder(Shape(len(ENCODER), width, 2, 2, 1, width // 2, 2 * width, context, tied=tied))
    with torch.no_grad():
        for parameter in body.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)
    return body.eval()


def says(text: str) -> Tokens:
    """The tokens of a reply, end included."""
    return ENCODER.reply(text)


def desk(
    body: Decoder, store: Store | None = None, charge: Charge = free, stream: tuple[str | int, ...] = ("test",)
) -> tuple[Learner, Store, Weights]:
    """A learner over the body as it stands, its store, and the name of the start."""
    store = store or Store()
    start = store.put("base", BODY, Stored(full_state(body)), given=True)
    return Learner(body, ENCODER, store.get, charge, stream), store, start


def logits(body: Decoder, ids: list[int]) -> Tensor:
    """float32[T, V] of one row."""
    with torch.no_grad():
        return body.unembed(body.hidden(torch.tensor([ids]), torch.tensor([len(ids)])))[0]
