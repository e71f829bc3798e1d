"""What a person sees while runs go on: bars in a terminal, a plain line now and then in a log."""

from collections.abc import Callable, Iterable, Iterator
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


class Step(Protocol):
    """News of a run: its folder's name, finished rounds, the used share of its budget, seconds of its clock so far and
    to come (None while unknown), and the last score on dev."""

    @property
    def run(self) -> str: ...
    @property
    def doing(self) -> Literal["rounds", "exam", "done"]: ...
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


class Board:
    """Shows the runs under way and how many are done; a context, in which `tell` takes the news."""

    def __init__(self, console: Console, budget: Budget, runs: int) -> None:
        self._console, self._budget, self._runs = console, budget, runs
        self._shares: dict[str, float] = {}
        self._bars: dict[str, TaskID] = {}
        self._began = self._last = console.get_time()
        self._all: TaskID | None = None
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
            if self._runs > 1:
                self._all = self._progress.add_task("all runs", total=1.0, spent=f"0 of {self._runs}", left="", dev="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def tell(self, step: Step) -> None:
        """Takes news of a run."""
        self._shares[step.run] = 1.0 if step.doing == "done" else min(0.99, step.used)
        if self._console.is_terminal:
            self._draw(step)
        now = self._console.get_time()
        if step.doing == "done":
            self._console.print(Text(f"{name_of(step.run)}: {self._summary(step)}"), soft_wrap=True)
        elif not self._console.is_terminal and now - self._last >= SILENCE:
            self._last = now
            left = f", {span(step.remaining)} left" if step.remaining is not None else ""
            self._console.print(
                Text(f"{name_of(step.run)}: {self._state(step)}{left}{self._overall()}"), soft_wrap=True
            )

    def _draw(self, step: Step) -> None:
        if step.run not in self._bars:
            self._bars[step.run] = self._progress.add_task(name_of(step.run), total=1.0, spent="", left="", dev="")
        bar = self._bars[step.run]
        if step.doing == "done":
            self._progress.remove_task(bar)
        else:
            left = "" if step.remaining is None else f"{span(step.remaining)} left"
            self._progress.update(
                bar,
                completed=min(1.0, step.used),
                spent=f"{spent(self._budget, step.used)}, round {step.round}",
                left="being examined" if step.doing == "exam" else left,
                dev="" if step.dev is None else f"dev {score(step.dev)}",
            )
        if self._all is not None:
            done = sum(part == 1.0 for part in self._shares.values())
            self._progress.update(
                self._all,
                completed=self.finished,
                spent=f"{done} of {self._runs}",
                left="" if self.left is None else f"{span(self.left)} left",
            )

    @property
    def finished(self) -> float:
        """The finished share of all runs, each taken to be as long as any other."""
        return sum(self._shares.values()) / self._runs

    @property
    def left(self) -> float | None:
        """Seconds until all runs are done, at the pace so far; None while too little is done to say."""
        if self.finished < 0.02:
            return None
        return (self._console.get_time() - self._began) * (1 - self.finished) / self.finished

    def _state(self, step: Step) -> str:
        dev = "" if step.dev is None else f", dev {score(step.dev)}"
        doing = ", being examined" if step.doing == "exam" else ""
        cost = f"{spent(self._budget, step.used)} ({share(step.used)})"
        return f"round {step.round}, {cost}, {span(step.seconds)}{dev}{doing}"

    def _overall(self) -> str:
        if self._runs == 1:
            return ""
        left = "" if self.left is None else f", {span(self.left)} left in all"
        return f"; {sum(part == 1.0 for part in self._shares.values())} of {self._runs} runs done{left}"

    def _summary(self, step: Step) -> str:
        return "done, " + self._state(step) + self._overall()


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


def name_of(run: str) -> str:
    """The method and seed in the name of a run's folder: <task>--<model>--<method>--<seed>-<hash>; else the name."""
    parts = run.split("--")
    if len(parts) < 4:
        return run
    return f"{parts[-2].replace('-', ':', 1)} seed {parts[-1].rpartition('-')[0]}"
