"""Networks with convolutions as users have them: shapes of inputs, text, files, trainings, posteriors, complaints."""

import pickle

import numpy as np
import pytest

import fastmlp
from cases import data, relative_error
from fastmlp import AveragePool, Conv, MaxPool, optimize
from fastmlp.invariance import RandomShift, TimeShift
from fastmlp.model.functional import check_samples

LENET = [(1, 12, 12), Conv(3, 3), AveragePool(2), Conv(4, 2), MaxPool(2), 3]
SAME = [(1, 4, 4), Conv(2, 3, padding="same"), 2]
SOLVERS = ("sgd", "adam", "rprop", "lm", "scg", "lbfgs", "newton-cg", "trust-exact", "cg")


def network(layers=LENET, hidden="tanh", output="softmax", dtype="float64", seed=0):
    return fastmlp.Network(layers, hidden, output, dtype=dtype, rng=seed)


# ---- inputs ----


def test_inputs_are_rows_or_have_the_shape_that_was_given(dtype):
    net = network(dtype=dtype)
    X, T = data(net, 9)
    Y = net(X)
    for images in (X.reshape(9, 1, 12, 12), X.reshape(9, 12, 12), X.reshape(9, 12, 12).tolist()):
        assert np.array_equal(net(images), Y)
        assert net.loss(images, T) == net.loss(X, T)
        assert np.array_equal(net.jacobian(images), net.jacobian(X))
        assert np.array_equal(net.hessp(images, T, net.params), net.hessp(X, T, net.params))
    assert np.array_equal(net.trace(images).z[0], net.trace(X).z[0])
    objective = net.objective(X.reshape(9, 12, 12), T)
    assert objective.value(objective.x0) == net.objective(X, T).value(objective.x0)
    result = net.copy().fit(X.reshape(9, 1, 12, 12), T, max_iter=3)
    assert result.fun == net.copy().fit(X, T, max_iter=3).fun


def test_one_image_may_have_any_of_its_shapes(dtype):
    net, signals = network(dtype=dtype), network([(2, 8), Conv(3, 3, 2), 2], dtype=dtype)
    x, signal = data(net, 1)[0], data(signals, 1)[0]
    out = np.empty((1, 3), dtype)
    for image in (x, x.reshape(1, 1, 12, 12), x.reshape(1, 12, 12)):
        assert np.array_equal(net(image), net(x))
        assert net.predict(image, out=out) is out
        assert np.array_equal(out, net(x))
    assert np.array_equal(signals(signal.reshape(1, 2, 8)), signals(signal))
    for shape in ((1, 12, 1, 12), (1, 2, 72), (1, 144, 1), (1, 1, 1, 12, 12), (1, 1, 144)):
        with pytest.raises(ValueError, match=r"^X: expected shape \("):
            net(x.reshape(shape))
    with pytest.raises(ValueError, match=r"^X: expected shape \("):
        signals(signal.reshape(1, 8, 2))


def test_signals_have_channels_and_a_length():
    net = network([(2, 8), Conv(3, 3, 2), 2])
    X = np.random.default_rng(0).normal(size=(5, 2, 8))
    assert np.array_equal(net(X), net(X.reshape(5, 16)))
    assert net.weights[0].shape == (3, 2, 3)


@pytest.mark.parametrize("shape", [(5, 12, 11), (5, 2, 12, 12), (5, 12, 12, 1), (12, 12), (143,), (2, 5, 1, 12, 12)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"^X: expected shape \(n_samples, 144\)"):
        network()(np.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 5, 4), (1, 9), (2, 9)])
def test_one_sample_needs_an_axis_of_samples(shape):
    net = network([shape, Conv(2, 3), 2])
    flat = int(np.prod(shape))
    assert np.array_equal(net(np.ones(flat)), net(np.ones((1, flat)))[0])
    for one in (shape, shape[1:]):
        if one[0] == 1 or one == (flat,) or (one == shape[1:] and shape[0] > 1):
            continue  # one sample as it should be; not all of its channels
        with pytest.raises(ValueError, match=r"^X: expected shape .*, got \(.*\); X\[np.newaxis\] is one sample$"):
            net(np.zeros(one))


def test_channels_come_first():
    net = network([(3, 5, 4), Conv(2, 3), 2])
    X = data(net, 6)[0].reshape(6, 3, 5, 4)
    with pytest.raises(ValueError, match=r"got \(6, 5, 4, 3\); channels come first, as in np.moveaxis\(X, -1, 1\)$"):
        net(np.moveaxis(X, 1, -1))
    assert np.array_equal(net(np.moveaxis(np.moveaxis(X, 1, -1), -1, 1)), net(X))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_images_are_finite(bad):
    images = np.zeros((2, 12, 12))
    images[1, 3, 4] = bad
    with pytest.raises(ValueError, match=r"^X: expected finite numbers, got .* at index \(1, 3, 4\)"):
        network()(images)


# ---- what a network says ----


def test_summary():
    assert network().summary().splitlines() == [
        "layer  kind          weights        outputs      activation  parameters  links",
        "1      conv          3 x 1 x 3 x 3  3 x 10 x 10  tanh        30          3000",
        "2      average_pool                 3 x 5 x 5    identity    0           300",
        "3      conv          4 x 3 x 2 x 2  4 x 4 x 4    tanh        52          832",
        "4      max_pool                     4 x 2 x 2    identity    0           64",
        "5      dense         3 x 16         3            softmax     51          51",
        "total                                                        133         4247",
        "loss: cross_entropy, dtype: float64",
    ]


def test_names_and_views():
    net = network()
    assert net.layers == (144, 300, 75, 64, 16, 3)
    assert list(net.hidden) == ["tanh", "tanh"]
    assert [W.shape for W in net.weights] == [(3, 1, 3, 3), (4, 3, 2, 2), (3, 16)]
    assert [b.shape for b in net.biases] == [(3,), (4,), (3,)]
    assert list(net.groups) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert eval(repr(net), vars(fastmlp))._architecture == net._architecture
    assert repr(net).startswith("Network([(1, 12, 12), Conv(3, 3), AveragePool(2), Conv(4, 2), MaxPool(2), 3], hidden")
    assert repr(Conv(2, (3, 1), 2, "same", None, shared=False)) == (
        "Conv(2, (3, 1), stride=2, padding='same', bias=None, shared=False)"
    )
    own = network([(1, 4, 4), Conv(2, 3, bias="position"), Conv(3, 2, bias=None), 1], output="identity")
    assert list(own.groups) == ["W1", "b1", "W2", "W3", "b3"]
    assert own.biases[0].shape == (2, 2, 2)
    assert network([(2, 4, 4), Conv(3, 2, shared=False), 2]).weights[0].shape == (3, 3, 3, 2, 2, 2)


def test_hidden_has_a_name_for_each_layer_with_weights_but_the_last():
    net = network(hidden=["relu", "sin"])
    assert [str(each) for each in net._architecture.activations] == ["relu", "identity", "sin", "identity", "softmax"]
    with pytest.raises(ValueError, match="each of the 2 hidden layers, got 3"):
        network(hidden=["relu"] * 3)


def test_files_copies_and_pickles_are_the_same_network(tmp_path, dtype):
    signals = [(2, 9), Conv(3, (2,), 2, "same", None, shared=False), MaxPool(2), 2]
    for net in (network(dtype=dtype), network(signals, dtype=dtype), network([(1, 2, 2), 3], dtype=dtype)):
        net.save(tmp_path / "net")
        assert b'"version": 3' in (tmp_path / "net").read_bytes()
        for other in (fastmlp.load(tmp_path / "net"), net.copy(), pickle.loads(pickle.dumps(net))):
            assert other == net
            assert other._architecture == net._architecture
            assert repr(other) == repr(net)
            X = data(net, 3)[0].astype(dtype)
            assert np.array_equal(other(X), net(X))


@pytest.mark.parametrize(("init", "spread"), [("glorot", (2 / (50 + 5000)) ** 0.5), ("lecun", 0.02**0.5), ("he", 0.2)])
def test_starting_values_have_the_spread_of_a_window(init, spread):
    net = fastmlp.Network([(2, 6, 6), Conv(200, 5), 1], init=init, rng=0)
    assert net.weights[0].std() == pytest.approx(spread, rel=0.03)
    assert not net.biases[0].any()


# ---- trainings ----


@pytest.mark.filterwarnings("ignore::fastmlp.ScaleWarning")  # sgd is slow
@pytest.mark.parametrize("method", SOLVERS)
def test_every_solver_finds_what_another_network_does(method):
    teacher = network([(1, 6, 6), Conv(2, 3), AveragePool(2), 1], output="identity", seed=1)
    net = network([(1, 6, 6), Conv(2, 3), AveragePool(2), 1], output="identity")
    X = np.random.default_rng(0).normal(size=(60, 6, 6))
    T = teacher(X)
    start = net.loss(X, T)
    net.fit(X, T, method, max_iter=300, rng=0)
    assert net.loss(X, T) < (0.5 if method in ("sgd", "adam") else 0.05) * start


def test_levenberg_marquardt_reaches_the_teacher():
    teacher = network([(1, 6, 6), Conv(2, 3), AveragePool(2), 1], output="identity", seed=1)
    net = network([(1, 6, 6), Conv(2, 3), AveragePool(2), 1], output="identity")
    X = np.random.default_rng(0).normal(size=(80, 6, 6))
    net.fit(X, teacher(X), "lm", max_iter=500)
    assert net.loss(X, teacher(X)) < 1e-12


@pytest.mark.parametrize("layers", [[(2, 4, 6), Conv(2, 3), 1], [(1, 4, 6), 3, 1], [(2, 12), Conv(2, 3), 1]])
def test_changes_of_samples_see_the_shape_of_the_network(layers):
    net = network(layers, output="identity")
    shape, seen = layers[0], []
    X, T = data(net, 10)

    def change(X, rng):
        seen.append(X.shape)
        return X + rng.normal(size=X.shape)

    named = TimeShift(1) if len(shape) == 2 else RandomShift(1)
    told = TimeShift(1, shape=shape) if len(shape) == 2 else RandomShift(1, shape=shape)
    fits = [
        net.copy().fit(rows, T, "adam", augment=augment, max_iter=3, rng=0).x
        for augment in (change + named, change + told)
        for rows in (X, X.reshape(10, *shape))
    ]
    assert set(seen) == {(10, *shape)}
    assert all(np.array_equal(x, fits[0]) for x in fits)


def test_one_channel_may_be_left_out_of_the_shape_of_changes():
    net = network([(1, 4, 6), Conv(2, 3), 1], output="identity")
    X, T = data(net, 10)
    fits = [
        net.copy().fit(X, T, "adam", augment=RandomShift(1, shape=shape), max_iter=3, rng=0).x
        for shape in (None, (4, 6), (1, 4, 6))
    ]
    assert np.array_equal(fits[0], fits[1])
    assert np.array_equal(fits[0], fits[2])
    with pytest.raises(ValueError, match=r"^X: expected rows of shape \(6, 4\), or of 24 numbers, got .*1, 4, 6"):
        net.fit(X, T, "adam", augment=RandomShift(1, shape=(6, 4)))


def test_decay_fixed_and_tied_parameters_by_name():
    net = network([(2, 5, 5), Conv(3, 2), 2])
    X, T = data(net, 20)
    penalty = fastmlp.WeightDecay({"W1[:,0]": 2.0, "b2": 0.1})
    objective = net.objective(X, T, penalty=penalty, fixed="W1[1,:]", tied=[["b1[0]", "b1[2]"]])
    p, step = objective.x0, 1e-6
    assert p.size == net.n_params - 8 - 1
    gradient = [(objective.value(p + step * e) - objective.value(p - step * e)) / (2 * step) for e in np.eye(p.size)]
    assert relative_error(objective.grad(p), gradient) < 1e-7
    assert relative_error(objective.hess(p) @ p, objective.hessp(p, p)) < 1e-11
    W = net.weights[0].copy()
    net.fit(X, T, penalty=penalty, fixed="W1[1,:]", max_iter=20)
    assert np.array_equal(net.weights[0][1], W[1])
    assert not np.array_equal(net.weights[0][0], W[0])


@pytest.mark.parametrize("bias", ["channel", "position", None])
@pytest.mark.parametrize("output", ["identity", "softmax"])
def test_the_last_layer_may_be_a_convolution_with_decay(output, bias):
    net = network([(2, 5, 6), Conv(2, 2, bias=bias)], output=output)
    X, T = data(net, 7)[0], np.random.default_rng(1).dirichlet(np.ones(40), 7)
    penalty = fastmlp.WeightDecay(0.3, biases=0.1)
    for method in ("adam", "lm"):
        result = net.fit(X, T, method, penalty=penalty, max_iter=200, rng=0)
        constant = optimize.reference.of(net._architecture, check_samples(net._architecture, X, T))
        decay = np.repeat(0.1, 40) if bias else 0.0
        c = constant.output if output == "identity" else np.log(constant.output) - np.log(constant.output).mean()
        expected = constant.loss + 0.5 * np.sum(decay * c**2)
        bound = optimize.reference.bound(net.objective(X, T, penalty=penalty), constant)
        assert bound == pytest.approx(expected, rel=1e-12)
    assert result.success


def test_pruned_weights_stay_zero():
    net = network()
    X, T = data(net, 40)
    mask = np.zeros(net.n_params, bool)
    mask[:9] = True
    net.pruned = mask
    net.fit(X, T, "lbfgs", max_iter=10)
    assert not net.weights[0][0].any()


def test_weights_are_pruned_one_after_the_other():
    net = network([(1, 5, 5), Conv(2, 3), AveragePool(3), 1], output="identity")
    X = np.random.default_rng(0).normal(size=(60, 5, 5))
    path = fastmlp.prune(net, X, X[:, 1, 2], penalty=fastmlp.WeightDecay(0.1, 0.1))
    smaller = path.network(3)
    assert smaller.pruned.sum() == 3
    assert not smaller.params[smaller.pruned].any()


def test_posteriors_and_evidence():
    net = network([(1, 6, 6), Conv(2, 3), AveragePool(2), 1], output="identity")
    X = np.random.default_rng(0).normal(size=(80, 36))
    T = X.reshape(80, 6, 6)[:, 1:4, 2].sum(axis=1) + 0.1 * np.random.default_rng(1).normal(size=80)
    posterior = fastmlp.fit_evidence(net, X, T, standardize=False, rng=0)
    mean, spread = posterior.predict(X.reshape(80, 6, 6)[:9])[:2]
    assert np.isfinite(mean).all()
    assert (spread > 0).all()


def test_many_networks_at_once():
    nets = [network(seed=seed) for seed in range(3)]
    X, T = data(nets[0], 40)
    alone = [net.copy().fit(X, T, max_iter=5) for net in nets]
    together = fastmlp.fit_many(nets, X, T, max_iter=5)
    assert [each.fun for each in together] == pytest.approx([each.fun for each in alone], rel=1e-9)


# ---- complaints ----


@pytest.mark.parametrize(
    ("layers", "number"),
    [
        ([(1, 9, 9), Conv(2, 4), Conv(2, 4), Conv(2, 4), 1], 3),
        ([(1, 9), AveragePool(4), Conv(2, 2), AveragePool(4), 1], 3),
        ([(1, 9, 9), Conv(2, 4), 5, Conv(2, 4), 1], 3),
        ([(1, 9, 9), Conv(2, (4,)), 1], 1),
    ],
)
def test_the_layer_that_cannot_be_there_has_its_number(layers, number):
    with pytest.raises(ValueError, match=f"^layers: expected .*, in layer {number}$"):
        network(layers)


@pytest.mark.parametrize("entry", [Conv, [4, 3], "Conv(4, 5)", 4.0])
def test_what_is_no_layer_says_how_layers_are_written(entry):
    with pytest.raises(
        TypeError, match=r"^layers: expected an integer, got .*are written as Conv\(4, 5\), activations are given by "
    ):
        network([(1, 9, 9), entry, 1])


def test_extents_may_be_arrays():
    assert Conv(2, np.array([3, 1]), np.array([2, 1])) == Conv(2, (3, 1), (2, 1))
    assert hash(AveragePool(np.array([3, 1]))) == hash(AveragePool((3, 1)))


def shifted_units():
    other = network([(1, 4, 4), 2])
    other.fit(1 + np.random.default_rng(0).normal(size=(9, 16)), np.arange(9) % 2, standardize=True, max_iter=1)
    return other.units


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([4, Conv(2, 1), 1], r"layers: expected a shape \(channels, length\).* before Conv\(2, 1\), got 4 units"),
        ([(1, 4), 3, MaxPool(2), 1], r"layers: expected a shape .* before MaxPool\(2\), got 3 units"),
        ([(1, 4, 4), Conv(2, 5), 1], "layers: expected at least 5 inputs along each axis of a window of Conv"),
        ([(1, 4, 4), AveragePool((2, 5)), 1], "layers: expected at least 5 inputs along each axis of a window of Aver"),
        ([(1, 4, 4), Conv(2, (3,)), 1], r"layers: expected size of Conv.* to be an integer, or 2 of them"),
        ([(1, 4), Conv(2, 2, (1, 1)), 1], r"layers: expected stride of Conv.* to be an integer, or 1 of them"),
        ([(1, 4, 4), Conv(2, 3), AveragePool(2)], "layers: expected a last layer with an activation"),
        ([(1, 4, 4, 4), 1], r"layers: expected a number of inputs, \(channels, length\) or"),
        ([(4,), 1], "layers: expected a number of inputs"),
        ([(1, 0, 4), 1], "layers: expected an integer >= 1"),
        ([(1, 4, 4), (1, 2, 2), 1], "layers: expected an integer, got"),
        ([(1, 2**30, 2**30), AveragePool(2**29), 1], r"layers: expected at most 2\^40 units"),
        ([(1, 2**20, 2**20), Conv(1, 2**19), 1], r"layers: expected at most 2\^40 units and 2\^60 multiply-adds"),
    ],
)
def test_layers_that_cannot_be(layers, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        network(layers, output="identity")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Conv(0, 3), "channels: expected an integer >= 1"),
        (lambda: Conv(2, (3, 3, 3)), "size: expected an integer, or one for each axis"),
        (lambda: Conv(2, "3"), "size: expected an integer"),
        (lambda: Conv(2, np.array([3.0, 3.0])), "size: expected an integer"),
        (lambda: Conv(2, np.ones((2, 2), int)), "size: expected an integer"),
        (lambda: Conv(2, 3, 0), "stride: expected an integer >= 1"),
        (lambda: Conv(2, 3, padding="full"), "padding: expected one of valid, same"),
        (lambda: Conv(2, 3, bias=True), "bias: expected a name"),
        (lambda: Conv(2, 3, shared=1), "shared: expected True or False"),
        (lambda: AveragePool(0), "size: expected an integer >= 1"),
        (
            lambda: network(SAME).fit(np.zeros((2, 16)), [0, 1], standardize=shifted_units()),
            "standardize: expected a first layer whose biases can take up a shift",
        ),
        (
            lambda: network(SAME).rescale_inputs(2.0, 1.0),
            "rescale_inputs: expected a first layer whose biases",
        ),
        (
            lambda: network().rescale_inputs(np.arange(1.0, 145)),
            "scale: expected one number for all inputs of a channel",
        ),
        (lambda: network().initialize("nguyen_widrow"), "init='nguyen_widrow': expected dense layers"),
        (lambda: fastmlp.to_sklearn(network()), "net: expected dense layers"),
    ],
)
def test_what_cannot_be_says_so(call, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        call()
