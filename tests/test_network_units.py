"""`Network.units`: what a network knows of the units it was trained in, and how it goes on from there."""

import copy
import pickle

import numpy as np
import pytest

import fastmlp
from cases import DTYPES, RESUMABLE, network
from fastmlp import ModelFormatError, datasets

YACHT = datasets.load_yacht()
DECAY = fastmlp.WeightDecay(1.0)
OFFSETS = np.array([1e4, 0.0, -3.0, 1e-3, 50.0, 2.0])
SCALES = np.array([1e5, 1e-3, 1.0, 7.0, 1e-8, 1e8])
X = YACHT.X * SCALES + OFFSETS * SCALES
T = 2.5e5 + 1e5 * YACHT.T


def fitted(**steps):
    net = fastmlp.Network([6, 5, 1], rng=3)
    return net, net.fit(X, T, "lm", standardize=True, penalty=DECAY, **steps)


def same_units(one, other):
    pairs = zip((one.inputs, one.targets), (other.inputs, other.targets), strict=True)
    return all(np.array_equal(a, b) for left, right in pairs for a, b in zip(left, right, strict=True))


def test_they_are_means_and_standard_deviations():
    net, result = fitted()
    assert result.success
    assert same_units(net.units, result.units)
    assert np.allclose(net.units.inputs.shift, X.mean(axis=0), rtol=1e-12)
    assert np.allclose(net.units.inputs.scale, X.std(axis=0), rtol=1e-9)
    assert np.allclose([*net.units.targets.shift, *net.units.targets.scale], [T.mean(), T.std()], rtol=1e-12)
    assert not net.units.inputs.constant.any()


def test_raw_units_are_none():
    net = fastmlp.Network([6, 5, 1], rng=3)
    assert net.units is None
    assert net.fit(YACHT.X, YACHT.T, max_iter=3).units is None
    assert net.units is None


@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda net: net.copy(), lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_and_pickles_keep_them(way):
    net, _ = fitted(max_iter=3)
    assert same_units(way(net).units, net.units)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["identity", "softmax", "tanh"])
def test_files_keep_them_to_the_bit(tmp_path, output, dtype):
    net = network([3, 4, 2], output=output, dtype=dtype)
    rng = np.random.default_rng(0)
    inputs = np.column_stack([100 + rng.normal(size=30), 1e-9 * rng.normal(size=30), np.full(30, 0.1)])
    targets = rng.integers(2, size=30) if output == "softmax" else np.tanh(rng.normal(size=(30, 2)))
    net.fit(inputs, targets, "lbfgs", standardize=True, max_iter=2, penalty=DECAY)
    net.save(tmp_path / "net")
    back = fastmlp.load(tmp_path / "net")
    assert back == net
    assert repr(back) == repr(net)
    assert (back.units.targets is None) == (output != "identity")
    assert np.array_equal(back.units.as_array(), net.units.as_array())
    assert back.units.inputs.places == (2,)
    one, two = (each.fit(inputs, targets, "lbfgs", max_iter=2, penalty=DECAY).fun for each in (back, net))
    assert one == two


def test_they_are_seen():
    net, _ = fitted(max_iter=2)
    assert repr(net).endswith("dtype='float64') with standardised units of X and T")
    assert net.summary().endswith("trained in standardised units of X and T")
    net.fit(np.column_stack([X[:, :5], np.full(len(X), 3.0)]), T, standardize=True, max_iter=2)
    assert net.summary().endswith("trained in standardised units of X and T (constant: X[:,5])")


def test_initialize_forgets_them():
    net, _ = fitted(max_iter=2)
    assert net.initialize(rng=3).units is None
    again = net.fit(X, T, "lm", standardize=True, penalty=DECAY, max_iter=2)
    assert again.fun == fitted(max_iter=2)[1].fun  # a start in standardised units


def test_a_raw_fit_forgets_them_and_leaves_parameters_of_raw_units():
    net = fastmlp.Network([6, 5, 1], rng=3)
    net.fit(YACHT.X, YACHT.T, "lm", standardize=True, max_iter=30)
    net.fit(YACHT.X, YACHT.T, "lm", max_iter=3)
    assert net.units is None
    loss = net.loss(YACHT.X, YACHT.T)
    result = net.fit(YACHT.X, YACHT.T, "lm", standardize=True, max_iter=0)
    assert net.loss(YACHT.X, YACHT.T) == pytest.approx(loss, rel=1e-9)
    assert result.fun == pytest.approx(loss / YACHT.T.var(), rel=1e-9)


@pytest.mark.parametrize("layers", [[6, 5, 1], [6, 4, 3, 1], [6, 1]])
def test_a_second_fit_goes_on_where_the_network_is(layers):
    net = fastmlp.Network(layers, rng=3)
    first = net.fit(X, T, "lm", standardize=True, penalty=DECAY)
    second = net.fit(X, T, "lm", standardize=True, penalty=DECAY)
    assert second.nit <= 1
    assert second.history["loss"][0] == pytest.approx(first.fun, rel=1e-9)
    other = net.fit(X[::2], T[::2], "lm", standardize=True, penalty=DECAY, max_iter=0)  # other means, the same function
    error = (net(X[::2])[:, 0] - T[::2]) / T[::2].std()
    assert other.history["train_loss"][0] == pytest.approx(0.5 * np.mean(error**2), rel=1e-9)


def test_a_fit_that_changes_nothing_leaves_a_start():
    one, two = (fastmlp.Network([6, 5, 1], rng=3) for _ in range(2))
    one.fit(YACHT.X, YACHT.T, max_iter=0)
    starts = [net.fit(YACHT.X, YACHT.T, standardize=True, max_iter=0).fun for net in (one, two)]
    assert starts[0] == starts[1]


def test_assigned_parameters_are_a_start_where_there_are_no_units():
    one, two = (fastmlp.Network([6, 5, 1], rng=3) for _ in range(2))
    x0 = one.params
    one.fit(YACHT.X, YACHT.T, max_iter=3)
    one.params = x0
    starts = [net.fit(YACHT.X, YACHT.T, standardize=True, max_iter=0).fun for net in (one, two)]
    assert starts[0] == starts[1]


def test_rescaling_takes_them_along():
    net, result = fitted()
    a, b, c, d = np.array([2.0, 1e-3, -1.0, 5.0, 1e4, 1.0]), np.arange(6.0), -4.0, 1e3
    moved = net.rescale_inputs(a, b).rescale_outputs(c, d)
    assert np.allclose(moved.units.inputs.scale, a * net.units.inputs.scale, rtol=1e-15)
    assert np.allclose(moved.units.inputs.shift, a * net.units.inputs.shift + b, rtol=1e-15)
    assert np.allclose(moved.units.targets.shift, c * net.units.targets.shift + d, rtol=1e-15)
    again = moved.fit(a * X + b, c * T + d, "lm", standardize=True, penalty=DECAY)
    assert again.fun == pytest.approx(result.fun, rel=1e-9)
    assert same_units(net.rescale_outputs(2.0).rescale_outputs(0.5).units, net.units)


def test_a_network_that_was_loaded_or_comes_from_elsewhere_goes_on_as_it_is(tmp_path):
    net = fastmlp.Network([6, 5, 1], rng=3)
    net.fit(YACHT.X, YACHT.T, "lm", max_iter=30)
    net.save(tmp_path / "net")
    back = fastmlp.load(tmp_path / "net")
    loss = back.loss(YACHT.X, YACHT.T) / YACHT.T.var()
    assert back.fit(YACHT.X, YACHT.T, standardize=True, max_iter=0).fun == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize(
    "table",
    ["units", np.ones((3, 9)), np.ones((3, 8), np.float32), np.ones((2, 7)), np.full((3, 7), np.nan), np.zeros((3, 7))],
)
def test_units_that_do_not_fit_are_refused(table):
    state = {**fitted(max_iter=1)[0].__getstate__(), "units": table}
    with pytest.raises(ModelFormatError, match="units: expected"):
        fastmlp.Network.__new__(fastmlp.Network).__setstate__(state)


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
def test_a_network_that_a_raw_fit_has_ruined_is_told_to_begin_anew(method):
    """The advice of the first warning, on the same network, which stays at its dead point; and what it says then."""
    rng = np.random.default_rng(1)
    inputs = np.column_stack([rng.uniform(270, 320, 80), rng.uniform(9e4, 1.1e5, 80)])
    density = inputs[:, 1] / (287 * inputs[:, 0])
    net = fastmlp.Network([2, 5, 1], rng=0)
    with pytest.warns(fastmlp.ScaleWarning, match=r"standardize=True, from new starting values \(net.initialize\(\)\)"):
        net.fit(inputs, density, method)
    for penalty in (None, fastmlp.WeightDecay(1e-3)):
        ruined = net.copy()
        with pytest.warns(fastmlp.ScaleWarning, match=r"explains 0.0% .*: train from new starting values"):
            ruined.fit(inputs, density, method, standardize=True, penalty=penalty)
        ruined.initialize(rng=0).fit(inputs, density, method, standardize=True, penalty=penalty)
        assert np.mean((ruined(inputs)[:, 0] - density) ** 2) < 0.01 * density.var()


def test_they_can_be_compared():
    one, two, other = (fastmlp.Network([6, 2, 1], rng=seed) for seed in range(3))
    for net, scale in ((one, 1.0), (two, 1.0), (other, 2.0)):
        net.fit(X, scale * T, standardize=True, max_iter=1)
    assert one.units == two.units == one.copy().units
    assert one.units != other.units
    assert one.units.inputs == other.units.inputs
    assert one.units.targets != other.units.targets
    assert one.units is not None
    assert one.units != None  # noqa: E711
    assert one.units != "units"


def halves():
    """Samples in whose first half a column is constant that matters in the second."""
    inputs = np.random.default_rng(0).normal(size=(200, 2))
    targets = np.sin(inputs[:, 0]) + 2 * inputs[:, 1]
    first = inputs.copy()
    first[:, 1] = 3.0
    return first, inputs, targets


def share(outputs, targets):
    return 1 - np.mean((outputs.reshape(-1) - targets) ** 2) / targets.var()


@pytest.mark.parametrize("method", ["lm", "lbfgs", "sgd"])
def test_columns_that_were_constant_are_learnt_from_where_they_vary(method):
    first, inputs, targets = halves()
    options = {"max_iter": 300, "rng": 0} | ({"learning_rate": 0.1} if method == "sgd" else {})
    net = fastmlp.Network([2, 8, 1], rng=0)
    before = net.fit(first, targets, method, standardize=True, **options)
    assert net.units.inputs.constant.tolist() == [False, True]
    assert not net.weights[0][:, 1].any()
    other = fastmlp.Network([2, 8, 1], rng=1)
    other.fit(inputs, targets, method, standardize=net.units, **options)
    net.fit(inputs, targets, method, standardize=True, warm_start=before, **options)
    for trained in (net, other):
        assert not trained.units.inputs.constant.any()
        assert trained.units.inputs.shift[1] == 3.0
        assert share(trained(inputs), targets) > 0.98


def test_estimators_and_the_evidence_learn_from_them_too():
    first, inputs, targets = halves()
    model = fastmlp.MLPRegressor(
        hidden_layer_sizes=(10,), activation="tanh", solver="lm", standardize=True, warm_start=True, random_state=0
    )
    assert model.fit(first, targets).fit(inputs, targets).score(inputs, targets) > 0.99
    net = fastmlp.Network([2, 5, 1], rng=0)
    net.fit(first, targets, standardize=True, max_iter=20)
    posterior = fastmlp.fit_evidence(fastmlp.Network([2, 5, 1], rng=1), inputs, targets, standardize=net.units)
    assert share(posterior.predict(inputs)[0], targets) > 0.99
    assert share(posterior.network(inputs), targets) > 0.99


@pytest.mark.parametrize("method", ["adam", "lbfgs", "lm"])
@pytest.mark.parametrize("constant", [5.0, 1e-9, -1e12])
def test_outputs_of_constant_targets_are_the_constant(method, constant):
    inputs, _, targets = halves()
    net = fastmlp.Network([2, 4, 2], rng=0)
    net.fit(inputs, np.c_[targets, np.full(200, constant)], method, standardize=True, max_iter=20, rng=0, penalty=DECAY)
    assert np.all(net(inputs)[:, 1] == constant)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_stands_in_samples_without_weight_does_not_count(dtype):
    inputs, _, targets = halves()
    inputs, weight = inputs[:, ::-1].astype(dtype), np.ones(200)
    targets = np.tanh(inputs[:, 1])
    weight[:5] = 0
    filled, strange = targets.copy(), inputs.copy()
    filled[:5] = 9.96921e36  # netCDF's
    strange[:5, 1] = 1e200 if dtype == "float64" else 1e30
    for X, T in ((inputs, filled), (strange, targets)):
        net = fastmlp.Network([2, 4, 1], rng=0, dtype=dtype)
        net.fit(X, T, "lm", standardize=True, sample_weight=weight, penalty=fastmlp.WeightDecay(0.01))
        assert share(net(inputs[5:]), targets[5:]) > 0.999


@pytest.mark.parametrize(
    "columns",
    [
        fastmlp.model.units.Columns(np.zeros(2), np.zeros(2), np.zeros(2, bool)),
        fastmlp.model.units.Columns([1.0, 1.0], [0.0, 0.0], [False, False]),
        fastmlp.model.units.Columns(np.ones(2), np.array([0.0, np.nan]), np.zeros(2, bool)),
    ],
)
def test_units_made_by_hand_are_looked_at(columns):
    inputs, _, targets = halves()
    with pytest.raises(ValueError, match=r"^standardize: expected inputs with arrays of one length"):
        fastmlp.Network([2, 3, 1], rng=0).fit(inputs, targets, standardize=fastmlp.model.units.Units(columns, None))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", RESUMABLE)
def test_a_column_that_varies_only_where_there_is_no_weight_stays_constant(method, dtype):
    inputs = np.random.default_rng(0).normal(size=(40, 3)).astype(dtype)
    inputs[:, 1], inputs[0, 1] = 3.3, -999
    targets, weight = np.sin(inputs[:, :1]), np.ones(40)
    weight[0] = 0
    options = {"standardize": True, "sample_weight": weight, "rng": 0, "tol": 0.0}
    whole, parts = (fastmlp.Network([3, 4, 1], rng=0, dtype=dtype) for _ in range(2))
    whole.fit(inputs, targets, method, max_iter=20, **options)
    first = parts.fit(inputs, targets, method, max_iter=10, **options)
    parts.fit(inputs, targets, method, max_iter=10, warm_start=first, **options)
    assert parts.units.inputs.constant.tolist() == [False, True, False]
    assert parts == whole
