"""Attempts and verdicts written by hand, for tests that need no model."""

import numpy as np

from sharpen.core.records import Attempt, Judged, Piece, Problem, Stop, Turn, Verdict, Weights, user
from sharpen.core.tokens import Tokens

BY = Weights("base", "body")


def attempt(problem: str, text: str, logprobs: tuple[float, ...] = (), stop: Stop = Stop.DONE) -> Attempt:
    """One turn of `text`, of as many tokens as it has log-probabilities (or words)."""
    length = len(logprobs) or len(text.split())
    tokens = Tokens(np.arange(length, dtype=np.int32), "hand")
    piece = Piece(text, tokens, np.array(logprobs, dtype=np.float32) if logprobs else None)
    chat = (user(problem),)
    return Attempt(Problem(problem, chat), (Turn(chat, (piece,)),), BY, stop)


def mark(problem: str, text: str, score: float, right: bool | None = None) -> Judged:
    """An attempt with its verdict; right where the score is 1 unless said."""
    return Judged(attempt(problem, text), Verdict(score, score == 1.0 if right is None else right))
