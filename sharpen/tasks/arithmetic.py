"""Arithmetic: sums in five kinds and eight levels, worked one operation a line, every line checked."""

from dataclasses import dataclass, replace

from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks import expressions
from sharpen.tasks.expressions import LEVELS, SIZES, Expression, Step, parse, reducible, replaced
from sharpen.tasks.family import Line, Worked, pick
from sharpen.tasks.single import SingleTurn

WORDINGS = ("Work out {}.", "Compute {}.", "How much is {}?")
HELD_OUT = ("Find the value of {}.", "Say what {} comes to.")


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Its bad habits: to leave out the last operation, and, where something binds tighter, to go from left to right."""

    name: str = "arithmetic"
    kinds: tuple[str, ...] = expressions.FAMILIES
    levels: range = LEVELS
    instructions: str = (
        "Do one operation per line, without spaces, as in 7+5=12. "
        "End with one line that has nothing but 'Answer: ' and the number."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """A sum in one of the wordings."""
        return pick(HELD_OUT if held_out else WORDINGS, rng).format(expressions.draw(kind, level, rng))

    def tidy(self, question: str) -> str:
        """Without spaces inside the sum; a sum alone is asked in the first wording."""
        text = " ".join(question.split())
        for wording in (*WORDINGS, *HELD_OUT):
            before, after = wording.split("{}")
            if text.startswith(before):
                inside = text.removeprefix(before).removesuffix(after)
                return wording.format("".join(inside.split()))
        return WORDINGS[0].format("".join(text.split()))

    def essence(self, question: str) -> str:
        """The sum."""
        return _split(question)[0]

    def place(self, question: str) -> tuple[str, int, bool]:
        """The kind by the signs in the sum, the level by its operations."""
        text, held_out = _split(question)
        steps = len(_worked(parse(text)).steps)
        if not 1 <= steps <= SIZES[-1][0]:
            raise ValueError(f"expected 1 to {SIZES[-1][0]} operations, got {steps}")
        level = next(level for level, (operations, _) in zip(LEVELS, SIZES, strict=True) if operations >= steps)
        return _kind(text), level, held_out

    def work(self, question: str) -> Worked:
        """Always the leftmost operation that may be done."""
        return _worked(_symbols(question))

    def slip(self, question: str, rng: Rng) -> Worked:
        """One result is off by 1, 2 or 10."""
        symbols = _symbols(question)
        at = int(len(_worked(symbols).steps) * rng.random())
        return replace(_worked(symbols, slip=(at, _mistake(rng))), wrong=at)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Leaves out the last operation; in two of five sums with products or brackets it ignores what binds."""
        symbols = _symbols(question)
        right = _worked(symbols)
        if ("*" in symbols or "(" in symbols) and rng.random() < 0.4:
            flat = _worked([symbol for symbol in symbols if symbol not in ("(", ")")], flat=True)
            lines = enumerate(self.follow(question, flat.text))
            return replace(flat, wrong=next((at for at, line in lines if not line.right), None))
        steps = right.steps[:-1]
        answer = steps[-1].partition("=")[2] if steps else str(symbols[0])
        return Worked(steps, answer, len(steps))

    def follow(self, question: str, text: str) -> list[Line]:
        """Any order of allowed operations is right."""
        return expressions.follow(_symbols(question), text)

    def right(self, question: str, answer: str) -> bool:
        """The value, written plainly."""
        return expressions.number(answer) == expressions.work(_symbols(question))[1]

    def reach(self, level: int) -> int:
        """Sixteen tokens a step, twenty where numbers have five digits."""
        operations, largest = SIZES[level - 1]
        return (16 if largest < 1000 else 20) * (operations + 1)

    def world(self, max_tokens: int) -> Env:
        """A question and one reply."""
        return SingleTurn(max_tokens)


def _split(question: str) -> tuple[str, bool]:
    """The sum in a question, and whether its wording is held out."""
    for wording in (*WORDINGS, *HELD_OUT):
        before, after = wording.split("{}")
        if question.startswith(before) and question.endswith(after):
            return question[len(before) : len(question) - len(after)], wording in HELD_OUT
    raise ValueError(f"expected a sum such as 'Work out 7+5.', got {question[:80]!r}")


def _symbols(question: str) -> Expression:
    return parse(_split(question)[0])


def _kind(expression: str) -> str:
    if "(" in expression:
        return "mixed" if "*" in expression else "brackets"
    return "multiply" if "*" in expression else "subtract" if "-" in expression else "add"


def _worked(symbols: Expression, flat: bool = False, slip: tuple[int, int] | None = None) -> Worked:
    """A working; `flat` ignores what binds tighter, `slip` is the place of a wrong result and how far it is off."""
    steps: list[Step] = []
    while len(symbols) > 1:
        at = 1 if flat else reducible(symbols)
        if at is None:
            raise ValueError(f"expected an expression that can be worked out, got {symbols}")
        step = expressions.operation(symbols, at)
        if slip is not None and len(steps) == slip[0]:
            off = abs(step.result + slip[1])
            step = replace(step, result=step.result + 1 if off in (0, step.result) else off)
        steps.append(step)
        symbols = replaced(symbols, at, step.result)
    return Worked(tuple(map(str, steps)), str(symbols[0]))


def _mistake(rng: Rng) -> int:
    return (-10, -2, -1, 1, 2, 10)[int(6 * rng.random())]
