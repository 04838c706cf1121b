"""Means and variances of outputs whose logits are normally distributed: E[h(a)] and Var[h(a)] for a ~ N(m, s^2).

A linear output has those of the logit itself, exp the log-normal ones. Logistic and softmax have none in closed form:
a quadrature that is exact to rounding, and sampling.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float

NODES = np.linspace(-8.5, 8.5, 35)  # standard deviations, for s <= 1: 6e-17 of the mass lies beyond
LOGISTIC_NODES, STEP = np.linspace(-40.0, 40.0, 161, retstep=True)
LARGE = 1.0
BLOCK = 2**20  # numbers held at once


class Moments(NamedTuple):
    """Of outputs y whose logits are random."""

    mean: Float  #: E[y]
    variance: Float  #: Var[y]
    noise: Float  #: E[V(y)], V(y) the variance of a target of that mean


def log_normal(mean: Float, variance: Float) -> Moments:
    """Mean exp(m + s^2/2) of exp(a), its variance (exp(s^2) - 1) mean^2, and the mean again, as of counts."""
    with np.errstate(over="ignore"):
        rate = np.exp(mean + variance / 2)
        return Moments(rate, np.expm1(variance) * rate**2, rate)


def logistic(mean: Float, variance: Float) -> Moments:
    """Means and variances of sigma(a) and means of sigma (1 - sigma), entry by entry, by the trapezoidal rule.

    Its error falls exponentially with the distance of the poles of sigma from the real line, divided by the step. So a
    few nodes do for s <= 1. For larger s sigma and sigma^2 are seen as distribution functions, of one logistic variable
    l and of the larger of two, with densities p = sigma (1 - sigma) and 2 sigma p:

        E[sigma(a)] = int p(l) Phi((m - l) / s) dl,    E[sigma(a)^2] = int 2 sigma(l) p(l) Phi((m - l) / s) dl.

    Both are right to 2e-13, where Gauss-Hermite quadrature with 32 nodes is wrong by 1e-7 at s = 2, 0.015 at s = 10.
    Nodes are symmetric, so that m = 0 gives 1/2. All is found for -|m|, where sigma is small, and has its digits: those
    for |m| are 1 - E[sigma], and the same variances.
    """
    m, s = np.ravel(mean), np.sqrt(np.ravel(variance))
    found = np.empty((3, *m.shape))
    size = BLOCK // len(LOGISTIC_NODES)
    for start in range(0, len(m), size):
        for rule, chosen in ((_near, s <= LARGE), (_far, s > LARGE)):
            rows = start + np.flatnonzero(chosen[start : start + size])
            found[:, rows] = rule(-np.abs(m[rows, np.newaxis]), s[rows, np.newaxis])
    found[0] = np.where(m > 0, 1 - found[0], found[0])
    return Moments(*found.reshape(3, *mean.shape))


def _near(m: Float, s: Float) -> Moments:
    weight = np.exp(-(NODES**2) / 2)
    weight /= weight.sum()
    y = sigma(m + s * NODES)
    mean = y @ weight
    return Moments(mean, (y - mean[:, np.newaxis]) ** 2 @ weight, y * sigma(-m - s * NODES) @ weight)


def _far(m: Float, s: Float) -> Moments:
    nodes = LOGISTIC_NODES + np.minimum(m + s * s, 0.0)  # around where e^l Phi((m - l) / s) is largest
    y = sigma(nodes)
    weight = STEP * y * sigma(-nodes) * _memory.scipy("special").ndtr((m - nodes) / s)
    first, second = weight.sum(axis=1), 2 * np.einsum("nl,nl->n", y, weight)
    return Moments(first, second - first**2, first - second)


def sigma(a: Float) -> Float:
    """1 / (1 + exp(-a))."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-a)))


def opposite_draws(n: int, size: int, rng: np.random.Generator) -> Float:
    """At least n standard normal vectors (n, size), in pairs of opposite sign, whose mean is exact."""
    half = rng.standard_normal(((n + 1) // 2, size))
    return np.concatenate([half, -half])


def softmax(mean: Float, root: Float, draws: Float) -> Moments:
    """Moments of softmax(a) for a ~ N(m, V V'), by standard normal draws in K dimensions.

    They are the same for every row, so that the result is a smooth function of the inputs.

    Parameters
    ----------
    mean : ndarray of shape (N, K)
    root : ndarray of shape (N, K, n)
        V.
    draws : ndarray of shape (n_draws, K)
    """
    found = np.empty((3, *mean.shape))
    size = max(1, BLOCK // draws.size)
    for start in range(0, len(mean), size):
        rows = slice(start, start + size)
        y = softmax_draws(mean[rows], root[rows], draws)
        found[:, rows] = y.mean(axis=1), y.var(axis=1), (y * others(y)).mean(axis=1)
    return Moments(*found)


def softmax_draws(mean: Float, root: Float, draws: Float) -> Float:
    """The softmax(a) of which `softmax` takes the moments (N, n_draws, K)."""
    V = _memory.product(root, root.transpose(0, 2, 1))
    _memory.blas(4 * V.nbytes)
    eigenvalues, Q = np.linalg.eigh(V)
    square = Q * np.sqrt(np.maximum(eigenvalues, 0.0))[:, np.newaxis]
    a = mean[:, np.newaxis] + _memory.product(draws, square.transpose(0, 2, 1))
    y = np.exp(a - a.max(axis=2, keepdims=True))
    y /= y.sum(axis=2, keepdims=True)
    return np.asarray(y)


def others(y: Float) -> Float:
    """1 - y of classes along the last axis; of the largest the sum of the others, which keeps its digits."""
    result, top = 1 - y, y.argmax(axis=-1)[..., np.newaxis]
    small = y.copy()
    np.put_along_axis(small, top, 0.0, axis=-1)
    np.put_along_axis(result, top, small.sum(axis=-1, keepdims=True), axis=-1)
    return np.asarray(result)
