"""Runs carried out one after the other, or side by side in processes of which each may die alone."""

import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Protocol

from sharpen.arena.play import Listener, Progress
from sharpen.arena.setup import Openers, Order
from sharpen.core.errors import SharpenError, WorkerDied
from sharpen.core.records import Json


class Errand(Protocol):
    """How an order is carried out; it travels to other processes."""

    @property
    def openers(self) -> Openers:
        """How names become things there."""
        ...

    def carry_out(self, order: Order, tell: Listener) -> Mapping[str, Json]:
        """Plays the order's run and returns its result."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order: a result, or the sentence of a failure, or neither where all was interrupted before."""

    order: Order
    result: Mapping[str, Json] | None = None
    failure: str | None = None


Heed = Callable[[Outcome], None]


def unheeded(_: Outcome) -> None:
    """Whatever comes out, all goes on."""


def carried_out(
    errand: Errand, orders: Sequence[Order], jobs: int, tell: Listener, heed: Heed = unheeded
) -> list[Outcome]:
    """What became of all orders, `jobs` at a time. Every outcome is told to `heed` as it comes; what that raises ends
    all of them at once."""
    if jobs == 1:
        return in_turn(errand, orders, tell, heed)
    return side_by_side(errand, orders, jobs, tell, heed)


def in_turn(errand: Errand, orders: Sequence[Order], tell: Listener, heed: Heed = unheeded) -> list[Outcome]:
    """Carries out orders in this process; one that fails does not keep the others from it, an interruption does."""
    outcomes: list[Outcome] = []
    for order in orders:
        try:
            outcomes.append(Outcome(order, errand.carry_out(order, tell)))
        except SharpenError as failure:
            outcomes.append(Outcome(order, failure=str(failure)))
        except KeyboardInterrupt:
            outcomes.append(Outcome(order))
        heed(outcomes[-1])
        result = outcomes[-1].result
        if outcomes[-1].failure is None and (result is None or result["ended"] == "stopped"):
            break
    return outcomes + [Outcome(order) for order in orders[len(outcomes) :]]


def side_by_side(
    errand: Errand, orders: Sequence[Order], jobs: int, tell: Listener, heed: Heed = unheeded
) -> list[Outcome]:
    """Carries out orders in `jobs` processes. A process that dies costs its own run only, and that can be resumed; an
    interruption is passed on once, and every process then finishes what it can."""
    waiting = deque(enumerate(orders))
    outcomes = [Outcome(order) for order in orders]
    crew: list[_Worker] = [_Worker(errand) for _ in range(min(jobs, len(orders)))]
    try:
        while True:
            for worker in crew:
                if worker.at is None and waiting:
                    worker.begin(*waiting.popleft())
            busy = [worker for worker in crew if worker.at is not None]
            if not busy:
                return outcomes
            try:
                for at in _listen(crew, busy, outcomes, tell, errand):
                    heed(outcomes[at])
            except KeyboardInterrupt:
                waiting.clear()
                for worker in busy:
                    worker.interrupt()
    finally:
        for worker in crew:
            worker.dismiss()


def _listen(
    crew: list["_Worker"], busy: Sequence["_Worker"], outcomes: list[Outcome], tell: Listener, errand: Errand
) -> list[int]:
    """Waits for news of any busy worker, takes in what there is, and says which outcomes came. One that was asked to
    end and is gone without a word was interrupted before it had begun."""
    news, came = wait([worker.connection for worker in busy]), list[int]()
    for worker in [worker for worker in busy if worker.connection in news]:
        at = worker.at
        if at is None:
            continue
        try:
            said = worker.connection.recv()
        except (EOFError, OSError):
            order = outcomes[at].order
            outcomes[at] = Outcome(order, failure=None if worker.ending else str(_died(order, worker.process)))
            worker.dismiss()
            if worker.ending:
                worker.at = None
            else:
                crew[crew.index(worker)] = _Worker(errand)
            came.append(at)
            continue
        if isinstance(said, Progress):
            tell(said)
        else:
            outcomes[at], worker.at = said, None
            came.append(at)
    return came


class _Worker:
    """A process that carries out one order at a time; `at` is the place of the order it is busy with, `ending` whether
    it was asked to end."""

    def __init__(self, errand: Errand) -> None:
        # Never forked from here, which threads of libraries do not survive; a fork server starts clean.
        context = get_context("forkserver") if "forkserver" in get_all_start_methods() else get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, errand), daemon=True)
        self.process.start()
        theirs.close()
        self.at: int | None = None
        self.ending = False

    def begin(self, at: int, order: Order) -> None:
        """Hands over an order."""
        self.at = at
        self.connection.send(order)

    def interrupt(self) -> None:
        """Asks it to end its run with what there is."""
        self.ending = True
        self.process.terminate()

    def dismiss(self) -> None:
        """Ends it: at once where it is busy."""
        self.connection.close()
        if self.at is not None:
            self.process.kill()
        self.process.join()


def _serve(connection: Connection, errand: Errand) -> None:
    """Carries out orders until the other side is gone. Interruptions come from there, as a request to terminate, and
    not from the terminal, which would tell every process of it twice."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        errand.openers.prepare()
        while True:
            order: Order = connection.recv()
            connection.send(_carried_out(connection, errand, order))
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _carried_out(connection: Connection, errand: Errand, order: Order) -> Outcome:
    try:
        return Outcome(order, errand.carry_out(order, connection.send))
    except SharpenError as failure:
        return Outcome(order, failure=str(failure))
    except KeyboardInterrupt:
        return Outcome(order)


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _died(order: Order, process: BaseProcess) -> WorkerDied:
    process.join(timeout=5)
    code = process.exitcode
    how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
    return WorkerDied(
        f"the process of {order.method} seed {order.seed} ended {how} before its run was over; "
        "what it had finished is kept: start again to resume it (if memory ran out, take fewer jobs)"
    )
