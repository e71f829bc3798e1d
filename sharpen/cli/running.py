"""Runs carried out for the command line: one, many side by side, one that goes on, or none but what it would cost."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from sharpen.arena.compare import compare, shared_start
from sharpen.arena.estimate import Estimate, estimate
from sharpen.arena.journal import Journal, run_folder
from sharpen.arena.play import play
from sharpen.arena.setup import Order, Setup, order_of
from sharpen.cli.gathering import present, show_result
from sharpen.cli.orders import openers
from sharpen.cli.sentences import Interrupted, out, said
from sharpen.core.budget import Spend
from sharpen.core.errors import InvalidInput, SharpenError
from sharpen.view.numbers import plural, scientific, span
from sharpen.view.progress import Board
from sharpen.view.runs import read_run


def begin_run(order: Order, below: Path) -> None:
    """A new run, or the result of one that is there already; raises InvalidInput where one waits to be resumed."""
    setup = openers().open(order)
    facts = setup.facts()
    folder = run_folder(below, facts)
    if not (folder / "config.toml").exists():
        with closing(Journal.create(folder, facts)) as journal:
            _play(setup, journal)
        return
    past = Journal.read(folder)
    past.check_config(facts)
    result = past.result()
    if result is not None and result["ended"] != "stopped":
        out().print(Text(f"This run is finished already: {folder}"), soft_wrap=True)
        show_result(read_run(folder))
    elif last := past.last_round():
        raise InvalidInput(
            f"expected a new run, got one of {last.number} finished rounds; sharpen resume {folder} goes on with it"
        )
    else:
        _continue(setup, folder)


def resume_run(folder: Path) -> None:
    """Goes on with a run from its last finished round."""
    setup = openers().open(order_of(Journal.read(folder).config))
    _continue(setup, folder)


def _continue(setup: Setup, folder: Path) -> None:
    with closing(Journal.open(folder)) as journal:
        journal.check_config(setup.facts())
        _play(setup, journal)


def _play(setup: Setup, journal: Journal) -> None:
    with resumable(f"`sharpen resume {journal.folder}`"):
        out().print("The start is examined first, on dev and on the held-out problems.")
        with out().status("Examining ..."):
            start = shared_start(setup, journal.folder.parent)
        with Board(out(), setup.order.budget, 1) as board:
            result = play(setup, journal, board.tell, start)
        show_result(read_run(journal.folder))
        if result["ended"] == "stopped":
            raise KeyboardInterrupt


@contextmanager
def resumable(command: str) -> Iterator[None]:
    """Says how to go on where the user stops what is done inside."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; finished rounds are kept, and {command} goes on from there") from None


def compare_runs(orders: Sequence[Order], below: Path, jobs: int) -> None:
    """All orders, the table and the report; what failed is said, and costs its own run only."""
    out().print(
        f"{plural(len(orders), 'run').capitalize()}, {jobs} at a time; the start is examined first, once for all."
    )
    with resumable("the same command"):
        with Board(out(), orders[0].budget, len(orders)) as board:
            found = compare(orders, openers(), below, jobs, board.tell)
        if found.rows:
            present(found.rows, below, below / "report.html")
        for run, failure in found.failures.items():
            said(f"{run}: {failure}")
        if found.stopped:
            raise KeyboardInterrupt
        if found.failures:
            raise SharpenError(f"{len(found.failures)} of {len(orders)} runs failed; the same command tries them again")


def foretell(orders: Sequence[Order]) -> None:
    """What the first round, a later one and a whole run of each order would cost; nothing is written."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("method")
    for head in ("", "FLOPs", "tokens", "verdicts", "time, about"):
        table.add_column(head, justify="right")
    for order in orders:
        cost = estimate(openers().open(order))
        table.add_row(order.method, "first round", *_cells(cost.first))
        if cost.rounds != 1:
            table.add_row("", "a later one", *_cells(cost.later))
        table.add_row("", _rounds(cost), *_cells(cost.whole))
    out().print(table)
    out().print(
        Text(f"Budget of a run: {orders[0].budget}. A dry run: a small probe was made, and nothing was written."),
        style="dim",
    )


def _cells(spend: Spend) -> list[str]:
    return [scientific(spend.flops), scientific(spend.tokens), scientific(spend.verdicts), span(spend.seconds)]


def _rounds(cost: Estimate) -> str:
    return "as many rounds as there are" if cost.rounds is None else plural(cost.rounds, "round")
