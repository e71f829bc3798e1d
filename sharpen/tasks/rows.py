"""A user's rows: JSON lines with a question and, unless a reward function judges, its answer; all are read or none."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Chat, Json, Message, Role, user

QUESTIONS = ("prompt", "question", "input", "problem", "messages")
ANSWERS = ("answer", "solution", "target", "ground_truth")
_ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
_GSM8K = re.compile(r"(?s)(.*?)\s*####\s*(\S[^\n]*?)\s*")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the chat, its text (what makes it distinct), the reference if there is one, the steps that lead to it,
    the column of the question, and all columns as they were."""

    chat: Chat
    text: str
    gold: str | None
    steps: tuple[str, ...]
    asked_in: str
    columns: Mapping[str, Json]

    @property
    def public(self) -> dict[str, Json]:
        """The columns that give nothing away: all but question and answers."""
        return {key: value for key, value in self.columns.items() if key not in (self.asked_in, *ANSWERS)}


def read_rows(path: Path, *, answers: bool = True) -> tuple[list[Row], int]:
    """The distinct rows of a file in order, and how many were dropped because their question was there before.

    answers: whether each row must have one. Raises InvalidInput, with file and line, for the first line that is not
    such a row.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        raise InvalidInput(f"expected a file of JSON lines, got {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path}: expected UTF-8, got byte {error.object[error.start]:#x} at {error.start}"
        ) from None
    rows: dict[str, Row] = {}
    count = 0
    for place, line in enumerate(lines, 1):
        if line.strip():
            count += 1
            try:
                row = _row(line, answers)
            except InvalidInput as error:
                raise InvalidInput(f"{path}, line {place}: {error}") from None
            rows.setdefault(" ".join(row.text.split()), row)
    if not rows:
        raise InvalidInput(f"{path}: expected at least one row such as {{'prompt': ..., 'answer': ...}}, got none")
    return list(rows.values()), count - len(rows)


def _row(line: str, answers: bool) -> Row:
    try:
        columns = json.loads(line, parse_constant=_no_number)
        json.dumps(columns, ensure_ascii=False).encode()  # half a surrogate pair has no UTF-8
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"expected a JSON object, got {line.strip()[:60]!r} ({error})") from None
    if not isinstance(columns, dict):
        raise InvalidInput(f"expected a JSON object, got {_shown(columns)}")
    asked = [key for key in QUESTIONS if key in columns]
    if len(asked) != 1:
        raise InvalidInput(
            f"expected exactly one of the columns {', '.join(QUESTIONS)}, got {' and '.join(asked) or 'none'} "
            f"among {', '.join(map(repr, columns)) or 'no columns'}"
        )
    chat = _chat(asked[0], columns[asked[0]])
    gold, steps = _reference(columns, answers)
    return Row(chat, "\n".join(message.text for message in chat), gold, steps, asked[0], columns)


def _chat(column: str, value: Json) -> Chat:
    """A string as the user's message, a list of {role, content} as it is."""
    if isinstance(value, str):
        if not value.strip():
            raise InvalidInput(f"expected a question in {column!r}, got an empty string")
        return (user(value),)
    if not isinstance(value, list) or not value:
        raise InvalidInput(f"expected {column!r} to be a string or a list of messages, got {_shown(value)}")
    messages = []
    for message in value:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, Mapping) else (None, None)
        if not isinstance(role, str) or role not in _ROLES or not isinstance(content, str):
            raise InvalidInput(
                f"expected messages with a role ({', '.join(_ROLES)}) and a string content, got {_shown(message)}"
            )
        messages.append(Message(_ROLES[role], content))
    if messages[-1].role not in ("user", "tool"):
        raise InvalidInput(f"expected the last message to be the user's, got the {messages[-1].role}'s")
    return tuple(messages)


def _reference(columns: Mapping[str, Json], needed: bool) -> tuple[str | None, tuple[str, ...]]:
    """The first answer column there is; of one in GSM8K's form the answer after ####, and the lines before as steps."""
    for key in ANSWERS:
        if key not in columns:
            continue
        value = columns[key]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value), ()
        if isinstance(value, str) and value.strip():
            worked = _GSM8K.fullmatch(value)
            return (worked[2].replace(",", ""), tuple(worked[1].splitlines())) if worked else (value.strip(), ())
        if needed:
            raise InvalidInput(f"expected {key!r} to be a number or a string that is not empty, got {_shown(value)}")
    if needed:
        raise InvalidInput(
            f"expected one of the columns {', '.join(ANSWERS)}, got {', '.join(map(repr, columns))}; "
            "without an answer give a reward function: --reward module:function"
        )
    return None, ()


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _shown(value: Json) -> str:
    return json.dumps(value)[:60]
