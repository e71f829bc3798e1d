"""Sums worked in a named way: tens first, results only, or with what is left of the sum after each step."""

from sharpen.core.judging import MARK
from sharpen.core.speech import BEHAVIOURS
from sharpen.tasks.arithmetic import Arithmetic


def behaved(question: str, behaviour: str) -> str:
    """The right solution of a sum in that way; raises ValueError for a way that has no name here.

    tens first: `47+38=85` becomes `47+30=77` and `77+8=85`; results only: `85`; say what is left: `47+38-5`, worked to
    `85-5`, line after line.
    """
    if behaviour not in BEHAVIOURS:
        raise ValueError(f"expected a behaviour of {BEHAVIOURS}, got {behaviour!r}")
    family = Arithmetic()
    worked = family.work(question)
    if behaviour == "results only":
        lines = [step.partition("=")[2] for step in worked.steps]
    elif behaviour == "say what is left":
        lines = [line.left for line in family.follow(question, worked.text)[:-1]]
    else:
        lines = [line for step in worked.steps for line in _by_tens(step)]
    return "\n".join([*lines, f"{MARK} {worked.answer}"])


def follows(question: str, solution: str, behaviour: str) -> bool:
    """Whether a solution is written in that way, right or wrong: every line has its form, and there is one."""
    lines = solution.split("\n")[:-1]
    if not lines:
        return False
    if behaviour == "results only":
        return all(line.isdigit() for line in lines)
    if behaviour == "say what is left":
        return all("=" not in line for line in lines) and not all(line.isdigit() for line in lines[:1])
    steps = Arithmetic().work(question).steps
    split = any(len(_by_tens(step)) > 1 for step in steps)
    return all("=" in line for line in lines) and (len(lines) > len(steps) or not split)


def _by_tens(step: str) -> list[str]:
    """A sum or difference with a number over ten, in two steps; any other as it is."""
    left, _, result = step.partition("=")
    for sign in "+-":
        first, found, second = left.partition(sign)
        if found and len(second) > 1 and int(second) % 10:
            tens = int(second) // 10 * 10
            middle = int(first) + tens if sign == "+" else int(first) - tens
            ones = int(second) % 10
            return [f"{first}{sign}{tens}={middle}", f"{middle}{sign}{ones}={result}"]
    return [step]
