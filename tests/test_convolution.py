"""Convolutions, locally connected layers and pools: what they are, and every derivative against automatic ones."""

import functools
import itertools

import numpy as np
import pytest
import scipy.signal

import autodiff
import fastmlp
from cases import data, plan_of, relative_error
from computed import agree, curvature, directional, values, weighted
from fastmlp import AveragePool, Conv, MaxPool

TABLE = [[True, True, False], [False, True, True], [True, False, True], [False, True, False]]
FEW = [[True, False, True, False], [False, True, True, True]]

NETWORKS = {  # layers, hidden, output
    "two and two": ([(1, 10, 10), Conv(3, 3), AveragePool(2), Conv(4, 2), AveragePool(2), 3], "tanh", "softmax"),
    "strides": ([(2, 7, 9), Conv(3, (3, 2), (2, 3)), 2], "softplus", "identity"),
    "zeros around": ([(1, 5, 6), Conv(2, 3, padding="same"), Conv(3, (2, 4), padding="same"), 1], "tanh", "logistic"),
    "both": ([(3, 7, 5), Conv(4, 3, 2, "same"), 4, 2], ["silu", "tanh"], "softmax"),
    "largest": ([(1, 6, 6), Conv(5, 3, padding="same"), MaxPool(2), 3], "relu", "softmax"),
    "biases": ([(1, 6, 5), Conv(2, 3, bias="position"), Conv(2, 2, bias=None), 2], "logistic", "exp"),
    "signals": ([(2, 17), Conv(3, 5, 2), MaxPool(3), 1], "tanh", "tanh"),
    "local": ([(1, 6, 6), Conv(2, 3, 2, "same", "position", shared=False), 2], "gelu", "softmax"),
    "local, many": ([(2, 5, 4), Conv(3, 2, shared=False), Conv(2, 2, shared=False, bias=None), 1], "sin", "identity"),
    "pools first": ([(2, 5, 7), AveragePool(2), MaxPool((1, 3)), Conv(3, (2, 1)), 2], "elu", "identity"),
    "at the end": ([(1, 4, 4), Conv(2, 3, padding="same"), Conv(1, 3)], "tanh", "logistic"),
    "alone": ([(1, 3, 3), Conv(2, 2)], "tanh", "softmax"),
    "one pixel": ([(3, 1, 1), Conv(2, 1), 1], "tanh", "identity"),
    "connections": ([(3, 5, 5), Conv(4, 3, connections=TABLE), 2], "tanh", "identity"),
    "connections, local": (
        [(3, 7), Conv(4, 3, 2, "same", connections=TABLE), Conv(2, 2, shared=False, connections=FEW), 2],
        "tanh",
        "softmax",
    ),
    "wide windows": ([(1, 3, 3), Conv(17, 5, 2, "same"), 2], "relu", "identity"),
    "deep": ([(1, 9), Conv(2, 2), Conv(3, 3, 2), Conv(2, 2, padding="same"), 3, 1], "tanh", "identity"),
}


def network(layers, hidden="tanh", output="identity", dtype="float64", seed=0):
    return fastmlp.Network(layers, hidden, output, dtype=dtype, rng=seed, init="normal")


@pytest.fixture(params=NETWORKS)
def net(request):
    return network(*NETWORKS[request.param])


# ---- what they are ----


@pytest.mark.parametrize("bias", ["channel", "position", None])
@pytest.mark.parametrize("stride", [1, 2, (3, 1)])
@pytest.mark.parametrize("size", [1, 3, (2, 5)])
@pytest.mark.parametrize("axes", [(8, 7), (17, 5)])
def test_maps_are_correlations(axes, size, stride, bias):
    net = network([(2, *axes), Conv(3, size, stride, bias=bias)])
    X = np.random.default_rng(1).normal(size=(4, 2, *axes))
    down, across = (stride, stride) if isinstance(stride, int) else stride
    W = net.weights[0]
    expected = np.array(
        [[sum(scipy.signal.correlate(x[c], w[c], "valid") for c in range(2))[::down, ::across] for w in W] for x in X]
    )
    if bias is not None:
        expected += net.biases[0] if bias == "position" else net.biases[0][:, None, None]
    assert net._architecture.layers[0].outputs == expected.shape[1:]
    assert relative_error(net(X), expected.reshape(4, -1)) < 1e-13


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("size", [1, 2, 3, 6])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_the_smaller_half_of_the_zeros_is_before(n, size, stride):
    net = network([(1, n), Conv(1, size, stride, "same")])
    x = np.random.default_rng(n).normal(size=n)
    n_out = -(-n // stride)
    zeros = max((n_out - 1) * stride + size - n, 0)
    padded = np.pad(x, (zeros // 2, zeros - zeros // 2))
    expected = [padded[i * stride :][:size] @ net.weights[0].ravel() + net.biases[0][0] for i in range(n_out)]
    assert relative_error(net(x[None])[0], expected) < 1e-13


def test_pools_drop_what_is_left_over():
    X = np.arange(35.0).reshape(1, 1, 5, 7)
    for pool, reduce in ((AveragePool((2, 3)), np.mean), (MaxPool((2, 3)), np.max)):
        net = network([(1, 5, 7), pool, 1])
        windows = X[0, 0, :4, :6].reshape(2, 2, 2, 3)
        assert np.allclose(net.trace(X).z[0][0], reduce(windows, axis=(1, 3)).ravel(), rtol=1e-15)


def test_of_equal_numbers_the_first_is_the_largest():
    net = network([(1, 2, 2), MaxPool(2), 1])
    slope = net.weights[0][0, 0]
    for x, where in (([1, 1, 1, 1], 0), ([0, 2, 2, 1], 1), ([0, 1, 2, 2], 2), ([0, 0, 0, 1], 3)):
        assert np.array_equal(net.jacobian([x])[0, 0], slope * np.eye(4)[where])


def test_a_shift_by_whole_pixels_moves_the_maps():
    net = network([(1, 18, 18), Conv(3, 3), AveragePool(2), Conv(2, 2), 1])
    image = np.zeros((1, 18, 18))
    image[0, 4:8, 4:8] = np.random.default_rng(0).normal(size=(4, 4))
    moved = np.roll(image, (2, 4), axis=(1, 2))
    for number, step in ((0, 1), (1, 2), (2, 2)):
        maps = [net.trace(x).a[number].reshape(net._architecture.layers[number].outputs) for x in (image, moved)]
        assert np.array_equal(np.roll(maps[0], (2 // step, 4 // step), axis=(1, 2)), maps[1])


@pytest.mark.parametrize(
    ("layers", "n_params", "n_links"),
    [
        ([(1, 16, 16), 10], 2570, 2570),
        ([(1, 16, 16), 12, 10], 3214, 3214),
        (
            [(1, 16, 16), Conv(1, 3, 2, "same", shared=False, bias="position"),
             Conv(1, 5, shared=False, bias="position"), 10],
            1226, 1226,
        ),
        ([(1, 16, 16), Conv(2, 3, 2, "same", "position"), Conv(1, 5, shared=False, bias="position"), 10], 1132, 2266),
        ([(1, 16, 16), Conv(2, 3, 2, "same", "position"), Conv(4, 5, bias="position"), 10], 1060, 5194),
    ],
)  # fmt: skip
def test_the_five_networks_of_esl_have_their_weights_and_links(layers, n_params, n_links):
    net = network(layers)
    assert net.n_params == n_params
    assert net.summary().splitlines()[-2].split() == ["total", str(n_params), str(n_links)]


# ---- dense networks that are the same function ----


def matrix_of(layer, params):
    """W and b of the dense layer that a layer is, from what it gives for unit vectors."""
    net = fastmlp.Network([layer.inputs, layer.kind], output="identity")
    net.params = params
    b = net(np.zeros((1, layer.n_in)))[0]
    return (net(np.eye(layer.n_in)) - b).T, b


def test_a_convolution_is_a_dense_layer_with_tied_weights():
    net = network([(2, 6, 5), Conv(3, 3, 2, "same"), Conv(2, 2, shared=False), 4, 2])
    X, T = data(net, 30)
    twin = fastmlp.Network(net.layers, "tanh")
    places = {place.number: place for place in net._architecture.places}
    for number, layer in enumerate(net._architecture.layers):
        place = places[number]
        own = net.params[place.weights.start : place.biases.stop]
        W, b = (net.weights[number], net.biases[number]) if layer.is_dense else matrix_of(layer, own)
        twin.weights[number][...], twin.biases[number][...] = W, b
    assert relative_error(net(X), twin(X)) < 1e-12
    assert abs(net.loss(X, T) / twin.loss(X, T) - 1) < 1e-12
    assert relative_error(net.jacobian(X), twin.jacobian(X)) < 1e-12
    assert relative_error(net.input_hessian(X), twin.input_hessian(X)) < 1e-12
    for mine, theirs in zip(net.trace(X, T), twin.trace(X, T), strict=True):
        assert all(relative_error(a, b) < 1e-12 for a, b in zip(mine, theirs, strict=True))


# ---- every derivative ----


def test_outputs_losses_and_gradients(net):
    X, T = data(net, 37)
    outputs, losses, gradient = autodiff.evaluate(net, X, T)
    assert relative_error(net(X), outputs) < 1e-12
    assert relative_error(net.sample_losses(X, T), losses) < 1e-12
    assert relative_error(net.loss_and_grad(X, T)[1], gradient) < 1e-11


def test_jacobians(net):
    X = data(net, 5)[0]
    rng = np.random.default_rng(0)
    v, directions, U = (rng.normal(size=shape) for shape in (net.n_params, X.shape, (len(X), net.layers[-1])))
    expected = autodiff.jacobians(net, X)
    for of in ("outputs", "logits"):
        by_inputs, by_params = expected["inputs", of], expected["params", of]
        assert relative_error(net.jacobian(X, of=of), by_inputs) < 1e-11
        assert relative_error(net.jacobian(X, wrt="params", of=of), by_params) < 1e-11
        assert relative_error(net.jvp(X, v, of=of), by_params @ v) < 1e-11
        forward = np.einsum("nki,ni->nk", by_inputs, directions)
        assert relative_error(net.jvp(X, directions, wrt="inputs", of=of), forward) < 1e-11
        assert relative_error(net.vjp(X, U, of=of), np.einsum("nk,nkp->p", U, by_params)) < 1e-11
        backward = np.einsum("nk,nki->ni", U, by_inputs)
        assert relative_error(net.vjp(X, U, wrt="inputs", of=of), backward) < 1e-11
    assert relative_error(net.input_hessian(X), autodiff.input_hessian(net, X)) < 1e-11


def test_curvature(net):
    X, T = data(net, 13)
    weight = np.random.default_rng(2).exponential(size=13)
    v = np.random.default_rng(3).normal(size=net.n_params)
    for kind, oracle in (
        ("exact", autodiff.hessian), ("ggn", autodiff.gauss_newton), ("empirical_fisher", autodiff.empirical_fisher),
    ):  # fmt: skip
        expected = oracle(net, X, T, weight)
        assert relative_error(net.hessian(X, T, kind, sample_weight=weight), expected) < 1e-11
        assert relative_error(net.hessian_diagonal(X, T, kind, sample_weight=weight), np.diag(expected)) < 1e-11
        if kind != "empirical_fisher":
            product = net.hessp if kind == "exact" else net.ggnp
            assert relative_error(product(X, T, v, sample_weight=weight), expected @ v) < 1e-11


def test_terms_on_derivatives_by_inputs(net):
    X, T = data(net, 5)
    rng = np.random.default_rng(4)
    tau, d = rng.normal(size=(2, *X.shape)), rng.normal(size=(2, len(X), net.layers[-1]))
    expected = autodiff.tangents(net, X, tau, d, 0.7, np.ones(5), of_logits=True)
    batch = fastmlp.model.functional.check_and_bind(net._architecture, X, T)
    term = fastmlp._core.sums.tangents.Tangents(batch, ((tau, d, 0.7, True),))
    assert relative_error(term.value_and_grad(net.params, 1)[2], expected["gradient"]) < 1e-11
    product = fastmlp._core.sums.tangent_products.products
    V = rng.normal(size=(1, net.n_params))
    assert relative_error(product(term, net.params, V, True, 1), V @ expected["hessian"]) < 1e-10
    assert relative_error(product(term, net.params, V, False, 1), V @ expected["ggn"]) < 1e-10


@pytest.fixture(
    scope="module",
    params=itertools.product(NETWORKS, (values, curvature, directional), (0, 1, 3, 17, 130)),
    ids=lambda p: f"{p[0]}-{p[1].__name__}-{p[2]}",
)
def best(request):
    """A network of a type, and what the best kernels compute in float64 of its parameters, for all instruction sets."""
    name, compute, n = request.param

    @functools.cache
    def of(dtype):
        net, own = (network(*NETWORKS[name], each) for each in ("float64", dtype))
        net.params = own.params  # rounded once, for both
        return own, compute(net._architecture.plan, net.params, weighted(net, n), np.arange(net.n_params))

    return compute, n, of


def test_every_instruction_set_and_type(best, dtype, isa):
    compute, n, of = best
    own, expected = of(dtype)
    got = compute(plan_of(own, isa), own.params, weighted(own, n), np.arange(own.n_params))
    if dtype == "float64":
        agree(got, expected, dtype)
    else:
        assert all(relative_error(np.atleast_1d(got[k]), np.atleast_1d(expected[k])) < 1e-3 for k in expected)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_a_few_images_whose_lanes_are_positions_are_as_many(net, n, dtype, isa):
    own = network(net._architecture.specification, net.hidden, net.output, dtype)
    X = data(own, 20)[0].astype(dtype)
    outputs, plan = np.empty((20 + n, own.layers[-1]), dtype), plan_of(own, isa)
    fastmlp._core.sums.predict.predict(plan, own.params, X, outputs[n:], 1)
    fastmlp._core.sums.predict.predict(plan, own.params, X[:n], outputs[:n], 1)
    assert relative_error(outputs[:n], outputs[n : 2 * n]) < (1e-13 if dtype == "float64" else 2e-5)


def test_the_largest_of_a_few_images_knows_nan_and_infinity():
    net = network([(1, 2, 6), MaxPool(2), 1])
    net.params = [1.0, 1.0, 1.0, 0.0]
    for big in (1e308, -1e308):
        x = np.full((1, 12), -1e308)
        x[0, :2] = big
        assert net(x)[0, 0] == net(np.repeat(x, 9, axis=0))[0, 0]


def test_chosen_parameters_have_their_rows_and_columns(net):
    X, T = data(net, 13)
    there = np.flatnonzero(~net.pruned)
    free = np.sort(np.random.default_rng(0).choice(there, (len(there) + 1) // 2, replace=False))
    fixed = np.setdiff1d(np.arange(net.n_params), free).tolist()
    objective = net.objective(X, T, fixed=fixed)
    for matrix, oracle in ((objective.ggn, autodiff.gauss_newton), (objective.hess, autodiff.hessian)):
        expected = oracle(net, X, T, np.ones(13))[np.ix_(free, free)]
        assert relative_error(matrix(objective.x0), expected) < 1e-11


@pytest.fixture(scope="module")
def on_threads():
    """All that is computed of a network of a type on so many threads."""

    @functools.cache
    def of(dtype, n_threads):
        own = network([(1, 8, 8), Conv(6, 3, padding="same"), MaxPool(2), Conv(4, 2), 3], dtype=dtype)
        given = own._architecture.plan, own.params, weighted(own, 300), np.arange(own.n_params), n_threads
        return [compute(*given) for compute in (values, curvature, directional)]

    return of


@pytest.mark.parametrize("n_threads", [2, 3])
def test_the_same_bits_on_any_number_of_threads(n_threads, dtype, on_threads):
    for several, single in zip(on_threads(dtype, n_threads), on_threads(dtype, 1), strict=True):
        assert all(np.array_equal(several[name], single[name]) for name in single)


def test_differences_find_no_fault(net):
    assert fastmlp.check_derivatives(net, *data(net, 20)).passed
