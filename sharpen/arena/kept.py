"""What a long check has measured, kept one by one, so that the same check goes on where it was interrupted."""

import json
import os
import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from sharpen.arena.disk import append, in_a_sentence, locked, replace
from sharpen.arena.settings import resolved, toml_of
from sharpen.core.archive import from_json, to_json
from sharpen.core.errors import CorruptRecord
from sharpen.core.records import Json

FACTS, MEASURED = "check.toml", "measured.jsonl"
RecordT = TypeVar("RecordT")


class Kept:
    """Records by name, each on a line of its own in the folder of all that determines them: other weights, code or
    settings are another folder. A context, in which no other process may write there."""

    def __init__(self, below: Path, name: str, facts: Mapping[str, object]) -> None:
        self._facts = toml_of(resolved(facts))
        digest = blake2b(self._facts.encode(), digest_size=8).hexdigest()
        self.folder = below / f"{re.sub(r'[^A-Za-z0-9._]+', '-', name)[-40:].strip('-.') or 'x'}-{digest}"
        self._lock: BinaryIO | None = None
        self._found: dict[str, Json] = {}

    def __enter__(self) -> Self:
        with in_a_sentence(f"keep what is measured in {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = locked(self.folder)
            replace(self.folder / FACTS, lambda file: file.write(self._facts.encode()))
        self._found = self._whole()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def __len__(self) -> int:
        return len(self._found)

    def read(self, name: str, cls: type[RecordT]) -> RecordT:
        """The record of a name that was written; raises CorruptRecord where it is no such record."""
        try:
            return from_json(cls, self._found[name])
        except CorruptRecord as error:
            raise CorruptRecord(f"{self.folder / MEASURED}, {name}: {error}; remove it and check again") from error

    def write(self, name: str, record: object) -> None:
        """Keeps a record under a name, wholly or not at all; raises SharpenError where the disk does not take it."""
        found = to_json(record)
        line = json.dumps({"name": name, "record": found}, allow_nan=False).encode() + b"\n"
        with in_a_sentence(f"keep what was measured in {self.folder}"):
            append(self.folder / MEASURED, line)
        self._found[name] = found

    def _whole(self) -> dict[str, Json]:
        """All whole lines; one without its end, which was being written when the process died, is cut off."""
        path = self.folder / MEASURED
        if not path.exists():
            return {}
        text = path.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            os.truncate(path, whole)
        try:
            lines = [json.loads(line) for line in text[:whole].splitlines()]
            return {line["name"]: line["record"] for line in lines}
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptRecord(f"{path} is not what a check wrote ({error}); remove it and check again") from error
