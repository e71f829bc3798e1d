"""Attempts and verdicts written by hand, for tests that need no model."""

from dataclasses import replace

import numpy as np

from sharpen.core.judging import tries
from sharpen.core.records import Attempt, Judged, Message, Piece, Problem, Stop, Turn, Verdict, Weights, user
from sharpen.core.tokens import Tokens

BY = Weights("base", "body")


def attempt(problem: str, text: str, logprobs: tuple[float, ...] = (), stop: Stop = Stop.DONE) -> Attempt:
    """One turn of `text`, of as many tokens as it has log-probabilities (or words)."""
    length = len(logprobs) or len(text.split())
    tokens = Tokens(np.arange(length, dtype=np.int32), "hand")
    piece = Piece(text, tokens, np.array(logprobs, dtype=np.float32) if logprobs else None)
    chat = (user(problem),)
    return Attempt(Problem(problem, chat), (Turn(chat, (piece,)),), BY, stop)


def twice(problem: str, first: str, second: str, request: str = "Are you sure?") -> Attempt:
    """Two tries of one turn each, the second behind the first and the request."""
    before, after = attempt(problem, first), attempt(problem, second)
    again = (*before.turns[0].seen, Message("assistant", first, before.turns[0].tokens), user(request))
    return replace(before, turns=(*before.turns, replace(after.turns[0], seen=again, trial=1)))


def marked_twice(problem: str, first: tuple[str, bool], second: tuple[str, bool]) -> tuple[Judged, Judged]:
    """Both tries of an attempt, each with what was said and whether it is right."""
    parts = tries(twice(problem, first[0], second[0]))
    before, after = (
        Judged(part, Verdict(float(right), right)) for part, (_, right) in zip(parts, (first, second), strict=True)
    )
    return before, after


def mark(problem: str, text: str, score: float, right: bool | None = None) -> Judged:
    """An attempt with its verdict; right where the score is 1 unless said."""
    return Judged(attempt(problem, text), Verdict(score, score == 1.0 if right is None else right))
