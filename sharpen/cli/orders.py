"""From flags and a file to orders: what is to be run, with every default said in one place."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from re import fullmatch
from typing import Any

from sharpen.arena.registry import configured, load, merged, method_names, settings
from sharpen.arena.setup import Openers, Order, order_of
from sharpen.cli.environment import MOST_JOBS, cache, cores, server_key
from sharpen.cli.wish import ASKING, BUDGET, LIMITS, MODEL, ROLES, TASK, Wish
from sharpen.core.budget import parse_budget
from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.records import Json


def order_for(method: str, wish: Wish) -> Order:
    """The order for one method: defaults, then the file, then the flags."""
    file = read_config(wish.config) if wish.config else {}
    order = _from_file(method, file)
    cast = {**order.cast, **_said(wish, ROLES)}
    asking = {**order.asking, **_said(wish, ASKING)}
    limits = _said(wish, LIMITS)
    own = merged(order.settings, settings(list(wish.settings)))
    if method:
        configured(load(method), own)  # refuses what is unknown before anything is loaded
    return replace(
        order,
        task=order.task if wish.task is None else wish.task,
        cast=cast,
        asking=asking,
        budget=order.budget if wish.budget is None else parse_budget(wish.budget),
        seed=order.seed if wish.seed is None else wish.seed,
        settings=own,
        **limits,
    )


def _said(wish: Wish, names: Sequence[str]) -> dict[str, Any]:
    """Those of the flags that were given."""
    return {name: value for name in names if (value := getattr(wish, name)) is not None}


def orders_for(methods: Sequence[str], seeds: Sequence[int], wish: Wish) -> list[Order]:
    """Every method with every seed, seed by seed; a setting `METHOD.key=value` is for that method alone."""
    found = {}
    for method in dict.fromkeys(methods):
        mine = tuple(pair.removeprefix(f"{method}.") for pair in wish.settings if _concerns(pair, method, methods))
        found[method] = order_for(method, replace(wish, settings=mine))
    return [replace(order, seed=seed) for seed in seeds for order in found.values()]


def _concerns(pair: str, method: str, methods: Sequence[str]) -> bool:
    return pair.startswith(f"{method}.") or not any(pair.startswith(f"{other}.") for other in methods)


def seeds_of(text: str) -> list[int]:
    """Seeds such as 0-4, 7 or 0,2,5-6."""
    seeds: list[int] = []
    for part in text.split(","):
        match = fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise InvalidInput(f"expected seeds such as 0-4 or 0,2,5, got {text!r}")
        seeds += range(int(match[1]), int(match[2] or match[1]) + 1)
    return list(dict.fromkeys(seeds))


def read_config(path: Path) -> Mapping[str, Any]:
    """A file of settings: the flags' names as keys, a table [settings], and tables [METHOD] for one method alone; or a
    run's own config.toml."""
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"expected a TOML file of settings, got {path}, which does not exist") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise InvalidInput(f"expected a TOML file of settings, got {path}: {wrong}") from wrong
    known = ("task", "budget", "seed", "settings", *ROLES, *ASKING, *LIMITS)
    for key in facts:
        if "cast" not in facts and key not in (*known, *method_names()):
            raise InvalidInput(nearest(f"key of {path.name}", key, known))
    return facts


def _from_file(method: str, facts: Mapping[str, Any]) -> Order:
    if "cast" in facts:
        if facts.get("method") != method:
            raise InvalidInput(f"expected the config of a run of {method}, got one of {facts.get('method')}; name that")
        return order_of(facts)
    _require(facts, {"settings": dict, method: dict, "seed": int, "max_tokens": int, **dict.fromkeys(LIMITS, int)})
    _require(facts, dict.fromkeys(("task", "budget", "system", "reward", *ROLES), str))
    own: Mapping[str, Json] = merged(facts.get("settings", {}), facts.get(method.partition(":")[0], {}))
    return Order(
        method,
        facts.get("task", TASK),
        {"model": MODEL, **{role: facts[role] for role in ROLES if role in facts}},
        parse_budget(facts.get("budget", BUDGET)),
        facts.get("seed", 0),
        settings=own,
        asking={key: facts[key] for key in ASKING if key in facts},
        **{key: facts[key] for key in LIMITS if key in facts},
    )


def _require(facts: Mapping[str, Any], kinds: Mapping[str, type]) -> None:
    for key, kind in kinds.items():
        if key in facts and type(facts[key]) is not kind:
            raise InvalidInput(f"expected {key} to be of type {kind.__name__}, got {facts[key]!r}")


def openers() -> Openers:
    """How names become tasks and models; loads torch."""
    from sharpen.models.open import open_model
    from sharpen.tasks.open import open_task

    return Openers(open_task, partial(open_model, cache=cache(), key=server_key()))


def jobs_for(orders: Sequence[Order], jobs: int | None) -> int:
    """How many runs side by side: as asked; else one a core, but one alone where the budget is in time."""
    if jobs is not None:
        return jobs
    return 1 if orders[0].budget.currency == "seconds" else min(len(orders), cores(), MOST_JOBS)
