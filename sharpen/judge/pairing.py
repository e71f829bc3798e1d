"""Who meets whom over a context: all, a perfect matching in turn, or those whose game would tell most."""

from collections.abc import Sequence
from itertools import combinations
from typing import TypeAlias

from sharpen.judge.duel import SCALE, Rating, expectancy

Pairs: TypeAlias = tuple[tuple[int, int], ...]
"""Games over one context, by the places of the players."""


def everyone(players: int) -> Pairs:
    """Each with each."""
    return tuple(combinations(range(players), 2))


def matchings(players: int) -> list[Pairs]:
    """A round robin by the circle method: `players` - 1 perfect matchings that hold every pair once; for an odd number
    as many matchings as players, one of whom rests in each."""
    seats = players + players % 2
    circle = list(range(seats))
    rounds = []
    for _ in range(seats - 1):
        facing = zip(circle[: seats // 2], reversed(circle), strict=False)
        rounds.append(tuple((one, other) for one, other in facing if max(one, other) < players))
        circle = [circle[0], circle[-1], *circle[1:-1]]
    return rounds


def telling(ratings: Sequence[Rating], contexts: int) -> list[Pairs]:
    """[context] of half as many games as there are players, no pair twice over one context. Each time the pair of the
    largest promise over one more than the games it already has here: games fall to pairs in proportion to what they
    promise. By the promise alone the same few pairs would meet all the time, and nothing compare them with the rest."""
    promised = {pair: promise(ratings[pair[0]], ratings[pair[1]]) for pair in everyone(len(ratings))}
    games = dict.fromkeys(promised, 0)
    chosen = []
    for _ in range(contexts):
        worth = {pair: promised[pair] / (games[pair] + 1) for pair in promised}
        met = tuple(sorted(worth, key=lambda pair: -worth[pair])[: len(ratings) // 2])
        games |= {pair: games[pair] + 1 for pair in met}
        chosen.append(met)
    return chosen


def promise(one: Rating, other: Rating) -> float:
    """How much a game between them would tell: E (1 - E) (phi_one^2 + phi_other^2)."""
    score = expectancy(one, other)
    return score * (1 - score) * (one.deviation**2 + other.deviation**2) / SCALE**2
