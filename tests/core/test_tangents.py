"""Derivatives in directions of the inputs as a term: value, gradient, second derivatives, against automatic ones."""

import numpy as np
import pytest

import autodiff
import faces
from cases import HIDDEN, PAIRS, data, network, plan_of, relative_error
from fastmlp._core.curvature import tangent_rows
from fastmlp._core.sums import tangent_products
from fastmlp._core.sums.batch import Batch
from fastmlp._core.sums.tangents import Tangents
from fastmlp.model.functional import check_samples

TOLERANCE = {"float64": 1e-11, "float32": 3e-4}
PRODUCTS = {"float64": 1e-10, "float32": 3e-3}


def bound(net, X, T, sets, sample_weight=None, isa=None):
    """The term of sets (tau (M, N, D) or (M, D), d or None, weight, of_logits)."""
    samples = check_samples(net._architecture, X, T, sample_weight)
    plan = net._architecture.plan if isa is None else plan_of(net, isa)
    batch = Batch(plan, samples.X, *samples.targets[:3], samples.weight, None)
    own = [(t.astype(net.dtype), None if d is None else d.astype(net.dtype), w, of) for t, d, w, of in sets]
    return Tangents(batch, tuple(own))


def drawn(net, n_samples, n_tangents, seed=0, targets=True):
    rng = np.random.default_rng([seed, n_samples, n_tangents])
    X, T = data(net, n_samples)
    tau = rng.normal(size=(n_tangents, n_samples, net.layers[0]))
    d = rng.normal(size=(n_tangents, n_samples, net.layers[-1]))
    return X, T, tau, d if targets else None, rng.random(n_samples) * (rng.random(n_samples) < 0.8)


def check(net, n_samples, n_tangents, *, of_logits, targets=True, isa=None):
    """Everything, against JAX."""
    X, T, tau, d, s = drawn(net, n_samples, n_tangents, targets=targets)
    term = bound(net, X, T, [(tau, d, 0.7, of_logits)], s, isa)
    V = np.random.default_rng(1).normal(size=(3, net.n_params))
    known = np.zeros((n_tangents, n_samples, net.layers[-1])) if d is None else d
    expected = autodiff.tangents(net, X, tau, known, 0.7, s, of_logits=of_logits)
    p, v, close, near = net.params, V.astype(net.dtype), TOLERANCE[net.dtype.name], PRODUCTS[net.dtype.name]
    loss, value, gradient = term.value_and_grad(p, 1)
    assert loss == 0
    assert abs(value - expected["value"]) <= close * expected["value"]
    assert abs(term.value(p, 1)[1] - expected["value"]) <= close * expected["value"]
    assert relative_error(gradient, expected["gradient"]) <= close
    J = tangent_rows.rows(term, p, 1)
    assert relative_error(J.reshape(-1, net.n_params), expected["jacobian"]) <= close
    assert relative_error(tangent_rows.gauss_newton(term, p, 1), expected["ggn"]) <= close
    assert relative_error(tangent_products.products(term, p, v, False, 1), V @ expected["ggn"]) <= near
    assert relative_error(tangent_products.products(term, p, v, True, 1), V @ expected["hessian"]) <= near
    eye = np.eye(net.n_params, dtype=net.dtype)
    assert relative_error(tangent_products.products(term, p, eye, True, 1), expected["hessian"]) <= near


@pytest.mark.parametrize("of_logits", [True, False])
@pytest.mark.parametrize("hidden", list(zip(HIDDEN[::2], HIDDEN[1::2], strict=True)))
def test_the_term_agrees_with_automatic_derivatives_for_all_activations(hidden, of_logits):
    check(network([3, 4, 3, 2], hidden, "silu"), 7, 2, of_logits=of_logits)


OUTPUTS = [(h, "squared_error") for h in HIDDEN] + [pair for pair in PAIRS if pair[1] != "squared_error"]


@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
def test_the_term_agrees_with_automatic_derivatives_for_all_outputs(output, loss):
    check(network([3, 4, 3], "tanh", output, loss), 7, 3, of_logits=False)


@pytest.mark.parametrize(
    ("layers", "n_tangents"), [([3, 2], 1), ([4, 5, 2], 4), ([2, 3, 4, 1], 3), ([3, 4, 2, 3, 2], 2)]
)
@pytest.mark.parametrize("of_logits", [True, False])
def test_the_term_agrees_with_automatic_derivatives_for_all_depths(layers, n_tangents, of_logits, dtype):
    net = network(layers, "silu", "softmax" if layers[-1] > 1 else "logistic", dtype=dtype)
    check(net, 9, n_tangents, of_logits=of_logits, targets=n_tangents > 1)


@pytest.mark.parametrize("name", HIDDEN)
def test_third_derivatives_are_slopes_of_the_second(name, isa):
    z, h = np.linspace(-6, 6, 101) + 0.03, 1e-5
    ends = [faces.activation(name, z + step, order=2, isa=isa)[2] for step in (h, -h)]
    assert relative_error(faces.activation_third(name, z, isa=isa), (ends[0] - ends[1]) / (2 * h)) < 1e-8


def test_third_derivatives_of_the_sine_are_right_far_away(dtype, isa):
    z = np.array([0.5, 1e7, -3.0], dtype)
    assert np.allclose(faces.activation_third("sin", z, isa=isa), -np.cos(z.astype(float)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("of_logits", [True, False])
def test_every_instruction_set_agrees(of_logits, dtype, isa):
    check(network([3, 5, 3], "gelu", "softmax", dtype=dtype), 37, 2, of_logits=of_logits, isa=isa)


@pytest.mark.parametrize("n_samples", [16, 32, 47])
def test_whole_blocks_whose_rows_lie_in_place_agree_too(n_samples, dtype, isa):
    check(network([16, 3, 2], "tanh", "softmax", dtype=dtype), n_samples, 2, of_logits=True, isa=isa)


def test_several_sets_add_up_with_the_loss_in_one_pass(dtype):
    net = network([3, 6, 2], "tanh", "softmax", dtype=dtype)
    X, T, tau, d, s = drawn(net, 300, 3)
    sets = [(tau, d, 0.3, False), (tau[:2, 0], None, 2.0, True)]
    together = bound(net, X, T, sets, s).value_and_grad(net.params, 1, True)
    alone = [bound(net, X, T, [each], s).value_and_grad(net.params, 1) for each in sets]
    loss, gradient = net.loss_and_grad(X, T, sample_weight=s)
    close = TOLERANCE[net.dtype.name]
    assert abs(together[0] - loss) <= close * loss
    assert abs(together[1] - alone[0][1] - alone[1][1]) <= close * together[1]
    assert relative_error(together[2], gradient + alone[0][2] + alone[1][2]) <= close
    value = bound(net, X, T, sets, s).value(net.params, 1, True)
    assert relative_error(value, together[:2]) <= close


def test_directions_of_all_samples_are_those_of_each():
    net = network([3, 6, 2])
    X, T, tau, _, _ = drawn(net, 200, 3)
    same = np.repeat(tau[:, :1], 200, axis=1)
    terms = [bound(net, X, T, [(t, None, 1.0, True)]) for t in (tau[:, 0], same)]
    for first, second in zip(*(each.value_and_grad(net.params, 1) for each in terms), strict=True):
        assert np.array_equal(first, second)


@pytest.mark.parametrize("layers", [[3, 5, 2], [40, 90, 10]])
def test_results_are_the_same_bits_for_any_number_of_threads(layers, dtype, n_threads):
    net = network(layers, dtype=dtype, output="softmax")
    X, T, tau, d, s = drawn(net, 600, 2)
    term = bound(net, X, T, [(tau, d, 0.5, False)], s)
    v = np.random.default_rng(1).normal(size=(2, net.n_params)).astype(dtype)

    def everything(n):
        p = net.params
        found = [*term.value_and_grad(p, n, True), *term.value(p, n, True)]
        found += [tangent_products.products(term, p, v, exact, n) for exact in (False, True)]
        if net.n_params < 100:
            found += [tangent_rows.gauss_newton(term, p, n), tangent_rows.rows(term, p, n)]
        return found

    one = everything(1)
    for _ in range(3):
        assert all(np.array_equal(a, b) for a, b in zip(one, everything(n_threads), strict=True))
