"""What runs in the verifying process: reasoning-gym's generators and verifiers, and math-verify, by JSON lines."""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import date, time
from enum import Enum
from importlib import import_module

from sharpen.core.records import Json
from sharpen.core.streams import stream

PAGE = 5000  # items of one dataset; item i of a seed is item i % PAGE of the dataset with seed + i - i % PAGE
MEMORY = 8 * 2**30  # bytes of address space, where the system has such a limit

# Datasets whose verifiers hand the answer to Python's or sympy's `eval`, and what may stand in an answer to them.
SUMS = frozenset(
    {"countdown", "intermediate_integration", "polynomial_multiplication", "puzzle24", "simple_integration"}
)
LISTS = frozenset({"binary_matrix", "n_queens", "spiral_matrix", "string_insertion"})
_GENERATORS = "reasoning_gym.induction.list_functions.generators"
_FUNCTIONS = "a?(?:sin|cos|tan|cot|sec|csc|sinh|cosh|tanh)|exp|log|ln|sqrt|pi|Abs"
_SUM = re.compile(rf"(?:\b(?:[A-Za-z]|{_FUNCTIONS})\b(?!\s*\.)|[0-9\s+\-*/^(),=]|\.(?=[0-9])|(?<=[0-9])\.)*")


def serve() -> None:
    """Answers each line of the standard input with one line, until there are no more."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)  # verifiers print; only replies may reach the run
    _limit_memory()
    desk = Desk()
    for line in sys.stdin:
        replies.write(json.dumps(desk.reply(json.loads(line))) + "\n")
        replies.flush()


def _limit_memory() -> None:
    """A power tower must fail here, not fill the machine."""
    try:
        resource = import_module("resource")
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, ValueError, OSError):
        return


def harmless(name: str, answer: str) -> bool:
    """Whether a dataset's verifier may be shown an answer: no calls and no names where it would be evaluated."""
    if name in SUMS:
        return _SUM.fullmatch(answer) is not None
    return name not in LISTS or ("(" not in answer and "__" not in answer)


class Desk:
    """The dataset that is served and the pages of it that were opened."""

    def __init__(self) -> None:
        self._name = ""
        self._settings: dict[str, Json] = {}
        self._pages = {}  # type: ignore[var-annotated]  # seed to a dataset of an untyped library

    def reply(self, request: Mapping[str, Json]) -> dict[str, Json]:
        """The reply to one request; an error inside a library is a reply too."""
        asked = {"open": self._open, "draw": self._draw, "judge": self._judge, "math": _same}.get(str(request["do"]))
        if asked is None:
            return {"ok": True}
        try:
            return asked(request)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # foreign verifiers raise anything on foreign text
            return {"error": f"{type(error).__name__}: {error}"[:300]}

    def _open(self, request: Mapping[str, Json]) -> dict[str, Json]:
        """Chooses a dataset; the reply names what is unknown or refused about it."""
        known = import_module("reasoning_gym.factory").DATASETS
        self._name = str(request["name"])
        if self._name not in known:
            return {"unknown": self._name, "kind": "reasoning-gym dataset", "known": sorted(known)}
        config = {field.name: field for field in fields(known[self._name][1]) if field.name not in ("seed", "size")}
        given = request["settings"]
        if not isinstance(given, Mapping):
            return {"refused": "settings must be key=value"}
        for key, value in given.items():
            if key not in config:
                return {"unknown": key, "kind": f"setting of gym:{self._name}", "known": sorted(config)}
            try:
                self._settings[key] = _fitting(config[key], value)
            except (TypeError, ValueError) as error:
                return {"refused": str(error)}
        try:
            self._page(0)
        except (AssertionError, TypeError, ValueError) as error:
            return {"refused": f"gym:{self._name} does not work with these settings: {str(error) or 'out of range'}"}
        return {"ok": True}

    def _page(self, seed: int):  # type: ignore[no-untyped-def]  # a dataset of an untyped library
        if seed not in self._pages:
            while len(self._pages) >= 8:
                del self._pages[next(iter(self._pages))]
            create = import_module("reasoning_gym").create_dataset
            self._pages[seed] = create(self._name, size=PAGE, seed=seed, **self._settings)
        return self._pages[seed]

    def _item(self, seed: int, index: int):  # type: ignore[no-untyped-def]  # an entry of an untyped library
        place = index % PAGE
        if self._name == "list_functions":  # one of its generators draws from Python's global generator
            vars(import_module(_GENERATORS))["random"] = stream("gym", self._name, seed + index)
        return self._page(seed + index - place)[place]

    def _draw(self, request: Mapping[str, Json]) -> dict[str, Json]:
        """`count` items from `start`: questions and references (None where a verifier alone decides)."""
        seed, start, count = (int(str(request[key])) for key in ("seed", "start", "count"))
        items = [self._item(seed, index) for index in range(start, start + count)]
        return {"items": [[item["question"], _text(item["answer"])] for item in items]}

    def _judge(self, request: Mapping[str, Json]) -> dict[str, Json]:
        """The verifier's own score of an answer."""
        seed, index, answer = int(str(request["seed"])), int(str(request["index"])), str(request["answer"])
        if not harmless(self._name, answer):
            return {"score": 0.0}
        return {"score": float(self._page(seed + index - index % PAGE).score_answer(answer, self._item(seed, index)))}


def _text(answer: object) -> str | None:
    return None if answer is None else str(answer).strip()


def _fitting(field: "Field[object]", value: Json) -> Json:
    """A value from the command line as its field needs it; raises TypeError or ValueError in a sentence."""
    made = field.default_factory() if field.default_factory is not MISSING else field.default
    if isinstance(made, tuple | list):
        values = list(value) if isinstance(value, list) else [value]
        plain = all(isinstance(item, str | int | float) for item in made)
        if not plain:
            raise TypeError(f"setting {field.name} cannot be written on the command line; leave it out")
        return tuple(values) if isinstance(made, tuple) else values
    if isinstance(made, Enum):
        return type(made)(value)  # type: ignore[return-value]  # an enum of an untyped library
    if isinstance(made, date | time):
        return type(made).fromisoformat(str(value))  # type: ignore[return-value]  # as the dataset's own field
    wanted = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}.get(type(made))
    if wanted is None and made is not None and made is not MISSING:
        raise TypeError(f"setting {field.name} cannot be written on the command line; leave it out")
    if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and type(made) is not bool)):
        raise TypeError(f"setting {field.name} must be a {type(made).__name__}, got {value!r}")
    return value


def _same(request: Mapping[str, Json]) -> dict[str, Json]:
    """Whether math-verify holds an answer for equal to the reference."""
    library = import_module("math_verify")
    gold, answer = (library.parse(_wrapped(str(request[key])), parsing_timeout=None) for key in ("gold", "answer"))
    return {"same": bool(library.verify(gold, answer, timeout_seconds=None))}


def _wrapped(formula: str) -> str:
    """In dollars, as math-verify expects LaTeX."""
    return formula if "$" in formula or "\\boxed" in formula or "\\(" in formula else f"${formula}$"
