"""What is said of measures."""

import dataclasses

import numpy as np
import pytest

import report_cases
from fastmlp import report
from fastmlp.report import words
from fastmlp.report.effects import Effect
from fastmlp.report.measures import Coverage, Recognition, Score


def of_numbers(**changes):
    m = report.measured(*report_cases.of_numbers())
    return dataclasses.replace(m, **changes)


def of_classes(**changes):
    return dataclasses.replace(report.measured(*report_cases.of_classes()), **changes)


def covered(share, low, high):
    return (Coverage(0.9, share, low, high, 1.0),)


GOOD = {
    "network": Score(0.1, 0.98),
    "line": Score(1.0, 0.65),
    "over_line": 9.0,
    "over_base": 9.0,
    "line_over_base": 9.0,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (GOOD,
         "Explains 98 % of the variance of pr<i>ce on 40 rows that it has not seen; a straight line explains 65 %."),
        (GOOD | {"line": Score(9.0, -0.1)}, "a straight line explains nothing."),
        (GOOD | {"over_line": 1.5}, "hardly different from a straight line, which explains 65 %."),
        (GOOD | {"over_line": -3.0, "network": Score(2.0, 0.5)},
         "A straight line does better: on 40 rows that it has not seen, it errs by 1.00 (explains 65 %), the network "
         "by 2.00 (explains 50 %). Use the line."),
        ({"over_base": 1.0, "over_line": -3.0, "line_over_base": 0.0, "network": Score(1.2, -0.1),
          "base": Score(1.1, 0.0)},
         "Nothing found that foretells pr<i>ce: on 40 rows that it has not seen, the network errs by 1.20, the mean of "
         "the training rows by 1.10."),
        ({"over_base": 1.5, "over_line": 0.0, "line_over_base": 1.5, "network": Score(0.25, 0.86),
          "base": Score(0.7, 0.0)},
         "Too few rows to be sure that it foretells pr<i>ce: on 40 rows"),
        (GOOD | {"intervals": covered(0.6, 0.4, 0.75)},
         "Its 90 % intervals hold only 60 % of these rows: they are too narrow."),
        (GOOD | {"intervals": covered(1.0, 0.95, 1.0)}, "hold 100 % of these rows: they are wider than need be."),
        (GOOD | {"intervals": covered(0.88, 0.87, 0.89)}, "Its 90 % intervals hold 88 % of these rows."),
        (GOOD | {"n_held": 7}, "7 rows cannot tell much."),
    ],
)  # fmt: skip
def test_the_verdict_on_numbers(changes, said):
    assert said in words.verdict(of_numbers(**changes))


RIGHT = {
    "network": Recognition(0.95, 0.9, 0.2), "line": Recognition(0.8, 0.7, 0.5), "base": Recognition(0.5, 0.3, 1.0),
    "over_line": 9.0, "over_base": 9.0, "line_over_base": 9.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (RIGHT, "Names the right kind in 95 % of 60 rows that it has not seen; logistic regression in 80 %, the most "
                "frequent one in 50 %."),
        (RIGHT | {"over_line": 0.0}, "The network is hardly different from logistic regression."),
        (RIGHT | {"over_line": -5.0},
         "Names the right kind in 95 % of 60 rows that it has not seen, but the probabilities of logistic regression, "
         "right in 80 %, are better (mean -ln p 0.500, the network's 0.200)."),
        (RIGHT | {"over_line": -5.0, "line": Recognition(0.97, 0.9, 0.1)}, "Use it instead."),
        (RIGHT | {"over_base": 0.0, "line_over_base": 0.0}, "Nothing found that foretells kind"),
        (RIGHT | {"over_base": 1.5, "line_over_base": 0.0}, "Too few rows to be sure that it foretells kind"),
        (RIGHT | {"line": Recognition(0.95, 0.9, 0.5)},
         "The network's probabilities are better than the line's (mean -ln p 0.200, 0.500)."),
    ],
)  # fmt: skip
def test_the_verdict_on_classes(changes, said):
    assert said in words.verdict(of_classes(**changes))


@pytest.mark.parametrize("m", [of_numbers, of_classes])
def test_the_text_fits_a_terminal(m):
    name = "a column of a name that is longer than anyone would write"
    m = m(
        effects=tuple(Effect(f"{k} {name}", 10.0**-k, None) for k in range(30)),
        outside=tuple((f"{k} {name}", 40 - k) for k in range(30)),
        notes=tuple(f"note {k}: " + "words " * 30 for k in range(9)),
        target=name,
        n_outside=40,
    )
    lines = report.text(m).split("\n")
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 31
    lines = report.text(of_numbers()).split("\n")
    assert len(lines) <= 25


def test_the_text_has_the_measures():
    text = report.text(of_numbers())
    assert "straight line" in text
    assert "90 % intervals" in text
    assert "constant: place" in text
    assert "note: told <b>twice</b>" in text
    assert "mean -ln p" in report.text(of_classes())


def test_names_do_not_move_the_cursor():
    text = report.text(of_numbers(target="y\x1b[2J\n\u202e"))
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.98, "98 %"), (0.9953, "99.5 %"), (0.99987, "99.99 %"), (1.0, "100 %"), (0.0, "0 %"), (0.004, "0.4 %"),
     (0.991, "99.1 %"), (0.5, "50 %"), (-0.2, "-20 %"), (1 - 1e-9, "99.9999 %"), (np.nan, "-")],
)  # fmt: skip
def test_shares_do_not_look_like_all_where_they_are_not(share, shown):
    assert words.percent(share) == shown


@pytest.mark.parametrize(
    ("values", "by", "shown"),
    [
        ([0.583, 7.942, 13.688], min, ["0.583", "7.942", "13.688"]),
        ([31.04, 1.036, -0.0001], max, ["31.0", "1.0", "0.0"]),
        ([12345.6, 0.5], max, ["12346", "0"]),
        ([1.05e-05, 2.3e-4], min, ["1.05e-05", "2.30e-04"]),
        ([1e300, 2.0], min, ["1.00e+300", "2.00e+00"]),
        ([0.0, 0.0], min, ["0.00", "0.00"]),
        ([np.nan, 2.0], min, ["-", "2.00"]),
        ([np.inf], min, ["-"]),
    ],
)
def test_numbers_of_a_column_have_the_same_decimals(values, by, shown):
    assert words.alike(values, by=by) == shown
