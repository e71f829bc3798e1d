"""A card of replication as people read it: a table for the terminal, and a section of the method's page."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from sharpen.view.numbers import abridged, chance, count, plural, scientific, score, signed, span
from sharpen.view.runs import Facts

HEADING = "## Replication"
SOURCES = "The commit, and the code, that each run was begun at, and those that it was gone on with or examined at:"
COLOURS = {"replicated": "green", "not replicated": "red", "undecided": ""}


def verdicts(card: Facts) -> Table:
    """Each claim with its number, interval, p and verdict."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("claim", overflow="fold")
    for head in ("claimed", "found", "95 % interval", "p"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("verdict")
    for claim, found in _pairs(card):
        numbers = (_claimed(claim), _number(claim, found["mean"]), _bounds(claim, found), chance(found["adjusted"]))
        verdict = Text(_verdict(found), COLOURS[found["verdict"]])
        table.add_row(Text(claim["id"]), *map(Text, numbers), verdict)
    return table


def section(card: Facts, stale: bool = False) -> str:
    """The section of a method's page that says what was claimed and found, in Markdown; `stale`: the claim file has
    changed since."""
    lines = [HEADING, "", _lead(card), ""]
    if stale:
        lines += [
            "**Stale: the claim file has changed since this card was made.** The same command makes a new one.",
            "",
        ]
    if doubt := mixed(card):
        lines += [f"**{doubt}**", ""]
    lines += ["| claim | claimed | found, 95 % interval | p, corrected | verdict |", "|---|---|---|---|---|"]
    for claim, found in _pairs(card):
        number = f"{_number(claim, found['mean'])} ({_bounds(claim, found)})"
        cells = (f"{claim['says']} ({claim['source']})", _claimed(claim), number, chance(found["adjusted"]))
        lines.append(_row(*cells, f"**{found['verdict']}**{_verdict(found).removeprefix(found['verdict'])}"))
    if earlier := looked(card):
        lines += ["", earlier]
    lines += ["", *_arms(card)]
    if apart := sources(card):
        lines += ["", SOURCES, "", *apart]
    if card["departures"]:
        lines += ["", "Departures from the sheet:", "", *(f"- {departure}" for departure in card["departures"])]
    return "\n".join(lines) + "\n"


def looked(card: Facts) -> str:
    """Which look at these numbers it is, what that does to p, and what earlier ones said; nothing of the first."""
    earlier = [_look(look) for look in card["looks"]]
    if not earlier:
        return ""
    return (
        f"This is look {len(earlier) + 1}, at which p after Holm is multiplied by {2 ** (len(earlier) + 1)}. "
        f"Earlier: {'; '.join(earlier)}."
    )


def _look(look: Facts) -> str:
    seen = ", ".join(f"{one['claim']} {one['verdict']} (p {chance(one['adjusted'])})" for one in look["seen"])
    return f"{look['date']}, seeds {_seeds(look['seeds'])}: {seen}"


def mixed(card: Facts) -> str:
    """That the runs are not all of the same code, or of code that no commit holds; nothing where they are."""
    shared = {_codes(made)[0] for made in _made(card)}
    own: dict[str, set[str]] = {}
    for arm in card["arms"]:
        codes = {_codes(made)[1] for seed in arm["seeds"] for made in seed["made"]}
        own.setdefault(arm["arm"]["method"].partition(":")[0], set()).update(codes)
    if len(shared) > 1 or any(len(codes) > 1 for codes in own.values()):
        return "These runs are not all of the same code: what sets them apart may be that."
    if any(made["commit"].endswith("-dirty") for made in _made(card)):
        return "These runs are of code with changes that were not committed."
    return ""


def sources(card: Facts) -> list[str]:
    """A line an arm that says which code made each of its runs; nothing where all are of one commit and code."""
    if len({made["commit"] or made["version"] for made in _made(card)}) < 2 and not mixed(card):
        return []
    lines = []
    for arm in card["arms"]:
        by: dict[str, list[int]] = {}
        for seed in arm["seeds"]:
            by.setdefault(", then ".join(map(_source, seed["made"])), []).append(seed["seed"])
        own = "; ".join(f"{made}: seeds {_seeds(seeds)}" for made, seeds in by.items())
        lines.append(f"- {arm['arm']['name']}: {own}")
    return lines


def _made(card: Facts) -> list[Facts]:
    return [made for arm in card["arms"] for seed in arm["seeds"] for made in seed["made"]]


def _codes(made: Facts) -> tuple[str, str]:
    """The digest of what all runs share, and that of the method's own file."""
    shared, _, own = made["code"].partition("+")
    return shared, own


def _source(made: Facts) -> str:
    """The commit, or the version where none is known, and the code in short."""
    shared, own = _codes(made)
    code = f"{shared[:6]}+{own[:6]}" if shared else "unknown"
    return f"{abridged(made['commit']) or 'sharpen ' + made['version']} (code {code})"


def _seeds(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def placed(page: str, text: str) -> str:
    """The page with its section on replication in the place of the one before, or at the end."""
    lines = page.splitlines()
    if HEADING not in lines:
        return page.rstrip("\n") + "\n\n" + text
    start = lines.index(HEADING)
    rest = range(start + 1, len(lines))
    end = next((place for place in rest if lines[place].startswith(("# ", "## "))), len(lines))
    after = "\n".join(lines[end:])
    before = "\n".join(lines[:start])
    return "\n".join(part for part in (before, text, after) if part).rstrip("\n") + "\n"


def _pairs(card: Facts) -> Iterator[tuple[Facts, Facts]]:
    return zip(card["claims"], card["findings"], strict=True)


def _lead(card: Facts) -> str:
    """What was run, where and when."""
    seeds = [run["seed"] for run in card["arms"][0]["seeds"]]
    commits = ", ".join(abridged(commit) or "unknown" for commit in card["commits"])
    where = "; ".join(_machine(machine) for machine in card["machines"])
    return (
        f"`{card['command']}` made this on {card['date']}: {card['model']}, a budget of {card['budget']} a run, seeds "
        f"{_seeds(seeds)}; sharpen {', '.join(card['versions'])}, commit {commits}; {where}. "
        "[What a claim is and how it is decided](../claims.md)."
    )


def _machine(machine: Facts) -> str:
    torch = f", torch {machine['torch']}" if "torch" in machine else ""
    processor = machine.get("processor", "unknown processor")
    return f"{processor}, {plural(int(machine.get('cores', 1)), 'core')}, GPU: {machine.get('gpu', 'unknown')}{torch}"


def _claimed(claim: Facts) -> str:
    """What is claimed of the number."""
    threshold, margin = _number(claim, claim["threshold"]), _size(claim["margin"])
    if claim["relation"] == "within":
        return f"within {margin} of {threshold}"
    return f"{claim['relation']} {threshold}, margin {margin}"


def _number(claim: Facts, value: float) -> str:
    """A difference with its sign, anything else without."""
    apart = claim["statistic"] == "difference" or claim["of"] == "gain"
    return signed(value) if apart and abs(value) < 1e4 else _size(value)


def _size(value: float) -> str:
    return score(value) if abs(value) < 1e4 else scientific(value, 3)


def _bounds(claim: Facts, found: Facts) -> str:
    if found["low"] is None:
        return "every seed alike"
    return f"{_number(claim, found['low'])} to {_number(claim, found['high'])}"


def _verdict(found: Facts) -> str:
    needed = found["seeds_needed"]
    return f"{found['verdict']}" + ("" if needed is None else f"; {needed:,} seeds would decide it")


def _arms(card: Facts) -> Iterator[str]:
    yield "| arm | task | before | after | training FLOPs | time | FLOPs an answer | verdicts | labelled | rounds |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for line in card["arms"]:
        arm, costs = line["arm"], _costs(line)
        scored = line["scored"]
        yield _row(_named(arm), f"`{arm['task']}`", score(scored["before"]), score(scored["after"]), *costs)
        for task, other in line["elsewhere"].items():
            yield _row("", f"`{task}`", score(other["before"]), score(other["after"]), *("" for _ in costs))
    problems = sorted({line["scored"]["problems"] for line in card["arms"]})
    yield ""
    yield (
        f"Means over seeds, on {' or '.join(map(str, problems))} held-out problems; time is paid, FLOPs are work. "
        "Under an arm's own task stand those that what it delivered was examined on besides."
    )


def _costs(line: Facts) -> Sequence[str]:
    return (
        scientific(line["flops"]),
        span(line["seconds"]),
        scientific(line["answer_flops"]),
        count(line["verdicts"]),
        count(line["labelled"]),
        count(line["rounds"]),
    )


def _named(arm: Facts) -> str:
    """An arm's name, with the method where that says more, its settings, and how many were tried on dev."""
    own = "" if arm["name"] == arm["method"] else f": `{arm['method']}`"
    settings = "".join(f" `{name}={value}`" for name, value in _flat(arm["settings"]))
    tried = f" ({plural(len(arm['tried']), 'setting')} tried on dev)" if arm["tried"] else ""
    asked = "".join(f" {role} `{arm[role]}`" for role in ("teacher", "judge") if arm[role])
    return f"{arm['name']}{own}{settings}{asked}{tried}"


def _flat(settings: Facts, path: str = "") -> Iterator[tuple[str, object]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
