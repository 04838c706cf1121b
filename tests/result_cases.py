"""A result of every kind, made once; and what every one of them prints."""

import functools
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

import fastmlp
from fastmlp._tables import LINES, WIDTH

DECAY = fastmlp.WeightDecay(0.01, 0.01)


def data(n_outputs=1):
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (60, 2))
    return X, np.sin(2 * X[:, :1]) * np.arange(1, n_outputs + 1) + 0.1 * rng.normal(size=(60, n_outputs))


def made():
    """A result of every kind."""
    X, T = data()
    net = fastmlp.Network([2, 3, 1], rng=0)
    fit = net.fit(X, T, penalty=DECAY)
    yield "fit", fit
    yield "fit, standardised, validated", net.copy().fit(X, T, standardize=True, validation=0.3, rng=0)
    yield "adam", net.copy().fit(X, T, "adam", max_iter=3, rng=0)
    yield "fit_many", fastmlp.fit_many([net.copy()], X, T)[0]
    yield "fits", fastmlp.fit_many([net.copy(), net.copy()], X, T, penalty=DECAY)
    yield "many fits", fastmlp.fit_many([fastmlp.Network([2, 1], rng=i) for i in range(40)], X, T)
    yield "no fits", fastmlp.fit_many([], X, T)
    yield "refit", fastmlp.refit(net.copy(), X[:50], T[:50], penalty=DECAY)
    path = fastmlp.prune(net, X, T, penalty=DECAY)
    yield "pruning path", path
    yield "pruning step", path.steps[1]
    yield "saliencies", fastmlp.saliencies(net, X, T, penalty=DECAY)
    yield "least squares", fastmlp.levenberg_marquardt(lambda x: x - 1, lambda x: np.eye(len(x)), np.zeros(30))
    laplace = fastmlp.Laplace(net, X, T, penalty=DECAY)
    yield "laplace", laplace
    yield (
        "laplace of classes",
        fastmlp.Laplace(
            fastmlp.Network([2, 2], output="softmax", init="zeros"), X, np.zeros(60, int), prior_precision=1e6
        ),
    )
    yield "laplace without samples", laplace._without_samples()
    yield "prediction", laplace.predict(X, parts=True)
    yield "prediction of nothing", laplace.predict(X[:0], parts=True)
    yield "leave one out", laplace.leave_one_out()
    for groups in ("layers", "all", "ard"):
        evidence = fastmlp.fit_evidence(net.copy(), X, T, groups=groups)
        yield f"evidence, {groups}", evidence
    several = fastmlp.fit_evidence(fastmlp.Network([2, 1, 1]), X, T, hidden=(1, 2), n_starts=2, rng=0, max_iter=3)
    yield "evidence of several", several
    yield "starts", several.starts
    yield "start", several.starts[0]
    mixture = fastmlp.fit_evidence(fastmlp.Network([2, 2, 1]), X, T, n_starts=2, rng=0, combine="average")
    yield "mixture", mixture
    sweep = fastmlp.sweep(X, T, (1, 2, (2, 2)), 3, 0.5, penalties=[None, DECAY], rng=0, max_iter=5)
    yield "sweep", sweep
    yield "run", sweep.runs[0]
    yield "large sweep", fastmlp.sweep(X, T, range(1, 31), 1, 0.5, rng=0, max_iter=1)
    yield "sensitivity", fastmlp.sensitivity(net, X)
    yield "derivatives", fastmlp.check_derivatives(net, X[:3], T[:3])
    yield "trace", net.trace(X, T)
    yield "trace of a layer", net.trace(X)[0]
    yield "units", fastmlp.Network([2, 1]).fit(X, T, standardize=True).units
    yield "columns", fastmlp.Network([2, 1]).fit(X, T, standardize=True).units.inputs
    X, T = data(12)
    wide = fastmlp.Network([2, 300, 12], rng=0)
    yield "trace of many units", wide.trace(X, T)
    yield "sensitivity of many outputs", fastmlp.sensitivity(wide, X)
    small = fastmlp.Network([2, 1, 12], rng=0)
    small.fit(X, T, penalty=DECAY, standardize=True)
    laplace = fastmlp.Laplace(small, X, T, penalty=DECAY, standardize=True)
    yield "laplace of many outputs", laplace
    yield "prediction of many outputs", laplace.predict(X, parts=True)
    yield "leave one out, many outputs", laplace.leave_one_out()


NAMES = (
    "fit",
    "fit, standardised, validated",
    "adam",
    "fit_many",
    "fits",
    "many fits",
    "no fits",
    "refit",
    "pruning path",
    "pruning step",
    "saliencies",
    "least squares",
    "laplace",
    "laplace of classes",
    "laplace without samples",
    "prediction",
    "prediction of nothing",
    "leave one out",
    "evidence, layers",
    "evidence, all",
    "evidence, ard",
    "evidence of several",
    "starts",
    "start",
    "mixture",
    "sweep",
    "run",
    "large sweep",
    "sensitivity",
    "derivatives",
    "trace",
    "trace of a layer",
    "units",
    "columns",
    "trace of many units",
    "sensitivity of many outputs",
    "laplace of many outputs",
    "prediction of many outputs",
    "leave one out, many outputs",
)
every_result = pytest.mark.parametrize("name", NAMES)


@functools.cache
def results():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # trainings that are cut short
        return dict(made())


def checked(result):
    """The lines of a result, within their limits, and its HTML, well formed."""
    lines, page = repr(result).split("\n"), result._repr_html_()
    assert 1 <= len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    assert all(line.isprintable() and line == line.rstrip() for line in lines)
    assert "not whole" not in lines[0]
    assert " at 0x" not in lines[0]
    assert "style" not in page
    tree = ElementTree.fromstring(f"<div>{page}</div>")
    assert {element.tag for element in tree.iter()} <= {"div", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert tree[0].text == lines[0]
    words = " ".join(" ".join(tree.itertext()).split())
    for line in lines[1:]:
        assert line.endswith("...") or all(word in words for word in line.split())
    return lines, page
