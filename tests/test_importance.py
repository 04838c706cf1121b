"""Importances of inputs: Garson's, Olden's and Lek's by their steps, saliencies against trainings."""

import numpy as np
import pandas as pd
import pytest

import fastmlp

RNG = np.random.default_rng(0)


def by_steps(W, v):
    """Goh (1995), step by step, for one output."""
    Q = []
    for w, out in zip(W, v, strict=True):
        P = [abs(each) * abs(out) for each in w]
        if sum(P) > 0:
            Q.append([p / sum(P) for p in P])
    S = [sum(column) for column in zip(*Q, strict=True)]
    return [s / sum(S) for s in S]


def by_paths(weights, output, inputs):
    """The sum over all paths of the products of their weights."""
    W, rest = weights[-1], weights[:-1]
    if not rest:
        return W[output, inputs]
    return sum(W[output, j] * by_paths(rest, j, inputs) for j in range(W.shape[1]))


def small(first, second):
    """A network of one hidden layer with these weights."""
    first, second = np.array(first, float), np.array(second, float)
    net = fastmlp.Network([first.shape[1], len(first), len(second)], rng=0)
    net.weights[0][...], net.weights[1][...] = first, second
    return net


def test_the_network_of_the_r_package_has_its_importances():
    # garson(c(13.12, 1.49, 0.16, -0.11, -0.19, -0.16, 0.56, -0.52, 0.81), struct = c(2, 2, 1)), and olden: by hand
    net = small([[1.49, 0.16], [-0.19, -0.16]], [[-0.52, 0.81]])
    net.biases[0][...], net.biases[1][...] = [13.12, -0.11], 0.56
    share = (1.49 / 1.65 + 0.19 / 0.35) / 2
    np.testing.assert_allclose(fastmlp.garson(net), [[share, 1 - share]], rtol=1e-14)
    np.testing.assert_allclose(fastmlp.olden(net), [[-0.9287, -0.2128]], rtol=1e-12)


def test_garsons_steps_are_taken_for_each_output():
    net = fastmlp.Network([4, 5, 3], rng=1)
    shares = fastmlp.garson(net)
    assert shares.shape == (3, 4)
    for k in range(3):
        np.testing.assert_allclose(shares[k], by_steps(net.weights[0], net.weights[1][k]), rtol=1e-13)


def test_the_other_form_counts_units_by_their_weights_to_the_output():
    net = fastmlp.Network([4, 5, 2], rng=2)
    W, V = (np.abs(each) for each in net.weights)
    for k in range(2):
        expected = sum(V[k, j] * W[j] / W[j].sum() for j in range(5))
        np.testing.assert_allclose(fastmlp.garson(net, form="garson")[k], expected / expected.sum(), rtol=1e-13)


def test_a_unit_without_a_path_has_no_share():
    net = small([[1.0, 3.0], [9.0, 1.0], [0.0, 0.0]], [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    for form in ("goh", "garson"):
        np.testing.assert_allclose(fastmlp.garson(net, form=form), [[0.25, 0.75], [0.0, 0.0]])


@pytest.mark.parametrize("layers", [[3, 2], [3, 4, 1], [3, 4, 2, 3, 2]])
def test_oldens_importances_are_sums_over_paths(layers):
    net = fastmlp.Network(layers, rng=3)
    expected = [[by_paths(net.weights, k, i) for i in range(3)] for k in range(layers[-1])]
    np.testing.assert_allclose(fastmlp.olden(net), expected, rtol=1e-12, atol=1e-14)


def test_oldens_importances_are_the_slopes_of_the_straightened_network():
    net = fastmlp.Network([3, 4, 2], hidden="identity", rng=4)
    np.testing.assert_allclose(fastmlp.olden(net), net.jacobian(np.zeros((1, 3)))[0], rtol=1e-12)


@pytest.mark.parametrize("method", [fastmlp.garson, fastmlp.olden])
def test_weights_are_taken_by_the_inputs_deviations(method):
    X = RNG.normal(size=(50, 3)) * [1.0, 100.0, 0.01] + [0.0, 5.0, -3.0]
    net = fastmlp.Network([3, 4, 2], rng=5)
    np.testing.assert_allclose(
        method(net, X), method(small(net.weights[0] * X.std(axis=0), net.weights[1])), rtol=1e-12
    )
    assert not np.allclose(method(net, X), method(net))


def test_lek_holds_the_others_at_quantiles():
    X, net = RNG.normal(size=(40, 3)), fastmlp.Network([3, 4, 2], rng=6)
    profile = fastmlp.lekprofile(net, X, groups=[0.1, 0.5], steps=7)
    assert profile.x.shape == (3, 7)
    assert profile.y.shape == (3, 2, 7, 2)
    for i in range(3):
        for g, q in enumerate((0.1, 0.5)):
            for s, value in enumerate(np.linspace(X[:, i].min(), X[:, i].max(), 7)):
                row = np.array([np.quantile(X[:, j], q) for j in range(3)])
                row[i] = value
                assert profile.x[i, s] == pytest.approx(value, rel=1e-15)
                np.testing.assert_allclose(profile.y[i, g, s], net(row[np.newaxis])[0], rtol=1e-13)
    np.testing.assert_array_equal(profile.ranges, profile.y.max(axis=2) - profile.y.min(axis=2))


def test_groups_may_be_values_and_columns_have_names():
    X = pd.DataFrame(RNG.normal(size=(20, 2)), columns=["speed", "mass"])
    net, held = fastmlp.Network([2, 3, 1], rng=7), [[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]
    profile = fastmlp.lekprofile(net, X, groups=held)
    assert profile.group_names == ("group 1", "group 2", "group 3")
    assert profile.input_names == ("speed", "mass")
    np.testing.assert_allclose(profile.y[1, 2, :, 0], net(np.column_stack([np.full(100, 0.5), profile.x[1]]))[:, 0])
    assert profile.table().split("\n")[1].startswith("speed")
    assert repr(profile).startswith("LekProfile of 2 inputs in 3 groups, 100 steps")


def trained(layers, X, T, penalty, **arguments):
    net = fastmlp.Network(layers, rng=0, **arguments)
    net.fit(X, T, "lm", penalty=penalty, tol=1e-9)
    return net


def test_the_saliency_of_an_input_is_what_training_without_it_costs():
    X = RNG.normal(size=(60, 3))
    T, penalty = (
        X @ [[1.0, 0.3], [0.0, 2.0], [-1.0, 0.0]] + 0.1 * RNG.normal(size=(60, 2)),
        fastmlp.WeightDecay(2.0, 1.0),
    )
    net = trained([3, 2], X, T, penalty)
    found = fastmlp.importances(net, X, T, penalty=penalty)
    value = net.objective(X, T, penalty=penalty).value(net.params)
    for i in range(3):
        without = np.delete(X, i, axis=1)
        other = trained([2, 2], without, T, penalty)
        rise = other.objective(without, T, penalty=penalty).value(other.params) - value
        assert found.saliency[i] == pytest.approx(rise, rel=1e-9)
        assert found.data_saliency[i] == pytest.approx(other.loss(without, T) - net.loss(X, T), rel=1e-9)
    assert found.garson is None
    np.testing.assert_array_equal(found.olden, fastmlp.olden(net, X))


def test_methods_stand_side_by_side():
    X = pd.DataFrame(RNG.normal(size=(80, 3)), columns=["a", "b", "c"])
    T, penalty = np.tanh(X["b"].to_numpy()), fastmlp.WeightDecay(0.1, 0.1)
    net = trained([3, 2, 1], X, T, penalty)
    found = fastmlp.importances(net, X, T, penalty=penalty, sample_weight=np.ones(80))
    assert list(found.shares) == ["saliency", "sensitivity", "olden", "garson"]
    for shares in found.shares.values():
        assert shares.sum() == pytest.approx(1)
        assert shares.argmax() == 1
    np.testing.assert_array_equal(found.sensitivity, fastmlp.sensitivity(net, X).standardized.root_mean_square)
    table = found.table().split("\n")
    assert table[0].split() == ["shares"]
    assert table[1].split() == ["input", "rise", "data", "loss", "saliency", "sensitivity", "olden", "garson"]
    assert table[2].startswith("b")
    assert repr(found).startswith("Importances of 3 inputs")


def test_what_is_pruned_has_no_saliency():
    X = RNG.normal(size=(60, 3))
    penalty = fastmlp.WeightDecay(0.5, 0.5)
    net = fastmlp.Network([3, 2, 1], rng=0)
    mask = np.zeros(net.n_params, bool)
    mask[[1, 4]] = True  # the second input
    net.pruned = mask
    net.fit(X, X[:, 0], "lm", penalty=penalty, tol=1e-9)
    found = fastmlp.importances(net, X, X[:, 0], penalty=penalty)
    assert found.saliency[1] == found.data_saliency[1] == found.sensitivity[0, 1] == found.olden[0, 1] == 0
    assert found.saliency[0] > found.saliency[2] > 0


def refused(call, *parts):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    for part in parts:
        assert part in str(caught.value), caught.value


def test_what_is_not_defined_is_refused_by_name():
    X, net = RNG.normal(size=(5, 3)), fastmlp.Network([3, 2, 1], rng=0)
    for layers in ([3, 1], [3, 2, 2, 1]):
        refused(lambda layers=layers: fastmlp.garson(fastmlp.Network(layers, rng=0)), "net: expected one hidden layer")
    refused(lambda: fastmlp.garson(net, form="lek"), "form", "'lek'")
    for method in (fastmlp.garson, fastmlp.olden):
        refused(lambda method=method: method("net"), "net")
        refused(lambda method=method: method(net, X[:, :2]), "X")
        refused(lambda method=method: method(net, X[:0]), "X: expected at least one sample")
    for groups in ([0.5, 1.5], [-0.1], [], [[1.0, 2.0]], "median", 6):
        refused(lambda groups=groups: fastmlp.lekprofile(net, X, groups=groups), "groups")
    refused(lambda: fastmlp.lekprofile(net, X, steps=1), "steps")
    refused(lambda: fastmlp.lekprofile(net, X[:0]), "X")
    refused(lambda: fastmlp.lekprofile(net, X).table(1), "output", "1")
    refused(lambda: fastmlp.importances("net", X, X[:, 0]), "net")
    refused(lambda: fastmlp.importances(net, X, X[:, :2]), "T")


def test_pictures_take_their_result_and_say_what_else_came():
    X, net, penalty = RNG.normal(size=(30, 3)), fastmlp.Network([3, 2, 1], rng=0), fastmlp.WeightDecay(1.0, 1.0)
    net.fit(X, X[:, 0], "lm", penalty=penalty)
    found, profile = fastmlp.importances(net, X, X[:, 0], penalty=penalty), fastmlp.lekprofile(net, X)
    ax = found.plot(n_inputs=2)
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        found.input_names[i] for i in np.argsort(-found.saliency)[:2]
    ]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(found.shares)
    ax = profile.plot("x3")
    assert ax.get_xlabel() == "x3"
    np.testing.assert_array_equal(ax.get_lines()[4].get_ydata(), profile.y[2, 4, :, 0])
    refused(lambda: fastmlp.plot.importances(profile), "result", "fastmlp.importances")
    refused(lambda: fastmlp.plot.lekprofile(found), "result", "fastmlp.lekprofile")
    refused(lambda: profile.plot(3), "input", "3")
    refused(lambda: profile.plot("speed"), "input", "speed")
    refused(lambda: profile.plot(output=1), "output", "1")
