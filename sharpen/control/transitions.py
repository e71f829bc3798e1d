"""What a second try changes: how often it puts right, how often it spoils, and how often it only repeats."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from sharpen.core.judging import wording
from sharpen.core.records import Judged


def transitions(tried: Sequence[Sequence[Judged]]) -> dict[str, float]:
    """Of attempts [attempt][try], all of them, first against last try (SCoRe, arXiv:2409.12917, and what it reports).

    first, last       share that is right at the first and at the last try
    delta             last - first, which is fixed - broken
    fixed, broken     share that went from wrong to right, and from right to wrong
    fixed_of_wrong    share of those wrong at first that the last try put right; 0 where none was wrong
    copied            share whose last try repeats the first word for word, white space folded
    changed           mean of words edited / (words of the first + words of the last): 0 for a copy, 1/2 for nothing in
                      common at equal length
    An attempt that ended in its first try has that for its last. Nothing for no attempts.
    """
    if not tried:
        return {}
    both = [(bool(marks[0].verdict.right), bool(marks[-1].verdict.right)) for marks in tried]
    words = [(wording(marks[0].attempt).split(), wording(marks[-1].attempt).split()) for marks in tried]
    first, last = (fmean(right) for right in zip(*both, strict=True))
    fixed = fmean(before < after for before, after in both)
    return {
        "first": first,
        "last": last,
        "delta": last - first,
        "fixed": fixed,
        "broken": fmean(before > after for before, after in both),
        "fixed_of_wrong": fixed / (1 - first) if first < 1 else 0.0,
        "copied": fmean(before == after for before, after in words),
        "changed": fmean(edits(one, other) / max(1, len(one) + len(other)) for one, other in words),
    }


def edits(one: Sequence[str], other: Sequence[str]) -> int:
    """The fewest words left out, put in or swapped that turn one into the other (Levenshtein, 1966)."""
    known = {word: place for place, word in enumerate(dict.fromkeys((*one, *other)))}
    there = np.array([known[word] for word in other], dtype=np.int64)
    places = np.arange(len(other) + 1)
    row = places
    for count, word in enumerate(one, 1):
        swapped_or_left_out = np.minimum(row[:-1] + (there != known[word]), row[1:] + 1)
        row = np.minimum.accumulate(np.concatenate([[count], swapped_or_left_out]) - places) + places
    return int(row[-1])
