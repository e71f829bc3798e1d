"""What a benchmark found: a record per figure and peer, in a JSON file per machine that only ever holds whole ones."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach: a ratio of ours to the peer's (at least, or at most), a share of the ceiling."""

    ratio: float | None = None
    share: float | None = None
    most: bool = False

    def __str__(self) -> str:
        parts = [f"ratio {'<=' if self.most else '>='} {self.ratio:g}"] if self.ratio is not None else []
        return ", ".join(parts + ([f"ceiling_share >= {self.share:g}"] if self.share is not None else []))

    def met(self, ratio: float | None, share: float | None) -> bool | None:
        """Whether all of it is reached; None where something it speaks of was not measured."""
        if (self.ratio is not None and ratio is None) or (self.share is not None and share is None):
            return None
        right = self.share is None or share is None or share >= self.share
        if self.ratio is None or ratio is None:
            return right
        return right and (ratio <= self.ratio if self.most else ratio >= self.ratio)


@dataclass(frozen=True, slots=True)
class Result:
    """One figure against one peer.

    `ours`, `peer` and `ceiling` are in `unit`, medians over `spread["runs"]` runs; `ratio` is the median of ours over
    the peer's in runs side by side; a peer that is missing is None, and `note` says why."""

    figure: str
    device: str
    model: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    ceiling: float | None
    ceiling_share: float | None
    target: str | None
    met: bool | None
    spread: Mapping[str, Any]
    note: str
    command: str
    commit: str

    @property
    def of(self) -> tuple[str, str]:
        """What is measured again together."""
        return self.figure, self.device


class Results:
    """The file of one machine; every addition is written at once, so that an interrupted run keeps what it finished."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.all = read(path) if path.exists() else []

    def add(self, found: Sequence[Result]) -> None:
        """Puts these results in place of the older ones of their figures."""
        new = {result.of for result in found}
        self.all = sorted([*(old for old in self.all if old.of not in new), *found], key=lambda result: result.of)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps([asdict(result) for result in self.all], indent=1) + "\n", encoding="utf-8")
        os.replace(fresh, self.path)

    def has(self, figure: str, device: str, commit: str) -> bool:
        """Whether this figure was measured on a commit that is known exactly."""
        known = commit != UNKNOWN and not commit.endswith(CHANGED)
        return known and any(r.of == (figure, device) and r.commit == commit for r in self.all)


UNKNOWN, CHANGED = "unknown", "+changes"
"""A commit that nobody knows, and the end of one with changes on top."""


def read(path: Path) -> list[Result]:
    """The results in a file; raises ValueError where an entry has other keys than a Result."""
    names = [field.name for field in fields(Result)]
    entries = json.loads(path.read_text(encoding="utf-8"))
    for entry in entries:
        if sorted(entry) != sorted(names):
            raise ValueError(f"expected the keys {', '.join(names)} in {path}, got {', '.join(entry)}; measure anew")
    return [Result(**entry) for entry in entries]


def spread(**values: Iterable[float]) -> dict[str, Any]:
    """The lowest and highest of each, by name, and how many runs there were."""
    columns = {name: list(column) for name, column in values.items()}
    runs = max(map(len, columns.values()), default=0)
    return {"runs": runs} | {name: [min(column), max(column)] for name, column in columns.items() if column}
