"""Linear maps of inputs and outputs: the same function in other units, and the same optimum under the right penalty."""

import numpy as np
import pytest

from cases import HIDDEN, PAIRS, data, network, relative_error
from fastmlp import WeightDecay

DEPTHS = ([3, 2], [3, 4, 2], [3, 4, 3, 2], [3, 4, 3, 5, 2])
LINEAR = pytest.mark.parametrize("layers", DEPTHS, ids=lambda layers: f"{len(layers) - 2} hidden layers")


def random_map(n_features, seed, spread=1.0, n_scales=None):
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1.0, 1.0], n_scales or n_features)
    scale = sign * np.exp(spread * rng.normal(size=n_scales or n_features))
    return scale, rng.normal(size=n_features)


# ---- networks ----


@pytest.mark.parametrize(("output", "loss"), PAIRS)
@LINEAR
def test_a_network_for_mapped_inputs_gives_the_same_outputs(layers, output, loss):
    net = network(layers, output=output, loss=loss)
    X = np.random.default_rng(0).normal(size=(30, 3))
    scale, shift = random_map(3, seed=1)
    mapped = net.rescale_inputs(scale, shift)
    assert np.allclose(mapped(scale * X + shift), net(X), rtol=1e-13, atol=1e-13)
    assert not np.allclose(mapped(X), net(X), rtol=1e-3)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_network_for_mapped_outputs_gives_the_same_ones_mapped(hidden):
    net = network([3, 4, 2], hidden)
    X = np.random.default_rng(0).normal(size=(30, 3))
    scale, shift = random_map(2, seed=1)
    assert np.allclose(net.rescale_outputs(scale, shift)(X), scale * net(X) + shift, rtol=1e-13, atol=1e-13)


def test_one_number_does_for_all_features_and_the_network_stays_as_it_was(dtype):
    net = network([3, 4, 2], dtype=dtype)
    before = net.params
    both = net.rescale_inputs(2.0, -1.0).rescale_outputs(4.0, 3.0)
    each = net.rescale_inputs([2.0] * 3, [-1.0] * 3).rescale_outputs([4.0] * 2, np.full(2, 3.0))
    assert both == each
    assert both.dtype == dtype
    assert np.array_equal(net.params, before)
    assert net.rescale_inputs() == net.rescale_outputs() == net


def test_there_and_back_is_exact_for_powers_of_two():
    net = network([3, 4, 2])
    scale = np.array([2.0, -0.5, 1024.0])
    assert net.rescale_inputs(scale).rescale_inputs(1 / scale) == net
    assert net.rescale_outputs(-8.0).rescale_outputs(-0.125) == net


@pytest.mark.parametrize("distance", [1e3, 1e6, 1e9])
def test_far_from_zero_only_the_rounding_of_large_numbers_is_left(distance, dtype):
    net = network([5, 8, 3], dtype=dtype)
    rng = np.random.default_rng(0)
    scale, shift = np.exp(rng.normal(size=5)), np.round(distance * rng.normal(size=5))
    far = scale * rng.normal(size=(200, 5)) + shift
    far = far.astype(dtype)  # what the network can be given
    X = (far.astype(float) - shift) / scale
    eps = float(np.finfo(dtype).eps)
    room = eps * max(1.0, np.abs(shift / scale).max())  # relative to z
    assert np.abs(net.rescale_inputs(scale, shift)(far) - net.copy()(X)).max() < 50 * room


def test_the_bias_is_the_correctly_rounded_sum_for_the_rounded_weights():
    from fractions import Fraction

    net = network([20, 3, 1])
    rng = np.random.default_rng(0)
    scale, shift = np.exp(rng.normal(size=20)), rng.integers(-(2**20), 2**20, 20).astype(float)
    mapped = net.rescale_inputs(scale, shift)
    W, b = mapped.weights[0], mapped.biases[0]
    for j in range(3):
        exact = Fraction(net.biases[0][j]) - sum(Fraction(w) * Fraction(s) for w, s in zip(W[j], shift, strict=True))
        products = np.abs(W[j] * shift).sum() * 2.0**-53
        assert abs(Fraction(b[j]) - exact) <= products + abs(b[j]) * 2.0**-53


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "scale: expected numbers other than 0"),
        (([1.0, 0.0, 2.0],), "scale: expected numbers other than 0"),
        (([1.0, 2.0],), r"scale: expected a number, or one for each of 3 features, got shape \(2,\)"),
        ((1.0, np.zeros((3, 1))), r"shift: expected a number, or one for each of 3 features, got shape \(3, 1\)"),
        ((np.inf,), "scale: expected finite numbers"),
        ((1.0, np.nan), "shift: expected finite numbers"),
        ((1e-310,), "leave the parameters finite in float64"),
        ((1e-5, 1e308), "leave the parameters finite in float64"),
    ],
)
def test_wrong_maps_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        network([3, 4, 2]).rescale_inputs(*arguments)


def test_numbers_are_asked_for():
    with pytest.raises(TypeError, match="scale: expected real numbers"):
        network([3, 4, 2]).rescale_inputs("2")
    with pytest.raises(TypeError, match="shift: expected an array of real numbers, got None"):
        network([3, 4, 2]).rescale_outputs(1.0, None)


@pytest.mark.parametrize("output", ["logistic", "softmax", "tanh", "exp"])
def test_outputs_that_are_not_linear_are_not_mapped(output):
    with pytest.raises(ValueError, match="rescale_outputs: expected a network with linear outputs"):
        network([3, 4, 2], output=output).rescale_outputs(2.0)


# ---- penalties ----
# Gradients at mapped parameters, pulled back by hand through the map of the parameters, are those at the original ones.


def every_group(layers, shifted):
    """A penalty with a coefficient of its own for everything that shifts leave alone, inputs and outputs apart."""
    rng = np.random.default_rng(len(layers))
    last = len(layers) - 1
    names = [f"W1[:,{i}]" for i in range(layers[0])] + [f"W{last}[{k},:]" for k in range(layers[-1])]
    names += [f"{kind}{number}" for number in range(1, last + 1) for kind in "Wb"]
    if shifted:
        names = [name for name in names if name not in ("b1", f"b{last}")]
    return WeightDecay(dict(zip(names, rng.random(len(names)), strict=True)))


def pulled_back(net, gradient, a=1.0, b=0.0, c=1.0):
    g = gradient.copy()
    views = net._architecture.unravel(g)
    views.weights[-1][...] *= np.reshape(c, (-1, 1))
    views.biases[-1][...] *= c
    views.weights[0][...] -= np.outer(views.biases[0], b * np.ones(net.layers[0]))
    views.weights[0][...] /= a
    return g


def gradients(net, X, T, maps, before, after, beta=(1.0, 1.0)):
    """That of the objective, and that of the other on mapped data, at any point, pulled back."""
    a, b, c, d = maps
    original = net.objective(X, T, penalty=before, noise_precision=beta[0])
    mapped = net.rescale_inputs(a, b)
    if net.output == "identity":
        mapped, T = mapped.rescale_outputs(c, d), c * T + d
    transformed = mapped.objective(a * X + b, T, penalty=after, noise_precision=beta[1])
    return original.grad(original.x0), pulled_back(net, transformed.grad(transformed.x0), a, b, c)


@pytest.mark.parametrize("shifted", [True, False], ids=["shifts", "scales only"])
@LINEAR
def test_the_lambda_form_multiplies_the_objective_by_c_squared(layers, shifted):
    net, penalty = network(layers), every_group(layers, shifted)
    X, T = data(net, 40)
    (a, b), (c, d) = random_map(3, seed=2), random_map(2, seed=3, n_scales=1)
    c, b, d = float(c[0]), b * shifted, d * shifted
    before, after = gradients(net, X, T, (a, b, c, d), penalty, penalty.rescaled(a, c))
    assert relative_error(after / c**2, before) < 1e-12


@pytest.mark.parametrize("shifted", [True, False], ids=["shifts", "scales only"])
@LINEAR
def test_the_precision_form_leaves_the_objective_as_it_is(layers, shifted):
    net, penalty = network(layers), every_group(layers, shifted)
    X, T = data(net, 40)
    (a, b), (c, d) = random_map(3, seed=4), random_map(2, seed=5)
    b, d, beta = b * shifted, d * shifted, np.array([3.0, 0.7])
    rescaled = penalty.rescaled(a, c, form="precision")
    before, after = gradients(net, X, T, (a, b, c, d), penalty, rescaled, (beta, beta / c**2))
    assert relative_error(after, before) < 1e-12
    mapped = net.rescale_inputs(a, b).rescale_outputs(c, d)
    value = net.objective(X, T, penalty=penalty, noise_precision=beta)
    other = mapped.objective(a * X + b, c * T + d, penalty=rescaled, noise_precision=beta / c**2)
    assert other.value(other.x0) == pytest.approx(value.value(value.x0), rel=1e-12)


@pytest.mark.parametrize("output", ["logistic", "softmax", "exp"])
@LINEAR
def test_where_targets_stay_the_inputs_alone_change_the_penalty(layers, output):
    net, penalty = network(layers, output=output), every_group(layers, shifted=False)
    X, T = data(net, 40)
    a = random_map(3, seed=6)[0]
    before, after = gradients(net, X, T, (a, 0.0, 1.0, 0.0), penalty, penalty.rescaled(a))
    assert relative_error(after, before) < 1e-12
    no_biases = WeightDecay([0.3, *[0.2] * (len(layers) - 2)])
    before, after = gradients(net, X, T, (*random_map(3, seed=7), 1.0, 0.0), no_biases, no_biases.rescaled(a))
    assert relative_error(after, before) > 1e-3  # a of another map
    a, b = random_map(3, seed=7)
    before, after = gradients(net, X, T, (a, b, 1.0, 0.0), no_biases, no_biases.rescaled(a))
    assert relative_error(after, before) < 1e-12


WRONG = {
    "the lecture's": lambda a, c: (a**0.5, c**-0.5),
    "simple weight decay": lambda a, c: (1.0, 1.0),
    "the penalty's value kept, the noise forgotten": lambda a, c: (a**2, c**-2.0),
}


@pytest.mark.parametrize("rule", WRONG)
def test_other_rules_move_the_optimum(rule):
    net, (l1, l2) = network([2, 4, 2]), (0.3, 0.05)
    X, T = data(net, 40)
    a, b, c, d = 3.0, -1.5, 5.0, 2.0
    wrong, right = WRONG[rule](a, c), WeightDecay([l1, l2]).rescaled(a, c)
    res = net.fit(X, T, "lm", penalty=WeightDecay([l1, l2]), tol=1e-9)
    assert res.success
    mapped = net.rescale_inputs(a, b).rescale_outputs(c, d)
    steepness = [
        np.abs(mapped.objective(a * X + b, c * T + d, penalty=penalty).grad(mapped.params)).max()
        for penalty in (right, WeightDecay([l1 * wrong[0], l2 * wrong[1]]))
    ]
    assert steepness[0] < 1e-7
    assert steepness[1] > 1.0


def test_penalties_on_shifted_biases_do_not_survive():
    net, penalty = network([3, 4, 2]), WeightDecay(0.3, biases=0.3)
    X, T = data(net, 40)
    before, after = gradients(net, X, T, (2.0, 1.0, 1.0, 0.0), penalty, penalty.rescaled(2.0))
    assert relative_error(after, before) > 1e-3
    before, after = gradients(net, X, T, (1.0, 0.0, 1.0, 1.0), penalty, penalty)
    assert relative_error(after, before) > 1e-3


def test_rescalings_combine_and_keep_to_their_part_of_a_sum():
    net = network([3, 4, 2])
    penalty, other = every_group(net.layers, shifted=False), WeightDecay(0.5)
    a, e = random_map(3, seed=8)[0], random_map(3, seed=9)[0]
    one = penalty.rescaled(a * e, 6.0) + other
    two = penalty.rescaled(a, 2.0).rescaled(e, 3.0) + other
    architecture = net._architecture
    assert np.allclose(one.diagonal(architecture), two.diagonal(architecture), rtol=1e-14)
    whole = (penalty + other).rescaled(a, 2.0).diagonal(architecture)
    parts = penalty.rescaled(a, 2.0).diagonal(architecture) + other.rescaled(a, 2.0).diagonal(architecture)
    assert np.allclose(whole, parts, rtol=1e-15)
    assert repr(other.rescaled(2.0, 3.0)) == "WeightDecay({'W': 0.5, 'b': 0.0}).rescaled(2.0, 3.0, 'lambda')"


def test_the_caller_may_go_on_using_the_array_of_scales():
    scale = np.array([1.0, 2.0, 3.0])
    penalty, architecture = WeightDecay(1.0).rescaled(scale), network([3, 1])._architecture
    scale[:] = 7.0
    assert penalty.diagonal(architecture).tolist() == [1.0, 4.0, 9.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_scale": 0.0}, "input_scale: expected numbers other than 0"),
        ({"output_scale": [1.0, 2.0]}, "output_scale: expected one number in the lambda form"),
        (
            {"input_scale": np.ones((1, 3))},
            "input_scale: expected a number, or one for each feature",
        ),
        ({"form": "alpha"}, "form: expected one of lambda, precision"),
    ],
)
def test_wrong_scales_of_penalties_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightDecay(0.5).rescaled(**arguments)


@pytest.mark.parametrize(
    ("penalty", "output", "message"),
    [
        (WeightDecay(0.5).rescaled([1.0, 2.0]), "identity", "input_scale: expected a number, or one for each of 3"),
        (WeightDecay(0.5).rescaled(1.0, [1, 2, 3], "precision"), "identity", "output_scale: .* each of 2 features"),
        (WeightDecay(0.5).rescaled(1.0, 2.0), "softmax", "output_scale: expected a network with linear outputs"),
        (WeightDecay(0.5).rescaled(1e200), "identity", "numbers with finite squares"),
    ],
)
def test_what_does_not_fit_the_network_is_refused_on_use(penalty, output, message):
    net = network([3, 4, 2], output=output)
    with pytest.raises(ValueError, match=message):
        net.objective(*data(net, 5), penalty=penalty)


def test_two_networks_trained_on_raw_and_on_mapped_data_are_equivalent():
    X = np.random.default_rng(0).normal(size=(80, 2))
    T = np.sin(X[:, :1]) * X[:, 1:]
    a, b, c, d = np.array([3.0, 0.5]), np.array([-1.5, 10.0]), 5.0, 2.0
    net, penalty = network([2, 4, 1], seed=1), WeightDecay([0.3, 0.05])
    other = net.rescale_inputs(a, b).rescale_outputs(c, d)
    raw = net.fit(X, T, "lm", penalty=penalty, tol=1e-9)
    mapped = other.fit(a * X + b, c * T + d, "lm", penalty=penalty.rescaled(a, c), tol=1e-9)
    assert raw.success
    assert mapped.success
    assert np.abs(other(a * X + b) - (c * net(X) + d)).max() < 1e-7
    assert mapped.fun == pytest.approx(c**2 * raw.fun, rel=1e-12)
