"""What a run is made of: the order a user gave, as plain data, and the parts it is opened into."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sharpen.arena.code import Made, made_by
from sharpen.arena.exam import Room
from sharpen.arena.registry import METHODS, Listed, configured, load, require
from sharpen.core.archive import to_json
from sharpen.core.budget import Budget, parse_budget
from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Model, Task
from sharpen.core.records import Json
from sharpen.core.streams import SPLITS
from sharpen.sample.direct import Direct


@dataclass(frozen=True, slots=True)
class Order:
    """What a user asked for, by name: it can be written down and told to another process.

    cast      role to model name; `model` is the one that is improved
    asking    how the task is to be opened, by keyword (reward, system, max_tokens)
    settings  what differs from the method's own configuration
    rounds    at most so many; None: as many as the budget allows
    dev, test at most so many problems of these splits are examined; None: all
    """

    method: str
    task: str
    cast: Mapping[str, str]
    budget: Budget
    seed: int = 0
    settings: Mapping[str, Json] = field(default_factory=dict)
    asking: Mapping[str, str | int] = field(default_factory=dict)
    rounds: int | None = None
    dev: int | None = 100
    test: int | None = None

    def __post_init__(self) -> None:
        if "model" not in self.cast:
            raise InvalidInput(f"expected a model to improve, got only {', '.join(self.cast) or 'nobody'}; name one")
        for name in ("rounds", "dev", "test"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidInput(f"{name} must be >= 1, got {value}")


def no_preparation() -> None:
    """A process that needs none."""


@dataclass(frozen=True, slots=True)
class Openers:
    """How names become things; functions of modules, so that a process started for a run can be told them.

    prepare   called first in every process that works beside others (threads, logging)
    methods   the package whose files are the methods
    allowed   modules that may hold classes of states and solvers
    """

    task: Callable[..., Task]
    model: Callable[[str], Model]
    prepare: Callable[[], None] = no_preparation
    methods: str = METHODS
    allowed: tuple[str, ...] = ("sharpen.",)

    def open(self, order: Order) -> "Setup":
        """The parts of an order; raises InvalidInput or LacksNeed before anything is spent."""
        setup = self.open_for_exam(order)
        require(setup.method, setup.config, setup.cast, setup.task)
        return setup

    def open_for_exam(self, order: Order) -> "Setup":
        """The parts of an order that is only examined: its task need not offer what training takes."""
        method = load(order.method, self.methods)
        config = configured(method, order.settings)
        task = self.task(order.task, **order.asking)
        opened = {name: self.model(name) for name in dict.fromkeys(order.cast.values())}
        return Setup(order, method, config, task, {role: opened[name] for role, name in order.cast.items()})


@dataclass(frozen=True, slots=True)
class Setup:
    """An order with its parts."""

    order: Order
    method: Listed
    config: object
    task: Task
    cast: Mapping[str, Model]

    @property
    def start(self) -> Direct:
        """What there is before any training: the model as it came, asked once, greedily."""
        return Direct(self.cast["model"].base)

    @property
    def made(self) -> Made:
        """The code that plays it."""
        return made_by(self.method.run.__module__)

    def room(self, weights: Path | None) -> Room:
        """Where this run is examined; `weights` is the folder it keeps them in."""
        return Room(self.task, self.cast, weights, self.order.seed)

    def facts(self) -> dict[str, object]:
        """All that determines the run, resolved, for config.toml."""
        order = self.order
        return {
            "task": order.task,
            "model": order.cast["model"],
            "method": order.method,
            "seed": order.seed,
            "budget": _exactly(order.budget),
            "rounds": order.rounds,
            "dev": order.dev,
            "test": order.test,
            "asking": dict(order.asking),
            "problems": problems_fingerprint(self.task),
            "cast": dict(order.cast),
            "weights": {role: model.base.id for role, model in self.cast.items()},
            "settings": to_json(self.config),
            "code": self.made.code,
        }


def order_of(facts: Mapping[str, Any], methods: str = METHODS) -> Order:
    """The order whose facts were written down; raises InvalidInput where they are not those of a run."""
    try:
        order = Order(
            facts["method"],
            facts["task"],
            dict(facts["cast"]),
            parse_budget(facts["budget"]),
            facts["seed"],
            asking=dict(facts.get("asking", {})),
            rounds=facts.get("rounds"),
            dev=facts.get("dev"),
            test=facts.get("test"),
            settings=_filled(to_json(load(facts["method"], methods).default()), facts.get("settings", {})),
        )
    except KeyError as missing:
        raise InvalidInput(f"expected the config of a run, got one without {missing}; start the run anew") from missing
    return order


def problems_fingerprint(task: Task) -> str:
    """Names the problems of all splits: equal for equal ids and questions in equal order."""
    digest = blake2b(digest_size=8)
    for split in SPLITS:
        for problem in task.problems(split):
            digest.update(repr((split, problem.id, [(m.role, m.text) for m in problem.chat])).encode())
    return digest.hexdigest()


def _exactly(budget: Budget) -> str:
    return f"{budget.amount!r}" + {"flops": "flops", "tokens": "tok", "seconds": "s"}[budget.currency]


def _filled(default: Json, written: Mapping[str, Json]) -> dict[str, Json]:
    """Settings as they were: what is not written was None, which TOML cannot say."""
    if not isinstance(default, Mapping):
        return dict(written)
    filled: dict[str, Json] = {}
    for key, value in default.items():
        inner = written.get(key)
        filled[key] = _filled(value, inner) if isinstance(inner, Mapping) and isinstance(value, Mapping) else inner
    return filled
