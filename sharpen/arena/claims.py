"""What is claimed of a method, stated before the run: a claim file, read and checked."""

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import isfinite
from pathlib import Path
from typing import Literal, TypeVar

from sharpen.arena.quantities import of_an_exam, require_quantity
from sharpen.arena.registry import METHODS, configured, load, needs_of
from sharpen.arena.setup import Order
from sharpen.core.archive import fields_of, from_json, to_json
from sharpen.core.budget import Budget, parse_budget
from sharpen.core.errors import CorruptRecord, InvalidInput, nearest
from sharpen.core.records import Json

FEWEST_SEEDS = 5
MOST_TRIED = 4
ROLES = ("teacher", "judge")
"""Settings that may have been tried on dev for one arm before the claim was stated."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of running, shared by the claims that name it.

    method    a method or its variant
    task      what it trains on
    teacher   the model that it may learn from, where it asks one
    judge     the model that it may ask for verdicts, where it asks one
    exams     other tasks that what it delivered is examined on, beside its own
    tried     the settings tried for it on dev, in words
    """

    name: str
    method: str
    task: str
    teacher: str | None
    judge: str | None
    settings: Mapping[str, Json]
    exams: tuple[str, ...]
    tried: tuple[str, ...]

    @property
    def roles(self) -> dict[str, str]:
        """The models it asks beside the one it improves, by role."""
        return {role: name for role in ROLES if (name := getattr(self, role)) is not None}


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that can be false, and the number that decides it, one a seed.

    statistic   value: the quantity `of` of `arm`; difference, ratio: `arm` less, or over, `than` at the same seed
    exam        the task whose exam is meant, where it is not the arm's own
    relation    the number lies above, below, or within `margin` of the threshold
    margin      how far from the threshold is still as good as at it
    """

    id: str
    says: str
    source: str
    statistic: Literal["value", "difference", "ratio"]
    of: str
    arm: str
    threshold: float
    margin: float
    than: str | None
    exam: str | None
    relation: Literal["above", "below", "within"]

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of the arms it speaks of."""
        return (self.arm,) if self.than is None else (self.arm, self.than)


@dataclass(frozen=True, slots=True)
class Claims:
    """A claim file: what is claimed of one method, and the runs that decide it. `digest` names its content, whatever
    its comments and spacing; `dev` and `test` limit the problems examined, as in an order."""

    method: str
    digest: str
    model: str
    budget: Budget
    seeds: tuple[int, ...]
    dev: int
    test: int
    departures: tuple[str, ...]
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]

    def order(self, arm: Arm, seed: int) -> Order:
        """One run of an arm."""
        cast = {"model": self.model, **arm.roles}
        return Order(arm.method, arm.task, cast, self.budget, seed, arm.settings, dev=self.dev, test=self.test)

    def orders(self) -> list[Order]:
        """All runs, seed by seed."""
        return [self.order(arm, seed) for seed in self.seeds for arm in self.arms]

    def arm_of(self, order: Order) -> Arm:
        """The arm that an order is a run of."""
        return next(arm for arm in self.arms if self.order(arm, order.seed) == order)


@dataclass(frozen=True, slots=True)
class _Head:
    """What a claim file says at its top."""

    model: str
    teacher: str | None
    judge: str | None
    task: str
    budget: str
    seeds: tuple[int, ...]
    dev: int
    test: int
    exams: tuple[str, ...]
    departures: tuple[str, ...]
    arms: Mapping[str, Mapping[str, Json]]
    claims: Mapping[str, Mapping[str, Json]]


RecordT = TypeVar("RecordT")
_DEFAULTS: Mapping[str, Json] = {
    "model": "nano",
    "teacher": None,
    "judge": None,
    "dev": 60,
    "test": 300,
    "exams": [],
    "departures": [],
}


def claim_files(folder: Path) -> dict[str, Path]:
    """The claim files of a folder by method; raises InvalidInput where there is no such folder, or none in it."""
    files = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if not files:
        why = "has none" if folder.is_dir() else "is not there"
        raise InvalidInput(
            f"expected a folder of claim files, got {folder}, which {why}; "
            "go to a checkout of sharpen, or name another folder by --claims"
        )
    return files


def read_claims(path: Path, methods: str = METHODS) -> Claims:
    """The claim file of the method it is named after; raises InvalidInput, in a sentence, at the first mistake."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise InvalidInput(f"expected a claim file in TOML, got {path}: {wrong}") from wrong
    load(path.stem, methods)
    head = _record(_Head, data, _DEFAULTS, path.name)
    if len(set(head.seeds)) < FEWEST_SEEDS or min(head.seeds) < 0:
        raise InvalidInput(
            f"expected at least {FEWEST_SEEDS} seeds >= 0 in {path.name}, got {list(head.seeds)}; add some"
        )
    if not head.arms or not head.claims:
        raise InvalidInput(f"expected [arms.NAME] and [claims.NAME] in {path.name}, got none of one; state them")
    found = Claims(
        path.stem,
        digest(data),
        head.model,
        parse_budget(head.budget),
        tuple(dict.fromkeys(head.seeds)),
        head.dev,
        head.test,
        head.departures,
        tuple(_arm(name, given, head, f"arm {name} of {path.name}", methods) for name, given in head.arms.items()),
        tuple(_claim(name, given, f"claim {name} of {path.name}") for name, given in head.claims.items()),
    )
    _differ(found.arms, path.name, methods)
    for role in ROLES:
        if getattr(head, role) is not None and not any(role in arm.roles for arm in found.arms):
            raise InvalidInput(f"expected an arm that asks a {role} in {path.name}, got none; leave {role} out")
    for claim in found.claims:
        _check(claim, {arm.name: arm for arm in found.arms}, f"claim {claim.id} of {path.name}")
    return found


def digest(data: Mapping[str, Json]) -> str:
    """Names the content of a claim file: equal for equal keys and values, whatever their order."""
    return blake2b(json.dumps(data, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def _differ(arms: Sequence[Arm], where: str, methods: str) -> None:
    """Raises InvalidInput where two arms would run the same under two names, whatever they leave unsaid."""
    named: dict[str, str] = {}
    for arm in arms:
        config = to_json(configured(load(arm.method, methods), arm.settings))
        whole = repr((arm.method.partition(":")[0], config, arm.task, arm.roles))
        if whole in named:
            raise InvalidInput(
                f"expected arms that differ in {where}, got {named[whole]} and {arm.name}, which are the same method "
                "with the same settings on the same task; merge them"
            )
        named[whole] = arm.name


def _arm(name: str, given: Mapping[str, Json], head: _Head, where: str, methods: str) -> Arm:
    defaults: dict[str, Json] = {
        "method": name,
        "task": head.task,
        "teacher": None,
        "judge": None,
        "settings": {},
        "exams": list(head.exams),
        "tried": [],
    }
    arm = _record(Arm, given, {**defaults, "name": name}, where, own={"name"})
    try:
        method = load(arm.method, methods)
        needs = needs_of(method, configured(method, arm.settings))
    except InvalidInput as wrong:
        raise InvalidInput(f"{where}: {wrong}") from wrong
    arm = replace(arm, **{role: getattr(head, role) for role in ROLES if role in needs and role not in given})
    for role in ROLES:
        if role in arm.roles and role not in needs:
            raise InvalidInput(f"expected no {role} in {where}, whose method asks none so set; leave {role} out")
        if role in needs and role not in arm.roles:
            raise InvalidInput(f"expected a {role} in {where}, whose method asks one; name a model by {role}")
    if arm.task in arm.exams:
        raise InvalidInput(f"expected other tasks than its own under exams in {where}, got {arm.task!r}; leave it out")
    if len(arm.tried) > MOST_TRIED:
        raise InvalidInput(f"expected at most {MOST_TRIED} settings tried in {where}, got {len(arm.tried)}")
    return arm


def _claim(name: str, given: Mapping[str, Json], where: str) -> Claim:
    return _record(Claim, given, {"id": name, "than": None, "exam": None, "relation": "above"}, where, own={"id"})


def _check(claim: Claim, arms: Mapping[str, Arm], where: str) -> None:
    """Raises InvalidInput where a claim cannot be decided by these arms."""
    for name in claim.arms:
        if name not in arms:
            raise InvalidInput(nearest(f"arm in {where}", name, arms))
    require_quantity(claim.of, where)
    if (claim.than is None) is not (claim.statistic == "value"):
        raise InvalidInput(
            f"expected `than` in {where} with a difference or ratio only, got statistic {claim.statistic!r}"
        )
    if claim.than == claim.arm:
        raise InvalidInput(f"expected another arm than {claim.arm!r} under `than` in {where}; name one")
    if not (claim.margin > 0 and isfinite(claim.margin) and isfinite(claim.threshold)):
        raise InvalidInput(
            f"expected a margin > 0 and a threshold in {where}, got {claim.margin} and {claim.threshold}"
        )
    if claim.exam is None:
        return
    if not of_an_exam(claim.of):
        raise InvalidInput(f"expected a quantity of an exam in {where}, got {claim.of!r}; leave `exam` out")
    for name in claim.arms:
        if claim.exam not in arms[name].exams:
            raise InvalidInput(nearest(f"exam of arm {name} in {where}", claim.exam, arms[name].exams))


def _record(
    cls: type[RecordT], given: Mapping[str, Json], defaults: Mapping[str, Json], where: str, own: Collection[str] = ()
) -> RecordT:
    """A record from a table of a claim file; `own` are fields that the table does not set."""
    record: type = cls
    known = [field for field in fields_of(record) if field not in own]
    for key in given:
        if key not in known:
            raise InvalidInput(nearest(f"key of {where}", key, known))
    for key in known:
        if key not in given and key not in defaults:
            raise InvalidInput(f"expected {key} in {where}, got none; state it before the run")
    try:
        return from_json(cls, {**defaults, **given})
    except CorruptRecord as wrong:
        raise InvalidInput(
            f"{where}: {str(wrong).removeprefix(f'{cls.__name__}.')}; write it as docs/claims.md says"
        ) from wrong
