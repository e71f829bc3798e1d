"""What a run will cost: the method's first rounds on phantoms that charge the real prices, after a small real probe."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
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

PLAYED, PATIENCE = 12, 20.0
"""Rounds that are played: a first one may prepare the others, and what comes every ten rounds is among so many. After
so many seconds no more are begun than two."""
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
    """What the first round costs (work, and seconds at the probe's pace), what each one after it in the mean (the same
    where none follows), how many the budget pays for, what they cost together, what the probe of the model showed, and
    the metrics that the played rounds logged."""

    first: Spend
    later: Spend
    rounds: int | None
    whole: Spend
    probe: Probe
    metrics: tuple[str, ...]


def estimate(setup: Setup) -> Estimate:
    """The cost of a method's rounds and of the whole run, for any method: up to PLAYED rounds are played, and those
    behind them taken to be like the mean of all but the first. What comes later or follows from learning is not seen.
    Raises InvalidInput where there is nothing to play."""
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
    shown = probes[id(setup.cast["model"])]
    witnessed: list[Judged] = []
    lab = Lab(
        Seat(cast, MeteredEnv(setup.task.env, ledger), setup.order.seed),
        MeteredOracle(Coin(setup.task.oracle, _likely(shown)), ledger, witnessed.extend),
        train,
        setup.task.problems("dev"),
        setup.task,
        ledger.left,
    )
    spent, metrics, began = list[Spend](), dict[str, float](), time.monotonic()
    ended: int | None = None
    for round in islice(setup.method.start(lab, setup.config, None), setup.order.rounds or PLAYED):
        seconds = sum(_seconds(phantoms[key].flops, probes[key]) for key in models)
        spent.append(replace(ledger.work(), seconds=seconds))
        metrics |= round.metrics
        late = len(spent) > 1 and time.monotonic() - began > PATIENCE
        if late or len(spent) == PLAYED or setup.order.budget.used(spent[-1], seconds) > setup.order.budget.amount:
            break
    else:
        ended = len(spent)
    if not spent:
        raise InvalidInput(f"{setup.order.method} yields no round; its run() must yield at least one")
    first, after = spent[0], len(spent) - 1
    later = _times(spent[-1] - first, 1 / after) if after else first
    rounds = _rounds(setup, first, later, ended)
    return Estimate(
        first, later, rounds, first + _times(later, rounds - 1) if rounds else Spend(), shown, tuple(metrics)
    )


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
    said = [piece for attempt in attempts for piece in attempt.said if piece.author == "policy"]
    heard = tuple(piece for piece in said if piece.tokens is None or len(piece.tokens))
    if not heard:
        raise InvalidInput(
            f"expected problems that leave room in the context of {model.name}, got none of {len(problems)} that does; "
            "choose shorter ones, or another model"
        )
    return Probe(heard, right, asking, _pace(asked, marks, ledger) if "learn" in model.offers else None)


def _pace(model: Model, marks: Sequence[Judged], ledger: Ledger) -> float:
    """Floating-point operations per second of learning."""
    before, began = ledger.paid().flops, time.monotonic()
    model.learn(model.base, [Term(Imitate(), demonstrations(marks))], Training(steps=STEPS, batch=PROBLEMS))
    return (ledger.paid().flops - before) / max(1e-9, time.monotonic() - began)


def _seconds(flops: dict[Kind, float], paces: Probe) -> float:
    asking = flops["asking"] / paces.asking if paces.asking else 0.0
    return asking + (flops["learning"] / paces.learning if paces.learning else 0.0)


def _rounds(setup: Setup, first: Spend, later: Spend, ended: int | None) -> int | None:
    """Whole rounds inside the budget, and no more than were asked for, or than there were where the run ended by
    itself; None where a round costs nothing that counts."""
    budget, limits = setup.order.budget, [setup.order.rounds, ended]
    once, each = (budget.used(one, one.seconds) for one in (first, later))
    if once > budget.amount:
        return 0
    paid = 1 + floor((budget.amount - once) / each) if each > 0 else None
    return min((limit for limit in (paid, *limits) if limit is not None), default=None)


def _times(one: Spend, often: float) -> Spend:
    """So many of them; what is counted stays whole."""
    products = [(getattr(one, field.name) * often, type(field.default)) for field in fields(Spend)]
    return Spend(*(round(product) if kind is int else product for product, kind in products))
