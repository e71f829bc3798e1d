"""Numbers as a reader wants them: floating-point operations, shares, scores, spans of time, in few characters."""

from math import floor, log10


def scientific(value: float, digits: int = 2) -> str:
    """A large count as budgets are written: 2.9e12; whole numbers below ten thousand as they are."""
    if value == 0 or (abs(value) < 1e4 and value == round(value)):
        return f"{value:.0f}"
    if abs(value) < 1e4:
        return f"{value:.{digits}g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def typeset(value: float) -> tuple[str, str]:
    """The same as mantissa and exponent for print: ("2.9", "12"); the exponent is empty where there is none."""
    mantissa, _, exponent = scientific(value).partition("e")
    return mantissa, exponent


def count(value: float) -> str:
    """How many of something, a mean over runs perhaps: 12, 512, 7.2k, 1.3M."""
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e6 if unit == "M" else 1e3
            return f"{value / scale:.3g}{unit}"
    return f"{value:,.0f}"


def score(value: float | None) -> str:
    """A score or share, three decimals; a dash where there is none."""
    return "—" if value is None else f"{value:.3f}"


def signed(value: float) -> str:
    """A difference, with its sign; the minus is a real one."""
    return f"{value:+.3f}".replace("-", "−")


def chance(value: float | None) -> str:
    """A p-value: .032, <.001; a dash where there is none."""
    if value is None:
        return "—"
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0") if value < 0.9995 else "1"


def share(value: float) -> str:
    """A share in hundredths: 4 %."""
    return f"{value:.0%}".replace("%", " %")


def span(seconds: float | None) -> str:
    """A span of time: 8 s, 2:05 min, 1:07 h; a dash where it is unknown."""
    if seconds is None:
        return "—"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{round(seconds) // 60}:{round(seconds) % 60:02d} min"
    return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f} h"


def abridged(commit: str) -> str:
    """A commit in twelve characters, still "-dirty" where it is; empty where there is none."""
    name, sign, dirty = commit.partition("-")
    return f"{name[:12]}{sign}{dirty}"


def spelled(number: int) -> str:
    """A small number as a word."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[number] if number < len(words) else str(number)


def plural(number: int, noun: str) -> str:
    """One run, five runs."""
    return f"{spelled(number)} {noun if number == 1 else noun + 's'}"


def round_steps(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round numbers that cover [low, high] in at most `most` steps of 1, 2 or 5 times a power of ten."""
    width = (high - low) / most or 1.0
    power = 10.0 ** floor(log10(width))
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= width * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    return tuple(round(place * step, 12) if step < 1 else place * step for place in range(first, last + 1))


def powers(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten that cover [low, high], both > 0."""
    return tuple(10.0**place for place in range(floor(log10(low)), -floor(-log10(high)) + 1))
