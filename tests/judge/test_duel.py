from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.core.errors import InvalidInput
from sharpen.judge.duel import (
    SCALE,
    Bout,
    Game,
    Rating,
    after,
    expectancy,
    leaders,
    next_game,
    rated,
    superiority,
)

RATINGS = st.builds(Rating, st.floats(900, 2100), st.floats(30, 350), st.floats(0.03, 0.1))
SCORES = st.sampled_from([0.0, 0.5, 1.0])
GAMES = st.lists(st.builds(Game, RATINGS, SCORES), min_size=1, max_size=12)
TAUS = st.floats(0.3, 1.2)

PLAYER = Rating(1500, 200, 0.06)
PERIOD = [Game(Rating(1400, 30), 1), Game(Rating(1550, 100), 0), Game(Rating(1700, 300), 0)]


def test_glickmans_worked_example_at_full_precision() -> None:
    end = after(PLAYER, PERIOD)
    assert end.rating == pytest.approx(1464.051, abs=5e-4)
    assert end.deviation == pytest.approx(151.517, abs=5e-4)
    assert end.volatility == pytest.approx(0.0599960, abs=5e-8)


def test_glickmans_worked_example_as_printed_from_rounded_steps() -> None:
    end = after(PLAYER, PERIOD)
    assert end.rating == pytest.approx(1464.06, abs=0.01)
    assert end.deviation == pytest.approx(151.52, abs=0.005)
    assert end.volatility == pytest.approx(0.05999, abs=1e-5)


def test_the_worked_examples_variance_and_improvement() -> None:
    end = after(PLAYER, PERIOD)
    unseen = (PLAYER.deviation / SCALE) ** 2 + end.volatility**2
    squared = (end.deviation / SCALE) ** 2
    v = 1 / (1 / squared - 1 / unseen)
    delta = v * (end.rating - PLAYER.rating) / SCALE / squared
    assert v == pytest.approx(1.77898, abs=5e-6)
    assert delta == pytest.approx(-0.483933, abs=5e-7)


@pytest.mark.parametrize(("score", "rating"), [(1.0, 1662.311), (0.5, 1500.0), (0.0, 1337.689)])
def test_one_game_between_fresh_players(score: float, rating: float) -> None:
    end = after(Rating(), [Game(Rating(), score)])
    assert (end.rating, end.deviation) == pytest.approx((rating, 290.319), abs=5e-4)


def test_without_games_only_the_deviation_grows() -> None:
    end = after(Rating(1620, 50), [])
    assert end.deviation == pytest.approx(51.075, abs=5e-4)
    assert end == Rating(1620, end.deviation)


def test_the_sheets_probabilities_of_the_next_game_and_of_superiority() -> None:
    strong, weak = Rating(1700, 60), Rating(1550, 60)
    assert expectancy(strong, weak) == pytest.approx(0.697, abs=5e-4)
    assert superiority(strong, weak) == pytest.approx(0.961, abs=5e-4)


def test_the_sheets_interval_of_the_next_game() -> None:
    assert next_game(Rating(1700, 60), Rating(1550, 60)) == pytest.approx((0.477, 0.861), abs=5e-4)


@given(RATINGS, RATINGS)
def test_the_interval_of_the_next_game_is_the_other_sides_turned_round(one: Rating, other: Rating) -> None:
    low, high = next_game(one, other)
    assert next_game(other, one) == pytest.approx((1 - high, 1 - low))
    assert low < 1 / (1 + 10 ** ((other.rating - one.rating) / 400)) < high


def test_a_period_updates_all_players_from_where_they_stood_before_it() -> None:
    start = (Rating(1500, 200), Rating(1400, 30), Rating(1550, 100), Rating(1700, 300))
    bouts = [Bout("a", 0, 1, 1.0), Bout("a", 2, 0, 1.0), Bout("b", 3, 0, 1.0)]
    end = rated(start, bouts)
    assert (end[0].rating, end[0].deviation) == pytest.approx((1464.051, 151.517), abs=5e-4)
    for place, score in ((1, 0.0), (2, 1.0), (3, 1.0)):
        assert end[place] == after(start[place], [Game(start[0], score)])
    assert rated(start, bouts[::-1]) == end


def test_who_does_not_play_in_a_period_grows_doubtful() -> None:
    assert rated([Rating(), Rating(), Rating(1500, 50)], [Bout("a", 0, 1, 0.5)])[2].deviation == pytest.approx(
        51.075, abs=5e-4
    )


def test_the_winner_is_superior_to_every_other_with_95_in_100() -> None:
    second = Rating(1550, 60)
    assert superiority(Rating(1700, 60), second) > 0.95 > superiority(Rating(1685, 60), second)
    assert leaders([second, Rating(1700, 60), Rating(1400, 60)]) == (1,)
    assert leaders([second, Rating(1685, 60), Rating(1400, 60)]) == (1, 0)
    assert leaders([second, Rating(1700, 60)], sure=0.97) == (1, 0)


def test_the_tied_need_not_be_next_in_rank_and_the_first_of_equals_leads() -> None:
    assert leaders([Rating(1700, 30), Rating(1600, 30), Rating(1500, 300)]) == (0, 2)
    assert leaders([Rating()] * 3) == (0, 1, 2)


@pytest.mark.parametrize("places", [(1, 1), (-1, 0)])
def test_a_game_needs_two_players(places: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match="two places"):
        Bout("a", *places, 1.0)


@given(RATINGS, RATINGS)
def test_the_probabilities_of_the_two_sides_sum_to_one(one: Rating, other: Rating) -> None:
    assert expectancy(one, other) + expectancy(other, one) == pytest.approx(1)
    assert superiority(one, other) + superiority(other, one) == pytest.approx(1)


@given(RATINGS, RATINGS)
def test_doubt_about_either_player_pulls_both_probabilities_towards_a_half(one: Rating, other: Rating) -> None:
    for chance in (expectancy, superiority):
        unsure = abs(chance(replace(one, deviation=one.deviation + 50), other) - 0.5)
        assert unsure <= abs(chance(one, other) - 0.5) + 1e-12


@given(RATINGS, GAMES, TAUS)
def test_a_period_of_wins_never_lowers_the_rating(start: Rating, games: list[Game], tau: float) -> None:
    assert after(start, [replace(game, score=1.0) for game in games], tau).rating >= start.rating


@given(RATINGS, GAMES, TAUS)
def test_a_win_instead_of_another_result_never_lowers_the_rating(start: Rating, games: list[Game], tau: float) -> None:
    won = [replace(games[0], score=1.0), *games[1:]]
    assert after(start, won, tau).rating >= after(start, games, tau).rating - 1e-3


@given(RATINGS, GAMES)
def test_more_games_never_raise_the_deviation_while_the_volatility_holds(start: Rating, games: list[Game]) -> None:
    still = 1e-3
    assert after(start, games, still).deviation <= after(start, games[1:], still).deviation + 1e-6


@given(RATINGS, GAMES, TAUS, st.randoms(use_true_random=False))
def test_the_order_of_games_in_a_period_does_not_matter(start: Rating, games: list[Game], tau: float, dice) -> None:
    assert after(start, dice.sample(games, len(games)), tau) == after(start, games, tau)


def test_surprising_results_raise_the_volatility_and_expected_ones_lower_it() -> None:
    weak = Rating(1200, 30)
    assert after(Rating(1800, 30), [Game(weak, 0.0)] * 10).volatility > 0.06
    assert after(Rating(1800, 30), [Game(weak, 1.0)] * 10).volatility < 0.06


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_ratings_as_far_apart_as_they_may_be_still_have_an_update(score: float) -> None:
    end = after(Rating(9000, 50), [Game(Rating(-6000, 50), score)])
    assert end.deviation > 0 and end.rating <= 9000 + 1e-6


@pytest.mark.parametrize("values", [(float("nan"), 350, 0.06), (2e4, 350, 0.06), (1500, 0, 0.06), (1500, 350, -0.1)])
def test_a_rating_that_means_nothing_is_refused(values: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidInput, match="must be"):
        Rating(*values)


def test_a_score_or_tau_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"score must be in \[0, 1\], got 2"):
        Game(Rating(), 2)
    with pytest.raises(InvalidInput, match=r"score must be in \[0, 1\], got -1"):
        Bout("a", 0, 1, -1)
    with pytest.raises(InvalidInput, match="tau must be > 0"):
        after(Rating(), [], 0.0)
