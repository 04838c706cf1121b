"""Levenberg-Marquardt for any residuals: problems with known answers, NIST's certified ones, and what goes wrong."""

import numpy as np
import pytest
import scipy.optimize

import fastmlp
import nist

# name: residuals, Jacobian, start, minimum of 1/2 |r|^2; all from Moré, Garbow & Hillstrom (1981)
CLASSICS = {
    "rosenbrock": (
        lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]],
        lambda x: [[-20 * x[0], 10], [-1, 0]],
        [-1.2, 1],
        0.0,
    ),
    "powell singular": (
        lambda x: [x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2],
        lambda x: [
            [1, 10, 0, 0],
            [0, 0, 5**0.5, -(5**0.5)],
            [0, 2 * (x[1] - 2 * x[2]), -4 * (x[1] - 2 * x[2]), 0],
            [2 * 10**0.5 * (x[0] - x[3]), 0, 0, -2 * 10**0.5 * (x[0] - x[3])],
        ],
        [3, -1, 0, 1],
        0.0,
    ),
    "freudenstein and roth": (  # J is singular at this minimum, where the residuals are large
        lambda x: [-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]],
        lambda x: [[1, (10 - 3 * x[1]) * x[1] - 2], [1, (3 * x[1] + 2) * x[1] - 14]],
        [0.5, -2],
        48.9842536792400 / 2,
    ),
    "jennrich and sampson": (
        lambda x: 2 + 2 * I10 - np.exp(I10 * x[0]) - np.exp(I10 * x[1]),
        lambda x: np.column_stack([-I10 * np.exp(I10 * x[0]), -I10 * np.exp(I10 * x[1])]),
        [0.3, 0.4],
        124.362182355615 / 2,
    ),
    "brown and dennis": (
        lambda x: (x[0] + T20 * x[1] - np.exp(T20)) ** 2 + (x[2] + x[3] * np.sin(T20) - np.cos(T20)) ** 2,
        lambda x: np.column_stack(
            [
                2 * (x[0] + T20 * x[1] - np.exp(T20)),
                2 * (x[0] + T20 * x[1] - np.exp(T20)) * T20,
                2 * (x[2] + x[3] * np.sin(T20) - np.cos(T20)),
                2 * (x[2] + x[3] * np.sin(T20) - np.cos(T20)) * np.sin(T20),
            ]
        ),
        [25, 5, -5, -1],
        85822.2016263564 / 2,
    ),
}
I10, T20 = np.arange(1, 11), np.arange(1, 21) / 5
A = np.random.default_rng(1).normal(size=(12, 5))
y = np.random.default_rng(2).normal(size=12)


def line(x):
    return A @ x - y


def slope(x):
    return A


@pytest.mark.parametrize("name", CLASSICS)
def test_classic_problems_end_at_their_minimum(name):
    fun, jac, x0, minimum = CLASSICS[name]
    result = fastmlp.levenberg_marquardt(fun, jac, x0)
    assert result.success
    assert result.cost == pytest.approx(minimum, rel=1e-12, abs=1e-25)
    assert result.optimality < 1e-9


def test_all_nist_problems_are_solved_to_the_certified_digits_from_both_starts():
    digits = []
    for name in nist.MODELS:
        problem, (fun, jac) = nist.load(name), nist.functions(name)
        for start in problem.starts:
            result = fastmlp.levenberg_marquardt(fun, jac, start)
            digits.append(nist.log_relative_error(result.x, problem.certified))
            assert result.success, f"{name}: {result.message}"
            # abs: the residuals of Lanczos1, 1e-13, are known to three digits beside the rounding of its data
            assert 2 * result.cost == pytest.approx(problem.sum_of_squares, rel=1e-9, abs=1e-26), name
    assert len(digits) == 54
    assert min(digits) > 10
    assert np.mean(digits) > 10.5


@pytest.mark.parametrize("name", nist.MODELS)
def test_jacobians_of_the_nist_models_agree_with_the_complex_step(name):
    problem, (fun, jac) = nist.load(name), nist.functions(name)
    for b in (problem.starts[1], problem.certified):
        columns = [fun(b + 1e-40j * unit).imag / 1e-40 for unit in np.eye(b.size)]
        expected = np.column_stack(columns)
        assert np.all(np.abs(jac(b) - expected) <= 1e-12 * np.abs(expected).max(axis=0))


def test_a_linear_problem_ends_where_lstsq_does():
    result = fastmlp.levenberg_marquardt(line, slope, np.zeros(5))
    assert np.allclose(result.x, np.linalg.lstsq(A, y, rcond=None)[0], rtol=1e-13)
    assert result.nit < 12


def test_columns_of_any_length_lose_no_digits():
    units = 10.0 ** np.array([-12, -6, 0, 6, 12])
    result = fastmlp.levenberg_marquardt(lambda x: (A * units) @ x - y, lambda x: A * units, np.ones(5))
    assert np.allclose(result.x * units, np.linalg.lstsq(A, y, rcond=None)[0], rtol=1e-12)


def test_fewer_residuals_than_unknowns_are_solved_exactly():
    result = fastmlp.levenberg_marquardt(
        lambda x: [x[0] * x[1] * x[2] - 1], lambda x: [[x[1] * x[2], x[0] * x[2], x[0] * x[1]]], [3, 1, 0.5]
    )
    assert result.success
    assert np.prod(result.x) == pytest.approx(1.0, rel=1e-13)


def test_dependent_columns_and_columns_of_zeros_do_no_harm():
    B = np.column_stack([A[:, :3], A[:, 0] + A[:, 1], np.zeros(12)])
    result = fastmlp.levenberg_marquardt(lambda x: B @ x - y, lambda x: B, np.zeros(5))
    assert result.success
    assert result.x[4] == 0
    assert np.allclose(B @ result.x, B @ np.linalg.lstsq(B, y, rcond=None)[0], rtol=1e-12)


def test_a_start_at_the_minimum_stays_there():
    result = fastmlp.levenberg_marquardt(lambda x: x - 3, lambda x: np.eye(2), [3, 3])
    assert (result.status, result.nit, result.nfev, result.njev) == (1, 0, 1, 1)
    assert result.x.tolist() == [3, 3]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_trial_that_is_not_finite_is_a_rejected_step(bad):
    outside = []

    def fun(x):  # log(1 + x) + 2 as far as there is one; the first step leads to -2
        outside.append(x[0] <= -1)
        return [bad if outside[-1] else np.log1p(x[0]) + 2]

    result = fastmlp.levenberg_marquardt(fun, lambda x: [[1 / (1 + x[0])]], [0.0])
    assert any(outside)
    assert result.success
    assert result.x[0] == pytest.approx(np.expm1(-2.0), rel=1e-14)


def test_a_jacobian_that_is_not_finite_is_a_rejected_step():
    def jac(x):
        return [[np.nan if x[0] < 0.9 else 1.0]]

    result = fastmlp.levenberg_marquardt(lambda x: [x[0]], jac, [1.0])
    assert 0.9 <= result.x[0] < 1
    assert not result.success
    assert result.status == -1


def test_overflow_in_a_trial_warns_nobody():
    fun, jac = nist.functions("BoxBOD")  # exp overflows in steps from its first start
    with np.errstate(over="raise"):
        assert fastmlp.levenberg_marquardt(fun, jac, nist.load("BoxBOD").starts[0]).success


def test_exceptions_of_the_functions_propagate():
    class NoAnswerError(Exception):
        pass

    def fail(x):
        raise NoAnswerError

    with pytest.raises(NoAnswerError):
        fastmlp.levenberg_marquardt(fail, slope, np.zeros(5))
    with pytest.raises(NoAnswerError):
        fastmlp.levenberg_marquardt(line, fail, np.zeros(5))


def test_functions_may_change_what_they_get_and_reuse_what_they_give():
    r, J = np.empty(2), np.empty((2, 2))

    def fun(x):
        r[:] = 10 * (x[1] - x[0] ** 2), 1 - x[0]
        x[:] = np.nan
        return r

    def jac(x):
        J[:] = [[-20 * x[0], 10], [-1, 0]]
        x[:] = np.nan
        return J

    x0 = np.array([-1.2, 1])
    result = fastmlp.levenberg_marquardt(fun, jac, x0)
    assert np.allclose(result.x, 1, rtol=1e-14)
    assert x0.tolist() == [-1.2, 1]


def test_a_wrong_jacobian_is_no_success():
    result = fastmlp.levenberg_marquardt(
        lambda x: np.sin(x) + x - 1, lambda x: -np.eye(3), [1.0, 2.0, 3.0], max_iter=50
    )
    assert not result.success


def test_the_result_says_what_was_found():
    fun, jac, x0, _ = CLASSICS["brown and dennis"]
    result = fastmlp.levenberg_marquardt(fun, jac, x0, max_iter=7)
    assert (result.status, result.nit, result.success) == (0, 7, False)
    assert "max_iter" in result.message
    assert np.array_equal(result.fun, fun(result.x))
    assert np.array_equal(result.jac, jac(result.x))
    assert result.cost == pytest.approx(0.5 * np.sum(fun(result.x) ** 2), rel=1e-15)
    assert np.allclose(result.grad, jac(result.x).T @ fun(result.x), rtol=1e-14)
    assert result.optimality == np.abs(result.grad).max()
    assert result.mu > 0
    assert isinstance(result, scipy.optimize.OptimizeResult)
    assert result.njev == 8
    assert result.nfev >= result.njev


@pytest.mark.parametrize(("name", "status"), [("gtol", 1), ("ftol", 2), ("xtol", 3)])
def test_a_wide_tolerance_ends_the_search_early_and_is_named(name, status):
    fun, jac = nist.functions("Rat43")
    start = nist.load("Rat43").starts[1]
    tight, wide = fastmlp.levenberg_marquardt(fun, jac, start), {"gtol": 1.0, "ftol": 1e-3, "xtol": 1e-3}[name]
    early = fastmlp.levenberg_marquardt(fun, jac, start, **{name: wide})
    assert (early.status, early.success) == (status, True)
    assert early.nit < tight.nit
    assert name in early.message


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"fun": 3}, TypeError, "fun: expected a callable, got 3"),
        ({"jac": "2-point"}, TypeError, "jac: expected a callable, got '2-point'"),
        ({"x0": np.zeros((1, 5))}, ValueError, r"x0: expected shape \(n,\), got \(1, 5\)"),
        ({"x0": []}, ValueError, r"x0: expected shape \(n,\), got \(0,\)"),
        ({"x0": [np.nan] * 5}, ValueError, "x0: expected finite numbers, got nan"),
        ({"x0": np.zeros(5) + 0j}, TypeError, "x0: expected real numbers, got dtype complex128"),
        ({"fun": lambda x: np.ones((12, 1))}, ValueError, r"fun: expected residuals of shape \(m,\), got \(12, 1\)"),
        ({"fun": lambda x: 1.0}, ValueError, r"fun: expected residuals of shape \(m,\), got \(\)"),
        ({"fun": lambda x: []}, ValueError, r"fun: expected residuals of shape \(m,\), got \(0,\)"),
        ({"fun": lambda x: line(x) + 0j}, TypeError, "fun: expected real numbers, got dtype complex128"),
        ({"fun": lambda x: None}, TypeError, "fun: expected an array of real numbers, got None"),
        ({"fun": lambda x: line(x) / 0.0}, ValueError, "fun at x0: expected finite numbers, got -?inf at index 0"),
        (
            {"fun": lambda x: line(x) + 1e200},
            ValueError,
            "fun at x0: expected residuals with finite squares",
        ),
        ({"fun": lambda x: np.ones(12 + x.any())}, ValueError, r"fun: expected shape \(12,\) as at x0, got \(13,\)"),
        ({"jac": lambda x: A.T}, ValueError, r"jac: expected shape \(12, 5\), got \(5, 12\)"),
        ({"jac": lambda x: A * np.nan}, ValueError, r"jac at x0: expected finite numbers, got nan at index \(0, 0\)"),
        ({"jac": lambda x: A * 1e200}, ValueError, "jac at x0: expected columns with finite squares"),
        ({"jac": lambda x: A + 0j}, TypeError, "jac: expected real numbers, got dtype complex128"),
        ({"ftol": -1.0}, ValueError, "ftol: expected a finite number >= 0"),
        ({"xtol": np.nan}, ValueError, "xtol: expected a finite number >= 0"),
        ({"gtol": None}, TypeError, "gtol: expected a real number"),
        ({"max_iter": 1.5}, TypeError, "max_iter: expected an integer"),
        ({"max_iter": -1}, ValueError, "max_iter: expected an integer >= 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_name(changes, error, message):
    with pytest.raises(error, match=message):
        fastmlp.levenberg_marquardt(**{"fun": line, "jac": slope, "x0": np.zeros(5), **changes})
