"""Weights to bytes: in memory while somebody holds the name, on disk once a run saves them, whole or not at all."""

import json
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sharpen.core.errors import CorruptRecord, SharpenError
from sharpen.core.records import Weights
from sharpen.core.training import Adapter, Head

FORMAT = "sharpen-weights-1"


@dataclass(frozen=True, eq=False)
class Stored:
    """The bytes behind a name.

    tensors   a full state (every parameter by its name in the network, and the heads), or only an adapter and the heads
    of        what an entry without a full state sits on; None: a full state
    adapter   the shape of the adapter in `tensors`, if there is one
    heads     all heads of these weights; their tensors are in `tensors`
    moments   the optimiser's state, "<tensor>.<moment>"; None where nothing will inherit it
    step      optimiser steps from the base to here
    """

    tensors: Mapping[str, Tensor]
    of: Weights | None = None
    adapter: Adapter | None = None
    heads: Mapping[str, Head] = field(default_factory=dict)
    moments: Mapping[str, Tensor] | None = None
    step: int = 0


Fetch = Callable[[Weights], Stored]


class Store:
    """Names to bytes: memory holds what some `Weights` object names, the folder what `keep` was last told to keep."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory: dict[str, Stored] = {}
        self._given: dict[str, str] = {}
        self._sound: set[str] = set()
        self._holders: dict[str, dict[int, weakref.ref[Weights]]] = {}

    def put(self, weights_id: str, body: str, stored: Stored, *, given: bool = False) -> Weights:
        """The name of these bytes, which are never to be changed. `given` bytes come with the model: they stay in
        memory whoever names them, and are never written."""
        weights = Weights(weights_id, body)
        self._memory[weights_id] = stored
        if given:
            self._given[weights_id] = body
        if stored.of is not None:
            self._hold(stored.of)
        self._hold(weights)
        return weights

    def get(self, weights: Weights) -> Stored:
        """The bytes of a name, from memory or else from disk; raises CorruptRecord where they are in neither."""
        stored = self._memory.get(weights.id)
        if stored is None:
            stored = self._memory[weights.id] = self._read(weights)
            if stored.of is not None:
                self._hold(stored.of)
        self._hold(weights)
        return stored

    def keep(self, live: Iterable[Weights]) -> None:
        """Writes the live weights and what they sit on, then forgets all others, in memory and of these bodies on disk.
        Nothing is forgotten where a write fails."""
        needed: dict[str, Weights] = {}
        for weights in live:
            for link in self._chain(weights):
                needed[link.id] = link
        for weights in needed.values():
            self._write(weights)
        for name in [name for name in self._memory if name not in needed and name not in self._given]:
            self._forget(name)
        if self._folder is not None and self._folder.is_dir():
            self._clean(self._folder, needed.values())

    def _chain(self, weights: Weights) -> Iterator[Weights]:
        link: Weights | None = weights
        while link is not None:
            yield link
            link = None if link.id in self._given else self.get(link).of

    def _hold(self, weights: Weights) -> None:
        """Counts this very object among the holders of its name; equal ones count apart."""
        holders, key, name = self._holders.setdefault(weights.id, {}), id(weights), weights.id
        if key in holders:
            return
        store = weakref.ref(self)

        def gone(_: "weakref.ref[Weights]") -> None:
            alive = store()
            if alive is not None:
                alive._released(name, key)

        holders[key] = weakref.ref(weights, gone)

    def _released(self, name: str, key: int) -> None:
        holders = self._holders.get(name, {})
        holders.pop(key, None)
        if not holders and name not in self._given:
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._holders.pop(name, None)
        self._memory.pop(name, None)

    def _file(self, weights: Weights, folder: Path) -> Path:
        return folder / f"{_plain(weights.body)}--{_plain(weights.id)}.safetensors"

    def _write(self, weights: Weights) -> None:
        if self._folder is None or weights.id in self._given or weights.id in self._sound:
            return
        write(self._file(weights, self._folder), weights, self.get(weights))
        self._sound.add(weights.id)

    def _read(self, weights: Weights) -> Stored:
        file = None if self._folder is None else self._file(weights, self._folder)
        if file is None or not file.exists():
            raise CorruptRecord(
                f"expected the bytes of weights {weights.id}, got none in memory{f' nor at {file}' if file else ''}; "
                "they were not kept: start again from weights that a saved round names"
            )
        stored = read(file, weights)
        self._sound.add(weights.id)
        return stored

    def _clean(self, folder: Path, needed: Iterable[Weights]) -> None:
        kept = {self._file(weights, folder).name for weights in needed}
        bodies = {_plain(body) for body in self._given.values()} | {name.split("--")[0] for name in kept}
        for file in sorted(folder.glob("*--*.safetensors*")):
            if file.name not in kept and file.name.split("--")[0] in bodies:
                file.unlink(missing_ok=True)
                self._sound.discard(file.name.split("--", 1)[1].removesuffix(".safetensors"))


def write(file: Path, weights: Weights, stored: Stored) -> None:
    """One safetensors file, whole or not at all; raises SharpenError where the disk refuses it."""
    tensors = {f"tensors/{name}": tensor for name, tensor in stored.tensors.items()}
    tensors |= {f"moments/{name}": tensor for name, tensor in (stored.moments or {}).items()}
    header = {
        "format": FORMAT,
        "id": weights.id,
        "body": weights.body,
        "of": None if stored.of is None else [stored.of.id, stored.of.body],
        "adapter": None if stored.adapter is None else asdict(stored.adapter),
        "heads": [asdict(head) for head in stored.heads.values()],
        "moments": stored.moments is not None,
        "step": stored.step,
    }
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: t.detach().cpu().contiguous() for name, t in tensors.items()},
            partial,
            {"sharpen": json.dumps(header)},
        )
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, file)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise SharpenError(
            f"expected to write {file}, got: {error}; free some space or choose another folder, then resume"
        ) from error


def read(file: Path, weights: Weights) -> Stored:
    """What `write` wrote; raises CorruptRecord where the file is truncated, or not of these weights."""
    try:
        with safe_open(file, framework="pt") as opened:
            header = json.loads((opened.metadata() or {}).get("sharpen", "{}"))
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a mapping)
        if (header.get("format"), header.get("id"), header.get("body")) != (FORMAT, weights.id, weights.body):
            raise CorruptRecord(_corrupt(file, f"it is not a file of weights {weights.id}"))
        return _stored(header, tensors)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CorruptRecord(_corrupt(file, str(error))) from error


def _stored(header: dict[str, Any], tensors: Mapping[str, Tensor]) -> Stored:
    def under(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

    adapter = header["adapter"]
    return Stored(
        under("tensors/"),
        None if header["of"] is None else Weights(*header["of"]),
        None if adapter is None else Adapter(**{**adapter, "targets": tuple(adapter["targets"])}),
        {head["name"]: Head(**head) for head in header["heads"]},
        under("moments/") if header["moments"] else None,
        int(header["step"]),
    )


def _corrupt(file: Path, why: str) -> str:
    return f"expected stored weights in {file}, got a file that cannot be used ({why}); delete it and resume the run"


def _plain(name: str) -> str:
    """The name as it may stand in a file's name; names that differ stay different."""
    return "".join(c if c.isalnum() or c in "._" else f"%{ord(c):x}" for c in name)
