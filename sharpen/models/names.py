"""Names of learned weights, derived from everything that determines their bytes."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np

from sharpen.core.lessons import Lesson, Part, PerToken, Term
from sharpen.core.records import Chat, Weights
from sharpen.core.streams import Stream
from sharpen.core.tokens import Floats, Tokens
from sharpen.core.training import Training


def derived_name(start: Weights, terms: Sequence[Term], how: Training, stream: Stream) -> str:
    """32 hexadecimal digits, equal for equal starts, lessons, settings and streams; no lessons: the start's name."""
    taught = [term for term in terms if term.lessons]
    if not taught:
        return start.id
    digest = blake2b(digest_size=16)
    for words in _words(start, taught, how, stream):
        # Lengths keep neighbours apart: ("ab", "c") is not ("a", "bc").
        digest.update(len(words).to_bytes(8, "little"))
        digest.update(words)
    return digest.hexdigest()


def _words(start: Weights, terms: Sequence[Term], how: Training, stream: Stream) -> Iterator[bytes]:
    yield repr((start, how, stream)).encode()
    for term in terms:
        yield repr((term.objective, term.coefficient, term.anchor, len(term.lessons))).encode()
        for lesson in term.lessons:
            yield from _lesson(lesson)


def _lesson(lesson: Lesson) -> Iterator[bytes]:
    yield f"lesson {lesson.group} {len(lesson.parts)}".encode()
    for part in lesson.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[bytes]:
    content = part.content
    if isinstance(content, Tokens):
        yield from _tokens(content)
    elif isinstance(content, str):
        yield b"text " + content.encode()
    else:
        yield from _chat(content)
    yield repr(part.target).encode()
    for numbers in (part.weight, part.leash, part.sampled):
        yield _numbers(numbers)


def _chat(chat: Chat) -> Iterator[bytes]:
    yield f"chat {len(chat)}".encode()
    for message in chat:
        yield message.role.encode()
        yield message.text.encode()
        if message.tokens is not None:
            yield from _tokens(message.tokens)


def _tokens(tokens: Tokens) -> Iterator[bytes]:
    yield b"tokens " + tokens.tokenizer.encode()
    yield tokens.ids.tobytes()


def _numbers(numbers: PerToken | Floats | None) -> bytes:
    return numbers.tobytes() if isinstance(numbers, np.ndarray) else repr(numbers).encode()
