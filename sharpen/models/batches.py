"""Lessons to padded tensors: encoded once, dealt into optimiser steps, cut into length-sorted micro-batches."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from sharpen.core.errors import InvalidInput
from sharpen.core.lessons import Lesson, Part, Term
from sharpen.core.objectives import Imitate, PolicyGradient, Prefer, Regress
from sharpen.core.ports import Encoder
from sharpen.core.records import Chat
from sharpen.core.streams import Stream, stream
from sharpen.core.tokens import Floats, Ints, Tokens
from sharpen.core.training import Training
from sharpen.models.losses import Rows

Bools = npt.NDArray[np.bool_]


@dataclass(eq=False)
class Row:
    """One encoded lesson; every array is [T]. `sampled` and `anchor` are NaN where they are the current ones, `target`
    where there is none; the learner fills in `sampled` and `anchor` before the first step."""

    ids: Ints
    counted: Bools
    weight: Floats
    leash: Floats
    sampled: Floats
    target: Floats
    anchor: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.anchor = np.full(len(self.ids), np.nan, np.float32)


@dataclass(frozen=True, eq=False)
class Lecture:
    """A term with its lessons encoded, in groups of lesson indices that are never split over steps."""

    term: Term
    rows: Sequence[Row]
    groups: Sequence[Sequence[int]]

    @property
    def size(self) -> int:
        """How many lessons there are."""
        return sum(len(group) for group in self.groups)


Deal = tuple[tuple[int, ...], ...]
"""One optimiser step: for every lecture, the indices of its lessons in the order of their groups."""


def lecture(term: Term, encoder: Encoder, context: int) -> tuple[Lecture, int]:
    """The term's lessons encoded, and how many were left out because they are longer than the context.

    Prefer wants groups of two; where one of a pair is too long the pair is left out. For the other objectives, which
    compare nothing, group 0 means that a lesson is on its own. Raises InvalidInput, ForeignTokens.
    """
    chats: dict[Chat, Tokens] = {}
    rows = [_row(lesson, term, encoder, chats) for lesson in term.lessons]
    together: dict[int | str, list[int]] = {}
    pairs = isinstance(term.objective, Prefer)
    for index, lesson in enumerate(term.lessons):
        key = lesson.group if pairs or lesson.group else f"alone {index}"
        together.setdefault(key, []).append(index)
    if pairs:
        for group, members in together.items():
            if len(members) != 2:
                raise InvalidInput(
                    f"expected two lessons in every group of Prefer, got {len(members)} in group {group}; "
                    "give each pair a group number of its own"
                )
    fits = [len(row.ids) <= context for row in rows]
    if pairs:
        groups = [members for members in together.values() if all(fits[i] for i in members)]
    else:
        groups = [kept for members in together.values() if (kept := [i for i in members if fits[i]])]
    return Lecture(term, rows, groups), len(rows) - sum(map(len, groups))


def _row(lesson: Lesson, term: Term, encoder: Encoder, chats: dict[Chat, Tokens]) -> Row:
    ids: list[Ints] = []
    numbers: list[tuple[Floats, Floats, Floats, Floats, Bools]] = []
    length = 0
    for part, following in zip(lesson.parts, (*lesson.parts[1:], None), strict=True):
        added = _content(part, following, ids, encoder, chats)
        ids.append(added)
        numbers.append(_numbers(part, len(added)))
        length += len(added)
    if not length:
        raise InvalidInput("expected lessons with at least one token, got an empty one; leave it out")
    weight, leash, sampled, target, own = (np.concatenate(columns) for columns in zip(*numbers, strict=True))
    if isinstance(term.objective, Regress):
        counted = ~np.isnan(target)
    else:
        counted = own if isinstance(term.objective, PolicyGradient) else weight != 0
        counted[0] = False
    return Row(np.concatenate(ids), counted, weight, leash, sampled, target)


def _content(
    part: Part, following: Part | None, before: Sequence[Ints], encoder: Encoder, chats: dict[Chat, Tokens]
) -> Ints:
    """The tokens a part adds to those before it."""
    content = part.content
    if isinstance(content, Tokens):
        return content.require(encoder.fingerprint).ids
    if isinstance(content, str):
        said = encoder.reply(content).ids
        if following is None or isinstance(following.content, tuple):
            return said
        # The turn goes on after these words: its end comes with the last of them.
        end = encoder.reply("").ids
        return said[: -len(end)] if len(end) and np.array_equal(said[-len(end) :], end) else said
    if content not in chats:
        chats[content] = encoder.encode(content).require(encoder.fingerprint)
    seen = chats[content].ids
    if not before:
        return seen
    known = np.concatenate(before)
    if len(seen) < len(known) or not np.array_equal(seen[: len(known)], known):
        raise InvalidInput(
            "expected a chat inside a lesson to begin with all that stands before it, got one that differs; "
            "make one lesson per turn instead"
        )
    return seen[len(known) :]


def _numbers(part: Part, length: int) -> tuple[Floats, Floats, Floats, Floats, Bools]:
    target = np.full(length, np.nan, np.float32)
    if part.target is not None:
        if not length:
            raise InvalidInput("expected a target on a part with tokens, got an empty part; put it on another")
        target[-1] = part.target
    weight = np.broadcast_to(np.asarray(part.weight, np.float32), length)
    leash = np.broadcast_to(np.asarray(part.leash, np.float32), length)
    sampled = np.full(length, np.nan, np.float32) if part.sampled is None else part.sampled
    own = part.sampled is not None or bool(np.any(weight)) or bool(np.any(leash))
    return weight, leash, sampled, target, np.full(length, own)


def deals(lectures: Sequence[Lecture], how: Training, order: Stream) -> list[Deal]:
    """The optimiser steps. The largest lecture gives `how.batch` lessons a step; the others are spread evenly over the
    same steps, at least a group each. Every pass over a lecture has an order of its own, from the stream."""
    largest = max(lectures, key=lambda lecture: lecture.size)
    size = largest.size
    # No more steps than there are groups to deal.
    spread = min(math.ceil(how.epochs * size / how.batch - 1e-9), math.ceil(how.epochs * len(largest.groups) - 1e-9))
    steps = how.steps or max(1, spread)
    whole = min(how.batch, size) if how.steps else how.epochs * size / steps
    dealt = [
        list(_dealt(lecture.groups, whole * lecture.size / size, steps, (*order, "order", number)))
        for number, lecture in enumerate(lectures)
    ]
    return list(zip(*dealt, strict=True))


def _dealt(groups: Sequence[Sequence[int]], share: float, steps: int, order: Stream) -> Iterator[tuple[int, ...]]:
    queue: list[Sequence[int]] = []
    done, passes = 0, 0
    for step in range(steps):
        now: list[int] = []
        while not now or done < round((step + 1) * share):
            if not queue:
                queue = list(groups)
                stream(*order, passes).shuffle(queue)
                passes += 1
            group = queue.pop()
            now.extend(group)
            done += len(group)
        yield tuple(now)


def micro_batches(lecture: Lecture, indices: Sequence[int], tokens: int) -> list[list[int]]:
    """The lessons of a step cut into batches of at most `tokens` padded tokens (one lesson or pair at the least), like
    lengths together; pairs stay together, the better first."""
    width = 2 if isinstance(lecture.term.objective, Prefer) else 1
    units = [tuple(indices[i : i + width]) for i in range(0, len(indices), width)]

    def length(unit: tuple[int, ...]) -> int:
        return max(len(lecture.rows[i].ids) for i in unit)

    batches: list[list[int]] = []
    for unit in sorted(units, key=lambda unit: (length(unit), unit)):
        if batches and (len(batches[-1]) + width) * length(unit) <= tokens:
            batches[-1].extend(unit)
        else:
            batches.append(list(unit))
    return batches


def padded(rows: Sequence[Row], shares: Sequence[float], device: torch.device) -> Rows:
    """The rows as tensors [B, T], padded on the right."""
    shape = (len(rows), max(len(row.ids) for row in rows))
    ids, counted = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    share, weight, leash = (np.zeros(shape, np.float32) for _ in range(3))
    sampled, anchor, target = (np.full(shape, np.nan, np.float32) for _ in range(3))
    for at, (row, part) in enumerate(zip(rows, shares, strict=True)):
        length = len(row.ids)
        ids[at, :length], counted[at, :length], share[at, :length] = row.ids, row.counted, part * row.counted
        weight[at, :length], leash[at, :length], target[at, :length] = row.weight, row.leash, row.target
        sampled[at, :length], anchor[at, :length] = row.sampled, row.anchor
    lengths = np.array([len(row.ids) for row in rows], np.int64)
    return Rows(
        *(
            torch.from_numpy(a).to(device)
            for a in (ids, lengths, counted, share, weight, leash, sampled, anchor, target)
        )
    )


def tokens_and_context(rows: Iterable[Row]) -> tuple[int, float]:
    """How many tokens there are, and the mean number of tokens each of them sees."""
    lengths = [len(row.ids) for row in rows]
    total = sum(lengths)
    return total, sum(n * (n + 1) / 2 for n in lengths) / max(total, 1)


def heads_of(terms: Iterable[Term]) -> list[str]:
    """The heads that the terms teach, each once."""
    return list(dict.fromkeys(term.objective.head for term in terms if isinstance(term.objective, Regress)))


def temperature_of(objective: Imitate | Prefer | PolicyGradient | Regress) -> float:
    """What logits are divided by."""
    return objective.temperature if isinstance(objective, PolicyGradient) else 1.0
