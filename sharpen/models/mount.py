"""Stored bytes put into a network by pointer, adapters merged into small bodies and hooked onto large ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.records import Weights
from sharpen.core.training import Adapter, Head
from sharpen.models.body import Body
from sharpen.models.heads import PREFIX, Reader, head_tensors, new_head, reader
from sharpen.models.lora import attach, detach, merged
from sharpen.models.store import Fetch, Stored

LARGE = 1_000_000_000
"""Parameters above which a body is never copied whole."""


@dataclass(frozen=True, eq=False)
class Resolved:
    """What a chain of entries amounts to: a full state, the adapters on it from the lowest up, and the heads."""

    state: Mapping[str, Tensor]
    adapters: tuple[tuple[Adapter, Mapping[str, Tensor]], ...]
    heads: Mapping[str, Head]
    tensors: Mapping[str, Tensor]


def resolve(stored: Stored, fetch: Fetch) -> Resolved:
    """Follows a chain down to its full state; the heads are those of its top."""
    adapters: list[tuple[Adapter, Mapping[str, Tensor]]] = []
    link = stored
    while link.of is not None:
        if link.adapter is not None:
            adapters.insert(0, (link.adapter, link.tensors))
        link = fetch(link.of)
    state = {name: tensor for name, tensor in link.tensors.items() if not name.startswith(PREFIX)}
    return Resolved(state, tuple(adapters), stored.heads, head_tensors(stored.tensors))


def whole(stored: Stored, fetch: Fetch) -> dict[str, Tensor]:
    """The full state with every adapter merged, without heads; tensors no adapter touches are shared, not copied."""
    resolved = resolve(stored, fetch)
    state = dict(resolved.state)
    for adapter, tensors in resolved.adapters:
        state = merged(state, adapter, tensors)
    return state


def mount(body: Body, stored: Stored, fetch: Fetch) -> dict[str, Reader]:
    """Makes the body speak with these bytes, and returns its heads ready to use. Mounted already: no work is done."""
    device = next(body.module.parameters()).device
    readers = {name: reader(stored.heads, stored.tensors, name, device) for name in stored.heads}
    if body.module.__dict__.get("_mounted") is stored:
        return readers
    if size(body) > LARGE:
        place_resolved(body, resolve(stored, fetch))
    else:
        place(body, whole(stored, fetch))
    body.module.__dict__["_mounted"] = stored
    return readers


def place_resolved(body: Body, resolved: Resolved) -> None:
    """The full state by pointer, and its adapters as hooks: no copy of anything."""
    place(body, resolved.state)
    for adapter, tensors in resolved.adapters:
        attach(body.module, adapter, tensors)


def place(body: Body, state: Mapping[str, Tensor]) -> None:
    """Points every parameter at the tensor of its name, with no adapter attached and no gradients."""
    body.module.__dict__["_mounted"] = None
    detach(body.module)
    for name, parameter in parameters(body.module).items():
        if name not in state:
            raise CorruptRecord(f"expected a tensor for parameter {name}, got none; these weights are of another body")
        if state[name].shape != parameter.shape:
            raise CorruptRecord(
                f"expected {name} of shape {tuple(parameter.shape)}, got {tuple(state[name].shape)}; "
                "these weights are of another body"
            )
        parameter.requires_grad_(False)
        parameter.grad = None
        parameter.data = state[name].to(parameter.device)


def parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """Every parameter once, under its first name where it is shared."""
    return dict(module.named_parameters())


def full_state(module: nn.Module) -> dict[str, Tensor]:
    """The tensors the network has now, by pointer: what a base is stored as."""
    return {name: parameter.data for name, parameter in parameters(module).items()}


def size(body: Body) -> int:
    """How many parameters the body has, shared ones once."""
    return sum(parameter.numel() for parameter in body.module.parameters())


def with_head(weights: Weights, stored: Stored, head: Head, width: int, key: int) -> Stored:
    """The same weights with one more head, zero at first; raises InvalidInput where they have one of that name."""
    if head.name in stored.heads:
        raise InvalidInput(f"expected a new head's name, got {head.name!r}, which these weights have; choose another")
    tensors = head_tensors(stored.tensors) | new_head(head, width, key)
    return Stored(tensors, of=weights, heads={**stored.heads, head.name: head}, step=stored.step)
