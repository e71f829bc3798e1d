"""AdamW (arXiv:1711.05101, no decay) on named tensors: the schedule of its rate, and moments that can be inherited."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from sharpen.core.training import Training


def rate(how: Training, width: int, step: int, steps: int) -> float:
    """The learning rate of a step (from 0) of a call with that many steps, for a body of that width, on the schedule
    that `how.position` places it in: linearly up over `warmup` steps, then down to floor * peak."""
    peak = how.pace * 1e-4 * 128 / width if how.rate is None else how.rate
    done, total = how.position or (0, steps)
    now = done + step
    if now < how.warmup:
        return peak * (now + 1) / how.warmup
    gone = min(1.0, (now - how.warmup) / max(1, total - how.warmup))
    falling = {"constant": 1.0, "linear": 1 - gone, "cosine": (1 + math.cos(math.pi * gone)) / 2}[how.schedule]
    return peak * (falling if how.schedule == "constant" else how.floor + (1 - how.floor) * falling)


class Optimiser:
    """One AdamW over tensors that require gradients."""

    def __init__(self, tensors: Mapping[str, Tensor], how: Training, moments: Mapping[str, Tensor] | None) -> None:
        self._tensors, self._how = dict(tensors), how
        self._adam = torch.optim.AdamW(self._tensors.values(), weight_decay=0.0, fused=True)
        for name, tensor in self._tensors.items():
            mine = {key: moments[f"{name}.{key}"] for key in _MOMENTS if moments and f"{name}.{key}" in moments}
            if mine:
                self._adam.state[tensor] = {key: value.to(tensor.device, copy=True) for key, value in mine.items()}

    def clear(self) -> None:
        """Forgets the gradients."""
        self._adam.zero_grad(set_to_none=True)

    def step(self, at: float) -> float:
        """Clips the gradients and takes a step at that rate; returns the norm before clipping. No step where it is not
        finite."""
        norm = float(torch.nn.utils.clip_grad_norm_(self._tensors.values(), self._how.clip))
        if math.isfinite(norm):
            for group in self._adam.param_groups:
                group["lr"] = at
            self._adam.step()
        return norm

    def moments(self) -> dict[str, Tensor]:
        """The state as named tensors: "<tensor>.<moment>"."""
        named: dict[str, Tensor] = {}
        for name, tensor in self._tensors.items():
            named |= {f"{name}.{key}": value for key, value in self._adam.state.get(tensor, {}).items()}
        return named


_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
