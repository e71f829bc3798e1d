"""The check of a model alone: where it stands on the ladders of the embedded world, and its skills of speech."""

import json
from collections.abc import Mapping
from statistics import fmean

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sharpen.arena.ladders import MANY, MOST, Rung, climbed
from sharpen.arena.setup import Order
from sharpen.arena.skills import SKILLS, Skill, measured
from sharpen.cli.orders import openers
from sharpen.cli.sentences import out
from sharpen.core.records import Json
from sharpen.tasks.families import FAMILIES
from sharpen.view.numbers import score, share
from sharpen.view.progress import followed


def check_model(order: Order, problems: int, as_json: bool) -> None:
    """Every level of every family, then every skill; `problems` of each level, and six times as many of each skill."""
    model = openers().model(order.cast["model"])
    policy = model.at(model.base, ("check",))
    news = Console(stderr=True, highlight=False)
    levels = sum(len(family.levels) for family in FAMILIES.values())
    rungs = list(followed(news, climbed(policy, problems), levels, _where))
    skills = dict(followed(news, measured(policy, 6 * problems), len(SKILLS), lambda found: found[0]))
    if as_json:
        out().print_json(json.dumps(report(rungs, skills)))
    else:
        out().print(_ladders(rungs), _skills(skills))
        ended, agreed = fmean(rung.ended for rung in rungs), fmean(rung.agreed for rung in rungs)
        forms = f"{share(ended)} of the attempts end of themselves; in {share(agreed)} the checker of steps says what "
        note = "Intervals of 95 % over problems: these weights only. Chance: a guess, or the same without the skill."
        out().print(Text(f"{forms}that of answers does.\n{note}"), style="dim", soft_wrap=True)


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


def _where(rung: Rung) -> str:
    return f"{rung.family} level {rung.level}, pass@1 {score(rung.pass_one)}"


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
