"""A claim file carried out: every arm with every seed, examined on its own task and on the others it names."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from sharpen.arena import disk
from sharpen.arena.claims import Claims
from sharpen.arena.code import Made, made_by
from sharpen.arena.compare import Errand, shared_start, shared_test
from sharpen.arena.exam import Exam
from sharpen.arena.findings import require_numbers
from sharpen.arena.journal import Journal
from sharpen.arena.play import Listener, Progress, Start, unheard
from sharpen.arena.quantities import measure_in, metric_in
from sharpen.arena.registry import configured, load, require
from sharpen.arena.setup import Openers, Order, Setup, problems_fingerprint
from sharpen.arena.workers import Outcome, carried_out
from sharpen.core.archive import to_json
from sharpen.core.errors import CorruptRecord, InvalidInput, nearest
from sharpen.core.ports import Model, Task
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
class Elsewhere:
    """A task that runs are examined on besides their own: the fingerprint of its problems, and the start's exam."""

    problems: str
    before: Exam


@dataclass(frozen=True, slots=True)
class ClaimErrand:
    """What it takes to carry out any run of a claim file, here or in another process; by task, the starts of runs and
    what they are examined on besides."""

    openers: Openers
    below: Path
    claims: Claims
    starts: Mapping[str, Start]
    exams: Mapping[str, Elsewhere]

    def carry_out(self, order: Order, tell: Listener) -> Mapping[str, Json]:
        """Plays the order's run from where it stands, and adds to its result: under `elsewhere` its exams on other
        tasks, under `metrics` the series that claims are made of and under `logged` the names of all there are, under
        `made` all code that had a part in it, under `machine` where it was begun."""
        arm = self.claims.arm_of(order)

        def told(news: Progress) -> None:
            tell(replace(news, run=run_name(arm.name, order.seed)))

        result = Errand(self.openers, self.below, self.starts[order.task]).carry_out(order, told)
        if result["ended"] == "stopped":
            return result
        journal = Journal.read(self.below / str(result["run"]), self.openers.allowed)
        elsewhere = {task: self._examined(order, journal, task) for task in arm.exams}
        made: list[Json] = [to_json(one) for one in journal.made()]
        made += [one for exam in elsewhere.values() if (one := exam["made"]) not in made]
        machine = _plain(journal.config.get("machine", {}))
        return {**result, "elsewhere": elsewhere, **self._logged(arm.name, journal), "made": made, "machine": machine}

    def _examined(self, order: Order, journal: Journal, task: str) -> Mapping[str, Json]:
        """What the run delivered, examined on another task beside its start: once by the same code, and kept in the
        run's folder."""
        made, there = self._made(order), self.exams[task]
        key = repr((task, order.test, there.problems, made.code))
        file = journal.folder / f"exam-{blake2b(key.encode(), digest_size=4).hexdigest()}.json"
        if file.exists():
            return _kept(file)
        setup, last = self.openers.open_for_exam(replace(order, task=task)), journal.last_round()
        if last is None:
            raise InvalidInput(f"expected a finished round in {journal.folder}, got none; start the run anew")
        after = setup.room(journal.folder / "weights").examine(last.round.solver, "test", order.test)
        exams = {"before": there.before.summary(), "after": after.summary()}
        found: dict[str, Json] = {"task": task, "exam": exams, "made": to_json(made)}
        with disk.in_a_sentence(f"write the exam {file}"):
            disk.replace(file, lambda out: out.write(json.dumps(found, indent=1).encode()))
        return found

    def _made(self, order: Order) -> Made:
        """The code that carries it out here."""
        return made_by(load(order.method, self.openers.methods).run.__module__)

    def _logged(self, arm: str, journal: Journal) -> dict[str, Json]:
        """The metrics that claims on this arm are made of, round by round, what a round lacks left out; and the names
        of all that were logged."""
        wanted = [metric_in(claim.of) for claim in self.claims.claims if arm in claim.arms]
        names = [name for name in dict.fromkeys(wanted) if name is not None]
        rounds = [entry.round.metrics for entry in journal.rounds()] if names else []
        series: dict[str, Json] = {name: [metrics[name] for metrics in rounds if name in metrics] for name in names}
        return {"metrics": series, "logged": sorted({name for metrics in rounds for name in metrics})}


def replicate(claims: Claims, openers: Openers, below: Path, jobs: int = 1, tell: Listener = unheard) -> Replication:
    """Carries out all runs of a claim file, `jobs` at a time; finished ones are read, and a rerun goes on where this
    one ended. Raises InvalidInput or LacksNeed before anything is spent, where an arm cannot be opened; and
    InvalidInput at the first finished run that does not tell what a claim asks of its arm: no other is then begun."""
    if jobs < 1:
        raise InvalidInput(f"jobs must be >= 1, got {jobs}")
    setups = opened(claims, openers)
    trained, examined = {arm.task for arm in claims.arms}, {task for arm in claims.arms for task in arm.exams}
    starts = {task: shared_start(setup, below) for task, setup in setups.items() if task in trained}
    tests = {task: shared_test(setup, below) for task, setup in setups.items() if task in examined - trained}
    tests |= {task: starts[task].test for task in examined & trained}
    exams = {task: Elsewhere(problems_fingerprint(setups[task].task), test) for task, test in tests.items()}

    def heed(outcome: Outcome) -> None:
        if outcome.result is not None and outcome.result["ended"] != "stopped":
            require_numbers(claims, claims.arm_of(outcome.order).name, outcome.result)

    errand = ClaimErrand(openers, below, claims, starts, exams)
    return _replication(claims, carried_out(errand, claims.orders(), jobs, tell, heed))


def opened(claims: Claims, openers: Openers) -> dict[str, Setup]:
    """Each task that is trained or examined on, opened once with one arm's order. What an arm needs is asked of the
    task it trains on alone: another only poses problems. Measures that claims speak of are asked of their tasks."""
    seed, setups, models = claims.seeds[0], dict[str, Setup](), dict[str, Model]()
    for arm in claims.arms:
        order, method = claims.order(arm, seed), load(arm.method, openers.methods)
        config = configured(method, arm.settings)
        models |= {name: openers.model(name) for name in order.cast.values() if name not in models}
        cast = {role: models[name] for role, name in order.cast.items()}
        for name in (arm.task, *arm.exams):
            task = setups[name].task if name in setups else openers.task(name)
            if name == arm.task:
                require(method, config, cast, task)
            setups.setdefault(name, Setup(replace(order, task=name), method, config, task, cast))
        for claim in claims.claims:
            measure = measure_in(claim.of)
            if arm.name in claim.arms and measure is not None:
                _require_measure(measure, setups[claim.exam or arm.task].task, claim.id)
    return setups


def _require_measure(name: str, task: Task, claim: str) -> None:
    if name not in task.measures:
        raise InvalidInput(nearest(f"measure of {task.name} in claim {claim}:", name, task.measures))


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
