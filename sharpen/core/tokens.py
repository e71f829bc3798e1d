"""Read-only arrays, and token ids that know their tokenizer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from sharpen.core.errors import ForeignTokens

Floats: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
_Array = TypeVar("_Array", Ints, Floats)


def frozen_ints(values: Iterable[int] | Ints) -> Ints:
    """A read-only int32 array; an array that is one already is not copied."""
    array = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.int32)
    return _sealed(array)


def frozen_floats(values: Iterable[float] | Floats) -> Floats:
    """A read-only float32 array; an array that is one already is not copied."""
    array = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.float32)
    return _sealed(array)


def _sealed(array: _Array) -> _Array:
    if array.flags.writeable:
        array = array.copy() if array.base is not None else array
        array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Read-only token ids int32[T] that know their tokenizer by its fingerprint."""

    ids: Ints
    tokenizer: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", frozen_ints(self.ids))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> "Tokens":
        return Tokens(self.ids[part], self.tokenizer)

    def __add__(self, other: "Tokens") -> "Tokens":
        other.require(self.tokenizer)
        return Tokens(np.concatenate([self.ids, other.ids]), self.tokenizer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokens) and self.tokenizer == other.tokenizer and np.array_equal(self.ids, other.ids)

    def __hash__(self) -> int:
        return hash((self.tokenizer, self.ids.tobytes()))

    def require(self, tokenizer: str) -> Self:
        """These tokens, if they are of that tokenizer; raises ForeignTokens otherwise."""
        if self.tokenizer != tokenizer:
            raise ForeignTokens(
                f"expected tokens of tokenizer {tokenizer}, got tokens of {self.tokenizer}; "
                "pass the text instead, so that the model encodes it itself"
            )
        return self
