"""A half-finished attempt as a new problem."""

from dataclasses import replace

from sharpen.core.records import Attempt, Message, Piece, Problem


def prefixes(attempt: Attempt, mark: str = "\n") -> list[Problem]:
    """The problem of a one-turn attempt begun with its first 1, 2, ... and at last all of its steps, each ended by
    `mark`; empty where nothing was said. No oracle knows them: `joined` puts an attempt at one back together."""
    steps = attempt.text.removesuffix(mark).split(mark) if attempt.text.strip() else []
    begun = ["".join(step + mark for step in steps[: count + 1]) for count in range(len(steps))]
    problem = attempt.problem
    return [replace(problem, chat=(*problem.chat, Message("assistant", text))) for text in begun]


def joined(attempt: Attempt) -> Attempt:
    """An attempt at a begun problem as one at the problem itself: what it was begun with comes first, the method's."""
    *chat, begun = attempt.problem.chat
    first, *later = attempt.turns
    whole = replace(first, seen=first.seen[:-1], said=(Piece(begun.text, author="method"), *first.said))
    return replace(attempt, problem=replace(attempt.problem, chat=tuple(chat)), turns=(whole, *later))
