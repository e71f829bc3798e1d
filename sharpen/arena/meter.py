"""Who spent what: the ledger of a run, and the oracle, world and models that book into it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace

from sharpen.arena.journal import Charged, Entry
from sharpen.core.budget import Budget, Charge, Spend
from sharpen.core.errors import BudgetExhausted
from sharpen.core.ports import Env, Oracle
from sharpen.core.records import Attempt, Json, Judged, Message, Problem, Reference, Scene, Verdict

Clock = Callable[[], float]


class Ledger:
    """Spends by (role, body), the distinct problems whose label was consulted, and the seconds of a clock that stands
    still unless started. What no written round says never happened: work redone after a crash is not work."""

    def __init__(self, budget: Budget | None = None, clock: Clock = time.monotonic) -> None:
        self.budget = budget
        self._clock = clock
        self._spent: dict[tuple[str, str], Charged] = {}
        self._labelled: dict[str, None] = {}
        self._told = 0
        self._seconds = 0.0
        self._since: float | None = None

    def charge(self, role: str, body: str, work: Spend, paid: Spend) -> None:
        """Books a spend; raises BudgetExhausted, having booked nothing, where it would overdraw the budget."""
        self._require(work)
        before = self._spent.get((role, body), Charged(role, body, Spend(), Spend()))
        self._spent[role, body] = Charged(role, body, before.work + work, before.paid + paid)

    def consult(self, problems: Iterable[Problem], verdicts: int = 0, references: int = 0, env_steps: int = 0) -> None:
        """Books that the oracle was asked about problems: each distinct one counts as labelled once in a run."""
        new = {p.id: None for p in problems if p.id not in self._labelled}
        spend = Spend(verdicts=verdicts, references=references, env_steps=env_steps, labelled=len(new))
        self.charge("oracle", "", spend, spend)
        self._labelled |= new

    def _require(self, work: Spend) -> None:
        if self.budget is None:
            return
        used = self.budget.used(self.work() + work, self.seconds)
        if used > self.budget.amount:
            raise BudgetExhausted(
                f"the budget of {self.budget} is used up: the next piece of work would make it {used:g}"
            )

    def require_time(self) -> None:
        """Raises BudgetExhausted where the clock has run past a budget in seconds."""
        self._require(Spend())

    @property
    def seconds(self) -> float:
        """Seconds of the clock while it was running."""
        return self._seconds + (0.0 if self._since is None else self._clock() - self._since)

    def start(self) -> None:
        """Lets the clock run."""
        if self._since is None:
            self._since = self._clock()

    def stop(self) -> None:
        """Stops the clock."""
        self._seconds, self._since = self.seconds, None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The clock stands still: for examinations and for writing down what is not the method's work."""
        running = self._since is not None
        self.stop()
        try:
            yield
        finally:
            if running:
                self.start()

    def work(self) -> Spend:
        """All logical work, without seconds."""
        return sum((charged.work for charged in self._spent.values()), Spend())

    def paid(self) -> Spend:
        """All that was really computed, with the seconds it took."""
        return replace(sum((charged.paid for charged in self._spent.values()), Spend()), seconds=self.seconds)

    def spent(self) -> tuple[Charged, ...]:
        """By (role, body), in the order they first spent."""
        return tuple(self._spent.values())

    def used(self) -> float:
        """The used share of the budget, 0 to 1; 0 without a budget."""
        if self.budget is None:
            return 0.0
        return min(1.0, self.budget.used(self.work(), self.seconds) / self.budget.amount)

    def left(self) -> float:
        """The share of the budget that is left, 1 to 0."""
        return 1.0 - self.used()

    def newly_labelled(self) -> tuple[str, ...]:
        """Ids of the problems whose label was consulted for the first time since this was last asked, in order: what a
        round writes down, so that a long run's rounds stay small."""
        new = tuple(self._labelled)[self._told :]
        self._told = len(self._labelled)
        return new

    def restore(self, rounds: Iterable[Entry]) -> None:
        """Continues where the last of all written rounds ended."""
        for entry in rounds:
            self._labelled |= dict.fromkeys(entry.labelled)
            self._spent = {(charged.role, charged.body): charged for charged in entry.spent}
            self._seconds = entry.seconds
        self._told = len(self._labelled)


def charging(ledger: Ledger, role: str, body: str) -> Charge:
    """What a model of that role is bound to."""

    def charge(work: Spend, paid: Spend) -> None:
        ledger.charge(role, body, work, paid)

    return charge


class MeteredOracle:
    """An oracle whose verdicts, references and states are booked before they are given; it hands every verdict on."""

    def __init__(self, oracle: Oracle, ledger: Ledger, witness: Callable[[Sequence[Judged]], None]) -> None:
        self._oracle, self._ledger, self._witness = oracle, ledger, witness

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Verdicts with `right` set."""
        self._ledger.consult((a.problem for a in attempts), verdicts=len(attempts))
        verdicts = self._oracle.judge(attempts)
        self._witness([Judged(a, v) for a, v in zip(attempts, verdicts, strict=True)])
        return verdicts

    def reveal(self, problem: Problem) -> Reference:
        """The reference answer, counted apart."""
        self._ledger.consult([problem], references=1)
        return self._oracle.reveal(problem)

    def states(self, problem: Problem, text: str) -> list[Json]:
        """An executor's states, each an environment step; the problem counts as labelled."""
        states = self._oracle.states(problem, text)
        self._ledger.consult([problem], env_steps=len(states))
        return states


class MeteredEnv:
    """A world whose steps are booked before they are taken."""

    def __init__(self, env: Env, ledger: Ledger) -> None:
        self._env, self._ledger = env, ledger

    @property
    def deterministic(self) -> bool:
        """Whether the same actions always give the same scenes."""
        return self._env.deterministic

    @property
    def max_tokens(self) -> int:
        """The longest move, in tokens."""
        return self._env.max_tokens

    def open(self, problem: Problem) -> Scene:
        """The first scene of a problem; costs nothing."""
        return self._env.open(problem)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        """The scenes after each action, one environment step each."""
        spend = Spend(env_steps=len(scenes))
        self._ledger.charge("env", "", spend, spend)
        return self._env.step_many(scenes, actions)


def per_problem(spend: Spend, problems: int) -> dict[str, float]:
    """A spend shared out over so many problems: what inference costs for one."""
    return {f.name: getattr(spend, f.name) / problems for f in fields(Spend)}
