"""Every dataset of reasoning-gym as a task: its own generators and verifiers, run in a process beside the run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sharpen.core.errors import InvalidInput, Unanswerable, WorkerDied, nearest
from sharpen.core.ports import Env, Refusal
from sharpen.core.records import Attempt, Chat, Json, Judged, Message, Problem, Reference, Verdict, user
from sharpen.core.streams import SPLITS, Rng, Split, split_of, stream_key
from sharpen.tasks.answers import REQUEST, claimed, holds, marked_share, mean_length, refusal, without_stop
from sharpen.tasks.maths import number
from sharpen.tasks.settings import taken
from sharpen.tasks.single import SingleTurn
from sharpen.tasks.worker import Worker

SIZES: Mapping[Split, int] = {"train": 1000, "dev": 100, "test": 300}
SHARES = {"dev": 10, "test": 20}  # hundredths of all questions; the rest is train
PATIENCE = 500  # draws in a row without a new question after which a dataset counts as exhausted
BATCH = 16  # items asked of the process at once
SECONDS = 5.0  # for a verdict
DRAWING = 300.0  # seconds for a batch of items; the slowest dataset takes 5 at its defaults

# Verifiers that say yes to more than the answer: one to any text at all, one to the first number of any text.
EXACT = frozenset({"game_of_life_halting"})
NUMERIC = frozenset({"gsm_symbolic"})


@dataclass(frozen=True, slots=True)
class Item:
    """A question and its reference, None where many answers are right and only the verifier knows."""

    question: str
    gold: str | None


class Bank:
    """The items of one dataset by (seed, index), drawn when needed and verified by the dataset itself."""

    def __init__(self, name: str, settings: Mapping[str, Json]) -> None:
        self.name = name
        self._worker = Worker({"do": "open", "name": name, "settings": dict(settings)})
        self._items: dict[tuple[int, int], Item] = {}
        greeting = self._worker.greet()
        known = greeting.get("known")
        if isinstance(known, list):
            raise InvalidInput(nearest(str(greeting["kind"]), str(greeting["unknown"]), map(str, known)))
        if "ok" not in greeting:
            raise InvalidInput(str(greeting.get("refused") or f"gym:{name} cannot be opened: {greeting.get('error')}"))

    def item(self, seed: int, index: int) -> Item:
        """One item; the same on every machine."""
        if (seed, index) not in self._items:
            self._draw(seed, index, 1)
        return self._items[seed, index]

    def walk(self, seed: int) -> Iterator[tuple[int, Item]]:
        """The items of a seed from the first, without end."""
        index = 0
        while True:
            if (seed, index) not in self._items:
                self._draw(seed, index, BATCH)
            yield index, self._items[seed, index]
            index += 1

    def score(self, seed: int, index: int, answer: str) -> tuple[float, str]:
        """The verifier's score of an answer, and a note where it gave none."""
        request: dict[str, Json] = {"do": "judge", "seed": seed, "index": index, "answer": answer}
        reply = self._worker.ask(request, SECONDS)
        score = reply.get("score")
        if isinstance(score, float):
            return score, ""
        return 0.0, str(reply.get("failed") or "the verifier could not read it")

    def _draw(self, seed: int, start: int, count: int) -> None:
        reply = self._worker.ask({"do": "draw", "seed": seed, "start": start, "count": count}, DRAWING)
        items = reply.get("items")
        if not isinstance(items, list):
            raise WorkerDied(
                f"expected {count} items of gym:{self.name} within {DRAWING:g} s, got {reply}; choose smaller settings"
            )
        for index, (question, gold) in enumerate(items, start):
            self._items[seed, index] = Item(question, gold)


class GymOracle:
    """Judges by the dataset's own verifier, for nothing but the one marked answer."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        """Score 1 where the verifier gives full marks and the answer stands alone, else 0."""
        return [self._verdict(attempt) for attempt in attempts]

    def reveal(self, problem: Problem) -> Reference:
        """The dataset's answer; raises Unanswerable where it has none."""
        gold = self._bank.item(*self.own(problem)).gold
        if gold is None:
            raise Unanswerable(f"gym:{self._bank.name} has no reference answers, only a verifier; do not ask for them")
        return Reference(gold)

    def states(self, problem: Problem, text: str) -> list[Json]:
        """Nothing: there is no executor."""
        return []

    def own(self, problem: Problem) -> tuple[int, int]:
        """The (seed, index) of a problem this task made; raises Unanswerable for any other."""
        name, _, place = problem.id.partition("/")
        seed, _, index = place.partition("/")
        if name == self._bank.name and seed.isdecimal() and index.isdecimal() and problem.chat:
            item = self._bank.item(int(seed), int(index))
            if problem.chat[-1] == user(item.question):
                return int(seed), int(index)
        raise Unanswerable(
            f"expected a problem that gym:{self._bank.name} made, got {problem.id!r}; judge invented problems yourself"
        )

    def _verdict(self, attempt: Attempt) -> Verdict:
        seed, index = self.own(attempt.problem)
        answer, note = claimed(attempt.text)
        if answer is None:
            return Verdict(0.0, False, note=note)
        gold = self._bank.item(seed, index).gold
        right, note = self._right(seed, index, gold, answer)
        return Verdict(float(right), right, note="" if right else note or refusal(answer))

    def _right(self, seed: int, index: int, gold: str | None, answer: str) -> tuple[bool, str]:
        if gold is not None:
            answer = without_stop(answer, gold)
            if answer == gold:
                return True, ""
            if self._bank.name in NUMERIC:
                return number(answer) is not None and number(answer) == number(gold), ""
            if self._bank.name in EXACT or holds(gold, answer):
                return False, ""
        score, note = self._bank.score(seed, index, answer)
        return score == 1.0, note


class Gym:
    """A dataset of reasoning-gym, in splits by question.

    settings: the dataset's own, and train, dev, test (problems per split, fewer where there are no more questions) and
    seed. Raises InvalidInput for an unknown name or setting, naming the nearest known one.
    """

    def __init__(
        self, name: str, settings: Mapping[str, Json] | None = None, *, system: str | None = None, max_tokens: int = 64
    ) -> None:
        own = dict(settings or {})
        self.name = f"gym:{name}" + "".join(f"{':,'[at > 0]}{key}={own[key]}" for at, key in enumerate(own))
        self._sizes = {split: taken(own, split, SIZES[split], 1, 10**6) for split in SPLITS}
        self._seed = _spread(taken(own, "seed", 0, 0, 2**31))
        self._bank = Bank(name, own)
        self._system = Message("system", REQUEST if system is None else system)
        self._splits: dict[Split, tuple[Problem, ...]] = {}
        self.env: Env = SingleTurn(max_tokens)
        self.oracle = GymOracle(self._bank)
        first = next(item for _, item in self._bank.walk(self._seed))
        self.offers = frozenset({"generate"} if first.gold is None else {"generate", "reveal"})
        self.measures: Mapping[str, Callable[[Sequence[Judged]], float]] = {
            "length": mean_length,
            "format": marked_share,
        }

    def problems(self, split: Split) -> Sequence[Problem]:
        """The distinct problems of a split, drawn at the first call; raises InvalidInput where there is none."""
        if split not in self._splits:
            found = tuple(islice(self._distinct(self._seed, split), self._sizes[split]))
            if not found:
                raise InvalidInput(
                    f"expected questions for the {split} split of {self.name}, but the dataset has too few different "
                    "ones with these settings; widen them"
                )
            self._splits[split] = found
        return self._splits[split]

    def families(self) -> tuple[str, ...]:
        """The dataset's name, alone."""
        return (self._bank.name,)

    def generate(self, family: str, level: float, n: int, rng: Rng) -> list[Problem]:
        """Up to `n` different training problems from a fresh seed, fewer where the dataset has no more; level is 0."""
        if family != self._bank.name:
            raise InvalidInput(nearest("family", family, self.families()))
        if level != 0:
            raise InvalidInput(f"level of {self.name} must be 0, got {level}; its settings say how hard it is")
        return list(islice(self._distinct(_spread(rng.getrandbits(63)), "train"), n))

    def admit(self, problem: Problem) -> Problem | Refusal:
        """The problem itself if this task made it, else a refusal: no verifier fits an invented question."""
        try:
            self.oracle.own(problem)
        except Unanswerable as error:
            return Refusal(str(error))
        if split_of(problem.chat[-1].text, **SHARES) != "train":
            return Refusal("the question is kept for examination")
        return problem

    def _distinct(self, seed: int, split: Split) -> Iterator[Problem]:
        """The problems of a split, each question once, until none has been new for long."""
        seen: set[str] = set()
        idle = 0
        for index, item in self._bank.walk(seed):
            key = " ".join(item.question.split())
            idle = idle + 1 if key in seen else 0
            if idle > PATIENCE:
                return
            if key in seen or item.gold == "":  # nothing at all cannot be marked as an answer
                continue
            seen.add(key)
            if split_of(key, **SHARES) == split:
                yield self._problem(seed, index, item)

    def _problem(self, seed: int, index: int, item: Item) -> Problem:
        chat: Chat = (self._system, user(item.question)) if self._system.text else (user(item.question),)
        return Problem(f"{self._bank.name}/{seed}/{index}", chat, self._bank.name)


def _spread(seed: int) -> int:
    """A seed far from those of its neighbours: item i of seed s is item i - 1 of seed s + 1 in reasoning-gym."""
    return stream_key("gym", seed) % 2**31
