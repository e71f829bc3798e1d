"""Problems of a task's own making, its families in turn."""

from collections.abc import Callable

from sharpen.core.ports import Source
from sharpen.core.records import Problem
from sharpen.core.streams import Rng


def in_turn(source: Source, level: float, n: int, rng: Callable[[str], Rng]) -> list[Problem]:
    """`n` new training problems at a level, one of each family after another; `rng` gives each family's stream."""
    families = source.families()
    each = -(-n // len(families))
    made = [source.generate(family, level, each, rng(family)) for family in families]
    return [problem for row in zip(*made, strict=True) for problem in row][:n]
