"""Numbers as they are shown."""

from hypothesis import given
from hypothesis import strategies as st

from sharpen.view.numbers import chance, count, powers, round_steps, scientific, share, signed, span, typeset


def test_large_counts_are_written_as_budgets_are() -> None:
    assert [scientific(n) for n in (0, 512, 2.9123e12, 1e7, 0.5)] == ["0", "512", "2.9e12", "1.0e7", "0.5"]


def test_a_mantissa_and_its_exponent_come_apart() -> None:
    assert typeset(2.9e12) == ("2.9", "12")
    assert typeset(12) == ("12", "")


def test_counts_are_short() -> None:
    assert [count(n) for n in (12, 6144, 12345, 1.3e6)] == ["12", "6,144", "12.3k", "1.3M"]


def test_a_difference_has_its_sign() -> None:
    assert (signed(0.25), signed(-0.25)) == ("+0.250", "−0.250")


def test_a_tiny_chance_is_not_zero() -> None:
    assert [chance(p) for p in (0.00001, 0.032, 1.0, None)] == ["<.001", ".032", "1", "—"]


def test_spans_of_time_change_their_unit() -> None:
    assert [span(s) for s in (0.14, 41.2, 125, 4020, None)] == ["0.1 s", "41 s", "2:05 min", "1:07 h", "—"]


def test_a_share_is_in_hundredths() -> None:
    assert share(0.043) == "4 %"


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e13), st.integers(2, 8))
def test_round_steps_cover_the_data_in_few_even_steps(low: float, width: float, most: int) -> None:
    ticks = round_steps(low, low + width, most)
    slack = (ticks[1] - ticks[0]) * 1e-6
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + width - slack
    assert 2 <= len(ticks) <= most + 2


@given(st.floats(1e-3, 1e18), st.floats(1.0, 1e6))
def test_powers_of_ten_cover_the_data(low: float, factor: float) -> None:
    ticks = powers(low, low * factor)
    assert ticks[0] <= low * (1 + 1e-9)
    assert ticks[-1] >= low * factor * (1 - 1e-9)
