"""The sentences of word problems: openings, events by what they do to a number, last questions, and what fits in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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

# (largest number told, largest number of things, largest factor) of levels 1 to 8.
SIZES = (
    (10, 50, 5), (20, 100, 5), (50, 200, 9), (50, 300, 9), (50, 400, 9), (99, 999, 9), (99, 999, 9), (99, 999, 9),
)  # fmt: skip

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


def fitting(plot: Plot, carried: int, level: int, uniform: Callable[[], float]) -> list[int]:
    """Numbers for an event that leave at least one thing and not too many; empty where there are none."""
    largest, cap, top = SIZES[level - 1]
    if plot.operation in ("+", "-"):
        most = min(largest, cap - carried if plot.operation == "+" else carried - 1)
        return [1 + int(most * uniform())] if most > 0 else []
    if plot.operation == "*":
        most = min(top, cap // carried)
        factor = plot.spoken or 2 + int((most - 1) * uniform())
        return [factor] if factor <= most else []
    if plot.operation == "/":
        options = [k for k in ([plot.spoken] if plot.spoken else range(2, 10)) if carried % k == 0]
        return [options[int(len(options) * uniform())]] if options else []
    factors = [2 + int((top - 1) * uniform()), 2 + int((top - 1) * uniform())]
    room = cap - carried if plot.operation == "+*" else carried - 1
    return factors if factors[0] * factors[1] <= room else []
