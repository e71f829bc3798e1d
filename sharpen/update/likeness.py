"""How alike two texts are by their words alone: BM25 for a question among texts, the cosine for two of a kind."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import log, sqrt

_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")
SATURATION, LENGTH = 1.2, 0.75
"""BM25's k1 and b, as they are usually set."""


def words(text: str) -> tuple[str, ...]:
    """Words, whole numbers and signs, in lower case; an underscore parts words."""
    return tuple(_WORD.findall(text.lower()))


def bm25(question: str, texts: Sequence[str]) -> list[float]:
    """How well each text fits a question, >= 0: the sum over the question's distinct words w of

        ln(1 + (N - n_w + 0.5) / (n_w + 0.5)) * f_w (k1 + 1) / (f_w + k1 (1 - b + b |text| / mean |text|))

    for N texts, n_w of them with the word, f_w times in this one (Robertson and Zaragoza 2009, with the idf that is
    never negative)."""
    counts, holders, mean = _counted(tuple(texts))
    scores = [0.0] * len(counts)
    for word in dict.fromkeys(words(question)):
        rarity = log(1 + (len(counts) - holders[word] + 0.5) / (holders[word] + 0.5))
        for place, count in enumerate(counts):
            if often := count[word]:
                length = 1 - LENGTH + LENGTH * count.total() / mean
                scores[place] += rarity * often * (SATURATION + 1) / (often + SATURATION * length)
    return scores


def cosine(one: str, other: str) -> float:
    """Between the counts of words of two texts, in [0, 1]; 0 where one has none."""
    first, second = _count(one), _count(other)
    shared = sum(count * second[word] for word, count in first.items())
    return shared / sqrt(_square(first) * _square(second)) if shared else 0.0


@lru_cache(maxsize=4096)
def _count(text: str) -> Counter[str]:
    return Counter(words(text))


def _square(counts: Counter[str]) -> int:
    return sum(count * count for count in counts.values())


@lru_cache(maxsize=8)
def _counted(texts: tuple[str, ...]) -> tuple[list[Counter[str]], Counter[str], float]:
    """The words of each text, how many texts have each word, and the mean length of a text, at least 1."""
    counts = [_count(text) for text in texts]
    holders = Counter(word for count in counts for word in count)
    return counts, holders, max(sum(count.total() for count in counts) / max(len(counts), 1), 1.0)
