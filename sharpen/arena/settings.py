"""A run's config.toml: everything that determines it, where it was made, and in which keys two of them differ."""

import os
import platform
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tomli_w

from sharpen import __version__
from sharpen.arena.code import commit
from sharpen.core.errors import CorruptRecord, InvalidInput

PROVENANCE = ("version", "commit", "code", "machine")
"""Keys that say where a run was made; of these only the version has to stay."""


def resolved(config: Mapping[str, object]) -> dict[str, object]:
    """The config as TOML can say it: keys that are None are left out, tuples are lists; raises InvalidInput."""
    return {str(key): _plain(str(key), value) for key, value in config.items() if value is not None}


def _plain(key: str, value: object) -> object:
    if isinstance(value, Mapping):
        return resolved(value)
    if isinstance(value, tuple | list):
        return [_plain(key, item) for item in value]
    for kind in (bool, int, float, str):  # bool first, which is an int too; a subclass becomes what TOML gives back
        if isinstance(value, kind):
            return kind(value)
    raise InvalidInput(f"config.{key} must be made of numbers, strings, lists and mappings, got {value!r}")


def provenance() -> dict[str, object]:
    """This version, the commit of its sources, and this machine."""
    machine: dict[str, object] = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "gpu": "none used",  # every model computes on the processor
    }
    for package in ("torch", "numpy"):
        try:
            machine[package] = version(package)
        except PackageNotFoundError:
            continue
    return {"version": __version__, "commit": commit(), "machine": machine}


def _processor() -> str:
    """The processor by name, where the system tells it; else its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def toml_of(config: Mapping[str, object]) -> str:
    """The text of config.toml."""
    return tomli_w.dumps(dict(config))


def read_toml(path: Path) -> dict[str, object]:
    """What config.toml says; raises CorruptRecord."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorruptRecord(f"{path} is not valid TOML: {error}") from error


def changes(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """`key: old -> new` for every key that determines the run and differs, sorted by key."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        f"{key}: {before.get(key, 'not set')} -> {after.get(key, 'not set')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and key.split(".")[0] not in ("commit", "code", "machine")
    ]


def _flat(config: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", repr(value)
