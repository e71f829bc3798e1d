from collections import Counter
from itertools import combinations

import pytest

from sharpen.judge.duel import Rating
from sharpen.judge.pairing import everyone, matchings, promise, telling


def met(rounds: list[tuple[tuple[int, int], ...]]) -> Counter[frozenset[int]]:
    return Counter(frozenset(pair) for pairs in rounds for pair in pairs)


@pytest.mark.parametrize("players", range(2, 10))
def test_a_round_robin_holds_every_pair_once_and_nobody_twice_in_a_round(players: int) -> None:
    rounds = matchings(players)
    assert met(rounds) == Counter(map(frozenset, combinations(range(players), 2)))
    assert len(rounds) == players - 1 + players % 2
    for pairs in rounds:
        assert len({player for pair in pairs for player in pair}) == 2 * len(pairs) == players - players % 2


def test_everyone_meets_everyone_of_six_in_fifteen_games() -> None:
    assert len(everyone(6)) == len(set(everyone(6))) == 15


def test_the_promise_of_a_game_by_hand() -> None:
    assert promise(Rating(), Rating()) == pytest.approx(0.25 * 2 * (350 / 173.7178) ** 2)
    assert promise(Rating(1700, 60), Rating(1550, 60)) == pytest.approx(0.6970 * 0.3030 * 2 * 0.119293, abs=1e-4)


def test_the_most_telling_games_are_between_the_doubtful_and_the_close() -> None:
    sure, unsure, far = Rating(1500, 40), Rating(1500, 150), Rating(2400, 60)
    assert telling([sure, unsure, sure, unsure, far], 1) == [((1, 3), (0, 1))]


def test_games_fall_to_pairs_in_proportion_to_what_they_promise() -> None:
    table = [Rating(1500, 200), Rating(1500, 100), Rating(1500, 100)]
    games = met(telling(table, 600))
    worth = {frozenset(pair): promise(table[pair[0]], table[pair[1]]) for pair in everyone(3)}
    for pair, promised in worth.items():
        assert games[pair] / 600 == pytest.approx(promised / sum(worth.values()), abs=0.01)


def test_players_of_equal_doubt_meet_equally_often() -> None:
    games = met(telling([Rating()] * 6, 10))
    assert sum(games.values()) == 30 and set(games.values()) == {2}


def test_no_pair_meets_twice_over_one_context() -> None:
    for pairs in telling([Rating(1500, 350), Rating(1500, 350), *[Rating(1500, 30)] * 4], 20):
        assert len(set(pairs)) == 3
