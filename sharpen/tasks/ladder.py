"""A family of the embedded world as a task: problems of chosen levels and kinds, split by question, and their judge."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from sharpen.core.errors import InvalidInput, Unanswerable, nearest
from sharpen.core.judging import MARK, final_answer
from sharpen.core.ports import Env, Refusal
from sharpen.core.records import Attempt, Chat, Json, Judged, Message, Problem, Reference, Verdict
from sharpen.core.streams import SPLITS, Rng, Split, stream, stream_key
from sharpen.tasks.answers import mean_length
from sharpen.tasks.family import Family, Whole, split_for

PATIENCE = 3000  # draws without a new problem after which a small kind counts as exhausted


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many problems each split has, where the kinds have as many."""

    train: int = 2000
    dev: int = 200
    test: int = 500

    def of(self, split: Split) -> int:
        """The size of one split."""
        return {"train": self.train, "dev": self.dev, "test": self.test}[split]


@dataclass(frozen=True, slots=True)
class LadderOracle:
    """Works everything out from the question, so it keeps nothing."""

    family: Family

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Score 1 for the right answer after the one mark, else 0 (families that are judged whole give shares);
        `steps` has 1 or 0 for each line of the last turn."""
        return [self._verdict(attempt) for attempt in attempts]

    def reveal(self, problem: Problem) -> Reference:
        """The answer, the steps one by one, and under `solution` the whole text as it should be said."""
        worked = self.family.work(self._question(problem))
        return Reference(worked.answer, worked.steps, {"solution": worked.text})

    def states(self, problem: Problem, text: str) -> list[Json]:
        """What is left to do after each line of the text, such as `12-3` of a sum after `7+5=12`."""
        return [line.left for line in self.family.follow(self._question(problem), text)]

    def _question(self, problem: Problem) -> str:
        """The question of a problem of this family; raises Unanswerable for any other."""
        question = problem.chat[-1].text if problem.chat else ""
        if problem.id != problem_id(self.family, question):
            raise Unanswerable(
                f"expected a problem that the {self.family.name} task made or admitted, got {problem.id!r} "
                f"asking {question[:80]!r}; let the task admit it first"
            )
        return question

    def _verdict(self, attempt: Attempt) -> Verdict:
        """Its note names the first wrong line but gives nothing of the right answer away."""
        question, text = self._question(attempt.problem), attempt.text
        lines = self.family.follow(question, text)
        steps = tuple(float(line.right) for line in lines)
        wrong = next(((place, line) for place, line in enumerate(lines, 1) if not line.right), None)
        if isinstance(self.family, Whole):
            score = self.family.score(question, [turn.text for turn in attempt.turns])
            return Verdict(score, score == 1.0, steps, "" if score == 1.0 else f"It scores {score:.2f} of 1.")
        claim = final_answer(text)
        right = claim is not None and self.family.right(question, claim)
        if right:
            note = ""
        elif claim is None:
            note = f"There is no answer: end with one line that has nothing but '{MARK} ' and the answer."
        elif wrong is not None:
            note = f"The answer is wrong; line {wrong[0]}, {wrong[1].text[:60]!r}, is the first that does not hold."
        else:
            note = "The answer is wrong."
        return Verdict(float(right), right, steps, note)


class Ladder:
    """Problems of one family, of the levels and kinds asked for, in turn.

    levels: of the family's own; kinds: of the family's own, none for all; instructions: begin the chat with how to
    answer, for models that were not raised on this world; held_out: in wordings that no training text has;
    max_tokens: the longest reply, None for what the levels need with room to spare.
    """

    offers = frozenset({"reveal", "steps", "states", "generate", "admit"})

    def __init__(
        self,
        family: Family,
        *,
        levels: Sequence[int] = (3,),
        kinds: Sequence[str] = (),
        instructions: bool = False,
        held_out: bool = False,
        max_tokens: int | None = None,
        sizes: Sizes | None = None,
    ) -> None:
        for kind in kinds:
            if kind not in family.kinds:
                raise InvalidInput(nearest("kind", kind, family.kinds))
        self.family, self.name = family, family.name
        self.levels = tuple(self._checked(level) for level in levels)
        if not self.levels:
            raise InvalidInput("expected at least one level, got none")
        self.kinds = tuple(kinds) or family.kinds
        self.instructions, self.held_out = instructions, held_out
        reach = max(family.reach(level) for level in self.levels)
        self.env: Env = family.world(reach if max_tokens is None else max_tokens)
        self.oracle = LadderOracle(family)
        self.measures: Mapping[str, Callable[[Sequence[Judged]], float]] = {
            "right_steps": right_steps,
            "length": mean_length,
        }
        sizes = sizes or Sizes()
        self._problems = {split: self._split(split, sizes.of(split)) for split in SPLITS}

    def problems(self, split: Split) -> Sequence[Problem]:
        """The distinct problems of a split, levels and kinds in turn; fewer than its size where there are no more."""
        return self._problems[split]

    def families(self) -> tuple[str, ...]:
        """The kinds this task draws from."""
        return self.kinds

    def generate(self, family: str, level: float, n: int, rng: Rng) -> list[Problem]:
        """`n` problems of the train split, repeats possible; raises InvalidInput for an unknown kind or level."""
        if family not in self.family.kinds:
            raise InvalidInput(nearest("kind", family, self.family.kinds))
        return list(islice(self._drawn(family, self._checked(level), "train", rng), n))

    def admit(self, problem: Problem) -> Problem | Refusal:
        """The same question as a problem of this task, its kind and level found from it; refused if it is no question
        of the family or is kept for examination."""
        if not problem.chat or problem.chat[-1].role != "user":
            return Refusal("expected a chat that ends in the user's question")
        question = self.family.tidy(problem.chat[-1].text)
        try:
            kind, level, held_out = self.family.place(question)
        except ValueError as error:
            return Refusal(str(error))
        if held_out or split_for(self.family, question) != "train":
            return Refusal(f"{question[:80]!r} is kept for examination")
        return self._problem(kind, level, question)

    def _split(self, split: Split, size: int) -> tuple[Problem, ...]:
        """Up to `size` distinct problems, by question, in a fixed order."""
        found: dict[str, Problem] = {}
        cells = [(level, kind) for level in self.levels for kind in self.kinds]
        members: list[list[Problem]] = []
        for place, (level, kind) in enumerate(cells):
            rng = stream(self.family.name, split, kind, level, *(("held out",) if self.held_out else ()))
            share = size // len(cells) + (place < size % len(cells))
            members.append([])
            idle = 0
            for problem in self._drawn(kind, level, split, rng) if share else ():
                idle = idle + 1 if problem.id in found else 0
                if problem.id not in found:
                    found[problem.id] = problem
                    members[-1].append(problem)
                if len(members[-1]) >= share or idle > PATIENCE:
                    break
        return tuple(p for p in chain.from_iterable(zip_longest(*members)) if p is not None)

    def _drawn(self, kind: str, level: int, split: Split, rng: Rng) -> Iterator[Problem]:
        """Problems of one split without end, repeats included; none where thousands of draws belong to other splits."""
        idle = 0
        while idle <= PATIENCE:
            question = self.family.draw(kind, level, rng, self.held_out)
            idle += 1
            if split_for(self.family, question) == split:
                idle = 0
                yield self._problem(kind, level, question)

    def _problem(self, kind: str, level: int, question: str) -> Problem:
        asked = Message("user", question)
        chat: Chat = (Message("system", self.family.instructions), asked) if self.instructions else (asked,)
        return Problem(problem_id(self.family, question), chat, kind, float(level))

    def _checked(self, level: float) -> int:
        if level not in self.family.levels:
            low, high = self.family.levels[0], self.family.levels[-1]
            raise InvalidInput(f"level must be a whole number from {low} to {high}, got {level}")
        return int(level)


def problem_id(family: Family, question: str) -> str:
    """The id that marks a problem as the family's own: it follows from the question."""
    return f"{family.name}-{stream_key(family.name, question):016x}"


def right_steps(marks: Sequence[Judged]) -> float:
    """The share of lines that are right; 0 where nothing was said."""
    scores = [score for mark in marks for score in mark.verdict.steps]
    return sum(scores) / len(scores) if scores else 0.0
