"""Whether two mathematical answers are the same: numbers at once and exactly, formulas by math-verify in a process."""

import re
from collections.abc import Sequence
from fractions import Fraction

from sharpen.core.records import Json
from sharpen.tasks.worker import Reply, Worker

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(rf"([-+−]?)\s*[$£€]?\s*({_DIGITS})(?:[eE]([-+]?\d{{1,3}}))?\s*(\\?%)?")
_RATIO = re.compile(
    r"([-+−]?)\s*(?:\\[dt]?frac\s*\{\s*(-?\d{1,30})\s*\}\s*\{\s*(\d{1,30})\s*\}|(\d{1,30})\s*/\s*(\d{1,30}))"
)
_SHELL = re.compile(r"\\boxed\s*\{(.*)\}|\\\((.*)\\\)|\$\$(.*)\$\$|\$([^$]*)\$|\*\*(.*)\*\*", re.DOTALL)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_FUNCTIONS = frozenset(
    re.findall(r"\w+", "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh exp log ln sqrt pi")
)
_FORMULA = re.compile(r"[0-9\\^_=+*/√π∞{}()\[\]]|(?:^|\s)[A-Za-z](?:\s|$)")


class Maths:
    """Compares answers; formulas get `seconds` each, wall clock, in a process that is killed and started again."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._worker = Worker()

    def same(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[bool, str]]:
        """For each (reference, answer): whether they are the same, and a note where no verdict was reached."""
        return [self._compared(gold, answer) for gold, answer in pairs]

    def _compared(self, gold: str, answer: str) -> tuple[bool, str]:
        gold, answer = unwrapped(gold), unwrapped(answer)
        if " ".join(gold.split()) == " ".join(answer.split()):
            return True, ""
        expected = number(gold)
        if expected is not None:
            return _equal(gold, expected, answer), ""
        if not _FORMULA.search(gold) or _adds(gold, answer):
            return False, ""
        request: dict[str, Json] = {"do": "math", "gold": gold, "answer": answer.replace("**", "^")}
        return _understood(self._worker.ask(request, self._seconds))


def unwrapped(text: str) -> str:
    r"""What stands inside dollars, \(\), \boxed{} or two stars, where nothing stands outside."""
    text = text.strip()
    while found := _SHELL.fullmatch(text):
        text = next(group for group in found.groups() if group is not None).strip()
    return text


def plain(text: str) -> bool:
    """Whether a text is one number and not a ratio of two."""
    return _NUMBER.fullmatch(text) is not None


def number(text: str) -> Fraction | None:
    r"""A plain number such as -1,000.50, $3, 1e-3, 50%, 1/2 or \frac{1}{2}, exactly; None for anything else."""
    lone = _NUMBER.fullmatch(text)
    if lone:
        sign, digits, exponent, percent = lone.groups()
        size = Fraction(digits.replace(",", "")) * Fraction(10) ** int(exponent or 0)
        return (-size if sign in ("-", "−") else size) / (100 if percent else 1)
    ratio = _RATIO.fullmatch(text)
    if ratio:
        top, bottom = int(ratio[2] or ratio[4]), int(ratio[3] or ratio[5])
        value = Fraction(top, bottom) if bottom else None
        return None if value is None else -value if ratio[1] in ("-", "−") else value
    return None


def _equal(gold: str, expected: Fraction, answer: str) -> bool:
    """A number must be given as a number: 6+6 is not an answer where 12 is, nor is 144/12."""
    lone = re.sub(r"^[A-Za-z]\s*=\s*", "", answer)
    if expected.denominator == 1 and _RATIO.fullmatch(gold) is None and _RATIO.fullmatch(lone):
        return False
    return number(lone) == expected


def _adds(gold: str, answer: str) -> bool:
    """Whether an answer has words or an equation that the reference has not."""
    known = {*_WORD.findall(gold), *_FUNCTIONS}
    lone = re.sub(r"^[A-Za-z]\s*=\s*", "", answer)
    return (
        any(word not in known for word in _WORD.findall(answer)) or ("=" in lone and "=" not in gold) or "\n" in answer
    )


def _understood(reply: Reply) -> tuple[bool, str]:
    if "failed" in reply:
        return False, str(reply["failed"])
    if "error" in reply:
        return False, "the verifier could not read it"
    return reply["same"] is True, ""
