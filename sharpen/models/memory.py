"""How much memory learning will take, told before it starts."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from sharpen.core.errors import WontFit
from sharpen.models.body import Body
from sharpen.models.losses import CHUNK

TOKENS = {"cpu": 1024, "cuda": 16384}
"""Padded tokens of a micro-batch where memory allows, by device: on a processor a piece that stays near the cores, so
that any number of threads share the same pieces."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes that learning adds to what is in memory already."""

    weights: int
    gradients: int
    moments: int
    activations: int
    logits: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.moments + self.activations + self.logits


def estimate(body: Body, trained: int, tokens: int) -> Estimate:
    """For that many trained numbers and micro-batches of that many padded tokens, in float32.

    Activations are counted as twice what goes into and comes out of the linear layers: norms, attention and products
    between them keep about as much again.
    """
    linears = [layer for layer in body.module.modules() if isinstance(layer, nn.Linear)]
    wide = sum(layer.in_features + layer.out_features for layer in linears if layer.out_features != body.vocabulary)
    logits = min(CHUNK, tokens * body.vocabulary)
    return Estimate(4 * trained, 4 * trained, 8 * trained, 8 * wide * tokens, 12 * logits)


def available(device: torch.device) -> int:
    """Bytes that can still be had on the device; a container's limit counts."""
    if device.type == "cuda":
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + idle
    known = [_of_machine(), *_of_container()]
    return min(known)


def _of_machine() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_container() -> list[int]:
    limit, current = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if not limit.exists() or not current.exists():
        return []
    text = limit.read_text(encoding="ascii").strip()
    return [int(text) - int(current.read_text(encoding="ascii"))] if text.isdigit() else []


def fitting(body: Body, trained: int, longest: int, free: int) -> int:
    """Padded tokens a micro-batch may have: TOKENS, halved until it fits; raises WontFit where the longest lesson (or
    pair), of `longest` padded tokens, does not fit alone."""
    device = next(body.module.parameters()).device.type
    tokens = TOKENS.get(device, TOKENS["cpu"])
    while tokens > longest and estimate(body, trained, tokens).total > free:
        tokens //= 2
    tokens = max(tokens, longest)
    need = estimate(body, trained, tokens)
    if need.total > free:
        parts = ", ".join(f"{name} {getattr(need, name) / 2**30:.2f}" for name in need.__slots__)
        raise WontFit(
            f"expected learning to fit into {free / 2**30:.2f} GiB, got an estimate of {need.total / 2**30:.2f} GiB "
            f"({parts}) for the longest lesson of {longest} tokens; set training.adapter, leave out the longest "
            "or take a smaller model"
        )
    return tokens
