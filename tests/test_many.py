"""`fit_many`: the same as `Network.fit`, network by network."""

import numpy as np
import pytest

import fastmlp
from fastmlp import _validation as check

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
T = np.sin(X.sum(axis=1)) + 0.1 * RNG.normal(size=60)
DECAY = fastmlp.WeightDecay(weights=0.01, biases=0.01)
SIZES = (1, 2, 3, 5, 8)


def networks(dtype="float64"):
    return [fastmlp.Network([3, M, 1], rng=M, dtype=dtype) for M in SIZES]


@pytest.mark.parametrize("penalty", [None, DECAY])
def test_it_does_what_fit_does(penalty, dtype, n_threads):
    together, alone = networks(dtype), networks(dtype)
    results = fastmlp.fit_many(together, X, T, penalty=penalty, ftol=0.0, max_iter=100, n_threads=n_threads)
    for net, twin, result in zip(together, alone, results, strict=True):
        expected = twin.fit(X, T, "lm", penalty=penalty, max_iter=100)
        assert net == twin
        assert np.array_equal(result.x, expected.x)
        for name in ("nit", "nfev", "njev", "nhev", "message", "success", "method"):
            assert result[name] == expected[name]
        assert result.fun == pytest.approx(expected.fun, rel=1e-12 if dtype == "float64" else 1e-5)
        assert result.train_loss == pytest.approx(expected.history["train_loss"][-1], rel=1e-5)


@pytest.mark.parametrize("method", ["lm", "lbfgs", "adam"])
def test_standardised_it_does_what_fit_does(method, dtype):
    raw, target = X * [1e5, 1e-3, 3.0] + [2e5, 0.0, 10.0], 2e4 * T + 1e5
    together, alone = networks(dtype), networks(dtype)
    options = {"penalty": DECAY, "standardize": True, "max_iter": 20}
    results = fastmlp.fit_many(together, raw, target, method, ftol=0.0, rng=3, **options)
    for net, twin, result, seed in zip(together, alone, results, check.seeds(3, len(SIZES)), strict=True):
        expected = twin.fit(raw, target, method, rng=seed, **options)
        assert net == twin
        assert net.units == twin.units
        assert np.array_equal(result.x, expected.x)
        assert result.fun == pytest.approx(expected.fun, rel=1e-12 if dtype == "float64" else 1e-4)
        assert result.train_loss == pytest.approx(net.loss(raw, target) / 60, rel=1e-12 if dtype == "float64" else 1e-3)
    fastmlp.fit_many(alone, raw, target, "lm", standardize=together[0].units, max_iter=3)
    assert all(net.units == together[0].units for net in alone)
    with pytest.raises(TypeError, match=r"^standardize: expected True, False or units"):
        fastmlp.fit_many(alone, raw, target, standardize=1)


def test_networks_of_all_kinds_go_together():
    labels = (T > 0).astype(int)
    kinds = [
        fastmlp.Network([3, 4, 2], output="softmax", rng=0),
        fastmlp.Network([3, 2, 2], output="softmax", hidden="logistic", rng=1, dtype="float32"),
        fastmlp.Network([3, 4, 3, 2], output="softmax", rng=2),
    ]
    results = fastmlp.fit_many(kinds, X, labels, penalty=DECAY)
    assert [result.success for result in results] == [True] * 3
    pair = [fastmlp.Network([3, 3, 1], output=output, rng=0) for output in ("logistic", "identity")]
    results = fastmlp.fit_many(pair, X, labels, penalty=[DECAY, None], max_iter=5)
    for output, penalty, net in zip(("logistic", "identity"), (DECAY, None), pair, strict=True):
        twin = fastmlp.Network([3, 3, 1], output=output, rng=0)
        twin.fit(X, labels, "lm", penalty=penalty, max_iter=5)
        assert net == twin


def test_sample_weights_count():
    weighted, repeated = networks(), networks()
    weight = RNG.integers(0, 3, size=60)
    first = fastmlp.fit_many(weighted, X, T, sample_weight=weight, penalty=DECAY)
    second = fastmlp.fit_many(repeated, np.repeat(X, weight, axis=0), np.repeat(T, weight), penalty=DECAY)
    assert [result.fun for result in first] == pytest.approx([result.fun for result in second], rel=1e-8)


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
def test_a_fraction_is_held_back_from_all_networks(method):
    nets = networks()
    results = fastmlp.fit_many(nets, X, T, method, validation=0.3, rng=1, penalty=DECAY)
    for M, result in zip(SIZES, results, strict=True):
        twin = fastmlp.Network([3, M, 1], rng=M)
        alone = twin.fit(X, T, method, validation=0.3, rng=1, penalty=DECAY, max_iter=500)
        assert result.fun == pytest.approx(alone.fun, rel=1e-6)
        assert result.validation_loss == pytest.approx(alone.history["validation_loss"][-1], rel=1e-3)


def test_a_validation_set_is_only_looked_at():
    nets, twins = networks(), networks()
    results = fastmlp.fit_many(nets, X[:40], T[:40], validation=(X[40:], T[40:]))
    without = fastmlp.fit_many(twins, X[:40], T[:40])
    assert nets == twins
    for net, result in zip(nets, results, strict=True):
        assert result.validation_loss == pytest.approx(net.loss(X[40:], T[40:]) / 20, rel=1e-12)
    assert np.isnan(without[0].validation_loss)


def test_lbfgs_trains_many_at_once_and_ends_by_its_limits():
    nets, twins = networks(), networks()
    results = fastmlp.fit_many(nets, X, T, "lbfgs", penalty=DECAY, ftol=0.0, max_iter=3000, maxcor=7)
    for twin, result in zip(twins, results, strict=True):
        alone = twin.fit(X, T, "lbfgs", penalty=DECAY, max_iter=3000, maxcor=7)
        assert (result.nit, result.nfev, result.nhev, result.message) == (alone.nit, alone.nfev, 0, alone.message)
    assert nets == twins
    messages = {
        fastmlp.fit_many(networks(), X, T, "lbfgs", **limit)[0].message.split(":")[0]
        for limit in ({"maxfun": 10}, {"fatol": 0.1}, {"ftol": 1e-2}, {"max_iter": 3}, {"time_limit": 0.0})
    }
    assert messages == {"stopped at maxfun", "stopped by ftol", "stopped at max_iter", "stopped at time_limit"}


@pytest.mark.parametrize("method", ["lbfgs", "adam", "rprop"])
def test_other_methods_go_the_way_of_fit(method):
    nets, twins = networks(), networks()
    fastmlp.fit_many(nets, X, T, method, max_iter=5, rng=np.random.default_rng(0))
    for twin, seed in zip(twins, check.seeds(0, len(twins)), strict=True):  # each has one of its own
        twin.fit(X, T, method, max_iter=5, rng=seed)
    assert nets == twins
    fewer = networks()[:2]
    fastmlp.fit_many(fewer, X, T, method, max_iter=5, rng=0)  # whoever else is trained
    assert fewer == nets[:2]


def test_networks_too_large_for_matrices_are_left_to_fit():
    nets = [fastmlp.Network([3, M, 1], rng=0) for M in (2, 700)]
    results = fastmlp.fit_many(nets, X, T, penalty=DECAY, max_iter=2)
    assert [result.nit for result in results] == [2, 2]
    assert [result.method for result in results] == ["lm", "lm"]


def test_an_objective_that_is_not_finite_leaves_the_others_alone():
    nets, twins = networks(), networks()
    nets[1].params = 1e200 * nets[1].params
    results = fastmlp.fit_many(nets, X, T, penalty=DECAY)
    fastmlp.fit_many(twins, X, T, penalty=DECAY)
    assert results[1].message.startswith("diverged")
    assert [result.success for result in results] == [True, False, True, True, True]
    assert [net == twin for net, twin in zip(nets, twins, strict=True)] == [True, False, True, True, True]


def test_there_may_be_no_networks():
    assert fastmlp.fit_many([], X, T) == []


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"networks": [3]}, TypeError, "net: expected a fastmlp.Network, got int"),
        ({"penalty": [DECAY]}, ValueError, "penalty: expected one, or one for each of 5 networks, got 1"),
        ({"penalty": 0.1}, TypeError, "penalty: expected"),
        ({"T": T[:5]}, ValueError, "T: expected shape"),
        ({"method": "downhill"}, ValueError, "method: expected one of"),
        ({"max_iter": -1}, ValueError, "max_iter: expected an integer >= 0, got -1"),
        ({"tol": "tight"}, TypeError, "tol: expected a real number"),
        ({"ftol": -1.0}, ValueError, "ftol: expected a finite number >= 0"),
        ({"damping": 0.0}, ValueError, "damping: expected a finite number > 0"),
        ({"momentum": 0.9}, TypeError, "momentum: expected an option of fit_many or of lm"),
        ({"time_limit": -1.0}, ValueError, "time_limit: expected"),
        ({"validation": (X,)}, ValueError, "validation: expected a pair"),
        ({"X": X[:0], "T": T[:0]}, ValueError, "X: expected at least one sample"),
        ({"n_threads": 0}, ValueError, "n_threads: expected an integer >= 1"),
    ],
)
def test_wrong_arguments_are_refused_by_name_and_nothing_is_changed(change, error, message):
    nets = networks()
    arguments = {"networks": nets, "X": X, "T": T} | change
    with pytest.raises(error, match=f"^{message}"):
        fastmlp.fit_many(**arguments)
    assert nets == networks()


def test_one_network_is_not_trained_twice_at_a_time():
    net = fastmlp.Network([3, 2, 1], rng=0)
    with pytest.raises(ValueError, match="networks: expected networks of their own, got the same one twice"):
        fastmlp.fit_many([net, net], X, T)
    complaints = []

    def callback(_):
        with pytest.raises(RuntimeError, match="fit_many: a network is being fitted already"):
            fastmlp.fit_many([net.copy(), net], X, T)
        complaints.append(True)
        return True

    net.fit(X, T, "lm", callback=callback)
    assert complaints
    assert fastmlp.fit_many([net], X, T, penalty=DECAY)[0].success


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_penalties_are_judged_in_the_units_of_the_problem(scale):
    net, twin = (fastmlp.Network([3, 5, 1], rng=0) for _ in range(2))
    strong = fastmlp.WeightDecay(500.0)  # a ScaleWarning is an error here
    twin.fit(X, scale * T, "lm", standardize=True, penalty=strong)
    fastmlp.fit_many([net], X, scale * T, standardize=True, penalty=strong)
    assert np.allclose(net.params, twin.params, rtol=1e-6)


def test_an_exception_hands_over_the_results_that_are_there(monkeypatch):
    original, calls = fastmlp.runs.tasks._by_itself, []

    def interrupted(*arguments):
        calls.append(original(*arguments))
        if len(calls) == 3:
            raise ZeroDivisionError

    expected = fastmlp.fit_many(networks(), X, T, "scg", max_iter=20)
    monkeypatch.setattr(fastmlp.runs.tasks, "_by_itself", interrupted)
    with pytest.raises(ZeroDivisionError) as caught:
        fastmlp.fit_many(networks(), X, T, "scg", max_iter=20)
    results = caught.value.partial
    assert [result is None for result in results] == [True, True, False, False, False]  # the largest come first
    assert all(np.array_equal(a.x, b.x) for a, b in zip(results[2:], expected[2:], strict=True))
    assert len(results[1:4]) == 3
    assert "success" in repr(results)


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg"])
def test_fixed_and_tied_parameters_are_those_of_single_fits(method):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    T = np.sin(X[:, :1])
    penalty = fastmlp.WeightDecay(0.1, 0.1)
    given = {
        "fixed": ["b1", "W2[0,0]"],
        "tied": [{"W1[0,:]": 1.0, "W1[1,:]": -1.0}],
        "penalty": penalty,
        "max_iter": 15,
    }
    several = [fastmlp.Network([2, M, 1], rng=M) for M in (2, 3, 4)]
    for net in several:
        net.biases[0][...] = 0.3
    singles = [net.copy() for net in several]
    results = fastmlp.fit_many(several, X, T, method, ftol=0.0, **given)
    for net, single, result in zip(several, singles, results, strict=True):
        expected = single.fit(X, T, method, **given)
        assert np.array_equal(net.params, single.params)
        assert np.isclose(result.fun, expected.fun, rtol=1e-12)
        assert (net.biases[0] == 0.3).all()
        assert np.allclose(net.weights[0][0], -net.weights[0][1])


def test_sweeps_take_fixed_parameters():
    X = np.linspace(-1, 1, 30)[:, None]
    found = fastmlp.sweep(X, np.sin(3 * X), (1, 2), 3, validation=0.3, fixed="b2", rng=0)
    assert all(run.params[-1] == 0.0 for run in found.runs)
