"""Word problems: somebody has a number of things, a few events change it, and the number in the end is asked."""

import re
from dataclasses import dataclass

from sharpen.core.judging import MARK
from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks.expressions import Step, answered
from sharpen.tasks.family import Line, Worked, trimmed
from sharpen.tasks.lexicon import LETTERS, NAMES, THINGS
from sharpen.tasks.plots import ENDINGS, HAPPENS, OPENINGS, PLOTS, SIZES, Plot, drawn, result
from sharpen.tasks.single import SingleTurn

LONGEST = 20_000  # characters of a reply that are looked at
LARGEST = 999
"""Numbers of things in a question; more where its level has more."""
_BY_SHAPE = {plot.shape: (plot, plot.numbers) for plot in PLOTS}
_PEOPLE = frozenset(NAMES)
_TEXT = re.compile(r"[A-Za-z0-9 .?]{1,900}")
_OPENINGS = tuple(
    re.compile(text.format(name="(?P<name>[A-Z][a-z]+)", a="(?P<a>[1-9][0-9]{0,3})", thing="(?P<thing>[a-z]+)"))
    for text in OPENINGS
)
_STEP = re.compile(r"(-?[0-9]{1,9})([-+*/])(-?[0-9]{1,9})=(-?[0-9]{1,9})")
# Mistakes in a step: what the result is off by; 0 stands for another sign, from this table.
_MISTAKES = (1, 0, -1, 2, 10, -2, -10)
_MISTAKEN = {"+": "-", "-": "+", "*": "+", "/": "-"}


@dataclass(frozen=True, slots=True)
class Move:
    """One sum of a story: the carried number by `number`; with a `factor`, the product of the two, which is put aside;
    and with neither, the carried number by what was put aside."""

    operator: str
    number: int | None = None
    factor: int | None = None

    def sum(self, carried: int, aside: int) -> Step:
        """The sum, rightly worked out. A division that an earlier mistake has spoiled loses its remainder."""
        left = carried
        right = aside if self.number is None else self.number
        if self.factor is not None:
            left, right = right, self.factor
        return Step(left, self.operator, right, result(left, self.operator, right))

    def __str__(self) -> str:
        return f"{self.number}*{self.factor}" if self.factor else f"{self.operator}{self.number or ''}"


@dataclass(frozen=True, slots=True)
class Story:
    """What a question tells; `events` has the moves of each event, one or two."""

    start: int
    events: tuple[tuple[Move, ...], ...]
    held_out: bool

    @property
    def moves(self) -> tuple[Move, ...]:
        """All sums, in order."""
        return tuple(move for event in self.events for move in event)

    @property
    def level(self) -> int:
        """The lowest that has as many events."""
        return next(level for level, (events, *_) in enumerate(SIZES, 1) if events >= len(self.events))

    @property
    def largest(self) -> int:
        """The largest number of things that there may be."""
        return max(LARGEST, SIZES[self.level - 1][3])

    @property
    def kind(self) -> str:
        """By its most special sign."""
        signs = {move.operator for move in self.moves}
        return "share" if "/" in signs else "groups" if "*" in signs else "loss" if "-" in signs else "gain"


def read(question: str) -> Story:
    """The story of a question; raises ValueError where it is no word problem, goes below zero or above what its level
    may have, or has a division that does not come out."""
    sentences = question.split(". ") if _TEXT.fullmatch(question) else []
    if not 3 <= len(sentences) <= SIZES[-1][0] + 2:
        raise _refused(question)
    opening, *told, ending = sentences
    found = next(filter(None, (pattern.fullmatch(opening) for pattern in _OPENINGS)), None)
    if found is None:
        raise _refused(question)
    name, thing = found["name"], found["thing"]
    if name not in _PEOPLE or thing not in THINGS or ending not in [e.format(name=name, thing=thing) for e in ENDINGS]:
        raise _refused(question)
    events, held_out = [], False
    for sentence in told:
        plot, numbers = _recognised(sentence, name, question)
        events.append(_moves(plot.operation, numbers))
        held_out = held_out or plot.held_out
    story = Story(int(found["a"]), tuple(events), held_out)
    if story.start > story.largest or not all(_clean(step, story.largest) for step in _walked(story)):
        raise _refused(question)
    return story


def _refused(question: str) -> ValueError:
    return ValueError(f"expected a word problem such as 'Ada has 7 apples. Ada finds 5 more...', got {question[:80]!r}")


def _recognised(sentence: str, name: str, question: str) -> tuple[Plot, list[int]]:
    """The plot and the numbers of an event's sentence."""
    words = sentence.split(" ")
    digits = [word for word in words if word.isdecimal()]
    shape = ["#" if w.isdecimal() else "@" if w == name else "&" if w in _PEOPLE else w for w in words]
    plot, count = _BY_SHAPE.get(" ".join(shape), (None, 0))
    if plot is None or len(digits) != count or any(len(d) > 3 or d[0] == "0" for d in digits):
        raise _refused(question)
    numbers = [int(d) for d in digits] if plot.spoken is None else [plot.spoken]
    if plot.operation in ("*", "/") and numbers[0] < 2:
        raise _refused(question)
    return plot, numbers


def _moves(operation: str, numbers: list[int]) -> tuple[Move, ...]:
    if len(operation) == 1:
        return (Move(operation, numbers[0]),)
    return Move("*", numbers[0], numbers[1]), Move(operation[0])


def _clean(step: Step, largest: int) -> bool:
    return 0 <= step.result <= largest and (step.operator != "/" or step.left % step.right == 0)


def _walked(story: Story, at: int | None = None, mistake: int = 0) -> list[Step]:
    """Every sum of a story; the one at place `at` with a mistake, carried on."""
    steps: list[Step] = []
    carried, aside = story.start, 0
    for place, move in enumerate(story.moves):
        step = move.sum(carried, aside)
        if place == at:
            operator = step.operator if mistake else _MISTAKEN[step.operator]
            step = Step(step.left, operator, step.right, result(step.left, operator, step.right) + mistake)
        carried, aside = (carried, step.result) if move.factor else (step.result, 0)
        steps.append(step)
    return steps


def program_of(question: str) -> str:
    """The same story as a program of single-letter names, one operation a line, that prints the answer."""
    story = read(question)
    lines = [f"a={story.start}"]
    carried = aside = "a"
    for move in story.moves:
        letter = LETTERS[len(lines)]
        if move.factor:
            lines.append(f"{letter}={move.number}*{move.factor}")
            aside = letter
        else:
            lines.append(f"{letter}={carried}{move.operator}{aside if move.number is None else move.number}")
            carried = letter
    return "\n".join([*lines, f"print {carried}"])


@dataclass(frozen=True)
class Stories:
    """Word problems; the number of events follows from the level (SIZES). Held out are sentences of events."""

    name = "stories"
    kinds = tuple(HAPPENS)
    levels = range(1, len(SIZES) + 1)
    instructions = (
        "Do one sum per line, in the order of the story, without spaces, as in 7+5=12. "
        f"End with one line that has nothing but '{MARK} ' and the number."
    )

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """A question; every event of a held-out one is told in a held-out sentence."""
        question = ""
        while not question:
            question = drawn(kind, level, rng, held_out)
        return question

    def tidy(self, question: str) -> str:
        """Without white space around it and its lines."""
        return trimmed(question)

    def place(self, question: str) -> tuple[str, int, bool]:
        """Held out is a story with one held-out sentence or more."""
        story = read(question)
        return story.kind, story.level, story.held_out

    def work(self, question: str) -> Worked:
        """Event by event."""
        steps = _walked(read(question))
        return Worked(tuple(map(str, steps)), str(steps[-1].result))

    def slip(self, question: str, rng: Rng) -> Worked:
        """A result that is a little off, or a wrong sign; if possible one after which all still comes out."""
        story = read(question)
        right = _walked(story)[-1].result
        at, first = int(len(story.moves) * rng.random()), int(len(_MISTAKES) * rng.random())
        tries = [_walked(story, at, mistake) for mistake in (*_MISTAKES[first:], *_MISTAKES[:first])]
        clean = (t for t in tries if t[-1].result != right and all(_clean(step, story.largest) for step in t))
        steps = next(clean, None)
        if steps is None:
            steps = next((t for t in tries if t[-1].result != right), tries[0])
        return Worked(tuple(map(str, steps)), str(steps[-1].result), wrong=at)

    def habit(self, question: str, rng: Rng) -> Worked:
        """Leaves the last event out; of a single event it takes the wrong sign, or the first number alone."""
        story = read(question)
        if len(story.events) > 1:
            steps = _walked(Story(story.start, story.events[:-1], story.held_out))
            return Worked(tuple(map(str, steps)), str(steps[-1].result), wrong=len(steps))
        first, *second = story.moves
        operator = second[0].operator if second else _MISTAKEN[first.operator]
        left, right = story.start, first.number or 0
        if operator == "-":
            left, right = max(left, right), min(left, right)
        step = Step(left, operator, right, result(left, operator, right))
        return Worked((str(step),), str(step.result), wrong=0)

    def follow(self, question: str, text: str) -> list[Line]:
        """A wrong step takes the place of the event that was next, and its result is carried on."""
        story = read(question)
        moves, carried, aside, over = list(story.moves), story.start, 0, False
        lines: list[Line] = []
        for line in filter(None, map(str.strip, text[:LONGEST].split("\n"))):
            right = False
            step = _STEP.fullmatch(line)
            if line.startswith(MARK):
                right = not moves and not over and answered(line) == carried
                over = True
            elif step and moves and not over:
                right = _same(step, moves[0].sum(carried, aside))
                carried, aside = (carried, int(step[4])) if moves[0].factor else (int(step[4]), aside)
                del moves[0]
            lines.append(Line(line, right, _left(carried, aside, moves)))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """The number, and at most a full stop."""
        return answered(f"{MARK} {answer[:LONGEST]}") == _walked(read(question))[-1].result

    def reach(self, level: int) -> int:
        """Two sums for an event, of at most twelve tokens, or fourteen where numbers have four digits."""
        events, *_, cap, _ = SIZES[level - 1]
        return 16 + 2 * events * (12 if cap <= LARGEST else 14)

    def world(self, max_tokens: int) -> Env:
        """One question, one reply."""
        return SingleTurn(max_tokens)


def _same(step: re.Match[str], expected: Step) -> bool:
    """Whether a written step is the expected one, its numbers in either order where that is the same."""
    swapped = expected.operator in "+*" and f"{expected.right}{expected.operator}{expected.left}={expected.result}"
    return step[0] in (str(expected), swapped)


def _left(carried: int, aside: int, moves: list[Move]) -> str:
    """The carried number and what is still to be done to it, such as `12 -3 4*2 +`; a product put aside is in place."""
    rest = [f"{move}{aside}" if place == 0 and move.number is None else str(move) for place, move in enumerate(moves)]
    return " ".join([str(carried), *rest])
