"""The card of a replication: what was claimed, what was found, what every arm spent, and where that was made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sharpen.arena.claims import Arm, Claim, Claims, read_claims
from sharpen.arena.compare import average, number
from sharpen.arena.disk import in_a_sentence, replace
from sharpen.arena.findings import Finding, findings
from sharpen.arena.registry import METHODS
from sharpen.core.archive import from_json, to_json
from sharpen.core.errors import CorruptRecord
from sharpen.core.records import Json

CARDS = "cards"


@dataclass(frozen=True, slots=True)
class Scored:
    """Held-out scores before and after, means over seeds, on so many problems."""

    before: float
    after: float
    problems: int


@dataclass(frozen=True, slots=True)
class Seed:
    """One run of an arm: scores on its own task and, after, on the others; work in FLOPs, paid seconds; its folder."""

    seed: int
    before: float
    after: float
    elsewhere: Mapping[str, float]
    flops: float
    seconds: float
    run: str


@dataclass(frozen=True, slots=True)
class Line:
    """An arm over its seeds, all numbers means: scores on its own task and on the others, training FLOPs (work), FLOPs
    of one answer, verdicts, distinct labelled problems, paid seconds, finished rounds, unspent share of the budget."""

    arm: Arm
    scored: Scored
    elsewhere: Mapping[str, Scored]
    flops: float
    answer_flops: float
    verdicts: float
    labelled: float
    seconds: float
    rounds: float
    unspent: float
    seeds: tuple[Seed, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A claim file decided. `digest` is the file's when the card was made; versions, commits and machines are those of
    the runs, each once; `date` is the day (UTC) on which the card was written."""

    method: str
    digest: str
    model: str
    budget: str
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    arms: tuple[Line, ...]
    departures: tuple[str, ...]
    command: str
    versions: tuple[str, ...]
    commits: tuple[str, ...]
    machines: tuple[Mapping[str, Json], ...]
    date: str


def card_of(claims: Claims, results: Mapping[str, Sequence[Mapping[str, Json]]]) -> Card:
    """The card of a claim file whose runs are all finished: results by arm, one a seed, in the order of the seeds."""
    made = [result["made"] for own in results.values() for result in own]
    where = [facts for facts in made if isinstance(facts, Mapping)]
    machines = [machine for facts in where if isinstance(machine := facts.get("machine"), Mapping)]
    return Card(
        claims.method,
        claims.digest,
        claims.model,
        str(claims.budget),
        claims.claims,
        findings(claims, results),
        tuple(_line(arm, claims.seeds, results[arm.name]) for arm in claims.arms),
        claims.departures,
        f"sharpen replicate {claims.method}",
        _once([str(facts.get("version", "")) for facts in where]),
        _once([str(facts.get("commit", "")) for facts in where]),
        _once(machines),
        datetime.now(UTC).date().isoformat(),
    )


def card_path(folder: Path, method: str) -> Path:
    """Where the card of a method lies, in a folder of claim files."""
    return folder / CARDS / f"{method}.json"


def write_card(folder: Path, card: Card) -> Path:
    """Puts a card beside the claim files, atomically, and says where."""
    path = card_path(folder, card.method)
    text = json.dumps(to_json(card), indent=1, ensure_ascii=False) + "\n"
    with in_a_sentence(f"write the card {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, lambda file: file.write(text.encode()))
    return path


def read_card(folder: Path, method: str) -> Card | None:
    """The card of a method, if there is one; raises CorruptRecord where it does not read back."""
    path = card_path(folder, method)
    if not path.exists():
        return None
    try:
        return from_json(Card, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, CorruptRecord) as wrong:
        raise CorruptRecord(
            f"expected a card in {path}, got what does not read ({wrong}); delete it, run anew"
        ) from wrong


def stale(card: Card, claims: Claims) -> bool:
    """Whether the claim file has changed since the card was made."""
    return card.digest != claims.digest


def stale_cards(folder: Path, methods: str = METHODS) -> list[str]:
    """The methods whose card was made for another claim file than there is now, or for one that is gone."""
    found = []
    for path in sorted((folder / CARDS).glob("*.json")):
        card, file = read_card(folder, path.stem), folder / f"{path.stem}.toml"
        if card is not None and (not file.exists() or stale(card, read_claims(file, methods))):
            found.append(path.stem)
    return found


ItemT = TypeVar("ItemT")


def _once(items: Sequence[ItemT]) -> tuple[ItemT, ...]:
    """Each of equal items once, in order."""
    return tuple(item for place, item in enumerate(items) if item not in items[:place])


def _line(arm: Arm, seeds: Sequence[int], results: Sequence[Mapping[str, Json]]) -> Line:
    mean = partial(average, results)

    def scored(*path: str) -> Scored:
        problems = int(number(results[0], *path, "exam", "after", "n"))
        return Scored(mean(*path, "exam", "before", "score"), mean(*path, "exam", "after", "score"), problems)

    return Line(
        arm,
        scored(),
        {task: scored("elsewhere", task) for task in arm.exams},
        mean("spend", "flops"),
        mean("exam", "after", "inference", "flops"),
        mean("spend", "work", "verdicts"),
        mean("spend", "work", "labelled"),
        mean("spend", "seconds"),
        mean("rounds"),
        mean("spend", "unspent"),
        tuple(_seed(seed, arm, result) for seed, result in zip(seeds, results, strict=True)),
    )


def _seed(seed: int, arm: Arm, result: Mapping[str, Json]) -> Seed:
    return Seed(
        seed,
        number(result, "exam", "before", "score"),
        number(result, "exam", "after", "score"),
        {task: number(result, "elsewhere", task, "exam", "after", "score") for task in arm.exams},
        number(result, "spend", "flops"),
        number(result, "spend", "seconds"),
        str(result["run"]),
    )
