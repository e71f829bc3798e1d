"""What a method is: a generator from state to states, run in a lab, that delivers a solver each round."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Protocol, TypeVar

from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Env, Model, Oracle, Policy, Source
from sharpen.core.records import Attempt, Problem, Weights
from sharpen.core.streams import Rng, stream


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a solver answers from: the models it may ask, the world it acts in, and its streams. No oracle."""

    cast: Mapping[str, Model]
    env: Env
    seed: int = 0

    @property
    def model(self) -> Model:
        """The model that is improved."""
        return self.cast["model"]

    def at(self, weights: Weights, *path: str | int) -> Policy:
        """The policy of these weights on the stream of that name."""
        return self._of(weights).at(weights, (self.seed, *path))

    def rng(self, *path: str | int) -> Rng:
        """The stream of that name, from its start."""
        return stream(self.seed, *path)

    def _of(self, weights: Weights) -> Model:
        for model in self.cast.values():
            if model.base.body == weights.body:
                return model
        raise InvalidInput(
            f"expected weights of a model in the cast ({', '.join(self.cast)}), got body {weights.body!r}"
        )


class Solver(Protocol):
    """What a method delivers: plain data (weights, prompt, search, memory) that answers problems from a seat."""

    def answer(self, seat: Seat, problems: Sequence[Problem]) -> list[Attempt]:
        """One attempt per problem, in order; a function of each problem alone."""
        ...


@dataclass(frozen=True, slots=True)
class Lab:
    """Where a method works: a seat, the oracle, the train and dev problems, a source of new ones, and what is left of
    the budget (0 to 1). Everything asked of it is metered. The test split is not here."""

    seat: Seat
    oracle: Oracle
    train: Sequence[Problem]
    dev: Sequence[Problem]
    source: Source
    left: Callable[[], float]

    @property
    def model(self) -> Model:
        """The model that is improved."""
        return self.seat.model

    @property
    def cast(self) -> Mapping[str, Model]:
        """Role to model: model, teacher, judge, ..."""
        return self.seat.cast

    @property
    def env(self) -> Env:
        """The world the problems are tried in."""
        return self.seat.env

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return self.seat.seed

    def at(self, weights: Weights, *path: str | int) -> Policy:
        """The policy of these weights on the stream of that name; ask twice on one path and it says the same twice."""
        return self.seat.at(weights, *path)

    def rng(self, *path: str | int) -> Rng:
        """The stream of that name, from its start."""
        return self.seat.rng(*path)


@dataclass(frozen=True, slots=True)
class Round:
    """A place where the run can be resumed: the method's state, the solver so far, and what is worth plotting."""

    state: object
    solver: Solver
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Paper:
    """Where a method comes from and its place in the survey's taxonomy (arXiv:2407.11511): how attempts are generated,
    how they are evaluated, what is controlled."""

    title: str
    arxiv: str
    year: int
    claim: str
    generate: str
    evaluate: str
    control: str


ConfigT = TypeVar("ConfigT", contravariant=True)
StateT = TypeVar("StateT", contravariant=True)


class Method(Protocol[ConfigT, StateT]):
    """run(lab, config, state): the paper's outer loop, from a state or from the start."""

    def __call__(self, lab: Lab, config: ConfigT, state: StateT | None = None) -> Iterator[Round]:
        """Yields a Round wherever it can be resumed."""
        ...


def weights_in(value: object) -> tuple[Weights, ...]:
    """All weights that a state or solver names, at any depth, each once, in order."""
    return tuple(dict.fromkeys(_named(value)))


def _named(value: object) -> Iterator[Weights]:
    if isinstance(value, Weights):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _named(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from _named(item)
