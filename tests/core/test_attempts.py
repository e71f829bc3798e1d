import tracemalloc

import numpy as np
import pytest

from sharpen.core.attempts import Attempts
from sharpen.core.errors import CorruptRecord
from sharpen.core.records import Attempt, Judged, Message, Piece, Problem, Stop, Turn, Verdict, Weights, user
from sharpen.core.tokens import Tokens, frozen_floats, frozen_ints


def tokens(*ids: int, tokenizer: str = "t") -> Tokens:
    return Tokens(frozen_ints(ids), tokenizer)


CHAT = (user("1 + 1?"),)
PROBLEM = Problem("p", CHAT, "sums", 1.5, {"source": "book"})
SAID = Piece("zwei €", tokens(5, 6), frozen_floats([-0.5, -1.0]), drawn=frozen_floats([-0.1, -2.0]))
SEARCH = (SAID, Piece("found", tokens(9, tokenizer="other"), author="world"), Piece("Wait", author="method"))
LATER = (*CHAT, Message("assistant", "zwei €", SAID.tokens), user("sure?"))
MARKS = [
    Judged(
        Attempt(PROBLEM, (Turn(CHAT, SEARCH), Turn(LATER, (SAID,), 1)), Weights("a", "nano")),
        Verdict(0.1, True, (0.5, 1.0), "gut"),
    ),
    Judged(Attempt(Problem("q", CHAT), (), Weights("b", "nano"), Stop.ERROR), Verdict(0.0)),
    Judged(Attempt(PROBLEM, (Turn(CHAT, ()),), Weights("a", "nano"), Stop.TURNS), Verdict(-3.0, False)),
    Judged(
        Attempt(
            PROBLEM, (Turn(CHAT, (Piece("", tokens(), frozen_floats([])), Piece("\ud800"))),), Weights("a", "nano")
        ),
        Verdict(float("inf"), None, (), "ü"),
    ),
]


def test_every_attempt_comes_back_as_it_was() -> None:
    block = Attempts.of(MARKS)
    assert len(block) == 4
    assert list(block) == MARKS
    assert [block[i] for i in (-1, 0)] == [MARKS[-1], MARKS[0]]
    with pytest.raises(IndexError):
        block[4]


def test_optional_parts_stay_absent_and_empty_ones_stay_empty() -> None:
    found = Attempts.of(MARKS)
    absent, empty = found[0].attempt.turns[0].said[2], found[3].attempt.turns[0].said[0]
    assert (absent.tokens, absent.logprobs, absent.drawn) == (None, None, None)
    assert empty.tokens == tokens() and empty.logprobs is not None and empty.drawn is None


def test_equal_problems_chats_and_weights_are_held_once() -> None:
    block = Attempts.of(MARKS)
    assert [problem.id for problem in block.problems] == ["p", "q"]
    assert block.chats == (CHAT, LATER)
    assert block.weights == (Weights("a", "nano"), Weights("b", "nano"))
    assert block.tokenizers == ("t", "other")


def test_an_attempt_is_a_read_only_view_of_the_block() -> None:
    block = Attempts.of(MARKS)
    piece = block[0].attempt.turns[1].said[0]
    assert piece.tokens is not None and piece.logprobs is not None and piece.drawn is not None
    assert np.shares_memory(piece.tokens.ids, block.tokens)
    assert np.shares_memory(piece.logprobs, block.logprobs)
    assert np.shares_memory(piece.drawn, block.drawn)
    with pytest.raises(ValueError, match="read-only"):
        piece.logprobs[0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        block.tokens[0] = 0


def test_nothing_makes_an_empty_block() -> None:
    block = Attempts.of([])
    assert len(block) == 0 and list(block) == []
    assert list(Attempts.from_columns(block.columns())) == []


def test_the_columns_make_the_same_block() -> None:
    columns = Attempts.of(MARKS).columns()
    assert list(Attempts.from_columns(columns)) == MARKS
    assert columns["turns_at"].tolist() == [0, 2, 2, 3, 4]  # type: ignore[union-attr] # an array, not a table
    assert columns["right"].tolist() == [1, -1, 0, -1]  # type: ignore[union-attr] # an array, not a table


def test_columns_that_do_not_fit_are_refused() -> None:
    columns = dict(Attempts.of(MARKS).columns())
    with pytest.raises(CorruptRecord, match="unknown column of attempts 'token'; did you mean 'tokens'"):
        Attempts.from_columns(columns | {"token": []})
    with pytest.raises(CorruptRecord, match="missing: author"):
        Attempts.from_columns({name: column for name, column in columns.items() if name != "author"})
    with pytest.raises(CorruptRecord, match="expected bounds of 6 stretches over 4 values"):
        Attempts.from_columns(columns | {"tokens": np.zeros(4, dtype=np.int32)})
    with pytest.raises(CorruptRecord, match="expected places in a table of 0, got 0 to 1"):
        Attempts.from_columns(columns | {"problems": []})


def test_a_million_attempts_take_less_than_a_gigabyte() -> None:
    attempts, length = 20_000, 48
    problems = [Problem(f"p{i}", (user(f"What is {i} + {i}?"),)) for i in range(attempts // 8)]
    ids, nats = np.arange(length, dtype=np.int32), np.linspace(-3, 0, length, dtype=np.float32)

    def mark(i: int) -> Judged:
        problem = problems[i // 8]
        piece = Piece("some" * 36, Tokens(ids + i, "t"), nats + 0)
        return Judged(Attempt(problem, (Turn(problem.chat, (piece,)),), Weights("w", "nano")), Verdict(1.0, True))

    tracemalloc.start()
    block = Attempts.of(mark(i) for i in range(attempts))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(block) == attempts
    assert block.nbytes / attempts < 700  # 8 bytes per token and 1 per letter are 528 of them
    assert held / attempts < 900  # the tables too
