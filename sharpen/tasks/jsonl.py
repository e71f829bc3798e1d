"""A user's own rows as a task: questions with answers, or with a reward function."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sharpen.core.errors import InvalidInput, Unanswerable
from sharpen.core.ports import Env, Refusal
from sharpen.core.records import Attempt, Chat, Json, Judged, Message, Problem, Reference, Verdict
from sharpen.core.streams import SPLITS, Rng, Split, split_of, stream_key
from sharpen.tasks.answers import REQUEST, claimed, holds, marked_share, mean_length, refusal, without_stop
from sharpen.tasks.maths import Maths, plain, unwrapped
from sharpen.tasks.rewards import Reward
from sharpen.tasks.rows import Row, read_rows
from sharpen.tasks.single import SingleTurn


class RowsOracle:
    """Knows the answer of every row; judges by the reward function where there is one, else by the marked answer."""

    def __init__(self, rows: Mapping[str, Row], reward: Reward | None) -> None:
        self._rows = rows
        self._reward = reward
        self._maths = Maths()

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Score 1 for the right answer after the one marker, or whatever the reward function says (right from 1 on)."""
        rows = [self.own(attempt.problem) for attempt in attempts]
        if self._reward is not None:
            return self._reward.verdicts(rows, attempts)
        return [self._verdict(row, attempt) for row, attempt in zip(rows, attempts, strict=True)]

    def reveal(self, problem: Problem) -> Reference:
        """The row's answer, and the lines before #### as steps; raises Unanswerable where it has none."""
        row = self.own(problem)
        if row.gold is None:
            raise Unanswerable(f"row {problem.id} has no answer, only a reward; do not ask for references")
        return Reference(row.gold, row.steps)

    def states(self, problem: Problem, text: str) -> list[Json]:
        """Nothing: there is no executor."""
        return []

    def own(self, problem: Problem) -> Row:
        """The row of a problem; raises Unanswerable for one that is not in the file."""
        row = self._rows.get(problem.id)
        if row is None or problem.chat[-len(row.chat) :] != row.chat:
            raise Unanswerable(f"expected a problem of the file, got {problem.id!r}; judge invented problems yourself")
        return row

    def _verdict(self, row: Row, attempt: Attempt) -> Verdict:
        answer, note = claimed(attempt.text)
        if answer is None or row.gold is None:
            return Verdict(0.0, False, note=note)
        right, note = self._right(row, row.gold, unwrapped(without_stop(answer, row.gold)))
        return Verdict(float(right), right, note="" if right else note or refusal(answer))

    def _right(self, row: Row, gold: str, answer: str) -> tuple[bool, str]:
        """Word for word; else, unless it holds more than the answer or only repeats the question, mathematically."""
        if answer.split() == gold.split():
            return True, ""
        quoted = not plain(answer) and "".join(answer.split()) in "".join(row.text.split())
        if quoted or holds(gold, answer):
            return False, ""
        return self._maths.same([(gold, answer)])[0]


class Rows:
    """The rows of a `.jsonl` file, split by a hash of the question.

    dropped: how many rows asked what an earlier one had asked. Raises InvalidInput for a bad row, or where a split
    would be empty.
    """

    def __init__(
        self, path: Path, *, reward: Reward | None = None, system: str | None = None, max_tokens: int = 128
    ) -> None:
        rows, self.dropped = read_rows(path, answers=reward is None)
        self.name = str(path)
        self.family = path.stem
        self.env: Env = SingleTurn(max_tokens)
        asked_for = (None if reward else REQUEST) if system is None else system
        self._system = (Message("system", asked_for),) if asked_for else ()
        named = {f"{self.family}-{stream_key('row', row.text):016x}": row for row in rows}
        self.oracle = RowsOracle(named, reward)
        self.offers = frozenset({"reveal"} if all(row.gold is not None for row in rows) else ())
        self.measures: Mapping[str, Callable[[Sequence[Judged]], float]] = {"length": mean_length}
        if reward is None:
            self.measures = {**self.measures, "format": marked_share}
        places = {name: split_of(row.text) for name, row in named.items()}
        self._splits: dict[Split, tuple[Problem, ...]] = {
            split: tuple(self._problem(name, row) for name, row in named.items() if places[name] == split)
            for split in SPLITS
        }
        if empty := [split for split in SPLITS if not self._splits[split]]:
            raise InvalidInput(
                f"{path}: expected rows enough for train, dev and test (8 : 1 : 1, by a hash of the question), but of "
                f"{len(rows)} different rows none falls into {' or '.join(empty)}; give more, 100 or so"
            )

    def problems(self, split: Split) -> Sequence[Problem]:
        """The rows of a split in the order of the file."""
        return self._splits[split]

    def families(self) -> tuple[str, ...]:
        """The file's name without its ending."""
        return (self.family,)

    def generate(self, family: str, level: float, n: int, rng: Rng) -> list[Problem]:
        """Raises InvalidInput: a file has no generator."""
        raise InvalidInput(f"{self.name} has only its rows; choose a task that generates problems, such as gym:NAME")

    def admit(self, problem: Problem) -> Problem | Refusal:
        """A training row as it is; anything else is refused, for nobody vouches for its answer."""
        return problem if problem in self._splits["train"] else Refusal("it is not a training row of the file")

    def _problem(self, name: str, row: Row) -> Problem:
        chat: Chat = row.chat if row.chat[0].role == "system" else (*self._system, *row.chat)
        return Problem(name, chat, self.family, notes=row.public)
