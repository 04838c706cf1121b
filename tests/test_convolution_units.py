"""Convolutions and units of data: of each channel, folded into the first layer; what cannot take up a shift."""

import numpy as np
import pytest

import fastmlp
from cases import relative_error
from fastmlp import AveragePool, Conv, MaxPool
from test_convolution_networks import SAME, network

FIRST = (Conv(3, 2), Conv(3, 2, 2, bias="position"), Conv(3, 2, bias="position", shared=False))


@pytest.mark.parametrize("first", FIRST)
def test_a_convolution_takes_up_units_of_channels(first):
    net = network([(2, 5, 4), first, 2], output="identity")
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(7, 2, 5, 4)), rng.normal(size=(7, 2))
    scale, shift = np.array([3.0, -0.5]), np.array([10.0, 0.25])
    other = X * scale[:, None, None] + shift[:, None, None]
    mapped = net.rescale_inputs(scale, shift)
    assert relative_error(mapped(other), net(X)) < 1e-13
    assert net.rescale_inputs(np.repeat(scale, 20), np.repeat(shift, 20)) == mapped
    penalty = fastmlp.WeightDecay([0.3, 0.2])
    value = net.objective(X, T, penalty=penalty).value(net.params)
    moved = mapped.objective(other, T, penalty=penalty.rescaled(scale)).value(mapped.params)
    assert moved == pytest.approx(value, rel=1e-12)


def test_zeros_around_are_scaled_too():
    net = network(SAME)
    X = np.random.default_rng(0).normal(size=(7, 16))
    assert relative_error(net.rescale_inputs(4.0)(4 * X), net(X)) < 1e-13


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("method", ["lm", "adam"])
def test_standardised_channels_fold_into_the_first_layer(first, method, tmp_path):
    net = network([(2, 5, 4), first, 1], output="identity")
    raw = np.random.default_rng(0).normal(size=(60, 2, 5, 4))
    X = raw * np.array([50.0, 0.01])[:, None, None] + np.array([1000.0, 3.0])[:, None, None]
    T = 70 * raw[:, 1, 2, 2] - 20
    by_hand = (X - X.mean(axis=(0, 2, 3), keepdims=True)) / X.std(axis=(0, 2, 3), keepdims=True)
    twin = net.copy()
    result = net.fit(X, T, method, standardize=True, max_iter=5, rng=0)
    other = twin.fit(by_hand, (T - T.mean()) / T.std(), method, max_iter=5, rng=0)
    assert result.fun == pytest.approx(other.fun, rel=1e-6)
    assert relative_error(net(X), twin(by_hand) * T.std() + T.mean()) < 1e-6
    assert net.units.inputs.scale.shape == (40,)
    assert len(set(net.units.inputs.scale.tolist())) == 2
    net.save(tmp_path / "net")
    assert fastmlp.load(tmp_path / "net") == net
    assert relative_error(net.rescale_inputs(2.0, 1.0)(2 * X + 1), net(X)) < 1e-9


def test_constant_channels_have_no_weights():
    net = network([(2, 4, 4), Conv(2, 3), 1], output="identity")
    X = np.random.default_rng(0).normal(size=(40, 2, 4, 4))
    X[:, 1] = 7.0
    net.fit(X, X[:, 0, 1, 1], "lm", standardize=True, max_iter=20)
    assert not net.weights[0][:, 1].any()
    assert net.units.inputs.places == tuple(range(16, 32))


def test_the_evidence_in_standardised_units_and_by_channel():
    rng = np.random.default_rng(0)
    X = 5 * rng.normal(size=(120, 2, 4, 4)) + 30
    T = 0.2 * X[:, 0, 1, 1] + 0.05 * rng.normal(size=120)
    net = network([(2, 4, 4), Conv(1, 3), 1], output="identity")
    posterior = fastmlp.fit_evidence(net, X, T, groups="ard", rng=0)
    draws = posterior.sample(4000, rng=1)
    errors = posterior.params_std
    assert np.allclose(draws.std(axis=0)[errors > 0], errors[errors > 0], rtol=0.1)
    channels = np.square(posterior.params[:18].reshape(2, 9)).sum(axis=1)
    assert channels[1] < 0.01 * channels[0]


@pytest.mark.parametrize(
    "first",
    [Conv(3, 2, padding="same"), Conv(3, 2, bias=None), Conv(3, 2, shared=False), Conv(2, 2, 2, "same", "position")],
)
@pytest.mark.parametrize("method", ["lm", "adam"])
def test_channels_are_only_scaled_where_no_shift_can_be_taken_up(first, method, tmp_path):
    net = network([(3, 5, 4), first, 1], output="identity")
    raw = np.random.default_rng(0).normal(size=(60, 3, 5, 4))
    raw[:, 2] = 0.0
    X = raw * np.array([50.0, 0.01, 1.0])[:, None, None] + np.array([100.0, 0.0, 0.0])[:, None, None]
    T = 70 * raw[:, 1, 2, 2] - 20
    size = np.sqrt(np.mean(X**2, axis=(0, 2, 3)))
    size[2] = 1.0
    by_hand = X / size[:, None, None]
    twin = net.copy()
    result = net.fit(X, T, method, standardize=True, max_iter=5, rng=0)
    other = twin.fit(by_hand, (T - T.mean()) / T.std(), method, max_iter=5, rng=0)
    assert result.fun == pytest.approx(other.fun, rel=1e-6)
    assert relative_error(net(X), twin(by_hand) * T.std() + T.mean()) < 1e-6
    assert not net.units.inputs.shift.any()
    assert net.units.inputs.scale == pytest.approx(np.repeat(size, 20), rel=1e-12)
    assert net.units.inputs.places == tuple(range(40, 60))
    net.save(tmp_path / "net")
    assert fastmlp.load(tmp_path / "net") == net
    again = net.fit(X, T, "lm", standardize=net.units, max_iter=3)
    assert again.units == net.units


@pytest.mark.parametrize("layers", [[AveragePool(2), 1], [MaxPool(2), 1], [AveragePool(2), Conv(2, 2), 1]])
@pytest.mark.parametrize("groups", ["layers", "ard"])
def test_the_evidence_behind_pools(layers, groups):
    rng = np.random.default_rng(0)
    X = 5 * rng.normal(size=(150, 2, 4, 6)) * np.array([1.0, 0.1])[:, None, None] + 30
    pooled = (
        X[:, 1, :2, :2].mean(axis=(1, 2)) if isinstance(layers[0], AveragePool) else X[:, 1, :2, :2].max(axis=(1, 2))
    )
    T = 0.7 * pooled + 0.02 * rng.normal(size=150)
    net = network([(2, 4, 6), *layers], output="identity")
    posterior = fastmlp.fit_evidence(net, X, T, groups=groups, rng=0)
    assert relative_error(posterior.predict(X)[0][:, 0], T) < 0.1
    errors = posterior.params_std
    assert np.allclose(posterior.sample(4000, rng=1).std(axis=0)[errors > 0], errors[errors > 0], rtol=0.1)


def test_the_evidence_with_zeros_around():
    rng = np.random.default_rng(0)
    X = 5 * rng.normal(size=(120, 2, 4, 4))
    T = 0.2 * X[:, 0, 1, 1] + 0.05 * rng.normal(size=120)
    posterior = fastmlp.fit_evidence(
        network([(2, 4, 4), Conv(1, 3, padding="same"), 1], output="identity"), X, T, rng=0
    )
    draws = posterior.sample(4000, rng=1)
    errors = posterior.params_std
    assert np.allclose(draws.std(axis=0)[errors > 0], errors[errors > 0], rtol=0.1)
    assert relative_error(posterior.predict(X)[0][:, 0], T) < 0.2


@pytest.mark.parametrize("pools", [[AveragePool(2)], [MaxPool(2)], [AveragePool(2), MaxPool((1, 2))]])
@pytest.mark.parametrize("padding", ["valid", "same", "dense"])
def test_pools_let_units_of_channels_through(pools, padding):
    rng = np.random.default_rng(0)
    first = 3 if padding == "dense" else Conv(3, 2, padding=padding)
    net = network([(2, 6, 8), *pools, first, 1], output="identity")
    X = rng.normal(size=(60, 2, 6, 8)) * np.array([50.0, 0.01])[:, None, None]
    X += 0.0 if padding == "same" else np.array([1000.0, 3.0])[:, None, None]
    T = rng.normal(size=60)
    assert relative_error(net.rescale_inputs([2.0, 3.0])(X * np.array([2.0, 3.0])[:, None, None]), net(X)) < 1e-12
    size = np.sqrt(np.mean(X**2, axis=(0, 2, 3), keepdims=True))
    by_hand = X / size
    if padding != "same":
        by_hand = (X - X.mean(axis=(0, 2, 3), keepdims=True)) / X.std(axis=(0, 2, 3), keepdims=True)
        assert relative_error(net.rescale_inputs(2.0, 1.0)(2 * X + 1), net(X)) < 1e-9
    twin = net.copy()
    result = net.fit(X, T, "lm", standardize=True, max_iter=5)
    other = twin.fit(by_hand, (T - T.mean()) / T.std(), "lm", max_iter=5)
    assert result.fun == pytest.approx(other.fun, rel=1e-6)
    assert relative_error(net(X), twin(by_hand) * T.std() + T.mean()) < 1e-6
    with pytest.raises(ValueError, match=r"^scale: expected numbers above 0 before (Average|Max)Pool\(2\), got -1"):
        net.rescale_inputs(-1.0)
