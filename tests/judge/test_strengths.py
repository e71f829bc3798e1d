from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpen.core.streams import stream
from sharpen.judge.duel import Bout
from sharpen.judge.strengths import PRIOR, bradley_terry, intransitive, resampled, win_rates, wins

CIRCLE = [Bout("a", 0, 1, 1.0), Bout("a", 1, 2, 1.0), Bout("b", 2, 0, 1.0)]
BOUTS = st.lists(
    st.builds(
        lambda pair, context, score: Bout(context, *pair, score),
        st.permutations(range(4)).map(lambda order: order[:2]),
        st.sampled_from("abc"),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    min_size=1,
    max_size=25,
)


def test_wins_are_counted_by_context_and_a_draw_is_half_of_one() -> None:
    won = wins([Bout("b", 0, 1, 1.0), Bout("a", 1, 0, 0.5), Bout("b", 1, 0, 1.0)], 2)
    assert won.tolist() == [[[0, 1], [1, 0]], [[0, 0.5], [0.5, 0]]]


def test_win_rates_count_a_draw_half_and_know_nothing_of_who_did_not_play() -> None:
    won = wins([Bout("a", 0, 1, 1.0), Bout("a", 0, 1, 0.5), Bout("a", 0, 2, 1.0)], 4).sum(0)
    assert win_rates(won).tolist() == pytest.approx([2.5 / 3, 0.25, 0.0, 0.5])


def test_the_strengths_of_two_are_the_odds_between_them() -> None:
    won = np.array([[0, 3.0], [1.0, 0]])
    strong, weak = bradley_terry(won)
    assert strong - weak == pytest.approx(log((3 + PRIOR / 2) / (1 + PRIOR / 2)))


@settings(max_examples=50)
@given(BOUTS)
def test_at_the_strengths_everybody_wins_as_often_as_is_expected(bouts: list[Bout]) -> None:
    won = wins(bouts, 4).sum(0)
    strengths = bradley_terry(won)
    prior = PRIOR / 2 * (1 - np.eye(4))
    chances = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    games = won + won.T + 2 * prior
    assert (games * chances * (1 - np.eye(4))).sum(1) == pytest.approx((won + prior).sum(1), abs=1e-4)
    assert strengths.mean() == pytest.approx(0, abs=1e-9)


@settings(max_examples=50)
@given(BOUTS)
def test_many_tables_at_once_are_each_as_alone(bouts: list[Bout]) -> None:
    won = wins(bouts, 4)
    assert bradley_terry(won) == pytest.approx(np.array([bradley_terry(one) for one in won]), abs=1e-5)


def test_who_won_all_is_strong_but_not_infinitely() -> None:
    strengths = bradley_terry(wins([Bout("a", 0, 1, 1.0)] * 50, 2).sum(0))
    assert 6 < strengths[0] - strengths[1] < 8


def test_the_bootstrap_draws_contexts_with_all_their_games() -> None:
    won = wins([Bout("a", 0, 1, 1.0), Bout("a", 0, 1, 1.0), Bout("b", 1, 0, 1.0)], 2)
    drawn = resampled(won, 400, stream("bootstrap"))
    kinds = {(int(one), int(other)) for one, other in zip(drawn[:, 0, 1], drawn[:, 1, 0], strict=True)}
    assert kinds == {(4, 0), (2, 1), (0, 2)}
    assert drawn[:, 0, 1].mean() == pytest.approx(2, abs=0.2)


def test_doubt_is_larger_where_games_share_a_context() -> None:
    results = [1.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    alone = wins([Bout(f"{place}-{copy}", 0, 1, score) for place, score in enumerate(results) for copy in range(5)], 2)
    together = wins([Bout(f"{place}", 0, 1, score) for place, score in enumerate(results) for _ in range(5)], 2)
    doubts = [bradley_terry(resampled(won, 300, stream("doubt")))[:, 0].std() for won in (alone, together)]
    assert doubts[1] > 1.5 * doubts[0]


def test_the_share_of_intransitive_triples() -> None:
    assert intransitive(wins(CIRCLE, 3).sum(0)) == 1
    assert intransitive(wins([Bout("a", 0, 1, 1.0), Bout("a", 1, 2, 1.0), Bout("a", 0, 2, 1.0)], 3).sum(0)) == 0
    topped = [*CIRCLE, *(Bout("c", 3, place, 1.0) for place in range(3))]
    assert intransitive(wins(topped, 4).sum(0)) == 0.25


def test_a_triple_with_an_open_pair_is_not_counted() -> None:
    assert intransitive(wins(CIRCLE[:2], 3).sum(0)) == 0
    assert intransitive(wins([*CIRCLE, Bout("c", 3, 0, 0.5)], 4).sum(0)) == 1
