"""The same problem with its answer shown, to find reasons backwards (STaR's rationalisation, arXiv:2203.14465)."""

from dataclasses import replace

from sharpen.core.ports import Env
from sharpen.core.records import Attempt, Problem, Reference


def hinted(problem: Problem, reference: Reference) -> Problem:
    """The problem with the answer at the end of its last message. No oracle knows it: `unhinted` puts an attempt at it
    back before it is judged and learned from."""
    *before, last = problem.chat
    return replace(problem, chat=(*before, replace(last, text=f"{last.text}\n(The answer is {reference.answer}.)")))


def unhinted(attempt: Attempt, problem: Problem, env: Env) -> Attempt:
    """An attempt at `hinted(problem, ...)` as one at the problem itself: every turn sees the scene without the hint."""
    shown, own = env.open(attempt.problem).chat, env.open(problem).chat
    return replace(attempt.behind(own, len(shown)), problem=problem)
