"""The figures of a report: learning curves on dev, held-out score over the cost of an answer, differences as dots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sharpen.view.chart import (
    CHARACTER,
    Axis,
    Frame,
    counts_axis,
    element,
    ink,
    powers_axis,
    scores_axis,
    spread,
    words,
)
from sharpen.view.rows import Row
from sharpen.view.runs import Run

Curve = tuple[tuple[float, float], ...]
GRID = 80


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a figure is drawn, and whether there is room for names beside the lines."""

    kind: str
    width: int
    height: int
    named: bool


WIDE = Shape("wide", 860, 400, True)
NARROW = Shape("narrow", 360, 320, False)


def curve(run: Run) -> Curve:
    """(training FLOPs, score on dev) from the start to the last round that was examined."""
    start = run.outcome.dev_before if run.outcome else None
    before = () if start is None else ((0.0, start),)
    return before + tuple((point.flops, point.dev) for point in run.points if point.dev is not None)


def by_method(runs: Sequence[Run]) -> dict[str, list[Curve]]:
    """The curves of each method's runs, methods in order of first appearance."""
    curves: dict[str, list[Curve]] = {}
    for run in runs:
        found = curves.setdefault(run.method, [])
        if len(line := curve(run)) > 0:
            found.append(line)
    return curves


def middle(curves: Sequence[Curve]) -> tuple[Curve, Curve, Curve]:
    """Mean, lowest and highest of several curves at the same FLOPs, straight between rounds, where all of them are."""
    ends = [line[-1][0] for line in curves]
    grid = np.linspace(max(line[0][0] for line in curves), min(ends), GRID)
    table = np.array([np.interp(grid, [x for x, _ in line], [y for _, y in line]) for line in curves])
    lines = (table.mean(axis=0), table.min(axis=0), table.max(axis=0))
    mean, low, high = (tuple(zip(grid.tolist(), values.tolist(), strict=True)) for values in lines)
    return mean, low, high


def moves(curves: Sequence[Curve]) -> bool:
    """Whether these runs have spent anything that shows: methods that do not train stay at the left edge."""
    return all(line[-1][0] > line[0][0] for line in curves) and bool(curves)


def learning(runs: Sequence[Run], order: Mapping[str, int], shape: Shape) -> str:
    """Score on dev over training FLOPs, a colour a method; "" where no run has been examined on dev."""
    curves = {name: lines for name, lines in by_method(runs).items() if lines}
    points = [point for lines in curves.values() for line in lines for point in line]
    if not points:
        return ""
    longest = max(len(name) for name in curves) * CHARACTER * 13 + 22
    frame = Frame(
        shape.width,
        shape.height,
        counts_axis("training FLOPs", [x for x, _ in points], 6 if shape.named else 3),
        scores_axis("score on dev", [y for _, y in points]),
        right=min(longest, 210.0) if shape.named else 16.0,
    )
    shapes = frame.axes()
    for name, lines in curves.items():
        shapes += _lines(frame, lines, ink(order[name]))
    if shape.named:
        shapes += _names(frame, curves, order)
    return frame.picture(shapes, "Score on dev over training FLOPs, one line a method", shape.kind)


def _lines(frame: Frame, curves: Sequence[Curve], kind: str) -> list[str]:
    if not moves(curves):
        places = [frame.at(*line[-1]) for line in curves]
        level = float(np.mean([y for _, y in places]))
        across = element(
            "line", x1=frame.left, x2=frame.width - frame.right, y1=level, y2=level, class_=f"{kind} still"
        )
        return [across, *(element("circle", cx=x, cy=y, r=3.0, class_=f"{kind} dot") for x, y in places)]
    if len(curves) == 1:
        return [element("path", d=frame.path(curves[0]), class_=f"{kind} mean"), *_dots(frame, curves[0], kind)]
    mean, low, high = middle(curves)
    band = frame.path(low + high[::-1]) + "Z"
    thin = [element("path", d=frame.path(line), class_=f"{kind} thin") for line in curves]
    return [
        element("path", d=band, class_=f"{kind} band"),
        *thin,
        element("path", d=frame.path(mean), class_=f"{kind} mean"),
    ]


def _dots(frame: Frame, line: Curve, kind: str) -> list[str]:
    return [element("circle", cx=x, cy=y, r=2.5, class_=f"{kind} dot") for x, y in (frame.at(*point) for point in line)]


def _names(frame: Frame, curves: Mapping[str, Sequence[Curve]], order: Mapping[str, int]) -> list[str]:
    """Each method's name at the height where its line ends, moved apart where they would touch."""
    ends: list[tuple[float, float]] = []
    for lines in curves.values():
        if moves(lines) and len(lines) > 1:
            ends.append(frame.at(*middle(lines)[0][-1]))
        else:
            level = float(np.mean([frame.up(line[-1][1]) for line in lines]))
            ends.append(
                (frame.across(max(line[-1][0] for line in lines)) if moves(lines) else frame.width - frame.right, level)
            )
    places = spread([y for _, y in ends], 17.0, frame.top, frame.height - frame.bottom)
    edge, drawn = frame.width - frame.right, []
    for name, (x, y), place in zip(curves, ends, places, strict=True):
        lead = f"M{x + 3:.1f},{y:.1f}L{edge + 4:.1f},{y:.1f}L{edge + 12:.1f},{place:.1f}"
        drawn.append(element("path", d=lead, class_=f"{ink(order[name])} lead"))
        drawn.append(words(edge + 15, place + 4.5, name, f"name {ink(order[name])}"))
    return drawn


def costs(rows: Sequence[Row], order: Mapping[str, int], shape: Shape) -> str:
    """Held-out score over FLOPs per answer; the start is where it was before. "" where nothing was computed."""
    if not rows or min(min(row.inference, row.inference_before) for row in rows) <= 0:
        return ""
    heights = [value for row in rows for value in (row.before, row.lowest, row.highest)]
    spent = [value for row in rows for value in (row.inference, row.inference_before)]
    frame = Frame(
        shape.width,
        shape.height,
        powers_axis("FLOPs per answer", spent),
        scores_axis("held-out score", heights),
    )
    shapes = frame.axes()
    start = frame.at(rows[0].inference_before, rows[0].before)
    level = {"y1": start[1], "y2": start[1]}
    shapes.append(element("line", x1=frame.left, x2=frame.width - frame.right, class_="start-level", **level))
    shapes.append(element("circle", cx=start[0], cy=start[1], r=5.0, class_="start-dot"))
    dots = [frame.at(row.inference, row.after) for row in rows]
    for row, (x, y) in zip(rows, dots, strict=True):
        kind = ink(order[row.method])
        if row.highest > row.lowest:
            reach = {"y1": frame.up(row.lowest), "y2": frame.up(row.highest)}
            shapes.append(element("line", x1=x, x2=x, class_=f"{kind} reach", **reach))
        shapes.append(element("circle", cx=x, cy=y, r=6.0, class_=f"{kind} point"))
    if shape.named:
        shapes += _labels(frame, rows, dots, start, order)
    return frame.picture(shapes, "Held-out score over the FLOPs of one answer, one point a method", shape.kind)


def _labels(
    frame: Frame,
    rows: Sequence[Row],
    dots: Sequence[tuple[float, float]],
    start: tuple[float, float],
    order: Mapping[str, int],
) -> list[str]:
    """Names beside the points: points that stand in one column share a column of names beside it."""
    named = [(row.method, f"name {ink(order[row.method])}", place) for row, place in zip(rows, dots, strict=True)]
    named = sorted([*named, ("start", "name muted", start)], key=lambda item: item[2][0])
    columns = [[named[0]]]
    for last, item in pairwise(named):
        if item[2][0] - last[2][0] < 24:
            columns[-1].append(item)
        else:
            columns.append([item])
    drawn = []
    for column in columns:
        widest = max(len(name) for name, _, _ in column) * CHARACTER * 13
        right = max(x for _, _, (x, _) in column)
        left = right + 34 + widest > frame.width
        edge = min(x for _, _, (x, _) in column) - 22 if left else right + 22
        places = spread([y for _, _, (_, y) in column], 17.0, frame.top, frame.height - frame.bottom - 4)
        for (name, kind, (x, y)), place in zip(column, places, strict=True):
            side = -1 if left else 1
            lead = f"M{x + side * 7:.1f},{y:.1f}L{edge - side * 4:.1f},{place:.1f}"
            drawn.append(element("path", d=lead, class_=f"{kind.removeprefix('name ')} lead"))
            drawn.append(words(edge, place + 4.5, name, kind, "end" if left else "start"))
    return drawn


def forest(row: Row, low: float, high: float) -> str:
    """The difference and its interval as a dot and a line on a small axis from low to high, zero marked."""
    axis = Axis("", (low, high), str)
    frame = Frame(120, 22, axis, Axis("", (0.0, 1.0), str), right=6, left=6, top=0, bottom=0)
    gain = row.gain
    shapes = [element("line", x1=frame.across(0), x2=frame.across(0), y1=0, y2=22, class_="zero")]
    kind = "clear" if gain.clear else "unclear"
    if gain.low is not None and gain.high is not None:
        ends = {"x1": frame.across(max(gain.low, low)), "x2": frame.across(min(gain.high, high))}
        shapes.append(element("line", y1=11, y2=11, class_=f"whisker {kind}", **ends))
    shapes.append(element("circle", cx=frame.across(gain.mean), cy=11, r=4.0, class_=f"estimate {kind}"))
    return frame.picture(shapes, f"difference {gain.mean:+.3f}", "forest")
