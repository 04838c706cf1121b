"""Sweeps over kinds of networks, and many of them at once."""

import numpy as np
import pytest

import fastmlp
from fastmlp import AveragePool, Conv, MaxPool

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6, 5))
T = X[:, 1:4, 2].sum(axis=1)
SIZES = [3, (Conv(2, 3), AveragePool(2)), ((1, 6, 5), Conv(1, 3, 2, "same", shared=False), 2), (4, 2)]


def sweep(sizes=SIZES, X=X, T=T, **arguments):
    how = {"n_starts": 2, "validation": 0.3, "rng": 0, "max_iter": 20, "penalties": fastmlp.WeightDecay(0.1)}
    return fastmlp.sweep(X, T, sizes, **(how | arguments))


def test_sizes_may_be_layers_of_any_kind():
    result = sweep()
    assert [group[0].size for group in result.groups()] == SIZES
    assert [run.network._architecture.specification[:-1] for run in result.runs[::2]] == [
        ((1, 6, 5), 3),
        ((1, 6, 5), *SIZES[1]),
        SIZES[2],
        ((1, 6, 5), 4, 2),
    ]
    assert [line.split("  ")[0] for line in result.table().splitlines()[1:]] == [
        "3",
        "Conv(2, 3), AveragePool(2)",
        "Conv(1, 3, stride=2, padding='same', shared=False), 2",
        "(4, 2)",
    ]
    assert repr(result.runs[2]).startswith("Run of Conv(2, 3), AveragePool(2) hidden, start 0: validation")
    names = [label.get_text() for label in result.plot().get_xticklabels()]
    assert names[:2] == ["3", "Conv(2, 3)\nAveragePool(2)"]
    assert names[3] == "4-2"


@pytest.mark.parametrize("method", ["lm", "lbfgs", "adam"])
def test_each_run_is_what_fit_makes_of_its_network(method):
    sizes = [(Conv(2, 3), MaxPool(2))]
    how = {"method": method, "max_iter": 5, "standardize": True, "penalties": None}
    result = sweep(sizes, validation=(X[:10], T[:10]), **how)
    for run in result.runs:
        net = fastmlp.Network([(1, 6, 5), *sizes[0], 1], rng=run.seed)
        if method == "adam":
            continue
        net.fit(X, T, method, max_iter=5, standardize=True)
        assert net.params == pytest.approx(run.params, rel=1e-6)
    flat = sweep([((1, 6, 5), *sizes[0])], X.reshape(60, 30), validation=(X[:10].reshape(10, 30), T[:10]), **how)
    for one, other in zip(result.runs, flat.runs, strict=True):
        assert np.array_equal(one.params, other.params)


def test_channels_signals_and_folds():
    signals = RNG.normal(size=(30, 2, 9))
    result = sweep([((2, 9), Conv(2, 3)), 2], signals.reshape(30, 18), signals[:, 1, 4], validation=None, folds=2)
    assert len(result.runs) == 4
    images = RNG.normal(size=(30, 2, 3, 3))
    assert sweep([(Conv(2, 2),)], images, images[:, 0, 1, 1]).best.weights[0].shape == (2, 2, 2, 2)


def test_labels_and_many_networks_of_different_kinds():
    labels = (T > 0).astype(int)
    best = sweep(SIZES[:2], T=labels, output="softmax").best
    assert best.layers[-1] == 2
    nets = [fastmlp.Network([(1, 6, 5), *layers, 2], output="softmax", rng=0) for layers in ([Conv(2, 3)], [3])]
    nets.append(fastmlp.Network([30, 3, 2], output="softmax", rng=0))
    results = fastmlp.fit_many(nets, X.reshape(60, 30), labels, max_iter=5)
    assert results[1].fun == results[2].fun
    assert [result.nit for result in results] == [5, 5, 5]


@pytest.mark.parametrize(
    ("sizes", "data", "message"),
    [
        ([(Conv(2, 9),)], X, "layers: expected at least 9 inputs"),
        ([(Conv(2, 3),)], X.reshape(60, 30), r"layers: expected a shape \(channels, length\) .* got 30 units"),
        ([3, ((1, 6, 6), Conv(2, 3))], X, r"hidden_sizes: expected shapes of 30 inputs, got \(\(1, 6, 6\), Conv"),
        ([Conv(2, 3)], X, r"hidden_sizes: expected an integer, got Conv\(2, 3\)"),
        ([((1, 6.5), 3)], X, r"hidden_sizes: expected an integer, got 6.5"),
        ([("tanh",)], X, r"hidden_sizes: expected an integer, got 'tanh'"),
        ([3], X[:, 0, 0], r"X: expected shape \(n_samples, n_inputs\), got \(60,\)"),
        ([(Conv(2, 3),), (Conv(2, 3),)], X, "hidden_sizes: expected different sizes"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(sizes, data, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        sweep(sizes, data)
