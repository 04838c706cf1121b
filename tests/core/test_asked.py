"""Terms in Python beneath the compiled solvers: what answers are taken, and how often they are asked for."""

import gc
import sys
from types import MappingProxyType

import numpy as np
import pytest

from cases import data, network
from fastmlp._core.fits import lbfgs, lm
from fastmlp._core.fits.asked import Asked
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


class Handing(Asked):
    """Notes what is not plain."""

    matrices = MappingProxyType({"exact": ("hess",), "ggn": ("ggn", "hess")})

    def __init__(self, terms, free):
        self.handed = []

    def number(self, term, answer):
        self.handed.append("number")
        return float(answer)

    def pair(self, term, answer, n):
        self.handed.append("pair")
        return float(answer[0]), np.asarray(answer[1], float).ravel()

    def array(self, term, name, answer, shape):
        self.handed.append(name)
        return np.asarray(answer, float).reshape(shape)

    def matrix_by_products(self, term, w, kind):
        self.handed.append("products")
        return np.eye(len(w))


class Square:
    """1/2 |w|^2, in some other form."""

    def __init__(self, number=float, vector=np.array, matrix=np.array):
        self.number, self.vector, self.matrix = number, vector, matrix

    def value(self, w):
        return self.number(0.5 * float(w @ w))

    def value_and_grad(self, w):
        return self.number(0.5 * float(w @ w)), self.vector(w)

    def hess(self, w):
        return self.matrix(np.eye(len(w)))


POINT = np.array([1.0, -2.0, 3.0])


@pytest.mark.parametrize("number", [float, np.float64])
def test_plain_answers_are_taken_as_they_are(number):
    terms = Handing((Square(number),), None)
    value, gradient = terms.value_and_grad(POINT)
    assert terms.value(POINT) == value == 7.0
    assert np.array_equal(gradient, POINT)
    assert np.array_equal(terms.matrix(POINT, "ggn"), np.eye(3))
    assert terms.handed == []


@pytest.mark.parametrize("other", [list, np.float32, lambda a: a[:, np.newaxis], lambda a: np.repeat(a, 2)[::2]])
def test_other_answers_are_handed_on(other):
    terms = Handing((Square(vector=other), Square(matrix=other)), None)
    assert terms.value_and_grad(POINT)[0] == 14.0
    assert np.array_equal(terms.matrix(POINT, "exact"), 2 * np.eye(3))
    assert terms.handed == ["pair", "hess"]


@pytest.mark.parametrize("number", [int, np.float32, str, lambda _: np.nan, lambda _: np.inf])
def test_numbers_that_are_none_are_handed_on(number):
    terms = Handing((Square(number),), None)
    terms.value(POINT)
    terms.value_and_grad(POINT)
    assert terms.handed == ([] if number(1.0) == np.inf else ["number"]) + ["pair"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nobody_is_asked_about_parameters_that_are_not_finite(bad):
    terms = Handing((None,), None)
    w = np.array([1.0, bad])
    assert terms.value(w) == np.inf
    value, gradient = terms.value_and_grad(w)
    assert (value, list(gradient)) == (np.inf, [0.0, 0.0])


def test_answers_that_are_not_finite_are_handed_on():
    terms = Handing((Square(vector=lambda w: w * np.inf, matrix=lambda B: B + np.inf),), None)
    terms.value_and_grad(POINT)
    terms.matrix(POINT, "exact")
    assert terms.handed == ["pair", "hess"]


def test_a_term_without_a_matrix_gets_one_by_products():
    terms = Handing((Terms(),), None)  # it has none of these names
    assert np.array_equal(terms.matrix(POINT, "exact"), np.eye(3))
    assert terms.handed == ["products"]


def test_a_term_may_do_with_its_point_what_it_likes():
    class Spoiling(Square):
        def value(self, w):
            w[:] = 0.0
            return 1.0

    terms, point = Handing((Spoiling(), Square()), None), POINT.copy()
    assert terms.value(point) == 8.0
    assert np.array_equal(point, POINT)


def test_latest_values_are_known():
    class Counting(Square):
        n = 0

        def value(self, w):
            self.n += 1
            return super().value(w)

    term = Counting()
    terms, points = Handing((term,), None), [POINT + k for k in range(6)]
    values = [terms.value(point) for point in points]
    assert [terms.known(point.copy()) for point in points[2:]] == values[2:]
    assert term.n == 6
    assert terms.known(points[0]) == values[0]
    assert term.n == 7
    with pytest.raises(TypeError):
        Handing(None, None)
