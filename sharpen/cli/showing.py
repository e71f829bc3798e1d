"""What can be read without running anything: the methods there are, and one of them in full."""

import json
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import import_module
from inspect import getdoc, getsource
from io import StringIO

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from sharpen.arena.registry import Listed, load, method_names, variants
from sharpen.cli.sentences import out
from sharpen.core.errors import InvalidInput, nearest

AXES = ("generate", "evaluate", "control")


def show_list(by: str | None, as_json: bool) -> None:
    """All methods, as a table, by one axis of the survey's taxonomy, or as JSON."""
    if by is not None and by not in AXES:
        raise InvalidInput(nearest("axis", by, AXES))
    methods = [load(name) for name in method_names()]
    if as_json:
        out().print_json(json.dumps([_facts(method) for method in methods]))
        return
    groups: dict[str, list[Listed]] = {}
    for method in methods:
        groups.setdefault(getattr(method.paper, by) if by else "", []).append(method)
    for name, members in sorted(groups.items()):
        out().print(Group(Text(f"{by}: {name}", "bold") if by else Text(), _table(members)))
    out().print("sharpen show METHOD says more about one of them.", style="dim")


def _facts(method: Listed) -> Mapping[str, object]:
    paper = method.paper
    return {
        "name": method.name,
        "about": method.about,
        "variants": variants(method.config),
        "needs": sorted(method.needs),
        "paper": {"title": paper.title, "arxiv": paper.arxiv, "year": paper.year, "claim": paper.claim},
        **{axis: getattr(paper, axis) for axis in AXES},
    }


def _table(methods: Sequence[Listed]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("method", "what it does", "variants", "arXiv", "needs"):
        table.add_column(head, overflow="fold", min_width=17 if head == "method" else None)
    for method in methods:
        about = method.about.partition(": ")[2] or method.about
        needs = ", ".join(sorted(method.needs))
        names = ", ".join(variants(method.config))
        table.add_row(Text(method.name, "bold"), Text(about), Text(names), Text(method.paper.arxiv), Text(needs))
    return table


def show_method(name: str) -> None:
    """A method in full: its paper, its box, what it needs, its settings and its variants."""
    method = load(name)
    module = import_module(method.run.__module__)
    paper = method.paper
    cited = Text.assemble((paper.title, "italic"), f" ({paper.year}, arXiv:{paper.arxiv})")
    facts = Table.grid(padding=(0, 2))
    for axis, value in (
        ("paper", cited),
        ("claim", Text(paper.claim)),
        *((axis, Text(getattr(paper, axis))) for axis in AXES),
        ("needs", Text(", ".join(sorted(method.needs)))),
    ):
        facts.add_row(Text(axis, "dim"), value)
    out().rule(f"[bold]{method.name}", align="left", style="dim")
    out().print(Text(getdoc(module) or ""), soft_wrap=True)
    out().print(Text(), facts, Text())
    out().print(_settings(method))
    names = variants(method.config)
    if names:
        table = Table("variant", "what it is", box=box.SIMPLE_HEAD, pad_edge=False)
        for variant in names:
            table.add_row(f"{name.partition(':')[0]}:{variant}", Text(getdoc(getattr(method.config, variant)) or ""))
        out().print(table)


def _settings(method: Listed) -> Table:
    """The settings with the values that this method or variant begins with, and what their comments say."""
    comments, default = dict(_comments(method.config)), method.default()
    table = Table("setting", "default", "meaning", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, value in _flat(default):
        table.add_row(name, Text(repr(value)), Text(comments.pop(name.partition(".")[0], "")))
    return table


def _flat(record: object, path: str = "") -> Iterator[tuple[str, object]]:
    """The fields of a record as --set names them, those of the records in it dotted."""
    for field in fields(record) if is_dataclass(record) else ():
        value = getattr(record, field.name)
        if is_dataclass(value):
            yield from _flat(value, f"{path}{field.name}.")
        else:
            yield path + field.name, value


def _comments(config: type) -> Iterator[tuple[str, str]]:
    """What stands behind each field of a class, after the #."""
    name = ""
    for token in tokenize.generate_tokens(StringIO(getsource(config)).readline):
        if token.type == tokenize.NAME and token.start[1] == 4:
            name = token.string
        elif token.type == tokenize.COMMENT and not token.string.startswith("# fmt"):
            yield name, token.string.removeprefix("#").strip()
