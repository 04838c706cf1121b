"""Compiled solvers whose objective is told from outside: what they ask for, and where they arrive."""

import numpy as np
import pytest
import scipy.optimize

from cases import data, network
from fastmlp._core.curvature import matrices
from fastmlp._core.fits import lbfgs, lm
from fastmlp._core.fits.objective import Objective

OPTIONS = {lm: {"damping": 1e-3}, lbfgs: {"maxcor": 10, "maxls": 50, "maxfun": 10**6}}
SOLVERS = pytest.mark.parametrize("solver", [lm, lbfgs])


class Rosenbrock:
    """The banana valley in three dimensions, whose only minimum is at ones."""

    start = np.array([-1.2, 1.0, -0.5])
    value, grad, hess = map(staticmethod, (scipy.optimize.rosen, scipy.optimize.rosen_der, scipy.optimize.rosen_hess))

    @staticmethod
    def ggn(x):
        """Of the residuals 10 (x_(i+1) - x_i^2) and 1 - x_i, whose squares are summed."""
        n = len(x)
        J = np.zeros((2 * n - 2, n))
        for i in range(n - 1):
            J[i, i], J[i, i + 1], J[n - 1 + i, i] = -20 * x[i], 10.0, -1.0
        return 2 * J.T @ J


class Saddle:
    """x0^2 + (x1^2 - 1)^2, from its saddle: minima at (0, -1) and (0, 1)."""

    start = np.zeros(2)

    @staticmethod
    def value(x):
        return x[0] ** 2 + (x[1] ** 2 - 1) ** 2

    @staticmethod
    def grad(x):
        return np.array([2 * x[0], 4 * x[1] * (x[1] ** 2 - 1)])

    @staticmethod
    def hess(x):
        return np.diag([2.0, 12 * x[1] ** 2 - 4])

    ggn = hess


def tell(descent, function, what, x):
    if what == "value":
        descent.tell(function.value(x))
    elif what == "gradient":
        descent.tell(function.value(x), function.grad(x))
    else:
        descent.tell(function.value(x), function.grad(x), (function.hess if what == "exact" else function.ggn)(x))


def drive(descent, function, n_steps=10_000):
    """Answer until so many steps are made or it is over; what was asked for."""
    asked = []
    while descent.counts[0] < n_steps and (question := descent.ask()) is not None:
        tell(descent, function, *question)
        asked.append(question[0])
    return asked


def outside(solver, function, tol=1e-8, state=None):
    return solver.Descent(None, function.start, tol, OPTIONS[solver], state)


@SOLVERS
def test_rosenbrocks_minimum_is_that_of_scipy(solver):
    descent = outside(solver, Rosenbrock)
    asked = drive(descent, Rosenbrock)
    theirs = scipy.optimize.minimize(
        Rosenbrock.value, Rosenbrock.start, jac=Rosenbrock.grad, method="BFGS", options={"gtol": 1e-9}
    )
    assert descent.status == "converged"
    assert np.allclose(descent.params, theirs.x, rtol=1e-6)
    assert np.allclose(descent.params, 1.0, rtol=1e-7)
    assert descent.value == Rosenbrock.value(descent.params)
    assert descent.grad_norm == np.abs(Rosenbrock.grad(descent.params)).max()
    assert (len(asked), asked.count("exact")) == descent.counts[1::2]


@SOLVERS
@pytest.mark.parametrize("seed", range(5))
def test_a_quadratic_function_is_solved(solver, seed):
    rng = np.random.default_rng(seed)
    root, b = rng.normal(size=(6, 6)), rng.normal(size=6)
    A = root @ root.T + np.eye(6)

    class Quadratic:
        start = rng.normal(size=6)
        value = staticmethod(lambda x: 0.5 * x @ A @ x - b @ x)
        grad = staticmethod(lambda x: A @ x - b)
        hess = ggn = staticmethod(lambda x: A)

    descent = outside(solver, Quadratic, 1e-10)
    drive(descent, Quadratic)
    assert descent.status == "converged"
    assert np.allclose(descent.params, np.linalg.solve(A, b), rtol=1e-8, atol=1e-9)


def test_a_saddle_is_left():
    descent = outside(lm, Saddle)
    drive(descent, Saddle)
    assert descent.status == "converged"
    assert np.allclose(np.abs(descent.params), [0, 1], atol=1e-8)


class Network:
    """The loss of a batch, with the bits of a compiled fit of few samples."""

    def __init__(self, batch):
        self.batch = batch

    def sums(self, x, kind, full):
        return matrices.normal_equations(self.batch, x, kind, 1, full, full)

    def tell(self, descent, what, x):
        if what == "gradient":
            descent.tell(*self.batch.loss_and_grad(x, 1))
        elif what == "value":
            descent.tell(self.sums(x, "ggn", False)[0])
        else:
            descent.tell(*self.sums(x, what, True))


@SOLVERS
@pytest.mark.parametrize("layers", [[2, 3, 1], [3, 4, 4, 2]])
def test_a_network_told_from_outside_goes_the_way_it_goes_inside(solver, layers):
    net = network(layers)
    batch = net.objective(*data(net, 40)).data.batch
    inside = solver.Descent(Objective(batch, 1.0, None, 1), net.params, 1e-12, OPTIONS[solver])
    descent, function = solver.Descent(None, net.params, 1e-12, OPTIONS[solver]), Network(batch)
    for step in range(40):
        inside.advance(1)
        while descent.counts[0] <= step and (question := descent.ask()) is not None:
            function.tell(descent, *question)
            descent.ask()  # makes the step, if that was the last answer it wants
        assert np.array_equal(descent.params, inside.params)
        assert (descent.value, descent.grad_norm) == (inside.value, inside.grad_norm)
        assert descent.counts[0] == inside.counts[0]


@SOLVERS
def test_a_state_is_continued_to_the_bit(solver):
    first, whole = outside(solver, Rosenbrock), outside(solver, Rosenbrock)
    drive(first, Rosenbrock, 7)
    second = solver.Descent(None, first.params, 1e-8, OPTIONS[solver], first.state)
    drive(second, Rosenbrock, 5)
    drive(whole, Rosenbrock, 12)
    assert np.array_equal(second.params, whole.params)


@SOLVERS
def test_one_may_ask_again_before_telling(solver):
    descent = outside(solver, Rosenbrock)
    (what, x), (again, y) = descent.ask(), descent.ask()
    assert what == again == ("ggn" if solver is lm else "gradient")
    assert np.array_equal(x, y)
    assert np.array_equal(x, Rosenbrock.start)
    assert x is not y


@SOLVERS
def test_what_does_not_fit_is_refused(solver):
    descent, g, B = outside(solver, Rosenbrock), np.ones(3), np.eye(3)
    descent.ask()
    with pytest.raises(ValueError, match="gradient: expected 3 numbers"):
        descent.tell(1.0)
    with pytest.raises(ValueError, match="gradient: expected 3 numbers"):
        descent.tell(1.0, g[:2], B)
    if solver is lm:
        with pytest.raises(ValueError, match="matrix: expected 3 rows of 3 numbers"):
            descent.tell(1.0, g)
        with pytest.raises(ValueError, match="matrix: expected 3 rows of 3 numbers"):
            descent.tell(1.0, g, B[:2])
    descent.tell(1.0, g, B)
    with pytest.raises(ValueError, match="tell: expected after `ask`"):
        descent.tell(1.0, g, B)


@SOLVERS
def test_infinite_values_are_no_way(solver):
    class Walled(Rosenbrock):
        value = staticmethod(lambda x: Rosenbrock.value(x) if x.max() < 1.5 else np.inf)

    descent = outside(solver, Walled)
    drive(descent, Walled)
    assert np.allclose(descent.params, 1.0, rtol=1e-6)


@SOLVERS
def test_whoever_is_not_asked_cannot_tell(solver):
    net = network([2, 3, 1])
    batch = net.objective(*data(net, 20)).data.batch
    descent = solver.Descent(Objective(batch, 1.0, None, 1), net.params, 1e-2, OPTIONS[solver])
    with pytest.raises(ValueError, match="told from outside"):
        descent.tell(1.0, net.params, np.eye(net.n_params))
    assert descent.ask() is None
    assert descent.status == "converged"
