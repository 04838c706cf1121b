"""Pictures of points and lines."""

import re

import numpy as np
import pytest

from fastmlp.report.drawing import HEIGHT, WIDTH, Picture, extent, ticks


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-3.2, 4.1, ["-2", "0", "2", "4"]),
        (0.0101, 0.0119, ["0.0105", "0.0110", "0.0115"]),
        (0, 2.5e7, ["0", "5e+06", "1e+07", "1.5e+07", "2e+07", "2.5e+07"]),
        (1e-9, 3e-9, ["1e-09", "1.5e-09", "2e-09", "2.5e-09", "3e-09"]),
    ],
)
def test_ticks_are_round_numbers(low, high, written):
    assert [name for _, name in ticks(low, high)] == written


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1e-8, 1e8), (3, 3.0001), (1e-300, 1e-299), (-5e299, 5e299)])
def test_ticks_are_within_and_few(low, high):
    found = [value for value, _ in ticks(low, high)]
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 * (high - low) <= value <= high + 1e-9 * (high - low) for value in found)


def test_marks_lie_within_the_picture_and_in_order():
    x = np.linspace(1e3, 2e3, 50)
    picture = Picture(extent(x), extent(np.sin(x)))
    picture.points(x, np.sin(x))
    svg = picture.svg("a sine", "x", "y")
    across = [float(found) for found in re.findall(r'cx="([\d.]+)"', svg)]
    up = [float(found) for found in re.findall(r'cy="([\d.]+)"', svg)]
    assert across == sorted(across)
    assert 0 < across[0] < across[-1] < WIDTH
    assert 0 < min(up) < max(up) < HEIGHT
    assert np.argmin(up) == np.argmax(np.sin(x))


def test_values_that_do_not_vary_have_room():
    for value in (0.0, 5.0, -1e-30, 1e300):
        picture = Picture(extent(np.array([value])), extent(np.array([value])))
        picture.points([value], [value])
        assert "nan" not in picture.svg("a point", "x", "y")
        assert "inf" not in picture.svg("a point", "x", "y")


def test_levels_go_from_the_top_down():
    picture = Picture((0, 1), levels=["first", "second <&>"])
    picture.points([0.5, 0.5], [0, 1])
    picture.spans([0.1, 0.2], [0.9, 0.8], [0, 1])
    svg = picture.svg("levels", "value", "")
    first, second = (float(found) for found in re.findall(r'cy="([\d.]+)"', svg))
    assert first < second
    assert "second &lt;&amp;&gt;" in svg
