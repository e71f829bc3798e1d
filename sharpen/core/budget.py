"""What work costs: spends that add up, budgets in one currency, and who is billed."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal, Protocol, TypeAlias

from sharpen.core.errors import InvalidInput

Currency = Literal["flops", "tokens", "seconds"]


@dataclass(frozen=True, slots=True)
class Spend:
    """Work done: tokens read (prefill, scoring), sampled, and learned (forward and backward); floating-point
    operations; verdicts asked, distinct problems whose label was consulted, references revealed, environment steps;
    seconds."""

    read: int = 0
    sampled: int = 0
    learned: int = 0
    flops: float = 0.0
    verdicts: int = 0
    labelled: int = 0
    references: int = 0
    env_steps: int = 0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Read, sampled and learned together."""
        return self.read + self.sampled + self.learned

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Spend)))

    def __sub__(self, other: "Spend") -> "Spend":
        return Spend(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(Spend)))


Charge: TypeAlias = Callable[[Spend, Spend], None]
"""charge(work, paid), called before the work is done. work: what it would cost alone (each prompt once per call);
paid: what is really computed, caches and sharing considered. Raises BudgetExhausted."""


def free(work: Spend, paid: Spend) -> None:
    """Bills nobody: for examinations, which are never charged to the method."""


class Meter(Protocol):
    """Counts spends by (role, body) and says when the budget is used up."""

    def charge(self, role: str, body: str, work: Spend, paid: Spend) -> None:
        """Books a spend; raises BudgetExhausted, having booked nothing, where it would overdraw the budget."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in one currency: work in flops or tokens, or seconds of the clock."""

    amount: float
    currency: Currency

    def used(self, work: Spend, seconds: float) -> float:
        """How much of this currency a spend is; `seconds` are always what was really paid."""
        return {"flops": work.flops, "tokens": float(work.tokens), "seconds": seconds}[self.currency]

    def __str__(self) -> str:
        if self.currency == "seconds":
            return f"{self.amount / 60:g}min" if self.amount >= 60 else f"{self.amount:g}s"
        short = f"{self.amount:g}".replace("e+0", "e").replace("e+", "e")
        return short + ("flops" if self.currency == "flops" else "tok")


_UNITS: dict[str, tuple[float, Currency]] = {
    "flops": (1.0, "flops"),
    "tok": (1.0, "tokens"),
    "tokens": (1.0, "tokens"),
    "s": (1.0, "seconds"),
    "min": (60.0, "seconds"),
    "h": (3600.0, "seconds"),
}


def parse_budget(text: str) -> Budget:
    """A budget such as 3e13flops, 2e6tok or 10min; raises InvalidInput otherwise."""
    match = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z]+)\s*", text.lower())
    if not match or match[2] not in _UNITS:
        raise InvalidInput(f"expected a budget such as 3e13flops, 2e6tok or 10min, got {text!r}")
    try:
        amount = float(match[1])
    except ValueError:
        raise InvalidInput(f"expected a number before {match[2]!r}, got {match[1]!r}") from None
    if not 0 < amount < float("inf"):
        raise InvalidInput(f"a budget must be > 0 and finite, got {text!r}")
    scale, currency = _UNITS[match[2]]
    return Budget(amount * scale, currency)
