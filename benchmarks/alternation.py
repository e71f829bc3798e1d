"""Contenders in turn: each does the same work once a round, so that what the machine does meanwhile hits all alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import torch


@dataclass(frozen=True, slots=True)
class Reading:
    """One run: useful work done (in the figure's unit), the seconds it took, and bytes at the peak where asked."""

    amount: float
    seconds: float
    memory: float = 0.0
    flops: float = 0.0

    @property
    def rate(self) -> float:
        """Work a second."""
        return self.amount / self.seconds


@dataclass(frozen=True, slots=True)
class Contender:
    """Who does the work: `ready` loads what is needed and gives the function of a run's number; both may raise.

    A contender in a process of its own needs no warm-up."""

    name: str
    ready: Callable[[], Callable[[int], Reading]]
    warm: bool = True
    same: bool = True  # the same weights as ours, to the bit
    own: bool = False  # no peer, but another measure of ours
    note: str = ""  # what differs


@dataclass(frozen=True, slots=True)
class Contest:
    """The readings of each contender, ours first, and why the absent ones are."""

    readings: Mapping[str, list[Reading]]
    absent: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str, of: Callable[[Reading], float]) -> list[float]:
        """One number of every run."""
        return [of(reading) for reading in self.readings[name]]

    def median(self, name: str, of: Callable[[Reading], float] = lambda reading: reading.rate) -> float:
        """The middle of all runs."""
        return median(self.column(name, of))


def alternate(contenders: Sequence[Contender], runs: int, tell: Callable[[float], None]) -> Contest:
    """Every contender `runs` times, in turn, after one run that does not count; `tell` hears the share done, 0 to 1.

    The first is ours: what it or another measure of ours raises is raised; a peer that raises is noted and left out.
    """
    needed = {contenders[0].name, *(one.name for one in contenders if one.own)}
    absent: dict[str, str] = {}
    readings: dict[str, list[Reading]] = {}
    perform: dict[str, Callable[[int], Reading]] = {}
    todo = len(contenders) * (runs + 1)

    def attempt(name: str, act: Callable[[], Reading | None]) -> None:
        try:
            reading = act()
        except Exception as error:  # a peer may fail in any way it likes; ours may not
            if name in needed:
                raise
            absent[name] = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            readings.pop(name, None)
        else:
            if reading is not None:
                readings.setdefault(name, []).append(reading)

    done = 0
    for contender in contenders:

        def prepare(who: Contender = contender) -> None:
            perform[who.name] = who.ready()
            if who.warm:
                perform[who.name](0)

        attempt(contender.name, prepare)
        done += 1
        tell(done / todo)
    for number in range(1, runs + 1):
        for contender in contenders:
            name = contender.name
            if name not in absent:
                attempt(name, lambda name=name, number=number: perform[name](number))
            done += 1
            tell(done / todo)
    return Contest(readings, absent)


def clock(device: str) -> float:
    """Seconds, when all that was asked of the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
