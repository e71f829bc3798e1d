"""Runs of the arena on nano, as `sharpen run` would play them, and what an outsider sees of them."""

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.bodies import ours
from benchmarks.policy_gradient import settings
from sharpen.arena.journal import Journal, run_folder
from sharpen.arena.play import Progress, Start, play, unheard
from sharpen.arena.setup import Openers, Order, Setup
from sharpen.core.archive import to_json
from sharpen.core.budget import parse_budget
from sharpen.core.ports import Model
from sharpen.core.records import Json
from sharpen.tasks.open import open_task

PLENTY = parse_budget("1e18flops")
"""A budget that no benchmark uses up."""


def opened(device: str, problems: int, n: int, tokens: int, rounds: int) -> Setup:
    """A run of so many rounds of GRPO that is examined on one problem."""
    own = to_json(settings(problems, n, tokens, batch=64))
    order = Order("grpo", "arithmetic", {"model": "nano"}, PLENTY, 0, _mapping(own), rounds=rounds, dev=1, test=1)
    return Openers(open_task, partial(_model, device)).open(order)


def played(setup: Setup, start: Start, tell: Callable[[Progress], None] = unheard) -> float:
    """Seconds of the whole run in a folder of its own: metered, journalled, examined, delivered."""
    with tempfile.TemporaryDirectory() as folder:
        facts = setup.facts()
        begun = time.perf_counter()
        with Journal.create(run_folder(Path(folder), facts), facts) as journal:
            play(setup, journal, tell, start)
        return time.perf_counter() - begun


def _model(device: str, name: str) -> Model:
    return ours(name, device)


def _mapping(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected settings by name, got {value!r}")
    return value
