"""Jacobians, their products and the Hessian by inputs, against autodiff, closed forms and each other."""

import mpmath
import numpy as np
import pandas as pd
import pytest

import autodiff
import fastmlp
from cases import HIDDEN, PAIRS, data, network, plan_of, relative_error
from fastmlp._core.bridge import kernels
from fastmlp._core.sums import jacobian as core

TOLERANCE = {"float64": 1e-11, "float32": 2e-5}


def agree(net, X):
    """Check all derivatives of the outputs and of the logits against autodiff."""
    tolerance = TOLERANCE[net.dtype.name]
    X = np.asarray(X, net.dtype)
    rng = np.random.default_rng(0)
    v, directions, U = (
        rng.normal(size=shape).astype(net.dtype) for shape in (net.n_params, X.shape, (len(X), net.layers[-1]))
    )
    expected = autodiff.jacobians(net, X)
    for of in ("outputs", "logits"):
        by_inputs, by_params = expected["inputs", of], expected["params", of]
        assert relative_error(net.jacobian(X, of=of), by_inputs) <= tolerance
        assert relative_error(net.jacobian(X, wrt="params", of=of), by_params) <= tolerance
        assert relative_error(net.jvp(X, v, of=of), by_params @ v) <= tolerance
        forward = np.einsum("nki,ni->nk", by_inputs, directions)
        assert relative_error(net.jvp(X, directions, wrt="inputs", of=of), forward) <= tolerance
        assert relative_error(net.vjp(X, U, of=of), np.einsum("nk,nkp->p", U, by_params)) <= tolerance
        backward = np.einsum("nk,nki->ni", U, by_inputs)
        assert relative_error(net.vjp(X, U, wrt="inputs", of=of), backward) <= tolerance
    second = net.input_hessian(X)
    assert relative_error(second, autodiff.input_hessian(net, X)) <= tolerance
    assert np.array_equal(second, second.swapaxes(2, 3))


@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_every_depth_with_every_output(depth, output, loss):
    hidden = [HIDDEN[(depth + i) % len(HIDDEN)] for i in range(1, depth + 1)]
    net = network([3, *[5, 3, 6, 2][:depth], 4], hidden, output, loss, seed=depth)
    agree(net, data(net, 17)[0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_activation(hidden, dtype):
    net = network([2, 4, 3, 2], hidden, "softmax", dtype=dtype, seed=1)
    agree(net, data(net, 5)[0])


@pytest.mark.parametrize("layers", [[12, 17, 10], [3, 33, 10], [1, 1, 1]])
@pytest.mark.parametrize("output", ["identity", "softmax", "logistic"])
def test_several_blocks_and_widths(layers, output):
    if output == "softmax" and layers[-1] == 1:
        layers = [*layers[:-1], 2]
    net = network(layers, "tanh", output, seed=2)
    agree(net, data(net, 259)[0])


@pytest.mark.parametrize("isa", kernels.isa_names)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("layers", [[4, 7, 3], [2, 5, 9]])
def test_every_instruction_set(layers, dtype, isa):
    net = network(layers, "tanh", "softmax", dtype=dtype, seed=3)
    plan = plan_of(net, isa)
    for n in (0, 1, 3, 17, 130):
        X = data(net, n)[0].astype(dtype)
        p = net.params
        for of_logits, of in ((False, "outputs"), (True, "logits")):
            for run, wrt in ((core.by_inputs, "inputs"), (core.by_params, "params")):
                got = run(plan, p, X, of_logits, 1)
                assert relative_error(got, net.jacobian(X, wrt=wrt, of=of)) <= 0.1 * TOLERANCE[dtype]
                y = np.empty_like(net(X))
                assert np.array_equal(run(plan, p, X, of_logits, 1, y), got)
                assert relative_error(y, net.trace(X).z[-1] if of_logits else net(X)) <= 0.1 * TOLERANCE[dtype]
        assert relative_error(core.input_hessian(plan, p, X, 1), net.input_hessian(X)) <= 0.1 * TOLERANCE[dtype]


def test_any_number_of_threads_gives_the_same_bits(n_threads, dtype):
    net = network([5, 30, 20, 4], "tanh", "softmax", dtype=dtype, seed=4)
    X = data(net, 1003)[0].astype(dtype)
    rng = np.random.default_rng(1)
    v, U = rng.normal(size=net.n_params), rng.normal(size=(len(X), 4))
    for call in (
        lambda n: net.jacobian(X, n_threads=n),
        lambda n: net.jacobian(X, wrt="params", n_threads=n),
        lambda n: net.value_and_jacobian(X, n_threads=n)[0],
        lambda n: net.jvp(X, v, n_threads=n),
        lambda n: net.vjp(X, U, n_threads=n),
        lambda n: net.vjp(X, U, wrt="inputs", n_threads=n),
        lambda n: net.input_hessian(X, n_threads=n),
    ):
        assert np.array_equal(call(n_threads), call(1))


def test_backward_equals_forward_equals_differences_and_rows_of_softmax_sum_to_zero():
    net = network([4, 6, 3], output="softmax", seed=5)
    X, h = data(net, 9)[0], 1e-5
    J = net.jacobian(X)
    forward = np.stack([net.jvp(X, e, wrt="inputs") for e in np.eye(4)], axis=2)
    assert relative_error(J, forward) < 1e-12
    differences = np.stack([(net(X + h * e) - net(X - h * e)) / (2 * h) for e in np.eye(4)], axis=2)
    assert relative_error(J, differences) < 1e-8
    assert np.abs(J.sum(axis=1)).max() < 1e-12 * np.abs(J).max()
    assert np.abs(net.jacobian(X, wrt="params").sum(axis=1)).max() < 1e-12


def test_saturated_units_against_fifty_digits():
    net = network([2, 3, 1], "tanh", seed=6)
    net.weights[0][...] *= 12
    X = np.array([[0.9, -1.3], [2.0, 1.0]])
    with mpmath.workdps(50):
        for x, got in zip(X, net.jacobian(X)[:, 0], strict=True):
            expected = [mpmath.mpf(0)] * 2
            for w, b, u in zip(net.weights[0], net.biases[0], net.weights[1][0], strict=True):
                z = sum((mpmath.mpf(wi) * mpmath.mpf(xi) for wi, xi in zip(w, x, strict=True)), mpmath.mpf(b))
                for i in range(2):
                    expected[i] += mpmath.mpf(u) * mpmath.sech(z) ** 2 * mpmath.mpf(w[i])
            assert all(abs(g - float(e)) <= 1e-9 * abs(float(e)) for g, e in zip(got, expected, strict=True))


def test_vectors_of_one_output_may_be_flat_and_one_direction_serves_all_samples():
    net = network([3, 4, 1], seed=7)
    X = data(net, 6)[0]
    u = np.arange(6.0)
    assert np.array_equal(net.vjp(X, u), net.vjp(X, u[:, None]))
    direction = np.array([1.0, 0.0, -1.0])
    assert np.array_equal(net.jvp(X, direction, wrt="inputs"), net.jvp(X, np.tile(direction, (6, 1)), wrt="inputs"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net.jacobian([[0.0]]), r"X: expected shape \(n_samples, 3\), got \(1, 1\)"),
        (
            lambda net: net.jacobian(np.zeros((2, 3)), wrt="weights"),
            "wrt: expected one of inputs, params, got 'weights'",
        ),
        (lambda net: net.jacobian(np.zeros((2, 3)), of="losses"), "of: expected one of outputs, logits, got 'losses'"),
        (lambda net: net.jvp(np.zeros((2, 3)), [1.0]), r"v: expected shape \(26,\), got \(1,\)"),
        (
            lambda net: net.jvp(np.zeros((2, 3)), [1.0], wrt="inputs"),
            r"v: expected shape \(2, 3\) or \(3,\), got \(1,\)",
        ),
        (lambda net: net.vjp(np.zeros((2, 3)), [1.0]), r"U: expected shape \(2, 2\), got \(1,\)"),
        (lambda net: net.input_hessian(np.zeros(3)), r"X: expected shape \(n_samples, 3\), got \(3,\)"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(network([3, 4, 2]))


# ---- one sample as a vector; outputs in the same pass ----


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("layers", [[3, 5, 2], [2, 5, 4], [1, 4, 1], [1, 4, 3], [5, 1]])
@pytest.mark.parametrize("of", ["outputs", "logits"])
@pytest.mark.parametrize("wrt", ["inputs", "params"])
def test_value_and_jacobian_are_those_of_the_calls_one_by_one(wrt, of, layers, dtype):
    net = network(layers, "tanh", "softplus", dtype=dtype, seed=5)
    for n in (0, 1, 7, 300):
        X = data(net, n)[0].astype(dtype)
        y, J = net.value_and_jacobian(X, wrt, of)
        assert np.array_equal(J, net.jacobian(X, wrt, of))
        assert y.shape == (n, layers[-1])
        assert y.dtype == J.dtype == net.dtype
        expected = net(X) if of == "outputs" else net.trace(X).z[-1]
        assert relative_error(y, expected) <= 0.01 * TOLERANCE[dtype]


GIVEN = {
    "array": lambda x: x,
    "list": lambda x: x.tolist(),
    "of the other type": lambda x: x.astype("f4" if x.dtype == "f8" else "f8"),
    "with a step": lambda x: np.repeat(x, 2)[::2],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype),
    "series": pd.Series,
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("layers", [[3, 5, 2], [1, 4, 1], [1, 4, 3], [4, 2]])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_vector_is_one_sample(dtype, layers, given):
    net = network(layers, dtype=dtype, seed=6)
    x = np.random.default_rng(0).integers(-8, 8, layers[0]).astype(dtype) / 4  # the same in both types
    vector, row = GIVEN[given](x), x[np.newaxis]
    for alone, one in (
        (net(vector), net(row)),
        (net.predict(vector, n_threads=1), net(row)),
        (net.predict(vector, n_threads=2), net(row)),
        (net.jacobian(vector), net.jacobian(row)),
        (net.jacobian(vector, wrt="params"), net.jacobian(row, wrt="params")),
        *zip(net.value_and_jacobian(vector), net.value_and_jacobian(row), strict=True),
    ):
        assert np.array_equal(alone, one[0])
        assert alone.dtype == net.dtype
    out = np.empty(layers[-1], dtype)
    assert net.predict(vector, out=out) is out
    assert np.array_equal(out, net(row)[0])


def test_a_vector_may_be_an_image_and_its_output_may_overlap_it():
    net = fastmlp.Network([(1, 4, 4), fastmlp.Conv(2, 3), 16], rng=0)
    x = np.linspace(-1, 1, 16)
    expected = net(x.reshape(1, 4, 4))[0]
    assert np.array_equal(net(x), expected)
    assert net.predict(x, out=x) is x
    assert np.array_equal(x, expected)


@pytest.mark.parametrize("call", ["predict", "jacobian", "value_and_jacobian"])
@pytest.mark.parametrize(
    ("layers", "x"), [([3, 2], np.zeros(2)), ([3, 2], [0.0] * 6), ([1, 2], np.zeros(5)), ([3, 2], [])]
)
def test_vectors_of_other_lengths_are_refused(layers, x, call):
    with pytest.raises(ValueError, match=rf"^X: expected shape \(n_samples, {layers[0]}\), got \({len(x)},\)"):
        getattr(network(layers), call)(x)


@pytest.mark.parametrize("x", [[0.0, np.nan, 1.0], ["a", "b", "c"], [1j, 0, 0], [None, 1.0, 2.0]])
def test_vectors_of_other_things_are_refused(x):
    with pytest.raises((TypeError, ValueError), match=r"^X: expected"):
        network([3, 2])(x)


@pytest.mark.parametrize("out", [np.empty((1, 2)), np.empty(3), np.empty(2, "f4"), np.empty(4)[::2]])
def test_an_output_of_another_shape_is_refused(out):
    with pytest.raises(ValueError, match=r"^out: expected"):
        network([3, 2]).predict(np.zeros(3), out=out)
