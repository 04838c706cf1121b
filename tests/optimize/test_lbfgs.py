"""L-BFGS: where it arrives, how soon, and what it survives."""

import time

import numpy as np
import pytest
import scipy.optimize

import fastmlp
from cases import PAIRS, data, degenerate, network
from fastmlp import datasets

X = np.random.default_rng(0).normal(size=(50, 3))
T = np.sin(X.sum(axis=1))
DECAY = fastmlp.WeightDecay(weights=0.1, biases=0.1)
TOL = {"float64": 1e-7, "float32": 1e-2}


def yacht(n_samples):
    """Standardised inputs and targets of towed hulls."""
    hulls = datasets.load_yacht()
    inputs, targets = ((a - a.mean(axis=0)) / a.std(axis=0) for a in (hulls.X, hulls.T))
    return inputs[:n_samples], targets[:n_samples]


def by_scipy(objective, tol, max_iter=10_000):
    """What SciPy's L-BFGS-B with as many pairs makes of it."""
    options = {"maxcor": 20, "maxls": 50, "gtol": tol, "ftol": 0.0, "maxiter": max_iter, "maxfun": 10**9}
    return scipy.optimize.minimize(objective.value_and_grad, objective.x0, jac=True, method="L-BFGS-B", options=options)


@pytest.mark.filterwarnings("ignore:fit. the training ended:fastmlp.ScaleWarning")  # with seven samples decay rules
@pytest.mark.parametrize("n_samples", [1, 7, 61, 308])
@pytest.mark.parametrize("layers", [[6, 1], [6, 5, 1], [6, 4, 3, 1]])
def test_it_arrives_at_a_minimum_as_low_as_scipys(layers, n_samples, dtype):
    inputs, targets = yacht(n_samples)
    ours, theirs = [], []
    for seed in range(3):
        net = fastmlp.Network(layers, rng=seed, dtype=dtype)
        objective = net.objective(inputs, targets, penalty=DECAY)
        res = net.fit(inputs, targets, "lbfgs", penalty=DECAY, tol=TOL[dtype], max_iter=3000)
        assert res.success
        assert res.grad_norm == np.abs(objective.grad(net.params)).max() <= TOL[dtype]
        ours.append(res.fun)
        theirs.append(by_scipy(objective, TOL[dtype]).fun)
    # which of several minima, and plateaus as flat as 0.01, one start leads to is a matter of rounding
    assert min(ours) <= min(theirs) * (1 + {"float64": 1e-3, "float32": 0.1}[dtype])


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_loss_arrives_where_its_gradient_vanishes(output, loss):
    net = network([3, 4, 2], "tanh", output, loss)
    inputs, targets = data(net, 40)
    res = net.fit(inputs, targets, "lbfgs", penalty=DECAY, tol=1e-9, max_iter=3000)
    assert res.success
    assert res.message == "converged: the gradient is within tol"


def test_it_takes_no_more_evaluations_than_scipys():
    inputs, targets = yacht(308)
    ratios = []
    for seed in range(5):
        net = fastmlp.Network([6, 4, 1], rng=seed)
        theirs = by_scipy(net.objective(inputs, targets, penalty=DECAY), 1e-2)
        ratios.append(net.fit(inputs, targets, "lbfgs", penalty=DECAY, tol=1e-2).nfev / theirs.nfev)
    assert np.median(ratios) <= 1.1


def test_a_converged_network_is_left_as_it_is():
    net = fastmlp.Network([3, 5, 1], rng=0)
    net.fit(X, T, "lbfgs", penalty=DECAY, max_iter=3000)
    before = net.params
    res = net.fit(X, T, "lbfgs", penalty=DECAY)
    assert res.success
    assert (res.nit, res.nfev, res.njev, res.nhev) == (0, 1, 1, 0)
    assert np.array_equal(net.params, before)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")
def test_the_gradient_falls_to_rounding_where_differences_of_the_objective_have_drowned():
    net = fastmlp.Network([3, 5, 1], rng=0)
    for tol in (1e-6, 1e-9, 1e-11):
        res = net.fit(X, 1e3 + T, "lbfgs", penalty=DECAY, tol=1e3 * tol, max_iter=5000)
        assert res.success


def test_the_objective_never_rises_by_more_than_rounding(dtype):
    inputs, targets = yacht(308)
    net = fastmlp.Network([6, 8, 1], rng=0, dtype=dtype)
    loss = net.fit(inputs, targets, "lbfgs", penalty=DECAY, tol=0.0, max_iter=2000).history["loss"]
    noise = 1e-13 if dtype == "float64" else 1e-6
    assert np.all(loss <= np.minimum.accumulate(loss) * (1 + noise))


def test_results_do_not_depend_on_the_number_of_threads(n_threads):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(5000, 4))
    targets = np.tanh(inputs @ rng.normal(size=(4, 2)))
    nets = [fastmlp.Network([4, 10, 2], rng=0) for _ in range(2)]
    for net, threads in zip(nets, (1, n_threads), strict=True):
        net.fit(inputs, targets, "lbfgs", penalty=DECAY, max_iter=30, n_threads=threads)
    assert nets[0] == nets[1]


@pytest.mark.parametrize("method", ["lbfgs", "lm"])
@pytest.mark.parametrize("tied", [None, [{"W1[0,:]": 1.0, "W1[1,:]": -2.0}]])
def test_two_fits_of_k_that_nobody_watches_equal_one_of_2k(method, tied, dtype):
    halves, whole = (fastmlp.Network([3, 5, 1], rng=0, dtype=dtype) for _ in range(2))
    settings = {"method": method, "penalty": DECAY, "tied": tied, "fixed": "b2", "tol": 0.0}
    first = halves.fit(X, T, max_iter=25, **settings)
    second = halves.fit(X, T, max_iter=25, warm_start=first, **settings)
    res = whole.fit(X, T, max_iter=50, **settings)
    assert halves == whole
    assert np.array_equal(second.history["grad_norm"], res.history["grad_norm"][25:])


@pytest.mark.parametrize("method", ["lbfgs", "lm"])
@pytest.mark.parametrize("max_iter", [0, 1, 40, 2500])
def test_a_fit_that_nobody_watches_leaves_the_same_history(method, max_iter, dtype):
    watched, alone = (fastmlp.Network([3, 4, 1], rng=0, dtype=dtype) for _ in range(2))
    settings = {"method": method, "penalty": DECAY, "max_iter": max_iter, "tol": 1e-12, "fixed": "b1"}
    expected = watched.fit(X, T, callback=lambda state: False, **settings)
    res = alone.fit(X, T, **settings)
    assert alone == watched
    assert (res.message, res.nit, res.nfev, res.fun) == (
        expected.message, expected.nit, expected.nfev, expected.fun,
    )  # fmt: skip
    for name in ("loss", "train_loss", "validation_loss", "grad_norm"):
        assert np.array_equal(res.history[name], expected.history[name], equal_nan=True)
    assert np.all(np.diff(res.history["time"]) >= 0)


@pytest.mark.parametrize("method", ["lbfgs", "lm"])
def test_the_time_limit_holds_where_nobody_watches(method):
    inputs = np.random.default_rng(0).normal(size=(5000, 8))
    net = fastmlp.Network([8, 20, 1], rng=0)
    began = time.perf_counter()
    res = net.fit(inputs, np.sin(inputs.sum(axis=1)), method, time_limit=0.2, tol=0.0, max_iter=10**9)
    assert 0.2 <= time.perf_counter() - began < 2.0
    assert res.message == "stopped at time_limit"
    assert res.history["time"][-2] < 0.2  # and the last step ended before, or was not made to its end
    assert res.history["time"][-1] < 2.0


def test_patience_restores_the_best_parameters():
    net = fastmlp.Network([3, 20, 1], rng=0)
    noise = np.random.default_rng(1).normal(size=50)
    res = net.fit(X[:30], (T + noise)[:30], "lbfgs", validation=(X[30:], T[30:]), patience=10)
    losses = res.history["validation_loss"]
    assert res.message.startswith("stopped by patience")
    assert len(losses) - 1 - losses.argmin() == 10
    assert net.loss(X[30:], T[30:]) / 20 == pytest.approx(losses.min(), rel=1e-12)


def test_a_step_that_hardly_changes_the_objective_may_be_the_last():
    inputs, targets = yacht(308)
    for settings, share in (({"ftol": 1e-4}, 1.0), ({"fatol": 0.01}, 0.0)):
        res = fastmlp.Network([6, 5, 1], rng=0).fit(inputs, targets, "lbfgs", **settings)
        assert res.message == "stopped by ftol: the last step has hardly changed the objective"
        assert not res.success
        loss = res.history["loss"]
        least = 1e-4 * loss[:-1] if share else np.full(len(loss) - 1, 0.01)
        assert np.array_equal(np.flatnonzero(-np.diff(loss) <= least), [len(loss) - 2])


def test_evaluations_are_counted_and_bounded():
    inputs, targets = yacht(308)
    res = fastmlp.Network([6, 5, 1], rng=0).fit(inputs, targets, "lbfgs", maxfun=30)
    assert res.nfev == res.njev >= 30
    assert res.nit < 30
    assert res.message == "stopped at maxfun"


def test_more_pairs_take_fewer_steps():
    inputs, targets = yacht(308)
    few, many = (
        fastmlp.Network([6, 5, 1], rng=0).fit(inputs, targets, "lbfgs", penalty=DECAY, maxcor=m, max_iter=3000)
        for m in (1, 30)
    )
    assert many.nit < few.nit


@pytest.mark.filterwarnings("ignore::fastmlp.errors.IdenticalUnitsWarning")
def test_where_the_gradient_vanishes_nothing_is_done():
    net = fastmlp.Network([3, 5, 1], rng=0, init="zeros")
    with pytest.warns(fastmlp.errors.ScaleWarning, match=r"explains 0.0% of the variation .* a straight line 3\d"):
        res = net.fit(X, T - T.mean(), "lbfgs", penalty=DECAY)
    assert (res.success, res.nit) == (True, 0)


def test_a_step_that_leads_to_infinity_is_shortened():
    net = fastmlp.Network([3, 5, 1], output="exp", loss="poisson", rng=0)
    net.params = 40 * net.params
    counts = np.random.default_rng(1).poisson(np.exp(T))
    res = net.fit(X, counts, "lbfgs", penalty=DECAY, max_iter=5000, tol=1e-4)
    assert res.history["loss"][0] > 1e30
    assert res.success


CASES = degenerate(X, T)


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")  # of huge targets
@pytest.mark.parametrize("scale", [1.0, 1e4, 1e150])
@pytest.mark.parametrize("penalty", [None, DECAY])
@pytest.mark.parametrize("case", CASES)
def test_degenerate_data_and_saturated_starts_give_finite_parameters(case, penalty, scale):
    layers, inputs, targets = CASES[case]
    net = fastmlp.Network(layers, rng=0)
    net.params = scale * net.params
    before = net.objective(inputs, targets, penalty=penalty).value(net.params)
    res = net.fit(inputs, targets, "lbfgs", penalty=penalty, max_iter=200)
    assert np.all(np.isfinite(net.params))
    assert res.fun <= before
    assert res.success == (res.message == "converged: the gradient is within tol")


@pytest.mark.parametrize("case", [name for name in CASES if name != "huge targets"])
def test_degenerate_data_converge_from_an_ordinary_start(case):
    layers, inputs, targets = CASES[case]
    res = fastmlp.Network(layers, rng=0).fit(inputs, targets, "lbfgs", penalty=DECAY, max_iter=3000)
    assert res.success
