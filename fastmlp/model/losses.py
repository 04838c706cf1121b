"""The losses of the compiled list: what each asks of its targets, and the formulas that error bars are made of.

A loss is the negative log likelihood of one sample in nats, without constants:

==================== ========= ======================================= ===========================
loss                 output    e(y, t)                                 targets
==================== ========= ======================================= ===========================
squared_error        any [1]_  1/2 sum_k (y_k - t_k)^2                 real
binary_cross_entropy logistic  - sum_k t_k ln y_k + (1-t_k) ln(1-y_k)  in [0, 1]
cross_entropy        softmax   - sum_k t_k ln y_k                      labels, or rows that sum to 1
poisson              exp       sum_k y_k - t_k ln y_k                  non-negative
==================== ========= ======================================= ===========================

.. [1] but softmax.

With its canonical output y = h(a) a loss belongs to an exponential family: its derivatives by the logits are y - t,
then the variance h'(a) of a target given a, then its third cumulant, h''(a). A sample that is fitted almost
perfectly has y close to 1, and 1 - y comes from the opposite logit, or from the sum of the other classes, with all of
its digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.bridge import kernels
from fastmlp._quiet import quiet
from fastmlp._rows import Row
from fastmlp._types import Array, ArrayLike, Float, Index, Mask
from fastmlp.model import moderation
from fastmlp.model.activations import ANY, Activation, Range

NAMES: tuple[str, ...] = kernels.loss_names
COUNTS: Range = (0.0, math.inf)


class Formulas(NamedTuple):
    """What a loss is, by single outputs; softmax needs more.

    With a ~ N(m, v): E[y], Var[y] and the mean variance of a target, E[V(y)], where they need no more than m and v.
    """

    value: Callable[[Float, Float], Float]  #: e(a, t)
    least: Callable[[Float], Float]  #: e where y = t
    moderated: Callable[[Float, Float], moderation.Moments] | None
    log_base: Callable[[Float], Float]  #: ln p(t) + e(a, t), which depends on t only


@quiet
class Loss(Row):
    """A loss: the negative log likelihood e(a, t) of targets, and its derivatives by what is linear in the parameters.

    That is a = y, the outputs, for squared error, which goes with any output; else a = z, the logits. All formulas are
    those of single samples, without weights and for a noise precision of 1. Only `outputs` and `value` check their
    arguments; the others take arrays of float64. There is one object of each name; ``str`` gives
    the name again.

    Parameters
    ----------
    name : str
        As `Network` takes it.

    Attributes
    ----------
    output : Activation
        The canonical one.
    domain : (float, float)
        Between which numbers targets lie.
    has_noise : bool
        Whether targets are numbers with noise, whose precision multiplies the loss.
    is_of_classes : bool
        Whether outputs are probabilities.
    is_of_counts : bool
        Whether outputs are mean counts.
    of_logits : bool
        Whether a is the logits; with squared error it is the outputs.
    couples_outputs : bool
        Whether outputs depend on each other's logits, as softmax's do.
    index : int
        Place in the compiled list.

    Raises
    ------
    TypeError, ValueError
        If no loss is called so.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> loss = fastmlp.Loss("poisson")
    >>> str(loss), str(loss.output), loss.domain
    ('poisson', 'exp', (0.0, inf))
    >>> loss.value([[0.0], [1.0]], [[0.0], [2.0]]).round(4)  # e^z - t z
    array([1.    , 0.7183])
    >>> a = np.array([[0.0], [1.0]])
    >>> loss.outputs(a).round(4).tolist(), loss.curvature(a).round(4).tolist()
    ([[1.0], [2.7183]], [[[1.0]], [[2.7183]]])
    """

    output: Activation
    domain: Range
    _formulas: Formulas
    has_noise: bool = False
    is_of_classes: bool = False
    is_of_counts: bool = False
    of_logits: bool = True
    couples_outputs: bool
    index: int

    def outputs(self, a: Any) -> Float:
        """The outputs y at a.

        Parameters
        ----------
        a : array-like of shape (N, K)

        Returns
        -------
        ndarray of shape (N, K)

        Raises
        ------
        TypeError, ValueError
            If it is not an array of real numbers.
        """
        a = check.real_array(a, "a", np.float64, finite=False)
        return self.output.value(a) if self.of_logits else a

    def value(self, a: Any, T: ArrayLike) -> Float:
        """The loss e(a, t) of each sample.

        Parameters
        ----------
        a, T : array-like of shape (N, K)

        Returns
        -------
        ndarray of shape (N,)

        Raises
        ------
        TypeError, ValueError
            If they are not arrays of finite real numbers of one such shape.
        """
        a, T = check.real_array(a, "a", np.float64), check.real_array(T, "T", np.float64)
        if a.ndim != 2 or T.shape != a.shape:
            raise ValueError(f"a, T: expected one shape (n_samples, n_outputs), got {a.shape} and {T.shape}")
        return np.asarray(self._formulas.value(a, T).sum(axis=1))

    def least(self, T: Float) -> Float:
        """What e is where the outputs equal the targets, output by output; the entropy of such targets."""
        return self._formulas.least(T)

    def log_base(self, T: Float) -> Float:
        """Ln p(t|a) + e(a, t), output by output: what e leaves out, but for noise and its precision."""
        return self._formulas.log_base(T)

    def moderated(self, mean: Float, variance: Float) -> moderation.Moments:
        """E[y], Var[y], the mean variance of targets, for a ~ N(mean, variance); not of softmax, which couples them."""
        assert self._formulas.moderated is not None, f"{self}: expected outputs that do not depend on each other"
        return self._formulas.moderated(mean, variance)

    def slope(self, a: Float, T: Float, total: Float | float = 1.0) -> Float:
        """de/da = y - t, with softmax total y - t.

        Parameters
        ----------
        a, T : ndarray of shape (N, K)
            Logits, or outputs for squared error, and targets.
        total : ndarray of shape (N, 1) or float
            Sums of class targets, 1 up to rounding; see `Targets.totals`.

        Returns
        -------
        ndarray of shape (N, K)
        """
        y = self.outputs(a)
        if not self.is_of_classes:
            return np.asarray(y - T)
        others = moderation.others(y) if self.couples_outputs else self.outputs(-a)
        return np.asarray(y * ((total if self.couples_outputs else 1.0) - T) - T * others)

    def curvature(self, a: Float, total: Float | float = 1.0) -> Float:
        """Lambda = d2e/da da: V(y) on the diagonal, that is 1, y (1 - y) or y, or with softmax diag(y) - y y'.

        Parameters
        ----------
        a : ndarray of shape (N, K)
            Logits, or outputs for squared error.
        total : ndarray of shape (N, 1) or float
            As for `slope`; a factor with softmax.

        Returns
        -------
        ndarray of shape (N, K, K)
        """
        if not self.couples_outputs:
            return self.output.slope(a)[:, np.newaxis] * np.eye(a.shape[1])
        y = self.outputs(a)
        covariance = -y[:, :, np.newaxis] * y[:, np.newaxis]
        np.einsum("nkk->nk", covariance)[...] = y * moderation.others(y)
        return np.asarray(np.asarray(total)[..., np.newaxis] * covariance)

    def curved(self, a: Float, u: Float, total: Float | float = 1.0) -> Float:
        """The products Lambda u (N, K)."""
        if not self.couples_outputs:
            return self.output.slope(a) * u
        y = self.outputs(a)
        return np.asarray(y * _from_mean(y, u) * total)

    def root_product(self, a: Float, J: Float) -> Float:
        """B'J (N, K, P) with Lambda = B B' and totals of 1: sqrt(V) J, or (diag(sqrt y) - sqrt(y) y') J."""
        if self.couples_outputs:
            y = self.outputs(a)
            return np.asarray(np.sqrt(y)[:, :, np.newaxis] * _from_mean(y, J))
        return J * np.sqrt(self.output.slope(a))[:, :, np.newaxis]

    def third(self, a: Float, V: Float, total: Float | float = 1.0) -> Float:
        """u_m = sum_kl V_kl dLambda_kl / da_m (N, K) for V (N, K, K).

        Lambda is the covariance of the targets given the logits, and its derivative their third cumulant: with softmax
        u_m = p_m (q_m - sum_k p_k q_k), q_m = (e_m - p)' V (e_m - p).
        """
        variance = np.diagonal(V, axis1=1, axis2=2)
        if not self.couples_outputs:
            return variance * self.output.curvature(a)
        y = self.outputs(a)
        q = variance - 2 * np.einsum("nkl,nl->nk", V, y)
        return np.asarray(total * (y * _from_mean(y, q)))


def _from_mean(y: Float, u: Float) -> Float:
    """u_k - sum_l y_l u_l for u (N, K, ...): from u_m on, m the largest class, of which u is almost the mean."""
    top = y.argmax(axis=1)
    moved = u - u[np.arange(len(u)), top][:, np.newaxis]
    return np.asarray(moved - np.einsum("nk,nk...->n...", y, moved)[:, np.newaxis])


def _xlogx(x: Float) -> Float:
    """The product, 0 at 0."""
    return x * np.log(np.where(x > 0, x, 1.0))


def _minus_log_softmax(z: Float) -> Float:
    """Ln sum_l exp(z_l) - z_k, without cancellation where that is small."""
    top = z.argmax(axis=1)[:, np.newaxis]
    below = np.take_along_axis(z, top, axis=1) - z
    others = np.exp(-below)
    np.put_along_axis(others, top, 0.0, axis=1)
    return np.asarray(below + np.log1p(others.sum(axis=1, keepdims=True)))


def _add(name: str, domain: Range, formulas: Formulas, **facts: bool) -> Loss:
    index = NAMES.index(name)
    output = Activation(kernels.loss_outputs[index])
    given = {"domain": domain, "_formulas": formulas, **facts}
    return Loss._add(name, index=index, output=output, couples_outputs=not output.is_elementwise, **given)


_exp, _softplus = Activation("exp").value, Activation("softplus").value
_log_factorial = np.vectorize(lambda t: math.lgamma(t + 1), otypes=[np.float64])
SQUARED_ERROR = _add(
    "squared_error",
    ANY,
    Formulas(
        lambda y, t: 0.5 * (y - t) ** 2,
        least=np.zeros_like,
        moderated=lambda m, v: moderation.Moments(m, v, np.ones_like(m)),
        log_base=np.zeros_like,
    ),
    has_noise=True,
    of_logits=False,
)
_add(
    "binary_cross_entropy",
    (0.0, 1.0),
    Formulas(
        lambda z, t: t * _softplus(-z) + (1 - t) * _softplus(z),
        least=lambda t: -_xlogx(t) - _xlogx(1 - t),
        moderated=moderation.logistic,
        log_base=np.zeros_like,
    ),
    is_of_classes=True,
)
_add(
    "cross_entropy",
    (0.0, 1.0),
    Formulas(
        lambda z, t: t * _minus_log_softmax(z),
        least=lambda t: -_xlogx(t),
        moderated=None,
        log_base=np.zeros_like,
    ),
    is_of_classes=True,
)
_add(
    "poisson",
    COUNTS,
    Formulas(
        lambda z, t: _exp(z) - t * z,
        least=lambda t: t - _xlogx(t),
        moderated=moderation.log_normal,
        log_base=lambda t: -_log_factorial(t),
    ),
    is_of_counts=True,
)


class Targets(NamedTuple):
    """Targets as the kernels read them: real numbers (N, K), or one class label a sample (N,).

    Pickles of posteriors know it by this module.
    """

    values: Array | None
    labels: Index | None = None
    precision: Array | None = None  #: 1/sigma^2 (N, K) of measured numbers, 0 of missing ones
    observed: Mask | None = None  #: (N, K), where some are missing; these hold a number of their column

    @property
    def factors(self) -> Array | None:
        """What multiplies the squared errors (N, K): 1/sigma^2, 0 of missing targets; None where all are 1."""
        if self.precision is not None or self.observed is None or self.values is None:
            return self.precision
        return np.asarray(self.observed, self.values.dtype)

    @property
    def given(self) -> Array:
        """The labels (N,) or the numbers (N, K): what samples are checked from."""
        return cast("Array", self.values if self.labels is None else self.labels)

    def rows(self, n_outputs: int) -> Array:
        """As (N, K), labels as rows of the unit matrix."""
        return np.eye(n_outputs)[self.labels] if self.values is None else self.values

    def told(self, n_outputs: int) -> Array:
        """As `rows`, nan where they are missing."""
        rows = self.rows(n_outputs)
        return rows if self.observed is None else np.where(self.observed, rows, np.nan)

    @property
    def totals(self) -> Float | float:
        """Sums of the rows (N, 1), for labels 1: of class targets 1 up to rounding."""
        return 1.0 if self.values is None else self.values.sum(axis=1, dtype=np.float64, keepdims=True)


def fitting(output: Activation) -> tuple[Loss, ...]:
    """The losses that go with an output: those whose own it is, in the order of the list, and squared error."""
    own = tuple(loss for loss in Loss._rows.values() if loss.output is output)
    return own if SQUARED_ERROR in own or not output.is_elementwise else (*own, SQUARED_ERROR)


def for_output(loss: Any, output: Activation) -> Loss:
    """The loss that goes with an output activation: the first one for None, else `loss` if it fits."""
    expected = fitting(output)
    if loss is None:
        return expected[0]
    chosen = Loss._chosen(loss, "loss", NAMES)
    if chosen not in expected:
        names = " or ".join(map(str, expected))
        raise ValueError(f"loss: expected {names} with output {output.name!r}, got {check.shown(loss)}")
    return chosen
