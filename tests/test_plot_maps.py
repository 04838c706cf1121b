"""Pictures of windows and maps: that they show the numbers, each in its place."""

import numpy as np
import pytest

import fastmlp
from fastmlp import AveragePool, Conv, plot

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture
def ax():
    figure, axes = pyplot.subplots()
    yield axes
    pyplot.close(figure)


def network(*layers):
    return fastmlp.Network(layers, rng=0)


def places(ax):
    """Centres of the pictures, column and row, beside their numbers."""
    boxes = [image.get_extent() for image in ax.images]
    return [(round((b[0] + b[1]) / 2.3), round((b[2] + b[3]) / 2.3)) for b in boxes]


@pytest.mark.parametrize("layer", [1, 2])
def test_filters_are_the_windows_of_each_map_and_channel(ax, layer):
    net = network((2, 9, 8), Conv(3, (3, 2)), Conv(4, 2), 1)
    assert plot.filters(net, layer, ax) is ax
    W = net.weights[layer - 1]
    assert len(ax.images) == W.shape[0] * W.shape[1]
    for (column, row), image in zip(places(ax), ax.images, strict=True):
        assert np.array_equal(image.get_array(), W[column, row])
        assert image.get_clim() == (-np.abs(W).max(), np.abs(W).max())


def test_filters_of_signals_are_stripes(ax):
    net = network((1, 9), Conv(3, 4), 1)
    plot.filters(net, ax=ax)
    assert [image.get_array().shape for image in ax.images] == [(1, 4)] * 3


def test_feature_maps_are_the_activations_of_each_layer(ax):
    net = network((2, 6, 6), Conv(3, 3), AveragePool(2), 4, 1)
    x = np.random.default_rng(0).normal(size=(2, 6, 6))
    assert plot.feature_maps(net, x, ax) is ax
    trace = net.trace(x[None])
    rows = [x, trace.a[0].reshape(3, 4, 4), trace.a[1].reshape(3, 2, 2)]
    assert len(ax.images) == 8
    for (column, row), image in zip(places(ax), ax.images, strict=True):
        assert np.array_equal(image.get_array(), rows[row][column])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["inputs", "conv", "average_pool"]
    for other in (x.ravel(), x.tolist()):
        assert len(plot.feature_maps(net, other, ax).images) % 8 == 0


def test_equal_numbers_are_a_picture_too(ax):
    net = network((1, 4, 4), Conv(2, 2), 1)
    net.params = np.zeros(net.n_params)
    plot.filters(net, ax=ax)
    plot.feature_maps(net, np.zeros(16), ax)
    assert len(ax.images) == 2 + 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.filters(3), "net: expected a fastmlp.Network, got int"),
        (lambda: plot.filters(network(3, 2)), "net: expected one of images or signals"),
        (lambda: plot.filters(network((1, 4), Conv(2, 2), 1), 3), "layer: expected a number from 1 to 2, got 3"),
        (lambda: plot.filters(network((1, 4), Conv(2, 2), 1), 0), "layer: expected an integer >= 1"),
        (lambda: plot.filters(network((1, 4), Conv(2, 2), 1), 2), "layer: expected a convolution with shared weights"),
        (
            lambda: plot.filters(network((1, 4), Conv(2, 2, shared=False), 1)),
            "layer: expected a convolution with shared weights",
        ),
        (lambda: plot.feature_maps(network(3, 2), [1, 2, 3]), "net: expected one of images or signals"),
        (lambda: plot.feature_maps(network((1, 4), Conv(2, 2), 1), np.zeros(5)), "X: expected shape"),
        (lambda: plot.feature_maps(network((1, 4), Conv(2, 2), 1), None), "x: expected an array"),
    ],
)
def test_what_has_no_maps_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        call()
