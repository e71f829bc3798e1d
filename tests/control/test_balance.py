import pytest

from sharpen.control.balance import balance, diversity, pass_at_k_s, reward_at_k_s
from sharpen.core.records import Judged
from tests.spoken import mark


def chosen(problem: str, n: int, right: int) -> list[Judged]:
    return [mark(problem, f"r{i}", 1.0) for i in range(right)] + [mark(problem, f"w{i}", 0.5) for i in range(n - right)]


@pytest.mark.parametrize(("n", "right", "score"), [(2, 2, 0.3333), (64, 16, 0.25), (8, 6, 0.75), (6, 6, 1.0)])
def test_the_sheets_vectors_of_the_balance_score(n: int, right: int, score: float) -> None:
    assert balance(chosen("p", n, right), queries=1, enough=6) == pytest.approx(score, abs=1e-4)


def test_a_query_without_a_selected_attempt_scores_nothing() -> None:
    assert balance(chosen("p", 6, 6), queries=2, enough=6) == pytest.approx(0.5)
    assert balance([], queries=3, enough=6) == 0.0


def test_the_same_right_words_twice_count_once() -> None:
    assert balance([mark("p", "a", 1.0), mark("p", "a", 1.0)], queries=1, enough=1) == pytest.approx(0.5)
    assert balance([mark("p", "a b", 1.0), mark("p", "a  b", 1.0)], queries=1, enough=1) == pytest.approx(0.5)


def test_pass_at_k_s_asks_for_s_right_attempts_unlike_each_other() -> None:
    marks = [*chosen("p", 4, 2), *chosen("q", 4, 1), *chosen("r", 4, 0)]
    assert pass_at_k_s(marks, 1) == pytest.approx(2 / 3)
    assert pass_at_k_s(marks, 2) == pytest.approx(1 / 3)


def test_reward_at_k_s_looks_at_the_top_of_the_ranking() -> None:
    misled = [mark("p", "w", 2.0, right=False), mark("p", "r", 1.0)]
    assert reward_at_k_s([*misled, *chosen("q", 3, 1)], 1) == pytest.approx(0.5)
    assert reward_at_k_s(chosen("q", 3, 1), 2) == 0.0


def test_diversity_is_the_share_of_distinct_lines_among_right_attempts() -> None:
    marks = [mark("p", "1+1=2\nAnswer: 2", 1.0), mark("p", "1+1=2\nAnswer: 2", 1.0), mark("p", "no", 0.0)]
    assert diversity(marks) == pytest.approx(0.5)
    assert diversity([mark("p", "no", 0.0)]) == 0.0
