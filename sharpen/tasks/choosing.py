"""The questions of the family `choice`: their wordings, how they are drawn, and how they are read back."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from sharpen.core.streams import Rng
from sharpen.tasks import expressions
from sharpen.tasks.expressions import Expression
from sharpen.tasks.family import pick
from sharpen.tasks.labelling import distinct, draw_shown, read_shown
from sharpen.tasks.lexicon import ANIMALS, COLOURS, FRUITS, TOOLS

CATEGORIES: Mapping[str, tuple[str, ...]] = {"animal": ANIMALS, "fruit": FRUITS, "colour": COLOURS, "tool": TOOLS}
CATEGORY_OF = {word: category for category, words in CATEGORIES.items() for word in words}
SHAPES = (("what", 4), ("which", 4), ("which", 6), ("odd", 4), ("odd", 6), ("pair", 5), ("odds", 6), ("odds", 12))
"""Form and number of words of `category`, levels 1 to 8."""
LARGEST = (0, 30, 99, 999)
"""What the larger number of `compare` is over and at most, levels 1 to 3."""
SUM_LEVELS = (1, 2, 3, 5, 6)
"""The level in `expressions` of the left sum of `compare`, levels 4 to 8."""
OPERATIONS = tuple(operations for operations, _ in expressions.SIZES)
OPTIONS = ("A", "B", "C", "D")
VERDICTS = ("more", "less", "same")

WORDINGS = {
    "options": ("Which is {}?{}", "Which one is {}?{}", "What is {}?{}", "Pick {}.{}"),
    "compare": (
        "Is {} more than {}? Say more, less or same.",
        "{} against {}: more, less or same?",
        "Is {} more, less or same as {}?",
        "Put {} next to {}: more, less or same?",
    ),
    "what": ("What is {}: {}?", "Say what {} is: {}?", "Is {} one of these: {}?", "Where does {} belong: {}?"),
    "which": ("Which is {}: {}?", "Which one is {}: {}?", "Say which is {}: {}?", "Pick {}: {}."),
    "odd": (
        "Which does not belong: {}?",
        "Which does not fit: {}?",
        "Say which does not fit: {}.",
        "Which is odd: {}?",
    ),
    "pair": ("Which two belong together: {}?", "Which two fit: {}?", "Say which two fit: {}.", "Find a pair: {}."),
    "odds": (
        "Which two do not belong: {}?",
        "Which two do not fit: {}?",
        "Say which two do not fit: {}.",
        "Which two are odd: {}?",
    ),
    "label": ("{}{} ->", "Go on.\n{}{} ->", "Say the label.\n{}{} ->", "What is next?\n{}{} ->"),
}
"""By form; the last one of each is held out."""

_SUM = r"([-+*()0-9]{1,200})"
_WORDS = (r"([a-z]+(?:, [a-z]+){3,11})",)
_SLOTS = {
    "options": (_SUM, "".join(rf"\n{letter}: ([0-9]{{1,9}})" for letter in OPTIONS)),
    "compare": (_SUM, _SUM),
    "what": ("([a-z]+)", "([a-z]+, [a-z]+, [a-z]+ or [a-z]+)"),
    "which": ("an? ([a-z]+)", *_WORDS),
    "label": (r"((?:[a-z0-9]{1,8} -> [a-z]{2,5}\n){4,8})", "([a-z0-9]{1,8})"),
}
_LONGEST = 700  # characters


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was read; where there are sums, the answer follows from their values."""

    kind: str
    level: int
    answer: str
    choices: tuple[str, ...]
    habit: str
    sums: tuple[Expression, ...] = ()
    numbers: tuple[int, ...] = ()
    held_out: bool = False

    def decided(self, values: Sequence[int]) -> str:
        """The answer that these values of the sums lead to: the option nearest to it, or how they compare."""
        if self.numbers:
            return min(zip(self.numbers, OPTIONS, strict=True), key=lambda option: abs(option[0] - values[0]))[1]
        return _verdict(values[0], values[1]) if self.sums else self.answer

    def agrees(self, said: str) -> bool:
        """Whether this is the answer and nothing more; two words may come in either order."""
        return said == self.answer or (" " in self.answer and said.split(" ") == self.answer.split(" ")[::-1])


def draw(kind: str, level: int, rng: Rng, held_out: bool) -> str:
    """A question of a kind, leaning a little against the family's bad habit."""
    form, slots = {"options": _options, "compare": _compare, "category": _category, "label": _label}[kind](level, rng)
    wordings = WORDINGS[form]
    return (wordings[-1] if held_out else pick(wordings[:-1], rng)).format(*slots)


def read(question: str) -> Asked:
    """What a question asks; ValueError where it is none, or has no one answer."""
    for form, held_out, pattern in _PATTERNS:
        found = pattern.fullmatch(question) if len(question) <= _LONGEST else None
        if found:
            return replace(_READERS[form](form, found.groups()), held_out=held_out)
    raise ValueError(f"expected a question such as 'Is 3 more than 4? Say more, less or same.', got {question[:80]!r}")


def _options(level: int, rng: Rng) -> tuple[str, tuple[str, ...]]:
    text = expressions.draw("mixed", level, rng) if level > 1 else _small(rng)
    steps, value = expressions.work(expressions.parse(text))
    last = steps[-1]
    swapped = last.left - last.right if last.operator == "+" else last.left + last.right
    near, ten, twenty = (size if rng.random() < 0.5 else -size for size in (1, 10, 20))
    others = distinct([str(value + near), str(value + twenty), str(swapped), str(value)[::-1]], 4, rng)
    wrong = list[int]()
    for other in (value + ten, *map(int, others), value + 10, value + 20, value + 1):
        if other >= 0 and other != value and other not in wrong:
            wrong.append(other)
    numbers = distinct(list(map(str, [value, *wrong[:3]])), 4, rng)
    return "options", (text, "".join(f"\n{option}: {n}" for option, n in zip(OPTIONS, numbers, strict=True)))


def _small(rng: Rng) -> str:
    one, other = 1 + int(20 * rng.random()), 1 + int(20 * rng.random())
    return f"{one}+{other}" if rng.random() < 0.5 else f"{max(one, other)}-{min(one, other)}"


def _read_options(form: str, slots: Sequence[str]) -> Asked:
    symbols = expressions.parse(slots[0])
    steps, value = expressions.work(symbols)
    numbers = tuple(map(int, slots[1:]))
    if value not in numbers or len(set(numbers)) < len(numbers) or not steps:
        raise ValueError(f"expected one right option for {slots[0][:80]}, got {numbers}")
    habit = next(option for option, n in zip(OPTIONS, numbers, strict=True) if n % 10 == value % 10)
    level = 1 + OPERATIONS.index(len(steps))
    return Asked("options", level, OPTIONS[numbers.index(value)], OPTIONS, habit, (symbols,), numbers)


def _compare(level: int, rng: Rng) -> tuple[str, tuple[str, ...]]:
    while True:
        one, other, verdict = _sums(SUM_LEVELS[level - 4], rng) if level > 3 else _two(level, rng)
        if verdict and (verdict == "same" or verdict != _glance(one, other) or rng.random() < 0.5):
            return "compare", (one, other)


def _two(level: int, rng: Rng) -> tuple[str, str, str]:
    """Two numbers and how they compare; no verdict where they are small enough for the level below."""
    low, high = LARGEST[level - 1 : level + 1]
    one, other = 1 + int(high * rng.random()), 1 + int(high * rng.random())
    other = one if rng.random() < 0.1 else other
    return str(one), str(other), _verdict(one, other) if max(one, other) > low else ""


def _sums(level: int, rng: Rng) -> tuple[str, str, str]:
    """Two sums of as many operations whose values lie at most 12 apart, and how they compare."""
    left, start = _sum(level, rng), _sum(level - 1, rng)
    values = [expressions.work(expressions.parse(text))[1] for text in (left, start)]
    gap = 0 if rng.random() < 0.2 else int(25 * rng.random()) - 12
    more = values[0] + gap - values[1]
    verdict = _verdict(0, gap) if more and values[0] + gap >= 0 else ""
    return left, f"{start}{more:+d}", verdict


def _sum(level: int, rng: Rng) -> str:
    if level > 1:
        return expressions.draw("mixed", level, rng)
    return expressions.draw("add" if rng.random() < 0.5 else "subtract", 1, rng) if level else str(_large(rng))


def _large(rng: Rng) -> int:
    return 1 + int(99 * rng.random())


def _read_compare(form: str, slots: Sequence[str]) -> Asked:
    sums = tuple(expressions.parse(slot) for slot in slots)
    (left, one), (right, other) = map(expressions.work, sums)
    if len(left) != len(right):
        raise ValueError(f"expected sums with as many operations, got {slots[0][:80]} and {slots[1][:80]}")
    if left:
        level = 4 + SUM_LEVELS.index(1 + OPERATIONS.index(len(left)))
    else:
        level = next(level for level in (3, 2, 1) if max(one, other) > LARGEST[level - 1] or level == 1)
    return Asked("compare", level, _verdict(one, other), VERDICTS, _glance(slots[0], slots[1]), sums)


def _verdict(left: int, right: int) -> str:
    return VERDICTS[0 if left > right else 1 if left < right else 2]


def _glance(left: str, right: str) -> str:
    """How the last digits compare."""
    digits = [int(text.rstrip(")")[-1]) for text in (left, right)]
    return _verdict(digits[0], digits[1])


def _category(level: int, rng: Rng) -> tuple[str, tuple[str, ...]]:
    form, count = SHAPES[level - 1]
    names = distinct(tuple(CATEGORIES), 4, rng)
    own, outside = CATEGORIES[names[0]], [word for name in names[1:] for word in CATEGORIES[name]]
    if form == "what":
        return form, (pick(own, rng), _listed(distinct(names, 4, rng)))
    if form == "pair":
        words = [*distinct(own, 2, rng), *(pick(CATEGORIES[name], rng) for name in names[1:])]
    else:
        inside = {"which": 1, "odd": count - 1, "odds": count - 2}[form]
        words = distinct(own, inside, rng) + distinct(outside, count - inside, rng)
    listed = ", ".join(distinct(words, count, rng))
    return form, (f"{_article(names[0])} {names[0]}", listed) if form == "which" else (listed,)


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _read_what(form: str, slots: Sequence[str]) -> Asked:
    word, names = slots[0], tuple(slots[1].replace(" or ", ", ").split(", "))
    if word not in CATEGORY_OF or {*names} != {*CATEGORIES}:
        raise ValueError(f"expected a known word and the categories {', '.join(CATEGORIES)}, got {slots}")
    return Asked("category", 1, CATEGORY_OF[word], names, names[0])


def _read_words(form: str, slots: Sequence[str]) -> Asked:
    words = slots[-1].split(", ")
    groups: dict[str, list[str]] = {name: [] for name in CATEGORIES}
    for word in words:
        groups[CATEGORY_OF.get(word, "animal")].append(word)
    most = max(groups.values(), key=len)
    rest = [word for word in words if word not in most]
    found = {"which": groups.get(slots[0], []), "pair": most}.get(form, rest)
    two = form in ("pair", "odds")
    clear = form == "which" or (len(rest) == sum(map(bool, groups.values())) - 1 if form == "pair" else len(most) > 2)
    if len(found) != 1 + two or not clear or len({*words}) < len(words) or not all(map(CATEGORY_OF.get, words)):
        raise ValueError(f"expected different known words with one answer, got {slots[-1][:80]!r}")
    level = 1 + SHAPES.index((form, len(words)))
    choices = tuple(map(" ".join, combinations(words, 2))) if two else tuple(words)
    return Asked("category", level, " ".join(found), choices, choices[0])


def _label(level: int, rng: Rng) -> tuple[str, tuple[str, ...]]:
    return "label", draw_shown(level, rng)


def _read_label(form: str, slots: Sequence[str]) -> Asked:
    level, answer, labels = read_shown(slots[0], slots[1])
    return Asked("label", level, answer, labels, labels[0])


def _compiled(form: str, wording: str) -> re.Pattern[str]:
    pattern = re.escape(wording)
    for slot in _SLOTS.get(form, _WORDS):
        pattern = pattern.replace(r"\{\}", slot, 1)
    return re.compile(pattern)


_PATTERNS = [
    (form, at == len(wordings) - 1, _compiled(form, wording))
    for form, wordings in WORDINGS.items()
    for at, wording in enumerate(wordings)
]
_READERS: Mapping[str, Callable[[str, Sequence[str]], Asked]] = {
    "options": _read_options,
    "compare": _read_compare,
    "what": _read_what,
    "label": _read_label,
    **dict.fromkeys(("which", "odd", "pair", "odds"), _read_words),
}
