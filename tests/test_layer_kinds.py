"""Layers of kinds that nobody wrote the library for: `specimens`, beside dense networks that are the same functions.

A diagonal layer is a dense one whose other weights are zero, averages are one whose weights are known. So whatever is
computed for a network of such layers is that of its dense twin, at the parameters that both have.
"""

import pickle

import numpy as np
import pytest

import fastmlp
from cases import MINIBATCH, PAIRS, WITH_GRADIENT, but, data, plan_of, relative_error
from computed import TOLERANCE, agree, curvature, directional, values, weighted
from fastmlp.model.layers import Dense, Kind
from specimens import Averages, Diagonal

LAYERS = {
    "in the middle": [3, 4, Diagonal(), 2],
    "first": [3, Diagonal(), 2],
    "last": [2, 3, Diagonal()],
    "alone": [3, Diagonal()],
    "two": [2, 5, Diagonal(), Diagonal(), 3],
    "without parameters": [3, 6, Averages(2), Diagonal(), 2],
    "without parameters, first": [4, Averages(2), 5, 2],
    "wide": [5, 40, Averages(2), Diagonal(), 4],
}


def network(layers, hidden="tanh", output="identity", loss=None, dtype="float64", seed=0):
    return fastmlp.Network(layers, hidden, output, loss, dtype, rng=seed, init="normal")


def dense_twin(net):
    """A dense network that is the same function, and where the parameters of `net` lie among its own."""
    architecture = net._architecture
    hidden = [activation.name for activation in architecture.activations[:-1]]
    twin = fastmlp.Network(net.layers, hidden, net.output, net.loss_name, net.dtype)
    twin.params = np.zeros(twin.n_params)
    indices = twin._architecture.unravel(np.arange(twin.n_params))
    where, views = [], iter(zip(net.weights, net.biases, strict=True))
    for number, layer in enumerate(architecture.layers):
        W = twin.weights[number]
        if isinstance(layer.kind, Averages):
            W[...] = np.repeat(np.eye(layer.n_out), layer.kind.size, axis=1) / layer.kind.size
            continue
        diagonal = isinstance(layer.kind, Diagonal)
        own = np.diag_indices(layer.n_out) if diagonal else np.indices(W.shape).reshape(2, -1)
        weights, biases = next(views)
        W[tuple(own)], twin.biases[number][...] = weights.ravel(), biases
        where += [indices.weights[number][tuple(own)], indices.biases[number]]
    return twin, np.concatenate(where)


@pytest.fixture(params=LAYERS)
def layers(request):
    return LAYERS[request.param]


# ---- what is computed ----


@pytest.mark.parametrize("n", [0, 1, 3, 17, 130])
@pytest.mark.parametrize("compute", [values, curvature, directional])
def test_whatever_is_computed_on_every_instruction_set_is_that_of_the_twin(layers, compute, n, dtype, isa):
    net = network(layers, dtype=dtype)
    twin, where = dense_twin(net)
    samples = weighted(net, n)
    got = compute(plan_of(net, isa), net.params, samples, np.arange(net.n_params))
    agree(got, compute(plan_of(twin, isa), twin.params, samples, where), dtype)


@pytest.mark.parametrize("compute", [values, curvature, directional])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_any_output_and_loss(layers, compute, output, loss):
    net = network(layers, "softplus", output, loss)
    twin, where = dense_twin(net)
    samples = weighted(net, 23)
    got = compute(net._architecture.plan, net.params, samples, np.arange(net.n_params))
    agree(got, compute(twin._architecture.plan, twin.params, samples, where), "float64")


@pytest.mark.parametrize("compute", [values, curvature, directional])
def test_the_same_bits_on_any_number_of_threads(compute, dtype):
    net = network(LAYERS["wide"], dtype=dtype)
    samples = weighted(net, 1500)
    single = compute(net._architecture.plan, net.params, samples, np.arange(net.n_params), 1)
    for n_threads in (2, 3):
        several = compute(net._architecture.plan, net.params, samples, np.arange(net.n_params), n_threads)
        assert all(np.array_equal(several[name], single[name]) for name in single)


@pytest.mark.parametrize("n", range(1, 10))
def test_a_few_rows_are_predicted_as_in_a_batch(layers, n, dtype):
    net = network(layers, dtype=dtype)
    X = data(net, 40)[0].astype(dtype)
    few, out = net(X[:n]), np.empty((n, net.layers[-1]), dtype)
    assert relative_error(few, net(X)[:n]) <= TOLERANCE[dtype]
    assert net.predict(X[:n], out=out) is out
    assert np.array_equal(out, few)


def test_differences_find_no_fault(layers):
    net = network(layers)
    assert fastmlp.check_derivatives(net, *data(net, 20)).passed


def test_traces_show_every_layer(layers):
    net = network(layers)
    X, T = data(net, 20)
    trace, of_twin = net.trace(X, T), dense_twin(net)[0].trace(X, T)
    assert [layer.z.shape[1] for layer in trace] == list(net.layers[1:])
    for layer, other in zip(trace, of_twin, strict=True):
        assert all(relative_error(own, theirs) < 1e-12 for own, theirs in zip(layer, other, strict=True))


# ---- trainings ----


@pytest.mark.parametrize("method", but(WITH_GRADIENT, "tnc"))  # whose differences of gradients show their rounding
def test_every_solver_goes_the_twins_way_where_that_holds_the_other_parameters(layers, method):
    net = network(layers)
    twin, where = dense_twin(net)
    X, T = data(net, 40)
    others = np.setdiff1d(np.arange(twin.n_params), where)
    settings = {"max_iter": 6, "rng": 0, "penalty": fastmlp.WeightDecay(0.1)}
    if method in MINIBATCH:
        settings |= {"batch_size": 7}
    mine = net.fit(X, T, method, **settings)
    theirs = twin.fit(X, T, method, fixed=others, **settings)
    held = float(0.05 * twin.params[others] @ twin.params[others])  # the penalty of what is held
    assert mine.nit == theirs.nit
    assert mine.fun == pytest.approx(theirs.fun - held, rel=1e-9)
    assert relative_error(net.params, twin.params[where]) < 1e-6


def test_objectives_have_fixed_and_tied_parameters_and_terms():
    net = network(LAYERS["in the middle"])
    X, T = data(net, 20)
    penalty = fastmlp.WeightDecay({"W2[1]": 0.5, "b2": 0.1})
    objective = net.objective(X, T, penalty=penalty, fixed="W2[0]", tied=[["W2[2]", "W2[3]"]])
    p, step = objective.x0, 1e-6
    gradient = [(objective.value(p + step * e) - objective.value(p - step * e)) / (2 * step) for e in np.eye(p.size)]
    assert p.size == net.n_params - 2
    assert relative_error(objective.grad(p), gradient) < 1e-8
    assert relative_error(objective.hess(p) @ p, objective.hessp(p, p)) < 1e-12


@pytest.mark.parametrize("method", ["lbfgs", "lm"])
def test_many_networks_at_once_and_early_stopping(method):
    nets = [network(LAYERS["in the middle"], seed=seed) for seed in range(3)]
    X, T = data(nets[0], 40)
    alone = [net.copy().fit(X, T, method, max_iter=8) for net in nets]
    together = fastmlp.fit_many(nets, X, T, method, max_iter=8)
    assert [each.fun for each in together] == pytest.approx([each.fun for each in alone], rel=1e-9)
    result = nets[0].fit(X, T, method, max_iter=30, validation=0.3, patience=3, rng=0)
    assert len(result.history["validation_loss"])


def test_standardised_units_fold_into_dense_layers_at_both_ends():
    net = network(LAYERS["in the middle"])
    X, T = data(net, 60)
    X, T = 1e3 * X + 1e4, 50 * T - 20
    net.fit(X, T, "lm", standardize=True, max_iter=60)
    assert 0.5 * np.sum((net(X) - T) ** 2) < 0.5 * np.sum((T - T.mean(axis=0)) ** 2)
    assert relative_error(net.rescale_inputs(2.0, 1.0)(2 * X + 1), net(X)) < 1e-10
    for layers in (LAYERS["first"], LAYERS["last"], LAYERS["alone"]):
        other = network(layers)
        X, T = data(other, 20)
        with pytest.raises(ValueError, match=r"^standardize: expected dense layers, got layer \d, which is Diagonal"):
            other.fit(X, T, "lm", standardize=True)


# ---- posteriors ----


def test_posteriors_are_those_of_the_twin_that_holds_the_other_parameters(layers):
    net = network(layers)
    twin, where = dense_twin(net)
    X, T = data(net, 60)
    net.fit(X, T, "lm", penalty=fastmlp.WeightDecay(1.0, biases=1.0), max_iter=500, tol=1e-9)
    twin = dense_twin(net)[0]
    alpha = np.full(twin.n_params, np.inf)
    alpha[where] = 1.0
    options = {"noise_precision": 1.0, "standardize": False}
    for hessian in ("ggn", "exact"):
        own = fastmlp.Laplace(net, X, T, prior_precision=1.0, hessian=hessian, **options)
        if not any(isinstance(layer.kind, Averages) for layer in net._architecture.layers):  # whose weights are not 0
            other = fastmlp.Laplace(twin, X, T, prior_precision=alpha, hessian=hessian, **options)
            for mine, theirs in zip(
                own.predict(X[:9]) + own.predict_jacobian(X[:9]),
                other.predict(X[:9]) + other.predict_jacobian(X[:9]),
                strict=True,
            ):
                assert relative_error(mine, theirs) < 1e-8
            assert own.log_evidence == pytest.approx(other.log_evidence, rel=1e-9)
        draws = own.sample(2, rng=0)
        assert np.shape(draws)[-1] == net.n_params


@pytest.mark.parametrize("method", ["maximum", "fixed_point"])
def test_the_evidence_is_maximised(method):
    net = network(LAYERS["in the middle"])
    X = np.random.default_rng(0).uniform(-2, 2, (80, 3))
    T = np.column_stack([np.sin(X[:, 0]), X[:, 1] ** 2]) + 0.1 * np.random.default_rng(1).normal(size=(80, 2))
    posterior = fastmlp.fit_evidence(net, X, T, method=method, groups="all", n_starts=2, rng=0, tol=1e-3)
    assert posterior._architecture.specification == (3, 4, Diagonal(), 2)
    assert np.all(np.abs(posterior.noise_precision**-0.5 - 0.1) < 0.1)
    with pytest.raises(ValueError, match=r"^hidden: expected dense layers"):
        fastmlp.fit_evidence(net, X, T, method=method, hidden=[2, 3])


# ---- what a network is ----


def test_files_copies_and_pickles_are_the_same_network(layers, tmp_path):
    net = network(layers, output="tanh", loss="squared_error", dtype="float32")
    net.save(tmp_path / "net")
    for other in (fastmlp.load(tmp_path / "net"), net.copy(), pickle.loads(pickle.dumps(net))):
        assert other == net
        assert other._architecture == net._architecture
        assert repr(other) == repr(net)
    assert net != network([net.layers[0], *net.layers[1:]], output="tanh", loss="squared_error", dtype="float32")


def test_older_libraries_read_what_has_dense_layers_only(tmp_path):
    for layers, version in (([3, 4, 2], b'"version": 2'), ([3, Diagonal(), 2], b'"version": 3')):
        network(layers).save(tmp_path / "net")
        assert version in (tmp_path / "net").read_bytes()


def test_a_file_of_a_kind_that_is_not_known_is_refused(tmp_path, monkeypatch):
    network(LAYERS["first"]).save(tmp_path / "net")
    monkeypatch.delitem(Kind._kinds, "diagonal")
    with pytest.raises(fastmlp.ModelFormatError, match=r"expected kinds among dense, .*, averages, got 'diagonal'"):
        fastmlp.load(tmp_path / "net")


def test_summary_and_names():
    net = network(LAYERS["without parameters"])
    assert net.summary().splitlines() == [
        "layer  shape       activation  parameters",
        "1      6 x 3       tanh        24",
        "2      averages 3  identity    0",
        "3      diagonal 3  tanh        6",
        "4      2 x 3       identity    8",
        "total                          38",
        "loss: squared_error, dtype: float64",
    ]
    assert net.layers == (3, 6, 3, 3, 2)
    assert list(net.groups) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert [W.shape for W in net.weights] == [(6, 3), (3,), (2, 3)]
    assert repr(net).startswith("Network([3, 6, Averages(size=2), Diagonal(), 2], hidden='tanh'")
    assert net._architecture.phrase().startswith("3-6-averages 3-diagonal 3-2, tanh")


def test_hidden_names_are_those_of_layers_with_an_activation():
    net = fastmlp.Network([4, Averages(2), 3, Diagonal(), 1], ["relu", "sin"])
    assert [str(each) for each in net._architecture.activations] == ["identity", "relu", "sin", "identity"]
    with pytest.raises(ValueError, match="each of the 2 hidden layers, got 3"):
        fastmlp.Network([4, Averages(2), 3, Diagonal(), 1], ["relu", "sin", "tanh"])


@pytest.mark.parametrize("init", ["glorot", "lecun", "he", "normal", "zeros"])
def test_starting_values_have_the_spread_of_their_fans(init):
    wide = fastmlp.Network([4000, Diagonal(), 1], init=init, rng=0)
    spread = {"glorot": 1.0, "lecun": 1.0, "he": 2.0**0.5, "normal": 0.5**0.5, "zeros": 0.0}[init]
    assert wide.weights[0].std() == pytest.approx(spread, rel=0.05)


def test_identical_units_are_those_of_neighbouring_dense_layers():
    with pytest.warns(fastmlp.IdenticalUnitsWarning, match="hidden layer 1"):
        net = fastmlp.Network([2, 3, 3, Diagonal(), 1], init="zeros")
    assert net._architecture.identical_units(net.params) == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda net: net.hessian_diagonal([[0.0] * 3], [[0.0] * 2], kind="backprop"),
            "kind='backprop': expected dense",
        ),
        (lambda net: net.initialize("nguyen_widrow"), "init='nguyen_widrow': expected dense layers, got layer 2"),
        (lambda net: fastmlp.plot.hinton(net, 1), r"layer: expected one with a matrix of weights, got shape \(4,\)"),
        (fastmlp.to_sklearn, "net: expected dense layers, got layer 2, which is Diagonal()"),
        (lambda net: network([3, Diagonal(), 2]).rescale_inputs(2.0), "rescale_inputs: expected dense layers"),
        (lambda net: network([3, 2, Diagonal()]).rescale_outputs(2.0), "rescale_outputs: expected dense layers"),
        (lambda net: network([3, 4, Averages(2)]), "layers: expected a last layer with an activation"),
        (lambda net: network([3, 5, Averages(2), 1]), "layers: expected a multiple of 2 units before Averages"),
        (lambda net: network([Diagonal(), 1]), "layers: expected an integer"),
        (lambda net: net.objective([[0.0] * 3], [[0.0] * 2], fixed="W2[0,0]"), r"fixed: expected one index of W2"),
        (lambda net: net.objective([[0.0] * 3], [[0.0] * 2], fixed="W2[4]"), "fixed: expected ':' or an index below 4"),
    ],
)
def test_what_is_for_dense_layers_only_says_so(call, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        call(network(LAYERS["in the middle"]))


def test_a_number_in_the_list_is_a_dense_layer():
    assert fastmlp.Network([2, Dense(3), 1], rng=0) == fastmlp.Network([2, 3, 1], rng=0)
