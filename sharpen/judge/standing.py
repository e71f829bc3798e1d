"""What a table of ratings says, in numbers to watch: who leads, how surely, and whether other reckonings agree."""

from collections.abc import Iterable, Sequence
from math import isnan

from sharpen.core.streams import Rng
from sharpen.judge.agreement import kendall
from sharpen.judge.duel import SCALE, Bout, Rating, expectancy, leaders, next_game, superiority
from sharpen.judge.strengths import bradley_terry, intransitive, resampled, win_rates, wins


def standing(ratings: Sequence[Rating]) -> dict[str, float]:
    """Ratings and deviations by place, in points; how many share the lead; and the leader against each other place:
    the expected score of the next game with its bounds, and the probability to be truly the stronger."""
    tied = leaders(ratings)
    points, first = [rating.rating for rating in ratings], ratings[tied[0]]
    rivals = {place: rating for place, rating in enumerate(ratings) if place != tied[0]}
    bounds = {place: next_game(first, rival) for place, rival in rivals.items()}
    return {
        "tied": float(len(tied)),
        "spread": max(points) - min(points),
        **_named("rating", points),
        **_named("deviation", (rating.deviation for rating in ratings)),
        **{f"next_game/{place}": expectancy(first, rival) for place, rival in rivals.items()},
        **{f"next_game_low/{place}": low for place, (low, _) in bounds.items()},
        **{f"next_game_high/{place}": high for place, (_, high) in bounds.items()},
        **{f"superiority/{place}": superiority(first, rival) for place, rival in rivals.items()},
    }


def cross_check(bouts: Sequence[Bout], ratings: Sequence[Rating], draws: int, rng: Rng) -> dict[str, float]:
    """The same games as plain win rates and by Bradley and Terry, in points, with their deviations over a bootstrap of
    contexts; how far that order agrees with the ratings', left out where either is all ties; the share of draws of the
    bootstrap in which the leader is the strongest; the share of intransitive triples."""
    won = wins(bouts, len(ratings))
    strengths = bradley_terry(won.sum(0))
    drawn = bradley_terry(resampled(won, draws, rng))
    tau = kendall([rating.rating for rating in ratings], strengths.tolist())
    return {
        **({} if isnan(tau) else {"bradley_terry/tau": tau}),
        "bradley_terry/same_best": float((drawn.argmax(-1) == leaders(ratings)[0]).mean()),
        "intransitive": intransitive(won.sum(0)),
        **_named("win_rate", win_rates(won.sum(0)).tolist()),
        **_named("strength", (strengths * SCALE).tolist()),
        **_named("strength_std", (drawn.std(0) * SCALE).tolist()),
    }


def _named(name: str, values: Iterable[float]) -> dict[str, float]:
    return {f"{name}/{place}": value for place, value in enumerate(values)}
