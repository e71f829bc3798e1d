"""Lists: operations on letters and numbers, named one after the other or hidden behind examples."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from sharpen.core.judging import MARK, final_answer
from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks.family import Line, Worked, pick
from sharpen.tasks.lexicon import LETTERS
from sharpen.tasks.single import SingleTurn

Items = list[str]

LEVELS = range(1, 9)
SIZES = ((1, 3), (1, 5), (2, 5), (3, 6), (4, 7), (5, 9), (7, 14), (9, 16))  # (operations, items) of levels 1 to 8
LEAST = (2, 2, 2, 2, 2, 2, 6, 8)  # items that every operation leaves, at levels 1 to 8
HIDDEN = ((4, 3), (4, 4), (3, 5), (3, 6), (2, 7), (2, 8), (2, 12), (2, 16))  # (examples, items) of a hidden operation
LONGEST_QUESTION = 600  # characters
LONGEST_LINE = 200  # characters
MOST_LINES = 40

WORDINGS = ("{first}: {items}", "Take {items}. {first}.", "Start with {items}, then {rest}.")
HELD_OUT_WORDING = "{first}. Take {items}."
NAMES_OF_HIDDEN = ("f", "g", "h")
SHOWN, HELD_OUT_SHOWN = "->", "="

OPERATIONS = (
    "reverse",
    "sort",
    "drop the first",
    "drop the last",
    "move the first to the end",
    "repeat the first",
    "swap the first two",
)
FOR_NUMBERS = ("keep the even", "keep those over 5")
REPEAT_EACH, COUNT = "repeat each", "count"
GROWING = ("repeat the first", REPEAT_EACH)

_APPLY: dict[str, Callable[[Items], Items]] = {
    "reverse": lambda items: items[::-1],
    "sort": lambda items: sorted(items, key=lambda item: (len(item), item)),
    "drop the first": lambda items: items[1:],
    "drop the last": lambda items: items[:-1],
    "move the first to the end": lambda items: items[1:] + items[:1],
    "repeat the first": lambda items: items[:1] + items,
    "swap the first two": lambda items: items[1::-1] + items[2:],
    "keep the even": lambda items: [item for item in items if item[-1] in "02468"],
    "keep those over 5": lambda items: [item for item in items if len(item) > 1 or item > "5"],
    REPEAT_EACH: lambda items: [item for item in items for _ in "ab"],
    COUNT: lambda items: [str(len(items))],
}
_ITEM = r"(?:[a-z]|0|[1-9][0-9]?)"
_ITEMS = rf"{_ITEM}(?: {_ITEM})*"
_LIST = re.compile(_ITEMS)
_NAMED = re.compile(
    rf"([A-Z][a-z0-9, ]+): ({_ITEMS})|Take ({_ITEMS})\. ([A-Z][a-z0-9, ]+)\."
    rf"|Start with ({_ITEMS}), then ([a-z0-9, ]+)\.|([A-Z][a-z0-9, ]+)\. Take ({_ITEMS})\."
)
_SHOWN = re.compile(rf"([fgh]): ({_ITEMS}) (->|=)(?: ({_ITEMS}))?")


def applied(operation: str, items: Sequence[str]) -> Items:
    """The items after one operation; an operation that finds too few items does what it can."""
    return _APPLY[operation](list(items))


def demonstrated(operation: str, shown: Sequence[Sequence[str]], asked: Sequence[str]) -> str:
    """A question of the kind `hidden`: `shown` are the lists whose results are given away. It is no question of the
    family where another of `OPERATIONS` would give the same results."""
    return _written("f", SHOWN, [(items, applied(operation, items)) for items in shown], asked)


def _written(name: str, sign: str, shown: Sequence[tuple[Sequence[str], Sequence[str]]], asked: Sequence[str]) -> str:
    lines = [f"{name}: {' '.join(before)} {sign} {' '.join(after)}" for before, after in shown]
    return "\n".join([*lines, f"{name}: {' '.join(asked)} {sign}"])


@dataclass(frozen=True, slots=True)
class _Case:
    """A question understood; of the kind `hidden`, `operations` has the one operation that the examples allow."""

    kind: str
    level: int
    held_out: bool
    items: Items
    operations: tuple[str, ...]


@dataclass(frozen=True)
class Lists:
    """`letters` and `numbers`, SIZES operations in a row on SIZES items; `hidden`, one operation to be guessed."""

    name = "lists"
    kinds = ("letters", "numbers", "hidden")
    levels = LEVELS
    instructions = (
        "Write the list after each operation, one line each, its items with spaces between; where only examples are "
        "given, write no such line. End with one line 'Answer: ' and the last list."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """Every operation changes the list it finds; the wording that is held out names them before the items, or has
        another sign in the examples."""
        return _draw_hidden(level, rng, held_out) if kind == "hidden" else _draw_named(kind, level, rng, held_out)

    def tidy(self, question: str) -> str:
        """Single spaces, line ends kept."""
        lines = (" ".join(line.split()) for line in question[: 4 * LONGEST_QUESTION].strip().split("\n"))
        spaced = "\n".join(lines)
        try:
            _understood(spaced)
        except ValueError:
            return question
        return spaced

    def place(self, question: str) -> tuple[str, int, bool]:
        """The level is the lowest that has as many operations and items."""
        case = _understood(question)
        return case.kind, case.level, case.held_out

    def work(self, question: str) -> Worked:
        """The list after each operation; of a hidden one, the answer alone."""
        case = _understood(question)
        return _shown_as(case, _carried(case.items, case.operations))

    def slip(self, question: str, rng: Rng) -> Worked:
        """Neighbours change places, or an item is lost or written twice, if possible such that the answer changes."""
        case = _understood(question)
        gold = _carried(case.items, case.operations)
        place = int(len(gold) * rng.random())
        wrong = _mistaken(gold[place], case.operations[place] == COUNT, rng)
        tries = [[*gold[:place], items, *_carried(items, case.operations[place + 1 :])] for items in wrong]
        tries = [lists for lists in tries if all(lists)]
        best = next((lists for lists in tries if lists[-1] != gold[-1]), tries[0])
        return _shown_as(case, best, place)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Leaves out the last of several operations; swaps the first two whatever the one operation is; copies the
        list where the operation is hidden."""
        case = _understood(question)
        gold = _carried(case.items, case.operations)
        if case.kind == "hidden":
            lists = [case.items]
        else:
            lists = gold[:-1] if len(gold) > 1 else [applied("swap the first two", case.items)]
        return _shown_as(case, lists, None if lists[-1] == gold[-1] else len(gold) - 1)

    def follow(self, question: str, text: str) -> list[Line]:
        """`left` is the list that is carried on. What stands after the answer is wrong, and so is a step where the
        operation is hidden."""
        case = _understood(question)
        at, left, lines = case.items, list(case.operations), list[Line]()
        hidden, answered = case.kind == "hidden", False
        for said in islice(filter(None, map(str.strip, text.split("\n"))), MOST_LINES):
            if said.startswith(MARK):
                expected = applied(left[0], at) if hidden else [] if left else at
                right, answered = not answered and bool(expected) and final_answer(said) == " ".join(expected), True
            else:
                right = not hidden and not answered and bool(left) and said == " ".join(applied(left[0], at))
                if left and not hidden and len(said) <= LONGEST_LINE and _LIST.fullmatch(said):
                    at, left = said.split(" "), left[1:]
            lines.append(Line(said, right, " ".join(at)))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """The items with white space between, and nothing else."""
        return len(answer) <= LONGEST_LINE and " ".join(answer.split()) == self.work(question).answer

    def reach(self, level: int) -> int:
        """Up to three tokens for an item (a space and two digits), and room for lists that grow."""
        operations, items = SIZES[level - 1]
        longest = 3 * 2 * items if level < 6 else 2 * (items + 1)
        return (operations + 1) * (longest + 2) + 8

    def world(self, max_tokens: int) -> Env:
        """One reply."""
        return SingleTurn(max_tokens)


def _carried(items: Items, operations: Sequence[str]) -> list[Items]:
    """The list after each operation."""
    lists: list[Items] = []
    for operation in operations:
        items = applied(operation, items)
        lists.append(items)
    return lists


def _shown_as(case: _Case, lists: Sequence[Items], wrong: int | None = None) -> Worked:
    """The lists as steps and answer; where the operation is hidden, the answer alone."""
    steps = () if case.kind == "hidden" else tuple(map(" ".join, lists))
    return Worked(steps, " ".join(lists[-1]), wrong)


def _mistaken(items: Items, counted: bool, rng: Rng) -> list[Items]:
    """Lists that a small mistake makes of the right one, in a drawn order, none of them right."""
    if counted:
        return [[str(int(items[0]) + 1)]]
    at = int(len(items) * rng.random())
    turn = int(3 * rng.random())
    swapped = [*items[:at], *items[at : at + 2][::-1], *items[at + 2 :]]
    made = [swapped, items[:at] + items[at + 1 :], items[: at + 1] + items[at:]]
    return [wrong for wrong in (*made[turn:], *made[:turn]) if wrong and wrong != items]


def _understood(question: str) -> _Case:
    case = None
    if len(question) <= LONGEST_QUESTION:
        named = _NAMED.fullmatch(question)
        case = _named(named) if named else _hidden(question.split("\n"))
    if case is None:
        raise ValueError(f"expected a question of lists, got {question[:80]!r}")
    return case


def _named(found: re.Match[str]) -> _Case | None:
    """None unless all operations are known and fit the items, and a list is left after each."""
    items = (found[2] or found[3] or found[5] or found[8]).split(" ")
    named = found[1] or found[4] or found[6] or found[7]
    operations = tuple((named[0].lower() + named[1:]).split(", then "))
    numbers = items[0].isdigit()
    known = all(operation in _APPLY and (numbers or operation not in FOR_NUMBERS) for operation in operations)
    alike = all(item.isdigit() == numbers for item in items)
    if not known or not alike or COUNT in operations[:-1] or not all(_carried(items, operations)):
        return None
    needed, size = len(operations), len(items)
    level = next((at for at, (most, longest) in enumerate(SIZES, 1) if most >= needed and longest >= size), None)
    return _Case("numbers" if numbers else "letters", level, bool(found[7]), items, operations) if level else None


def _hidden(lines: list[str]) -> _Case | None:
    """None unless the examples, in one wording, allow one operation and no other."""
    found = [_SHOWN.fullmatch(line) for line in lines[:9]]
    parts = [match.groups() for match in found if match]
    if not 1 < len(parts) == len(lines) or len({(name, sign) for name, _, sign, _ in parts}) > 1:
        return None
    if not all(after for *_, after in parts[:-1]) or parts[-1][3] is not None:
        return None
    shown = [(before.split(" "), after.split(" ")) for _, before, _, after in parts[:-1]]
    items = parts[-1][1].split(" ")
    allowed = _allowed(shown)
    level = next((at for at, (_, most) in enumerate(HIDDEN, 1) if most >= len(items)), None)
    if len(allowed) != 1 or not applied(allowed[0], items) or level is None:
        return None
    return _Case("hidden", level, parts[0][2] == HELD_OUT_SHOWN, items, allowed)


def _allowed(shown: Sequence[tuple[Items, Items]]) -> tuple[str, ...]:
    """The hidden operations that give all these results."""
    return tuple(name for name in OPERATIONS if all(applied(name, before) == after for before, after in shown))


def _draw_hidden(level: int, rng: Rng, held_out: bool) -> str:
    operation, (examples, size) = pick(OPERATIONS, rng), HIDDEN[level - 1]
    while True:
        lists = [[pick(LETTERS, rng) for _ in range(size)] for _ in range(examples + 1)]
        *shown, (asked, answer) = [(items, applied(operation, items)) for items in lists]
        if asked != answer and len(_allowed(shown)) == 1:
            return _written(pick(NAMES_OF_HIDDEN, rng), HELD_OUT_SHOWN if held_out else SHOWN, shown, asked)


def _draw_named(kind: str, level: int, rng: Rng, held_out: bool) -> str:
    count, size = SIZES[level - 1]
    items = _drawn_items(kind, level, size, rng)
    while len(operations := _drawn_operations(kind, level, items, rng)) < count:
        items = _drawn_items(kind, level, size, rng)
    rest = ", then ".join(operations)
    wording = HELD_OUT_WORDING if held_out else pick(WORDINGS, rng)
    return wording.format(first=rest[0].upper() + rest[1:], rest=rest, items=" ".join(items))


def _drawn_items(kind: str, level: int, size: int, rng: Rng) -> Items:
    if kind == "letters":
        return [pick(LETTERS, rng) for _ in range(size)]
    largest = 9 if level < 3 or level > 5 else 99
    return [str(1 + int(largest * rng.random())) for _ in range(size)]


def _drawn_operations(kind: str, level: int, items: Items, rng: Rng) -> list[str]:
    """Operations in a row, each of which changes the list and leaves LEAST items or more; fewer than the level has
    where none is found. Lists grow once at most, and long ones by one item only; above level 6 nothing is counted."""
    needed, least = SIZES[level - 1][0], LEAST[level - 1]
    options = (*OPERATIONS, *(FOR_NUMBERS if kind == "numbers" else ()), *((REPEAT_EACH,) if level < 6 else ()))
    chosen: list[str] = []
    for _ in range(4 * needed):
        last = len(chosen) == needed - 1
        operation = pick((*options, COUNT) if last and level < 7 else options, rng)
        after = applied(operation, items)
        grown = operation in GROWING and any(name in GROWING for name in chosen)
        if after == items or (len(after) < least and operation != COUNT) or grown or operation in chosen[-1:]:
            continue
        chosen.append(operation)
        items = after
        if last:
            break
    return chosen
