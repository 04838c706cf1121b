"""Images and signals in units of their own before a convolution: what is said of their channels, and that it helps."""

import numpy as np
import pytest

import fastmlp
from cases import RESUMABLE
from fastmlp import AveragePool, Conv, MaxPool
from scale_cases import caught, explained

rng = np.random.default_rng(0)
PLACES = rng.uniform(0.2, 0.8, 120)
PEAKS = np.exp(-(((np.linspace(0, 1, 40) - PLACES[:, None]) / 0.08) ** 2)) + 0.01 * rng.normal(size=(120, 40))
IMAGES = rng.normal(size=(80, 2, 6, 5))

NETWORKS = {
    "plain": [(1, 40), Conv(4, 7, 2), 1],
    "pools": [(1, 40), Conv(4, 5), MaxPool(2), Conv(3, 3), AveragePool(2), 1],
    "pool first": [(1, 40), AveragePool(2), Conv(4, 5), 1],
    "biases of positions": [(1, 40), Conv(3, 7, 2, bias="position"), 1],
    "local": [(1, 40), Conv(2, 7, 3, shared=False), 1],
    "local, biases of positions": [(1, 40), Conv(2, 7, 3, bias="position", shared=False), 1],
    "zeros around": [(1, 40), Conv(4, 7, 2, "same"), 1],
    "no biases": [(1, 40), Conv(4, 7, 2, bias=None), 1],
}
IN_CHANNELS = {  # scale and shift of channel 1: what is said of it
    "large": (1e4, 0.0, "X: channel 1 is so large that hidden units start out saturated"),
    "far": (1.0, 1e3, "X: channel 1 is so far from zero that hidden units start out as constants"),
    "small": (1e-6, 0.0, "X: channel 1 is so small that hidden units do not see them"),
}


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("method", RESUMABLE)
def test_signals_in_their_own_units_are_named(layers, method):
    X, T = 1e4 + 5e3 * PEAKS, 0.5 * PLACES
    _, said = caught(fastmlp.Network(layers, rng=0), X, T, method, max_iter=20, rng=0)
    assert len(said) == 1
    assert "X: channel 0 is so large that hidden units start out saturated" in said[0]
    assert said[0].endswith("train with standardize=True, from new starting values (net.initialize())")


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_standardised_they_are_learned(layers):
    X, T = 1e4 + 5e3 * PEAKS, 500 + 100 * PLACES
    net = fastmlp.Network(layers, rng=0)
    _, said = caught(net, X, T, "lm", standardize=True, max_iter=200)
    assert not said
    assert explained(net, X, T) > 0.9


@pytest.mark.parametrize("case", IN_CHANNELS)
def test_channels_are_named_as_the_user_counts_them(case):
    scale, shift, text = IN_CHANNELS[case]
    X, net = IMAGES.copy(), fastmlp.Network([(2, 6, 5), Conv(8, 3), AveragePool(2), 1], rng=0)
    T = IMAGES[:, 1, :4].mean(axis=(1, 2))
    X[:, 1] = shift + scale * X[:, 1]
    for inputs in (X, X.reshape(80, -1)):
        _, said = caught(net.copy(), inputs, T, "lm", max_iter=20)
        assert len(said) == 1
        assert text in said[0]
        assert "channel 0" not in said[0]


def test_targets_out_of_reach_are_named_behind_pools_too():
    net = fastmlp.Network([(2, 6, 5), Conv(3, 3), AveragePool(2), 1], rng=0)
    _, said = caught(net, IMAGES, 1e5 + IMAGES[:, 0, 4, 4], "lm", max_iter=20)
    assert said[0].startswith("T: column 0 is out of the outputs' reach")


@pytest.mark.parametrize("layer", [Conv(4, 7, 2, "same"), Conv(4, 7, bias=None), Conv(2, 7, shared=False)])
def test_offsets_that_standardising_keeps_are_named(layer):
    net = fastmlp.Network([(1, 40), layer, 1], rng=0)
    _, said = caught(net, 1e6 + PEAKS, PLACES, "lm", standardize=True, max_iter=20)
    assert said[0].endswith(f"subtract the offsets beforehand, which {layer!r} keeps")
    assert not caught(net, PEAKS, PLACES, "lm", standardize=True, max_iter=20)[1]


@pytest.mark.parametrize("hidden", ["tanh", "relu"])
@pytest.mark.parametrize("method", RESUMABLE)
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_nothing_is_said_of_sane_signals(layers, method, hidden):
    for X in (PEAKS, 2 * (PEAKS > 0.5), rng.normal(size=PEAKS.shape)):
        assert not caught(fastmlp.Network(layers, hidden, rng=1), X, PLACES, method, max_iter=10, rng=0)[1]
