from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.core.budget import Budget, Spend, free, parse_budget
from sharpen.core.errors import InvalidInput

COUNTS = st.integers(0, 2**50)
SPENDS = st.builds(Spend, COUNTS, COUNTS, COUNTS, COUNTS.map(float), COUNTS, COUNTS, COUNTS, COUNTS, COUNTS.map(float))


@given(SPENDS, SPENDS, SPENDS)
def test_spends_add_in_any_order_and_grouping(a: Spend, b: Spend, c: Spend) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Spend() == a
    assert (a + b) - b == a


def test_a_sum_adds_every_count_for_itself() -> None:
    total = Spend(1, 2, 3, 4.0, 5, 6, 7, 8, 9.0) + Spend(10, 20, 30, 40.0, 50, 60, 70, 80, 90.0)
    assert astuple(total) == (11, 22, 33, 44.0, 55, 66, 77, 88, 99.0)
    assert total.tokens == 66


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("3e13flops", 3e13, "flops"),
        ("2e6tok", 2e6, "tokens"),
        ("500 tokens", 500, "tokens"),
        ("10min", 600, "seconds"),
        ("1.5h", 5400, "seconds"),
        (" 90S ", 90, "seconds"),
        ("1E+3Tok", 1000, "tokens"),
        ("5e-1s", 0.5, "seconds"),
    ],
)
def test_a_budget_is_read_in_its_currency(text: str, amount: float, currency: str) -> None:
    assert parse_budget(text) == Budget(amount, currency)  # type: ignore[arg-type] # one of the three


@pytest.mark.parametrize(
    "text", ["", "10", "flops", "10 parsecs", "-3tok", "0s", "1.2.3tok", ".tok", "1e400flops", "nantok"]
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_budget(text)


@given(st.floats(1, 1e30), st.sampled_from(["flops", "tokens", "seconds"]))
def test_a_printed_budget_reads_back_to_six_digits(amount: float, currency: str) -> None:
    again = parse_budget(str(Budget(amount, currency)))  # type: ignore[arg-type] # one of the three
    assert again.currency == currency
    assert again.amount == pytest.approx(amount, rel=1e-5)


def test_each_currency_counts_its_own() -> None:
    work = Spend(read=5, sampled=3, learned=2, flops=1e9, seconds=100)
    assert Budget(1, "flops").used(work, 7.0) == 1e9
    assert Budget(1, "tokens").used(work, 7.0) == 10.0
    assert Budget(1, "seconds").used(work, 7.0) == 7.0


def test_free_bills_nobody() -> None:
    free(Spend(read=1), Spend())
