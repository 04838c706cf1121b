"""The oracle: a multi-layer perceptron in NumPy, sample by sample, formula by formula, without cleverness."""

import math

import numpy as np
from scipy.special import erf, expit

SLOPE = 0.01


def normal_cdf(z):
    return 0.5 * (1 + erf(z / math.sqrt(2)))


def normal_pdf(z):
    return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


ACTIVATIONS = {  # name: (h, h', h'')
    "identity": (lambda z: z, np.ones_like, np.zeros_like),
    "tanh": (
        np.tanh,
        lambda z: 4 * expit(2 * z) * expit(-2 * z),
        lambda z: -8 * np.tanh(z) * expit(2 * z) * expit(-2 * z),
    ),
    "logistic": (expit, lambda z: expit(z) * expit(-z), lambda z: expit(z) * expit(-z) * (1 - 2 * expit(z))),
    "relu": (lambda z: np.where(z > 0, z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0), np.zeros_like),
    "leaky_relu": (
        lambda z: np.where(z > 0, z, SLOPE * z),
        lambda z: np.where(z > 0, 1.0, SLOPE),
        np.zeros_like,
    ),
    "softplus": (lambda z: np.logaddexp(0, z), expit, lambda z: expit(z) * expit(-z)),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 0.0, np.exp(np.minimum(z, 0))),
    ),
    "silu": (
        lambda z: z * expit(z),
        lambda z: expit(z) * (1 + z * expit(-z)),
        lambda z: expit(z) * expit(-z) * (2 + z * (1 - 2 * expit(z))),
    ),
    "gelu": (
        lambda z: z * normal_cdf(z),
        lambda z: normal_cdf(z) + z * normal_pdf(z),
        lambda z: normal_pdf(z) * (2 - z * z),
    ),
    "sin": (np.sin, np.cos, lambda z: -np.sin(z)),
    "exp": (np.exp, np.exp, np.exp),
}
#: the largest errors of h, h', h'' in units in the last place, to which `core/test_vecmath.py` holds them
ULPS = {
    "identity": (0, 0, 0),
    "tanh": (2, 8, 8),
    "logistic": (2, 4, 6),
    "relu": (0, 0, 0),
    "leaky_relu": (2, 1, 0),
    "softplus": (2, 2, 4),
    "elu": (4, 2, 2),
    "silu": (4, 6, 8),
    "gelu": (4, 6, 8),
    "sin": (2, 2, 2),
    "exp": (2, 2, 2),
}
#: (h, h', h'') at -inf and at +inf.
LIMITS = {
    "identity": ((-np.inf, 1, 0), (np.inf, 1, 0)),
    "tanh": ((-1, 0, 0), (1, 0, 0)),
    "logistic": ((0, 0, 0), (1, 0, 0)),
    "relu": ((0, 0, 0), (np.inf, 1, 0)),
    "leaky_relu": ((-np.inf, 0.01, 0), (np.inf, 1, 0)),
    "softplus": ((0, 0, 0), (np.inf, 1, 0)),
    "elu": ((-1, 0, 0), (np.inf, 1, 0)),
    "silu": ((0, 0, 0), (np.inf, 1, 0)),
    "gelu": ((0, 0, 0), (np.inf, 1, 0)),
    "sin": ((np.nan, np.nan, np.nan), (np.nan, np.nan, np.nan)),
    "exp": ((0, 0, 0), (np.inf, np.inf, np.inf)),
}
#: derivatives that are constants, whatever z: they do not carry NaN.
CONSTANT = {"identity": (1, 2), "relu": (2,), "leaky_relu": (2,)}


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def sample_loss(name, z, y, t):
    """Negative log likelihood of one sample, without constants, at the logits z (outputs y)."""
    if name == "squared_error":
        return 0.5 * np.sum((y - t) ** 2)
    if name == "binary_cross_entropy":
        return np.sum((1 - t) * np.logaddexp(0, z) + t * np.logaddexp(0, -z))
    if name == "cross_entropy":
        return np.sum(t * (z.max() + np.log(np.sum(np.exp(z - z.max()))) - z))
    return np.sum(np.exp(z) - t * z)


def forward(weights, biases, hidden, output, x):
    """Pre-activations and activations of all layers for one sample; activations start with x."""
    z_all, a_all = [], [x]
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        z = W @ a_all[-1] + b
        name = hidden[layer] if layer < len(hidden) else output
        z_all.append(z)
        a_all.append(softmax(z) if name == "softmax" else ACTIVATIONS[name][0](z))
    return z_all, a_all


def backward(weights, hidden, output, loss, z_all, a_all, t):
    """Deltas of all layers for one sample: the lecture's steps 2 and 3."""
    y = a_all[-1]
    delta = y * np.sum(t) - t if loss == "cross_entropy" else y - t
    if loss == "squared_error":
        delta = delta * ACTIVATIONS[output][1](z_all[-1])
    deltas = [delta]
    for layer in range(len(hidden) - 1, -1, -1):
        deltas.insert(0, ACTIVATIONS[hidden[layer]][1](z_all[layer]) * (weights[layer + 1].T @ deltas[0]))
    return deltas


def one_hot(T, n_outputs):
    T = np.asarray(T)
    return np.eye(n_outputs)[T] if T.dtype.kind == "i" and T.ndim == 1 else T.reshape(len(T), n_outputs)


def evaluate(net, X, T, weight=None):
    """Outputs (N, K), losses (N,), deltas (lists over layers of (N, n_out)) and gradient (P,) of a network."""
    weights = [W.astype(float) for W in net.weights]
    biases = [b.astype(float) for b in net.biases]
    X = np.asarray(X, dtype=float)
    T = one_hot(T, net.layers[-1]).astype(float)
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=float)
    outputs, losses, all_deltas = [], [], []
    gradients = [(np.zeros_like(W), np.zeros_like(b)) for W, b in zip(weights, biases, strict=True)]
    for x, t, s in zip(X, T, weight, strict=True):
        z_all, a_all = forward(weights, biases, net.hidden, net.output, x)
        deltas = backward(weights, net.hidden, net.output, net.loss_name, z_all, a_all, t)
        for layer, delta in enumerate(deltas):
            gradients[layer][0][...] += s * np.outer(delta, a_all[layer])
            gradients[layer][1][...] += s * delta
        outputs.append(a_all[-1])
        losses.append(s * sample_loss(net.loss_name, z_all[-1], a_all[-1], t))
        all_deltas.append([s * delta for delta in deltas])
    gradient = np.concatenate([part.ravel() for pair in gradients for part in pair])
    return np.array(outputs), np.array(losses), all_deltas, gradient
