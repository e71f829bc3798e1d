"""Runs as their journals tell them: settings, score on dev and spend after each round, and the result."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sharpen.core.errors import CorruptRecord, InvalidInput

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """A finished round: what had been spent when it ended, and the score on dev (None: not examined)."""

    round: int
    flops: float
    seconds: float
    dev: float | None


@dataclass(frozen=True, slots=True)
class Gain:
    """What a method gained on held-out problems: the mean paired difference to the start, its interval and p-value
    (adjusted for the number of methods, None where unknown), and in words what the interval is over or why there is
    none."""

    mean: float
    low: float | None
    high: float | None
    p: float | None
    label: str

    @property
    def clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Outcome:
    """What result.json says, in numbers: scores on test and their difference, the start's score on dev, FLOPs and other
    spends of the training, FLOPs per answered problem."""

    before: float
    after: float
    gain: Gain
    dev_before: float | None
    flops: float
    inference: float
    inference_before: float
    verdicts: float
    labelled: float
    seconds: float
    unspent: float
    ended: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its folder, its settings as config.toml has them, its rounds, and its outcome once it is over."""

    folder: Path
    config: Facts
    points: tuple[Point, ...]
    outcome: Outcome | None
    name: str = ""

    @property
    def method(self) -> str:
        """The method with its variant, or the name it was given to tell it apart."""
        return self.name or str(self.config["method"])

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.config["seed"])

    def finished(self) -> Outcome:
        """The outcome; raises InvalidInput while there is none."""
        if self.outcome is None:
            raise InvalidInput(f"expected a finished run, got {self.folder}; sharpen resume {self.folder} finishes it")
        return self.outcome


def read_run(folder: Path) -> Run:
    """The run in a folder; raises InvalidInput where there is none, CorruptRecord where it does not read back."""
    config = folder / "config.toml"
    if not config.is_file():
        raise InvalidInput(f"expected the folder of a run (with a config.toml), got {folder}")
    try:
        facts = tomllib.loads(config.read_text(encoding="utf-8"))
        points = tuple(_point(json.loads(line)) for line in _whole_lines(folder / "rounds.jsonl"))
        return Run(folder, facts, points, _outcome(folder / "result.json"))
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as wrong:
        raise CorruptRecord(
            f"expected a readable journal in {folder}, got {type(wrong).__name__}: {wrong}; restore it, or run anew"
        ) from wrong


def read_runs(below: Path) -> list[Run]:
    """All runs in a folder or under it, by path."""
    return [read_run(path.parent) for path in sorted(below.rglob("config.toml")) if path.parent.name != "solver"]


def _whole_lines(path: Path) -> list[str]:
    """Finished lines only: a run that is being written may end in half of one."""
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _point(line: Facts) -> Point:
    flops = sum(float(charged["work"].get("flops", 0.0)) for charged in line["spent"])
    dev = line.get("dev")
    return Point(int(line["number"]), flops, float(line["seconds"]), None if dev is None else float(dev))


def _outcome(path: Path) -> Outcome | None:
    if not path.is_file():
        return None
    said: Facts = json.loads(path.read_text(encoding="utf-8"))
    spend, before, after = said["spend"], said["exam"]["before"], said["exam"]["after"]
    gained = said["exam"]["difference"]
    return Outcome(
        before=float(before["score"]),
        after=float(after["score"]),
        gain=Gain(float(gained["mean"]), gained["low"], gained["high"], None, str(gained["label"])),
        dev_before=said.get("dev", {}).get("before"),
        flops=float(spend["flops"]),
        inference=float(after["inference"]["flops"]),
        inference_before=float(before["inference"]["flops"]),
        verdicts=float(spend["work"]["verdicts"]),
        labelled=float(spend["work"]["labelled"]),
        seconds=float(spend["seconds"]),
        unspent=float(spend.get("unspent", 0.0)),
        ended=str(said.get("ended", "finished")),
    )
