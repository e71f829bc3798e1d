"""Orders on the toy task and the linear model, and how they are opened, here and in other processes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from time import sleep

import torch

from sharpen.arena.compare import Errand
from sharpen.arena.play import Progress, Start, unheard
from sharpen.arena.setup import Openers, Order
from sharpen.core.budget import parse_budget
from sharpen.core.ports import Model
from sharpen.core.records import Json, Problem
from sharpen.core.streams import Split
from sharpen.models.linear import linear_model
from tests.toys import Toy, toy

BUDGET = "6e8flops"
"""Some eight rounds of climb."""


class Hard(Toy):
    """The toy task's problems of the higher level."""

    name = "toy:hard"

    def problems(self, split: Split) -> Sequence[Problem]:
        return [problem for problem in super().problems(split) if problem.level == 2]


def either(name: str) -> Toy:
    """The toy task, or its hard problems alone."""
    return Hard() if name == Hard.name else toy(name)


def linear(name: str) -> Model:
    """The linear model, whatever it is called."""
    return linear_model()


def one_thread() -> None:
    """As many threads as make the same sums everywhere."""
    torch.set_num_threads(1)


CLEAN = get_context("forkserver")
CLEAN.set_forkserver_preload(["tests.arena.workshop"])  # imports once what every process of a test needs
OPENERS = Openers(toy, linear, one_thread, "tests.toy_methods", ("sharpen.", "tests."))
TWO_TASKS = replace(OPENERS, task=either)
REAL = Openers(toy, linear, one_thread)
SMALL: Mapping[str, Mapping[str, Json]] = {
    "bstar": {"rounds": 6, "problems": 8, "probe": 4, "critic": 4, "completions": 2, "temperatures": [0.7, 1.0]},
    "grpo": {"rounds": 8, "problems": 8, "training": {"rate": 3e-3}},
}
"""Real methods, in rounds small enough to be killed in."""


def order(method: str = "climb", budget: str = BUDGET, seed: int = 0, rounds: int | None = None) -> Order:
    """An order with few dev problems."""
    if method in SMALL:
        plenty = parse_budget("1e15flops")
        return Order(method, "toy", {"model": "linear"}, plenty, seed, SMALL[method], rounds=rounds, dev=20)
    return Order(method, "toy", {"model": "linear"}, parse_budget(budget), seed, rounds=rounds, dev=20)


def carried_out(below: Path, placed: Order, start: Start | None = None) -> Mapping[str, Json]:
    """The result of an order."""
    return Errand(_openers(placed.method), below, start).carry_out(placed, unheard)


def run_slowly(below: str, method: str, seed: int) -> None:
    """What a process does that is to be killed: an order, with a little time after each round."""
    one_thread()

    def linger(_: Progress) -> None:
        sleep(0.05)

    Errand(_openers(method), Path(below)).carry_out(order(method, seed=seed), linger)


def _openers(method: str) -> Openers:
    return REAL if method in SMALL else OPENERS
