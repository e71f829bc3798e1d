"""The card of a replication: what was claimed, what was found, what every arm spent, and where that was made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sharpen.arena import disk
from sharpen.arena.claims import Arm, Claim, Claims, read_claims
from sharpen.arena.code import Made
from sharpen.arena.compare import average
from sharpen.arena.findings import Decision, Finding, decided, numbers
from sharpen.arena.journal import number
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
    """One run of an arm: scores on its own task and, after, on the others; work in FLOPs, paid seconds; its folder; the
    code it was begun by and what else it was gone on with or examined by, in order."""

    seed: int
    before: float
    after: float
    elsewhere: Mapping[str, float]
    flops: float
    seconds: float
    run: str
    made: tuple[Made, ...]


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
class Seen:
    """What an earlier look said of a claim."""

    claim: str
    mean: float
    p: float
    adjusted: float
    verdict: Decision


@dataclass(frozen=True, slots=True)
class Look:
    """An earlier card: its day, the digest of its claim file, its seeds, and what it said."""

    date: str
    digest: str
    seeds: tuple[int, ...]
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A claim file decided. `digest` is the file's when the card was made; `looks` are the cards before this one that
    were of other numbers or other claims; versions, commits and machines are those of the runs, each once; `date` is
    the day (UTC) on which the card was written."""

    method: str
    digest: str
    model: str
    budget: str
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    looks: tuple[Look, ...]
    arms: tuple[Line, ...]
    departures: tuple[str, ...]
    command: str
    versions: tuple[str, ...]
    commits: tuple[str, ...]
    machines: tuple[Mapping[str, Json], ...]
    date: str

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of every arm."""
        return tuple(seed.seed for seed in self.arms[0].seeds)


def card_of(claims: Claims, results: Mapping[str, Sequence[Mapping[str, Json]]], before: Card | None = None) -> Card:
    """The card of a claim file whose runs are all finished: results by arm, one a seed, in the order of the seeds. What
    the card `before` said is an earlier look, unless it was of the same claims and numbers."""
    machines = [machine for own in results.values() for r in own if isinstance(machine := r["machine"], Mapping)]
    lines = tuple(_line(arm, claims.seeds, results[arm.name]) for arm in claims.arms)
    made = [made for line in lines for seed in line.seeds for made in seed.made]
    found = numbers(claims, results)
    looks = _looks(claims, found, before)
    return Card(
        claims.method,
        claims.digest,
        claims.model,
        str(claims.budget),
        claims.claims,
        decided(claims.claims, found, len(looks) + 1),
        looks,
        lines,
        claims.departures,
        f"sharpen replicate {claims.method}",
        _once([one.version for one in made]),
        _once([one.commit for one in made]),
        _once(machines),
        datetime.now(UTC).date().isoformat(),
    )


def _looks(claims: Claims, found: Sequence[Sequence[float]], before: Card | None) -> tuple[Look, ...]:
    """All earlier looks. The same claims, whatever their words, of the same numbers are the same look again."""
    if before is None:
        return ()
    same = [_bare(claim) for claim in claims.claims] == [_bare(claim) for claim in before.claims]
    if same and [tuple(own) for own in found] == [one.values for one in before.findings]:
        return before.looks
    seen = tuple(Seen(one.claim, one.mean, one.p, one.adjusted, one.verdict) for one in before.findings)
    return (*before.looks, Look(before.date, before.digest, before.seeds, seen))


def _bare(claim: Claim) -> Claim:
    """A claim without the words that say it."""
    return replace(claim, says="", source="")


def card_path(folder: Path, method: str) -> Path:
    """Where the card of a method lies, in a folder of claim files."""
    return folder / CARDS / f"{method}.json"


def write_card(folder: Path, card: Card) -> Path:
    """Puts a card beside the claim files, atomically, and says where."""
    path = card_path(folder, card.method)
    text = json.dumps(to_json(card), indent=1, ensure_ascii=False) + "\n"
    with disk.in_a_sentence(f"write the card {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.replace(path, lambda file: file.write(text.encode()))
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
    made = result["made"]
    return Seed(
        seed,
        number(result, "exam", "before", "score"),
        number(result, "exam", "after", "score"),
        {task: number(result, "elsewhere", task, "exam", "after", "score") for task in arm.exams},
        number(result, "spend", "flops"),
        number(result, "spend", "seconds"),
        str(result["run"]),
        tuple(from_json(Made, one) for one in made) if isinstance(made, list) else (),
    )
