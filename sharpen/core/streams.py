"""Named streams of randomness: every draw follows from a path of names, never from a global seed or the clock."""

from hashlib import blake2b
from random import Random
from typing import Literal, TypeAlias, get_args

Rng: TypeAlias = Random
Stream: TypeAlias = tuple[str | int, ...]
Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def stream_key(*path: str | int) -> int:
    """The 64-bit key of a stream: the same path gives the same key on any machine; "1" and 1 are different names."""
    return int.from_bytes(blake2b(repr(path).encode(), digest_size=8).digest(), "little")


def stream(*path: str | int) -> Rng:
    """A fresh generator at the start of the stream named by `path`."""
    return Random(stream_key(*path))


def split_of(question: str, dev: int = 10, test: int = 10) -> Split:
    """The split a question belongs to, by its text alone: `test` and `dev` in hundredths, the rest is train."""
    place = stream_key("split", " ".join(question.split())) % 100
    return "test" if place < test else "dev" if place < test + dev else "train"
