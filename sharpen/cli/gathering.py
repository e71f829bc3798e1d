"""Finished runs brought together: their tables, their reports, and the result of one alone."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from json import dumps
from pathlib import Path

from rich.text import Text

from sharpen.arena.compare import Row as Compared
from sharpen.arena.compare import rows_of
from sharpen.arena.journal import Journal, runs_below
from sharpen.arena.setup import order_of
from sharpen.arena.workers import Outcome
from sharpen.cli.sentences import out, said
from sharpen.cli.wish import ASKING, ROLES
from sharpen.core.errors import CorruptRecord, InvalidInput, SharpenError
from sharpen.view.report import write_report
from sharpen.view.rows import Row, alone, row_of
from sharpen.view.runs import Facts, Gain, Run, read_run
from sharpen.view.tables import comparison

SETTING = ("task", "model", "cast", "asking", "budget", "rounds", "dev", "test", "problems", "weights")
"""What runs must have in common to stand in one table."""


def view_folder(folder: Path) -> None:
    """A table and a report for each setting that runs below a folder have in common; raises SharpenError in the end
    where some of them do not read, each of which is said."""
    paths, runs = runs_below(folder), []
    for path in paths:
        try:
            runs.append(read_run(path))
        except CorruptRecord as unreadable:
            said(str(unreadable))
    if not paths:
        raise InvalidInput(f"expected a folder with runs in it, got {folder}; sharpen run and compare make them")
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(dumps([run.config.get(key) for key in SETTING], sort_keys=True, default=str), []).append(run)
    for number, members in enumerate(groups.values(), start=1):
        report = folder / ("report.html" if len(groups) == 1 else f"report-{number}.html")
        if len(groups) > 1:
            first = members[0].config
            out().print(Text(f"{first['task']}, {first['model']}, {first['budget']}", "bold"))
        _present_group(labelled(members), report)
    if len(runs) < len(paths):
        raise SharpenError(f"{len(paths) - len(runs)} of {len(paths)} runs could not be read and are left out")


def present(compared: Sequence[Compared], below: Path, report: Path) -> None:
    """The table and the report of a comparison that has just been made."""
    runs = [read_run(below / name) for row in compared for name in row.runs]
    _show(_rows(compared, runs), runs, report)


def _present_group(runs: Sequence[Run], report: Path) -> None:
    outcomes = []
    for run in runs:
        result = Journal.read(run.folder).result()
        if result is not None:
            order = replace(order_of(run.config), method=run.method)
            outcomes.append(Outcome(order, {**result, "run": run.folder.name}))
    _show(_rows(rows_of(outcomes), [run for run in runs if run.outcome]), runs, report)


def _rows(compared: Sequence[Compared], runs: Sequence[Run]) -> list[Row]:
    """The arena's rows as the view shows them: its statistics beside the runs' own numbers."""
    rows = []
    for row in compared:
        gained = row.difference
        gain = Gain(gained.mean, gained.low, gained.high, row.adjusted, gained.label)
        rows.append(row_of([run for run in runs if run.method == row.method], gain))
    return rows


def _show(rows: Sequence[Row], runs: Sequence[Run], report: Path) -> None:
    write_report(report, runs, rows, command_of([run.config for run in runs], report.parent))
    out().print(comparison(rows))
    unfinished = sum(run.outcome is None for run in runs)
    if unfinished:
        out().print(Text(f"{unfinished} of {len(runs)} runs are unfinished and not in the table."), soft_wrap=True)
    out().print(Text.assemble("\nReport: ", (str(report), "bold")), soft_wrap=True)


def show_result(run: Run) -> None:
    """The result of one run, its interval over the problems."""
    out().print(comparison([alone(run)]))
    out().print(Text.assemble("\nRun: ", (str(run.folder), "bold")), soft_wrap=True)


def labelled(runs: Sequence[Run]) -> list[Run]:
    """The runs, methods named apart where one was run with several settings: by what differs between them."""
    named = []
    for run in runs:
        twins = [dict(_flat(other.config.get("settings", {}))) for other in runs if other.method == run.method]
        mine = dict(_flat(run.config.get("settings", {})))
        apart = [key for key in mine if any(twin.get(key) != mine[key] for twin in twins)]
        label = " ".join([run.method, *(f"{key}={mine[key]}" for key in apart)])
        named.append(replace(run, name=label))
    return named


def _flat(settings: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)


def command_of(configs: Sequence[Facts], out: Path) -> str:
    """The command that makes these runs again; settings of their own apart."""
    first = configs[0]
    cast, asking = first.get("cast", {}), first.get("asking", {})
    words = ["sharpen", "compare", *dict.fromkeys(str(config["method"]) for config in configs)]
    words += ["--task", first["task"]]
    for role in ROLES:
        words += [f"--{role}", cast[role]] if role in cast else []
    for key in ASKING:
        words += [f"--{key.replace('_', '-')}", str(asking[key])] if key in asking else []
    seeds = sorted({int(config["seed"]) for config in configs})
    together = len(seeds) > 1 and seeds == list(range(seeds[0], seeds[-1] + 1))
    written = f"{seeds[0]}-{seeds[-1]}" if together else ",".join(map(str, seeds))
    words += ["--budget", budget_of(first["budget"]), "--seeds", written, "--out", str(out)]
    return shlex.join(words)


def budget_of(written: str) -> str:
    """A budget as a person writes it: 3e12flops for 3000000000000.0flops."""
    number = written.rstrip("abcdefghijklmnopqrstuvwxyz")
    value = float(number)
    short = f"{value:g}".replace("e+", "e")
    return (short if float(short) == value else number) + written[len(number) :]
