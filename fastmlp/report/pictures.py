"""The pictures of a report, each with a title, a sentence beneath, and words for who does not see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from fastmlp.report.drawing import Picture, extent
from fastmlp.report.effects import Curve, spread
from fastmlp.report.foretold import Labels, Numbers
from fastmlp.report.measures import Bin, Coverage, Measures
from fastmlp.report.words import number_of, percent

ROWS = 300  #: of points in a picture
LEVEL = 0.9  #: of the intervals that are drawn
CLASSES = 6  #: curves in a picture


class Figure(NamedTuple):
    """One picture."""

    title: str
    svg: str
    below: str


def of_rows(m: Measures, seen: Numbers | Labels) -> Iterator[Figure]:
    """What is seen of the rows kept back."""
    if isinstance(seen, Numbers):
        yield _observed(m, seen)
        yield _residuals(m, seen)
        yield _coverages(m)
    else:
        yield _calibration(m)


def _observed(m: Measures, seen: Numbers) -> Figure:
    """A point on the diagonal is right."""
    target, mean = spread(seen.target, ROWS), spread(seen.network, ROWS)
    low, high = (spread(end, ROWS) for end in seen.intervals[LEVEL])
    picture = Picture(extent(mean), extent(target, low, high))
    ends = extent(mean)
    picture.line(ends, ends, "rule")
    picture.bars(mean, low, high)
    picture.points(mean, target)
    name, r2 = m.target, number_of(m.network.r2)
    about = f"{name} as observed against what is predicted, {_some(m)}"
    return Figure(
        "Observed and predicted",
        picture.svg(f"{about}: R2 is {r2}", f"predicted {name}", f"observed {name}"),
        f"{_some(m).capitalize()}. On the line they would be right; bars are {percent(LEVEL)} intervals.",
    )


def _residuals(m: Measures, seen: Numbers) -> Figure:
    """What is left should look the same everywhere."""
    left, mean = spread(seen.target - seen.network, ROWS), spread(seen.network, ROWS)
    picture = Picture(extent(mean), extent(left))
    picture.line(extent(mean), (0, 0), "rule")
    picture.points(mean, left)
    return Figure(
        "Residuals",
        picture.svg(f"Residuals of {m.target} by what is predicted", f"predicted {m.target}", "observed - predicted"),
        "What is observed less what is predicted. A bow would be something that the network has missed.",
    )


def _coverages(m: Measures) -> Figure:
    told = ", ".join(f"{percent(each.level)}: {percent(each.share)}" for each in m.intervals)
    picture = _beside_diagonal([each.level for each in m.intervals], m.intervals)
    return Figure(
        "Do the error bars hold?",
        picture.svg(f"Share of rows that intervals hold, by their level: {told}", "level", "rows that they hold"),
        "Intervals of each level, and the share of rows that they hold; bars are what chance allows (95 %).",
    )


def _calibration(m: Measures) -> Figure:
    told = ", ".join(f"{percent(each.probability)}: {percent(each.share)}" for each in m.calibration)
    picture = _beside_diagonal([each.probability for each in m.calibration], m.calibration)
    return Figure(
        "Can its probabilities be trusted?",
        picture.svg(f"Share named right, by the probability that was given: {told}", "probability", "named right"),
        "Rows by the probability of the most probable class, and how many of them were named right; bars are what "
        "chance allows (95 %).",
    )


def _beside_diagonal(expected: list[float], found: Sequence[Coverage] | Sequence[Bin]) -> Picture:
    """Shares with their limits, beside what they should be."""
    picture = Picture((0, 1), (0, 1))
    picture.line((0, 1), (0, 1), "rule")
    picture.bars(expected, [each.low for each in found], [each.high for each in found], "error")
    for draw in (picture.line, picture.points):
        draw(expected, [each.share for each in found])
    return picture


def of_inputs(m: Measures, curves: list[Curve]) -> tuple[list[Figure], list[str]]:
    """What is predicted along the most important inputs, and which classes are drawn, those that move most."""
    shown = [0]
    if m.classes is not None and curves:
        moved = np.sum([np.ptp(curve.mean, axis=0) for curve in curves], axis=0)
        shown = sorted(np.argsort(-moved, kind="stable")[:CLASSES].tolist())
    drawn = [_of_levels if curve.seen is None else _along for curve in curves]
    figures = [draw(m, curve, shown) for draw, curve in zip(drawn, curves, strict=True)]
    return figures, [m.classes[k] for k in shown] if m.classes is not None else []


def _along(m: Measures, curve: Curve, shown: list[int]) -> Figure:
    """Curves along a number."""
    x = np.asarray(curve.places, float)
    picture = Picture(extent(x), _values(m, curve))
    if curve.band is not None:
        picture.band(x, *curve.band)
    for values in curve.single:
        picture.line(x, values, "single")
    for place, k in enumerate(shown):
        picture.line(x, curve.mean[:, k], _style("curve", m, place))
    picture.rug(curve.seen if curve.seen is not None else x)
    return Figure(curve.name, picture.svg(_about(m, curve), curve.name, _predicted(m)), "")


def _of_levels(m: Measures, curve: Curve, shown: list[int]) -> Figure:
    """A row for each level."""
    y = np.arange(len(curve.places), dtype=float)
    picture = Picture(_values(m, curve), levels=[str(level) for level in curve.places])
    if curve.band is not None:
        picture.spans(*curve.band, y)
    for values in curve.single:
        picture.points(values, y + 0.2, "dot single")
    for place, k in enumerate(shown):
        offset = (place - (len(shown) - 1) / 2) * 0.12  # so that none hides another
        picture.points(curve.mean[:, k], y + offset, _style("dot", m, place))
    return Figure(curve.name, picture.svg(_about(m, curve), _predicted(m), ""), "")


def _values(m: Measures, curve: Curve) -> tuple[float, float]:
    if m.classes:
        return 0.0, 1.0
    return extent(curve.mean, curve.single, *(curve.band or ()))


def _style(mark: str, m: Measures, place: int) -> str:
    return f"{mark} c{place}" if m.classes else mark


def _predicted(m: Measures) -> str:
    return "probability" if m.classes else m.target


def _about(m: Measures, curve: Curve) -> str:
    least, most = (number_of(end) for end in extent(curve.mean))
    return f"{_predicted(m)} along {curve.name}, from {least} to {most}"


def _some(m: Measures) -> str:
    n = len(range(0, m.n_held, -(-m.n_held // ROWS)))
    return f"all {n} rows kept back" if n == m.n_held else f"{n} of {m.n_held} rows kept back"
