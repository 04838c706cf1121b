"""The facade: construction, views, copies, trace, text."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import fastmlp
import reference
from cases import PAIRS, data, network


def test_defaults_are_the_documented_ones():
    net = fastmlp.Network([2, 3, 1])
    assert (net.layers, net.hidden, net.output, net.loss_name) == ((2, 3, 1), ("tanh",), "identity", "squared_error")
    assert net.dtype == np.float64


@pytest.mark.parametrize(
    ("output", "loss"), [*PAIRS[:3], ("exp", "poisson"), ("tanh", "squared_error"), ("relu", "squared_error")]
)
def test_every_output_has_a_canonical_loss(output, loss):
    assert fastmlp.Network([2, 3], output=output).loss_name == loss


def test_logistic_and_exp_outputs_may_have_squared_error():
    assert fastmlp.Network([2, 1], output="logistic", loss="squared_error").loss_name == "squared_error"
    assert fastmlp.Network([2, 1], output="exp", loss="squared_error").loss_name == "squared_error"


def test_hidden_layers_may_have_different_activations():
    net = fastmlp.Network([2, 3, 4, 1], hidden=["relu", "sin"])
    assert net.hidden == ("relu", "sin")
    assert "hidden=['relu', 'sin']" in repr(net)


@pytest.mark.parametrize(("D", "M", "K"), [(1, 1, 1), (4, 7, 3), (10, 10, 1)])
def test_the_count_of_weights_is_the_lectures(D, M, K):
    assert fastmlp.Network([D, M, K]).n_params == (D + 1) * M + (M + 1) * K


def test_params_are_weights_row_by_row_then_biases_layer_by_layer():
    net = fastmlp.Network([2, 3, 1])
    net.params = np.arange(13.0)
    assert np.array_equal(net.weights[0], [[0, 1], [2, 3], [4, 5]])
    assert np.array_equal(net.biases[0], [6, 7, 8])
    assert np.array_equal(net.weights[1], [[9, 10, 11]])
    assert np.array_equal(net.biases[1], [12])
    assert net.groups == {"W1": slice(0, 6), "b1": slice(6, 9), "W2": slice(9, 12), "b2": slice(12, 13)}


def test_views_take_effect_on_the_next_call_and_outlive_assignments():
    net = fastmlp.Network([1, 1])
    W, b = net.weights[0], net.biases[0]
    W[...], b[...] = 2.0, 1.0
    assert net([[3.0]])[0, 0] == 7.0
    net.params = [5.0, 0.5]
    assert W[0, 0] == 5.0
    W[...] = 4.0
    assert net([[1.0]])[0, 0] == 4.5


def test_params_are_a_copy_both_ways():
    net = fastmlp.Network([1, 1])
    given = np.array([2.0, 1.0])
    net.params = given
    given[0] = 9.0
    taken = net.params
    taken[0] = 8.0
    assert np.array_equal(net.params, [2.0, 1.0])


@pytest.mark.parametrize(
    "how", [copy.copy, copy.deepcopy, fastmlp.Network.copy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_are_equal_and_independent(how, dtype):
    net = network([2, 3, 2], ["gelu"], "softmax", dtype=dtype)
    other = how(net)
    assert other == net
    assert not np.shares_memory(other.weights[0], net.weights[0])
    other.biases[0][0] += 1
    assert other != net
    other.fit(*data(net, 5), max_iter=1)


def test_networks_differ_by_any_part_of_them():
    net = fastmlp.Network([2, 3, 1], rng=0)
    assert net == fastmlp.Network([2, 3, 1], rng=0)
    assert net != fastmlp.Network([2, 3, 1], rng=1)
    assert net != fastmlp.Network([2, 3, 1], hidden="sin", rng=0)
    assert net != fastmlp.Network([2, 3, 1], rng=0, dtype="float32")
    assert net != "a network"
    with pytest.raises(TypeError, match="unhashable"):
        hash(net)


def test_repr_can_be_evaluated():
    net = fastmlp.Network([2, 3, 4, 2], ["relu", "elu"], "softmax", dtype="float32", rng=0)
    again = eval(repr(net), {"Network": fastmlp.Network})
    again.params = net.params
    assert again == net


def test_the_trace_shows_the_lectures_quantities():
    net = network([3, 4, 5, 2], ["tanh", "softplus"], "logistic")
    X, T = data(net, 150, soft=True)
    trace = net.trace(X, T)
    deltas = reference.evaluate(net, X, T)[2]
    assert len(trace) == 3
    for sample in (0, 63, 149):
        z_all, a_all = reference.forward(net.weights, net.biases, net.hidden, net.output, X[sample])
        for layer in range(3):
            assert np.allclose(trace[layer].z[sample], z_all[layer], rtol=1e-13)
            assert np.allclose(trace.a[layer][sample], a_all[layer + 1], rtol=1e-13)
            assert np.allclose(trace.delta[layer][sample], deltas[sample][layer], rtol=1e-11, atol=1e-15)


def test_the_gradient_is_the_sum_of_delta_times_activation():
    net = network([3, 4, 2])
    X, T = data(net, 20)
    trace, gradient = net.trace(X, T), net.loss_and_grad(X, T)[1]
    for group, delta, a in (("W1", trace[0].delta, X), ("W2", trace[1].delta, trace[0].a)):
        assert np.allclose(gradient[net.groups[group]], (delta.T @ a).ravel(), rtol=1e-12, atol=1e-14)


def test_the_trace_needs_no_targets():
    trace = network([3, 4, 2]).trace(np.zeros((2, 3)))
    assert trace.delta == (None, None)
    assert trace.a[-1].shape == (2, 2)


def test_a_batch_without_samples_has_no_loss():
    net = network([3, 4, 2])
    loss, gradient = net.loss_and_grad(np.empty((0, 3)), np.empty((0, 2)))
    assert loss == 0.0
    assert not gradient.any()
    assert net.predict(np.empty((0, 3))).shape == (0, 2)
    assert net.sample_losses(np.empty((0, 3)), np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    "change", [{"format": 99}, {"params": np.zeros(3)}, {"params": np.zeros(13, "f4")}, {"params": None}]
)
def test_a_pickle_that_does_not_fit_is_refused(change):
    net = fastmlp.Network([2, 3, 1])
    with pytest.raises(fastmlp.ModelFormatError, match="state: expected"):
        net.__setstate__({**net.__getstate__(), **change})


def test_parameters_that_are_not_finite_survive_a_pickle():
    net = fastmlp.Network([1, 1])
    net.weights[0][...] = np.nan
    assert np.isnan(pickle.loads(pickle.dumps(net)).weights[0][0, 0])


class Doubled(fastmlp.Network):
    def predict(self, X, **options):
        return 2 * super().predict(X, **options)


@pytest.mark.parametrize("options", [{}, {"n_threads": 1}])
def test_predict_may_be_overridden(options):
    X = np.ones((1, 2))
    net = fastmlp.Network([2, 3, 1], rng=0)
    assert np.array_equal(Doubled([2, 3, 1], rng=0).predict(X, **options), 2 * net.predict(X))


def test_predict_is_seen_as_the_method_it_decorates():
    net = fastmlp.Network([2, 3, 1])
    names = ["X", "out", "n_threads"]
    assert list(inspect.signature(net.predict).parameters) == list(inspect.signature(net).parameters) == names
    assert pickle.loads(pickle.dumps(fastmlp.Network.predict)) is fastmlp.Network.predict
    with pytest.raises(TypeError, match="unexpected keyword argument 'threads'"):
        net.predict([[0.0, 0.0]], threads=1)


@pytest.mark.parametrize("how", [lambda n: n, fastmlp.Network.copy, lambda n: pickle.loads(pickle.dumps(n))])
def test_parameters_start_on_a_cache_line(how, dtype):
    nets = [how(network([2, width, 1], dtype=dtype)) for width in range(1, 40)]
    assert all(net.weights[0].ctypes.data % 64 == 0 for net in nets)
