"""What a person sees while runs go on: bars in a terminal, a plain line now and then in a log."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from sharpen.core.budget import Budget
from sharpen.view.numbers import scientific, score, share, span

T = TypeVar("T")
SILENCE = 5.0
"""Seconds between two lines of a log."""

ENOUGH = 0.02
"""The share of all runs that must be done before the time left is told."""

OVER = ("done", "kept")
ALL = "all runs"


class Step(Protocol):
    """News of a run: its folder's name, finished rounds, the used share of its budget, seconds of its clock so far and
    to come (None while unknown), and the last score on dev. One that was over before this began is `kept`."""

    @property
    def run(self) -> str: ...
    @property
    def doing(self) -> Literal["rounds", "exam", "done", "kept"]: ...
    @property
    def round(self) -> int: ...
    @property
    def used(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def remaining(self) -> float | None: ...
    @property
    def dev(self) -> float | None: ...


@dataclass(slots=True)
class Tally:
    """How far so many runs are: the last news of each that there was news of."""

    runs: int
    news: dict[str, Step] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Runs that are over."""
        return sum(step.doing in OVER for step in self.news.values())

    @property
    def finished(self) -> float:
        """The finished share of all, each taken to be as long as any other."""
        return sum(_finished(step) for step in self.news.values()) / self.runs

    @property
    def played(self) -> float:
        """The share of all that was finished here, not kept from before."""
        return sum(_finished(step) for step in self.news.values() if step.doing != "kept") / self.runs

    @property
    def used(self) -> float:
        """Budgets used: 2.5 where two runs have used theirs and one half of it."""
        return sum(step.used for step in self.news.values())

    @property
    def seconds(self) -> float:
        """Seconds of the clocks of all runs played here."""
        return sum(step.seconds for step in self.news.values() if step.doing != "kept")

    def left(self, seconds: float) -> float | None:
        """Seconds until all is done, where what was played here took so many; None while too little is done to say."""
        return None if self.played < ENOUGH else seconds * (1 - self.finished) / self.played


def _finished(step: Step) -> float:
    return 1.0 if step.doing in OVER else min(0.99, step.used)


class Board:
    """Shows the runs under way and how many are done; a context, in which `tell` takes the news. `arms` says how many
    runs there are of each arm, where runs are called `ARM seed N`: each arm is then counted apart."""

    def __init__(self, console: Console, budget: Budget, runs: int, arms: Mapping[str, int] | None = None) -> None:
        self._console, self._budget = console, budget
        self._all = Tally(runs)
        self._arms = {name: Tally(own) for name, own in (arms or {}).items()}
        self._bars: dict[str, TaskID] = {}
        self._began = self._last = console.get_time()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[spent]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[dev]}"),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
            if self._all.runs > 1:
                self._add(ALL, f"0 of {self._all.runs}")
            for arm, tally in self._arms.items():
                self._add(arm, f"0 of {tally.runs}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def _add(self, name: str, spent: str) -> None:
        self._bars[name] = self._progress.add_task(name, total=1.0, spent=spent, left="", dev="")

    def tell(self, step: Step) -> None:
        """Takes news of a run."""
        arm = self._arms.get(arm_of(step.run))
        for tally in (self._all, arm):
            if tally is not None:
                tally.news[step.run] = step
        if self._console.is_terminal:
            self._draw(step, arm)
        now = self._console.get_time()
        if step.doing == "done":
            self._say(f"{name_of(step.run)}: done, {self._state(step)}{self._of(step, arm)}{self._overall()}")
        elif step.doing != "kept" and not self._console.is_terminal and now - self._last >= SILENCE:
            self._last = now
            left = f", {span(step.remaining)} left" if step.remaining is not None else ""
            self._say(f"{name_of(step.run)}: {self._state(step)}{left}{self._of(step, arm)}{self._overall()}")

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)

    def _draw(self, step: Step, arm: Tally | None) -> None:
        if step.doing in OVER:
            if step.run in self._bars:
                self._progress.remove_task(self._bars.pop(step.run))
        else:
            if step.run not in self._bars:
                self._add(step.run, "")
            left = "" if step.remaining is None else f"{span(step.remaining)} left"
            self._progress.update(
                self._bars[step.run],
                description=f"  {name_of(step.run)}",
                completed=min(1.0, step.used),
                spent=f"{spent(self._budget, step.used)}, round {step.round}",
                left="being examined" if step.doing == "exam" else left,
                dev="" if step.dev is None else f"dev {score(step.dev)}",
            )
        if arm is not None:
            self._count(arm_of(step.run), arm, f", {self._spent(arm)}", arm.left(arm.seconds), "of runs left")
        if ALL in self._bars:
            self._count(ALL, self._all, "", self.left, "left")

    def _count(self, name: str, tally: Tally, more: str, left: float | None, unit: str) -> None:
        self._progress.update(
            self._bars[name],
            completed=tally.finished,
            spent=f"{tally.done} of {tally.runs}{more}",
            left="" if left is None else f"{span(left)} {unit}",
        )

    @property
    def left(self) -> float | None:
        """Seconds until all runs are done, at the pace so far; None while too little is done to say."""
        return self._all.left(self._console.get_time() - self._began)

    def _state(self, step: Step) -> str:
        dev = "" if step.dev is None else f", dev {score(step.dev)}"
        doing = ", being examined" if step.doing == "exam" else ""
        cost = f"{spent(self._budget, step.used)} ({share(step.used)})"
        return f"round {step.round}, {cost}, {span(step.seconds)}{dev}{doing}"

    def _of(self, step: Step, arm: Tally | None) -> str:
        """Where the arm of a run is."""
        if arm is None:
            return ""
        left = arm.left(arm.seconds)
        more = "" if not left else f", {span(left)} of runs left"
        return f"; {arm_of(step.run)}: {arm.done} of {arm.runs}, {self._spent(arm)}{more}"

    def _spent(self, arm: Tally) -> str:
        whole = Budget(self._budget.amount * arm.runs, self._budget.currency)
        return spent(whole, arm.used / arm.runs)

    def _overall(self) -> str:
        if self._all.runs == 1:
            return ""
        left = f", {span(self.left)} left in all" if self.left else ""
        return f"; {self._all.done} of {self._all.runs} runs done{left}"


def followed(console: Console, items: Iterable[T], total: int, told: Callable[[T], str]) -> Iterator[T]:
    """Passes on `total` items that take their time, and shows how many are done, the last in words, and the time left:
    a bar in a terminal, a plain line now and then in a log."""
    began = last = console.get_time()
    with Progress(
        *Progress.get_default_columns(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)
        for done, item in enumerate(items, 1):
            bar.update(task, completed=done, description=told(item))
            now = console.get_time()
            if not console.is_terminal and now - last >= SILENCE:
                last, left = now, (now - began) / done * (total - done)
                console.print(Text(f"{done} of {total}: {told(item)}; {span(left)} left"), soft_wrap=True)
            yield item


def spent(budget: Budget, used: float) -> str:
    """What is spent of a budget, in its own unit: 1.2e12 of 3e12flops."""
    amount = used * budget.amount
    return f"{span(amount) if budget.currency == 'seconds' else scientific(amount)} of {budget}"


def arm_of(run: str) -> str:
    """The arm of a run that is called `ARM seed N`."""
    return run.rpartition(" seed ")[0]


def name_of(run: str) -> str:
    """The method and seed in the name of a run's folder: <task>--<model>--<method>--<seed>-<hash>; else the name."""
    parts = run.split("--")
    if len(parts) < 4:
        return run
    return f"{parts[-2].replace('-', ':', 1)} seed {parts[-1].rpartition('-')[0]}"
