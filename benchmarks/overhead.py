"""Arena overhead on nano: a whole run (meter, journal, records, delivery) beside the same method's bare loop."""

import time

from benchmarks.alternation import Contender, Reading
from benchmarks.bench import Bench, Figure, Subject, compared
from benchmarks.results import Result, Target
from benchmarks.rounds import opened, played
from sharpen.arena.exam import some
from sharpen.arena.play import examined_start
from sharpen.arena.setup import Setup
from sharpen.core.budget import free
from sharpen.core.judging import judged
from sharpen.core.method import Lab, Seat, Solver
from sharpen.core.streams import Split

BARE = "the bare loop: same rounds and examinations, nothing billed or written"


def measure(bench: Bench) -> list[Result]:
    """The arena's share of a run's time is 1 - ratio."""
    rounds = 2 if bench.quick else 8
    setup = opened(bench.device, 2 if bench.quick else 16, 2 if bench.quick else 8, 48, rounds)
    start = examined_start(setup)

    def arena(_: int) -> Reading:
        return Reading(rounds, played(setup, start))

    def bare(_: int) -> Reading:
        begun = time.perf_counter()
        lab = _lab(setup)
        loop = setup.method.start(lab, setup.config, None)
        for _number in range(rounds):
            done = next(loop)
            _examine(setup, lab, done.solver, "dev")
        _examine(setup, lab, done.solver, "test")
        return Reading(rounds, time.perf_counter() - begun)

    contenders = [Contender("sharpen", lambda: arena), Contender(BARE, lambda: bare, own=True)]
    contest = bench.contest(contenders)
    return compared(bench, contest, contenders, Subject("overhead", "nano", "rounds/s", targets=(("", Target(0.95)),)))


def _lab(setup: Setup) -> Lab:
    """The lab that the arena would make, without its meters; the streams are the same, so the words are too."""
    task, seed = setup.task, setup.order.seed
    cast = {role: model.bind(free, (seed, role)) for role, model in setup.cast.items()}
    return Lab(Seat(cast, task.env, seed), task.oracle, task.problems("train"), task.problems("dev"), task, lambda: 1.0)


def _examine(setup: Setup, lab: Lab, solver: Solver, split: Split) -> None:
    """One problem of a split answered and judged, as the arena's room does it, from weights in memory."""
    attempts = solver.answer(lab.seat, some(setup.task.problems(split), 1))
    judged(attempts, setup.task.oracle.judge)


FIGURES = (Figure("overhead", 3, measure, devices=("cpu",)),)
