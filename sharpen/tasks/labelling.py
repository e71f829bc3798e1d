"""Hidden rules shown by labelled examples: lines such as `cow -> good`, and what label the next item takes."""

from collections.abc import Callable, Mapping, Sequence

from sharpen.core.streams import Rng
from sharpen.tasks.family import pick
from sharpen.tasks.lexicon import ANIMALS, COLOURS, FRUITS, TOOLS

RULES: Mapping[str, Callable[[str], bool]] = {
    "animal": ANIMALS.__contains__,
    "fruit": FRUITS.__contains__,
    "colour": COLOURS.__contains__,
    "tool": TOOLS.__contains__,
    "even": lambda item: int(item) % 2 == 0,
    "over 50": lambda item: int(item) > 50,
    "vowel": lambda item: item[0] in "aeiou",
    "short": lambda item: len(item) < 5,
    "fives": lambda item: int(item) % 5 == 0,
    "digits": lambda item: sum(map(int, item)) > 9,
}
"""From the name of a hidden rule to whether an item (a word, or a number from 1 to 99) obeys it."""
EASY = ("animal", "fruit", "colour", "tool", "even", "over 50")
HARD = ("vowel", "short", "fives", "digits")
LABELS = (("good", "bad"), ("yes", "no"), ("left", "right"), ("up", "down"))
SHOWN = (8, 6, 5, 4)
"""How many examples levels 1 to 4 show of the easy rules, and levels 5 to 8 of the hard ones."""

_NUMERIC = ("even", "over 50", "fives", "digits")
_WORDS = (*ANIMALS, *FRUITS, *COLOURS, *TOOLS)
_NUMBERS = tuple(map(str, range(1, 100)))
_POOLS = {
    rule: tuple(
        tuple(item for item in (_NUMBERS if rule in _NUMERIC else _WORDS) if obeys(item) == wanted)
        for wanted in (True, False)
    )
    for rule, obeys in RULES.items()
}
_OBEYED = {
    item: sum(1 << at for at, rule in enumerate(RULES) if item in _POOLS[rule][0]) for item in (*_WORDS, *_NUMBERS)
}
_OF_WORDS = sum(1 << at for at, rule in enumerate(RULES) if rule not in _NUMERIC)
_OF_NUMBERS = (1 << len(RULES)) - 1 - _OF_WORDS
_OF_EASY = sum(1 << at for at, rule in enumerate(RULES) if rule in EASY)


def labelled(rule: str, items: Sequence[str], labels: Sequence[str]) -> list[str]:
    """A line such as `cow -> good` for each item; the first label goes to those that obey the rule (of `RULES`)."""
    return [f"{item} -> {labels[not RULES[rule](item)]}" for item in items]


def examples(rule: str, labels: Sequence[str], count: int, rng: Rng) -> list[str]:
    """`count` (2 to 8) labelled lines of distinct items, in random order, that show both labels."""
    obeying = min(1 + int((count - 1) * rng.random()), len(_POOLS[rule][0]) - 1)
    items = distinct(_POOLS[rule][0], obeying, rng) + distinct(_POOLS[rule][1], count - obeying, rng)
    return labelled(rule, distinct(items, count, rng), labels)


def draw_shown(level: int, rng: Rng) -> tuple[str, str]:
    """Examples, a line each, and the item that is asked: one rule alone explains them."""
    rules, count = (EASY, SHOWN[level - 1]) if level < 5 else (HARD, SHOWN[level - 5])
    while True:
        rule, (one, other) = pick(rules, rng), LABELS[int(len(LABELS) * rng.random())]
        labels = (one, other) if rng.random() < 0.5 else (other, one)
        lines = examples(rule, labels, count, rng)
        last = lines[-1].endswith(labels[0])
        side = _POOLS[rule][int(last == (rng.random() < 0.65))]
        item = pick(side, rng)
        shown = "".join(f"{line}\n" for line in lines)
        if f"\n{item} " not in f"\n{shown}" and sum(map(int.bit_count, _explaining(_pairs(shown)))) == 1:
            return shown, item


def read_shown(shown: str, item: str) -> tuple[int, str, tuple[str, ...]]:
    """Level, label of the item, and both labels, the last one shown in front. Raises ValueError where the rules that
    explain the examples do not agree about the item, or there is none."""
    pairs = _pairs(shown)
    last_item, last = pairs[-1]
    labels = next(((last, b if a == last else a) for a, b in LABELS if last in (a, b)), (last, ""))
    items = [said for said, _ in pairs]
    straight, turned = _explaining(pairs)
    obeyed = _OBEYED.get(item, 0)
    same = (straight & obeyed) | (turned & ~obeyed)
    other = (straight & ~obeyed) | (turned & obeyed)
    clear = item in _OBEYED and item.isdigit() == last_item.isdigit() and bool(same) != bool(other)
    if {label for _, label in pairs} != set(labels) or len({item, *items}) <= len(items) or not clear:
        raise ValueError(f"expected examples of one rule, then an item whose label follows, got {shown[:80]!r}")
    level = 1 + SHOWN.index(len(items)) + (0 if (same | other) & _OF_EASY else 4)
    return level, labels[0] if same else labels[1], labels


def _pairs(shown: str) -> list[tuple[str, str]]:
    return [(item, label) for item, _, label in (line.partition(" -> ") for line in shown.strip().split("\n"))]


def _explaining(pairs: Sequence[tuple[str, str]]) -> tuple[int, int]:
    """The rules (a bit each) by which the last label goes to those that obey, and those by which it does not."""
    straight = turned = _OF_NUMBERS if pairs[-1][0].isdigit() else _OF_WORDS
    for item, label in pairs:
        obeyed = _OBEYED.get(item)
        if obeyed is None or item.isdigit() != pairs[-1][0].isdigit():
            return 0, 0
        straight &= obeyed if label == pairs[-1][1] else ~obeyed
        turned &= ~obeyed if label == pairs[-1][1] else obeyed
    return straight, turned


def distinct(items: Sequence[str], count: int, rng: Rng) -> list[str]:
    """`count` of the items, none twice, evenly and in random order."""
    rest = list(items)
    for at in range(count):
        other = at + int((len(rest) - at) * rng.random())
        rest[at], rest[other] = rest[other], rest[at]
    return rest[:count]
