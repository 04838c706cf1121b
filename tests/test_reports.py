"""Small inputs that failed once, rebuilt from public reports: each ends as its report said it should."""

import time

import numpy as np
import pytest

import fastmlp


@pytest.mark.filterwarnings("ignore:.*out of the outputs' reach:fastmlp.ScaleWarning")
@pytest.mark.parametrize("units", ["raw", "standardised"])
@pytest.mark.parametrize(("unit", "noise"), [(1000.0, (0.1, 100.0)), (1.0, (0.1, 0.005))])
def test_fail_04_each_output_has_its_own_error_bars(unit, noise, units):
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(300, 2)), rng.normal(size=(5000, 2))
    # the report draws its second targets after the first ones
    draws = [(rng.normal(size=(300, 2)), rng.normal(size=(5000, 2))) for _ in range(2)][unit == 1.0]
    clean = lambda A: np.column_stack([np.tanh(A[:, 0]), unit * A[:, 1]])  # noqa: E731
    T, of_new = (clean(A) + own * noise for A, own in zip((X, new), draws, strict=True))
    if units == "standardised":
        mean, deviation = T.mean(axis=0), T.std(axis=0)
        T, of_new, noise = (T - mean) / deviation, (of_new - mean) / deviation, noise / deviation
    model = fastmlp.MLPRegressor(
        hidden_layer_sizes=(4,), activation="tanh", solver="lm", alpha=0.01, random_state=0, max_iter=2000
    )
    posterior = fastmlp.fit_evidence(fastmlp.Network([2, 4, 2], rng=0), X, T)
    mean, variance = posterior.predict(new)
    for y, sd in (model.fit(X, T).predict(new, return_std=True), (mean, np.sqrt(variance))):
        covered = (np.abs(of_new - y) < 1.96 * sd).mean(axis=0)
        assert ((covered > 0.92) & (covered < 0.98)).all(), covered  # 300 samples tell a deviation to 4 %
        assert np.allclose(np.median(sd, axis=0), noise, rtol=0.12)


def dual(net, X, t, decay, n_steps):
    """Levenberg-Marquardt as in the report, (J'J + a I)^-1 g by the N x N matrix: the objective after so many steps."""
    objective = net.objective(X, t, penalty=fastmlp.WeightDecay(decay, decay), n_threads=1)
    w, mu = objective.x0, 0.1
    f, g = objective.value_and_grad(w)
    for _ in range(n_steps):
        net.params = w
        J = net.jacobian(X, wrt="params")[:, 0, :]
        while mu < 1e12:
            a = decay + mu
            step = -(g - J.T @ np.linalg.solve(J @ J.T + a * np.eye(len(X)), J @ g)) / a
            if objective.value(w + step) < f:
                break
            mu *= 4
        w, mu = w + step, mu / 3
        f, g = objective.value_and_grad(w)
    return f


@pytest.mark.parametrize("n_inputs", [500, 1000, 2000])
def test_fail_07_wide_data_are_trained_by_n_x_n_matrices(n_inputs):
    rng = np.random.default_rng(0)
    for D in (500, 1000, 2000):  # the report draws one after the other
        X = rng.normal(size=(50, D))
        t = X[:, 0] + 0.1 * rng.normal(size=50)
        if n_inputs == D:
            break
    net = fastmlp.Network([n_inputs, 1, 1], rng=0)
    least = dual(net.copy(), X, t, 0.1, 200)
    start = net.params.copy()
    result = net.fit(X, t, "lm", penalty=fastmlp.WeightDecay(0.1, 0.1), n_threads=1)
    assert result.success
    assert result.fun == pytest.approx(least, rel=1e-8)
    net.params = start
    matrix = np.eye(net.n_params) + 1e-3
    seconds = [time.process_time()]
    net.fit(X, t, "lm", max_iter=10, penalty=fastmlp.WeightDecay(0.1, 0.1), n_threads=1)
    seconds.append(time.process_time())
    np.linalg.cholesky(matrix)  # one P x P system, of which ten steps would solve ten and form as many
    seconds.append(time.process_time())
    steps, factor = np.diff(seconds)
    assert steps < max(3 * factor, 0.1)


def test_fail_07_a_time_limit_is_asked_within_a_step():
    X = np.random.default_rng(0).normal(size=(3000, 40))

    def seconds(**limits):
        net, before = fastmlp.Network([40, 60, 1], rng=0), time.process_time()
        result = net.fit(X, X[:, 0], "lm", n_threads=1, **limits)
        return time.process_time() - before, result

    step, _ = seconds(max_iter=1)
    spent, result = seconds(time_limit=step / 10)
    assert result.message == "stopped at time_limit"
    assert spent < step / 10 + step / 2
