"""Judged attempts in columns: bytes per token where a list of records costs objects; the same records when asked."""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, fields
from functools import cache
from itertools import chain
from typing import Generic, Self, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from sharpen.core.archive import from_json, to_json
from sharpen.core.errors import CorruptRecord, nearest
from sharpen.core.records import Attempt, Author, Chat, Judged, Message, Piece, Problem, Stop, Turn, Verdict, Weights
from sharpen.core.tokens import Floats, Ints, Tokens

Bytes: TypeAlias = npt.NDArray[np.uint8]
Small: TypeAlias = npt.NDArray[np.int8]
Offsets: TypeAlias = npt.NDArray[np.int64]
Doubles: TypeAlias = npt.NDArray[np.float64]
Column: TypeAlias = Bytes | Small | Ints | Offsets | Floats | Doubles | list[str]

STOPS: tuple[Stop, ...] = tuple(Stop)
AUTHORS: tuple[Author, ...] = get_args(Author)
_RIGHT = {True: 1, False: 0, None: -1}
ItemT = TypeVar("ItemT", bound=Hashable)


@dataclass(frozen=True, slots=True, eq=False)
class Attempts:
    """`n` judged attempts of `t` turns and `p` pieces; `block[i]` is a record whose arrays are read-only views.

    `xs_at[i]` and `xs_at[i + 1]` bound the xs of one attempt, turn or piece. Equal problems, chats and weights are held
    once; `problem`, `by`, `seen` and `tokenizer` count into those tables, and -1 stands for None.
    """

    problems: tuple[Problem, ...]
    weights: tuple[Weights, ...]
    chats: tuple[Chat, ...]
    tokenizers: tuple[str, ...]
    problem: Ints  # [n]
    by: Ints  # [n]
    stop: Bytes  # [n] into STOPS
    score: Doubles  # [n]
    right: Small  # [n] 1, 0 or -1
    steps_at: Offsets  # [n + 1]
    steps: Doubles
    notes_at: Offsets  # [n + 1]
    notes: Bytes  # UTF-8
    turns_at: Offsets  # [n + 1]
    seen: Ints  # [t]
    trial: Ints  # [t]
    pieces_at: Offsets  # [t + 1]
    author: Bytes  # [p] into AUTHORS
    tokenizer: Ints  # [p]
    known: Bytes  # [p] 1 where there are logprobs, plus 2 where there is drawn
    texts_at: Offsets  # [p + 1]
    texts: Bytes  # UTF-8
    tokens_at: Offsets  # [p + 1]
    tokens: Ints
    logprobs_at: Offsets  # [p + 1]
    logprobs: Floats
    drawn_at: Offsets  # [p + 1]
    drawn: Floats

    def __post_init__(self) -> None:
        n, t, p = len(self.problem), len(self.seen), len(self.author)
        for at, owners, held in (
            (self.steps_at, n, len(self.steps)),
            (self.notes_at, n, len(self.notes)),
            (self.turns_at, n, t),
            (self.pieces_at, t, p),
            (self.texts_at, p, len(self.texts)),
            (self.tokens_at, p, len(self.tokens)),
            (self.logprobs_at, p, len(self.logprobs)),
            (self.drawn_at, p, len(self.drawn)),
        ):
            if len(at) != owners + 1 or at[0] != 0 or at[-1] != held or bool((np.diff(at) < 0).any()):
                raise CorruptRecord(f"expected bounds of {owners} stretches over {held} values, got {at[:8].tolist()}")
        for places, table in ((self.problem, self.problems), (self.by, self.weights), (self.seen, self.chats)):
            if len(places) and not 0 <= places.min() <= places.max() < len(table):
                raise CorruptRecord(f"expected places in a table of {len(table)}, got {places.min()} to {places.max()}")
        for name in _dtypes():
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @classmethod
    def of(cls, judged: Iterable[Judged]) -> Self:
        """The block of these judged attempts, in order."""
        marks = list(judged)
        turns = [turn for mark in marks for turn in mark.attempt.turns]
        pieces = [piece for turn in turns for piece in turn.said]
        verdicts = [mark.verdict for mark in marks]
        texts = [_bytes(piece.text) for piece in pieces]
        notes = [_bytes(verdict.note) for verdict in verdicts]
        tokens = [_NO_INTS if piece.tokens is None else piece.tokens.ids for piece in pieces]
        logprobs = [_NO_FLOATS if piece.logprobs is None else piece.logprobs for piece in pieces]
        drawn = [_NO_FLOATS if piece.drawn is None else piece.drawn for piece in pieces]
        problems, weights, chats, tokenizers = _Table[Problem](), _Table[Weights](), _Table[Chat](), _Table[str]()
        return cls(
            problem=_ints(problems.place(mark.attempt.problem) for mark in marks),
            by=_ints(weights.place(mark.attempt.by) for mark in marks),
            stop=np.array([STOPS.index(mark.attempt.stop) for mark in marks], dtype=np.uint8),
            score=np.array([verdict.score for verdict in verdicts], dtype=np.float64),
            right=np.array([_RIGHT[verdict.right] for verdict in verdicts], dtype=np.int8),
            steps_at=_bounds(verdict.steps for verdict in verdicts),
            steps=np.array(list(chain.from_iterable(verdict.steps for verdict in verdicts)), dtype=np.float64),
            notes_at=_bounds(notes),
            notes=_joined(notes),
            turns_at=_bounds(mark.attempt.turns for mark in marks),
            seen=_ints(chats.place(turn.seen) for turn in turns),
            trial=_ints(turn.trial for turn in turns),
            pieces_at=_bounds(turn.said for turn in turns),
            author=np.array([AUTHORS.index(piece.author) for piece in pieces], dtype=np.uint8),
            tokenizer=_ints(-1 if p.tokens is None else tokenizers.place(p.tokens.tokenizer) for p in pieces),
            known=np.array([(p.logprobs is not None) + 2 * (p.drawn is not None) for p in pieces], dtype=np.uint8),
            texts_at=_bounds(texts),
            texts=_joined(texts),
            tokens_at=_bounds(tokens),
            tokens=np.concatenate([_NO_INTS, *tokens]),
            logprobs_at=_bounds(logprobs),
            logprobs=np.concatenate([_NO_FLOATS, *logprobs]),
            drawn_at=_bounds(drawn),
            drawn=np.concatenate([_NO_FLOATS, *drawn]),
            problems=problems.items,
            weights=weights.items,
            chats=chats.items,
            tokenizers=tokenizers.items,
        )

    def __len__(self) -> int:
        return len(self.problem)

    def __iter__(self) -> Iterator[Judged]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> Judged:
        i = range(len(self))[i]
        turns = tuple(self._turn(t) for t in range(self.turns_at[i], self.turns_at[i + 1]))
        attempt = Attempt(self.problems[self.problem[i]], turns, self.weights[self.by[i]], STOPS[self.stop[i]])
        right = None if self.right[i] < 0 else bool(self.right[i])
        steps = tuple(self.steps[self.steps_at[i] : self.steps_at[i + 1]].tolist())
        return Judged(attempt, Verdict(float(self.score[i]), right, steps, _text(self.notes, self.notes_at, i)))

    def _turn(self, t: int) -> Turn:
        said = tuple(self._piece(p) for p in range(self.pieces_at[t], self.pieces_at[t + 1]))
        return Turn(self.chats[self.seen[t]], said, int(self.trial[t]))

    def _piece(self, p: int) -> Piece:
        known, tokenizer = int(self.known[p]), int(self.tokenizer[p])
        ids = self.tokens[self.tokens_at[p] : self.tokens_at[p + 1]]
        return Piece(
            _text(self.texts, self.texts_at, p),
            None if tokenizer < 0 else Tokens(ids, self.tokenizers[tokenizer]),
            self.logprobs[self.logprobs_at[p] : self.logprobs_at[p + 1]] if known & 1 else None,
            AUTHORS[self.author[p]],
            self.drawn[self.drawn_at[p] : self.drawn_at[p + 1]] if known & 2 else None,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays; the tables come on top."""
        return sum(getattr(self, name).nbytes for name in _dtypes())

    def columns(self) -> Mapping[str, Column]:
        """Every field by name: the arrays as they are, the entries of the tables as JSON (a tokenizer as itself)."""
        tables: dict[str, Column] = {
            "problems": [json.dumps(to_json(problem)) for problem in self.problems],
            "weights": [json.dumps(to_json(weights)) for weights in self.weights],
            "chats": [json.dumps([to_json(message) for message in chat]) for chat in self.chats],
            "tokenizers": list(self.tokenizers),
        }
        return tables | {name: getattr(self, name) for name in _dtypes()}

    @classmethod
    def from_columns(cls, columns: Mapping[str, Column]) -> Self:
        """The block whose columns these are; raises CorruptRecord where one is missing, unknown or does not fit."""
        names = [column.name for column in fields(cls)]
        for name in columns:
            if name not in names:
                raise CorruptRecord(nearest("column of attempts", name, names))
        if missing := [name for name in names if name not in columns]:
            raise CorruptRecord(f"expected the columns {', '.join(names)}; missing: {', '.join(missing)}")
        make: Callable[..., Self] = cls
        return make(
            problems=tuple(from_json(Problem, json.loads(text)) for text in columns["problems"]),
            weights=tuple(from_json(Weights, json.loads(text)) for text in columns["weights"]),
            chats=tuple(
                tuple(from_json(Message, message) for message in json.loads(text)) for text in columns["chats"]
            ),
            tokenizers=tuple(columns["tokenizers"]),
            **{name: np.asarray(columns[name], dtype=dtype) for name, dtype in _dtypes().items()},
        )


class _Table(Generic[ItemT]):
    """Different items, each once, in order of appearance."""

    def __init__(self) -> None:
        self._places: dict[ItemT, int] = {}

    def place(self, item: ItemT) -> int:
        return self._places.setdefault(item, len(self._places))

    @property
    def items(self) -> tuple[ItemT, ...]:
        return tuple(self._places)


@cache
def _dtypes() -> Mapping[str, str]:
    """The arrays of a block and what they hold."""
    hints = get_type_hints(Attempts)
    return {
        name: get_args(get_args(hint)[1])[0].__name__ for name, hint in hints.items() if get_origin(hint) is np.ndarray
    }


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int32)


def _bounds(stretches: Iterable[Sized]) -> Offsets:
    """Where each stretch starts, and where the last one ends."""
    return np.cumsum(np.fromiter(chain((0,), map(len, stretches)), dtype=np.int64), dtype=np.int64)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(texts: Bytes, bounds: Offsets, i: int) -> str:
    return texts[bounds[i] : bounds[i + 1]].tobytes().decode("utf-8", "surrogatepass")


def _joined(texts: Iterable[bytes]) -> Bytes:
    return np.frombuffer(b"".join(texts), dtype=np.uint8)


_NO_INTS: Ints = np.zeros(0, dtype=np.int32)
_NO_FLOATS: Floats = np.zeros(0, dtype=np.float32)
