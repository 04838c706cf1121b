"""Small pictures as SVG: points, lines and bands between two axes.

Colours and letters are the page's style sheet's, by the classes of the marks, so that a picture follows the reader's
scheme of colours. Coordinates are rounded to a tenth: the same numbers give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from fastmlp._tables import one_line, shortened
from fastmlp._types import Float

WIDTH, HEIGHT = 360, 270  #: in the units in which letters are 12 high
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 42  #: margins
ROOM = 0.04  #: of the range, on both sides
TICKS = 5
NAME = 34  #: letters of an axis' name
LEVEL = 14  #: letters of a level
LEFT_OF_LEVELS = 110


class Picture:
    """Marks between two axes, of which the upright one may have levels, from the top down, at 0, 1, ..."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float] = (0, 1), levels: Sequence[str] | None = None
    ) -> None:
        self._levels = levels
        self._left = LEFT if levels is None else LEFT_OF_LEVELS
        self._x = _with_room(*x)
        self._y = _with_room(*y) if levels is None else (len(levels) - 0.5, -0.5)
        self._marks: list[str] = []

    def points(self, x: Iterable[float], y: Iterable[float], style: str = "dot") -> None:
        """A circle at each."""
        for a, b in self._at(x, y):
            self._marks.append(f'<circle class="{style}" cx="{a}" cy="{b}" r="2.2"/>')

    def bars(self, x: Iterable[float], low: Iterable[float], high: Iterable[float], style: str = "bar") -> None:
        """Upright lines, all in one path."""
        ends = zip(self._at(x, low), self._at(x, high), strict=True)
        self._marks.append(f'<path class="{style}" d="{"".join(f"M{a} {b}V{c}" for (a, b), (_, c) in ends)}"/>')

    def spans(self, low: Iterable[float], high: Iterable[float], y: Iterable[float], style: str = "error") -> None:
        """Lines across, all in one path."""
        y = list(y)
        ends = zip(self._at(low, y), self._at(high, y), strict=True)
        self._marks.append(f'<path class="{style}" d="{"".join(f"M{a} {b}H{c}" for (a, b), (c, _) in ends)}"/>')

    def line(self, x: Iterable[float], y: Iterable[float], style: str = "curve") -> None:
        """Through these points."""
        self._marks.append(f'<path class="{style}" d="M{"L".join(f"{a} {b}" for a, b in self._at(x, y))}"/>')

    def band(self, x: Sequence[float] | Float, low: Iterable[float], high: Iterable[float]) -> None:
        """What lies between two curves."""
        there, back = self._at(x, low), reversed(list(self._at(x, high)))
        corners = "L".join(f"{a} {b}" for a, b in (*there, *back))
        self._marks.append(f'<path class="band" d="M{corners}Z"/>')

    def rug(self, x: Iterable[float]) -> None:
        """Where on the axis something was seen."""
        foot = HEIGHT - BOTTOM
        self._marks += [f'<path class="rug" d="M{_r(self._across(each))} {foot}v-6"/>' for each in x]

    def svg(self, description: str, x_name: str, y_name: str) -> str:
        """The whole."""
        parts = [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(one_line(description))}">',
            *self._grid(), *self._marks,
            f'<text class="name" x="{(self._left + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 6}" text-anchor="middle">'
            f"{_shown(x_name, NAME)}</text>",
            f'<text class="name" transform="translate(12 {(TOP + HEIGHT - BOTTOM) / 2:.1f}) rotate(-90)" '
            f'text-anchor="middle">{_shown(y_name, NAME)}</text>',
            "</svg>",
        ]  # fmt: skip
        return "\n".join(parts)

    def _grid(self) -> Iterable[str]:
        foot, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        levels = self._levels
        for value, name in ticks(*self._y) if levels is None else enumerate(levels):
            at = _r(self._up(value))
            yield f'<path class="grid" d="M{self._left} {at}H{right}"/>'
            name = _shown(name, LEVEL)
            yield f'<text class="tick" x="{self._left - 6}" y="{at}" dy="4" text-anchor="end">{name}</text>'
        for value, name in ticks(*self._x):
            at = _r(self._across(value))
            yield f'<text class="tick" x="{at}" y="{foot + 16}" text-anchor="middle">{name}</text>'
        yield f'<path class="axis" d="M{self._left} {foot}H{right}"/>'

    def _at(self, x: Iterable[float], y: Iterable[float]) -> list[tuple[str, str]]:
        return [(_r(self._across(a)), _r(self._up(b))) for a, b in zip(x, y, strict=True)]

    def _across(self, value: float) -> float:
        low, high = self._x
        return self._left + (float(value) - low) / (high - low) * (WIDTH - self._left - RIGHT)

    def _up(self, value: float) -> float:
        low, high = self._y
        return HEIGHT - BOTTOM - (float(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def extent(*arrays: Any) -> tuple[float, float]:
    """The least and the largest of all."""
    return min(float(each.min()) for each in arrays), max(float(each.max()) for each in arrays)


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers between two, about five, and how they are written."""
    size = (high - low) / TICKS
    unit = 10.0 ** math.floor(math.log10(size))
    step = unit * next((factor for factor in (1, 2, 5) if factor * unit >= size), 10)
    first, last = math.ceil(low / step), math.floor(high / step)
    largest = max(abs(low), abs(high))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = 1e-4 <= largest < 1e5 and decimals <= 5
    return [(k * step, f"{k * step:.{decimals}f}" if plain else f"{k * step:.6g}") for k in range(first, last + 1)]


def _with_room(low: float, high: float) -> tuple[float, float]:
    room = ROOM * (high - low) or abs(low) * ROOM or 1.0
    return low - room, high + room


def _shown(words: str, width: int) -> str:
    return escape(shortened(one_line(words), width))


def _r(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
