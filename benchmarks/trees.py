"""Tree search: trees a second by MCTS* on nano, 32 grown together beside the same trees one at a time."""

from functools import partial

from benchmarks.alternation import Contender, Reading, clock
from benchmarks.bench import Bench, Figure, Subject, compared
from benchmarks.bodies import ours
from benchmarks.results import Result, Target
from benchmarks.works import sums
from sharpen.core.training import Head
from sharpen.search.mcts import Mcts
from sharpen.search.steps import Ground

ONE = "one tree at a time"


def measure(together: int, alone: int, iterations: int, bench: Bench) -> list[Result]:
    """`together` trees in one search, and `alone` of them one after another. The critic's head has learned nothing:
    that changes where trees grow, and not what an iteration costs."""
    if bench.quick:
        together, alone, iterations = 2, 1, 1
    model, task, how = ours("nano", bench.device), sums(), Mcts(iterations=iterations)
    critic = model.head(model.base, Head("value", link="sigmoid"))
    problems = task.problems("train")[:together]

    def grow(count: int, at_once: int, number: int) -> Reading:
        ground = Ground(
            lambda *path: model.at(model.base, ("benchmark", number, *path)), model.at(critic), model.encoder, task.env
        )
        start = clock(bench.device)
        for first in range(0, count, at_once):
            how.grow(ground, problems[first : first + at_once])
        return Reading(count, clock(bench.device) - start)

    contenders = [
        Contender("sharpen", lambda: partial(grow, together, together)),
        Contender(ONE, lambda: partial(grow, alone, 1), own=True),
    ]
    target = Target(5 if bench.device == "cpu" else 10)
    subject = Subject("tree-search", "nano", "trees/s", targets=(("", target),))
    return compared(bench, bench.contest(contenders), contenders, subject)


FIGURES = (Figure("tree-search", 3, partial(measure, 32, 8, 16)),)
