"""Solvers that use second derivatives, and how far down full-batch solvers get."""

import itertools

import numpy as np
import pytest

import fastmlp
from cases import FULL_BATCH, SCIPY, SECOND_ORDER, but, network

X = np.linspace(-2, 2, 60)[:, np.newaxis]
T = np.sin(2 * X) + 0.1 * np.random.default_rng(0).normal(size=X.shape)
PENALTY = fastmlp.WeightDecay(0.01, 0.01)
OF_SLOPES = but(FULL_BATCH, "rprop")  # which goes by signs alone, and takes more steps than are allowed here


def fresh(dtype="float64", seed=0):
    return fastmlp.Network([1, 4, 1], rng=seed, dtype=dtype)


def moeller(objective, n_steps):
    """Scaled conjugate gradients as printed in Møller (1993), with s_k = H p_k; objectives, and counts of events."""
    E, gradient = objective.value, objective.grad
    w, lambda_k, lambda_bar, success = objective.x0, 1e-6, 0.0, True
    r = p = -gradient(w)
    values, k = [E(w)], 1
    rejected = bent = uphill = restarts = 0
    while len(values) <= n_steps:
        squared = p @ p
        if success:
            delta = p @ objective.hessp(w, p)
        delta += (lambda_k - lambda_bar) * squared
        if delta <= 0:
            bent += 1
            lambda_bar = 2 * (lambda_k - delta / squared)
            delta = -delta + lambda_k * squared
            lambda_k = lambda_bar
        mu = p @ r
        alpha = mu / delta
        uphill += mu < 0
        Delta = 2 * delta * (E(w) - E(w + alpha * p)) / mu**2
        success = Delta >= 0
        if success:
            w = w + alpha * p
            before, r = r, -gradient(w)
            lambda_bar = 0.0
            restarts += k % w.size == 0
            p = r if k % w.size == 0 else r + (r @ r - r @ before) / mu * p
            values.append(E(w))
            k += 1
            if Delta >= 0.75:
                lambda_k /= 4
        else:
            rejected += 1
            lambda_bar = lambda_k
        if Delta < 0.25:
            lambda_k += delta * (1 - Delta) / squared
    return values, (rejected, bent, uphill, restarts)


def test_scg_makes_the_steps_of_the_publication():
    events = np.zeros(4, int)
    for seed in range(8):
        net = network([2, 3, 2], output="softmax", seed=seed, scale=2.0)
        rng = np.random.default_rng(seed)
        inputs, labels = rng.normal(size=(40, 2)), rng.integers(2, size=40)
        expected, seen = moeller(net.objective(inputs, labels, penalty=PENALTY), 25)
        res = net.fit(inputs, labels, "scg", penalty=PENALTY, max_iter=25)
        assert np.allclose(res.history["loss"], expected, rtol=1e-7)
        events += seen
    assert events.min() > 0  # rejected steps, negative curvature, uphill directions and restarts were among them


def test_scg_solves_a_quadratic_problem_in_as_many_steps_as_there_are_parameters():
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(50, 7)), rng.normal(size=50)
    net = fastmlp.Network([7, 1], rng=0)
    res = net.fit(inputs, targets, "scg", damping=1e-12)
    assert res.success
    assert res.nit <= 9
    expected = np.linalg.lstsq(np.column_stack([inputs, np.ones(50)]), targets)[0]
    assert np.allclose(net.params, expected, atol=1e-7)


def test_scg_starts_anew_from_the_gradient_every_p_steps():
    net = network([1, 2, 1])
    seen = []
    for n_steps in range(1, 16):
        other = net.copy()
        res = other.fit(X, T, "scg", max_iter=n_steps)
        gradient = other.loss_and_grad(X, T)[1]
        seen.append(np.array_equal(res.state["direction"], -gradient))
    assert seen == [n_steps % net.n_params == 0 for n_steps in range(1, 16)]


def test_a_trial_that_is_not_finite_is_a_rejected_step():
    net = fastmlp.Network([1, 1], output="exp", rng=0)
    net.params = [0.0, -60.0]  # nearly flat: the first steps are 1e6 times too long
    res = net.fit(X, np.full(60, 3.0), "scg")
    assert res.success
    assert res.nfev > res.nit + 5
    assert np.allclose(net.params, [0, np.log(3)], atol=1e-6)
    assert np.isfinite(res.history["loss"]).all()


def test_a_callback_or_the_clock_may_end_scg_and_it_goes_on_from_there():
    whole, parts = fresh(), fresh()
    whole.fit(X, T, "scg", max_iter=20)
    first = parts.fit(X, T, "scg", callback=lambda state: state.nit == 7)
    second = parts.fit(X, T, "scg", time_limit=0.0, warm_start=first)
    assert second.nit == 1
    parts.fit(X, T, "scg", max_iter=12, warm_start=second)
    assert parts == whole


@pytest.mark.parametrize("method", SECOND_ORDER)
def test_products_with_the_hessian_are_counted(method):
    net = fresh()
    objective = net.objective(X, T)
    res = net.fit(X, T, method, max_iter=10)
    assert res.nhev >= res.nit
    assert fresh().fit(X, T, "lbfgs", max_iter=10).nhev == 0
    assert res.fun < 0.2 * objective.value(objective.x0)


@pytest.mark.parametrize("method", [name for name in SCIPY if name.startswith("trust-")])
def test_rejected_steps_are_not_iterations(method):
    seen = []
    res = fresh(seed=1).fit(X, T, method, penalty=PENALTY, max_iter=100, callback=lambda state: seen.append(state.x))
    assert res.nfev > res.nit + 1
    assert all(not np.array_equal(one, other) for one, other in itertools.pairwise(seen))


@pytest.mark.parametrize("method", OF_SLOPES)
def test_tight_tolerances_are_reached_though_differences_of_the_objective_drown(method):
    results = [fresh(seed=seed).fit(X, T, method, penalty=PENALTY, tol=1e-10, max_iter=5000) for seed in (0, 5, 6)]
    assert all(res.success == (res.grad_norm <= 1e-10) for res in results)
    # of 120 starts slsqp, bfgs and scg leave one each, another one on each processor
    assert sum(res.success for res in results) >= 2


@pytest.mark.parametrize("method", but(OF_SLOPES, "trust-constr"))  # which takes half a minute for it
def test_tolerances_below_rounding_errors_end_in_a_stall(method):
    nets = [fastmlp.Network([1, 2, 1], rng=seed, dtype="float32") for seed in range(3)]
    results = [net.fit(X, T, method, penalty=PENALTY, tol=0.0, max_iter=100_000) for net in nets]
    assert all(res.message == "stopped: no further decrease within rounding error" for res in results)
    assert not any(res.success for res in results)
    # of twelve starts slsqp leaves two at gradients of 0.6 to 2.5, other ones on one thread of BLAS than on two
    assert sum(res.grad_norm < 0.1 for res in results) >= (1 if method == "slsqp" else 3)
    assert all(res.nit < 5_000 for res in results)


def regression():
    return fastmlp.Network([1, 3, 1], rng=1), X, T


def classification():
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(80, 2))
    labels = (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] > 0)
    return fastmlp.Network([2, 3, 3], output="softmax", rng=0), inputs, labels


@pytest.mark.parametrize("problem", [regression, classification])
@pytest.mark.parametrize("method", FULL_BATCH)
def test_all_solvers_reach_the_same_optimum(method, problem):
    net, inputs, targets = problem()
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    optimum = net.fit(inputs, targets, "trust-exact", penalty=penalty, tol=1e-9)
    assert optimum.success
    net.params += 0.02 * np.random.default_rng(2).normal(size=net.n_params)
    res = net.fit(inputs, targets, method, penalty=penalty, max_iter=3000)
    assert res.success
    assert res.grad_norm <= 1e-6
    assert res.fun == pytest.approx(optimum.fun, rel=1e-10)
    assert np.allclose(net.params, optimum.x, atol=1e-4)


@pytest.mark.parametrize("size", [1e100, 1e154])
@pytest.mark.parametrize("output", ["identity", "softmax"])
def test_numbers_that_overflow_within_scipy_end_a_training_and_raise_nothing(output, size):
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(30, 3)), rng.dirichlet(np.ones(2), 30)
    inputs[0, 0] = size
    for method in but(SECOND_ORDER, "scg"):
        net = fastmlp.Network([3, 4, 2], "relu", output, rng=0)
        before = net.loss(inputs, targets)
        assert not net.fit(inputs, targets, method, max_iter=9).success
        assert net.loss(inputs, targets) <= before


def test_what_a_term_raises_within_scipy_comes_through():
    class Overflowing:
        def value(self, params):
            return 0.0

        def value_and_grad(self, params):
            raise OverflowError("of the term")

    with pytest.raises(OverflowError, match="of the term"):
        fastmlp.Network([3, 2], rng=0).fit(np.ones((4, 3)), np.ones((4, 2)), "trust-exact", penalty=Overflowing())
