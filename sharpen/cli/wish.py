"""What a user may ask for, as flags, and what is taken where nothing is said."""

from dataclasses import dataclass, replace
from pathlib import Path

TASK, MODEL, BUDGET, OUT = "arithmetic", "nano", "3e12flops", Path("runs")
CLAIMS = Path("claims")
ROLES = ("model", "teacher", "judge")
ASKING = ("system", "reward", "max_tokens")
LIMITS = ("rounds", "dev", "test")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user said on the command line; None or empty where nothing was said."""

    task: str | None = None
    model: str | None = None
    teacher: str | None = None
    judge: str | None = None
    budget: str | None = None
    seed: int | None = None
    settings: tuple[str, ...] = ()
    config: Path | None = None
    system: str | None = None
    reward: str | None = None
    max_tokens: int | None = None
    rounds: int | None = None
    dev: int | None = None
    test: int | None = None

    @property
    def asks(self) -> bool:
        """Whether anything is said about how the task is asked."""
        return any(getattr(self, name) is not None for name in ASKING)

    def within(self, rounds: int | None, dev: int | None, test: int | None) -> "Wish":
        """The same with limits on rounds and on the problems examined."""
        return replace(self, rounds=rounds, dev=dev, test=test)
