"""Strengths out of won, drawn and lost games, with their doubt (Glickman, Example of the Glicko-2 system, 2013)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, fsum, hypot, inf, log, pi, sqrt
from statistics import NormalDist

from sharpen.core.errors import InvalidInput

CENTRE = 1500.0
SCALE = 173.7178  # 400 / ln 10: points of the usual scale in one unit of Glicko-2's
CLOSE = 1e-6  # Step 5.1: where the search for the volatility stops
FARTHEST = 10_000.0  # points, our choice: far beyond use, and nothing overflows within it
WILDEST = 10.0  # in units of SCALE, likewise
WIDE = 1.96  # standard deviations on either side: 95 % of a normal


@dataclass(frozen=True, slots=True)
class Rating:
    """What is known of a player's strength; a new player's by default (Step 1)."""

    rating: float = CENTRE  # points
    deviation: float = 350.0  # points, > 0: the standard deviation of the rating
    volatility: float = 0.06  # > 0, in units of SCALE: how much the strength drifts from one period to the next

    def __post_init__(self) -> None:
        if not abs(self.rating - CENTRE) <= FARTHEST:
            raise InvalidInput(f"rating must be within {FARTHEST:g} points of {CENTRE:g}, got {self.rating}")
        if not 0 < self.deviation <= FARTHEST:
            raise InvalidInput(f"deviation must be in (0, {FARTHEST:g}], got {self.deviation}")
        if not 0 < self.volatility <= WILDEST:
            raise InvalidInput(f"volatility must be in (0, {WILDEST:g}], got {self.volatility}")


@dataclass(frozen=True, slots=True)
class Game:
    """A game as one of its two players saw it."""

    opponent: Rating  # at the period's start
    score: float  # 1 won, 0.5 drawn, 0 lost

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise InvalidInput(f"score must be in [0, 1], got {self.score}")


@dataclass(frozen=True, slots=True)
class Bout:
    """A game as the table has it: between the players at two places, over one context."""

    context: str  # games over the same context are not independent
    one: int
    other: int
    score: float  # of `one`: 1 won, 0.5 drawn, 0 lost

    def __post_init__(self) -> None:
        if self.one == self.other or min(self.one, self.other) < 0:
            raise InvalidInput(f"expected two places of players, from 0, got {self.one} and {self.other}")
        if not 0 <= self.score <= 1:
            raise InvalidInput(f"score must be in [0, 1], got {self.score}")


def rated(ratings: Sequence[Rating], bouts: Iterable[Bout], tau: float = 0.5) -> tuple[Rating, ...]:
    """Everybody's rating after a period, by place; every opponent counts as it was at the period's start."""
    games: list[list[Game]] = [[] for _ in ratings]
    for bout in bouts:
        games[bout.one].append(Game(ratings[bout.other], bout.score))
        games[bout.other].append(Game(ratings[bout.one], 1 - bout.score))
    return tuple(after(rating, own, tau) for rating, own in zip(ratings, games, strict=True))


def after(start: Rating, games: Sequence[Game], tau: float = 0.5) -> Rating:
    """A player's rating after a period, from that at its start and the player's games in any order (Steps 2 to 8);
    without games only the deviation changes: it grows. `tau` > 0 is how freely the volatility moves; Glickman advises
    0.3 to 1.2. Everybody's opponents are as they were at the period's start, so update all before replacing any."""
    if not 0 < tau < inf:
        raise InvalidInput(f"tau must be > 0 and finite, got {tau}")
    phi = start.deviation / SCALE
    if not games:
        return Rating(start.rating, SCALE * hypot(phi, start.volatility), start.volatility)
    weights = [_weight(game.opponent.deviation / SCALE) for game in games]
    gaps = [g * (start.rating - game.opponent.rating) / SCALE for g, game in zip(weights, games, strict=True)]
    v = 1 / fsum(g * g * _logistic(x) * _logistic(-x) for g, x in zip(weights, gaps, strict=True))
    surplus = fsum(g * (game.score - _logistic(x)) for g, x, game in zip(weights, gaps, games, strict=True))
    sigma = _volatility(start.volatility, v * surplus, phi * phi + v, tau)
    drifted = phi * phi + sigma * sigma
    squared = drifted / (1 + drifted / v)  # Step 7: 1 / (1 / drifted + 1 / v)
    return Rating(start.rating + SCALE * squared * surplus, SCALE * sqrt(squared), sigma)


def _volatility(sigma: float, delta: float, variance: float, tau: float) -> float:
    """The zero of f on the scale of ln sigma^2, by the Illinois variant of regula falsi (Step 5); `variance` is
    phi^2 + v."""
    a = 2 * log(sigma)

    def f(x: float) -> float:
        e = exp(x)
        return e * (delta * delta - variance - e) / (2 * (variance + e) ** 2) - (x - a) / tau**2

    low, high = a, _far_end(f, a, delta * delta - variance, tau)
    f_low, f_high = f(low), f(high)
    while abs(high - low) > CLOSE:
        middle = low + (low - high) * f_low / (f_high - f_low)
        f_middle = f(middle)
        if f_middle * f_high <= 0:
            low, f_low = high, f_high
        else:
            f_low /= 2
        high, f_high = middle, f_middle
    return exp(low / 2)


def _far_end(f: Callable[[float], float], a: float, surprise: float, tau: float) -> float:
    """The other end of an interval from `a` that holds the zero (Step 5.2); `surprise` is Delta^2 - phi^2 - v."""
    if surprise > 0:
        return log(surprise)
    k = 1
    while f(a - k * tau) < 0:
        k += 1
    return a - k * tau


def expectancy(one: Rating, other: Rating) -> float:
    """Expected score of `one` in the next game, in [0, 1]: both deviations pull it towards a half."""
    both = hypot(one.deviation, other.deviation) / SCALE
    return _logistic(_weight(both) * (one.rating - other.rating) / SCALE)


def next_game(one: Rating, other: Rating) -> tuple[float, float]:
    """Bounds of the expected score of `one` in the next game, 95 %: what it would be, did the two strengths lie 1.96
    standard deviations of their difference closer together or farther apart."""
    gap, doubt = (one.rating - other.rating) / SCALE, hypot(one.deviation, other.deviation) / SCALE
    return _logistic(gap - WIDE * doubt), _logistic(gap + WIDE * doubt)


def superiority(one: Rating, other: Rating) -> float:
    """Probability that `one` is truly the stronger, both strengths being normal and independent, in [0, 1]."""
    return NormalDist().cdf((one.rating - other.rating) / hypot(one.deviation, other.deviation))


def leaders(ratings: Sequence[Rating], sure: float = 0.95) -> tuple[int, ...]:
    """The place of the highest rating (the first of equals), then of those, best first, that it is not superior to with
    a probability of at least `sure`: alone it is the winner, with others there is none yet."""
    ranked = sorted(range(len(ratings)), key=lambda place: -ratings[place].rating)
    first = ranked[0]
    return (first, *(place for place in ranked[1:] if superiority(ratings[first], ratings[place]) < sure))


def _weight(phi: float) -> float:
    """g(phi), in (0, 1]: how far a game tells through a deviation of phi (Step 3)."""
    return 1 / sqrt(1 + 3 * phi * phi / (pi * pi))


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x))
