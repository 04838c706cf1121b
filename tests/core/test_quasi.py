"""Newton's method with few matrices: BFGS steps against their formulas, minima against those of others."""

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from fastmlp._core.fits.quasi import Descent, Model
from fastmlp.optimize.loops import compiled

X = np.random.default_rng(0).normal(size=(60, 3))
NET = fastmlp.Network([3, 4, 2], rng=0)
OBJECTIVE = NET.objective(
    X, np.column_stack([np.sin(X.sum(axis=1)), X[:, 0] ** 2]), penalty=fastmlp.WeightDecay(0.1, 0.2)
)
MINIMUM = scipy.optimize.minimize(
    OBJECTIVE.value_and_grad, OBJECTIVE.x0, jac=True, method="trust-exact", hess=OBJECTIVE.hess, options={"gtol": 1e-10}
).x
CLOSE = MINIMUM + 0.02 * np.random.default_rng(1).normal(size=MINIMUM.size)


def descent(start=CLOSE, model=None, at_end=True, tol=1e-8):
    L = np.linalg.cholesky(OBJECTIVE.hess(start) if model is None else model)
    return Descent(compiled(OBJECTIVE, 1), start, tol, Model(L, True, np.arange(len(L)), np.empty((0, len(L)))), at_end)


def test_steps_are_those_of_bfgs():
    """x - H g, with H corrected by each step: the matrix in full."""
    run, x = descent(), CLOSE.copy()
    H = np.linalg.inv(OBJECTIVE.hess(x))
    for _ in range(3):
        run.advance(1)
        g = OBJECTIVE.grad(x)
        s = -H @ g
        y = OBJECTIVE.grad(x + s) - g
        V = np.eye(len(x)) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
        x += s
        assert np.allclose(run.params, x, rtol=0, atol=1e-11)


@pytest.mark.parametrize("at_end", [True, False, None])
def test_it_arrives_and_tells_what_is_there(at_end):
    run = descent(at_end=at_end)
    assert run.advance(60) == "converged"
    assert np.allclose(run.params, MINIMUM, rtol=0, atol=1e-7)
    value, gradient = OBJECTIVE.value_and_grad(run.params)
    assert run.value == pytest.approx(value, rel=1e-13)
    assert np.allclose(run.gradient, gradient, rtol=0, atol=1e-11)
    if at_end is not None:
        expected = OBJECTIVE.hess(run.params) if at_end else OBJECTIVE.ggn(run.params)
        assert np.allclose(run.matrix, expected, rtol=1e-11, atol=1e-11)
        assert np.array_equal(run.matrix, run.matrix.T)
    assert run.counts[3] == (at_end is True)


def test_a_poor_model_is_replaced():
    run = descent(model=20 * np.eye(MINIMUM.size))
    assert run.advance(60) == "converged"
    assert run.counts[0] > 16
    assert run.counts[3] > 1
    assert np.allclose(run.params, MINIMUM, rtol=0, atol=1e-7)


def test_where_the_objective_rises_it_gives_up_without_a_step():
    """A model whose curvature is far too small overshoots."""
    run = descent(model=1e-6 * np.eye(MINIMUM.size))
    assert run.advance(60) == "stalled"
    assert run.value == pytest.approx(OBJECTIVE.value(CLOSE), rel=1e-13)
    assert np.array_equal(run.params, CLOSE)


@pytest.mark.parametrize("is_factor", [False, True])
def test_a_model_without_some_of_its_rows(is_factor):
    """B[rows, rows] - V'V, as deletions leave it."""
    n = MINIMUM.size
    rng = np.random.default_rng(2)
    rows = np.sort(rng.choice(n + 3, n, replace=False))
    V = 0.01 * rng.normal(size=(2, n))
    B = np.eye(n + 3)
    B[np.ix_(rows, rows)] = np.linalg.inv(OBJECTIVE.hess(CLOSE)) + V.T @ V
    model = Model(np.linalg.cholesky(np.linalg.inv(B)) if is_factor else B, is_factor, rows, V)
    run, other = Descent(compiled(OBJECTIVE, 1), CLOSE, 1e-8, model, True), descent()
    run.advance(1)
    other.advance(1)
    assert np.allclose(run.params, other.params, rtol=0, atol=1e-12)
    assert run.advance(60) == "converged"
