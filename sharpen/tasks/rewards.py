"""A user's own reward function: TRL's signature over a batch, or verify(answer, completion, **row) for one reply."""

import asyncio
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from traceback import extract_tb

from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.records import Attempt, Json, Verdict
from sharpen.tasks.rows import Row

Scores = Sequence[float | bool | None]


def load_reward(spec: str) -> "Reward":
    """The function that `module:function` names, looked for in the current folder first; raises InvalidInput."""
    module, colon, name = spec.partition(":")
    if not (module and colon and name):
        raise InvalidInput(f"expected a reward such as module:function, got {spec!r}")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"expected a module {module!r} in {here} or installed, for the reward {spec!r}; got: {error}"
        ) from None
    except Exception as failure:  # a user's file may raise anything
        raise InvalidInput(f"expected to import {module!r} for the reward {spec!r}, got {_told(failure)}") from failure
    function = getattr(found, name, None)
    if not callable(function):
        named = [key for key, value in vars(found).items() if inspect.isfunction(value)]
        raise InvalidInput(nearest(f"function of module {module!r}", name, named))
    return Reward(function, spec)


class Reward:
    """Calls a function with the arguments it asks for by name.

    TRL's: f(prompts, completions, completion_ids, **columns) -> list[float | None], strings for rows whose question
    is a string and message lists for the others. One by one: f(answer, completion, **row) -> float | bool.
    """

    def __init__(self, function: Callable[..., object], name: str) -> None:
        self.name = name
        self._function = function
        parameters = inspect.signature(function).parameters.values()
        self._open = any(p.kind is p.VAR_KEYWORD for p in parameters)
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        self._accepted = {p.name for p in named}
        self._required = {p.name for p in named if p.default is p.empty}
        if not {"completions", "completion"} & self._accepted:
            raise InvalidInput(
                f"expected the reward {name!r} to take `completions` (a list, as in TRL) or `completion` (one), "
                f"got ({', '.join(sorted(self._accepted))})"
            )

    def verdicts(self, rows: Sequence[Row], attempts: Sequence[Attempt]) -> list[Verdict]:
        """A verdict for each attempt at its row; right from a score of 1 on. Raises InvalidInput for a bad result."""
        if not rows:
            return []
        scores = self._batch(rows, attempts) if "completions" in self._accepted else self._each(rows, attempts)
        return [self._verdict(score) for score in scores]

    def _batch(self, rows: Sequence[Row], attempts: Sequence[Attempt]) -> Sequence[object]:
        keys = dict.fromkeys(key for row in rows for key in row.columns)
        offered: dict[str, object] = {key: [row.columns.get(key) for row in rows] for key in keys}
        offered |= {
            "prompts": [row.columns[row.asked_in] for row in rows],
            "completions": [_completion(row, attempt) for row, attempt in zip(rows, attempts, strict=True)],
            "completion_ids": [_ids(attempt) for attempt in attempts],
        }
        scores = self._call(offered)
        if not hasattr(scores, "__len__") or not hasattr(scores, "__getitem__") or len(scores) != len(rows):
            raise InvalidInput(
                f"expected the reward {self.name!r} to return a list of {len(rows)} scores, got {str(scores)[:80]}"
            )
        return [scores[place] for place in range(len(rows))]

    def _each(self, rows: Sequence[Row], attempts: Sequence[Attempt]) -> list[object]:
        return [
            self._call({**row.columns, "answer": row.gold, "completion": attempt.text})
            for row, attempt in zip(rows, attempts, strict=True)
        ]

    def _call(self, offered: Mapping[str, object]) -> object:
        """With all that is offered, if it takes any keyword, else with what it names; TRL's trainer state is None."""
        extra = {key: None for key in ("trainer_state", "log_extra", "log_metric") if key in self._accepted}
        given = {key: value for key, value in offered.items() if self._open or key in self._accepted} | extra
        if missing := sorted(self._required - set(given)):
            raise InvalidInput(
                f"the reward {self.name!r} needs {', '.join(map(repr, missing))}, which the rows do not have; "
                f"they offer {', '.join(map(repr, offered))}"
            )
        try:
            result = self._function(**given)
            return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result
        except Exception as failure:  # a user's function may raise anything
            raise InvalidInput(
                f"expected scores of the reward {self.name!r}, got {_told(failure)}; mend it, then resume"
            ) from failure

    def _verdict(self, score: object) -> Verdict:
        if score is None:
            return Verdict(0.0, False, note="the reward does not apply to this row")
        try:
            value = float(score)  # type: ignore[arg-type]  # whatever a user's function returns is tried
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise InvalidInput(f"expected the reward {self.name!r} to give a finite number or None, got {score!r}")
        return Verdict(value, value >= 1.0, note="" if value >= 1.0 else f"the reward gave {value:g}")


async def _awaited(result: object) -> object:
    return await result if inspect.isawaitable(result) else result


def _told(failure: Exception) -> str:
    """What was raised, and where: the file and line of a user's code."""
    last = extract_tb(failure.__traceback__)[-1]
    file, line = last.filename, last.lineno
    if isinstance(failure, SyntaxError):
        file, line = failure.filename or file, failure.lineno or line
    return f"{type(failure).__name__}: {' '.join(str(failure).split())[:160]} ({file}, line {line})"


def _completion(row: Row, attempt: Attempt) -> Json:
    if isinstance(row.columns[row.asked_in], str):
        return attempt.text
    return [{"role": "assistant", "content": attempt.text}]


def _ids(attempt: Attempt) -> list[int]:
    """The tokens of the last turn, where they are known."""
    pieces = attempt.turns[-1].said if attempt.turns else ()
    return [int(token) for piece in pieces if piece.tokens is not None for token in piece.tokens.ids]
