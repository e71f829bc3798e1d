"""A toy task of one word for one word: what the contract tests learn in a second."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from itertools import product

from sharpen.core.errors import InvalidInput, Unanswerable, nearest
from sharpen.core.judging import final_answer
from sharpen.core.ports import Refusal
from sharpen.core.records import Attempt, Json, Judged, Message, Problem, Reference, Scene, Verdict, user
from sharpen.core.streams import Rng, Split, split_of

KEYS = {"animal": ("cat", "dog", "bird", "fish"), "colour": ("red", "green", "blue", "black")}
NUMBERS = {key: str(place) for place, key in enumerate((*KEYS["animal"], *KEYS["colour"]))}
IDLE = ("and", "or", "not", "of", "to", "in")
LEVELS = (1, 2)


class OneTurn:
    """A world that listens once."""

    deterministic = True
    max_tokens = 8

    def open(self, problem: Problem) -> Scene:
        return Scene(problem.chat)

    def step_many(self, scenes: Sequence[Scene], actions: Sequence[Message]) -> list[Scene]:
        return [Scene((*scene.chat, action), done=True) for scene, action in zip(scenes, actions, strict=True)]


class Toy:
    """Each of eight words has a number; a question is one of them among idle words, more of them at a higher level. The
    answer is the number, alone or behind a mark; a step is right where its last word is the number."""

    name = "toy"
    env = OneTurn()
    offers = frozenset({"reveal", "steps", "states", "generate", "admit"})
    measures: Mapping[str, Callable[[Sequence[Judged]], float]] = {
        "length": lambda marks: sum(mark.attempt.length for mark in marks) / len(marks)
    }

    def __init__(self) -> None:
        problems = [
            posed(family, key, idle)
            for family, keys in KEYS.items()
            for key in keys
            for level in LEVELS
            for idle in product(IDLE, repeat=level)
        ]
        self._splits: dict[Split, tuple[Problem, ...]] = {"train": (), "dev": (), "test": ()}
        for problem in problems:
            self._splits[split_of(problem.chat[0].text, dev=20, test=25)] += (problem,)

    @property
    def oracle(self) -> "Toy":
        return self

    def problems(self, split: Split) -> Sequence[Problem]:
        return self._splits[split]

    def families(self) -> tuple[str, ...]:
        return tuple(KEYS)

    def generate(self, family: str, level: float, n: int, rng: Rng) -> list[Problem]:
        """Training problems only: those whose question falls into another split are drawn again."""
        if family not in KEYS:
            raise InvalidInput(nearest("family", family, KEYS))
        found: list[Problem] = []
        while len(found) < n:
            problem = posed(family, rng.choice(KEYS[family]), tuple(rng.choices(IDLE, k=max(1, round(level)))))
            if split_of(problem.chat[0].text, dev=20, test=25) == "train":
                found.append(problem)
        return found

    def admit(self, problem: Problem) -> Problem | Refusal:
        try:
            return posed(*_parsed(problem.chat[-1].text))
        except Unanswerable as why:
            return Refusal(str(why))

    def judge(self, attempts: Sequence[Attempt]) -> list[Verdict]:
        return [self._verdict(attempt) for attempt in attempts]

    def reveal(self, problem: Problem) -> Reference:
        _, key, _ = _own(problem)
        return Reference(NUMBERS[key], (f"{key} is {NUMBERS[key]}",))

    def states(self, problem: Problem, text: str) -> list[Json]:
        _own(problem)
        return list(_last_words(text))

    def _verdict(self, attempt: Attempt) -> Verdict:
        answer = self.reveal(attempt.problem).answer
        given = final_answer(attempt.text) or attempt.text.strip()
        steps = tuple(float(word == answer) for word in _last_words(attempt.text))
        return Verdict(float(given == answer), given == answer, steps, "" if given == answer else f"{given!r} is wrong")


class MuteToy(Toy):
    """The same without references."""

    offers = frozenset({"steps", "generate"})


def toy(name: str = "toy", mute: bool = False) -> Toy:
    """The task by the only name it has."""
    if name != "toy":
        raise InvalidInput(nearest("task", name, ["toy"]))
    return MuteToy() if mute else Toy()


def posed(family: str, key: str, idle: Sequence[str]) -> Problem:
    """The problem of that family: its key behind so many idle words."""
    question = " ".join((family, *idle, key)) if family == "animal" else " ".join((family, key, *idle))
    return Problem(blake2b(question.encode(), digest_size=6).hexdigest(), (user(question),), family, float(len(idle)))


def _own(problem: Problem) -> tuple[str, str, tuple[str, ...]]:
    parts = _parsed(problem.chat[-1].text)
    if posed(*parts).id != problem.id:
        raise Unanswerable(f"expected a problem of the toy task, got {problem.id!r}; let the task admit it first")
    return parts


def _parsed(question: str) -> tuple[str, str, tuple[str, ...]]:
    family, _, rest = question.partition(" ")
    words = rest.split()
    key = (words[-1] if family == "animal" else words[0]) if words else ""
    idle = tuple(words[:-1] if family == "animal" else words[1:])
    if key not in KEYS.get(family, ()) or not idle or not set(idle) <= set(IDLE):
        raise Unanswerable(f"expected a question of the toy task, got {question!r}; ask one that it poses")
    return family, key, idle


def _last_words(text: str) -> list[str]:
    return [line.split()[-1] for line in text.splitlines() if line.strip()]
