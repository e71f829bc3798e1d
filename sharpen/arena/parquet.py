"""A round's judged attempts as one Parquet file: a row per attempt, its turns and pieces nested in it; and back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sharpen.core.attempts import AUTHORS, STOPS, Attempts, Bytes, Column, Offsets
from sharpen.core.errors import CorruptRecord
from sharpen.core.tokens import Ints


def write_attempts(block: Attempts, number: int, file: BinaryIO) -> None:
    """Writes the attempts of round `number`; texts, chats and problems stand in full, so that any reader of Parquet
    understands the file alone."""
    pq.write_table(_table(block, number), file, compression="zstd")


def read_attempts(path: Path) -> Attempts:
    """The attempts in a file; raises CorruptRecord where it is not whole."""
    try:
        return _block(pq.read_table(path))
    except (pa.ArrowException, OSError, KeyError) as error:
        raise CorruptRecord(f"{path} is not a whole file of attempts: {error}") from error


def _table(block: Attempts, number: int) -> pa.Table:
    columns = block.columns()
    pieces = {
        "author": _entries(AUTHORS, block.author),
        "text": _texts(block.texts_at, block.texts),
        "tokenizer": _entries(block.tokenizers, block.tokenizer),
        "tokens": _lists(block.tokens_at, pa.array(block.tokens), block.tokenizer < 0),
        "logprobs": _lists(block.logprobs_at, pa.array(block.logprobs), block.known & 1 == 0),
        "drawn": _lists(block.drawn_at, pa.array(block.drawn), block.known & 2 == 0),
    }
    turns = {
        "trial": pa.array(block.trial),
        "seen": _entries(columns["chats"], block.seen),
        "said": _lists(block.pieces_at, _structs(pieces)),
    }
    rows = {
        "round": pa.array(np.full(len(block), number, dtype=np.int32)),
        "problem": _entries([problem.id for problem in block.problems], block.problem),
        "by": _entries([weights.id for weights in block.weights], block.by),
        "score": pa.array(block.score),
        "right": pa.array(block.right > 0, mask=block.right < 0),
        "stop": _entries(STOPS, block.stop),
        "note": _texts(block.notes_at, block.notes),
        "steps": _lists(block.steps_at, pa.array(block.steps)),
        "turns": _lists(block.turns_at, _structs(turns)),
        "problem_record": _entries(columns["problems"], block.problem),
        "weights_record": _entries(columns["weights"], block.by),
    }
    return pa.table(rows)


def _entries(entries: Sequence[str] | Column, places: Ints | Bytes) -> pa.Array:
    """Strings of a table by their places; -1 is null."""
    return pa.array(list(map(str, entries)), pa.string()).take(pa.array(places, mask=places.astype(np.int64) < 0))


def _texts(bounds: Offsets, texts: Bytes) -> pa.Array:
    offsets = pa.py_buffer(bounds.astype(np.int32))
    return pa.StringArray.from_buffers(len(bounds) - 1, offsets, pa.py_buffer(texts))


def _lists(bounds: Offsets, values: pa.Array, missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    mask = None if missing is None else pa.array(missing)
    return pa.ListArray.from_arrays(pa.array(bounds.astype(np.int32)), values, mask=mask)


def _structs(columns: Mapping[str, pa.Array]) -> pa.Array:
    return pa.StructArray.from_arrays(list(columns.values()), list(columns))


def _block(table: pa.Table) -> Attempts:
    rows = {name: table.column(name).combine_chunks() for name in table.column_names}
    turns, pieces = rows["turns"].flatten(), rows["turns"].flatten().field("said").flatten()
    problem, problems = _places(rows["problem_record"])
    by, weights = _places(rows["weights_record"])
    seen, chats = _places(turns.field("seen"))
    tokenizer, tokenizers = _places(pieces.field("tokenizer"))
    logprobs, drawn = pieces.field("logprobs"), pieces.field("drawn")
    columns: dict[str, Column] = {
        "problems": problems,
        "weights": weights,
        "chats": chats,
        "tokenizers": tokenizers,
        "problem": problem,
        "by": by,
        "stop": _among(rows["stop"], STOPS),
        "score": _numbers(rows["score"]),
        "right": _numbers(rows["right"].cast(pa.int8()).fill_null(-1)),
        "seen": seen,
        "trial": _numbers(turns.field("trial")),
        "author": _among(pieces.field("author"), AUTHORS),
        "tokenizer": tokenizer,
        "known": _numbers(logprobs.is_valid().cast(pa.uint8())) + 2 * _numbers(drawn.is_valid().cast(pa.uint8())),
        "turns_at": _bounds(rows["turns"]),
        "pieces_at": _bounds(turns.field("said")),
    }
    for name, texts in (("notes", rows["note"]), ("texts", pieces.field("text"))):
        columns[f"{name}_at"], columns[name] = _bytes(texts)
    tokens = pieces.field("tokens")
    for name, lists in (("steps", rows["steps"]), ("tokens", tokens), ("logprobs", logprobs), ("drawn", drawn)):
        columns[f"{name}_at"], columns[name] = _bounds(lists), _numbers(lists.flatten())
    return Attempts.from_columns(columns)


def _places(strings: pa.Array) -> tuple[Column, list[str]]:
    """A table of the different strings in order of appearance, and each one's place in it; -1 for null."""
    coded = strings.dictionary_encode()
    return _numbers(coded.indices.fill_null(-1)), coded.dictionary.to_pylist()


def _among(strings: pa.Array, known: Sequence[str]) -> Column:
    places = pc.index_in(strings, value_set=pa.array(list(map(str, known)), pa.string()))
    if places.null_count:
        raise CorruptRecord(f"expected only {', '.join(known)}, got {strings.unique().to_pylist()[:8]}")
    return _numbers(places)


def _numbers(values: pa.Array) -> npt.NDArray[np.float64]:
    """As numpy, of whatever type they have."""
    numbers: npt.NDArray[np.float64] = values.to_numpy(zero_copy_only=False)
    return numbers


def _bounds(lists: pa.Array) -> Offsets:
    lengths = _numbers(pc.list_value_length(lists).fill_null(0))
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def _bytes(strings: pa.Array) -> tuple[Offsets, Bytes]:
    lengths = _numbers(pc.binary_length(strings))
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
    return bounds, np.frombuffer(b"".join(strings.cast(pa.binary()).to_pylist()), dtype=np.uint8)
