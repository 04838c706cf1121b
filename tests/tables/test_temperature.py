"""Probabilities of classes to a power: the most probable one, and what it does to tables of classes."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from fastmlp import report
from fastmlp.tables import fitting, temperature
from fastmlp.tables import model as models
from fastmlp.tables.problem import Wishes


def drawn(power, n=300, n_classes=3):
    """Probabilities, and classes drawn by these to a power."""
    rng = np.random.default_rng(n)
    Q = rng.dirichlet(np.ones(n_classes), n)
    P = Q**power / (Q**power).sum(axis=1, keepdims=True)
    return Q, (rng.uniform(size=(n, 1)) > P.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_the_best_temperature_is_that_of_a_general_minimizer(power):
    Q, classes = drawn(power)

    def objective(log_s):
        logs = math.exp(log_s) * np.log(Q)
        return (special.logsumexp(logs, axis=1) - logs[np.arange(len(Q)), classes]).sum() + 2.0 * log_s**2

    expected = optimize.minimize_scalar(objective, (-2.0, 2.0), options={"xtol": 1e-10}).x
    found = temperature.best(Q, classes)
    assert found == pytest.approx(math.exp(-expected), rel=1e-6)
    assert 1.0 / found == pytest.approx(power, rel=0.3)


def test_one_leaves_probabilities_as_they_are_and_none_changes_their_order():
    Q = drawn(1.0)[0]
    assert np.allclose(temperature.scaled(Q, 1.0), Q, rtol=1e-13)
    for hot in (0.1, 3.0):
        P = temperature.scaled(Q, hot)
        assert np.allclose(P.sum(axis=1), 1.0)
        assert (P.argsort(axis=1) == Q.argsort(axis=1)).all()


def test_certainties_are_no_trouble():
    Q = np.array([[1.0, 0.0], [0.0, 1.0], [1e-320, 1.0]])
    assert np.isfinite(temperature.scaled(Q, 0.1)).all()
    assert temperature.best(Q, np.array([0, 1, 1])) == pytest.approx(1.0)
    assert temperature.best(Q, np.array([0, 1, 0])) > 1.0


def test_classes_that_hardly_overlap_have_probabilities_like_those_of_a_line(tmp_path):
    rng = np.random.default_rng(3)
    names = np.repeat(["left", "middle", "right"], 50)
    columns = rng.normal(size=(150, 6))
    columns[:, 0] += 4.0 * np.repeat([-1.0, 0.0, 1.0], 50)
    frame = pd.DataFrame(columns, columns=list("abcdef")).assign(side=names)
    model, train, held = fitting.fit(frame, "side", Wishes(), "made", lambda text, share: None)
    found = report.measured(model, train, held)
    assert found.network.log_loss < found.line.log_loss + 0.03
    assert model.temperature < 0.8
    model.save(tmp_path / "m")
    again = models.load(tmp_path / "m")
    assert np.array_equal(again.probabilities(held[0]), model.probabilities(held[0]))
