"""Arithmetic: sums in five families and eight levels, worked one operation a line, every line checked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from sharpen.core.errors import InvalidInput, Unanswerable, nearest
from sharpen.core.ports import Env, Refusal
from sharpen.core.records import Attempt, Chat, Json, Judged, Message, Problem, Reference, Verdict
from sharpen.core.streams import SPLITS, Rng, Split, split_of, stream, stream_key
from sharpen.tasks.answers import mean_length
from sharpen.tasks.expressions import (
    FAMILIES,
    LEVELS,
    SIZES,
    Expression,
    answered,
    draw,
    follow,
    parse,
    work,
    written,
)
from sharpen.tasks.single import SingleTurn

ASKED = "Work out "
INSTRUCTIONS = (
    "Do one operation per line, without spaces, as in 7+5=12. "
    "End with one line that has nothing but 'Answer: ' and the number."
)
PATIENCE = 3000  # draws without a new problem after which a small family counts as exhausted


def question_of(expression: str) -> str:
    """How a sum is put to the model."""
    return f"{ASKED}{expression}."


def problem_id(question: str) -> str:
    """The id that marks a problem as the task's own: it follows from the question."""
    return f"arithmetic-{stream_key('arithmetic', question):016x}"


def own(problem: Problem) -> Expression:
    """The symbols of a problem of this task; raises Unanswerable for any other."""
    question = problem.chat[-1].text if problem.chat else ""
    if problem.id != problem_id(question):
        raise Unanswerable(
            f"expected a problem that the arithmetic task made or admitted, got {problem.id!r} "
            f"asking {question[:80]!r}; let the task admit it first"
        )
    return parse(question.removeprefix(ASKED).removesuffix("."))


class ArithmeticOracle:
    """Works the sum out itself, so it keeps nothing."""

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Score 1 for the right number after the one answer mark, else 0; `steps` has 1 or 0 for each line."""
        return [verdict(own(attempt.problem), attempt.text) for attempt in attempts]

    def reveal(self, problem: Problem) -> Reference:
        """The number, the steps one by one, and under `solution` the whole text as it should be said."""
        steps, answer = work(own(problem))
        return Reference(str(answer), tuple(map(str, steps)), {"solution": written(steps, answer)})

    def states(self, problem: Problem, text: str) -> list[Json]:
        """What is left of the sum after each line of the text, such as `12-3` after `7+5=12`."""
        return [line.left for line in follow(own(problem), text)]


def verdict(symbols: Expression, text: str) -> Verdict:
    """The judgement of a solution; its note names the first wrong line but gives nothing of the right answer away."""
    claim = answered(text)
    right = claim is not None and claim == work(symbols)[1]
    lines = follow(symbols, text)
    wrong = next(((place, line) for place, line in enumerate(lines, 1) if not line.right), None)
    if right:
        note = ""
    elif claim is None:
        note = "There is no answer: end with one line that has nothing but 'Answer: ' and the number."
    elif wrong is not None:
        note = f"The answer is wrong; line {wrong[0]}, {wrong[1].text[:60]!r}, is the first that does not hold."
    else:
        note = "The answer is wrong."
    return Verdict(float(right), right, tuple(float(line.right) for line in lines), note)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many problems each split has, where the families have as many."""

    train: int = 2000
    dev: int = 200
    test: int = 500

    def of(self, split: Split) -> int:
        """The size of one split."""
        return {"train": self.train, "dev": self.dev, "test": self.test}[split]


class Arithmetic:
    """Sums of one level, of one family or of all in turn.

    level: 1 to 8; family: one of `FAMILIES`, or `all`; instructions: begin the chat with how to answer, for models
    that were not raised on sums; max_tokens: the longest reply, None for what the level needs with room to spare.
    """

    name = "arithmetic"
    offers = frozenset({"reveal", "steps", "states", "generate", "admit"})

    def __init__(
        self,
        *,
        level: int = 3,
        family: str = "all",
        instructions: bool = False,
        max_tokens: int | None = None,
        sizes: Sizes | None = None,
    ) -> None:
        _checked(level)
        if family not in (*FAMILIES, "all"):
            raise InvalidInput(nearest("family", family, (*FAMILIES, "all")))
        self.level = int(level)
        self.drawn_from = FAMILIES if family == "all" else (family,)
        self.instructions = instructions
        self.env: Env = SingleTurn(16 * (SIZES[self.level - 1][0] + 1) if max_tokens is None else max_tokens)
        self.oracle = ArithmeticOracle()
        self.measures: Mapping[str, Callable[[Sequence[Judged]], float]] = {
            "right_steps": right_steps,
            "length": mean_length,
        }
        sizes = sizes or Sizes()
        self._problems = {split: self._split(split, sizes.of(split)) for split in SPLITS}

    def problems(self, split: Split) -> Sequence[Problem]:
        """The distinct problems of a split, the families in turn; fewer than its size where a family has no more."""
        return self._problems[split]

    def families(self) -> tuple[str, ...]:
        """The families this task draws from."""
        return self.drawn_from

    def generate(self, family: str, level: float, n: int, rng: Rng) -> list[Problem]:
        """`n` problems of the train split, repeats possible; raises InvalidInput for an unknown family or level."""
        if family not in FAMILIES:
            raise InvalidInput(nearest("family", family, FAMILIES))
        return list(islice(self._drawn(family, _checked(level), "train", rng), n))

    def admit(self, problem: Problem) -> Problem | Refusal:
        """The same sum as a problem of this task, its level found from its operations; refused if it is no sum or is
        kept for examination."""
        if len(problem.chat) == 0 or problem.chat[-1].role != "user":
            return Refusal("expected a chat that ends in the user's question")
        asked = problem.chat[-1].text.strip().removeprefix(ASKED.strip()).removesuffix(".")
        expression = "".join(asked.split())
        try:
            steps, _ = work(parse(expression))
        except ValueError as error:
            return Refusal(str(error))
        if not steps or len(steps) > SIZES[-1][0]:
            return Refusal(f"expected 1 to {SIZES[-1][0]} operations, got {len(steps)}")
        if split_of(question_of(expression)) != "train":
            return Refusal(f"{expression!r} is kept for examination")
        level = next(level for level, (operations, _) in zip(LEVELS, SIZES, strict=True) if operations >= len(steps))
        return self._problem(_family(expression), level, expression)

    def _split(self, split: Split, size: int) -> tuple[Problem, ...]:
        """Up to `size` distinct problems, by question, in a fixed order."""
        found: dict[str, Problem] = {}
        for place, family in enumerate(self.drawn_from):
            rng = stream("arithmetic", split, family, self.level)
            share = size // len(self.drawn_from) + (place < size % len(self.drawn_from))
            enough, idle = len(found) + share, 0
            for problem in self._drawn(family, self.level, split, rng):
                idle = idle + 1 if problem.id in found else 0
                found.setdefault(problem.id, problem)
                if len(found) >= enough or idle > PATIENCE:
                    break
        by_family = [[p for p in found.values() if p.family == family] for family in self.drawn_from]
        return tuple(p for p in chain.from_iterable(zip_longest(*by_family)) if p is not None)

    def _drawn(self, family: str, level: int, split: Split, rng: Rng) -> Iterator[Problem]:
        """Problems of one split without end, repeats included."""
        while True:
            expression = draw(family, level, rng)
            if split_of(question_of(expression)) == split:
                yield self._problem(family, level, expression)

    def _problem(self, family: str, level: int, expression: str) -> Problem:
        question = question_of(expression)
        asked = Message("user", question)
        chat: Chat = (Message("system", INSTRUCTIONS), asked) if self.instructions else (asked,)
        return Problem(problem_id(question), chat, family, float(level))


def _checked(level: float) -> int:
    if level not in LEVELS:
        raise InvalidInput(f"level must be a whole number from {LEVELS[0]} to {LEVELS[-1]}, got {level}")
    return int(level)


def _family(expression: str) -> str:
    if "(" in expression:
        return "mixed" if "*" in expression else "brackets"
    return "multiply" if "*" in expression else "subtract" if "-" in expression else "add"


def right_steps(marks: Sequence[Judged]) -> float:
    """The share of lines that are right; 0 where nothing was said."""
    scores = [score for mark in marks for score in mark.verdict.steps]
    return sum(scores) / len(scores) if scores else 0.0
