"""The sentences of word problems: openings, events by what they do to a number, last questions; a story of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sharpen.core.streams import Rng
from sharpen.tasks.family import pick
from sharpen.tasks.lexicon import NAMES, THINGS

OPENINGS = (
    "{name} has {a} {thing}",
    "{name} starts with {a} {thing}",
    "At first {name} has {a} {thing}",
    "There are {a} {thing} in the bag of {name}",
)
ENDINGS = (
    "How many {thing} does {name} have now?",
    "How many {thing} does {name} have in the end?",
    "How many {thing} are there now?",
    "What is the number of {thing} in the end?",
)

# (events, largest number told, fewest and most things that an event leaves, largest factor) of levels 1 to 8.
SIZES = (
    (1, 10, 1, 50, 5), (2, 20, 1, 100, 5), (3, 50, 1, 200, 9), (4, 50, 1, 300, 9), (5, 50, 1, 400, 9),
    (6, 99, 1, 999, 9), (9, 500, 1000, 9999, 9), (11, 999, 1000, 9999, 9),
)  # fmt: skip

# What may happen in a story of each kind, and what must happen at least once.
HAPPENS = {
    "gain": ("+",),
    "loss": ("+", "-"),
    "groups": ("+", "+", "-", "-", "*", "+*", "-*"),
    "share": ("+", "+", "-", "-", "*", "/"),
}
NEEDED = {"gain": ("+",), "loss": ("-",), "groups": ("*", "+*", "-*"), "share": ("/",)}

# By what an event does to the number of things: `+*` adds a product of two numbers, `-*` takes one away.
TOLD = {
    "+": (
        "{name} finds {a} more",
        "{name} buys {a} more",
        "{name} makes {a} more",
        "{name} picks up {a}",
        "{name} gets {a} from {other}",
        "{name} wins {a} in a game",
        "{other} gives {name} {a}",
        "Then {name} takes {a} more",
        "Then {other} brings {a} more",
        "Then {a} more come in a box",
    ),
    "-": (
        "{name} loses {a}",
        "{name} sells {a}",
        "{name} uses {a}",
        "{name} gives {a} to {other}",
        "{name} throws {a} away",
        "{other} takes {a} away",
        "Then {name} gives {a} back",
        "Then {a} of them break",
        "Then {a} are lost",
    ),
    "*": (
        "Now {name} has {a} times as many",
        "Then the pile grows to {a} times its size",
        "Then each one turns into {a}",
        "Then the pile doubles",
        "Then {name} has twice as many",
        "Then the pile is three times as big",
    ),
    "/": (
        "{name} puts them into {a} equal bags and keeps one bag",
        "{name} makes {a} equal parts and keeps one part",
        "{a} friends share them and {name} gets one part",
        "Then {name} keeps one of {a} equal piles",
        "{name} gives half of them to {other}",
    ),
    "+*": (
        "{name} gets {a} boxes of {b} each",
        "{name} buys {a} bags of {b} each",
        "{other} gives {name} {a} boxes of {b} each",
        "Then {a} friends bring {b} each",
    ),
    "-*": (
        "{name} gives {a} friends {b} each",
        "{name} sells {a} bags of {b} each",
        "{other} takes {a} boxes of {b} each",
        "{name} loses {a} piles of {b} each",
    ),
}
HELD_OUT = {
    "+": (
        "{name} adds {a} to the pile",
        "{name} is given {a} by {other}",
        "{other} leaves {a} for {name}",
        "The pile grows by {a}",
        "A friend brings {name} {a} more",
    ),
    "-": (
        "{name} pays {a} to {other}",
        "{other} gets {a} of them",
        "The pile falls by {a}",
        "Now there are {a} less",
    ),
    "*": (
        "{other} makes the pile {a} times as big",
        "Now there are {a} for each one before",
        "The number of them doubles",
    ),
    "/": (
        "Only one of each {a} is left",
        "The pile falls into {a} equal parts and {name} takes one",
        "Half of the pile is lost",
    ),
    "+*": (
        "{name} finds {a} piles of {b} each",
        "For {a} days {name} makes {b} each day",
    ),
    "-*": (
        "Then {a} friends take {b} each",
        "For {a} days {name} uses {b} each day",
    ),
}
# Numbers that are said in words.
SPOKEN = {"doubles": 2, "twice": 2, "three": 3, "half": 2, "Half": 2}


@dataclass(frozen=True, slots=True)
class Plot:
    """An event that may happen in a story: what it does, how it is told, and by how much where a word says it."""

    operation: str
    text: str
    spoken: int | None
    held_out: bool

    @property
    def numbers(self) -> int:
        """How many numbers its sentence has in digits."""
        return self.text.count("{a}") + self.text.count("{b}")

    @property
    def shape(self) -> str:
        """The sentence with `#` for each number, `@` for whom the story is about and `&` for anybody else."""
        return self.text.format(name="@", other="&", a="#", b="#")


def _plots(told: dict[str, tuple[str, ...]], held_out: bool) -> Iterator[Plot]:
    for operation, texts in told.items():
        for text in texts:
            spoken = next((number for word, number in SPOKEN.items() if word in text.split()), None)
            yield Plot(operation, text, spoken, held_out)


PLOTS = (*_plots(TOLD, False), *_plots(HELD_OUT, True))
_BY_OPERATION = {
    (operation, held_out): tuple(p for p in PLOTS if (p.operation, p.held_out) == (operation, held_out))
    for operation in ("+", "-", "*", "/", "+*", "-*")
    for held_out in (False, True)
}


def drawn(kind: str, level: int, rng: Rng, held_out: bool) -> str:
    """A question of the family; empty where the numbers led nowhere."""
    uniform = rng.random
    at = int(len(NAMES) * uniform())
    name, other = NAMES[at], NAMES[at - 1 - int((len(NAMES) - 1) * uniform())]
    thing = pick(THINGS, rng)
    events, largest, least, *_ = SIZES[level - 1]
    carried = least + 1 + int((largest - 1) * uniform())
    sentences = [pick(OPENINGS, rng).format(name=name, a=carried, thing=thing)]
    due = int(events * uniform())
    for place in range(events):
        for _ in range(4):
            plots = _BY_OPERATION[pick((NEEDED if place == due else HAPPENS)[kind], rng), held_out]
            plot = plots[int(len(plots) * uniform())]
            numbers = _fitting(plot, carried, level, uniform)
            if numbers:
                break
        else:
            return ""
        size = numbers[0] if len(numbers) == 1 else numbers[0] * numbers[1]
        carried = result(carried, plot.operation[0], size)
        sentences.append(plot.text.format(name=name, other=other, a=numbers[0], b=numbers[-1]))
    return ". ".join([*sentences, pick(ENDINGS, rng).format(name=name, thing=thing)])


def result(left: int, operator: str, right: int) -> int:
    """What a sum comes to; of a division without its remainder."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left * right if operator == "*" else left // right


def _fitting(plot: Plot, carried: int, level: int, uniform: Callable[[], float]) -> list[int]:
    """Numbers for an event that leave not too few things and not too many; empty where there are none."""
    _, largest, least, cap, top = SIZES[level - 1]
    if plot.operation in ("+", "-"):
        most = min(largest, cap - carried if plot.operation == "+" else carried - least)
        return [1 + int(most * uniform())] if most > 0 else []
    if plot.operation == "*":
        most = min(top, cap // carried)
        factor = plot.spoken or 2 + int((most - 1) * uniform())
        return [factor] if factor <= most else []
    if plot.operation == "/":
        fair = [plot.spoken] if plot.spoken else range(2, 10)
        options = [k for k in fair if carried % k == 0 and carried // k >= least]
        return [options[int(len(options) * uniform())]] if options else []
    factors = [2 + int((top - 1) * uniform()), 2 + int((top - 1) * uniform())]
    room = cap - carried if plot.operation == "+*" else carried - least
    return factors if factors[0] * factors[1] <= room else []
