"""How weights are changed: heads, adapters, the optimiser's settings, and what learning returned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sharpen.core.budget import Spend
from sharpen.core.errors import InvalidInput
from sharpen.core.records import Weights


@dataclass(frozen=True, slots=True)
class Head:
    """Outputs read from hidden states: `outputs` numbers through `depth` hidden layers and a link; `read` is "last" for
    the last token, or the step mark (text) after which it reads."""

    name: str
    outputs: int = 1
    depth: int = 0
    link: Literal["identity", "sigmoid", "tanh"] = "identity"
    read: str = "last"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A low-rank adapter (LoRA, arXiv:2106.09685): rank, alpha (scale = alpha / rank), and the layers it sits on."""

    rank: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise InvalidInput(f"rank must be >= 1, got {self.rank}")


@dataclass(frozen=True, slots=True)
class Training:
    """How to learn; the optimiser is AdamW (arXiv:1711.05101) without weight decay.

    steps      optimiser steps; None: `epochs` over the lessons decide
    batch      lessons per step of the largest term, the others spread over the same steps; groups are never split, and
               micro-batches are found by themselves
    rate       peak learning rate; None: `pace` times what suits the body's width, 1e-4 * 128 / width (ours)
    warmup     steps linearly up to the peak, then the schedule down to `floor` * rate
    position   (steps done, steps in all) of a schedule that spans several calls; None: this call alone
    inherit    moments: the optimiser's state comes with the start's name (the base begins afresh; other weights must
               have been learned with it); afresh: the start's is left behind, but what is learned can be gone on from
    clip       largest norm of the gradient
    """

    steps: int | None = None
    epochs: float = 1.0
    batch: int = 32
    rate: float | None = None
    pace: float = 1.0
    warmup: int = 0
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    floor: float = 0.0
    position: tuple[int, int] | None = None
    inherit: Literal["nothing", "afresh", "moments"] = "nothing"
    adapter: Adapter | None = None
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise InvalidInput(f"steps must be >= 1, got {self.steps}")
        if self.epochs <= 0 or self.batch < 1 or self.pace < 0 or (self.rate or 0) < 0 or self.clip <= 0:
            raise InvalidInput(
                "expected epochs > 0, batch >= 1, rate >= 0, pace >= 0 and clip > 0, "
                f"got {self.epochs}, {self.batch}, {self.rate}, {self.pace} and {self.clip}"
            )

    def at(self, done: int, rounds: int) -> "Training":
        """The same in round `done` of a schedule over `rounds` rounds of `steps` each."""
        if self.steps is None:
            raise InvalidInput("a schedule over rounds needs training.steps, got None; set it")
        return replace(self, position=(done * self.steps, rounds * self.steps))


@dataclass(frozen=True, slots=True)
class Learned:
    """What learning returned: the new name, what it cost, and its metrics (loss, kl, entropy, clipped share, ...)."""

    weights: Weights
    spend: Spend
    metrics: Mapping[str, float]
