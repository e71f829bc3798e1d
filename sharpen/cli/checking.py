"""The check of a model alone: where it stands on the ladders of the embedded world, and its skills of speech."""

import json
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sharpen.arena.code import code_digest
from sharpen.arena.kept import Kept
from sharpen.arena.ladders import MANY, MOST, Rung, ladders
from sharpen.arena.settings import provenance
from sharpen.arena.setup import Order
from sharpen.arena.skills import Skill, skills
from sharpen.cli.environment import cache, threads
from sharpen.cli.orders import openers
from sharpen.cli.sentences import out
from sharpen.core.records import Json, Weights
from sharpen.view.numbers import score, share
from sharpen.view.progress import followed

RecordT = TypeVar("RecordT")


def check_model(order: Order, problems: int, as_json: bool) -> None:
    """Every level of every family, then every skill; `problems` of each level, and six times as many of each skill.
    What is measured is kept under `checks` in the cache, and not measured again with these weights, code, machine and
    number of problems."""
    name = order.cast["model"]
    model = openers().model(name)
    policy = model.at(model.base, ("check",))
    news = Console(stderr=True, highlight=False)
    with Kept(cache() / "checks", name, _facts(model.base, problems)) as kept:
        if kept:
            before = f"{len(kept)} levels and skills were measured before and are read from {kept.folder}"
            news.print(Text(f"{before}; remove it to measure them again."), style="dim", soft_wrap=True)
        rungs = list(measured(news, kept, ladders(policy, problems), Rung).values())
        spoken = measured(news, kept, skills(policy, 6 * problems), Skill)
    if as_json:
        out().print_json(json.dumps(report(rungs, spoken)))
    else:
        out().print(_ladders(rungs), _skills(spoken))
        ended, agreed = fmean(rung.ended for rung in rungs), fmean(rung.agreed for rung in rungs)
        forms = f"{share(ended)} of the attempts end of themselves; in {share(agreed)} the checker of steps says what "
        note = "Intervals of 95 % over problems: these weights only. Chance: a guess, or the same without the skill."
        out().print(Text(f"{forms}that of answers does.\n{note}"), style="dim", soft_wrap=True)


def _facts(weights: Weights, problems: int) -> dict[str, object]:
    """All that determines what is measured."""
    machine = {"machine": provenance()["machine"], "threads": threads()}
    return {"weights": weights.id, "body": weights.body, "problems": problems, "code": code_digest(), **machine}


def measured(
    news: Console, kept: Kept, due: Mapping[str, Callable[[], RecordT]], kind: type[RecordT]
) -> dict[str, RecordT]:
    """Everything due, by name; what is not kept yet is measured, and kept at once."""

    def measure(name: str) -> str:
        kept.write(name, due[name]())
        return name

    missing = [name for name in due if name not in kept]
    for _ in followed(news, map(measure, missing), len(missing), str):
        pass
    return {name: kept.read(name, kind) for name in due}


def report(rungs: list[Rung], skills: Mapping[str, Skill]) -> Json:
    """Families by name and level, skills by name, the share of attempts that end of themselves, and that in which the
    checkers of steps and of answers agree."""
    families: dict[str, dict[str, Json]] = {}
    for rung in rungs:
        chances = {"pass@1": rung.pass_one, f"pass@{MANY}": rung.pass_many, f"pass@{MOST}": rung.pass_most}
        bounds = {"low": rung.low, "high": rung.high, "problems": rung.problems}
        families.setdefault(rung.family, {})[str(rung.level)] = {**chances, **bounds}
    spoken: dict[str, Json] = {
        name: {"score": skill.score, "chance": skill.chance, "low": skill.low, "high": skill.high}
        for name, skill in skills.items()
    }
    ended, agreed = fmean(rung.ended for rung in rungs), fmean(rung.agreed for rung in rungs)
    return {"families": families, "skills": spoken, "well_formed": ended, "steps_agree": agreed}


def _ladders(rungs: list[Rung]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("family", "level", "pass@1", "95 % interval", f"pass@{MANY}", f"pass@{MOST}"):
        table.add_column(head, justify="left" if head == "family" else "right")
    for rung in rungs:
        most = "" if rung.pass_most is None else score(rung.pass_most)
        bounds = _between(rung.low, rung.high)
        table.add_row(rung.family, str(rung.level), score(rung.pass_one), bounds, score(rung.pass_many), most)
    return table


def _skills(skills: Mapping[str, Skill]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("skill", "score", "95 % interval", "chance"):
        table.add_column(head, justify="left" if head == "skill" else "right")
    for name, skill in skills.items():
        table.add_row(name, score(skill.score), _between(skill.low, skill.high), score(skill.chance))
    return table


def _between(low: float | None, high: float | None) -> str:
    return "—" if low is None or high is None else f"{score(low)} to {score(high)}"
