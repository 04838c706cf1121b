"""Terms in Python beneath the compiled solvers: what answers are taken, and how often they are asked for."""

import gc
import sys

import numpy as np
import pytest

from cases import data, network
from fastmlp._core.fits import lbfgs, lm
from fastmlp._core.fits.objective import Objective

NET = network([2, 3, 1])
N = NET.n_params
BATCH = NET.objective(*data(NET, 20)).data.batch


class Terms:
    """1/2 |p|^2, with any other answer in place of one."""

    def __init__(self, **others):
        self.others, self.asked = others, []

    def answer(self, name, usual):
        self.asked.append(name)
        return self.others.get(name, usual)

    def value(self, p):
        return self.answer("value", 0.5 * float(p @ p))

    def value_and_grad(self, p):
        return self.answer("value_and_grad", (0.5 * float(p @ p), p.copy()))

    def matrix(self, p, kind):
        return self.answer(kind, np.eye(N))


def descent(solver, terms):
    options = {"damping": 1e-3} if solver is lm else {"maxcor": 20, "maxls": 50, "maxfun": 10**6}
    return solver.Descent(Objective(BATCH, 1.0, None, 1, None, terms), NET.params, 1e-9, options)


@pytest.mark.parametrize("solver", [lm, lbfgs])
def test_they_are_asked_with_each_evaluation(solver):
    terms = Terms()
    fit = descent(solver, terms)
    assert terms.asked == (["value_and_grad", "ggn"] if solver is lm else ["value_and_grad"])
    assert fit.penalty == 0.5 * float(fit.params @ fit.params)
    assert fit.advance(1000) == "converged"
    values, gradients, hessians = fit.counts[1:]
    asked = {name: terms.asked.count(name) for name in ("value", "value_and_grad", "exact", "ggn")}
    assert asked["value"] + asked["value_and_grad"] == values
    assert asked["value_and_grad"] == gradients
    assert asked["exact"] == hessians


@pytest.mark.parametrize("solver", [lm, lbfgs])
@pytest.mark.parametrize(
    "gradient", [np.zeros(N - 1), np.zeros(N, np.float32), np.zeros(2 * N)[::2], [0.0] * N, None, np.zeros((N, 2))]
)
def test_other_gradients_are_refused(solver, gradient):
    with pytest.raises(ValueError, match=f"terms: expected an array of {N} numbers in float64"):
        descent(solver, Terms(value_and_grad=(0.0, gradient)))


@pytest.mark.parametrize("matrix", [np.zeros((N, N - 1)), np.zeros((N, N), np.float32), np.eye(N)[:, ::-1].T[1:], 0.0])
def test_other_matrices_are_refused(matrix):
    with pytest.raises(ValueError, match=f"terms: expected an array of {N * N} numbers in float64"):
        descent(lm, Terms(ggn=matrix))


@pytest.mark.parametrize("solver", [lm, lbfgs])
@pytest.mark.parametrize("answer", ["1", (1.0,), (1.0, np.zeros(N), 2), ("x", np.zeros(N)), None])
def test_what_is_no_pair_raises(solver, answer):
    with pytest.raises((TypeError, ValueError)):
        descent(solver, Terms(value_and_grad=answer))


@pytest.mark.parametrize("solver", [lm, lbfgs])
def test_nothing_is_kept_of_answers_and_errors(solver):
    answer = (0.0, np.zeros(N - 1))
    gc.collect()
    before = sys.getrefcount(answer), sys.getrefcount(answer[1])
    for _ in range(20):
        with pytest.raises(ValueError, match="terms"):
            descent(solver, Terms(value_and_grad=answer))
    gc.collect()
    assert (sys.getrefcount(answer), sys.getrefcount(answer[1])) == before


@pytest.mark.parametrize("solver", [lm, lbfgs])
def test_after_an_error_a_fit_stands_at_its_latest_step(solver):
    terms = Terms()
    fit = descent(solver, terms)
    fit.advance(3)
    there = fit.params
    terms.others["value"] = terms.others["value_and_grad"] = "no number"
    with pytest.raises((TypeError, ValueError)):
        fit.advance(3)
    assert np.array_equal(fit.params, there)
    assert fit.counts[0] == 3
