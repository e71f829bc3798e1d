"""What the tables and figures show: one row a method, and one line a run on the way to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.view.runs import Gain, Run


@dataclass(frozen=True, slots=True)
class Row:
    """A method, all numbers means over its seeds: held-out score before and after (and of the lowest and highest
    seed), training FLOPs, FLOPs of one answer (and of one before), verdicts, labelled problems, seconds, unspent
    share."""

    method: str
    seeds: int
    before: float
    after: float
    lowest: float
    highest: float
    gain: Gain
    flops: float
    inference: float
    inference_before: float
    verdicts: float
    labelled: float
    seconds: float
    unspent: float


def row_of(runs: Sequence[Run], gain: Gain) -> Row:
    """The row of one method's finished runs."""
    results = [run.finished() for run in runs]
    after = [result.after for result in results]

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    return Row(
        method=runs[0].method,
        seeds=len(runs),
        before=mean([r.before for r in results]),
        after=mean(after),
        lowest=min(after),
        highest=max(after),
        gain=gain,
        flops=mean([r.flops for r in results]),
        inference=mean([r.inference for r in results]),
        inference_before=mean([r.inference_before for r in results]),
        verdicts=mean([r.verdicts for r in results]),
        labelled=mean([r.labelled for r in results]),
        seconds=mean([r.seconds for r in results]),
        unspent=mean([r.unspent for r in results]),
    )


def alone(run: Run) -> Row:
    """The row of one finished run, its interval over the problems it was examined on."""
    return row_of([run], run.finished().gain)


def best(rows: Sequence[Row]) -> Row | None:
    """The row of the highest held-out score after; None without rows."""
    return max(rows, key=lambda row: row.after, default=None)


def under(rows: Sequence[Row]) -> str:
    """One sentence on what the intervals are over, or why there are none."""
    if not rows:
        return "No run has finished yet."
    labels: dict[str, list[str]] = {}
    for row in rows:
        labels.setdefault(row.gain.label, []).append(row.method)
    usual, *others = sorted(labels, key=lambda label: -len(labels[label]))
    apart = "".join(f"; {', '.join(labels[label])}: {label}" for label in others)
    without = any(row.gain.low is None for row in rows)
    said = f"Difference: after less before on the same held-out problems; interval: {usual}{apart}."
    if any(row.gain.p is not None for row in rows):
        said += f" p is adjusted for {len(rows)} methods (Holm)." if len(rows) > 1 else " p is two-sided."
    if without:
        said += " “—”: no interval can be given."
    return said
