"""Countdown: make a number from all of the given numbers, each used once, by +, - and *."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sharpen.core.judging import MARK, final_answer
from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks.family import Line, Worked, pick, trimmed
from sharpen.tasks.reaching import LARGEST, Move, signs_for, solve
from sharpen.tasks.single import SingleTurn

WORDINGS = (
    "Use {numbers} once each to make {target}.",
    "Reach {target} from {numbers}. Use each number once.",
    "Make {target} with all of {numbers}.",
    "The numbers are {numbers}. Use each once to reach {target}.",
)
HELD_OUT = (
    "Get {target} out of {numbers}, each taken once.",
    "What makes {target} if all of {numbers} are used once?",
)
TOP = (10, 10, 20, 20, 50, 50, 50)  # the largest number given, at levels 1 to 7
LONGEST_ANSWER = 60
LONGEST = 20_000  # characters of a reply that are looked at

_PATTERNS = tuple(
    re.compile(re.escape(text).replace(r"\{numbers\}", "([0-9 ]{3,30})").replace(r"\{target\}", "(0|[1-9][0-9]{0,2})"))
    for text in (*WORDINGS, *HELD_OUT)
)
_STEP = re.compile(r"([0-9]{1,9})([-+*])([0-9]{1,9})=([0-9]{1,9})")
_SYMBOL = re.compile(r"[1-9][0-9]{0,2}|[-+*()]")


@dataclass(frozen=True, slots=True)
class Puzzle:
    """What a question asks."""

    numbers: tuple[int, ...]
    target: int
    held_out: bool


def read(question: str) -> Puzzle:
    """The puzzle of a question; raises ValueError where it is none. Whether it can be solved is not looked at."""
    for place, (pattern, text) in enumerate(zip(_PATTERNS, (*WORDINGS, *HELD_OUT), strict=True)):
        found = pattern.fullmatch(question)
        if found:
            listed, target = found.groups() if text.index("{n") < text.index("{t") else found.groups()[::-1]
            words = listed.split(" ")
            if 2 <= len(words) <= len(TOP) + 1 and all(w[:1] not in ("", "0") and len(w) < 3 for w in words):
                numbers = tuple(map(int, words))
                if max(numbers) <= TOP[-1]:
                    return Puzzle(numbers, int(target), place >= len(WORDINGS))
    raise ValueError(f"expected a puzzle such as 'Use 3 5 9 once each to make 24.', got {question[:80]!r}")


def _done(carried: int, sign: str, number: int) -> int:
    return carried * number if sign == "*" else carried + number if sign == "+" else carried - number


def _written(start: int, moves: Sequence[Move]) -> str:
    """A chain as an expression, in brackets what must be worked out before a product."""
    text, loose = str(start), False
    for sign, number in moves:
        if sign == "*" and loose:
            text = f"({text})"
        text, loose = f"{text}{sign}{number}", sign != "*"
    return text


def value(expression: str) -> tuple[int, list[int]] | None:
    """What an expression of whole numbers, +, -, * and brackets comes to, and its numbers in order; None for any other
    text."""
    symbols = _SYMBOL.findall(expression) if len(expression) <= LONGEST_ANSWER else []
    if not symbols or "".join(symbols) != expression:
        return None
    numbers = [int(s) for s in symbols if s.isdigit()]
    try:
        total, at = _sum(symbols, 0)
    except (IndexError, ValueError):
        return None
    return (total, numbers) if at == len(symbols) else None


def _sum(symbols: list[str], at: int) -> tuple[int, int]:
    """The value of the terms from a place on and the place behind them; raises IndexError or ValueError where no term
    stands."""
    total, at = _product(symbols, at)
    while at < len(symbols) and symbols[at] in "+-":
        sign = symbols[at]
        term, at = _product(symbols, at + 1)
        total = _done(total, sign, term)
    return total, at


def _product(symbols: list[str], at: int) -> tuple[int, int]:
    total, at = _factor(symbols, at)
    while at < len(symbols) and symbols[at] == "*":
        factor, at = _factor(symbols, at + 1)
        total *= factor
    return total, at


def _factor(symbols: list[str], at: int) -> tuple[int, int]:
    if symbols[at] != "(":
        return int(symbols[at]), at + 1
    total, at = _sum(symbols, at + 1)
    if symbols[at] != ")":
        raise ValueError(f"expected a closing bracket, got {symbols[at]}")
    return total, at + 1


def _drawn(kind: str, level: int, rng: Rng) -> tuple[list[int], int]:
    """Numbers and a target of 1 to 999, of which a chain of the kind is sure; target 0 where the draw led nowhere."""
    uniform = rng.random
    top = TOP[level - 1]
    carried = 1 + int(top * uniform())
    numbers = [carried]
    due = int(level * uniform()) if kind == "times" else -1
    for place in range(level):
        n = 1 + int(top * uniform())
        numbers.append(n)
        product = carried * n <= LARGEST and kind == "times" and (place == due or uniform() < 0.2)
        sign = "*" if product else "-" if uniform() < 0.5 else "+"
        carried = _done(carried, sign, n)
        if not 0 <= carried <= LARGEST:
            return numbers, 0
    for at in range(level, 0, -1):
        other = int((at + 1) * uniform())
        numbers[at], numbers[other] = numbers[other], numbers[at]
    return numbers, 0 if kind == "times" and signs_for(numbers, carried) else carried


@dataclass(frozen=True)
class Countdown:
    """Puzzles that + and - can solve (plus) and puzzles that need a product (times); a level has one number less than
    are given."""

    name = "countdown"
    kinds = ("plus", "times")
    levels = range(1, len(TOP) + 1)
    instructions = (
        "Take two of the numbers per line and give their sum, difference or product, as in 3*5=15, until one is left. "
        f"End with one line that has nothing but '{MARK} ' and the whole expression, as in 3*5+9."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """A question that a chain solves: each step takes the result of the one before and one more number."""
        numbers, target = _drawn(kind, level, rng)
        while not target:
            numbers, target = _drawn(kind, level, rng)
        wording = pick(HELD_OUT if held_out else WORDINGS, rng)
        return wording.format(numbers=" ".join(map(str, numbers)), target=target)

    def tidy(self, question: str) -> str:
        """Without white space around it and its lines."""
        return trimmed(question)

    def essence(self, question: str) -> str:
        """The numbers, in ascending order, and the target."""
        puzzle = read(question)
        return f"{sorted(puzzle.numbers)} {puzzle.target}"

    def place(self, question: str) -> tuple[str, int, bool]:
        """Raises ValueError, too, where no chain solves it."""
        puzzle, _, moves = _solved(question)
        kind = "times" if any(sign == "*" for sign, _ in moves) else "plus"
        return kind, len(moves), puzzle.held_out

    def work(self, question: str) -> Worked:
        """A chain, the same each time; raises ValueError, too, where there is none."""
        _, start, moves = _solved(question)
        return Worked(_steps(start, moves), _written(start, moves))

    def slip(self, question: str, rng: Rng) -> Worked:
        """One sign is said for another: the step claims what the other gives, and the expression is wrong by it."""
        _, start, moves = _solved(question)
        at = int(len(moves) * rng.random())
        carried = start
        for sign, n in moves[:at]:
            carried = _done(carried, sign, n)
        sign, n = moves[at]
        signs = "+-*" if any(s == "*" for s, _ in moves) else "+-"
        wrong = pick([s for s in signs if _done(carried, s, n) != _done(carried, sign, n)], rng)
        steps = list(_steps(start, moves))
        steps[at] = f"{carried}{wrong}{n}={_done(carried, sign, n)}"
        return Worked(tuple(steps), _written(start, [*moves[:at], (wrong, n), *moves[at + 1 :]]), wrong=at)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Adds everything up, the largest first."""
        puzzle = read(question)
        first, *others = sorted(puzzle.numbers, reverse=True)
        moves = [("+", n) for n in others]
        wrong = None if sum(puzzle.numbers) == puzzle.target else len(moves)
        return Worked(_steps(first, moves), _written(first, moves), wrong)

    def follow(self, question: str, text: str) -> list[Line]:
        """A step is right if it takes two of the numbers that are left and gives their true result, within 0 to 999.
        The expression is judged alone, whatever the steps say."""
        puzzle = read(question)
        numbers, over = list(puzzle.numbers), False
        lines: list[Line] = []
        for line in filter(None, map(str.strip, text[:LONGEST].split("\n"))):
            right = False
            step = _STEP.fullmatch(line)
            if line.startswith(MARK):
                right = not over and self.right(question, final_answer(line) or "")
                over = True
            elif step and not over:
                right = _taken(step, numbers)
            lines.append(Line(line, right, f"{' '.join(map(str, numbers))} to {puzzle.target}"))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """Any expression without spaces that uses each number once and gives the target; at most a full stop more."""
        puzzle = read(question)
        found = value(answer.strip().removesuffix(".")) if len(answer) <= LONGEST_ANSWER + 9 else None
        return found is not None and found[0] == puzzle.target and sorted(found[1]) == sorted(puzzle.numbers)

    def reach(self, level: int) -> int:
        """Twelve tokens for a step and six for a number of the expression, with its sign and brackets."""
        return 24 + 18 * level

    def world(self, max_tokens: int) -> Env:
        """One question, one reply."""
        return SingleTurn(max_tokens)


def _solved(question: str) -> tuple[Puzzle, int, list[Move]]:
    puzzle = read(question)
    chain = solve(puzzle.numbers, puzzle.target)
    if chain is None:
        raise ValueError(f"expected a puzzle that can be solved step by step, got {question[:80]!r}")
    return puzzle, *chain


def _steps(carried: int, moves: Sequence[Move]) -> tuple[str, ...]:
    steps = []
    for sign, n in moves:
        steps.append(f"{carried}{sign}{n}={_done(carried, sign, n)}")
        carried = _done(carried, sign, n)
    return tuple(steps)


def _taken(step: re.Match[str], numbers: list[int]) -> bool:
    """Whether a step is right; its two numbers give way to what it claims, if they are there."""
    left, right = int(step[1]), int(step[3])
    if left not in numbers or numbers.count(left) < 1 + (left == right) or right not in numbers:
        return False
    numbers.remove(left)
    numbers.remove(right)
    numbers.append(int(step[4]))
    result = _done(left, step[2], right)
    return 0 <= result <= LARGEST and step[0] == f"{left}{step[2]}{right}={result}"
