"""Early stopping at the smallest validation loss (L14): the same in every solver, and over a warm start."""

import time

import numpy as np
import pytest

import fastmlp
from cases import ALL, MINIBATCH, RESUMABLE, network

rng = np.random.default_rng(0)
X, T = rng.uniform(-2, 2, (10, 1)), rng.normal(size=(10, 1))  # noise to be learned by heart
XV = np.linspace(-2, 2, 50)[:, None]
TV = np.sin(2 * XV)


def fresh(dtype="float64"):
    return fastmlp.Network([1, 8, 1], rng=3, dtype=dtype)


def settings(method):
    rates = {"sgd": 0.05, "adam": 0.02}
    return {"method": method, "validation": (XV, TV), "learning_rate": rates.get(method), "rng": 0}


def mean_loss(net, params, inputs, targets):
    """By the formula, in NumPy."""
    W1, b1, W2, b2 = np.split(params, [8, 16, 24])
    outputs = np.tanh(inputs * W1 + b1) @ W2[:, None] + b2
    return 0.5 * np.sum((outputs - targets) ** 2) / len(inputs)


def visited(method, net=None, **options):
    """The result of a training, and the parameters at its start and after each iteration."""
    net = fresh() if net is None else net
    points = [net.params.astype(float)]
    res = net.fit(X, T, callback=lambda state: points.append(state.x.astype(float)), **settings(method) | options)
    return res, points


@pytest.mark.parametrize("method", ALL)
def test_the_history_holds_both_losses_of_each_iteration(method):
    net = fresh()
    res, points = visited(method, net, max_iter=15)
    validation = [mean_loss(net, x, XV, TV) for x in points]
    training = [mean_loss(net, x, X, T) for x in points]
    assert len(points) > 3
    np.testing.assert_allclose(res.history["validation_loss"], validation, rtol=1e-12)
    if method in MINIBATCH:  # running means over the epochs
        np.testing.assert_allclose(res.history["train_loss"][0], training[0], rtol=1e-12)
        np.testing.assert_allclose(res.history["train_loss"][1:], training[1:], rtol=0.5)
    else:
        np.testing.assert_allclose(res.history["train_loss"], training, rtol=1e-12)


@pytest.mark.parametrize("method", ALL)
def test_patience_ends_where_the_validation_loss_has_not_improved_and_restores_the_best(method):
    net = fresh()
    res, points = visited(method, net, patience=7, max_iter=3000)
    losses = [mean_loss(net, x, XV, TV) for x in points]
    best = int(np.argmin(losses))
    assert res.message.startswith("stopped by patience")
    # as asked: a success, unless a constant does better on the samples that were trained on
    assert res.success == (mean_loss(net, points[best], X, T) <= 0.5 * T.var())
    assert res.nit == best + 7
    assert np.array_equal(net.params, points[best])
    assert np.array_equal(res.x, points[best])
    assert res.fun == net.loss(X, T)
    assert mean_loss(net, net.params, XV, TV) == pytest.approx(res.history["validation_loss"].min(), rel=1e-12)


@pytest.mark.parametrize("end", ["max_iter", "callback", "time_limit", "KeyboardInterrupt"])
@pytest.mark.parametrize("method", ALL)
def test_the_best_so_far_is_kept_however_the_training_ends(method, end):
    net, points, losses = fresh(), [], []

    def callback(state):
        points.append(state.x)
        losses.append(state.validation_loss)
        if len(points) < best + 3:
            return None
        if end == "KeyboardInterrupt":
            raise KeyboardInterrupt
        if end == "time_limit":
            time.sleep(0.3)
        return end == "callback"

    whole, _ = visited(method, patience=7, max_iter=3000)
    best = int(np.argmin(whole.history["validation_loss"]))
    limits = {"max_iter": best + 3} if end == "max_iter" else {"max_iter": best + 50}
    options = settings(method) | limits | {"patience": 50, "time_limit": 0.3 if end == "time_limit" else None}
    if end == "KeyboardInterrupt":
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, T, callback=callback, **options)
    else:
        res = net.fit(X, T, callback=callback, **options)
        assert res.nit == len(points)
        words = {"callback": "stopped by the callback", "time_limit": "stopped at time_limit"}
        assert res.message == words.get(end, res.message)
    start = mean_loss(net, fresh().params, XV, TV)
    expected = points[int(np.argmin(losses))] if min(losses) < start else fresh().params
    assert np.array_equal(net.params, expected)


@pytest.mark.parametrize("method", ALL)
def test_the_time_limit_ends_every_solver(method):
    fresh().fit(X, T, method, max_iter=1)  # what is imported late is there
    net = fresh()
    start = time.perf_counter()
    res = net.fit(X, T, method, time_limit=0.05, tol=0 if method not in MINIBATCH else None, max_iter=10**6,
                  callback=lambda state: time.sleep(0.01))  # fmt: skip
    assert time.perf_counter() - start < 5
    assert res.message == "stopped at time_limit"
    assert 1 <= res.nit <= 6


@pytest.mark.parametrize("method", RESUMABLE)
@pytest.mark.parametrize("patience", [1, 4, 30])
@pytest.mark.parametrize("validation", [(XV, TV), 0.3])
def test_two_fits_of_k_equal_one_of_2k_with_patience_too(method, patience, validation, dtype):
    halves, whole = fresh(dtype), fresh(dtype)
    options = settings(method) | {"patience": patience, "validation": validation}
    first = halves.fit(X, T, max_iter=12, **options)
    second = halves.fit(X, T, max_iter=12, warm_start=first, **options)
    res = whole.fit(X, T, max_iter=24, **options)
    assert halves == whole
    assert first.nit + second.nit == res.nit
    assert second.message == res.message
    for name in ("validation_loss", *(() if method in MINIBATCH else ("loss", "train_loss", "grad_norm"))):
        together = np.append(first.history[name], second.history[name][1:])
        assert np.array_equal(together, res.history[name])


@pytest.mark.parametrize("max_step", [50.0, 5.0])
def test_rprop_continues_where_it_rose_above_its_start(max_step):
    """It is the lowest point that was left in the network, and the last one from which the steps go on."""
    halves, whole = fresh(), fresh()
    options = {"method": "rprop", "initial_step": 2.0, "max_step": max_step}
    first = halves.fit(X, T, max_iter=3, **options)
    assert first.fun < first.history["loss"][-1]
    halves.fit(X, T, max_iter=3, warm_start=first, **options)
    whole.fit(X, T, max_iter=6, **options)
    assert halves == whole


@pytest.mark.parametrize("method", RESUMABLE)
def test_a_training_that_patience_has_ended_goes_on_with_more_of_it(method):
    net, whole = fresh(), fresh()
    first = net.fit(X, T, patience=2, max_iter=500, **settings(method))
    again = net.fit(X, T, patience=2, max_iter=500, warm_start=first, **settings(method))
    assert again.nit == 0
    assert again.message == first.message
    assert np.array_equal(again.x, first.x)
    more = net.fit(X, T, patience=20, max_iter=500, warm_start=again, **settings(method))
    res = whole.fit(X, T, patience=20, max_iter=500, **settings(method))
    assert first.nit + more.nit == res.nit
    assert net == whole


def test_the_best_of_an_earlier_fit_counts_by_its_loss_on_the_present_validation_set():
    net = fresh()
    first = net.fit(X, T, patience=5, max_iter=500, **settings("rprop"))
    second = net.fit(X, T, patience=10**3, max_iter=5, warm_start=first, **settings("rprop") | {"validation": (X, T)})
    losses = second.history["validation_loss"]
    assert mean_loss(net, net.params, X, T) == pytest.approx(losses.min(), rel=1e-12)


def test_changed_parameters_are_where_a_warm_start_begins():
    net = fresh()
    first = net.fit(X, T, patience=5, max_iter=500, **settings("rprop"))
    net.params = changed = first.x + 1.0
    second = net.fit(X, T, patience=5, max_iter=0, warm_start=first, **settings("rprop"))
    assert np.array_equal(second.x, changed)
    assert second.history["validation_loss"][0] == pytest.approx(mean_loss(net, changed, XV, TV), rel=1e-12)


@pytest.mark.parametrize("targets", ["labels", "one-hot", "0 and 1"])
@pytest.mark.parametrize("method", ALL)
def test_a_fraction_of_each_class_is_held_back(method, targets):
    labels = np.repeat([0, 1], [60, 20])
    net = network([1, 1], output="logistic") if targets == "0 and 1" else network([1, 2], output="softmax")
    values = {"labels": labels, "one-hot": np.eye(2)[labels], "0 and 1": labels.astype(float)}[targets]
    res = net.fit(np.linspace(0, 1, 80)[:, None], values, method, validation=0.1, max_iter=1, rng=0)
    assert np.array_equal(np.bincount(labels[res.state["held_back"]]), [6, 2])
