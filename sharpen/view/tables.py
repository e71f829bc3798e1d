"""The comparison as a table for the terminal: at most 120 columns wide, and in two parts where 80 are all there is."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from sharpen.view.numbers import chance, count, scientific, score, share, signed, span
from sharpen.view.rows import Row, best, under

ROOM = 22
"""Characters for a method's name."""
HEADS = (
    "score\nbefore",
    "\nafter",
    "difference\n[95 % interval]",
    "\np",
    "training\nFLOPs",
    "answer\nFLOPs",
    "\nverdicts",
    "labels\nused",
    "\ntime",
    "\nunspent",
)
SCORES = 4
"""So many of these columns say what was gained; the others say what it cost."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The table and the sentences it needs, as wide as the terminal allows."""

    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        whole = _table(self.rows, 0, len(HEADS))
        if Measurement.get(console, options.update(max_width=1000), whole).maximum <= options.max_width:
            yield whole
        else:
            yield _table(self.rows, 0, SCORES)
            yield Text("")
            yield _table(self.rows, SCORES, len(HEADS))
        yield Text("")
        yield Text(_legend(self.rows), "dim")


def comparison(rows: Sequence[Row]) -> Compared:
    """The table and the sentences it needs; the best score and differences clear of zero are marked."""
    return Compared(rows)


def _table(rows: Sequence[Row], first: int, last: int) -> Table:
    """The methods and the columns from one to before another."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    table.add_column("\nmethod", overflow="fold", max_width=ROOM, min_width=8)
    for head in HEADS[first:last]:
        table.add_column(head, justify="right", no_wrap=True)
    leader = best(rows)
    for row in rows:
        name = Text(_folded(row.method), "bold" if row is leader else "")
        table.add_row(name, *_cells(row, row is leader)[first:last])
    return table


def _folded(method: str) -> str:
    """A long name on two lines, its variant on the second."""
    return method if len(method) <= ROOM else method.replace(":", ":\n  ", 1)


def _cells(row: Row, leads: bool) -> list[Text]:
    return [
        Text(score(row.before)),
        Text(score(row.after), "bold green" if leads else ""),
        interval(row),
        Text(chance(row.gain.p)),
        Text(scientific(row.flops)),
        Text(scientific(row.inference)),
        Text(count(row.verdicts)),
        Text(count(row.labelled)),
        Text(span(row.seconds)),
        Text(share(row.unspent)),
    ]


def interval(row: Row) -> Text:
    """+0.213 [+0.150, +0.276] *; the star and the colour say that it excludes zero."""
    gain = row.gain
    bounds = "—" if gain.low is None or gain.high is None else f"[{signed(gain.low)}, {signed(gain.high)}]"
    colour = ("green" if gain.mean > 0 else "red") if gain.clear else ""
    return Text(f"{signed(gain.mean)} {bounds} {'*' if gain.clear else ' '}", colour)


def _legend(rows: Sequence[Row]) -> str:
    seeds = sorted({row.seeds for row in rows})
    means = "" if seeds in ([], [1]) else " Numbers are means over seeds."
    star = " *: the interval excludes zero." if any(row.gain.clear for row in rows) else ""
    return under(rows) + star + means
