"""Tables of connections between channels, as in the networks of 1989: weights that are not there, and stay so."""

import pickle

import numpy as np
import pytest

import fastmlp
from cases import data, relative_error
from fastmlp import AveragePool, Conv

TABLE = [[True, True, False], [False, True, True], [True, False, True], [False, True, False]]
LAYERS = [(3, 6, 6), Conv(4, 3, connections=TABLE), AveragePool(2), 2]
SOLVERS = ("sgd", "adam", "rprop", "lm", "scg", "lbfgs", "newton-cg", "trust-exact", "cg")


def network(layers=LAYERS, output="identity", dtype="float64", **arguments):
    return fastmlp.Network(layers, "tanh", output, dtype=dtype, rng=0, **arguments)


def has_gaps(net):
    """Whether the weights that are not there are 0 and held, and all others may change."""
    where = np.zeros(net.n_params, bool)
    where[: net.weights[0].size] = np.repeat(~np.array(TABLE).ravel(), 9)
    return np.array_equal(net.pruned, where) and not net.params[where].any()


def test_maps_look_at_the_channels_of_their_row():
    net = network([(3, 5, 5), Conv(4, 3, connections=TABLE)])
    J = net.jacobian(data(net, 2)[0]).reshape(2, 4, 9, 3, 25)
    assert np.array_equal(J.any(axis=(0, 2, 4)), TABLE)


@pytest.mark.parametrize("given", [TABLE, np.array(TABLE), tuple(map(tuple, TABLE))])
def test_tables_are_arrays_or_sequences(given):
    layer = Conv(4, 3, connections=given)
    assert layer == Conv(4, 3, connections=TABLE)
    assert hash(layer) == hash(Conv(4, 3, connections=TABLE))
    assert eval(repr(layer), vars(fastmlp)) == layer
    assert has_gaps(network([(3, 6, 6), layer, AveragePool(2), 2]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[True, True]], r"^connections: expected a boolean table with 2 rows, got bool of shape \(1, 2\)$"),
        ([True, True], r"^connections: expected a boolean table with 2 rows, got bool of shape \(2,\)$"),
        ([[], []], "^connections: expected a boolean table with 2 rows, got "),
        ([[1, 0], [0, 1]], "^connections: expected a boolean table with 2 rows, got int64"),
        ([[True], [True, False]], "^connections: expected an array"),
        ([[True, False], [False, False]], "^connections: expected one input channel at least .*, got none in row 1$"),
    ],
)
def test_other_tables_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        Conv(2, 3, connections=table)


def test_tables_fit_the_layer_before():
    with pytest.raises(
        ValueError, match=r"^layers: expected connections of shape \(4, 2\), .*, got \(4, 3\), in layer 1$"
    ):
        network([(2, 6, 6), Conv(4, 3, connections=TABLE), 1])


def test_the_network_of_1989_has_its_weights():
    # Neural Computation 1, 541-551: H2 has 12 maps, each from 8 of the 12 maps of H1; 9,760 weights, 64,660 links
    eight = [[(i + j) % 12 < 8 for j in range(12)] for i in range(12)]
    own = {"stride": 2, "padding": "same", "bias": "position"}
    net = network([(1, 16, 16), Conv(12, 5, **own), Conv(12, 5, **own, connections=eight), 30, 10])
    lines = net.summary().splitlines()
    assert [line.split()[-2:] for line in lines[1:6]] == [
        ["1068", "19968"], ["2592", "38592"], ["5790", "5790"], ["310", "310"], ["9760", "64660"],
    ]  # fmt: skip
    assert not lines[-1].endswith("pruned")
    assert net.n_params == 9760 + 12 * 4 * 25
    assert "pruned" not in repr(net)


def test_what_is_pruned_besides_is_told_apart():
    net = network()
    mask = np.zeros(net.n_params, bool)
    mask[:2] = True
    net.pruned = mask
    n_there = net.n_params - 45
    assert net.pruned.sum() == 47
    assert net.summary().splitlines()[-1] == f"2 of {n_there} parameters pruned"
    assert repr(net).endswith(f" with 2 of {n_there} parameters pruned")


def test_nothing_brings_them_back(tmp_path):
    net = network()
    assert has_gaps(net)
    assert has_gaps(net.unprune())
    net.pruned = np.zeros(net.n_params, bool)
    assert has_gaps(net)
    assert has_gaps(net.copy())
    assert has_gaps(net.rescale_inputs([2.0, 3.0, 4.0]))
    assert has_gaps(pickle.loads(pickle.dumps(net)))
    net.save(tmp_path / "net")
    assert has_gaps(fastmlp.load(tmp_path / "net"))
    assert fastmlp.load(tmp_path / "net") == net
    with pytest.raises(ValueError, match=r"^params: expected zeros where the network is pruned, got others"):
        net.params = np.ones(net.n_params)


@pytest.mark.parametrize("init", ["glorot", "lecun", "he", "normal"])
@pytest.mark.parametrize("shared", [True, False])
def test_starting_values_count_the_inputs_that_are_there(init, shared):
    table = np.zeros((2, 100), bool)
    table[0], table[1, :25] = True, True
    net = network([(100, 5, 5), Conv(2, 3, shared=shared, connections=table), 1], init=init)
    W = net.weights[0] if shared else np.moveaxis(net.weights[0], 3, 1)
    n_in, n_out = np.array([900, 225]), 9 * table.sum(axis=0)
    variance = {
        "glorot": 2 / (n_in[:, None] + n_out), "lecun": 1 / n_in[:, None], "he": 2 / n_in[:, None],
        "normal": 1 / (n_in[:, None] + 1),
    }[init] * np.ones((2, 100))  # fmt: skip
    for i in range(2):
        for here in (n_out == 18, n_out == 9):
            if table[i][here].all():
                assert abs(W[i][here].var() / variance[i][here][0] - 1) < 0.3
    assert not W[~table].any()


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("standardize", [False, True])
def test_every_training_keeps_them(method, standardize):
    net = network()
    X, T = data(net, 40)
    before = net.params
    net.fit(X, T, method, standardize=standardize, max_iter=3)
    assert has_gaps(net)
    assert np.array_equal(net.params != before, ~net.pruned)


def test_posteriors_and_evidence_keep_them():
    net = network()
    X, T = data(net, 60)
    with pytest.warns(fastmlp.ConvergenceWarning):
        posterior = fastmlp.fit_evidence(net, X, T, max_iter=3)
    assert has_gaps(posterior.network)
    assert not posterior.params_covariance[net.pruned].any()


def test_prior_samples_look_only_at_their_channels():
    net = network([(3, 3, 3), Conv(4, 3, bias=None, connections=TABLE)])
    X = np.repeat(np.eye(3), 9, axis=1)  # one channel after the other
    outputs = fastmlp.prior_samples(net, 1.0, X, n=2, rng=0)
    assert np.array_equal((outputs != 0).all(axis=0), np.array(TABLE).T)


def test_a_full_table_changes_nothing():
    full = network([(3, 6, 6), Conv(4, 3, connections=np.ones((4, 3), bool)), 2])
    plain = network([(3, 6, 6), Conv(4, 3), 2])
    assert np.array_equal(full.params, plain.params)
    assert not full.pruned.any()
    assert full.summary() == plain.summary()


def test_connections_are_weights_that_have_been_pruned():
    net, plain = network(), network([(3, 6, 6), Conv(4, 3), AveragePool(2), 2])
    plain.params, plain.pruned = net.params, net.pruned
    X, T = data(net, 30)
    assert np.array_equal(net(X), plain(X))
    assert np.array_equal(net.loss_and_grad(X, T)[1], plain.loss_and_grad(X, T)[1])
    for each in (net, plain):
        each.fit(X, T, "lm", max_iter=5)
    assert relative_error(net.params, plain.params) < 1e-12
