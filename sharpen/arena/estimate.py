"""What a run will cost: the method's first round on phantoms that charge the real prices, after a small real probe."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import floor

from sharpen.arena.meter import Ledger, MeteredEnv, MeteredOracle, charging
from sharpen.arena.phantom import Coin, Kind, Phantom
from sharpen.arena.setup import Setup
from sharpen.core.budget import Spend
from sharpen.core.errors import InvalidInput
from sharpen.core.judging import judged
from sharpen.core.lessons import Term, demonstrations
from sharpen.core.method import Lab, Seat
from sharpen.core.objectives import Imitate
from sharpen.core.ports import Model, Task
from sharpen.core.records import Judged, Piece, Sampling
from sharpen.core.training import Training
from sharpen.sample.rollout import rollout

PROBLEMS, TRIES, STEPS = 8, 4, 2
"""The probe: so many train problems, attempts at each, and optimiser steps on what was said."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a little real work showed: what was said, the share of it that was right, and floating-point operations per
    second of asking and of learning (None where the model did not learn)."""

    heard: tuple[Piece, ...]
    right: float
    asking: float
    learning: float | None

    @property
    def length(self) -> float:
        """The mean length of what was said, in tokens (0 where a server does not give them)."""
        return sum(len(piece.tokens) for piece in self.heard if piece.tokens is not None) / len(self.heard)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one round costs (work, and seconds at the probe's pace), how many the budget pays for, what they cost
    together, what the probe of the model showed, and the metrics that the first round logged."""

    round: Spend
    rounds: int | None
    whole: Spend
    probe: Probe
    metrics: tuple[str, ...]


def estimate(setup: Setup) -> Estimate:
    """The cost of a method's first round and of the whole run, the rounds taken to be alike; for any method."""
    train = setup.task.problems("train")
    if not train:
        raise InvalidInput(f"the task {setup.task.name!r} has no train problems; give it more rows or other shares")
    models = {id(model): model for model in setup.cast.values()}
    probes = {key: probe(model, setup.task) for key, model in models.items()}
    phantoms = {key: Phantom(model, probes[key].heard) for key, model in models.items()}
    ledger = Ledger()
    cast: dict[str, Model] = {
        role: phantoms[id(model)].bind(charging(ledger, role, model.base.body)) for role, model in setup.cast.items()
    }
    first = probes[id(setup.cast["model"])]
    witnessed: list[Judged] = []
    lab = Lab(
        Seat(cast, MeteredEnv(setup.task.env, ledger), setup.order.seed),
        MeteredOracle(Coin(setup.task.oracle, _likely(first)), ledger, witnessed.extend),
        train,
        setup.task.problems("dev"),
        setup.task,
        ledger.left,
    )
    round = next(setup.method.start(lab, setup.config, None), None)
    if round is None:
        raise InvalidInput(f"{setup.order.method} yields no round; its run() must yield at least one")
    seconds = sum(_seconds(phantoms[key].flops, probes[key]) for key in models)
    one = replace(ledger.work(), seconds=seconds)
    rounds = _rounds(setup, one)
    return Estimate(one, rounds, _times(one, rounds or 0), first, tuple(round.metrics))


def _likely(found: Probe) -> float:
    """The share that will be right; none in so few does not mean never (Jeffreys' estimate)."""
    tries = PROBLEMS * TRIES
    return (found.right * tries + 0.5) / (tries + 1)


def probe(model: Model, task: Task) -> Probe:
    """Eight train problems tried four times, and two steps of learning, timed."""
    train = task.problems("train")
    problems = train[:: max(1, len(train) // PROBLEMS)][:PROBLEMS]
    ledger = Ledger()
    asked = model.bind(charging(ledger, "model", model.base.body), ("probe",))
    began = time.monotonic()
    attempts = rollout(
        asked.at(asked.base, ("probe",)), task.env, problems, Sampling(TRIES, max_tokens=task.env.max_tokens)
    )
    asking = ledger.paid().flops / max(1e-9, time.monotonic() - began)
    marks = judged(attempts, task.oracle.judge)
    right = sum(bool(mark.verdict.right) for mark in marks) / len(marks)
    heard = tuple(piece for attempt in attempts for piece in attempt.said if piece.author == "policy")
    return Probe(heard, right, asking, _pace(asked, marks, ledger) if "learn" in model.offers else None)


def _pace(model: Model, marks: Sequence[Judged], ledger: Ledger) -> float:
    """Floating-point operations per second of learning."""
    before, began = ledger.paid().flops, time.monotonic()
    model.learn(model.base, [Term(Imitate(), demonstrations(marks))], Training(steps=STEPS, batch=PROBLEMS))
    return (ledger.paid().flops - before) / max(1e-9, time.monotonic() - began)


def _seconds(flops: dict[Kind, float], paces: Probe) -> float:
    asking = flops["asking"] / paces.asking if paces.asking else 0.0
    return asking + (flops["learning"] / paces.learning if paces.learning else 0.0)


def _rounds(setup: Setup, one: Spend) -> int | None:
    """Whole rounds inside the budget, and no more than were asked for; None where a round costs nothing that counts."""
    budget, most = setup.order.budget, setup.order.rounds
    each = budget.used(one, one.seconds)
    if each <= 0:
        return most
    paid = floor(budget.amount / each)
    return paid if most is None else min(paid, most)


def _times(one: Spend, rounds: int) -> Spend:
    return Spend(*(getattr(one, f.name) * rounds for f in fields(Spend)))
