"""What this machine can do at most, measured now: matrix products at the shapes a model uses, and copies."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch.nn import functional

from benchmarks.alternation import clock
from benchmarks.bodies import folder
from sharpen.models.checkpoint import read_json
from sharpen.models.shape import Shape

FLOAT = 4
"""Bytes of a number."""
DISTINCT = 8
"""Layers with weights of their own, at most: more than the caches hold, as in a real step."""


@dataclass(frozen=True, slots=True)
class Rates:
    """`copy`: bytes read and written a second; `products`: operations a second by (model, rows)."""

    copy: float
    products: Mapping[tuple[str, int], float]

    def least(self, model: str, rows: int, flops: float, moved: float = 0.0) -> float:
        """The fewest seconds for so many operations in products of so many rows, and so many bytes read: whichever
        takes longer. A copy reads and writes, so reading alone is taken at its rate."""
        return max(flops / self.products[model, rows], moved / self.copy)


def shape_of(model: str) -> Shape:
    """The shape of a model, without its weights."""
    return Shape.from_config(read_json(folder(model) / "config.json"))


def moved_by_decoding(shape: Shape, steps: int, contexts: float) -> float:
    """Bytes read at the least: all weights once a step, and the keys and values of the `contexts` tokens that all new
    ones see, summed."""
    weights = shape.matrices + shape.vocabulary * shape.width
    return FLOAT * (steps * weights + contexts * 2 * shape.layers * shape.kv_heads * shape.head_dim)


def copy_rate(device: str, quick: bool = False) -> float:
    """Bytes a second of a copy far larger than the caches, reads and writes counted."""
    size = 2**20 if quick else 2**26 if device == "cpu" else 2**28
    source = torch.ones(size, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    return 2 * FLOAT * size / _fastest(lambda: target.copy_(source), device, quick)


def product_rate(model: str, rows: int, device: str, quick: bool = False) -> float:
    """Operations a second over all matrix products of one pass of `rows` tokens, output head included."""
    shape = shape_of(model)
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    inner = [(shape.width, queries), (shape.width, keys), (shape.width, keys), (queries, shape.width)]
    inner += [(shape.width, shape.hidden), (shape.width, shape.hidden), (shape.hidden, shape.width)]
    layers = min(shape.layers, DISTINCT)
    seconds, flops = 0.0, 0.0
    with torch.inference_mode():
        for count, sizes in ((shape.layers, inner), (1, [(shape.width, shape.vocabulary)])):
            copies = layers if count > 1 else 1
            weights = [[torch.randn(to, of, device=device) for of, to in sizes] for _ in range(copies)]
            inputs = {of: torch.randn(rows, of, device=device) for of, _ in sizes}

            def once(weights: list[list[torch.Tensor]] = weights, inputs: dict[int, torch.Tensor] = inputs) -> None:
                for layer in weights:
                    for weight in layer:
                        functional.linear(inputs[weight.shape[1]], weight)

            seconds += _fastest(once, device, quick) * count / copies
            flops += count * sum(2.0 * rows * of * to for of, to in sizes)
    return flops / seconds


def _fastest(act: Callable[[], object], device: str, quick: bool) -> float:
    """Seconds of the best of many goes: a ceiling is what the machine can do when nothing is in its way."""
    act()
    best, least, end = float("inf"), (2 if quick else 10), time.monotonic() + (0.0 if quick else 2.0)
    goes = 0
    while goes < least or time.monotonic() < end:
        start = clock(device)
        act()
        best = min(best, clock(device) - start)
        goes += 1
    return best
