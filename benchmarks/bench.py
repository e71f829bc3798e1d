"""What a figure is, and what it is measured with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.alternation import Contender, Contest, Reading, alternate
from benchmarks.ceiling import Rates
from benchmarks.results import Result, Target, spread


@dataclass(frozen=True, slots=True)
class Bench:
    """Where figures are measured.

    runs   counted runs of every contender     quick   tiny sizes: shows that a figure runs, measures nothing
    alone  without peers                       tell    hears the share of a figure that is done, 0 to 1
    """

    device: str
    rates: Rates
    commit: str
    tell: Callable[[float], None]
    runs: int = 5
    quick: bool = False
    alone: bool = False

    def contest(self, contenders: Sequence[Contender]) -> Contest:
        """All in turn, or without the peers."""
        chosen = [contenders[0], *(one for one in contenders[1:] if one.own or not self.alone)]
        return alternate(chosen, self.runs, self.tell)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: how it is measured, roughly how many minutes that takes on two cores, and the matrix products that its
    ceiling needs, as (model, rows)."""

    name: str
    minutes: float
    measure: Callable[[Bench], list[Result]]
    products: tuple[tuple[str, int], ...] = ()
    devices: tuple[str, ...] = ("cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a figure's name, its model and unit, what is read off a run, the ceiling in that unit, and the
    target by the peer's name ("" for all whose weights are ours to the bit)."""

    figure: str
    model: str
    unit: str
    of: Callable[[Reading], float] = lambda reading: reading.rate
    ceiling: float | None = None
    targets: tuple[tuple[str, Target], ...] = ()


def compared(bench: Bench, contest: Contest, contenders: Sequence[Contender], subject: Subject) -> list[Result]:
    """One result for every peer, or one without a peer where there is none."""
    ours = contenders[0].name
    mine = contest.column(ours, subject.of)
    middle = contest.median(ours, subject.of)
    share = middle / subject.ceiling if subject.ceiling else None
    found = []
    for contender in contenders[1:] or (None,):
        theirs = contest.column(contender.name, subject.of) if contender and contender.name in contest.readings else []
        ratios = [a / b for a, b in zip(mine, theirs, strict=False)]
        ratio = median(ratios) if ratios else None
        target = _target(subject, contender)
        found.append(
            Result(
                figure=subject.figure,
                device=bench.device,
                model=subject.model,
                unit=subject.unit,
                ours=middle,
                peer=contest.median(contender.name, subject.of) if contender and theirs else None,
                peer_name=contender.name if contender else None,
                ratio=ratio,
                ceiling=subject.ceiling,
                ceiling_share=share,
                target=str(target) if target else None,
                met=target.met(ratio, share) if target else None,
                spread=spread(ours=mine, peer=theirs, ratio=ratios),
                note=_note(bench, contest, contender),
                command=f"python -m benchmarks --device {bench.device} --figure {subject.figure}",
                commit=bench.commit,
            )
        )
    return found


def _target(subject: Subject, contender: Contender | None) -> Target | None:
    named = dict(subject.targets)
    if contender is None:
        return named.get("")
    return named.get(contender.name, named.get("") if contender.same else None)


def _note(bench: Bench, contest: Contest, contender: Contender | None) -> str:
    if contender is None:
        return ""
    if contender.name in contest.absent:
        return f"absent: {contest.absent[contender.name]}"
    return "left out" if bench.alone and not contender.own else contender.note
