"""Attempts and verdicts put side by side: marking, grouping, what tells two apart, and where the answer stands."""

from collections.abc import Iterable, Sequence

from sharpen.core.ports import Judge
from sharpen.core.records import Attempt, Judged

MARK = "Answer:"


def judged(attempts: Sequence[Attempt], judge: Judge) -> list[Judged]:
    """Each attempt with its verdict, in order; the judge is asked once for all."""
    return [Judged(attempt, verdict) for attempt, verdict in zip(attempts, judge(attempts), strict=True)]


def by_problem(marks: Iterable[Judged]) -> dict[str, list[Judged]]:
    """Judged attempts by problem id, problems and attempts in their order of first appearance."""
    groups: dict[str, list[Judged]] = {}
    for mark in marks:
        groups.setdefault(mark.attempt.problem.id, []).append(mark)
    return groups


def wording(attempt: Attempt) -> str:
    """All that was said in an attempt, white space folded: attempts of one wording are the same."""
    return " ".join(" ".join(piece.text for piece in attempt.said).split())


def final_answer(text: str) -> str | None:
    """What stands behind the one `Answer:` of a text, white space folded; None without a mark, with several, or with
    nothing or more lines behind it: a text that names many answers has given none."""
    _, mark, tail = text.partition(MARK)
    if not mark or MARK in tail:
        return None
    answer = tail.strip()
    return " ".join(answer.split()) if answer and "\n" not in answer else None
