"""Executor: programs of a tiny calculator language, read strictly, run safely, and traced statement by statement."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

LONGEST = 2000  # characters of a program or a solution that are read
LARGEST = 10**9
NUMBER = "(?:0|[1-9][0-9]{0,9})"

_OPERAND = f"([a-z]|{NUMBER})"
_BODY = f"(([a-z])={_OPERAND}(?:([-+*/]){_OPERAND})?)"
_LINE = re.compile(f"(?:repeat ({NUMBER}): |(if {_OPERAND}([<>=]){_OPERAND}: ))?{_BODY}")
_PRINT = re.compile(r"print ([a-z])")


@dataclass(frozen=True, slots=True)
class Statement:
    """One assignment, under a test (low, sign, high) if that is not empty; `again`: a later turn of its loop."""

    text: str
    name: str
    left: str
    sign: str
    right: str
    test: tuple[str, ...]
    again: bool = False


def run(program: str, most: int = 200) -> list[tuple[str, int]]:
    """What each executed assignment sets, in order. Raises ValueError that says why for what is no program, a name
    without a value, a division that is not exact, more than `most` steps, and a number over 10**9."""
    statements, shown = read(program, most)
    values, _ = traced(statements, shown)
    return [(s.name, value) for s, value in zip(statements, values, strict=True) if value is not None]


def printed(program: str) -> int:
    """The number that a program prints; raises ValueError as `run` does."""
    return traced(*read(program, 200))[1]


def read(program: str, most: int) -> tuple[list[Statement], str]:
    """The statements, loops unrolled, and the name that is printed; raises ValueError for what is no program and for
    more than `most` steps."""
    if len(program) > LONGEST:
        raise ValueError(f"expected a program of at most {LONGEST} characters, got {len(program)}")
    *lines, last = program.strip().split("\n")
    shown = _PRINT.fullmatch(last.strip())
    if shown is None or not lines:
        raise ValueError(f"expected assignments and a last line such as 'print a', got {last[:40]!r}")
    statements: list[Statement] = []
    for line in lines:
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"expected a line such as a=3, b=a+4, repeat 3: a=a+2 or if a>5: b=1, got {line[:40]!r}")
        times, condition, low, test, high, body, name, left, sign, right = found.groups("")
        count = int(times or 1)
        if len(statements) + count > most:
            raise ValueError(f"expected at most {most} steps, got more at {line[:40]!r}")
        once = Statement(condition + body, name, left, sign, right, (low, test, high) if test else ())
        statements += [replace(once, again=True) if turn else once for turn in range(count)]
    return statements, shown[1]


def traced(statements: list[Statement], shown: str) -> tuple[list[int | None], int]:
    """The value that each statement sets, None where it is skipped, and the value printed at the end. Raises ValueError
    for a name without a value, a division that is not exact, and a number over 10**9."""
    state: dict[str, int] = {}
    values: list[int | None] = []
    for statement in statements:
        _defined(statement.test[::2], state)
        value = assigned(statement, state)
        if value is not None:
            _defined((statement.left, statement.right), state)
            right = _value(statement.right, state)
            if statement.sign == "/" and (right == 0 or _value(statement.left, state) % right):
                raise ValueError(f"expected divisions without a rest, got {statement.text!r}")
            if abs(value) > LARGEST:
                raise ValueError(f"expected numbers up to {LARGEST}, got a larger one at {statement.text!r}")
            state[statement.name] = value
        values.append(value)
    _defined(shown, state)
    return values, state[shown]


def assigned(statement: Statement, state: Mapping[str, int]) -> int | None:
    """What a statement sets, None where its test fails. To carry mistakes on, `/` rounds down (by 0: 0) and results end
    1 past `LARGEST`."""
    if statement.test:
        low, high = _value(statement.test[0], state), _value(statement.test[2], state)
        if not {"<": low < high, "=": low == high, ">": low > high}[statement.test[1]]:
            return None
    value, right = _value(statement.left, state), _value(statement.right, state)
    if statement.sign == "*":
        value *= right
    elif statement.sign == "/":
        value = value // right if right else 0
    else:
        value += -right if statement.sign == "-" else right
    return max(-LARGEST - 1, min(value, LARGEST + 1))


def _defined(operands: Iterable[str], state: Mapping[str, int]) -> None:
    for operand in operands:
        if operand.isalpha() and operand not in state:
            raise ValueError(f"expected names that have a value, got {operand!r} without one")


def _value(operand: str, state: Mapping[str, int]) -> int:
    """A number, or what a name holds; nothing and a name without a value count as 0."""
    return int(operand) if operand.isdigit() else state.get(operand, 0)
