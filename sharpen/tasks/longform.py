"""Long form: write so many items of a category, numbers that obey a rule, or the next numbers of a pattern."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from sharpen.core.judging import MARK, final_answer
from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks.family import Line, Worked, pick, trimmed
from sharpen.tasks.lexicon import ANIMALS, COLOURS, FRUITS, TOOLS
from sharpen.tasks.single import SingleTurn

CATEGORIES = {"animal": ANIMALS, "fruit": FRUITS, "colour": COLOURS, "tool": TOOLS}
COUNTS = {
    "items": ((2, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 14), (15, 18), (19, 22)),
    "numbers": ((2, 2), (3, 4), (5, 6), (7, 9), (10, 13), (14, 19), (20, 28), (29, 40)),
    "pattern": ((2, 2), (3, 4), (5, 6), (7, 9), (10, 13), (14, 19), (20, 28), (29, 40)),
}
"""The fewest and the most lines that levels 1 to 8 ask for."""
ONE_CATEGORY = 10
"""More items than this are asked of two categories, in turn."""

# The last wording of each kind is held out.
WORDINGS = {
    "items": (
        "Write {} items about {}, but no {} or {}.",
        "Write {} of {}, but no {} or {}.",
        "Say {} items about {}, but not {} or {}.",
        "Give {} items of {}, with no {} or {}.",
        "List {} of {}, not {} or {}.",
    ),
    "numbers": ("Write {} {} numbers {} {}.", "Say {} {} numbers {} {}.", "Give {} {} numbers {} {}.", "{} {}, {} {}."),
    "pattern": ("Continue {} more: {}", "Write {} more: {}", "Say the next {}: {}", "What {} come next: {}"),
}
_COUNT = "([1-9][0-9]?)"
_NUMBER = "(?:0|[1-9][0-9]{0,5})"
_SLOTS = {
    "items": (_COUNT, "([a-z]+(?: and [a-z]+ in turn)?)", "([a-z]+)", "([a-z]+)"),
    "numbers": (_COUNT, "(even|odd)", "(over|under)", f"({_NUMBER})"),
    "pattern": (_COUNT, f"({_NUMBER} {_NUMBER} {_NUMBER}(?: {_NUMBER} {_NUMBER})?)"),
}
_ITEM = re.compile(rf"- ([a-z]{{1,12}}|{_NUMBER})")
_LONGEST = 4000  # characters


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be written: `count` lines; line number n takes an item of `pools[n % len(pools)]`, or a number from
    `low` to `high` that is `odd` or not, or the number before it and `steps[n % len(steps)]` more."""

    kind: str
    count: int
    pools: tuple[tuple[str, ...], ...] = ()
    low: int = 0
    high: int = 0
    odd: bool = False
    last: int = 0
    steps: tuple[int, ...] = ()
    held_out: bool = False

    @property
    def level(self) -> int:
        """By the number of lines."""
        bounds = COUNTS[self.kind]
        return next(level for level, (_, most) in enumerate(bounds, 1) if self.count <= most or level == len(bounds))

    def fits(self, item: str, before: Sequence[str]) -> bool:
        """Whether an item may stand behind those before it."""
        if self.pools:
            return item in self.pools[len(before) % len(self.pools)] and item not in before
        if not item.isdigit():
            return False
        if self.steps:
            last = before[-1] if before else str(self.last)
            return last.isdigit() and int(item) == int(last) + self.steps[len(before) % len(self.steps)]
        return self.low <= int(item) <= self.high and int(item) % 2 == self.odd and item not in before

    def items(self) -> list[str]:
        """The plainest right ones: the first of a category, the nearest numbers."""
        if self.pools:
            return [self.pools[n % len(self.pools)][n // len(self.pools)] for n in range(self.count)]
        if self.steps:
            return self.continued(self.last, 0)
        upward = range(self.low + (self.low % 2 != self.odd), self.high + 1, 2)
        downward = range(self.high - (self.high % 2 != self.odd), -1, -2)
        return list(map(str, islice(downward if self.low == 0 else upward, self.count)))

    def continued(self, last: int, done: int) -> list[str]:
        """The rest of a pattern, behind a number that is line `done`."""
        said: list[str] = []
        for n in range(done, self.count):
            last += self.steps[n % len(self.steps)]
            said.append(str(last))
        return said


@dataclass(frozen=True)
class Longform:
    """The whole text is what is judged, so a task asks `complete` (or `score`, for a share) of this family, not
    `right`, which sees only the closing count. A reply is lines such as `- plum`, then how many they are. The bad habit
    stops after two thirds and claims all. Where a repeated or foreign item comes in, all other lines stay right."""

    name = "longform"
    kinds = ("items", "numbers", "pattern")
    levels = range(1, 9)
    instructions = "Write each item on a line of its own, such as `- plum`. End with a line `Answer:` and their number."

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """A question; all its numbers are zero or more."""
        fewest, most = COUNTS[kind][level - 1]
        count = fewest + int((most - fewest + 1) * rng.random())
        slots = {"items": _items, "numbers": _numbers, "pattern": _pattern}[kind](count, level, rng)
        wordings = WORDINGS[kind]
        return (wordings[-1] if held_out else pick(wordings[:-1], rng)).format(count, *slots)

    def tidy(self, question: str) -> str:
        """Without white space around it and its lines."""
        return trimmed(question)

    def place(self, question: str) -> tuple[str, int, bool]:
        """Kind, level (by the number of lines) and whether the wording is held out."""
        asked = _read(question)
        return asked.kind, asked.level, asked.held_out

    def work(self, question: str) -> Worked:
        """The items, a line each, and how many they are."""
        asked = _read(question)
        return _said(asked.items(), asked.count)

    def slip(self, question: str, rng: Rng) -> Worked:
        """A repeated or foreign item, a number that breaks the rule or is off (a pattern goes on from there), or a
        wrong count. The answer alone is right but for the last: `complete` refuses them all."""
        asked = _read(question)
        items, at = asked.items(), int((asked.count + 1) * rng.random())
        if at == asked.count:
            return _said(items, asked.count + (1 if rng.random() < 0.5 else -1), at)
        if asked.steps:
            number = max(int(items[at]) + (1, -1, 10, -10)[int(4 * rng.random())], 0)
            number += number == int(items[at])
            items[at:] = [str(number), *asked.continued(number, at + 1)]
        elif at and rng.random() < 0.5:
            items[at] = items[int(at * rng.random())]
        elif asked.pools:
            pool = asked.pools[at % len(asked.pools)]
            items[at] = pick([word for name in CATEGORIES.values() for word in name if word not in pool], rng)
        else:
            items[at] = str(int(items[at]) + 1)
        return _said(items, asked.count, at)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Two thirds of the items, and the claim that they are all."""
        asked = _read(question)
        items = asked.items()[: asked.count * 2 // 3]
        return _said(items, asked.count, len(items))

    def follow(self, question: str, text: str) -> list[Line]:
        """A line is right where its item is valid, new and asked for; the count where it is true and what was asked.
        What is left is the number of lines still to come."""
        asked = _read(question)
        lines: list[Line] = []
        said: list[str] = []
        for line in filter(None, map(str.strip, text[:_LONGEST].split("\n"))):
            if line.startswith(MARK):
                right = final_answer(line) == str(asked.count) == str(len(said))
            else:
                found = _ITEM.fullmatch(line)
                right = found is not None and len(said) < asked.count and asked.fits(found[1], said)
                said.append(found[1] if found else "")
            lines.append(Line(line, right, str(max(asked.count - len(said), 0))))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """Whether this is the number of lines that was asked for: all that an answer alone can show."""
        return answer == str(_read(question).count)

    def score(self, question: str, said: Sequence[str]) -> float:
        """The share, 0 to 1, of the asked lines that are there and right in what was said last; lines that are wrong or
        too many count against. A closing count may be there or not."""
        asked, text = _read(question).count, said[-1] if said else ""
        if len(text) > _LONGEST:
            return 0.0
        lines = self.follow(question, text)
        if lines and lines[-1].text.startswith(MARK):
            lines.pop()
        good = sum(line.right for line in lines if not line.text.startswith(MARK))
        return good / max(asked, len(lines))

    def complete(self, question: str, text: str) -> bool:
        """Whether every asked line is there and right, nothing else is, and the closing count is true."""
        last = self.follow(question, text)[-1:]
        return self.score(question, [text]) == 1.0 and last[0].right and last[0].text.startswith(MARK)

    def reach(self, level: int) -> int:
        """Up to six tokens a line (a dash, four digits, a line end)."""
        return 12 + 6 * max(bounds[level - 1][1] for bounds in COUNTS.values())

    def world(self, max_tokens: int) -> Env:
        """One reply."""
        return SingleTurn(max_tokens)


def _said(items: Sequence[str], count: int, wrong: int | None = None) -> Worked:
    return Worked(tuple(f"- {item}" for item in items), str(count), wrong)


def _items(count: int, level: int, rng: Rng) -> tuple[str, ...]:
    names = tuple(CATEGORIES)
    first = int(4 * rng.random())
    second = (first + 1 + int(3 * rng.random())) % 4 if count > ONE_CATEGORY else first
    one = pick(CATEGORIES[names[first]], rng)
    other = pick([word for word in CATEGORIES[names[second]] if word != one], rng)
    named = names[first] if second == first else f"{names[first]} and {names[second]} in turn"
    return named, one, other


def _numbers(count: int, level: int, rng: Rng) -> tuple[str, ...]:
    rule, side = pick(("even", "odd"), rng), pick(("over", "under"), rng)
    return rule, side, str(int(200 * rng.random()) + (2 * count if side == "under" else 0))


def _pattern(count: int, level: int, rng: Rng) -> tuple[str, ...]:
    """Three numbers one step apart; from level 5 five numbers, two steps in turn."""
    last = int(100 * rng.random())
    steps = [1 + int(9 * rng.random()) for _ in range(1 if level < 5 else 2)]
    shown = [last]
    for n in range(2 * len(steps)):
        shown.append(shown[-1] + steps[n % len(steps)])
    return (" ".join(map(str, shown)),)


def _read(question: str) -> _Asked:
    for kind, held_out, pattern in _PATTERNS:
        found = pattern.fullmatch(question) if len(question) < 200 else None
        if found:
            return replace(_READERS[kind](*found.groups()), held_out=held_out)
    raise ValueError(f"expected a question such as 'Write 5 even numbers over 20.', got {question[:80]!r}")


def _read_items(count: str, named: str, one: str, other: str) -> _Asked:
    names = named.removesuffix(" in turn").split(" and ")
    pools = [tuple(word for word in CATEGORIES.get(name, ()) if word not in (one, other)) for name in names]
    if one == other or len({*names}) < len(names) or any(len(pool) * len(names) < int(count) for pool in pools):
        raise ValueError(f"expected a category with {count} items, got {named!r}")
    return _Asked("items", int(count), tuple(pools))


def _read_numbers(count: str, rule: str, side: str, bound: str) -> _Asked:
    low, high = (int(bound) + 1, 999999) if side == "over" else (0, int(bound) - 1)
    if side == "under" and int(bound) < 2 * int(count):
        raise ValueError(f"expected {count} numbers or more under the bound, got {bound}")
    return _Asked("numbers", int(count), low=low, high=high, odd=rule == "odd")


def _read_pattern(count: str, shown: str) -> _Asked:
    numbers = list(map(int, shown.split(" ")))
    steps = [after - before for before, after in pairwise(numbers)]
    period = len(steps) // 2
    if steps[:period] != steps[period:] or min(steps) < 1:
        raise ValueError(f"expected a pattern that grows by the same steps, got {shown!r}")
    return _Asked("pattern", int(count), last=numbers[-1], steps=tuple(steps[:period]))


def _compiled(kind: str, wording: str) -> re.Pattern[str]:
    pattern = re.escape(wording)
    for slot in _SLOTS[kind]:
        pattern = pattern.replace(r"\{\}", slot, 1)
    return re.compile(pattern)


_PATTERNS = [
    (kind, at == len(wordings) - 1, _compiled(kind, wording))
    for kind, wordings in WORDINGS.items()
    for at, wording in enumerate(wordings)
]
_READERS: Mapping[str, Callable[..., _Asked]] = {
    "items": _read_items,
    "numbers": _read_numbers,
    "pattern": _read_pattern,
}
