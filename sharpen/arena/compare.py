"""Methods side by side on one task, model and budget: each run in its own folder, and what it gained over one start."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from sharpen.arena import disk
from sharpen.arena.code import code_digest
from sharpen.arena.exam import Exam
from sharpen.arena.journal import Journal, number, run_folder
from sharpen.arena.play import Listener, Start, examined_on_test, examined_start, play, unheard
from sharpen.arena.registry import configured, load, require
from sharpen.arena.setup import Openers, Order, Setup
from sharpen.arena.statistics import Interval, holm, paired
from sharpen.arena.workers import Outcome, carried_out
from sharpen.core.archive import from_json, to_json
from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.records import Json

RecordT = TypeVar("RecordT")


@dataclass(frozen=True, slots=True)
class Row:
    """One method over its seeds. Means over seeds: held-out score before and after, training FLOPs (work), inference
    FLOPs per problem, verdicts, distinct labelled problems, seconds, finished rounds, and the unspent share of the
    budget. `difference` is the t-interval on after minus before, one a seed; `adjusted` its p-value after Holm."""

    method: str
    seeds: tuple[int, ...]
    before: float
    after: float
    difference: Interval
    adjusted: float | None
    flops: float
    inference_flops: float
    verdicts: float
    labelled: float
    seconds: float
    rounds: float
    unspent: float
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row per method, in the order named, and what went wrong, by run: those seeds are missing in the rows."""

    rows: tuple[Row, ...]
    failures: Mapping[str, str]
    stopped: bool


def compare(
    orders: Sequence[Order], openers: Openers, below: Path, jobs: int = 1, tell: Listener = unheard
) -> Comparison:
    """Carries out all orders, `jobs` at a time; finished ones are read, and a rerun goes on where this one ended.

    Raises InvalidInput or LacksNeed before anything is spent, where an order cannot be opened.
    """
    if jobs < 1 or not orders:
        raise InvalidInput(f"expected at least one order and one job, got {len(orders)} and {jobs}")
    start = shared_start(_checked(orders, openers), below)
    errand = Errand(openers, below, start)
    outcomes = carried_out(errand, orders, jobs, tell)
    failures = {_label(outcome.order): outcome.failure for outcome in outcomes if outcome.failure is not None}
    stopped = any(outcome.result is None and outcome.failure is None for outcome in outcomes)
    return Comparison(rows_of(outcomes), failures, stopped or any(_interrupted(outcome) for outcome in outcomes))


@dataclass(frozen=True, slots=True)
class Errand:
    """What it takes to carry out any order of a comparison, here or in another process."""

    openers: Openers
    below: Path
    start: Start | None = None

    def carry_out(self, order: Order, tell: Listener) -> Mapping[str, Json]:
        """Plays the order's run in its folder, from where it stands, and returns its result."""
        setup = self.openers.open(order)
        facts = setup.facts()
        folder = run_folder(self.below, facts)
        allowed = self.openers.allowed
        known = (folder / "config.toml").exists()
        with closing(Journal.open(folder, allowed) if known else Journal.create(folder, facts, allowed)) as journal:
            journal.check_config(facts)
            return {**play(setup, journal, tell, self.start), "run": folder.name}


def shared_start(setup: Setup, below: Path) -> Start:
    """The start's exams, held once for all runs below a folder and kept there."""
    return _once(Start, setup, below, "start", partial(examined_start, setup))


def shared_test(setup: Setup, below: Path) -> Exam:
    """The start's exam on a task that nothing is trained on, held once and kept likewise."""
    return _once(Exam, setup, below, "test", partial(examined_on_test, setup))


def _once(kind: type[RecordT], setup: Setup, below: Path, name: str, hold: Callable[[], RecordT]) -> RecordT:
    """What was held before for this task, asked in this way, and this model, by the code as it stands; else `hold`."""
    facts = setup.facts()
    which = [facts[fact] for fact in ("task", "asking", "model", "problems", "test", "dev")]
    key = repr([*which, setup.cast["model"].base.id, code_digest()])
    file = below / f"{name}-{blake2b(key.encode(), digest_size=4).hexdigest()}.json"
    if file.exists():
        try:
            return from_json(kind, json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, CorruptRecord) as wrong:
            raise CorruptRecord(
                f"expected the start's exam in {file}, got what does not read ({wrong}); delete it"
            ) from wrong
    held = hold()
    with disk.in_a_sentence(f"write {file}"):
        below.mkdir(parents=True, exist_ok=True)
        disk.replace(file, lambda out: out.write(json.dumps(to_json(held)).encode()))
    return held


def rows_of(outcomes: Iterable[Outcome]) -> tuple[Row, ...]:
    """A row per method from the runs that have a result."""
    by_method: dict[str, list[tuple[Order, Mapping[str, Json]]]] = {}
    for outcome in outcomes:
        if outcome.result is not None:
            by_method.setdefault(outcome.order.method, []).append((outcome.order, outcome.result))
    rows = [_row(method, runs) for method, runs in by_method.items()]
    tested = [row for row in rows if row.difference.p is not None]
    adjusted = dict(zip([r.method for r in tested], holm([r.difference.p or 0.0 for r in tested]), strict=True))
    return tuple(replace(row, adjusted=adjusted.get(row.method)) for row in rows)


def _row(method: str, runs: Sequence[tuple[Order, Mapping[str, Json]]]) -> Row:
    mean = partial(average, [result for _, result in runs])
    gains = [number(r, "exam", "after", "score") - number(r, "exam", "before", "score") for _, r in runs]
    return Row(
        method,
        tuple(order.seed for order, _ in runs),
        mean("exam", "before", "score"),
        mean("exam", "after", "score"),
        paired(gains),
        None,
        mean("spend", "flops"),
        mean("exam", "after", "inference", "flops"),
        mean("spend", "work", "verdicts"),
        mean("spend", "work", "labelled"),
        mean("spend", "seconds"),
        mean("rounds"),
        mean("spend", "unspent"),
        tuple(str(result["run"]) for _, result in runs),
    )


def average(results: Sequence[Mapping[str, Json]], *path: str) -> float:
    """The mean of the numbers at a path of results."""
    return sum(number(result, *path) for result in results) / len(results)


def _checked(orders: Sequence[Order], openers: Openers) -> Setup:
    """The first order, opened; what cannot work of the others is refused too, before anything is spent."""
    for name in ("task", "asking", "cast", "budget", "dev", "test"):
        if any(getattr(order, name) != getattr(orders[0], name) for order in orders):
            raise InvalidInput(f"methods are compared on one {name}, got orders that differ in it; compare them apart")
    first = openers.open(orders[0])
    for order in orders[1:]:
        method = load(order.method, openers.methods)
        require(method, configured(method, order.settings), first.cast, first.task)
    return first


def _label(order: Order) -> str:
    return f"{order.method} seed {order.seed}"


def _interrupted(outcome: Outcome) -> bool:
    return outcome.result is not None and outcome.result["ended"] == "stopped"
