"""The report of a comparison: one HTML page with its figures inside, readable without a network or a script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os.path import relpath
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sharpen.core.budget import Budget, parse_budget
from sharpen.view.chart import COLOURS, ink
from sharpen.view.curves import NARROW, WIDE, Shape, costs, curve, forest, learning
from sharpen.view.numbers import abridged, chance, count, plural, score, share, signed, span, spelled, typeset
from sharpen.view.rows import Row, best, under
from sharpen.view.runs import Facts, Run

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the table of runs."""

    method: str
    seed: int
    rounds: int
    dev: float | None
    before: float | None
    after: float | None
    flops: float
    seconds: float
    ended: str
    folder: str
    link: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template shows."""

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    rows: Sequence[tuple[Row, Markup]]
    best: Row | None
    order: Mapping[str, int]
    under: str
    learning: Markup
    learning_caption: str
    costs: Markup
    runs: Sequence[Listed]
    command: str
    repeat: str
    version: str


def write_report(path: Path, runs: Sequence[Run], rows: Sequence[Row], command: str) -> None:
    """Writes the page about these runs of one setting, atomically; links to their folders are relative to it."""
    partial_file = path.with_name(path.name + ".partial")
    partial_file.write_text(rendered(page(path.parent, runs, rows, command)), encoding="utf-8")
    partial_file.replace(path)


def rendered(page: Page) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=PackageLoader("sharpen.view", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    template = environment.get_template("report.html.j2")
    return template.render(
        page=page,
        colours=COLOURS,
        **{f.__name__: f for f in (ink, score, signed, chance, count, span, share, large)},
    )


def page(home: Path, runs: Sequence[Run], rows: Sequence[Row], command: str) -> Page:
    """What there is to say about runs of one setting."""
    order = {
        name: place for place, name in enumerate(dict.fromkeys([r.method for r in rows] + [r.method for r in runs]))
    }
    config: Facts = runs[0].config if runs else {}
    seeds = sorted({run.seed for run in runs})
    return Page(
        title=_title(order, config),
        lead=_lead(rows),
        facts=_facts(config, seeds),
        rows=[(row, plot) for row, plot in zip(rows, _forests(rows), strict=True)],
        best=best(rows),
        order=order,
        under=under(rows),
        learning=_both(partial(learning, runs, order)),
        learning_caption=_caption(seeds),
        costs=_both(partial(costs, rows, order)),
        runs=[_listed(run, home) for run in runs],
        command=command,
        repeat=_repeat(config),
        version=str(config.get("version", "")),
    )


def large(value: float) -> Markup:
    """A large number in print: 2.9 × 10 to the 12."""
    mantissa, exponent = typeset(value)
    return Markup("{} × 10<sup>{}</sup>").format(mantissa, exponent) if exponent else Markup(mantissa)


def _both(draw: partial[str]) -> Markup:
    """The figure for wide and for narrow screens, drawn by our own code, in which every word is escaped."""
    shapes: tuple[Shape, ...] = (WIDE, NARROW)
    return Markup("\n".join(filter(None, (draw(shape) for shape in shapes))))


def _forests(rows: Sequence[Row]) -> list[Markup]:
    ends = [end for row in rows for end in (row.gain.low, row.gain.high, row.gain.mean) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = (high - low) * 0.04 or 0.01
    return [Markup(forest(row, low - room, high + room)) for row in rows]


def _title(order: Mapping[str, int], config: Facts) -> str:
    methods = plural(len(order), "method").capitalize()
    if not config:
        return methods
    return f"{methods} on {config['task']} with {config['model']}, {said(parse_budget(str(config['budget'])))} each"


def said(budget: Budget) -> str:
    """A budget in print: 3 × 10¹² FLOPs, 2 × 10⁶ tokens, 10:00 min."""
    if budget.currency == "seconds":
        return span(budget.amount)
    mantissa, exponent = typeset(budget.amount)
    factor = mantissa.removesuffix(".0")
    raised = f"10{exponent.translate(RAISED)}"
    amount = factor if not exponent else raised if factor == "1" else f"{factor} × {raised}"
    return f"{amount} {'FLOPs' if budget.currency == 'flops' else 'tokens'}"


def _lead(rows: Sequence[Row]) -> str:
    leader = best(rows)
    if leader is None:
        return "No run has finished yet."
    clear = [row for row in rows if row.gain.clear and row.gain.mean > 0]
    gain = leader.gain
    most = (
        f"{leader.method} came out highest: from {score(leader.before)} to {score(leader.after)} on held-out problems"
    )
    if gain.low is not None and gain.high is not None:
        most += f", a gain of {signed(gain.mean)} with a 95 % interval from {signed(gain.low)} to {signed(gain.high)}"
    if len(rows) == 1:
        return most + "."
    if not clear:
        return most + ". For no method is the gain clear of zero."
    few = (
        "All methods"
        if len(clear) == len(rows)
        else f"{spelled(len(clear)).capitalize()} of {spelled(len(rows))} methods"
    )
    return f"{most}. {few} gained more than chance explains."


def _facts(config: Facts, seeds: Sequence[int]) -> list[tuple[str, str]]:
    if not config:
        return []
    machine = config.get("machine", {})
    versions = [f"{name} {machine[name]}" for name in ("python", "torch", "numpy") if name in machine]
    cores = f", {plural(int(machine['cores']), 'core')}" if "cores" in machine else ""
    facts = [
        ("task", str(config["task"])),
        ("model", str(config["model"])),
        *((role, str(name)) for role, name in config.get("cast", {}).items() if role != "model"),
        ("budget a run", said(parse_budget(str(config["budget"])))),
        ("seeds", ", ".join(map(str, seeds))),
        ("version", f"sharpen {config.get('version', '?')}"),
        ("commit", abridged(str(config.get("commit", ""))) or "not in a repository"),
        ("libraries", ", ".join(versions)),
        ("machine", f"{machine.get('system', '?')}{cores}"),
    ]
    return [(name, value) for name, value in facts if value]


def _caption(seeds: Sequence[int]) -> str:
    several = (
        "Thin lines are seeds, the thick one is their mean, drawn as far as every seed goes, straight between rounds; "
        "the shade reaches from the lowest to the highest seed. "
        if len(seeds) > 1
        else "Each dot is a finished round. "
    )
    return several + "A dotted level is a method that does not train: it stands where it stands from the start."


def _listed(run: Run, home: Path) -> Listed:
    outcome = run.outcome
    last = run.points[-1] if run.points else None
    link = relpath(run.folder.resolve(), home.resolve())
    return Listed(
        method=run.method,
        seed=run.seed,
        rounds=len(run.points),
        dev=curve(run)[-1][1] if curve(run) else None,
        before=outcome.before if outcome else None,
        after=outcome.after if outcome else None,
        flops=last.flops if last else 0.0,
        seconds=last.seconds if last else 0.0,
        ended=outcome.ended if outcome else "unfinished",
        folder=run.folder.name,
        link=Path(link).as_posix(),
    )


def _repeat(config: Facts) -> str:
    if not config:
        return ""
    return (
        "The same command on the same machine, with the same versions, gives the same numbers where the budget is in "
        "FLOPs or tokens; a budget in time ends where the clock says. All settings of a run are in its config.toml."
    )
