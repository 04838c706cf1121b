"""Units that say nothing on the samples, or no more than a bias does: pruned without a penalty on biases."""

import numpy as np
import pytest

import autodiff
import fastmlp
from cases import network, relative_error
from fastmlp.pruning import reduced

PENALTY = fastmlp.WeightDecay(0.1)


def cheapest(A, w, S):
    """Rise and place of a minimum of (v - w)'A(v - w)/2 with v_S = 0, where A is singular, the closest one."""
    left = np.setdiff1d(np.arange(len(w)), S)
    d = np.zeros(len(w))
    d[S] = -w[S]
    d[left] = np.linalg.lstsq(A[np.ix_(left, left)], A[np.ix_(left, S)] @ w[S], rcond=1e-11)[0]
    return 0.5 * d @ A @ d, w + d


def one_dead_one_straight():
    """A network of relu: unit 0 is 0 in all samples, unit 1 the line itself, 2 and 3 are neither."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0.5, 1.5, (60, 2)) * rng.choice([-1, 1], (60, 2))  # no sample near a kink
    T = np.maximum(X[:, :1], 0) + np.maximum(-X[:, 1:], 0) + 0.3 * X[:, :1] + 0.1 * rng.normal(size=(60, 1))
    net = network([2, 4, 1], "relu", scale=0.3)
    net.weights[0][2:] = [[1.0, 0.0], [0.0, -1.0]]
    net.biases[0][...] = [-9.0, 9.0, 0.0, 0.0]
    net.weights[1][0, 2:] = 1.0
    net.fit(X, T, "lm", penalty=PENALTY, tol=1e-9)
    active = (net.trace(X).z[0] > 0).sum(axis=0)
    assert active[0] == 0
    assert active[1] == 60
    return net, X, T


@pytest.mark.parametrize("are_held", [False, True])
@pytest.mark.parametrize("what", ["weights", "inputs", ["b1", "b2"]])
def test_dead_units_go_and_straight_ones_give_their_bias_away(what, are_held, monkeypatch):
    """Rounding decides whether the singular matrix has a factor; where it has none, biases are held a little."""
    net, X, T = one_dead_one_straight()
    if are_held:
        monkeypatch.setattr(reduced.Reduced, "settled", lambda self, A: self.held(A) if A.diagonal().all() else A)
    found = fastmlp.saliencies(net, X, T, penalty=PENALTY, what=what)
    left = np.setdiff1d(np.arange(17), [0, 1, 8, 12])  # without unit 0
    A = (autodiff.hessian(net, X, T) + np.diag(PENALTY.diagonal(net._architecture)))[np.ix_(left, left)]
    assert abs(np.linalg.eigvalsh(A)[0]) < 1e-10
    sets = {"weights": left[:, np.newaxis], "inputs": [[2, 4, 6], [3, 5, 7]]}.get(str(what), [[9, 10, 11], [16]])
    free = np.searchsorted(left, [9, 10, 11, 16])  # biases
    held = A.copy()
    held[free, free] += reduced.SHIFTED * A.diagonal()[free].mean()
    ways = [
        [cheapest(matrix, net.params[left], np.searchsorted(left, S)) for S in sets]
        for matrix in ((held,) if are_held else (A, held))
    ]
    errors = [relative_error(found.rise, [rise for rise, _ in way]) for way in ways]
    assert min(errors) < 1e-6
    expected = ways[int(np.argmin(errors))]
    for k, (_, v) in enumerate(expected):
        without = np.zeros(17)
        without[left] = v
        J = net.jacobian(X, wrt="params")[:, 0]  # biases may be shifted: what the outputs do is determined
        np.testing.assert_allclose(J @ (found.params[k] - net.params), J @ (without - net.params), atol=1e-6)
    path = fastmlp.prune(net, X, T, penalty=PENALTY, what=what)
    assert path.steps[0].pruned[[0, 1, 8, 12]].all()
    assert path.steps[0].objective == pytest.approx(net.objective(X, T, penalty=PENALTY).value(net.params), rel=1e-9)
    assert len(path.steps) > 1


def test_dead_units_go_where_samples_come_in_chunks():
    net, X, T = one_dead_one_straight()
    chunks = fastmlp.Chunks(X, T, rows=23)
    found, expected = (fastmlp.saliencies(net, *data, penalty=PENALTY, what="inputs") for data in ((chunks,), (X, T)))
    assert relative_error(found.rise, expected.rise) < 1e-4  # one may be held, as above
    paths = [fastmlp.prune(net, *data, penalty=PENALTY, what="units") for data in ((chunks,), (X, T))]
    assert len(paths[0].steps) == len(paths[1].steps) > 2
    for step, other in zip(*(path.steps for path in paths), strict=True):
        assert step.removed == other.removed
        assert abs(step.objective - other.objective) < 1e-9 * abs(other.objective)


@pytest.mark.parametrize("hidden", ["relu", "identity", "tanh", "softplus"])
@pytest.mark.parametrize("seed", range(4))
def test_paths_of_estimators_end_where_nothing_is_left(hidden, seed):
    """Their alpha is not on biases, and relu is what they take by themselves."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3))
    t = np.tanh(X[:, 0] - X[:, 1]) + 0.1 * rng.normal(size=60)
    net, penalty = fastmlp.Network([3, 5, 1], hidden, rng=seed), PENALTY
    net.fit(X, t, "lm", penalty=penalty, max_iter=200)
    path = fastmlp.prune(net, X, t, penalty=penalty)
    assert path.steps[-1].n_params <= 2
    objective = net.objective(X, t, penalty=penalty)
    for step in path.steps:
        assert np.isclose(objective.value(step.params), step.objective, rtol=1e-9)
        assert np.isfinite(step.bic)
    whole = path.steps[0].objective
    assert min(step.objective for step in path.steps[:5]) < 1.5 * whole


def test_noise_is_no_smaller_than_residuals():
    """A unit that is about to die makes exact second derivatives almost singular, and gamma as negative as can be."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    T = np.tanh(X[:, :1] - X[:, 1:2]) + 0.1 * rng.normal(size=(60, 1))
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    net = fastmlp.Network([3, 4, 1], rng=0)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-9)
    H = net.objective(X, T, penalty=penalty).hess(net.params)
    assert len(H) - 0.1 * np.trace(np.linalg.inv(H)) < -1
    expected = 60 / ((net(X) - T) ** 2).sum()
    posterior = fastmlp.Laplace(net, X, T, penalty=penalty, hessian="exact")
    assert posterior.noise_precision == pytest.approx(expected, rel=1e-12)
    path = fastmlp.prune(net, X, T, penalty=penalty, tol=1e-9)
    assert path.steps[0].log_evidence == pytest.approx(posterior.log_evidence, rel=1e-9)
    for step in path.steps:
        sse = 2 * 60 * step.train_loss
        best = 60 * np.log(sse / 60) + 60 * (1 + np.log(2 * np.pi))  # -2 ln p with the noise of the largest likelihood
        assert step.bic >= step.n_params * np.log(60) + best - 1e-9
        assert step.bic <= step.n_params * np.log(60) + best + 60


def test_networks_that_the_data_do_not_determine_are_trained_again():
    """More weights than samples and no penalty: Newton has nothing to say, and Levenberg-Marquardt goes on."""
    net = network([3, 10, 1])
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(12, 3)), rng.normal(size=12)
    net.fit(X, t, "lm", max_iter=5)
    result = fastmlp.refit(net, X[2:], t[2:])
    assert result.success
    assert result.fun < 1e-12
    assert result.predicted is None
    assert np.isnan(result.moved)
    assert np.isnan(result.predicted_decrease)
    with pytest.raises(fastmlp.NotPositiveDefiniteError, match="smallest eigenvalue"):
        fastmlp.prune(net, X, t)


def test_steps_are_asked_for_by_number():
    net, X, T = one_dead_one_straight()
    path = fastmlp.prune(net, X, T, penalty=PENALTY)
    n = len(path.steps)
    assert path.network(-1) == path.network(n - 1)
    assert np.array_equal(path.fixed(-n), path.fixed(0))
    for ask in (path.network, path.fixed):
        for wrong in (n, -n - 1):
            with pytest.raises(IndexError, match=f"^step: expected a number from {-n} to {n - 1}, got {wrong}"):
                ask(wrong)
        for wrong in (None, 1.0, slice(2), True):
            with pytest.raises(TypeError, match=r"^step: expected an integer"):
                ask(wrong)
