"""Sums of whole numbers: drawn by family and level, worked one operation at a time, and checked line by line."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sharpen.core.judging import MARK, final_answer
from sharpen.core.streams import Rng
from sharpen.tasks.family import Line

Symbol = int | str
Expression = list[Symbol]

FAMILIES = ("add", "subtract", "multiply", "brackets", "mixed")
LEVELS = range(1, 9)

# (operations, largest number) of levels 1 to 8. Families that need two operations have SMALLEST at level 1.
SIZES = ((1, 99), (2, 50), (3, 50), (4, 99), (5, 99), (6, 200), (8, 500), (12, 9999))
SMALLEST = (2, 20)

_SYMBOL = re.compile(r"[0-9]+|[-+*()]")
_EXPRESSION = re.compile(r"[-+*()0-9]{1,400}")
_STEP = re.compile(r"(-?(?:0|[1-9][0-9]*))([-+*])(-?(?:0|[1-9][0-9]*))=(-?(?:0|[1-9][0-9]*))")
_ANSWER = re.compile(r"(-?(?:0|[1-9][0-9]{0,30}))\.?")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2}
_APPLY: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a working: `left operator right = result`, written without spaces."""

    left: int
    operator: str
    right: int
    result: int

    def __str__(self) -> str:
        return f"{self.left}{self.operator}{self.right}={self.result}"


def draw(family: str, level: int, rng: Rng) -> str:
    """An expression such as `7+5*3`, whose every intermediate result is zero or more.

    family: one of `FAMILIES`; level: 1 to 8, more operations on larger numbers as it rises. Only `rng.random` is
    used, so the same generator state gives the same expression on every machine.
    """
    operations, largest = SIZES[level - 1]
    if family not in ("add", "subtract"):
        operations, largest = (operations, largest) if operations > 1 else SMALLEST
    needed = {"subtract": "-", "multiply": "*", "brackets": "("}.get(family, "")
    while True:
        text = _chain(family, operations, largest, rng.random)
        if needed in text:
            return text


def _chain(family: str, operations: int, largest: int, uniform: Callable[[], float]) -> str:
    """Terms joined by + and -; the operations inside the terms and between them add up to `operations`."""
    text, value, left = _term(family, operations, largest, uniform)
    while left:
        term, size, left = _term(family, left - 1, largest, uniform)
        if size > value or family == "add" or uniform() < 0.5:
            text, value = f"{text}+{term}", value + size
        else:
            text, value = f"{text}-{term}", value - size
    return text


def _term(family: str, left: int, largest: int, uniform: Callable[[], float]) -> tuple[str, int, int]:
    """A number, a product or a bracket: its text, its value and how many of `left` operations it leaves over."""
    if left and uniform() < 0.5:
        if family == "multiply" or (family == "mixed" and uniform() < 0.5):
            a, b = 2 + int(8 * uniform()), 2 + int(8 * uniform())
            return f"{a}*{b}", a * b, left - 1
        if family in ("brackets", "mixed"):
            return _bracket(left, largest, uniform)
    a = 1 + int(largest * uniform())
    return str(a), a, left


def _bracket(left: int, largest: int, uniform: Callable[[], float]) -> tuple[str, int, int]:
    """A bracketed sum or difference, sometimes multiplied by a digit; its text, value and the operations left over."""
    times = 2 + int(8 * uniform()) if left > 1 and uniform() < 0.5 else 1
    top = 9 if times > 1 else largest
    a, b = 1 + int(top * uniform()), 1 + int(top * uniform())
    if uniform() < 0.5:
        text, value = f"({a}+{b})", a + b
    else:
        a, b = max(a, b), min(a, b)
        text, value = f"({a}-{b})", a - b
    if times == 1:
        return text, value, left - 1
    return (f"{text}*{times}" if uniform() < 0.5 else f"{times}*{text}"), value * times, left - 2


def parse(text: str) -> Expression:
    """The symbols of an expression; raises ValueError where it is not numbers joined by +, -, * and brackets."""
    if not _EXPRESSION.fullmatch(text):
        raise ValueError(f"expected a sum such as 7+5*(3-1), got {text[:80]!r}")
    symbols: Expression = [int(s) if s.isdigit() else s for s in _SYMBOL.findall(text)]
    trial = _unwrapped(symbols)
    while len(trial) > 1:
        at = reducible(trial)
        if at is None:
            raise ValueError(f"expected a sum such as 7+5*(3-1), got {text[:80]!r}")
        trial = replaced(trial, at, 1)
    if not isinstance(trial[0], int):
        raise ValueError(f"expected a sum such as 7+5*(3-1), got {text[:80]!r}")
    return _unwrapped(symbols)


def reducible(symbols: Expression, start: int = 1) -> int | None:
    """Where the first operator stands, from index `start`, that may be worked out now; None if there is none."""
    last = len(symbols) - 1
    for at in range(start, last):
        rank = _PRECEDENCE.get(symbols[at])  # type: ignore[arg-type]  # a number is simply not a key
        if rank is None or not isinstance(symbols[at - 1], int) or not isinstance(symbols[at + 1], int):
            continue
        before = _PRECEDENCE.get(symbols[at - 2], 0) if at > 1 else 0  # type: ignore[arg-type]  # as above
        after = _PRECEDENCE.get(symbols[at + 2], 0) if at + 2 <= last else 0  # type: ignore[arg-type]  # as above
        if before < rank >= after:
            return at
    return None


def replaced(symbols: Expression, at: int, result: int) -> Expression:
    """The expression after the operation at index `at` has given `result`; a bracket round a lone number goes."""
    low, high = at - 1, at + 2
    while low > 0 and high < len(symbols) and symbols[low - 1] == "(" and symbols[high] == ")":
        low, high = low - 1, high + 1
    return [*symbols[:low], result, *symbols[high:]]


def _unwrapped(symbols: Expression) -> Expression:
    """The expression without brackets round single numbers."""
    rest = list(symbols)
    at = 0
    while at < len(rest) - 2:
        if rest[at] == "(" and isinstance(rest[at + 1], int) and rest[at + 2] == ")":
            rest[at : at + 3] = [rest[at + 1]]
            at = max(at - 1, 0)
        else:
            at += 1
    return rest


def operation(symbols: Expression, at: int) -> Step:
    """The operation at index `at`, worked out rightly."""
    left, operator, right = symbols[at - 1 : at + 2]
    if not isinstance(left, int) or not isinstance(operator, str) or not isinstance(right, int):
        raise ValueError(f"expected number, operator, number at {at}, got {left} {operator} {right}")
    return Step(left, operator, right, _APPLY[operator](left, right))


def work(symbols: Expression) -> tuple[list[Step], int]:
    """Every step, always the leftmost operation that may be done, and the value."""
    steps: list[Step] = []
    while len(symbols) > 1:
        at = reducible(symbols)
        if at is None:
            raise ValueError(f"expected an expression that can be worked out, got {symbols}")
        steps.append(operation(symbols, at))
        symbols = replaced(symbols, at, steps[-1].result)
    value = symbols[0]
    if not isinstance(value, int):
        raise ValueError(f"expected a number, got {value}")
    return steps, value


def answered(text: str) -> int | None:
    """The number after the marker; None unless the marker stands once and nothing but one number follows it."""
    return number(final_answer(text) or "")


def number(text: str) -> int | None:
    """A whole number written plainly, a full stop behind it allowed; None for all else."""
    found = _ANSWER.fullmatch(text)
    return int(found[1]) if found else None


def follow(symbols: Expression, text: str) -> list[Line]:
    """What each line of a solution does to the expression; blank lines are left out.

    A step is right if it takes an operation that may be done now and gives its true result. What it claims is carried
    on, so a later step is judged by what stands before it. The answer is right if it is the one number that is left.
    """
    lines: list[Line] = []
    for text_line in filter(None, map(str.strip, text.split("\n"))):
        if text_line.startswith(MARK):
            right = len(symbols) == 1 and answered(text_line) == symbols[0]
        else:
            step = _read(text_line)
            at = _place(symbols, step) if step else None
            right = at is not None and step == operation(symbols, at)
            if step is not None and at is not None:
                symbols = replaced(symbols, at, step.result)
        lines.append(Line(text_line, right, "".join(map(str, symbols))))
    return lines


def _read(line: str) -> Step | None:
    """A line such as `7+5=12` as a step; None if it is anything else."""
    found = _STEP.fullmatch(line)
    if found is None or len(line) > 200:
        return None
    return Step(int(found[1]), found[2], int(found[3]), int(found[4]))


def _place(symbols: Expression, step: Step) -> int | None:
    """Where the operation of a step may be done in the expression; None if nowhere."""
    at = reducible(symbols)
    while at is not None:
        if symbols[at - 1 : at + 2] == [step.left, step.operator, step.right]:
            return at
        at = reducible(symbols, at + 1)
    return None
