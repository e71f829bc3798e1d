"""One run: a method driven round by round until its budget is used up, each round written down, the last examined."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil, floor, log10
from pathlib import Path
from typing import Literal

from sharpen.arena.deliver import deliver, write_card
from sharpen.arena.estimate import estimate
from sharpen.arena.exam import Exam, Room, bound, difference
from sharpen.arena.journal import Charged, Entry, Journal, number
from sharpen.arena.meter import Ledger, MeteredEnv, MeteredOracle
from sharpen.arena.setup import Openers, Setup, order_of
from sharpen.core.budget import Budget, Spend
from sharpen.core.errors import BudgetExhausted, InvalidInput, SharpenError
from sharpen.core.method import Lab, Round, Seat, weights_in
from sharpen.core.ports import Model
from sharpen.core.records import Json, Judged, Weights

Ended = Literal["finished", "budget", "rounds", "stopped"]
"""Why a run ended: the method was done, the budget used up, the rounds asked for played, or it was interrupted."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is: finished rounds, the used share of its budget, seconds of its clock so far and to come (None
    while unknown), and the last score on dev. One that was over before it was asked for is `kept`."""

    run: str
    doing: Literal["rounds", "exam", "done", "kept"]
    round: int
    used: float
    seconds: float
    remaining: float | None
    dev: float | None


Listener = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Start:
    """What the start scores, before any training; every run of a comparison shares it."""

    test: Exam
    dev: Exam


def examined_start(setup: Setup) -> Start:
    """Examines the start on test and dev."""
    return Start(examined_on_test(setup), setup.room(None).examine(setup.start, "dev", setup.order.dev))


def examined_on_test(setup: Setup) -> Exam:
    """Examines the start on test alone."""
    return setup.room(None).examine(setup.start, "test", setup.order.test)


def play(setup: Setup, journal: Journal, tell: Listener = unheard, start: Start | None = None) -> Mapping[str, Json]:
    """Plays a run to its end, from where its journal stops, and returns what result.json says.

    A run that has ended is not examined again; one that was interrupted goes on, and that second look is counted.
    Raises InvalidInput where the budget does not pay for one round, KeyboardInterrupt where it was stopped before one
    was finished.
    """
    past = journal.result()
    if past is not None and past["ended"] != "stopped":
        used, seconds = 1 - number(past, "spend", "unspent"), number(past, "spend", "seconds")
        tell(Progress(journal.folder.name, "kept", int(number(past, "rounds")), used, seconds, None, None))
        return past
    journal.sign(setup.made)
    run = _Run(setup, journal, tell)
    ended = run.drive()
    last = journal.last_round()
    if last is None:
        if ended == "stopped":
            raise KeyboardInterrupt
        raise _nothing(setup, ended)
    run.say("exam", last)
    deliver(journal, run.cast["model"], last.round.solver)
    result = _accounts(setup, last) | _examined(setup, last, run.room, start) | {"looks": _looks(past), "ended": ended}
    write_card(journal, result)
    journal.write_result(result)
    run.say("done", last)
    return result


def resume(folder: Path, openers: Openers, tell: Listener = unheard) -> Mapping[str, Json]:
    """Plays the run in a folder on to its end; raises InvalidInput where its config or version is not what it was."""
    with Journal.open(folder, openers.allowed) as journal:
        setup = openers.open(order_of(journal.config, openers.methods))
        journal.check_config(setup.facts())
        return play(setup, journal, tell)


def look_again(folder: Path, openers: Openers) -> Mapping[str, Json]:
    """Examines a finished run on test once more, and counts it: a number looked at often is chosen, not measured."""
    with Journal.open(folder, openers.allowed) as journal:
        setup = openers.open(order_of(journal.config, openers.methods))
        journal.check_config(setup.facts())
        past, last = journal.result(), journal.last_round()
        if past is None or last is None:
            raise InvalidInput(f"expected a finished run in {folder}, got one that is not; resume it first")
        room = setup.room(folder / "weights")
        result = dict(past) | _examined(setup, last, room, None) | {"looks": _looks(past)}
        journal.write_result(result)
        return result


class _Run:
    """A run while it is played."""

    def __init__(self, setup: Setup, journal: Journal, tell: Listener) -> None:
        self.setup, self.journal, self.tell = setup, journal, tell
        self.ledger = Ledger(setup.order.budget)
        self.ledger.restore(journal.rounds())
        weights = journal.folder / "weights"
        self.room: Room = setup.room(weights)
        self.cast = bound(setup.cast, self.ledger, setup.order.seed, weights)
        self.witnessed: list[Judged] = []
        self.last = journal.last_round()

    def lab(self) -> Lab:
        """Where the method works, everything metered."""
        task, ledger = self.setup.task, self.ledger
        return Lab(
            Seat(self.cast, MeteredEnv(task.env, ledger), self.setup.order.seed),
            MeteredOracle(task.oracle, ledger, self.witnessed.extend),
            task.problems("train"),
            task.problems("dev"),
            task,
            ledger.left,
        )

    def drive(self) -> Ended:
        """Plays rounds until something ends them; what is written down is whole, whatever that was."""
        state = None if self.last is None else self.last.round.state
        rounds = self.setup.method.start(self.lab(), self.setup.config, state)
        try:
            self.say("rounds", self.last)
            self.ledger.start()
            return self._play(rounds)
        except BudgetExhausted:
            return "budget"
        except KeyboardInterrupt:
            return "stopped"
        finally:
            self.ledger.stop()

    def _play(self, rounds: Iterator[Round]) -> Ended:
        most = self.setup.order.rounds
        while most is None or self.last is None or self.last.number < most:
            done = next(rounds, None)
            if done is None:
                return "finished"
            self.ledger.require_time()
            with self.ledger.paused():
                self._write(done)
        return "rounds"

    def _write(self, done: Round) -> None:
        """Weights first: a round that is written down can be resumed. Those of the round before stay until the next."""
        number = 1 if self.last is None else self.last.number + 1
        before = () if self.last is None else _live(self.last.round)
        _keep(self.cast, (*before, *_live(done)))
        interrupted = False
        try:
            dev = self.room.examine(done.solver, "dev", self.setup.order.dev).score
        except KeyboardInterrupt:
            dev, interrupted = None, True
        ledger = self.ledger
        entry = Entry(number, done, ledger.spent(), ledger.seconds, dev, ledger.newly_labelled())
        self.journal.write_round(entry, tuple(self.witnessed))
        self.witnessed.clear()
        self.last = entry
        self.say("rounds", entry)
        if interrupted:
            raise KeyboardInterrupt

    def say(self, doing: Literal["rounds", "exam", "done"], last: Entry | None) -> None:
        """Tells the listener where the run is."""
        used, seconds = self.ledger.used(), self.ledger.seconds
        remaining = seconds * (1 - used) / used if used > 0 else None
        number, dev = (0, None) if last is None else (last.number, last.dev)
        self.tell(Progress(self.journal.folder.name, doing, number, used, seconds, remaining, dev))


def _live(done: Round) -> tuple[Weights, ...]:
    return weights_in((done.state, done.solver))


def _keep(cast: Mapping[str, Model], live: Sequence[Weights]) -> None:
    for model in {id(model): model for model in cast.values()}.values():
        model.keep([weights for weights in live if weights.body == model.base.body])


def _nothing(setup: Setup, ended: Ended) -> SharpenError:
    """Why there is not one finished round, in a sentence."""
    name, budget = setup.order.method, setup.order.budget
    if ended == "budget":
        need = estimate(setup).first
        return InvalidInput(
            f"the budget of {budget} is too small for one round of {name}, which needs about "
            f"{Budget(_upwards(budget.used(need, need.seconds)), budget.currency)}; give more, or set a smaller round"
        )
    return SharpenError(f"{name} ended without a single round; its run() must yield at least one")


def _upwards(amount: float) -> float:
    """The next number of two digits that is not smaller."""
    unit = 10.0 ** (floor(log10(amount)) - 1) if amount > 0 else 1.0
    return ceil(amount / unit) * unit


def _accounts(setup: Setup, last: Entry) -> dict[str, Json]:
    """What the run was, and what it had cost when its last round was finished."""
    order, work = setup.order, _total(last.spent, "work")
    return {
        "method": order.method,
        "task": order.task,
        "model": order.cast["model"],
        "seed": order.seed,
        "budget": str(order.budget),
        "spend": {
            "work": asdict(work),
            "paid": asdict(_total(last.spent, "paid")),
            "flops": work.flops,
            "seconds": last.seconds,
            "by": [asdict(charged) for charged in last.spent],
            "unspent": max(0.0, 1.0 - order.budget.used(work, last.seconds) / order.budget.amount),
        },
        "rounds": last.number,
    }


def _examined(setup: Setup, last: Entry, room: Room, start: Start | None) -> dict[str, Json]:
    """What the start and the last round's solver score on test."""
    start = start or examined_start(setup)
    after = room.examine(last.round.solver, "test", setup.order.test)
    gained = difference(start.test, after)
    return {
        "exam": {
            "before": start.test.summary(),
            "after": after.summary(),
            "difference": {"mean": gained.mean, "low": gained.low, "high": gained.high, "label": gained.label},
        },
        "scores": {"before": dict(start.test.scores), "after": dict(after.scores)},
        "dev": {"before": start.dev.score, "n": start.dev.n},
    }


def _looks(past: Mapping[str, Json] | None) -> int:
    """How often test will have been looked at for this run, this time included."""
    seen = None if past is None else past["looks"]
    return seen + 1 if isinstance(seen, int) else 1


def _total(spent: Sequence[Charged], kind: Literal["work", "paid"]) -> Spend:
    return sum((charged.work if kind == "work" else charged.paid for charged in spent), Spend())
