"""What a claim may speak of: the numbers that can be read off a finished run, by name."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from scipy import stats

from sharpen.arena.journal import number
from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.records import Json

OF_EXAMS: Mapping[str, tuple[str, ...]] = {
    "score": ("exam", "after", "score"),
    "answer_flops": ("exam", "after", "inference", "flops"),
    "answer_tokens": ("exam", "after", "inference", "sampled"),
}
"""Numbers of an exam: the score, and what one answer costs in FLOPs and in sampled tokens."""

OF_RUNS: Mapping[str, tuple[str, ...]] = {
    "flops": ("spend", "flops"),
    "seconds": ("spend", "seconds"),
    "verdicts": ("spend", "work", "verdicts"),
    "labelled": ("spend", "work", "labelled"),
}
"""Numbers of a training: work in FLOPs, paid seconds, verdicts asked, distinct problems whose label was consulted."""

GAIN = "gain"
"""The score after less the score before."""

MEASURE = "measure"
"""measure/NAME: a measure of the task's own, at the exam after."""

TRIES = "tries/"
"""Begins the measures that an exam of several tries has beside the task's own."""

SERIES = ("mean", "trend")
"""mean/NAME and trend/NAME: of a metric over the rounds of a run, its mean, and its rank correlation (Spearman's) with
the number of the round, in [-1, 1]; 0 where it never changes."""


def require_quantity(name: str, where: str) -> None:
    """Raises InvalidInput for what no run can tell."""
    kind, sign, rest = name.partition("/")
    if (kind in (MEASURE, *SERIES) and rest) or (not sign and kind in (GAIN, *OF_EXAMS, *OF_RUNS)):
        return
    known = (GAIN, *OF_EXAMS, *OF_RUNS, *(f"{prefix}/NAME" for prefix in (MEASURE, *SERIES)))
    raise InvalidInput(nearest(f"quantity in {where}", name, known))


def of_an_exam(name: str) -> bool:
    """Whether the quantity is one of an exam, so that it can be asked of another task too."""
    return name in (GAIN, *OF_EXAMS) or name.startswith(f"{MEASURE}/")


def measure_in(name: str) -> str | None:
    """The task's measure that a quantity is, if it is one; those of tries are known only once there were several."""
    kind, _, measure = name.partition("/")
    return measure if kind == MEASURE and not measure.startswith(TRIES) else None


def metric_in(name: str) -> str | None:
    """The metric of rounds that a quantity is made of, if it is."""
    kind, _, metric = name.partition("/")
    return metric if kind in SERIES else None


def quantity(result: Mapping[str, Json], name: str, exam: str | None = None) -> float:
    """A quantity of a run from its result; `exam` is the task it was examined on beside its own, whose results stand
    under `elsewhere`, and series of metrics stand under `metrics`. Raises SharpenError where it is not there."""
    kind, _, rest = name.partition("/")
    path = ("elsewhere", exam) if exam is not None else ()
    if kind in SERIES:
        return _of_series(kind, _series(result, rest))
    if kind == MEASURE:
        return number(result, *path, "exam", "after", "measures", rest)
    if name == GAIN:
        return number(result, *path, "exam", "after", "score") - number(result, *path, "exam", "before", "score")
    return number(result, *path, *OF_EXAMS[name]) if name in OF_EXAMS else number(result, *OF_RUNS[name])


def _series(result: Mapping[str, Json], metric: str) -> list[float]:
    kept = result.get("metrics")
    values = kept.get(metric) if isinstance(kept, Mapping) else None
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        logged = result.get("logged")
        known = [str(name) for name in logged] if isinstance(logged, Sequence) and not isinstance(logged, str) else []
        raise InvalidInput(nearest("metric of the rounds", metric, known))
    return [number({metric: value}, metric) for value in values]


def _of_series(kind: str, values: Sequence[float]) -> float:
    if kind == "mean":
        return fmean(values)
    if len(set(values)) == 1:
        return 0.0
    return float(stats.spearmanr(range(len(values)), values).statistic)
