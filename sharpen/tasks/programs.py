"""Programs: what a small program prints, drawn by kind and level, worked line by line, and checked."""

import re
from dataclasses import dataclass, replace

from sharpen.core.judging import MARK
from sharpen.core.ports import Env
from sharpen.core.streams import Rng
from sharpen.tasks.executor import LONGEST, NUMBER, Statement, assigned, read, traced
from sharpen.tasks.family import Line, Worked, pick, trimmed
from sharpen.tasks.lexicon import LETTERS
from sharpen.tasks.single import SingleTurn

MOST_STEPS = 40  # of a question; a program of its own may have more
LARGEST = 999  # of the values in a question; more where its level has more
# (lines between the first and `print`, least value, what values are kept near, and how far over the least the first
# one is at most) of levels 1 to 8.
SIZES = (
    (1, 0, 20, 9), (2, 0, 50, 9), (3, 0, 99, 20), (4, 0, 99, 20), (5, 0, 200, 20), (6, 0, 500, 20),
    (9, 1000, 9999, 999), (12, 1000, 99_999, 999),
)  # fmt: skip
WORDINGS = ("What does this print?", "Run this program. What does it print?", "Find what this program prints.")
HELD_OUT = ("Say what comes out of this program.",)

_CLAIM = re.compile(rf"skip|([a-z])=(-?{NUMBER})")


@dataclass(frozen=True, slots=True)
class Reading:
    """A question understood: its place, the statements with the values they set, and what is printed."""

    place: tuple[str, int, bool]
    statements: list[Statement]
    values: list[int | None]
    shown: str
    answer: int


def _reading(question: str) -> Reading:
    wording, _, program = question.partition("\n")
    if wording not in WORDINGS and wording not in HELD_OUT:
        raise ValueError(f"expected a question such as 'What does this print?' and a program, got {wording[:80]!r}")
    statements, shown = read(program, MOST_STEPS)
    values, answer = traced(statements, shown)
    lines = program.strip().count("\n") - 1
    level = next((level for level, (most, *_) in enumerate(SIZES, 1) if 1 <= lines <= most), 0)
    largest = max(LARGEST, SIZES[level - 1][2])
    if not level or any(value is not None and not 0 <= value <= largest for value in values):
        raise ValueError(f"expected 2 to 13 assignments of values from 0 to {largest}, got {program[:80]!r}")
    kind = "loop" if "repeat" in program else "branch" if "if" in program else "straight"
    return Reading((kind, level, wording in HELD_OUT), statements, values, shown, answer)


@dataclass(frozen=True)
class Programs:
    """What does a small program print? Straight assignments, loops of one assignment, or assignments under a test."""

    name = "programs"
    kinds = ("straight", "loop", "branch")
    levels = range(1, len(SIZES) + 1)
    instructions = "Write each value that is set on a line, as b=7, or skip if a test fails. End with 'Answer: 7'."

    def draw(self, kind: str, level: int, rng: Rng, held_out: bool = False) -> str:
        """The number of lines between the first and `print` follows from the level (SIZES); each changes what the next
        ones work on."""
        if kind not in self.kinds or level not in self.levels:
            raise ValueError(f"expected a kind of {self.kinds} at a level of 1 to 8, got {kind!r} at {level}")
        return f"{pick(HELD_OUT if held_out else WORDINGS, rng)}\n{_drawn(kind, level, rng)}"

    def tidy(self, question: str) -> str:
        """Without white space around it and its lines."""
        return trimmed(question)

    def essence(self, question: str) -> str:
        """The program."""
        return question.partition("\n")[2]

    def place(self, question: str) -> tuple[str, int, bool]:
        """A loop has `repeat`, a branch only `if`. The level is the lowest that has as many lines between the
        first and `print`."""
        return _reading(question).place

    def work(self, question: str) -> Worked:
        """A step for each statement, each turn of a loop its own; `skip` where a test fails."""
        reading = _reading(question)
        return Worked(tuple(map(_said, reading.statements, reading.values)), str(reading.answer))

    def slip(self, question: str, rng: Rng) -> Worked:
        """A value one or two off, or a test misjudged."""
        reading = _reading(question)
        wrong = int(len(reading.statements) * rng.random())
        state: dict[str, int] = {}
        values: list[int | None] = []
        for at, statement in enumerate(reading.statements):
            value = _mistaken(statement, state, rng) if at == wrong else assigned(statement, state)
            values.append(value)
            state |= {} if value is None else {statement.name: value}
        return Worked(tuple(map(_said, reading.statements, values)), str(state.get(reading.shown, 0)), wrong)

    def habit(self, question: str, rng: Rng) -> Worked:
        """straight: a name keeps its first value; loop: the body is done once; branch: every test is taken to hold."""
        reading = _reading(question)
        kind = reading.place[0]
        state: dict[str, int] = {}
        steps: list[str] = []
        for statement in reading.statements:
            value = assigned(replace(statement, test=()) if kind == "branch" else statement, state)
            if kind != "loop" or not statement.again:
                value = state.get(statement.name, value) if kind == "straight" else value
                state |= {} if value is None else {statement.name: value}
                steps.append(_said(statement, value))
        worked = Worked(tuple(steps), str(state.get(reading.shown, 0)))
        lines = enumerate(self.follow(question, worked.text))
        return replace(worked, wrong=next((at for at, line in lines if not line.right), None))

    def follow(self, question: str, text: str) -> list[Line]:
        """A line that sets another name than is due goes on behind the next statement that sets that name, if any."""
        reading = _reading(question)
        state: dict[str, int] = {}
        at, closed = 0, False
        lines: list[Line] = []
        for line in filter(None, map(str.strip, text[:LONGEST].split("\n"))):
            due = reading.statements[at] if at < len(reading.statements) and not closed else None
            if due:
                right = line == _said(due, assigned(due, state))
                at = _carried(reading.statements, at, line, state)
            else:
                answer = line.removeprefix(MARK).strip() if line.startswith(MARK) and not closed else ""
                right = answer == str(state.get(reading.shown, 0))
            closed = closed or line.startswith(MARK)
            left = [" ".join(f"{name}={value}" for name, value in state.items())] if state else []
            left += [statement.text for statement in reading.statements[at:]]
            lines.append(Line(line, right, "; ".join([*left, f"print {reading.shown}"])))
        return lines

    def right(self, question: str, answer: str) -> bool:
        """The number as it is written, white space round it apart."""
        return answer.strip() == str(_reading(question).answer)

    def reach(self, level: int) -> int:
        """Six tokens a line, eight where values have five digits; at most four loops of five turns."""
        lines, _, limit, _ = SIZES[level - 1]
        return (6 if limit <= LARGEST else 8) * (1 + 5 * min(lines, 4) + max(lines - 4, 0)) + 20

    def world(self, max_tokens: int) -> Env:
        """One question, one reply."""
        return SingleTurn(max_tokens)


def _said(statement: Statement, value: int | None) -> str:
    return "skip" if value is None else f"{statement.name}={value}"


def _mistaken(statement: Statement, state: dict[str, int], rng: Rng) -> int | None:
    value = assigned(statement, state)
    if value is None:
        return assigned(replace(statement, test=()), state)
    if statement.test and rng.random() < 0.5:
        return None
    small = 1 + int(2 * rng.random())
    return value + small if value < small or rng.random() < 0.5 else value - small


def _carried(statements: list[Statement], at: int, line: str, state: dict[str, int]) -> int:
    """Where to go on after a line, right or not, whose claim goes into the state."""
    claim = _CLAIM.fullmatch(line)
    if claim is None or claim[1] is None:
        return at + 1 if claim and statements[at].test else at
    for place in range(at, len(statements)):
        if statements[place].name == claim[1]:
            state[claim[1]] = int(claim[2])
            return place + 1
    return at


def _drawn(kind: str, level: int, rng: Rng) -> str:
    """A chain: each line works on the name that the line before it set. The lines of the kind change that name."""
    live = pick(LETTERS, rng)
    count, least, limit, first = SIZES[level - 1]
    values = {live: least + 1 + int(first * rng.random())}
    lines = [f"{live}={values[live]}"]
    turn, loops = 1 + int((2 if kind == "straight" else min(level, 2)) * rng.random()), 0
    for at in range(1, count + 1):
        marked = at == turn or rng.random() < 0.4 or (kind == "branch" and at < 3)
        times = 2 + int(4 * rng.random()) if kind == "loop" and marked and loops < 4 else 1
        loops += times > 1
        body, result = _change(values, live, (least, limit), times, rng)
        truth, test = _condition(values[live], live, rng) if kind == "branch" and marked else (True, "")
        name = live if marked else pick(LETTERS, rng)
        values[name] = result if truth else values[live]
        lines.append(f"{f'repeat {times}: ' if times > 1 else test}{name}={body}")
        live = name
    return "\n".join([*lines, f"print {live}"])


def _change(values: dict[str, int], live: str, bounds: tuple[int, int], times: int, rng: Rng) -> tuple[str, int]:
    """An operation on the live name and what it gives after so many times."""
    least, limit = bounds
    most = 9 if limit < 200 else 50 if limit <= LARGEST else 500
    value, choice, amount = values[live], rng.random(), 1 + int(most * rng.random())
    factor = 2 + amount % 8
    if choice < 0.25 and 0 < value * factor**times <= limit and limit > 20:
        return f"{live}*{factor}", value * factor**times
    if choice < 0.4 and times == 1 and value and value % factor == 0 and value // factor >= least and limit > 50:
        return f"{live}/{factor}", value // factor
    if choice > 0.8 and times == 1 and 0 < values[other := pick(tuple(values), rng)] < limit - value and other != live:
        return f"{live}+{other}", value + values[other]
    if amount * times <= value - least and (choice < 0.6 or value + amount * times > limit):
        return f"{live}-{amount}", value - amount * times
    return f"{live}+{amount}", value + amount * times


def _condition(value: int, live: str, rng: Rng) -> tuple[bool, str]:
    """A test of the live name, which holds 45 times in 100, with a number near its value."""
    below, above = max(value - 1 - int(9 * rng.random()), 0), value + 1 + int(9 * rng.random())
    holds = rng.random() < 0.45
    sign = pick("=<>" if value else "=<", rng)
    number = {"=": value if holds else above, "<": above if holds else below, ">": below if holds else above}[sign]
    return holds, f"if {live}{sign}{number}: "
