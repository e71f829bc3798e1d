"""A plot's frame in SVG: axes with round ticks, a scale from data to pixels, and the few shapes the figures use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

from sharpen.view.numbers import powers, round_steps, typeset

COLOURS = 8
"""So many colours the page defines as --line-0, --line-1, ...; beyond them lines are dashed."""
CHARACTER = 0.56
"""Mean width of a character of the figures' font, in its size."""


def element(name: str, text: str = "", /, **attributes: str | float) -> str:
    """One SVG element; `class_` stands for class, underscores for dashes; all is escaped but nested elements are not:
    `text` is already markup."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(f"{value:.2f}" if isinstance(value, float) else str(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{text}</{name}>" if text else f"<{name}{written}/>"


def words(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    """A line of text at its baseline."""
    return element("text", escape(text), x=x, y=y, class_=kind, text_anchor=anchor)


def power(value: float) -> str:
    """A large number as markup inside a text: 3 × 10 to the 12."""
    mantissa, exponent = typeset(value)
    if not exponent:
        return escape(mantissa)
    mantissa = mantissa.removesuffix(".0")
    raised = f'<tspan dy="-0.45em" font-size="75%">{exponent}</tspan>'
    return f"10{raised}" if mantissa == "1" else f"{mantissa} × 10{raised}"


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a plot: where it begins and ends, its ticks, and how they read (markup)."""

    title: str
    ticks: tuple[float, ...]
    read: Callable[[float], str]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies between the axis's ends, 0 to 1."""
        low, high, at = self.ticks[0], self.ticks[-1], value
        if self.logarithmic:
            low, high, at = log10(low), log10(high), log10(max(value, low))
        return (at - low) / (high - low)


def counts_axis(title: str, values: Sequence[float], most: int) -> Axis:
    """From zero to the largest of large counts."""
    return Axis(title, round_steps(0.0, max(values, default=0.0) or 1.0, most), power)


def powers_axis(title: str, values: Sequence[float]) -> Axis:
    """Powers of ten around positive counts."""
    ticks = powers(min(values), max(values))
    return Axis(title, ticks if len(ticks) > 1 else (ticks[0], ticks[0] * 10), power, logarithmic=True)


def scores_axis(title: str, values: Sequence[float], most: int = 6) -> Axis:
    """Round scores around the data."""
    low, high = min(values), max(values)
    room = max(high - low, 0.02) * 0.06
    ticks = round_steps(
        max(0.0, low - room) if low >= 0 else low - room, min(1.0, high + room) if high <= 1 else high, most
    )
    return Axis(title, ticks, lambda value: f"{value:.3g}".replace("-", "−"))


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot of so many pixels with its margins and axes."""

    width: int
    height: int
    x: Axis
    y: Axis
    right: float = 16.0
    left: float = 56.0
    top: float = 28.0
    bottom: float = 50.0

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point."""
        return self.across(x), self.up(y)

    def across(self, x: float) -> float:
        """The pixel of an x."""
        return self.left + self.x.place(x) * (self.width - self.left - self.right)

    def up(self, y: float) -> float:
        """The pixel of a y."""
        return self.height - self.bottom - self.y.place(y) * (self.height - self.top - self.bottom)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """Straight lines through points, as a path's data."""
        return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))

    def axes(self) -> list[str]:
        """Grid, ticks and titles; the title of y stands above it, where it can be read."""
        right, base = self.width - self.right, self.height - self.bottom
        drawn = []
        for value in self.y.ticks:
            y = self.up(value)
            drawn.append(element("line", x1=self.left, x2=right, y1=y, y2=y, class_="grid"))
            drawn.append(
                element("text", self.y.read(value), x=self.left - 8, y=y + 4, class_="tick", text_anchor="end")
            )
        for place, value in enumerate(self.x.ticks):
            x = self.across(value)
            anchor = "end" if place == len(self.x.ticks) - 1 and self.right < 30 else "middle"
            drawn.append(element("line", x1=x, x2=x, y1=base, y2=base + 5, class_="axis"))
            drawn.append(element("text", self.x.read(value), x=x, y=base + 20, class_="tick", text_anchor=anchor))
        drawn.append(element("line", x1=self.left, x2=right, y1=base, y2=base, class_="axis"))
        drawn.append(words(2.0, 14.0, self.y.title, "title"))
        drawn.append(words(right, self.height - 8.0, self.x.title, "title", "end"))
        return drawn

    def picture(self, shapes: Sequence[str], about: str, kind: str) -> str:
        """The whole figure as one element, told in words for those who cannot see it."""
        inside = element("title", escape(about)) + "".join(shapes)
        return element(
            "svg",
            inside,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {self.width} {self.height}",
            role="img",
            class_=f"chart {kind}",
        )


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near those wanted, at least `gap` apart, between low and high where there is room: for labels of lines."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    placed: list[float] = []
    for i in order:
        placed.append(max(wanted[i], placed[-1] + gap if placed else low))
    ceiling = high
    for rank in range(len(placed) - 1, -1, -1):
        placed[rank] = min(placed[rank], ceiling)
        ceiling = placed[rank] - gap
    found = [0.0] * len(wanted)
    for rank, i in enumerate(order):
        found[i] = placed[rank]
    return found


def ink(place: int) -> str:
    """The class of a method's marks: colours repeat, then dashed."""
    return f"line-{place % COLOURS}" + (" dashed" if place >= COLOURS else "")
