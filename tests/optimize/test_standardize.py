"""`standardize=True`: the training of standardised data, in a network of raw units."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import fastmlp
from cases import PAIRS, RESUMABLE, data, network
from fastmlp import datasets

DECAY = fastmlp.WeightDecay(1.0)
YACHT = datasets.load_yacht()


def columns(array):
    scale, shift = array.std(axis=0), array.mean(axis=0)
    return (array - shift) / np.where(scale > 0, scale, 1.0), scale, shift


def yacht_network(n_inputs=6):
    return fastmlp.Network([n_inputs, 5, 1], rng=3)


@pytest.mark.parametrize("solver", RESUMABLE)
def test_predictions_are_those_of_standardisation_by_hand(solver):
    (U, *_), (S, scale, shift) = columns(YACHT.X), columns(YACHT.T)
    by_hand, folded = yacht_network(), yacht_network()
    steps = {"max_iter": 1000 if solver == "lm" else 15, "tol": 1e-9, "penalty": DECAY, "rng": 0}
    one = by_hand.fit(U, S, solver, **steps)
    two = folded.fit(YACHT.X, YACHT.T, solver, standardize=True, **steps)
    difference = folded(YACHT.X)[:, 0] - (scale * by_hand(U)[:, 0] + shift)
    assert np.abs(difference).max() <= 1e-10 * scale
    assert two.success == one.success
    assert two.success or solver != "lm"
    assert two.fun == pytest.approx(one.fun, rel=1e-12)
    assert np.allclose(two.history["loss"], one.history["loss"], rtol=1e-9)
    assert np.array_equal(two.x, folded.params)


@pytest.mark.parametrize(("scale", "shift"), [(1e6, 0.0), (1.0, 1e6), (1e-6, -1.0)])
def test_the_units_of_the_inputs_do_not_matter(scale, shift):
    one, two = yacht_network(), yacht_network()
    mapped = scale * YACHT.X + shift
    one.fit(YACHT.X, YACHT.T, "lm", standardize=True, penalty=DECAY, tol=1e-9)
    two.fit(mapped, YACHT.T, "lm", standardize=True, penalty=DECAY, tol=1e-9)
    assert np.abs(one(YACHT.X) - two(mapped)).max() <= 1e-6 * YACHT.T.std()


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_targets_are_standardised_where_outputs_are_linear(output, loss, dtype):
    by_hand, folded = (network([3, 4, 2], output=output, loss=loss, dtype=dtype) for _ in range(2))
    X, T = data(by_hand, 60)
    X = 3 * X + [10.0, 0.0, -5.0]
    U = columns(X.astype(dtype).astype(float))[0].astype(dtype)
    S, scale, shift = columns(T) if output == "identity" else (T, 1.0, 0.0)
    by_hand.fit(U, S, "lbfgs", max_iter=5, penalty=DECAY)
    folded.fit(X, T, "lbfgs", max_iter=5, penalty=DECAY, standardize=True)
    assert np.allclose(folded(X), scale * by_hand(U) + shift, rtol=1e-3 if dtype == "float32" else 1e-11)


def test_without_hidden_layer_it_is_ridge_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3)) * [1.0, 100.0, 0.01] + [1e6, -50.0, 7.0]
    T = np.array([5.0, -3.0]) + rng.normal(size=(50, 2))
    net = network([3, 2])
    net.fit(X, T, "lm", standardize=True, penalty=DECAY, tol=1e-10)
    (U, scale, _), (S, target_scale, target_shift) = columns(X), columns(T)
    W = np.linalg.solve(U.T @ U + np.eye(3), U.T @ S).T
    assert np.allclose(net.weights[0], target_scale[:, np.newaxis] * W / scale, rtol=1e-9)
    assert np.allclose(net(X), target_scale * (U @ W.T) + target_shift, rtol=1e-9)


def test_constant_columns_have_the_scale_one():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    with_constants = np.column_stack([X[:, 0], np.full(40, 0.1), X[:, 1], np.full(40, 1e9)])
    T = np.sin(X[:, 0])
    small, large = network([2, 3, 1]), network([4, 3, 1])
    large.params = np.concatenate(
        [np.insert(np.insert(small.weights[0], 1, 0, axis=1), 3, 0, axis=1).ravel(), small.params[6:]]
    )
    steps = {"penalty": DECAY, "standardize": True}
    small.fit(X, T, "lm", **steps)
    large.fit(with_constants, T, "lm", **steps)
    assert np.array_equal(large.weights[0][:, 1::2], np.zeros((3, 2)))
    assert np.allclose(large(with_constants), small(X), rtol=1e-10)
    constant = network([2, 3, 1])
    constant.fit(X, np.full(40, 7.0), "lm", **steps)
    assert np.allclose(constant(X), 7.0, atol=1e-5)


@pytest.mark.parametrize("constant", [1e3, 1e7, -1e9, 1e15, 1.7e18])
def test_constants_far_from_zero_leave_no_trace(constant, dtype):
    """Predictions are those without the column, whatever its weight was to begin with."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(80, 2))
    targets = np.sin(inputs[:, 0]) + 0.1 * rng.normal(size=80)
    beside = np.column_stack([inputs, np.full(80, constant)])
    one, two = (fastmlp.Network([D, 4, 1], dtype=dtype, rng=1) for D in (2, 3))
    two.weights[0][:, :2], two.weights[1][...] = one.weights[0], one.weights[1]
    for net, array in ((one, inputs), (two, beside)):
        net.fit(array, targets, "lbfgs", standardize=True, max_iter=60)
        assert 1 - np.mean((net(array)[:, 0] - targets) ** 2) / targets.var() > 0.9
    assert not two.weights[0][:, 2].any()
    assert np.abs(two(beside) - one(inputs)).max() < (1e-7 if dtype == "float64" else 1e-2)
    two.params = one.params.mean() + 0.1 * rng.normal(size=two.n_params)  # also where it was used before
    two.fit(beside, targets, "lbfgs", standardize=True, max_iter=3)
    assert not two.weights[0][:, 2].any()


def test_weights_of_the_samples_weigh_in_means_and_deviations_too():
    X, T = YACHT.X[:80], YACHT.T[:80]
    twice = np.where(np.arange(80) < 30, 2.0, 1.0)
    ignored = np.where(np.arange(80) < 70, twice, 0.0)
    one, two = yacht_network(), yacht_network()
    rows = np.concatenate([np.arange(70), np.arange(30)])
    one.fit(X[rows], T[rows], "lm", standardize=True, penalty=DECAY, tol=1e-9)
    two.fit(X, T, "lm", standardize=True, penalty=DECAY, tol=1e-9, sample_weight=ignored)
    assert np.allclose(one(X), two(X), rtol=1e-9)


@pytest.mark.parametrize("given", ["a set", "a fraction"])
def test_the_validation_set_is_seen_in_the_units_of_the_training_set(given):
    X, T = YACHT.X, YACHT.T
    held_back = np.random.default_rng(5).choice(len(X), len(X) // 4, replace=False, shuffle=False)
    kept = np.setdiff1d(np.arange(len(X)), held_back)
    net = yacht_network()
    steps = {"standardize": True, "penalty": DECAY, "max_iter": 8, "rng": 5}
    if given == "a set":
        res = net.fit(X[kept], T[kept], "scg", validation=(X[held_back], T[held_back]), **steps)
    else:
        res = net.fit(X, T, "scg", validation=0.25, **steps)
    error = (net(X[held_back])[:, 0] - T[held_back]) / T[kept].std()
    assert res.history["validation_loss"][-1] == pytest.approx(0.5 * np.mean(error**2), rel=1e-9)


def test_a_callback_finds_the_network_in_raw_units():
    net, seen = yacht_network(), []

    def callback(state):
        seen.append((state.train_loss, 0.5 * np.mean((net(YACHT.X)[:, 0] - YACHT.T) ** 2) / YACHT.T.var()))
        assert np.array_equal(state.x, net.params)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.fit(YACHT.X, YACHT.T, "lm", standardize=True, callback=callback)
    assert np.allclose(*np.transpose(seen), rtol=1e-9)
    assert 0.5 * np.mean((net(YACHT.X)[:, 0] - YACHT.T) ** 2) / YACHT.T.var() == pytest.approx(seen[-1][0], rel=1e-9)


def test_bounds_ties_and_fixed_weights_are_of_the_standardised_problem():
    by_hand, folded = yacht_network(), yacht_network()
    steps = {"fixed": "W1[:,0]", "tied": [["W2[0,0]", "W2[0,1]"]], "bounds": {"W2": (0, None)}, "penalty": DECAY}
    (U, *_), (S, scale, shift) = columns(YACHT.X), columns(YACHT.T)
    by_hand.fit(U, S, max_iter=30, **steps)
    folded.fit(YACHT.X, YACHT.T, max_iter=30, standardize=True, **steps)
    assert np.allclose(folded(YACHT.X), scale * by_hand(U) + shift, atol=1e-7 * scale)


@pytest.mark.parametrize("solver", RESUMABLE)
def test_k_and_k_iterations_are_2_k(solver, dtype):
    one, two = (fastmlp.Network([6, 5, 1], dtype=dtype, rng=3) for _ in range(2))
    steps = {"standardize": True, "penalty": DECAY, "fixed": "b1", "rng": 1}
    whole = one.fit(YACHT.X, YACHT.T, solver, max_iter=8, **steps)
    half = two.fit(YACHT.X, YACHT.T, solver, max_iter=4, **steps)
    rest = two.fit(YACHT.X, YACHT.T, solver, max_iter=4, warm_start=half, **steps)
    assert np.array_equal(one.params, two.params)
    assert (rest.fun, rest.history["loss"][-1]) == (whole.fun, whole.history["loss"][-1])
    assert one == two


def test_a_state_belongs_to_its_units():
    net = yacht_network()
    for standardize in (True, False):
        first = net.fit(YACHT.X, YACHT.T, "lm", standardize=standardize, max_iter=2)
        with pytest.raises(ValueError, match=f"warm_start: expected standardize={standardize}, as in the fit"):
            net.fit(YACHT.X, YACHT.T, "lm", standardize=not standardize, warm_start=first)


def test_what_makes_no_sense_is_refused():
    net = yacht_network()
    with pytest.raises(TypeError, match=r"standardize: expected True, False or units such as net\.units, got 'yes'"):
        net.fit(YACHT.X, YACHT.T, standardize="yes")
    with pytest.raises(ValueError, match="X: expected at least one sample"):
        net.fit(np.empty((0, 6)), [], standardize=True)
    with pytest.raises(ValueError, match="sample_weight: expected at least one positive number"):
        net.fit(YACHT.X, YACHT.T, standardize=True, sample_weight=np.zeros(len(YACHT.X)))
    with pytest.raises(ValueError, match="X: expected columns with finite differences for standardize, got col"):
        net.fit([[-1e308] * 6, [1.1e308] * 6], [0.0, 1.0], standardize=True)


# ---- constants up to rounding ----


def with_a_constant_in_two_roundings(n_samples=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 3))
    constant = np.where(rng.random(n_samples) < 0.5, 0.1 + 0.2, 0.3)
    return np.column_stack([X, constant]), 2 * X[:, 0] + np.sin(X[:, 1])


def test_a_constant_in_two_roundings_is_standardised_as_by_scikit_learn():
    X, t = with_a_constant_in_two_roundings()
    net, by_hand = fastmlp.Network([4, 4, 1], rng=0), fastmlp.Network([4, 4, 1], rng=0)
    steps = {"penalty": fastmlp.WeightDecay(0.01), "tol": 1e-9}
    assert net.fit(X, t, "lm", standardize=True, **steps).success
    scaler = StandardScaler().fit(X)
    assert scaler.scale_[3] == 1.0
    by_hand.fit(scaler.transform(X), (t - t.mean()) / t.std(), "lm", **steps)
    assert np.abs(net.weights[0][:, 3]).max() < 1e-9
    for constant, dtype in ((X[:, 3], "float64"), (np.float32(0.3), "float64"), (np.nextafter(0.3, 0), "float32")):
        new = np.column_stack([X[:, :3], np.broadcast_to(constant, 60)])
        expected = t.mean() + t.std() * by_hand(scaler.transform(new))[:, 0]
        read = fastmlp.Network([4, 4, 1], dtype=dtype)
        read.params = net.params
        assert np.abs(read(new)[:, 0] - expected).max() < (1e-7 if dtype == "float64" else 1e-5)
        assert np.sqrt(np.mean((read(new)[:, 0] - t) ** 2)) < 0.021


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_target_in_two_roundings_is_a_constant(dtype):
    X, t = with_a_constant_in_two_roundings()
    net = fastmlp.Network([3, 4, 2], dtype=dtype, rng=0)
    steps = {"penalty": fastmlp.WeightDecay(0.01), "tol": 1e-3 if dtype == "float32" else None}
    assert net.fit(X[:, :3], np.column_stack([t, X[:, 3]]), "lm", standardize=True, **steps).success
    assert np.abs(net(X[:, :3])[:, 1] - 0.3).max() < (1e-6 if dtype == "float32" else 1e-7)


def test_two_roundings_are_as_good_as_one():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=200), np.where(rng.uniform(size=200) < 0.5, 0.1 + 0.2, 0.3)])
    T = np.sin(2 * X[:, :1]) + 0.05 * rng.normal(size=(200, 1))
    nets, results = [], []
    for constant in (X[:, 1], np.full(200, 0.3)):
        inputs = np.column_stack([X[:, 0], constant])
        nets.append(fastmlp.Network([2, 5, 1], rng=0))
        results.append(nets[-1].fit(inputs, T, "lm", standardize=True, penalty=fastmlp.WeightDecay(1e-2), max_iter=500))
        assert results[-1].success
        # the loss in the data's units is the one that was minimised
        assert nets[-1].loss(inputs, T) / 200 == pytest.approx(
            results[-1].history["train_loss"][-1] * T.var(), rel=1e-9
        )
    assert results[0].fun == results[1].fun
    assert np.allclose(nets[0].params, nets[1].params, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("power", [900, -900])
def test_powers_of_two_change_no_bit_of_the_standardised_problem(power):
    one, two = yacht_network(), yacht_network()
    factor = np.ldexp(1.0, power)
    first = one.fit(YACHT.X, YACHT.T, "lm", standardize=True, penalty=DECAY)
    second = two.fit(YACHT.X * factor, YACHT.T / factor, "lm", standardize=True, penalty=DECAY)
    assert (first.fun, first.nit) == (second.fun, second.nit)
    assert np.array_equal(two.predict(YACHT.X * factor) * factor, one.predict(YACHT.X))
