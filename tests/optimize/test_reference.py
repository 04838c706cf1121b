"""The best constant prediction: what the default tol and the success of minibatch methods are measured by."""

import numpy as np
import pytest

import fastmlp
from fastmlp.model.functional import check_samples
from fastmlp.optimize import reference

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
WEIGHT = rng.uniform(0.5, 2.0, 60)
LABELS = (X[:, 0] > 0.3).astype(int) + (X[:, 1] > 0)
VALUES = {
    "identity": X[:, :2] + [3.0, -1.0],
    "logistic": rng.uniform(0.1, 0.9, (60, 2)),
    "softmax": rng.dirichlet([1.0, 2.0, 3.0], 60),
    "exp": rng.poisson(4.0, (60, 2)).astype(float),
}
LINKS = {
    "identity": lambda c: c,
    "logistic": lambda c: np.log(c / (1 - c)),
    "softmax": np.log,
    "exp": np.log,
}


def of(net, T, weight=None):
    return reference.of(net._architecture, check_samples(net._architecture, X, T, weight))


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("output", VALUES)
def test_it_is_the_loss_of_a_network_with_output_biases_only(output, weight):
    T = VALUES[output]
    net = fastmlp.Network([3, T.shape[1]], output=output, rng=0)
    net.weights[0][...] = 0.0
    net.biases[0][...] = LINKS[output](np.average(T, axis=0, weights=weight))
    constant = of(net, T, weight)
    assert np.isclose(constant.loss, net.loss(X, T, sample_weight=weight), rtol=1e-13)
    assert np.abs(net.loss_and_grad(X, T, sample_weight=weight)[1][-T.shape[1] :]).max() < 1e-12  # the best of them


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_labels_are_classes_of_their_frequency(weight):
    net = fastmlp.Network([3, 3], output="softmax", rng=0)
    one_hot = np.eye(3)[LABELS]
    labels, soft = of(net, LABELS, weight), of(net, one_hot, weight)
    assert np.isclose(labels.loss, soft.loss, rtol=1e-13)
    assert np.isclose(labels.pull, soft.pull, rtol=1e-13)


@pytest.mark.parametrize("output", ["tanh", "sin", "logistic", "relu", "elu", "softplus", "silu", "gelu"])
def test_what_outputs_cannot_be_no_constant_is(output):
    T = -2.0 + 0.1 * X[:, :1]
    net = fastmlp.Network([3, 1], output=output, loss="squared_error", rng=0)
    net.weights[0][...] = 0.0
    losses = []
    for z in np.linspace(-40, 40, 8001):
        net.biases[0][...] = z
        losses.append(net.loss(X, T))
    assert np.isclose(of(net, T).loss, min(losses), rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("output", [*VALUES, "labels"])
def test_the_default_tol_is_a_share_of_what_the_samples_do_not_agree_on(output, weight, dtype):
    T = LABELS if output == "labels" else VALUES[output]
    K = 3 if output == "labels" else T.shape[1]
    name = "softmax" if output == "labels" else output
    values = np.eye(3)[LABELS] if output == "labels" else T
    s = np.ones(60) if weight is None else weight
    R = (s[:, None] * np.abs(values - np.average(values, axis=0, weights=s))).sum(axis=0).max()
    share = {"float64": 1e-8, "float32": 1e-5}[dtype]
    results = [
        fastmlp.Network([3, 2, K], output=name, dtype=dtype, rng=0).fit(
            X, T, "lm", sample_weight=weight, penalty=fastmlp.WeightDecay(0.1, 0.1), tol=tol
        )
        for tol in (None, share * R)
    ]
    assert results[0].success
    assert np.array_equal(results[0].x, results[1].x)
    assert results[0].grad_norm <= share * R * (1 + 1e-6)


def test_it_is_that_of_the_standardised_problem():
    T = 1e4 * X[:, :1] ** 2 + 7e5
    u = (T - T.mean()) / T.std()
    net, other = fastmlp.Network([3, 3, 1], rng=0), fastmlp.Network([3, 3, 1], rng=0)
    decay = fastmlp.WeightDecay(0.1, 0.1)
    res = net.fit(X, T, penalty=decay, standardize=True)
    by_hand = other.fit(X, T, penalty=decay, standardize=True, tol=1e-8 * np.abs(u).sum())
    assert res.success
    assert np.array_equal(net.params, other.params)
    assert np.array_equal(res.history["loss"], by_hand.history["loss"])


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1 + 0.2, -1e-30, 7e20])
def test_equal_targets_have_an_absolute_tol(constant):
    T = np.full(60, constant)
    T[::2] *= 1 + 2e-16  # equal up to rounding
    net = fastmlp.Network([3, 2, 1], rng=0)
    assert of(net, T).pull == 0
    assert reference.default_tol(net._architecture, of(net, T)) == 1e-6
    single = fastmlp.Network([3, 2, 1], dtype="float32")
    assert reference.default_tol(single._architecture, of(single, T)) == 1e-3


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e9])
def test_many_samples_far_from_zero_keep_their_spread(offset):
    T = offset + np.tile([0.0, 1.0, 2.0], 100_000)
    net = fastmlp.Network([1, 1])
    constant = reference.of(net._architecture, check_samples(net._architecture, np.zeros((300_000, 1)), T))
    assert np.isclose(constant.pull, 200_000, rtol=1e-6 if offset < -1e8 else 1e-10)
    assert np.isclose(constant.loss, 100_000, rtol=1e-6 if offset < -1e8 else 1e-10)


@pytest.mark.parametrize("scale", [1e-100, 1e-10, 1e-3, 1.0, 1e6, 1e12])
@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg"])
def test_a_straight_line_is_found_at_any_scale_of_the_targets(method, scale):
    T = X @ [1.0, -2.0, 0.5] + 0.3 + 0.1 * rng.normal(size=60)
    net = fastmlp.Network([3, 1], rng=0)
    net.params = scale * net.params
    res = net.fit(X, scale * T, method)
    line = np.linalg.lstsq(np.c_[X, np.ones(60)], T, rcond=None)[0]
    assert res.success
    assert np.abs(net.params / scale - line).max() < 1e-7


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
def test_many_at_once_have_the_same_tol(method):
    T = 5.0 + 3.0 * np.sin(X[:, :1])
    decay = fastmlp.WeightDecay(0.1, 0.1)
    alone, *together = (fastmlp.Network([3, 3, 1], rng=1) for _ in range(3))
    res = alone.fit(X, T, method, penalty=decay, max_iter=500)
    results = fastmlp.fit_many(together, X, T, method, penalty=decay, ftol=0.0)
    assert [result.nit for result in results] == [res.nit] * 2
    assert all(net == alone for net in together)
    run = fastmlp.sweep(X, T, [3], n_starts=1, validation=(X, T), method=method, penalties=decay, ftol=0.0, rng=0).runs[
        0
    ]
    R = np.abs(T - T.mean()).sum()
    assert run.message.startswith("converged")
    assert run.grad_norm <= 1e-8 * R
