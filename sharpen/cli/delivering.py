"""What a run delivered, examined elsewhere or handed on; and whether a task and a model go together at all."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from sharpen.arena.deliver import CARD, card, learned
from sharpen.arena.exam import bound, difference
from sharpen.arena.journal import Entry, Journal
from sharpen.arena.meter import Ledger
from sharpen.arena.preflight import preflight
from sharpen.arena.setup import Order, order_of
from sharpen.cli.gathering import show_result
from sharpen.cli.orders import openers
from sharpen.cli.sentences import out
from sharpen.core.archive import to_tagged
from sharpen.core.errors import InvalidInput, SharpenError, nearest
from sharpen.view.numbers import scientific, score, signed
from sharpen.view.runs import Run, read_run

FORMS: Mapping[str, Literal["hf", "peft"]] = {"hf": "hf", "peft": "peft"}


def examine(folder: Path, task: str | None) -> None:
    """The result of a run's own exam; or, on another task, an exam of what it delivered beside one of its start."""
    run = read_run(folder)
    order = order_of(run.config)
    if task is None or task == order.task:
        run.finished()
        show_result(run)
        return
    entry = _last(folder)
    setup = openers().open_for_exam(replace(order, task=task, asking={}))
    if setup.facts()["problems"] == run.config.get("problems"):
        raise InvalidInput(
            f"expected another task than the run's own, got {task!r}, which has the same problems; they are examined "
            "once: leave --task out to see the result"
        )
    with out().status(f"Examining on {task} ..."):
        before = setup.room(None).examine(setup.start, "test", order.test)
        after = setup.room(folder / "weights").examine(entry.round.solver, "test", order.test)
    gained = difference(before, after)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("task", "before", "after", "difference", "95 % interval", "FLOPs per answer", "problems"):
        table.add_column(head, justify="left" if head == "task" else "right")
    bounds = "—" if gained.low is None or gained.high is None else f"{signed(gained.low)} to {signed(gained.high)}"
    numbers = (score(before.score), score(after.score), signed(gained.mean), bounds)
    table.add_row(task, *numbers, scientific(after.inference["flops"]), str(after.n))
    out().print(table)
    out().print(Text(f"Interval: {gained.label}. Nothing was written."), style="dim", soft_wrap=True)


def check_pair(order: Order, problems: int, tries: int, as_json: bool) -> None:
    """A preflight of a task and a model; raises SharpenError where the judge is not sound."""
    parts = openers()
    found = preflight(parts.task(order.task, **order.asking), parts.model(order.cast["model"]), problems, tries)
    if as_json:
        out().print_json(json.dumps(asdict(found)))
    else:
        table = Table.grid(padding=(0, 2))
        gold = "the task reveals none" if found.gold_accepted is None else f"{found.gold_accepted:.0%}"
        for name, value in (
            ("right answers accepted", gold),
            ("wrong answers rejected", f"{found.wrong_rejected:.0%}"),
            ("pass@1", score(found.pass_one)),
            (f"pass@{found.tries}", score(found.pass_many)),
            ("variance of the reward", score(found.variance)),
            ("problems whose attempts all score alike", f"{found.silent:.0%}"),
            ("attempts cut off", f"{found.truncated:.0%}"),
            ("mean length", f"{found.length:.0f} tokens"),
        ):
            table.add_row(name, Text(value, justify="right"))
        out().print(table, Text(f"\n{found.sentence[:1].upper()}{found.sentence[1:]}."), soft_wrap=True)
    if not found.sound:
        raise SharpenError(found.sentence)


def export_run(folder: Path, to: str, target: Path | None) -> None:
    """Writes what a run delivered where others can load it, by default beside what the run wrote, and its card."""
    if to not in (*FORMS, "prompt"):
        raise InvalidInput(nearest("form", to, (*FORMS, "prompt")))
    target = folder / f"export-{to}" if target is None else target
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(f"expected a new or empty folder to export to, got {target}; choose another")
    run, entry = read_run(folder), _last(folder)
    if to == "prompt":
        target.mkdir(parents=True, exist_ok=True)
        (target / "prompt.json").write_text(
            json.dumps(to_tagged(entry.round.solver), indent=2) + "\n", encoding="utf-8"
        )
    else:
        _export_weights(run, entry, FORMS[to], target)
    (target / CARD).write_text(card(run.config, Journal.read(folder).result()), encoding="utf-8")
    out().print(Text.assemble("Exported to ", (str(target), "bold")), soft_wrap=True)


def _export_weights(run: Run, entry: Entry, form: Literal["hf", "peft"], target: Path) -> None:
    setup = openers().open(order_of(run.config))
    model = bound(setup.cast, Ledger(), run.seed, run.folder / "weights")["model"]
    named = learned(model, entry.round.solver)
    if not named:
        raise InvalidInput(f"{run.method} learned no weights; export it --to prompt instead")
    model.export(named[0], target, form)


def _last(folder: Path) -> Entry:
    entry = Journal.read(folder).last_round()
    if entry is None:
        raise InvalidInput(f"expected a run with a finished round, got {folder}; sharpen resume goes on with it")
    return entry
