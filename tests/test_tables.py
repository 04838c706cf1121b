"""What results print of themselves: short tables, in text and HTML, at no cost and whatever state they are in."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.optimize

import fastmlp
from fastmlp import _tables
from fastmlp._tables import WIDTH, Table
from fastmlp.bayes.covariance import Covariance
from result_cases import NAMES, checked, data, every_result, results


def test_every_kind_is_tried():
    assert tuple(results()) == NAMES


@every_result
def test_a_result_is_some_lines_and_the_same_as_a_plain_table(name):
    checked(results()[name])


@every_result
def test_what_is_printed_does_not_depend_on_the_way_there(name):
    result = results()[name]
    for again in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)):
        assert repr(again) == repr(result)


@every_result
def test_looking_computes_warns_and_prints_nothing(name, monkeypatch, capsys):
    def forbidden(*_, **__):
        raise AssertionError("computed")

    for computing in ("predict", "loss", "sample_losses", "check_samples"):
        monkeypatch.setattr(fastmlp.model.functional, computing, forbidden)
    for computing in ("times_root", "from_root", "quadratic", "matrix", "diagonal"):
        monkeypatch.setattr(Covariance, computing, forbidden)
    monkeypatch.setattr(fastmlp.bayes.modes, "log_distinct", forbidden)
    monkeypatch.setattr(fastmlp.terms.DataTerm, "value", forbidden)
    monkeypatch.setattr(np.linalg, "norm", forbidden)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        checked(results()[name])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fit", ["lm: converged", "success True", "objective", "|gradient|", "iterations", "evaluations", "(13)"]),
        ("fit, standardised, validated", ["validation loss", "standardised units of X and T"]),
        ("adam", ["FitResult of adam", "iterations 3"]),
        ("fit_many", ["FitResult of lm: ", "training loss"]),
        ("fits", ["FitResults of 2 fits", "fit success iterations objective |gradient| training", "0 True", "1 True"]),
        ("many fits", ["FitResults of 40 fits", "... (40)"]),
        ("refit", ["FitResult of lm: converged", "predicted decrease", "posterior standard deviations"]),
        ("pruning step", ["PruningStep: 12 weights left, without ", "rise", "second derivatives", "... (13)"]),
        ("least squares", ["LeastSquaresResult: ", "1/2 |r|^2", "|J'r|", "1, 1, 1, 1, 1, 1, ... (30)"]),
        (
            "laplace",
            ["Laplace: ", "2-3-1, tanh", "samples 60", "of 13", "noise deviation 0.", "distance", "W1 6", "b2 1"],
        ),
        ("laplace without samples", ["samples 60, left out of this copy"]),
        ("prediction", ["1 output at 60 samples", "deviation epistemic noise", "... (60)"]),
        ("leave one out", ["60 samples", "leverage Cook's distance", "... (60)"]),
        ("evidence, ard", ["Evidence: ", "W1[:,0] 3", "effective"]),
        ("evidence, all", ["all 13"]),
        ("evidence of several", ["starts 4"]),
        ("starts", ["4 networks", "hidden parameters starts", "*"]),
        ("mixture", ["Mixture of 2 posteriors", "noise"]),
        ("sweep", ["18 runs, 3 starts", "best Run of", "(2, 2)", "none", "WeightDecay", "*"]),
        ("large sweep", ["30 runs, 1 start for", "... (30)"]),
        ("sensitivity", ["2 inputs", "y1", "x1", "rms"]),
        ("sensitivity of many outputs", ["y6 ... (12)"]),
        ("derivatives", ["all 44 comparisons passed", "hessian product", "1e-06 passed"]),
        ("trace", ["2 layers at 60 samples", "z1 3", "delta2 1"]),
        ("trace of many units", ["z1 300", "... (300)", "a2 12"]),
        ("units", ["2 inputs and 1 target", "X[:,1]", "T[:,0]", "standard deviation"]),
    ],
)
def test_what_matters_is_there(name, words):
    text = " ".join(repr(results()[name]).split())
    assert [word for word in words if word not in text] == []


# ---- results that are not whole, or not done ----


def test_objects_that_are_not_made_yet_say_so():
    for kind in (fastmlp.Laplace, fastmlp.Evidence, fastmlp.Mixture, fastmlp.Sweep, fastmlp.Sensitivity):
        assert repr(kind.__new__(kind)) == f"{kind.__name__}, not whole"
        assert kind.__new__(kind)._repr_html_() == f"<p>{kind.__name__}, not whole</p>"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"fun": np.nan, "grad_norm": np.inf, "success": False, "message": "diverged", "history": {}},
        {"history": {"time": np.array([]), "train_loss": np.array([np.nan])}, "x": np.array([])},
        {"x": None, "units": None, "state": None, "history": {"loss": [1.0]}, "of the user's": "own"},
        {"message": "two\nlines <b>", "warned": "x" * 300, "method": "a\tb"},
    ],
)
def test_fits_print_whatever_is_left_of_them(fields):
    for kind in (fastmlp.FitResult, fastmlp.LeastSquaresResult):
        lines, _ = checked(kind(fields))
        assert lines[0].startswith(kind.__name__)
        assert "of the user's" not in fields or "of the user's" in lines[-1]


def test_predictions_and_starts_without_rows():
    checked(fastmlp.Sweep((), 3))
    checked(fastmlp.Starts())


def test_what_an_exception_leaves_is_not_made_by_looking(monkeypatch):
    X, T = data()
    monkeypatch.setattr(fastmlp.runs.tasks, "CHUNKS", 5)

    class Counting:
        shown = True

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self, n):
            raise ZeroDivisionError

    monkeypatch.setattr(fastmlp.runs.choosing, "Count", lambda *_: Counting())
    with pytest.raises(ZeroDivisionError) as caught:
        fastmlp.sweep(X, T, (1, 2), 20, 0.5, rng=0, max_iter=2, n_threads=1)
    part = caught.value.partial
    assert "when they are first looked at" in checked(part)[0][0]
    assert not part.runs.is_made
    assert 0 < len(part.runs) < 40
    assert f"Sweep of {len(part.runs)} run" in checked(part)[0][0]


def test_starts_that_nobody_has_compared_do_not_count_their_symmetries():
    X, T = data()

    def stop(state):
        if state.start == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fastmlp.fit_evidence(fastmlp.Network([2, 2, 1]), X, T, n_starts=2, rng=0, n_threads=1, callback=stop)
    (start,) = part = caught.value.partial
    assert "not counted yet" in repr(part)
    assert "not counted yet" in repr(start)
    checked(part)
    assert not start.is_counted
    part.table()
    assert f"{start.log_evidence:.2f}" in repr(part)


def test_comparisons_that_have_failed_come_alone():
    report = results()["derivatives"]
    wrong = [copy.copy(each) for each in report.comparisons[:2]]
    object.__setattr__(wrong[1], "error", np.nan)
    lines, _ = checked(fastmlp.DerivativeReport(tuple(wrong), 3, 0))
    assert lines[0].startswith("DerivativeReport: 1 of 2 comparisons FAILED")
    assert len(lines) == 3
    assert lines[2].split()[-3:] == ["nan", "1e-06", "FAILED"]
    checked(fastmlp.DerivativeReport((), 0, 0))


# ---- names, numbers, columns ----


def test_names_of_the_users_cannot_break_the_page():
    X, _ = data()
    names = ["<script>&amp;'\"\n\x1b[31m", "a long name " * 30]
    s = fastmlp.sensitivity(fastmlp.Network([2, 2, 1], rng=0), pd.DataFrame(X, columns=names))
    lines, page = checked(s)
    assert len(lines) == 5
    assert "<script>" not in page
    assert "&lt;script&gt;&amp;amp;" in page
    assert r"\n\x1b[31m" in repr(s)
    assert "a long name a long name..." in repr(s)
    assert names[1].strip() in s.table()  # which leaves out nothing


def test_columns_of_numbers_end_below_each_other():
    rows = [("a", 1.0, 12), ("longer", -1.23456e-100, 3), ("c", float("nan"), 123456789)]
    assert str(Table(rows, ("name", "value", "of several\ncount"), "<>")).splitlines() == [
        "                    of several",
        "name          value      count",
        "a                 1         12",
        "longer  -1.235e-100          3",
        "c               nan  123456789",
    ]


@every_result
def test_numbers_of_a_result_end_below_each_other(name):
    for table, rows, _ in _tables._cut(results()[name]._shown()):
        right = [k for k in range(len(table.heading)) if table.align[min(k, len(table.align) - 1)] == ">"]
        lines, start = _tables._laid_out(table, rows), 0
        for column in range(len(table.heading)):
            cells = [table.heading[column].split("\n")[-1], *(row[column] if column < len(row) else "" for row in rows)]
            width = max(map(len, cells))
            placed = [cell.rjust(width) if column in right else cell.ljust(width) for cell in cells]
            assert [line.ljust(2 * WIDTH)[start : start + width] for line in lines[-len(cells) :]] == placed
            start += width + 2


def test_the_upper_line_of_a_heading_may_be_longer_than_its_column():
    lines = str(Table([("x", 1, 2)], ("y\ninput", "a", "both\nb"), "<>")).splitlines()
    assert lines == ["y      both", "input  a  b", "x      1  2"]
    lines = str(Table([("x", 1, 2)], ("y\ninput", "a", "both of them\nb"), "<>")).splitlines()
    assert lines == ["y  both of them", "input  a  b", "x      1  2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (np.float32(1e-20), "1e-20"),
        (True, "True"),
        (np.int64(1234567), "1234567"),
        (np.arange(3.0), "0, 1, 2"),
        (np.ones((100, 100)), "1, 1, 1, 1, 1, 1, ... (10000)"),
        ((1, "a\nb"), r"1, a\nb"),
        (np.array(2.5), "2.5"),
        (np.array([]), ""),
    ],
)
def test_numbers_have_four_digits_and_arrays_some_elements(value, text):
    assert _tables.number(value) == text


def test_facts_that_are_not_known_are_left_out():
    assert str(Table([("a", 1), ("b", None)])) == "a  1"


# ---- SciPy's results are still SciPy's ----


@pytest.mark.parametrize("name", ["fit", "fit_many", "least squares"])
def test_fits_are_dicts_with_attributes(name):
    result = results()[name]
    assert isinstance(result, scipy.optimize.OptimizeResult)
    assert result["x"] is result.x
    assert sorted(dir(result)) == sorted(result)
    assert {"x", "fun", "nit", "nfev", "njev", "status", "success", "message"} <= set(result)
    again = pickle.loads(pickle.dumps(result))
    assert type(again) is type(result)
    assert sorted(again) == sorted(result)
    with pytest.raises(AttributeError):
        result.nothing  # noqa: B018


def test_a_fit_keeps_what_its_warning_has_said():
    X, T = data()
    net = fastmlp.Network([2, 3, 1], rng=0)
    with pytest.warns(fastmlp.ScaleWarning) as caught:
        result = net.fit(1e6 * X, T, max_iter=20)
    assert result.warned == str(caught[0].message)
    assert f"warned         {result.warned[:40]}" in repr(result)
    assert results()["fit"].warned == ""
    assert "warned" not in repr(results()["fit"])
