"""A prompt of worked examples: questions with their labels, then the place of the question and the answer's cue."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from sharpen.core.errors import InvalidInput
from sharpen.core.judging import MARK
from sharpen.core.records import Chat, Message
from sharpen.core.speech import QUESTION, shown

Example: TypeAlias = tuple[str, str]
"""A question and its label."""


def few_shot(examples: Iterable[Example], form: Literal["text", "turns"] = "text", space: str = "") -> Chat:
    """The examples as raw text, a blank line behind each, or as turns of a chat whose last is begun; no instruction.

    space   stands behind the cue, where the label that is to follow brings none of its own
    """
    cue = f"{MARK}{space}"
    answered = [(question, f"{MARK} {label}") for question, label in examples]
    if form == "turns":
        return (*shown(answered, QUESTION), Message("assistant", cue))
    text = "".join(f"{question}\n{answer}\n\n" for question, answer in answered)
    return (Message("text", f"{text}{QUESTION}\n{cue}"),)


def by_label(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """The examples of each label in their order, labels sorted."""
    groups: dict[str, list[Example]] = {}
    for question, label in examples:
        groups.setdefault(label, []).append((question, label))
    return dict(sorted(groups.items()))


def dealt(examples: Sequence[Example], shots: int) -> tuple[list[Example], list[Example]]:
    """The first `shots` of each label, to be shown, and all others, to be asked; both in their order. Raises
    InvalidInput where the answers are not labels that recur, or none is left to ask."""
    groups = by_label(examples)
    if not 2 <= len(groups) <= len(examples) // 2:
        raise InvalidInput(
            f"expected a task whose answers are two or more labels that recur, got {len(groups)} different answers "
            f"to {len(examples)} problems; choose another task, or label more"
        )
    chosen = {example for group in groups.values() for example in group[:shots]}
    shown, asked = ([e for e in examples if (e in chosen) is picked] for picked in (True, False))
    if not asked:
        raise InvalidInput(f"all {len(examples)} labelled problems are demonstrations; label more, or show fewer")
    return shown, asked
