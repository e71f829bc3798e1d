"""From a task's name on the command line to the task."""

from pathlib import Path

from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.ports import Task
from sharpen.core.records import Json
from sharpen.core.streams import SPLITS
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import Family
from sharpen.tasks.gym import Gym
from sharpen.tasks.jsonl import Rows
from sharpen.tasks.ladder import Ladder, Sizes
from sharpen.tasks.rewards import load_reward
from sharpen.tasks.settings import parsed, taken

KINDS = (*FAMILIES, "gym:NAME", "FILE.jsonl")


def open_task(
    spec: str, *, reward: str | None = None, system: str | None = None, max_tokens: int | None = None
) -> Task:
    """FAMILY[:key=value,...] of the embedded world, gym:NAME[:key=value,...] or FILE.jsonl.

    reward: module:function, for a file; system: replaces the task's own instructions; max_tokens: the longest reply
    (None: what the task thinks fit). Raises InvalidInput for what is unknown or does not go together.
    """
    if max_tokens is not None and max_tokens < 1:
        raise InvalidInput(f"max_tokens must be >= 1, got {max_tokens}")
    if spec.endswith(".jsonl"):
        path = Path(spec).expanduser()
        judge = None if reward is None else load_reward(reward)
        return Rows(path, reward=judge, system=system, max_tokens=max_tokens or 128)
    if reward is not None:
        raise InvalidInput(f"expected a task FILE.jsonl with --reward, got {spec!r}, which judges by itself")
    kind, _, rest = spec.partition(":")
    if kind == "gym":
        name, _, settings = rest.partition(":")
        return Gym(name, parsed(settings), system=system, max_tokens=max_tokens or 64)
    if kind not in FAMILIES:
        raise InvalidInput(nearest("task", spec, KINDS))
    if system is not None:
        raise InvalidInput(f"{kind} has instructions of its own; write {kind}:instructions=true instead of --system")
    return _ladder(FAMILIES[kind], parsed(rest), max_tokens)


def _ladder(family: Family, settings: dict[str, Json], max_tokens: int | None) -> Ladder:
    default = Sizes()
    sizes = Sizes(**{split: taken(settings, split, default.of(split), 1, 10**6) for split in SPLITS})
    levels = _levels(settings.pop("level", 3), family)
    kinds = _names(settings.pop("kind", "all"))
    switches = {key: settings.pop(key, False) for key in ("instructions", "held_out")}
    for key, value in switches.items():
        if not isinstance(value, bool):
            raise InvalidInput(f"expected {key}=true or false, got {value!r}")
    for key in settings:
        known = ("level", "kind", *switches, *SPLITS)
        raise InvalidInput(nearest(f"setting of {family.name}", key, known))
    return Ladder(
        family,
        levels=levels,
        kinds=() if kinds == ("all",) else kinds,
        instructions=bool(switches["instructions"]),
        held_out=bool(switches["held_out"]),
        max_tokens=max_tokens,
        sizes=sizes,
    )


def _levels(value: Json, family: Family) -> tuple[int, ...]:
    """One level, or several written a;b;c."""
    values = value if isinstance(value, list) else [value]
    low, high = family.levels[0], family.levels[-1]
    for one in values:
        if not isinstance(one, int) or isinstance(one, bool) or not low <= one <= high:
            raise InvalidInput(f"level must be a whole number from {low} to {high}, got {one!r}")
    return tuple(one for one in values if isinstance(one, int))


def _names(value: Json) -> tuple[str, ...]:
    """One kind, or several written a;b;c."""
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in values):
        raise InvalidInput(f"expected kind=NAME or kind=NAME;NAME, got {value!r}")
    return tuple(one for one in values if isinstance(one, str))
