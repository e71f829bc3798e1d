"""A tournament of players of known strength: who comes first, whether the intervals hold, how far the ratings spread.

Six players, 20 contexts, everyone against everyone over each. Their strengths, in nats, are ours; they lie 278 points
apart.
"""

from dataclasses import dataclass
from itertools import combinations
from math import exp, hypot
from statistics import fmean

import pytest

from sharpen.core.streams import stream
from sharpen.judge.duel import SCALE, Bout, Rating, rated
from sharpen.judge.pairing import everyone

STRENGTHS = (0.6, 1.6, 0.0, 0.8, 1.0, 0.3)
CONTEXTS = 20


@dataclass(frozen=True)
class Seen:
    first: float  # share of repeats in which the strongest has the highest rating
    covered: float  # share of pairs whose true gap lies within 1.96 deviations of the estimated one
    spread: float  # mean of highest minus lowest rating, in points


def seen(periods: int, repeats: int) -> Seen:
    tables = [tournament(periods, repeat) for repeat in range(repeats)]
    pairs = list(combinations(range(len(STRENGTHS)), 2))
    return Seen(
        fmean(max(table, key=lambda rating: rating.rating) is table[1] for table in tables),
        fmean(holds(table, *pair) for table in tables for pair in pairs),
        fmean(max(r.rating for r in table) - min(r.rating for r in table) for table in tables),
    )


def holds(table: tuple[Rating, ...], one: int, other: int) -> bool:
    gap = table[one].rating - table[other].rating - SCALE * (STRENGTHS[one] - STRENGTHS[other])
    return abs(gap) <= 1.96 * hypot(table[one].deviation, table[other].deviation)


def tournament(periods: int, repeat: int) -> tuple[Rating, ...]:
    rng = stream("tournament", periods, repeat)
    table = (Rating(),) * len(STRENGTHS)
    for period in range(periods):
        start, end = (CONTEXTS * place // periods for place in (period, period + 1))
        bouts = [
            Bout(str(context), one, other, float(rng.random() < 1 / (1 + exp(STRENGTHS[other] - STRENGTHS[one]))))
            for context in range(start, end)
            for one, other in everyone(len(STRENGTHS))
        ]
        table = rated(table, bouts)
    return table


def test_several_periods_find_the_strongest_and_one_alone_overstates_the_spread() -> None:
    one, three = seen(1, 24), seen(3, 24)
    assert three.first >= 0.85
    assert 0.9 <= three.covered <= 0.99
    assert one.covered < 0.9
    assert one.spread > 1.2 * three.spread


@pytest.mark.slow
@pytest.mark.parametrize(("periods", "spread"), [(1, 437), (3, 319), (10, 297)])
def test_the_sheets_simulation_of_200_repeats(periods: int, spread: float) -> None:
    found = seen(periods, 200)
    assert found.spread == pytest.approx(spread, abs=16)  # four standard errors, near 4 points each
    assert 0.94 <= found.first <= 1
    assert (found.covered < 0.9) if periods == 1 else (0.9 <= found.covered <= 0.99)
