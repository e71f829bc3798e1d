"""The methods there are, by file name, and their configurations from what a user wrote."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from importlib import import_module
from inspect import getdoc
from pkgutil import iter_modules
from typing import get_args, get_type_hints

from sharpen.core.archive import from_json, to_json
from sharpen.core.errors import CorruptRecord, InvalidInput, LacksNeed, nearest
from sharpen.core.method import Lab, Paper, Round
from sharpen.core.ports import Model, Task
from sharpen.core.records import Json

METHODS = "sharpen.methods"


@dataclass(frozen=True, slots=True)
class Listed:
    """A method as its file declares it; `default` makes the configuration that settings depart from: the file's own, or
    a variant's (a class method of Config, such as `star`), which is then part of the name."""

    name: str
    about: str
    paper: Paper
    needs: frozenset[str]
    config: type
    state: type
    run: Callable[..., Iterator[Round]]
    default: Callable[[], object]

    def start(self, lab: Lab, config: object, state: object | None) -> Iterator[Round]:
        """The method's rounds, from a state or from the start."""
        return self.run(lab, config, state)


def method_names(package: str = METHODS) -> tuple[str, ...]:
    """All methods of a package, sorted."""
    return tuple(sorted(m.name for m in iter_modules(import_module(package).__path__) if not m.name.startswith("_")))


def load(name: str, package: str = METHODS) -> Listed:
    """The method of that file name, or its variant (`expert_iteration:star`); raises InvalidInput with the nearest."""
    file, _, variant = name.partition(":")
    known = method_names(package)
    if file not in known:
        raise InvalidInput(nearest("method", file, known))
    module = import_module(f"{package}.{file}")
    missing = [part for part in ("PAPER", "NEEDS", "Config", "State", "run") if not hasattr(module, part)]
    if missing:
        raise InvalidInput(
            f"expected PAPER, NEEDS, Config, State and run in {file}.py, got no {', '.join(missing)}; add it"
        )
    about = (getdoc(module) or "").partition("\n\n")[0]
    needs, config = frozenset(module.NEEDS), module.Config
    if variant and variant not in variants(config):
        raise InvalidInput(nearest(f"variant of {file}", variant, variants(config)))
    default = getattr(config, variant) if variant else config
    return Listed(name, about, module.PAPER, needs, config, module.State, module.run, default)


def variants(config: type) -> tuple[str, ...]:
    """The ready-made configurations of a method: the class methods of its Config, in the file's order."""
    return tuple(name for name, value in vars(config).items() if isinstance(value, classmethod) and name[0] != "_")


def settings(pairs: list[str]) -> dict[str, Json]:
    """`key=value` pairs, the key dotted into nested records, the value as TOML writes it, or else as it stands."""
    found: dict[str, Json] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise InvalidInput(f"expected a setting such as batch=64 or training.rate=1e-3, got {pair!r}")
        found = merged(found, _nested(key.strip().split("."), _value(value.strip())))
    return found


def merged(base: Mapping[str, Json], over: Mapping[str, Json]) -> dict[str, Json]:
    """Nested settings, `over` winning."""
    both = dict(base)
    for key, value in over.items():
        under = both.get(key)
        nested = isinstance(under, Mapping) and isinstance(value, Mapping)
        both[key] = (
            merged(under, value) if nested and isinstance(under, Mapping) and isinstance(value, Mapping) else value
        )
    return both


def configured(method: Listed, given: Mapping[str, Json]) -> object:
    """The method's configuration with what was given; raises InvalidInput for an unknown key or an ill-typed value."""
    default = _opened(method.default(), given)
    _known(default, given, f"setting of {method.name}", "")
    whole = to_json(default)
    if not isinstance(whole, Mapping):
        raise InvalidInput(f"the Config of {method.name} must be a dataclass, got {method.config!r}")
    try:
        return from_json(method.config, merged(whole, given))
    except CorruptRecord as wrong:
        raise InvalidInput(f"a setting of {method.name} cannot be used: {wrong}") from wrong


def _opened(record: object, given: Mapping[str, Json]) -> object:
    """The record with those records in it that are None by default, but that something is set of, as they begin."""
    if not is_dataclass(record) or isinstance(record, type):
        return record
    kinds = get_type_hints(type(record))
    inside: dict[str, object] = {}
    for key, value in given.items():
        if isinstance(value, Mapping) and key in kinds:
            inner = getattr(record, key)
            inside[key] = _opened(_beginning(kinds[key]) if inner is None else inner, value)
    return replace(record, **inside)


def _beginning(kind: object) -> object:
    """The record that a type such as `Adapter | None` allows, if it has defaults for all it holds."""
    for option in get_args(kind):
        if is_dataclass(option) and all(
            (field.default, field.default_factory) != (MISSING, MISSING) for field in fields(option)
        ):
            return option() if isinstance(option, type) else None
    return None


def needs_of(method: Listed, config: object) -> frozenset[str]:
    """What a method needs with these settings: some need something more (`Config.needs`)."""
    more: frozenset[str] = getattr(config, "needs", frozenset())
    return method.needs | more


def require(method: Listed, config: object, cast: Mapping[str, Model], task: Task) -> None:
    """Raises LacksNeed where neither model nor task offers what the method needs with these settings; nothing has been
    spent yet."""
    needs = needs_of(method, config)
    idle = sorted(frozenset(cast) - {"model"} - needs)
    if idle:
        raise InvalidInput(f"{method.name} asks no {' and no '.join(idle)}; leave --{' and --'.join(idle)} out")
    offered = cast["model"].offers | task.offers | (frozenset(cast) - {"model"})
    missing = sorted(needs - offered)
    if missing:
        raise LacksNeed(
            f"{method.name} needs {', '.join(missing)}, which neither the model {cast['model'].name!r} "
            f"nor the task {task.name!r} offers (they offer {', '.join(sorted(offered))}); choose others"
        )


def _known(default: object, given: Mapping[str, Json], kind: str, path: str) -> None:
    if not is_dataclass(default):
        return
    names = [field.name for field in fields(default)]
    for key, value in given.items():
        if key not in names:
            raise InvalidInput(nearest(kind, path + key, [path + name for name in _dotted(default)]))
        if isinstance(value, Mapping):
            _known(getattr(default, key), value, kind, f"{path}{key}.")


def _dotted(record: object) -> Iterator[str]:
    """All settings in a record, as `--set` names them."""
    for field in fields(record) if is_dataclass(record) else ():
        value = getattr(record, field.name)
        if is_dataclass(value):
            yield from (f"{field.name}.{name}" for name in _dotted(value))
        else:
            yield field.name


def _nested(keys: list[str], value: Json) -> dict[str, Json]:
    return {keys[0]: value if len(keys) == 1 else _nested(keys[1:], value)}


def _value(text: str) -> Json:
    if text.lower() in ("none", "null"):
        return None
    try:
        value: Json = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value
