"""What is trained: copies of the start's tensors, or an adapter on them, in place inside the network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Weights
from sharpen.core.training import Adapter, Head, Training
from sharpen.models.body import Body
from sharpen.models.heads import PREFIX, Reader, head_tensors, reader
from sharpen.models.lora import DOWN, UP, adapted, attach, new_adapter
from sharpen.models.mount import LARGE, Resolved, parameters, place, place_resolved, resolve, size, whole
from sharpen.models.store import Fetch, Stored


@dataclass(frozen=True, eq=False)
class Trainee:
    """Tensors being trained, by name, in place in the body; and what stays as it was."""

    trained: Mapping[str, Tensor]
    kept: Mapping[str, Tensor]
    of: Weights | None
    adapter: Adapter | None
    heads: Mapping[str, Head]

    def reader(self, name: str) -> Reader:
        """The head of that name over the tensors being trained."""
        tensors = {**self.kept, **self.trained}
        return reader(self.heads, tensors, name, next(iter(tensors.values())).device)

    def stored(self, moments: Mapping[str, Tensor] | None, step: int) -> Stored:
        """What was learned, without a copy."""
        tensors = {name: tensor.detach() for name, tensor in {**self.kept, **self.trained}.items()}
        return Stored(tensors, self.of, self.adapter, self.heads, moments, step)


def trained_size(body: Body, how: Training) -> int:
    """How many numbers of the body will be trained (heads apart); raises InvalidInput for a copy of a large one."""
    if how.adapter is not None:
        layers = adapted(body.module, how.adapter).values()
        return sum(how.adapter.rank * (layer.in_features + layer.out_features) for layer in layers)
    if size(body) > LARGE:
        raise InvalidInput(
            f"expected an adapter for a body of {size(body) / 1e9:.1f}e9 parameters, got training.adapter = None, "
            "which would copy all of them for every new name; set training.adapter"
        )
    return size(body)


def seated(body: Body, fetch: Fetch, start: Weights, how: Training, heads: Iterable[str], key: int) -> Trainee:
    """Copies what will be trained into the body; `heads` are trained too, `key` seeds a new adapter."""
    stored = fetch(start)
    device = next(body.module.parameters()).device
    kept = {name: tensor.to(device) for name, tensor in head_tensors(stored.tensors).items()}
    prefixes = tuple(f"{PREFIX}{name}." for name in heads)
    trained = {name: kept.pop(name).clone().requires_grad_() for name in list(kept) if name.startswith(prefixes)}
    if how.adapter is None:
        state = whole(stored, fetch)
        place(body, {name: tensor.clone() for name, tensor in state.items()})
        for name, parameter in parameters(body.module).items():
            trained[name] = parameter.requires_grad_()
        return Trainee(trained, kept, None, None, stored.heads)
    tensors, of, below = _adapter(body, fetch, start, stored, how.adapter, key)
    place_resolved(body, below)
    mine = {name: tensor.to(device, copy=True).requires_grad_() for name, tensor in tensors.items()}
    attach(body.module, how.adapter, mine)
    return Trainee(trained | mine, kept, of, how.adapter, stored.heads)


def _adapter(
    body: Body, fetch: Fetch, start: Weights, stored: Stored, adapter: Adapter, key: int
) -> tuple[Mapping[str, Tensor], Weights, Resolved]:
    """The adapter's tensors, what they sit on, and that resolved: the start's own adapter goes on where it has the same
    shape, otherwise a new one is put on top of the start."""
    link = stored
    while link.adapter is None and link.of is not None:
        link = fetch(link.of)
    if link.adapter == adapter and link.of is not None:
        own = {name: tensor for name, tensor in link.tensors.items() if name.endswith((DOWN, UP))}
        return own, link.of, resolve(fetch(link.of), fetch)
    return new_adapter(body.module, adapter, key), start, resolve(stored, fetch)
