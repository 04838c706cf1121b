"""Networks and data for the tests: names from the compiled lists, numbers from seeded generators."""

import numpy as np
import pytest

import fastmlp
from fastmlp._core.sums.plan import Plan
from fastmlp.bayes.alternation import Alternation
from fastmlp.bayes.frame import Frame
from fastmlp.model import activations
from fastmlp.model.activations import Activation
from fastmlp.model.functional import check_samples
from fastmlp.model.layers import Dense
from fastmlp.model.losses import Loss
from fastmlp.optimize import methods, scipy_bridge

DTYPES = ("float64", "float32")
HIDDEN = activations.HIDDEN
#: output activation and loss of each pair that acceptance asks for
PAIRS = (
    ("identity", "squared_error"),
    ("logistic", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("tanh", "squared_error"),
    ("exp", "poisson"),
)
#: methods of training, by what they are; whoever leaves some out takes `but`, and says why
MINIBATCH = methods.MINIBATCH
OWN = tuple(methods.FULL_BATCH)
RESUMABLE = methods.RESUMABLE  # both: their state goes on in a warm start
WITHOUT_GRADIENT = scipy_bridge.WITHOUT_GRADIENT
SCIPY = tuple(name for name in scipy_bridge.METHODS if name not in WITHOUT_GRADIENT)
FULL_BATCH = (*OWN, *SCIPY)
WITH_GRADIENT = (*MINIBATCH, *FULL_BATCH)
ALL = (*WITH_GRADIENT, *WITHOUT_GRADIENT)
#: those that ask the objective for second derivatives, or products with them; lm asks the samples for Gauss-Newton's
SECOND_ORDER = ("scg", *(name for name in SCIPY if scipy_bridge.METHODS[name].second))
#: layers of all kinds, for what has to hold of any
SHAPES = ([1, 3, 1], [8, 50, 50, 1], [64, 32, 10], [17, 33], [5, 3, 4, 2, 6, 3], [300, 16, 2], [2, 300, 300], [7, 1, 7])
#: relative error allowed between the library and an oracle
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
#: for formulas of a posterior that hold at any parameters, whether the network is at its optimum or not
anywhere = pytest.mark.filterwarnings("ignore:posterior. the network is .* away:fastmlp.PosteriorWarning")


def but(names, *left_out):
    """The names without some of them."""
    assert set(left_out) <= set(names)
    return tuple(name for name in names if name not in left_out)


def network(layers, hidden="tanh", output="identity", loss=None, dtype="float64", seed=0, scale=1.0):
    """A network with random biases too, weights and biases times `scale`."""
    net = fastmlp.Network(layers, hidden, output, loss, dtype, rng=seed, init="normal")
    net.params = scale * net.params
    return net


def plan(sizes, activation, loss, itemsize, isa=None):
    """A plan of dense layers, of any size; the last one has the identity."""
    hidden = [*[Activation(activation)] * (len(sizes) - 2), Activation("identity")]
    layers = zip(sizes[:-1], sizes[1:], hidden, strict=True)
    return Plan([Dense(n_out).after((n_in,), h) for n_in, n_out, h in layers], Loss(loss).index, itemsize, isa)


def plan_of(net, isa):
    """The plan of a network, of that instruction set."""
    return Plan(net._architecture.layers, net._architecture.loss.index, net.dtype.itemsize, isa)


def data(net, n_samples, seed=0, soft=False):
    """Inputs and targets that fit the loss; class targets are labels, or soft rows."""
    rng = np.random.default_rng([seed, n_samples, net.n_params])
    X = rng.normal(size=(n_samples, net.layers[0]))
    shape = (n_samples, net.layers[-1])
    if net.loss_name == "cross_entropy":
        T = rng.dirichlet(np.ones(shape[1]), n_samples) if soft else rng.integers(shape[1], size=n_samples)
    elif net.loss_name == "binary_cross_entropy":
        T = rng.random(shape) if soft else rng.integers(2, size=shape).astype(float)
    elif net.loss_name == "poisson":
        T = rng.poisson(2.0, shape).astype(float)
    else:
        T = rng.normal(size=shape)
    return X, T


def sinusoid(n_samples, seed):
    """The lecture's curve, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(0.0, 1.0, (n_samples, 1))
    return X, np.sin(2 * np.pi * X) + 0.3 * rng.normal(size=(n_samples, 1))


def trained(output, loss, layers=(2, 3, 2), decay=0.3, n=40):
    """A network at the minimum of its loss and a weight decay, and its data."""
    net = network(list(layers), output=output, loss=loss, seed=3)
    X, T = data(net, n)
    net.fit(X, T, method="lm", penalty=fastmlp.WeightDecay(decay, decay), tol=1e-10)
    return net, X, T


def degenerate(X, T):
    """Layers and data at the edge of what can be fitted, from 50 samples of three inputs and a target."""
    return {
        "one sample": ([3, 4, 1], X[:1], T[:1]),
        "ten outputs": ([3, 4, 10], X, np.random.default_rng(1).normal(size=(50, 10))),
        "more parameters than residuals": ([3, 30, 1], X[:5], T[:5]),
        "repeated rows": ([3, 5, 1], np.repeat(X[:3], 20, axis=0), np.repeat(T[:3], 20)),
        "constant inputs": ([3, 5, 1], np.ones((50, 3)), T),
        "inputs of zero": ([3, 5, 1], np.zeros((50, 3)), T),
        "equal targets": ([3, 5, 1], X, np.full(50, 3.0)),
        "huge targets": ([3, 5, 1], X, 1e8 * T),
    }


def relative_error(got, expected):
    """Largest difference, relative to the largest number expected; numbers below 1e-30 count as zero."""
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    assert got.shape == expected.shape
    if not got.size:
        return 0.0
    scale = np.abs(expected).max()
    return float(np.abs(got - expected).max() / (scale if scale > 1e-30 else 1.0))


def alternation_of(net, X, T, groups, tol, sample_weight=None):
    """What `fit_evidence` does in turn, of a problem in the data's own units."""
    samples = check_samples(net._architecture, X, T, sample_weight)
    return Alternation(net.params, Frame(net._architecture, None), samples, groups, tol, 1)
