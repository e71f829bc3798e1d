"""A claim file carried out: every arm with every seed, examined on its own task and on the others it names."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from sharpen.arena import disk
from sharpen.arena.claims import Claims
from sharpen.arena.compare import Errand, shared_start
from sharpen.arena.journal import Journal
from sharpen.arena.play import Listener, Progress, Start, unheard
from sharpen.arena.quantities import metric_in
from sharpen.arena.registry import configured, load, require
from sharpen.arena.settings import PROVENANCE
from sharpen.arena.setup import Openers, Order, Setup
from sharpen.arena.workers import Outcome, in_turn, side_by_side
from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.records import Json


@dataclass(frozen=True, slots=True)
class Replication:
    """The results of every arm, one a seed, in the order of the seeds; what went wrong, by run; whether it was stopped.
    Only a `whole` one can be put on a card."""

    results: Mapping[str, Sequence[Mapping[str, Json]]]
    failures: Mapping[str, str]
    stopped: bool

    @property
    def whole(self) -> bool:
        """Whether there is a result for every arm and seed."""
        return not self.failures and not self.stopped


@dataclass(frozen=True, slots=True)
class ClaimErrand:
    """What it takes to carry out any run of a claim file, here or in another process; starts by task."""

    openers: Openers
    below: Path
    claims: Claims
    starts: Mapping[str, Start]

    def carry_out(self, order: Order, tell: Listener) -> Mapping[str, Json]:
        """Plays the order's run from where it stands, and adds to its result: under `elsewhere` its exams on other
        tasks, under `metrics` the series that claims are made of, under `made` where the run was begun."""
        arm = self.claims.arm_of(order)

        def told(news: Progress) -> None:
            tell(replace(news, run=run_name(arm.name, order.seed)))

        result = Errand(self.openers, self.below, self.starts[order.task]).carry_out(order, told)
        if result["ended"] == "stopped":
            return result
        journal = Journal.read(self.below / str(result["run"]), self.openers.allowed)
        elsewhere = {task: self._examined(order, journal, task) for task in arm.exams}
        config = journal.config
        made = {key: _plain(config.get(key, "")) for key in PROVENANCE}
        return {**result, "elsewhere": elsewhere, "metrics": self._series(arm.name, journal), "made": made}

    def _examined(self, order: Order, journal: Journal, task: str) -> Mapping[str, Json]:
        """What the run delivered, examined on another task beside its start: once, and kept in the run's folder."""
        file = journal.folder / f"exam-{blake2b(repr((task, order.test)).encode(), digest_size=4).hexdigest()}.json"
        if file.exists():
            return _kept(file)
        setup, last = self.openers.open(replace(order, task=task)), journal.last_round()
        if last is None:
            raise InvalidInput(f"expected a finished round in {journal.folder}, got none; start the run anew")
        after = setup.room(journal.folder / "weights").examine(last.round.solver, "test", order.test)
        exams = {"before": self.starts[task].test.summary(), "after": after.summary()}
        found: dict[str, Json] = {"task": task, "exam": exams}
        with disk.in_a_sentence(f"write the exam {file}"):
            disk.replace(file, lambda out: out.write(json.dumps(found, indent=1).encode()))
        return found

    def _series(self, arm: str, journal: Journal) -> dict[str, Json]:
        """The metrics that claims on this arm are made of, round by round; what a round lacks is left out."""
        wanted = [metric_in(claim.of) for claim in self.claims.claims if arm in claim.arms]
        names = [name for name in dict.fromkeys(wanted) if name is not None]
        rounds = [entry.round.metrics for entry in journal.rounds()] if names else []
        return {name: [metrics[name] for metrics in rounds if name in metrics] for name in names}


def replicate(claims: Claims, openers: Openers, below: Path, jobs: int = 1, tell: Listener = unheard) -> Replication:
    """Carries out all runs of a claim file, `jobs` at a time; finished ones are read, and a rerun goes on where this
    one ended. Raises InvalidInput or LacksNeed before anything is spent, where an arm cannot be opened."""
    if jobs < 1:
        raise InvalidInput(f"jobs must be >= 1, got {jobs}")
    starts = {task: shared_start(setup, below) for task, setup in opened(claims, openers).items()}
    errand, orders = ClaimErrand(openers, below, claims, starts), claims.orders()
    outcomes = in_turn(errand, orders, tell) if jobs == 1 else side_by_side(errand, orders, jobs, tell)
    return _replication(claims, outcomes)


def opened(claims: Claims, openers: Openers) -> dict[str, Setup]:
    """Each task that is trained or examined on, opened once with one arm's order; what any arm needs is checked."""
    seed, setups = claims.seeds[0], dict[str, Setup]()
    cast = openers.open(claims.order(claims.arms[0], seed)).cast
    for arm in claims.arms:
        order, method = claims.order(arm, seed), load(arm.method, openers.methods)
        config = configured(method, arm.settings)
        for name in (arm.task, *arm.exams):
            task = setups[name].task if name in setups else openers.task(name)
            require(method, config, cast, task)
            setups.setdefault(name, Setup(replace(order, task=name), method, config, task, cast))
    return setups


def run_name(arm: str, seed: int) -> str:
    """How a run is called while it goes on and where it fails."""
    return f"{arm} seed {seed}"


def _replication(claims: Claims, outcomes: Sequence[Outcome]) -> Replication:
    results: dict[str, list[Mapping[str, Json]]] = {arm.name: [] for arm in claims.arms}
    failures: dict[str, str] = {}
    stopped = False
    for outcome in outcomes:
        arm = claims.arm_of(outcome.order).name
        if outcome.failure is not None:
            failures[run_name(arm, outcome.order.seed)] = outcome.failure
        elif outcome.result is None or outcome.result["ended"] == "stopped":
            stopped = True
        else:
            results[arm].append(outcome.result)
    return Replication(results, failures, stopped)


def _kept(file: Path) -> Mapping[str, Json]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as wrong:
        raise CorruptRecord(f"expected an exam in {file}, got what does not read ({wrong}); delete it") from wrong
    if not isinstance(kept, dict):
        raise CorruptRecord(f"expected an exam in {file}, got {type(kept).__name__}; delete it")
    return kept


def _plain(value: object) -> Json:
    """What TOML gave, as JSON."""
    kept: Json = json.loads(json.dumps(value))
    return kept
