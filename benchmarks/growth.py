"""Cost as work grows: ten times the problems, the attempts, the rounds, beside a tenth of it; memory over rounds."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.alternation import Contender, Reading, clock
from benchmarks.bench import Bench, Figure, Subject, compared
from benchmarks.bodies import ours
from benchmarks.contender import apart, resident
from benchmarks.policy_gradient import settings, unmetered
from benchmarks.results import Result, Target
from benchmarks.rounds import opened, played
from sharpen.arena.play import Progress, examined_start

TIMES = 10
LINEAR = Target(round(1 / 1.15, 2))
"""What a unit of work may cost more when there is ten times as much: 15 %. Less is welcome."""
FLAT = Target(1.05, most=True)
"""What memory may grow by over nine tenths of the rounds: 5 %, an allocator's noise."""
TENTH = "a tenth of the work"


@dataclass(frozen=True, slots=True)
class Load:
    """What one round does: problems, attempts at each, tokens of each at most."""

    problems: int
    n: int
    tokens: int = 48


def measure(name: str, small: Load, large: Load, bench: Bench) -> list[Result]:
    """Attempts a second: sampled, judged and learned from, in one round of the bare loop."""
    if bench.quick:
        small, large = Load(2, 2, 8), Load(4, 2, 8)

    def ready(size: Load) -> Callable[[int], Reading]:
        rounds = unmetered(ours("nano", bench.device), settings(size.problems, size.n, size.tokens, batch=64))

        def run(_: int) -> Reading:
            start = clock(bench.device)
            next(rounds)
            return Reading(size.problems * size.n, clock(bench.device) - start)

        return run

    contenders = [Contender("sharpen", partial(ready, large)), Contender(TENTH, partial(ready, small), own=True)]
    return compared(
        bench, bench.contest(contenders), contenders, Subject(name, "nano", "attempts/s", targets=(("", LINEAR),))
    )


def over_rounds(rounds: int, bench: Bench) -> list[Result]:
    """Rounds a second and memory held, of one run at its end and at a tenth of it."""
    rounds = 1 if bench.quick else rounds
    told = {"device": bench.device, "problems": 2 if bench.quick else 8, "n": 4, "rounds": rounds}
    seen: list[dict[str, Reading]] = []

    def late(_: int) -> Reading:
        seen.append({name: Reading(**reading) for name, reading in apart("growth:run", **told).items()})
        return seen[-1]["whole"]

    def early(_: int) -> Reading:
        return seen[-1]["tenth"]

    contenders = [Contender("sharpen", lambda: late, warm=False), Contender(TENTH, lambda: early, warm=False, own=True)]
    contest = bench.contest(contenders)
    speed = Subject("growth-rounds", "nano", "rounds/s", targets=(("", LINEAR),))
    memory = Subject(
        "growth-rounds", "nano", "MiB held", of=lambda reading: reading.memory / 2**20, targets=(("", FLAT),)
    )
    return compared(bench, contest, contenders, speed) + compared(bench, contest, contenders, memory)


def run(device: str, problems: int, n: int, rounds: int) -> dict[str, Reading]:
    """One run of ten times so many rounds, after one that does not count: what its first tenth took, and the whole."""
    setup = opened(device, problems, n, 48, rounds * TIMES + 1)
    seen: dict[int, tuple[float, int]] = {}

    def look(progress: Progress) -> None:
        if progress.doing == "rounds":
            seen.setdefault(progress.round, (time.perf_counter(), resident()))

    played(setup, examined_start(setup), look)
    begun = seen[1][0]
    return {
        name: Reading(count, seen[1 + count][0] - begun, seen[1 + count][1])
        for name, count in (("tenth", rounds), ("whole", rounds * TIMES))
    }


FIGURES = (
    Figure("growth-problems", 1, partial(measure, "growth-problems", Load(8, 8), Load(80, 8))),
    Figure("growth-attempts", 1, partial(measure, "growth-attempts", Load(8, 8), Load(8, 80))),
    Figure("growth-rounds", 3, partial(over_rounds, 4)),
)
