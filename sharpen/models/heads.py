"""Outputs read from hidden states: their tensors, named inside the weights they come with, and how they are read."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.training import Head

PREFIX = "heads."


@dataclass(frozen=True, eq=False)
class Reader:
    """A head with its tensors: hidden layers [D, D] with GELU between them, then the last layer [outputs, D]."""

    head: Head
    layers: tuple[tuple[Tensor, Tensor], ...]

    def raw(self, hidden: Tensor) -> Tensor:
        """float32[..., outputs] before the link, of float32[..., D] hidden states."""
        for weight, bias in self.layers[:-1]:
            hidden = functional.gelu(functional.linear(hidden, weight, bias))
        return functional.linear(hidden, *self.layers[-1])

    def __call__(self, hidden: Tensor) -> Tensor:
        """float32[..., outputs] after the link, of float32[..., D] hidden states."""
        outputs = self.raw(hidden)
        if self.head.link == "sigmoid":
            return outputs.sigmoid()
        return outputs.tanh() if self.head.link == "tanh" else outputs


def new_head(head: Head, width: int, key: int) -> dict[str, Tensor]:
    """Tensors of a head on states of `width`: hidden layers drawn from the generator of `key`, the last layer zero."""
    dice = torch.Generator().manual_seed(key % 2**63)
    tensors: dict[str, Tensor] = {}
    for layer in range(head.depth + 1):
        rows = head.outputs if layer == head.depth else width
        weight = torch.zeros(rows, width)
        if layer < head.depth:
            weight.normal_(std=width**-0.5, generator=dice)
        tensors[f"{PREFIX}{head.name}.{layer}.weight"] = weight
        tensors[f"{PREFIX}{head.name}.{layer}.bias"] = torch.zeros(rows)
    return tensors


def reader(heads: Mapping[str, Head], tensors: Mapping[str, Tensor], name: str, device: torch.device) -> Reader:
    """The head of that name, ready to use; raises InvalidInput where the weights have none."""
    if name not in heads:
        raise InvalidInput(f"{nearest('head', name, heads)}; make one first with model.head(weights, Head({name!r}))")
    prefix = f"{PREFIX}{name}."
    layers = tuple(
        (tensors[f"{prefix}{layer}.weight"].to(device), tensors[f"{prefix}{layer}.bias"].to(device))
        for layer in range(heads[name].depth + 1)
    )
    return Reader(heads[name], layers)


def head_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of the tensors that belong to heads."""
    return {name: tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
