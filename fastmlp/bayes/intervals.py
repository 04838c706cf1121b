"""Quantiles of what a posterior foretells: distribution functions of single targets, and of equal mixtures of them.

Each class has `quantile(q)` and `below(x)`, the probability of values up to x, entry by entry (N, K).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from fastmlp import _memory, _sets
from fastmlp._types import Float
from fastmlp.model import moderation

HALVINGS = 1100  # of an interval, until it has no number within: more than there are exponents and digits
LARGEST = 690.0  # logarithm of a rate
FINEST = 32  # parts of half a standard deviation
PARTS = 201  # of the logarithm of a variance, for two degrees of freedom and more


class Marginals(Protocol):
    """The distributions of N K numbers."""

    def quantile(self, q: float) -> Float:
        """The smallest numbers with a probability of q or more up to them."""

    def below(self, x: Float) -> Float:
        """The probability of numbers up to x."""


class Student(NamedTuple):
    """Mean + scale t, t with so many degrees of freedom; a normal distribution with infinitely many."""

    mean: Float
    scale: Float
    freedom: Float

    def quantile(self, q: float) -> Float:
        """Of Student's distribution; where the scale is 0, the mean."""
        return np.asarray(self.mean + self.scale * _memory.scipy("special").stdtrit(self.freedom, q))

    def below(self, x: Float) -> Float:
        """Of Student's distribution."""
        return np.asarray(_memory.scipy("special").stdtr(self.freedom, _standard(x - self.mean, self.scale)))


class BesideNoise(NamedTuple):
    """Mean + scale t + a normal number of the deviation `noise`: what is estimated beside what is known.

    t is a normal number over sqrt(g), nu g of chi^2 with nu degrees of freedom, the same for all entries of a column:
    the trapezoidal rule in ln g, whose density falls exponentially on both sides, takes the mean over g.
    """

    mean: Float
    scale: Float
    noise: Float
    freedom: Float  #: (K,)

    def quantile(self, q: float) -> Float:
        """By halving, up to what is left above the same share of each of the two."""
        special, share = _memory.scipy("special"), max(q, 1 - q)
        far = self.scale * special.stdtrit(self.freedom, (1 + share) / 2) + self.noise * special.ndtri((1 + share) / 2)
        own = self._replace(mean=np.zeros_like(self.mean))
        half = _between(own.below, share, np.zeros_like(far), far, is_whole=False)
        return np.asarray(self.mean + (half if q >= 0.5 else -half))

    def below(self, x: Float) -> Float:
        """The mean over g."""
        special, result = _memory.scipy("special"), np.empty_like(self.mean)
        for k, nu in enumerate(self.freedom):
            if np.isinf(nu):
                deviation = np.hypot(self.scale[:, k], self.noise[:, k])
                result[:, k] = special.ndtr(_standard(x[:, k] - self.mean[:, k], deviation))
                continue
            n = PARTS * int(np.ceil(np.clip(2 / nu, 1, 100)))
            log_g = np.linspace(-75 / nu - 12 / np.sqrt(nu), np.log1p(80 / nu) + 12 / np.sqrt(nu), n)
            weight = np.exp(nu / 2 * (log_g - np.expm1(log_g)))
            weight /= weight.sum()
            total = np.zeros(len(result))
            for w, g in zip(weight, np.exp(log_g), strict=True):
                deviation = np.hypot(self.scale[:, k] / np.sqrt(g), self.noise[:, k])
                total += w * special.ndtr(_standard(x[:, k] - self.mean[:, k], deviation))
            result[:, k] = total
        return result


class Logistic(NamedTuple):
    """Probabilities sigma(a) with normal logits a, of which they are growing functions."""

    mean: Float
    scale: Float

    def quantile(self, q: float) -> Float:
        """That of a, mapped."""
        return moderation.sigma(self.mean + self.scale * _memory.scipy("special").ndtri(q))

    def below(self, x: Float) -> Float:
        """That of a, at the logit of x."""
        special = _memory.scipy("special")
        return np.asarray(special.ndtr(_standard(special.logit(x) - self.mean, self.scale)))


class Poisson(NamedTuple):
    """Counts with the rate exp(a), a normal.

    The probability of counts up to t, seen as a function of a, falls from 1 to 0 over 1/sqrt(t + 1). The trapezoidal
    rule takes steps of half a standard deviation, and shorter ones where that is steeper. Where a varies by far more
    than counts do about their rate, ln t is normal, with both variances.
    """

    mean: Float
    scale: Float

    def quantile(self, q: float) -> Float:
        """The smallest count with such a probability up to it."""
        far = self.mean + self.scale * _memory.scipy("special").ndtri(q / 2 + 0.5)
        rate = np.exp(np.minimum(far, LARGEST))
        return _between(
            self.below, q, np.zeros_like(self.mean), np.ceil(rate + 40 * np.sqrt(rate) + 200), is_whole=True
        )

    def below(self, x: Float) -> Float:
        """Of Poisson's distributions, averaged over a."""
        special, k = _memory.scipy("special"), np.floor(x) + 1
        m, s, shape = np.ravel(self.mean), np.ravel(self.scale), np.ravel(k)
        result = special.ndtr((np.log(shape - 0.5) - m) / np.sqrt(s * s + 1 / shape))
        finer = np.exp2(np.ceil(np.log2(np.maximum(s * np.sqrt(shape) / 2, 1.0))))
        for factor in _sets.unique(finer[finer <= FINEST]):
            z = np.linspace(-8.5, 8.5, int(34 * factor) + 1)
            weight = np.exp(-(z**2) / 2)
            weight /= weight.sum()
            size = max(1, moderation.BLOCK // len(z))
            places = np.flatnonzero(finer == factor)
            for rows in (places[first : first + size] for first in range(0, len(places), size)):
                rate = np.exp(np.minimum(m[rows, np.newaxis] + s[rows, np.newaxis] * z, LARGEST))
                result[rows] = special.gammaincc(shape[rows, np.newaxis], rate) @ weight
        return np.asarray(result.reshape(self.mean.shape), np.float64)


class Drawn(NamedTuple):
    """What draws are like."""

    draws: Float  #: (N, n, K)

    def quantile(self, q: float) -> Float:
        """Between draws, linearly."""
        _memory.late("numpy.ma")  # which NumPy imports
        return np.asarray(np.quantile(self.draws, q, axis=1))

    def below(self, x: Float) -> Float:
        """The share of draws."""
        return np.asarray((self.draws <= x[:, np.newaxis]).mean(axis=1))


def quantile(members: Sequence[Marginals], q: float) -> Float:
    """Of the equal mixture: between the least and the greatest of the members'."""
    each = np.array([member.quantile(q) for member in members])
    if len(members) == 1:
        return np.asarray(each[0])

    def below(x: Float) -> Float:
        return np.asarray(np.mean([member.below(x) for member in members], axis=0))

    return _between(below, q, each.min(axis=0), each.max(axis=0), is_whole=isinstance(members[0], Poisson))


def _between(below: Callable[[Float], Float], q: float, low: Float, high: Float, *, is_whole: bool) -> Float:
    """The least numbers of an interval, low < x <= high but for the ends, up to which the probability is q."""
    enough = below(low) >= q
    high = np.where(enough, low, high)
    for _ in range(HALVINGS):
        middle = np.floor((low + high) / 2) if is_whole else low + (high - low) / 2
        if ((middle <= low) | (middle >= high)).all():
            break
        enough = below(middle) >= q
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(np.ceil(high) if is_whole else high)


def _standard(distance: Float, scale: Float) -> Float:
    """Distances in units of the scale; where that is 0, infinite, and 0 counts as above."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(scale > 0, distance / scale, np.where(distance >= 0, np.inf, -np.inf))
