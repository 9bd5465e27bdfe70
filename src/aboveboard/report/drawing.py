"""Plain SVG, for the pictures of every small run: matplotlib takes longer to import than the run.

Lengths are in points, from the upper left corner. The same calls give the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import floor, log10

from aboveboard.formatting import format_number, format_rounded

WIDTH = 352.8
"""Width of every drawing: narrow, so that a phone shows it almost unscaled."""

INK = "#000000"


class Drawing:
    """Shapes and texts on an empty sheet of the common width.

    Parameters
    ----------
    height
        In points.

    Examples
    --------
    >>> drawing = Drawing(20)
    >>> drawing.add_text(5, 12, "a & b")
    >>> drawing.finish("Two letters", "a and b").count("<text")
    1
    """

    def __init__(self, height: float) -> None:
        self.height = height
        self._parts: list[str] = []

    def add_line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        color: str = INK,
        width: float = 0.8,
    ) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=color, stroke_width=width)

    def add_bar(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """Draw a filled rectangle from its upper left corner."""
        self._add("rect", x=x, y=y, width=width, height=height, fill=color)

    def add_dot(self, x: float, y: float, radius: float, color: str) -> None:
        """Draw a filled circle."""
        self._add("circle", cx=x, cy=y, r=radius, fill=color)

    def add_ring(self, x: float, y: float, radius: float, color: str) -> None:
        """Draw an empty circle."""
        self._add("circle", cx=x, cy=y, r=radius, fill="none", stroke=color, stroke_width=1.8)

    def add_diamond(self, x: float, y: float, radius: float, color: str) -> None:
        """Draw a filled square that stands on a corner."""
        corners = ((x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y))
        points = " ".join(f"{_shorten(a)},{_shorten(b)}" for a, b in corners)
        self._add("polygon", points=points, fill=color)

    def add_cross(self, x: float, y: float, radius: float, color: str) -> None:
        """Draw two lines that cross."""
        for side in (-radius, radius):
            self.add_line((x - radius, y - side), (x + radius, y + side), color, 1.8)

    def add_text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 10,
        anchor: str = "start",
        upright: bool = False,
    ) -> None:
        """Write a text on the line y; `anchor` says whether it starts, ends or is centred at x.

        An upright text is read from below: it stands on the line x and starts at y.
        """
        place = f'x="{_shorten(x)}" y="{_shorten(y)}"'
        turned = f' transform="rotate(-90 {_shorten(x)} {_shorten(y)})"' if upright else ""
        look = f'font-size="{_shorten(size)}" text-anchor="{anchor}"{turned}'
        self._parts.append(f"<text {place} {look}>{escape(text)}</text>")

    def finish(self, title: str, description: str) -> str:
        """Return the `<svg>` element, with a title and the numbers in words."""
        width, height = _shorten(WIDTH), _shorten(self.height)
        size = f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}"'
        font = "font-family=\"'DejaVu Sans', Verdana, sans-serif\""
        lines = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img">'
            f"<title>{escape(title)}</title><desc>{escape(description)}</desc>\n{lines}\n</svg>"
        )

    def _add(self, shape: str, **attributes: str | float) -> None:
        written = (
            f'{name.replace("_", "-")}="{value if isinstance(value, str) else _shorten(value)}"'
            for name, value in attributes.items()
        )
        self._parts.append(f"<{shape} {' '.join(written)}/>")


def _shorten(x: float) -> str:
    """Return a length to a hundredth of a point."""
    short = round(x, 2)
    return str(int(short) if float(short).is_integer() else short)


MOST_STEPS = 5
"""Between the ticks of an axis."""


def find_ticks(low: float, high: float, *, whole: bool) -> list[float]:
    """Return a few round numbers between two bounds, in equal steps.

    Parameters
    ----------
    low, high
        The bounds, finite, `low <= high`.
    whole
        Whether only whole numbers are to be marked.

    Examples
    --------
    >>> find_ticks(-2, 0, whole=True), find_ticks(0, 0.7, whole=False)
    ([-2.0, -1.0, 0.0], [0.0, 0.2, 0.4, 0.6])
    >>> find_ticks(3, 3, whole=True)
    [3.0]
    """
    span = high / MOST_STEPS - low / MOST_STEPS
    if not span > 1e-12 * max(abs(low), abs(high)):
        return [float(low)]
    power = floor(log10(span))
    for exponent, factor in ((e, f) for e in (power - 1, power, power + 1) for f in (1, 2, 2.5, 5)):
        step = factor * 10.0**exponent
        if step < span * (1 - 1e-9) or (whole and not step.is_integer()):
            continue
        first, last = -floor(-low / step + 1e-9), floor(high / step + 1e-9)
        return [_clean(k, factor, exponent) for k in range(int(first), int(last) + 1)] or [
            float(low)
        ]
    return [float(low)]


def _clean(count: int, factor: float, exponent: int) -> float:
    """Return count * factor * 10^exponent without the error of a power below 1."""
    whole = count * factor
    return whole / 10.0**-exponent if exponent < 0 else whole * 10.0**exponent


LARGEST_WRITTEN = 1e15
"""Whole numbers smaller than that are written out."""

TICK_DIGITS = (6, 9, 12, 15)
"""Of other numbers below the axis: as few of them as tell the ticks apart."""


def label_ticks(ticks: Sequence[float]) -> list[str]:
    """Return the numbers below an axis, with so many digits that no two are the same.

    Examples
    --------
    >>> label_ticks([0.0, 5e6]), label_ticks([1234567.25, 1234567.5])
    (['0', '5,000,000'], ['1234567.25', '1234567.5'])
    """
    labels: list[str] = []
    for digits in TICK_DIGITS:
        labels = [
            format_number(int(x))
            if x.is_integer() and abs(x) < LARGEST_WRITTEN
            else format_rounded(x, digits)
            for x in ticks
        ]
        if len(set(labels)) == len(labels):
            break
    return labels


def spread(values: Sequence[float], left: float, right: float) -> tuple[float, float]:
    """Return slope and offset of an axis: a value v stands at slope * v + offset.

    The extremes stand at `left` and `right`; a single value stands between them.

    Examples
    --------
    >>> spread([0, 10], 100, 200), spread([5], 100, 200)
    ((10.0, 100.0), (0.0, 150.0))
    """
    low, high = min(values), max(values)
    span = high - low
    if not span > 1e-12 * max(abs(low), abs(high)):
        return 0.0, (left + right) / 2
    slope = (right - left) / span
    return slope, left - slope * low
