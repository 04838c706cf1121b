"""Starting values, and what becomes of identical ones (L15)."""

import warnings

import numpy as np
import pytest

import fastmlp
from fastmlp import IdenticalUnitsWarning
from fastmlp.model import initializers


@pytest.mark.parametrize("init", [name for name in initializers.NAMES if name != "zeros"])
def test_starting_values_are_seeded(init):
    first = fastmlp.Network([3, 4, 2], init=init, rng=5)
    assert first == fastmlp.Network([3, 4, 2], init=init, rng=np.random.default_rng(5))
    assert first != fastmlp.Network([3, 4, 2], init=init, rng=6)
    assert first == fastmlp.Network([3, 4, 2], rng=1).initialize(init, rng=5)


@pytest.mark.parametrize(
    ("init", "variance"), [("glorot", 2 / 500), ("lecun", 1 / 200), ("he", 2 / 200), ("normal", 1 / 201)]
)
def test_weights_have_the_documented_variance(init, variance):
    net = fastmlp.Network([200, 300, 1], init=init, rng=0)
    W, b = net.weights[0], net.biases[0]
    assert W.var() == pytest.approx(variance, rel=0.03)
    assert abs(W.mean()) < 0.02 * np.sqrt(variance)
    assert (b.var() == pytest.approx(variance, rel=0.3)) if init == "normal" else not b.any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_number_is_half_the_width_of_a_uniform_distribution_of_weights_and_biases(dtype):
    net = fastmlp.Network([100, 200, 3], init=0.1, rng=0, dtype=dtype)
    draws = np.random.default_rng(0).uniform(-0.1, 0.1, net.n_params)  # in the order of the parameters
    assert np.array_equal(net.params, draws.astype(dtype))
    assert net == fastmlp.Network([100, 200, 3], dtype=dtype, rng=1).initialize(0.1, rng=0)
    assert fastmlp.Network([2, 3, 1], init=2, rng=0) == fastmlp.Network([2, 3, 1], init=2.0, rng=0)


@pytest.mark.parametrize(
    ("init", "error", "message"),
    [
        (None, TypeError, r"init: expected a name, or a number r for U\(-r, r\), got None"),
        (True, TypeError, r"init: expected a name, or a number r for U\(-r, r\), got True"),
        ([0.1], TypeError, "init: expected a name, or a number"),
        (0.0, ValueError, "init: expected a finite number > 0"),
        (-1, ValueError, "init: expected a finite number > 0"),
        (np.inf, ValueError, "init: expected a finite number > 0"),
        (1e308, ValueError, "init: expected a finite number > 0 and < 8.98847e[+]307"),
        ("uniform", ValueError, "init: expected one of glorot"),
    ],
)
def test_other_starting_values_are_refused(init, error, message):
    net = fastmlp.Network([2, 3, 1], rng=0)
    params = net.params.copy()
    calls = (
        lambda: fastmlp.Network([2, 3, 1], init=init),
        lambda: net.initialize(init),
        lambda: fastmlp.sweep([[0.0], [1.0]], [0.0, 1.0], (1,), 1, 0.5, init=[init]),
    )
    for call in calls:
        with pytest.raises(error, match=message):
            call()
    with pytest.raises(ValueError, match=r"init: expected a finite number > 0 and < 1\.7"):
        fastmlp.Network([1, 1], dtype="float32", init=1e39)
    assert np.array_equal(net.params, params)


def test_nguyen_widrow_spreads_rows_of_one_length():
    net = fastmlp.Network([2, 50, 1], init="nguyen_widrow", rng=0)
    length = 0.7 * 50**0.5
    assert np.allclose(np.linalg.norm(net.weights[0], axis=1), length)
    assert np.abs(net.biases[0]).max() <= length
    assert np.abs(net.weights[1]).max() <= 0.5


@pytest.mark.parametrize("hidden", ["tanh", "logistic"])
def test_zeros_warn_and_name_the_layer(hidden):
    with pytest.warns(IdenticalUnitsWarning) as record:
        net = fastmlp.Network([2, 3, 4, 1], hidden=hidden, init="zeros")
    assert len(record) == 2
    assert {warning.filename for warning in record} == {__file__}
    assert f"hidden layer 1 ({hidden})" in str(record[0].message)
    assert f"hidden layer 2 ({hidden})" in str(record[1].message)
    with pytest.warns(IdenticalUnitsWarning, match="before fit"):
        net.fit([[0.0, 1.0]], [1.0], max_iter=1)


def test_two_identical_units_among_others_are_found():
    net = fastmlp.Network([2, 3, 1], rng=0)
    net.weights[0][2], net.weights[1][:, 2] = net.weights[0][0], net.weights[1][:, 0]
    with pytest.warns(IdenticalUnitsWarning, match="hidden layer 1"):
        net.fit([[0.0, 1.0]], [1.0], max_iter=1)


def test_other_networks_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fastmlp.Network([2, 3, 1], rng=0).fit([[0.0, 1.0]], [1.0], max_iter=1)
        fastmlp.Network([2, 3], init="zeros")
        fastmlp.Network([2, 1, 3], init="zeros")


DATA = np.array([[0.1, -0.4], [1.0, 0.3], [-0.7, 0.9], [0.5, 0.5]]), np.array([0.3, 1.0, -0.4, 0.2])


def zeros(hidden):
    with pytest.warns(IdenticalUnitsWarning):
        return fastmlp.Network([2, 2, 1], hidden=hidden, init="zeros")


@pytest.mark.filterwarnings("ignore::fastmlp.IdenticalUnitsWarning")
@pytest.mark.parametrize("method", ["sgd", "adam", "rprop", "lbfgs"])
def test_with_logistic_units_rows_stay_identical_to_the_bit(method):
    net = zeros("logistic")
    net.fit(*DATA, method=method, max_iter=2000, rng=0)
    W1, W2 = net.weights
    assert W1.any()
    assert W2.any()
    assert np.array_equal(W1[0], W1[1])
    assert np.array_equal(net.biases[0][:1], net.biases[0][1:])
    assert np.array_equal(W2[:, 0], W2[:, 1])


@pytest.mark.filterwarnings("ignore::fastmlp.IdenticalUnitsWarning")
def test_with_tanh_units_only_the_output_bias_ever_moves():
    net = zeros("tanh")
    net.fit(*DATA, method="sgd", max_iter=2000, rng=0)
    assert not net.params[:-1].any()
    assert net.params[-1] == pytest.approx(DATA[1].mean(), abs=0.05)
