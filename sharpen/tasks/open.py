"""From a task's name on the command line to the task."""

from pathlib import Path

from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.ports import Task
from sharpen.core.records import Json
from sharpen.core.streams import SPLITS
from sharpen.tasks.arithmetic import Arithmetic, Sizes
from sharpen.tasks.gym import Gym
from sharpen.tasks.jsonl import Rows
from sharpen.tasks.rewards import load_reward
from sharpen.tasks.settings import parsed, taken

KINDS = ("arithmetic", "gym:NAME", "FILE.jsonl")


def open_task(
    spec: str, *, reward: str | None = None, system: str | None = None, max_tokens: int | None = None
) -> Task:
    """arithmetic[:key=value,...], gym:NAME[:key=value,...] or FILE.jsonl.

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
    if kind != "arithmetic":
        raise InvalidInput(nearest("task", spec, KINDS))
    if system is not None:
        raise InvalidInput(
            "arithmetic has instructions of its own; write arithmetic:instructions=true instead of --system"
        )
    return _arithmetic(parsed(rest), max_tokens)


def _arithmetic(settings: dict[str, Json], max_tokens: int | None) -> Arithmetic:
    default = Sizes()
    sizes = Sizes(**{split: taken(settings, split, default.of(split), 1, 10**6) for split in SPLITS})
    level = taken(settings, "level", 3, 1, 8)
    family = settings.pop("family", "all")
    instructions = settings.pop("instructions", False)
    if not isinstance(family, str) or not isinstance(instructions, bool):
        raise InvalidInput(f"expected family=NAME and instructions=true or false, got {family!r} and {instructions!r}")
    for key in settings:
        raise InvalidInput(nearest("setting of arithmetic", key, ("level", "family", "instructions", *SPLITS)))
    return Arithmetic(level=level, family=family, instructions=instructions, max_tokens=max_tokens, sizes=sizes)
