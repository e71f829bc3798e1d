"""The marked answer: what stands after the one `Answer:` of a reply, and whether it stands there alone."""

from collections.abc import Sequence

from sharpen.core.judging import MARK as MARKER
from sharpen.core.judging import named_answer
from sharpen.core.records import Judged

REQUEST = f"You solve problems. Always end your reply with '{MARKER}' followed by the answer alone."
LONGEST = 20_000  # characters of an answer that is still looked at


def claimed(text: str) -> tuple[str | None, str]:
    """The answer after the one marker, stripped, and no note; or None and a note on what was wrong with the reply.

    Everything after the marker belongs to the answer, so that words added to it make it wrong, as do two markers. A
    reply of one line without a marker may name one number instead (`named_answer`): small models often do.
    """
    count = text.count(MARKER)
    if count == 0:
        named = named_answer(text)
        note = f"no {MARKER!r} found; end with one line that says {MARKER} and then the answer alone"
        return named, "" if named else note
    if count > 1:
        return None, f"{MARKER!r} was said {count} times; say it once, at the end"
    answer = text.split(MARKER)[1].strip()
    if not answer:
        return None, f"nothing stands after {MARKER!r}"
    if len(answer) > LONGEST:
        return None, f"{len(answer)} characters stand after {MARKER!r}; give the answer alone"
    return answer, ""


def holds(gold: str, answer: str) -> bool:
    """Whether an answer has the words of the reference in a row and more beside them; what has more is no answer."""
    inner, outer = gold.split(), answer.split()
    return 0 < len(inner) < len(outer) and any(
        outer[start : start + len(inner)] == inner for start in range(len(outer) - len(inner) + 1)
    )


def without_stop(answer: str, gold: str) -> str:
    """The answer without a full stop at its end, unless the reference has one there too."""
    return answer if gold.endswith(".") else answer.removesuffix(".").rstrip()


def refusal(answer: str) -> str:
    """The note for a wrong answer: says what was understood, and nothing of the reference."""
    return f"got {answer[:60]!r}, which is not the answer"


def mean_length(marks: Sequence[Judged]) -> float:
    """Mean tokens of an attempt; 0 where there is none."""
    return sum(mark.attempt.length for mark in marks) / len(marks) if marks else 0.0


def marked_share(marks: Sequence[Judged]) -> float:
    """The share of attempts with an answer that can be read; 0 where there is none."""
    return sum(claimed(mark.attempt.text)[0] is not None for mark in marks) / len(marks) if marks else 0.0
