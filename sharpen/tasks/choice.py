"""Questions with a few possible answers: the option that is right, the category of a word, more or less, a label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sharpen.core.judging import MARK, final_answer
from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks import expressions
from sharpen.tasks.choosing import OPERATIONS, SUM_LEVELS, Asked, draw, read
from sharpen.tasks.expressions import Expression
from sharpen.tasks.family import Line, Worked, pick, trimmed
from sharpen.tasks.labelling import distinct
from sharpen.tasks.single import SingleTurn

_RESULT = re.compile(r"-?(?:0|[1-9][0-9]{0,11})")
_LONGEST = 4000  # characters


@dataclass(frozen=True)
class Choice:
    """Only sums have steps. The bad habit looks at the last digits alone (options, compare), says what stands first
    (category), or says the last label again."""

    name = "choice"
    kinds = ("options", "category", "compare", "label")
    levels = range(1, 9)
    instructions = (
        "Work out sums one operation a line, such as 7+5=12. End with a line `Answer:` and the letter or word alone "
        "(two words with a space where two are asked)."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """A question; label words and options are balanced but for a lean against the bad habit."""
        return draw(kind, level, rng, held_out)

    def tidy(self, question: str) -> str:
        """Without white space around it and its lines."""
        return trimmed(question)

    def place(self, question: str) -> tuple[str, int, bool]:
        """Kind, level and whether the wording is held out."""
        asked = read(question)
        return asked.kind, asked.level, asked.held_out

    def work(self, question: str) -> Worked:
        """The sums, the leftmost operation first, and the answer."""
        asked = read(question)
        return Worked(tuple(_worked(asked.sums)[0]), asked.answer)

    def slip(self, question: str, rng: Rng) -> Worked:
        """A step's result is off and leads to another answer where a small mistake can; or another answer is said."""
        asked = read(question)
        steps, values = _worked(asked.sums)
        place = int((len(steps) + 1) * rng.random())
        if place == len(steps):
            return Worked(tuple(steps), pick([c for c in asked.choices if not asked.agrees(c)], rng), place)
        first = Worked((), "")
        for off in _mistakes(asked, values, rng):
            said, ends = _worked(asked.sums, place, off)
            found = Worked(tuple(said), asked.decided(ends), place)
            if "=-" in said[place]:
                continue
            if found.answer != asked.answer and (not asked.numbers or ends[0] in asked.numbers):
                return found
            first = first if first.steps else found
        return first

    def habit(self, question: str, rng: Rng) -> Worked:
        """No steps, and the answer that a glance gives."""
        asked = read(question)
        return Worked((), asked.habit, None if asked.agrees(asked.habit) else 0)

    def follow(self, question: str, text: str) -> list[Line]:
        """Steps may come in any order that the sums allow, and may be left out; the answer is judged by what they
        claim."""
        asked = read(question)
        sums, lines = list(asked.sums), list[Line]()
        for line in filter(None, map(str.strip, text[:_LONGEST].split("\n"))):
            right = False
            if line.startswith(MARK):
                values = [value for symbols in sums for value in _worked([symbols])[1]]
                right = replace(asked, answer=asked.decided(values)).agrees(final_answer(line) or "")
            for at, symbols in enumerate(sums):
                if taken := _taken(symbols, line):
                    sums[at], right = taken
                    break
            lines.append(Line(line, right, " ".join("".join(map(str, symbols)) for symbols in sums)))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """The one label word (or two words, in either order) and nothing more."""
        return read(question).agrees(answer)

    def reach(self, level: int) -> int:
        """Two sums of up to 6 operations or one of up to 12, at most 18 tokens a step (20 at level 8)."""
        two = 2 * OPERATIONS[SUM_LEVELS[level - 4] - 1] if level > 3 else 0
        return 12 + (18 if level < 8 else 20) * max(OPERATIONS[level - 1], two)

    def world(self, max_tokens: int) -> Env:
        """One reply."""
        return SingleTurn(max_tokens)


def _worked(sums: Sequence[Expression], wrong: int = -1, off: int = 0) -> tuple[list[str], list[int]]:
    """The steps and values of the sums, where the result of step number `wrong` is off by that much."""
    steps: list[str] = []
    values: list[int] = []
    for symbols in sums:
        while (at := expressions.reducible(symbols)) is not None:
            step = expressions.operation(symbols, at)
            step = replace(step, result=step.result + off) if len(steps) == wrong else step
            steps.append(str(step))
            symbols = expressions.replaced(symbols, at, step.result)
        values += [symbol for symbol in symbols if isinstance(symbol, int)]
    return steps, values


def _taken(symbols: Expression, line: str) -> tuple[Expression, bool] | None:
    """The sum after a step that may be done now, and whether its result is right; None if the line is no such step."""
    at = expressions.reducible(symbols)
    while at is not None:
        true = str(expressions.operation(symbols, at))
        start = true[: true.index("=") + 1]
        if line.startswith(start) and _RESULT.fullmatch(line[len(start) :]):
            return expressions.replaced(symbols, at, int(line[len(start) :])), line == true
        at = expressions.reducible(symbols, at + 1)
    return None


def _mistakes(asked: Asked, values: list[int], rng: Rng) -> list[int]:
    """By how much a step may be off, the small mistakes first, then those that reach an option or turn the scales."""
    aims = [n - values[0] for n in asked.numbers] or [values[1] - values[0] + more for more in (-2, -1, 0, 1, 2)]
    small, large = ("1", "-1", "10", "-10"), [str(sign * aim) for aim in aims if aim for sign in (1, -1)]
    return [int(off) for off in (*distinct(small, 4, rng), *distinct(large, len(large), rng))]
