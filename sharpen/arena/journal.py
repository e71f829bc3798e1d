"""The journal of a run: its folder, in which every finished round is kept whole whatever happens to the process."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sharpen.arena.code import Made
from sharpen.arena.disk import append, in_a_sentence, locked, replace
from sharpen.arena.parquet import read_attempts, write_attempts
from sharpen.arena.settings import PROVENANCE, changes, provenance, read_toml, resolved, toml_of
from sharpen.core.archive import OWN, from_json, to_json
from sharpen.core.attempts import Attempts
from sharpen.core.budget import Spend
from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.method import Round
from sharpen.core.records import Json, Judged

CONFIG, ROUNDS, ATTEMPTS, RESULT = "config.toml", "rounds.jsonl", "attempts.parquet", "result.json"
MADE = "made.jsonl"
_LONGEST_PART = 48


@dataclass(frozen=True, slots=True)
class Charged:
    """What one body has been used for in one role since the run began."""

    role: str
    body: str
    work: Spend
    paid: Spend


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of rounds.jsonl: a finished round (`number` counts from 1), what had been spent when it ended (`seconds`
    of the clock, since the run began), its score on dev if it was examined, and the ids of the problems whose labels
    were consulted for the first time in it."""

    number: int
    round: Round
    spent: tuple[Charged, ...]
    seconds: float
    dev: float | None = None
    labelled: tuple[str, ...] = ()


class Journal:
    """A run's folder. `create` and `open` lock it for writing until `close`; `read` only looks."""

    def __init__(self, folder: Path, allowed: tuple[str, ...] = OWN, lock: BinaryIO | None = None) -> None:
        self.folder = folder
        self._allowed = allowed
        self._lock = lock
        self._written = len(self._lines())

    @classmethod
    def create(cls, folder: Path, config: Mapping[str, object], allowed: tuple[str, ...] = OWN) -> Self:
        """A new run; version, commit and machine are added to its config. Raises InvalidInput where there is one."""
        text = toml_of(resolved(config) | provenance())
        with in_a_sentence(f"begin the run {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            lock = locked(folder)
        journal = cls(folder, allowed, lock)
        if (folder / CONFIG).exists():
            journal.close()
            raise InvalidInput(f"expected no run in {folder}, got one; resume it, or choose another folder")
        with in_a_sentence(f"begin the run {folder}"):
            replace(folder / CONFIG, lambda file: file.write(text.encode()))
        return journal

    @classmethod
    def open(cls, folder: Path, allowed: tuple[str, ...] = OWN) -> Self:
        """A run to be continued: what an interrupted write left behind is dropped. `allowed` are the modules that may
        hold classes of states and solvers. Raises InvalidInput where there is no run, or another writes to it."""
        cls.read(folder)
        with in_a_sentence(f"continue the run {folder}"):
            journal = cls(folder, allowed, locked(folder))
            journal._drop_leftovers()
        return journal

    @classmethod
    def read(cls, folder: Path, allowed: tuple[str, ...] = OWN) -> Self:
        """A run to look at, even while it is being written. Raises InvalidInput where there is none."""
        if not (folder / CONFIG).is_file():
            raise InvalidInput(f"expected the folder of a run, got {folder}, which has no {CONFIG}")
        return cls(folder, allowed)

    def close(self) -> None:
        """Lets others write."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def config(self) -> Mapping[str, object]:
        """What config.toml says (keys that are None are not in it)."""
        return read_toml(self.folder / CONFIG)

    @property
    def solver(self) -> Path:
        """The folder of what was delivered."""
        return self.folder / "solver"

    def check_config(self, config: Mapping[str, object]) -> None:
        """Raises InvalidInput that says what changed, where this config or this version is not that of the run."""
        if changed := changes(self.config, resolved(config) | provenance()):
            raise InvalidInput(
                f"expected the config that {self.folder.name} began with, got {'; '.join(changed)}; "
                "go on with what it was, or begin anew in another folder"
            )

    def made(self) -> tuple[Made, ...]:
        """The code that the run was begun by, and what else it was gone on with, in order."""
        config, path = self.config, self.folder / MADE
        begun = Made(*(str(config.get(key, "")) for key in ("version", "commit", "code")))
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        try:
            return (begun, *(from_json(Made, json.loads(line)) for line in lines))
        except (CorruptRecord, ValueError) as error:
            raise CorruptRecord(f"{path}: {error}") from error

    def sign(self, made: Made) -> None:
        """Notes the code that the run is gone on with, where it is not that of before."""
        self._require_lock()
        if made != self.made()[-1]:
            with in_a_sentence(f"continue the run {self.folder}"):
                append(self.folder / MADE, json.dumps(to_json(made)).encode() + b"\n")

    def rounds(self) -> Iterator[Entry]:
        """All finished rounds, in order; raises CorruptRecord."""
        for number, line in enumerate(self._lines(), start=1):
            yield self._entry(number, line)

    def last_round(self) -> Entry | None:
        """The last finished round."""
        lines = self._lines()
        return self._entry(len(lines), lines[-1]) if lines else None

    def attempts(self, number: int) -> Attempts:
        """The judged attempts of a round; empty where none were made."""
        part = self._part(number)
        return read_attempts(part) if part.exists() else Attempts.of(())

    def write_round(self, entry: Entry, attempts: Attempts | Sequence[Judged] = ()) -> None:
        """Adds the next round, wholly or not at all: its attempts first, then its line, which makes it count.

        Raises SharpenError where the disk does not take it, CorruptRecord where the round could not be read back.
        """
        self._require_lock()
        number = self._written + 1
        if entry.number != number:
            raise InvalidInput(f"expected round {number} of {self.folder.name}, got round {entry.number}")
        line = json.dumps(to_json(entry), allow_nan=False).encode() + b"\n"
        self._entry(number, line)
        block = attempts if isinstance(attempts, Attempts) else Attempts.of(attempts)
        with in_a_sentence(f"write round {number} of {self.folder}"):
            self._part(number).unlink(missing_ok=True)
            if len(block):
                self._part(number).parent.mkdir(exist_ok=True)
                replace(self._part(number), lambda file: write_attempts(block, number, file))
            append(self.folder / ROUNDS, line)
        self._written = number

    def write_result(self, result: Mapping[str, Json]) -> None:
        """Writes result.json, atomically; numbers that are not finite become "nan", "inf" and "-inf"."""
        self._require_lock()
        text = json.dumps(_finite(result), indent=2, allow_nan=False)
        with in_a_sentence(f"write the result of {self.folder}"):
            replace(self.folder / RESULT, lambda file: file.write(text.encode()))

    def result(self) -> Mapping[str, Json] | None:
        """What result.json says, once the run is over."""
        path = self.folder / RESULT
        if not path.exists():
            return None
        try:
            result = json.loads(path.read_bytes())
        except ValueError as error:
            raise CorruptRecord(f"{path} is not valid JSON ({error}); delete it and resume the run") from error
        if not isinstance(result, dict):
            raise CorruptRecord(f"expected a mapping in {path}, got {type(result).__name__}")
        return result

    def _part(self, number: int) -> Path:
        return self.folder / ATTEMPTS / f"round-{number:04d}.parquet"

    def _lines(self) -> list[bytes]:
        """The whole lines of rounds.jsonl: one without its end was being written when the process died."""
        path = self.folder / ROUNDS
        return path.read_bytes().split(b"\n")[:-1] if path.exists() else []

    def _entry(self, number: int, line: bytes) -> Entry:
        try:
            entry = from_json(Entry, json.loads(line), self._allowed)
        except (CorruptRecord, ValueError) as error:
            raise CorruptRecord(f"{self.folder / ROUNDS}, line {number}: {error}") from error
        if entry.number != number:
            raise CorruptRecord(f"{self.folder / ROUNDS}, line {number}: expected round {number}, got {entry.number}")
        return entry

    def _drop_leftovers(self) -> None:
        lines = self._lines()
        whole = sum(len(line) + 1 for line in lines)
        path = self.folder / ROUNDS
        if path.exists() and path.stat().st_size > whole:
            os.truncate(path, whole)
        known = {self._part(number).name for number in range(1, len(lines) + 1)}
        for part in sorted((self.folder / ATTEMPTS).glob("*")):
            if part.name not in known:
                part.unlink()

    def _require_lock(self) -> None:
        if self._lock is None:
            raise InvalidInput(f"expected a journal that was opened for writing, got {self.folder} opened for reading")


def run_folder(below: Path, config: Mapping[str, object]) -> Path:
    """<task>--<model>--<method>--<seed>-<hash of the config>, safe as a name; where it was made does not count."""
    known = {key: value for key, value in resolved(config).items() if key not in PROVENANCE}
    digest = blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=4).hexdigest()
    parts = [_safe(str(config[key])) for key in ("task", "model", "method", "seed")]
    return below / f"{'--'.join(parts)}-{digest}"


def _safe(name: str) -> str:
    """A part of a folder's name: other characters become a dash, and no two dashes follow each other."""
    return re.sub(r"[^A-Za-z0-9._+]+", "-", name)[:_LONGEST_PART].strip("-.") or "x"


def number(result: Mapping[str, Json], *path: str) -> float:
    """The number at a path of a result; raises CorruptRecord where there is none."""
    value: Json = result
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, int | float):
        raise CorruptRecord(f"expected a number at {'.'.join(path)} of a result, got {value!r}; run it anew")
    return value


def runs_below(folder: Path) -> list[Path]:
    """The folders of all runs below a folder (or the folder itself), sorted."""
    return sorted(path.parent for path in folder.rglob(CONFIG))


def _finite(data: Json) -> Json:
    if isinstance(data, float) and not isfinite(data):
        return str(data)
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [_finite(value) for value in data]
    return data
