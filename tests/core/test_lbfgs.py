"""The compiled loop of L-BFGS, step by step, against its formulas in NumPy."""

import numpy as np
import pytest

import fastmlp
from fastmlp._core.fits.journal import Journal
from fastmlp._core.fits.lbfgs import Descent
from fastmlp.optimize.loops import compiled

X = np.random.default_rng(0).normal(size=(50, 3))
NET = fastmlp.Network([3, 4, 1], rng=0)
OBJECTIVE = NET.objective(X, np.sin(X.sum(axis=1)), penalty=fastmlp.WeightDecay(0.1, 0.2))


def descent(max_pairs=5, max_trials=50, max_values=10**6, state=None, x=None):
    options = {"maxcor": max_pairs, "maxls": max_trials, "maxfun": max_values}
    return Descent(compiled(OBJECTIVE, 1), OBJECTIVE.x0 if x is None else x, 1e-9, options, state)


def inverse_hessian(S, Y):
    """The matrix that BFGS makes of the pairs, from s'y / y'y of the last one on."""
    H = S[-1] @ Y[-1] / (Y[-1] @ Y[-1]) * np.eye(S.shape[1])
    for s, y in zip(S, Y, strict=True):
        V = np.eye(s.size) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    return H


def test_value_gradient_and_penalty_are_the_objectives():
    run = descent()
    run.advance(7)
    value, gradient = OBJECTIVE.value_and_grad(run.params)
    assert run.value == pytest.approx(value, rel=1e-14)
    assert run.penalty == pytest.approx(OBJECTIVE.penalty_value(run.params), rel=1e-14)
    assert run.grad_norm == pytest.approx(np.abs(gradient).max(), rel=1e-12)


@pytest.mark.parametrize("max_pairs", [1, 3, 5])
def test_pairs_are_the_differences_of_the_latest_steps(max_pairs):
    run, points = descent(max_pairs), [OBJECTIVE.x0]
    for _ in range(8):
        run.advance(1)
        points.append(run.params)
    gradients = np.array([OBJECTIVE.grad(x) for x in points])
    assert np.array_equal(run.state["steps"], np.diff(points, axis=0)[-max_pairs:])
    assert np.allclose(run.state["changes"], np.diff(gradients, axis=0)[-max_pairs:], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_steps", [1, 4, 9])
def test_the_next_step_goes_along_bfgs_direction(n_steps):
    run = descent()
    run.advance(n_steps)
    x, pairs = run.params, run.state
    run.advance(1)
    step = run.params - x
    expected = -inverse_hessian(pairs["steps"], pairs["changes"]) @ OBJECTIVE.grad(x)
    assert step @ expected == pytest.approx(np.linalg.norm(step) * np.linalg.norm(expected), rel=1e-10)


def test_every_step_meets_wolfes_conditions():
    run = descent()
    for _ in range(40):
        x = run.params
        (value, gradient) = OBJECTIVE.value_and_grad(x)
        run.advance(1)
        (lower, flatter), step = OBJECTIVE.value_and_grad(run.params), run.params - x
        assert lower <= value + 1e-3 * (gradient @ step) + 1e-13 * value
        assert flatter @ step >= 0.9 * (gradient @ step)


def test_a_state_is_continued_with_as_many_pairs_as_there_is_room_for():
    first = descent()
    first.advance(9)
    few, all_of_them = (descent(m, state=first.state, x=first.params) for m in (2, 5))
    assert np.array_equal(few.state["steps"], first.state["steps"][-2:])
    first.advance(10)
    all_of_them.advance(10)
    assert np.array_equal(first.params, all_of_them.params)


def test_a_journal_ends_the_steps_when_it_is_full_or_its_time_is_over():
    alone, run, journal = descent(), descent(), Journal(6, OBJECTIVE.x0.size)
    assert run.advance(100, journal) == "running"
    values, means, grad_norms, seconds = map(np.array, journal.columns())
    for value, mean, grad_norm in zip(values, means, grad_norms, strict=True):
        alone.advance(1)
        assert (alone.value, alone.value - alone.penalty, alone.grad_norm) == (value, mean, grad_norm)
    assert len(values) == run.counts[0] == 6
    assert np.all(np.diff(seconds) >= 0)
    assert journal.lowest[0] == values.min()
    assert np.array_equal(journal.lowest[1], run.params)
    assert np.array_equal(journal.columns(3.0, 4.0, 5.0), [values + 3.0, means / 4.0, grad_norms, 5.0 + seconds])
    journal.open(0.0)
    run.advance(100, journal)
    assert [len(column) for column in journal.columns()] == [1, 1, 1, 1]


def test_max_values_and_stalling_end_it():
    assert descent(max_values=10).advance(10**6) == "max_fun"
    assert descent().advance(10**6) == "converged"
    assert descent().advance(3) == "running"
