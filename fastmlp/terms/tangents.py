"""Derivatives of the network in directions of its inputs: tangent propagation, Tikhonov's penalty, derivative data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._core.curvature import tangent_rows
from fastmlp._core.storage import arrays
from fastmlp._core.sums import jacobian, tangent_products
from fastmlp._core.sums.moments import largest
from fastmlp._core.sums.tangents import Tangents
from fastmlp._types import Array, ArrayLike, Float, Index
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units
from fastmlp.terms.data import DataTerm
from fastmlp.terms.term import Additive, Penalty, Sum

INPUTS = "inputs"
OF = ("logits", "outputs")
VAST = 1e300
REMEMBERED = 4  # latest values, among which is that of the step which a solver reports


class TangentPropagation(Additive):
    """w/2 sum_n s_n sum_m |J_n tau_nm - d_nm|^2, on derivatives of the network in directions tau at each sample.

    J_n (K, D) is the Jacobian of the logits, or outputs, by the inputs at sample n, s_n the weight of the sample, 1
    without, and |.|^2 the sum over the K components. Without targets, d = 0, it keeps the network from changing along
    the directions: tangents of transformations under which outputs should stay. With them it fits known derivatives.

    Parameters
    ----------
    tau : array-like of shape (N, M, D) or (M, D), or "inputs"
        M directions at each of the N samples of the training, or the same M at all of them; one of zeros says nothing,
        where a derivative is not known. "inputs" are the D unit
        vectors: |J_n tau|^2 adds up to |J_n|^2, Tikhonov's regulariser, PRML (5.135).
    weight : float
        w, not negative.
    of : {"logits", "outputs"}, default="logits"
        What is differentiated; the same where outputs are linear. A penalty on outputs vanishes where they saturate, so
        that softmax gains nothing by it.
    targets : array-like of shape (N, M, K), or (N, K, D) with "inputs", optional
        d: derivative data. For one output (N, M), or (N, D), will do.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these, or not finite; on use, if there are not N samples, D inputs or K outputs.

    Notes
    -----
    A part of a `penalty` as `WeightDecay` is: ``WeightDecay(0.1) + TangentPropagation(tau, 0.03)``, for every method,
    sgd and adam too, where rows go with the samples of a minibatch, and those held back for validation are left out.
    The scale is that of a sum over samples. ``fit(standardize=True)`` divides directions by the scales of the inputs
    and targets by those of the outputs; "inputs" are then the standardised ones, whose derivatives are in units of each
    input.

    Loss and gradient together take as long as M + 1 gradients, one more sweep up and down for each direction. Matrices
    are exact, Gauss-Newton's as much work as M K residuals for each sample, and the Hessian, which `lm` takes in the
    end, P products.

    References
    ----------
    Simard, Victorri, LeCun and Denker (1992), Tangent Prop; PRML, 5.5.4, 5.5.5.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    >>> T = np.sin(X.sum(axis=1))
    >>> penalty = fastmlp.TangentPropagation([[1.0, -1.0]], 0.1)  # T does not change in this direction
    >>> net = fastmlp.Network([2, 5, 1], rng=0)
    >>> net.fit(X, T, penalty=penalty).success
    True
    >>> bool(abs(net.jvp(X, np.tile([1.0, -1.0], (30, 1)), wrt="inputs")).max() < 0.05)
    True
    """

    def __init__(
        self, tau: ArrayLike | str, weight: float, of: str = "logits", targets: ArrayLike | None = None
    ) -> None:
        self._set_up(tau, weight, of, targets, ("tau", "targets"))

    def _set_up(
        self,
        tau: ArrayLike | str,
        weight: float,
        of: Any,
        targets: ArrayLike | None,
        names: tuple[str, str],
        name: str = "weight",
    ) -> None:
        self._names = names
        self.weight: float = check.number(weight, name, 0.0)
        self.of: str = check.choice(of, "of", OF)
        self.tau: Array | None = None  # None: the unit vectors
        if not isinstance(tau, str):
            self.tau = _real(tau, names[0])
            if self.tau.ndim not in (2, 3) or 0 in self.tau.shape[-2:]:
                raise ValueError(
                    f"{names[0]}: expected shape (N, M, D) or (M, D) with M >= 1, or {INPUTS!r}, got {self.tau.shape}"
                )
        elif tau != INPUTS:
            raise ValueError(
                f"{names[0]}: expected directions (N, M, D) or (M, D), or {INPUTS!r}, got {check.shown(tau)}"
            )
        self.targets: Array | None = None if targets is None else self._checked_targets(targets)
        #: log of what derivatives (M, K), or all alike, were multiplied by
        self.log_units: Float = np.zeros((1, 1))

    def _checked_targets(self, targets: ArrayLike | None) -> Array:
        """As (N, M, K)."""
        try:
            d = _real(targets, self._names[1])
        except ValueError as error:
            if "finite" not in str(error):
                raise
            raise ValueError(f"{error}; a direction of zeros with the target 0 leaves out what is not known") from None
        if d.ndim not in (2, 3):
            short = self._shape_of_targets.replace("K, ", "").replace(", K", "")
            raise ValueError(
                f"{self._names[1]}: expected shape {self._shape_of_targets}, got {d.shape}; "
                f"with one output {short} will do"
            )
        if d.ndim == 2:
            return d[:, :, np.newaxis]
        return d.swapaxes(1, 2) if self.tau is None else d

    @property
    def _shape_of_targets(self) -> str:
        return "(N, K, D)" if self.tau is None else "(N, M, K)"

    @classmethod
    def of_data(cls, derivatives: Any, weight: float) -> TangentPropagation:
        """What ``fit(derivatives=, derivative_weight=)`` asks for: derivatives of the outputs."""
        pair = check.sequence(derivatives, "derivatives", "a pair (directions, targets)")
        if len(pair) != 2:
            raise ValueError(f"derivatives: expected a pair (directions, targets), got {len(pair)} items")
        term = cls.__new__(cls)
        names = "derivatives: directions", "derivatives: targets"
        if pair[1] is None:
            raise TypeError(f"{names[1]}: expected an array of real numbers, got None")
        term._set_up(pair[0], weight, "outputs", pair[1], names, "derivative_weight")
        return term

    def __repr__(self) -> str:
        tau = repr(INPUTS) if self.tau is None else f"directions {self.tau.shape}"
        known = "" if self.targets is None else f", targets {self.targets.shape}"
        return f"TangentPropagation({tau}, {self.weight:g}, of={self.of!r}{known})"

    @property
    def is_of_rows(self) -> bool:
        """Whether anything in it belongs to single samples."""
        return self.targets is not None or (self.tau is not None and self.tau.ndim == 3)

    def require(self, architecture: Architecture, n_samples: int) -> None:
        """ValueError where it was not made for such a network, and so many samples."""
        D, K = architecture.n_inputs, architecture.n_outputs
        if self.tau is not None and self.tau.shape[-1] != D:
            raise ValueError(
                f"{self._names[0]}: expected directions of {D} inputs, shape (N, M, {D}) or (M, {D}), "
                f"got {self.tau.shape}"
            )
        for name, each in zip(self._names, (self.tau, self.targets), strict=True):
            if each is not None and each.ndim == 3 and len(each) != n_samples:
                raise ValueError(f"{name}: expected a row for each of {n_samples} samples, got {len(each)}")
        M = D if self.tau is None else self.tau.shape[-2]
        if self.targets is not None and self.targets.shape[1:] != (M, K):
            shape = (n_samples, K, D) if self.tau is None else (n_samples, M, K)
            got = self.targets.swapaxes(1, 2).shape if self.tau is None else self.targets.shape
            raise ValueError(f"{self._names[1]}: expected shape {shape}, got {got}")

    def rows(self, index: Index) -> TangentPropagation:
        """The same of some of the samples."""
        shared = self.tau is None or self.tau.ndim == 2
        return self._with(
            tau=self.tau if shared or self.tau is None else np.take(self.tau, index, axis=0),
            targets=None if self.targets is None else np.take(self.targets, index, axis=0),
        )

    def times(self, factor: float) -> TangentPropagation:
        """The same with a weight times so much."""
        return self._with(weight=factor * self.weight)

    def in_units(self, own: Units) -> TangentPropagation:
        """The same in standardised units; constant inputs have no directions."""
        there = ~own.inputs.constant
        tau = np.diag(there).astype(np.float64) if self.tau is None else self.tau / own.inputs.scale * there
        targets = self.targets
        if targets is not None and own.targets is not None:
            targets = targets / own.targets.scale
        if targets is not None and self.tau is None:
            targets = targets * own.inputs.scale[:, np.newaxis]
        log_units = np.zeros((1, 1)) if own.targets is None else -np.log(np.abs(own.targets.scale))[np.newaxis]
        if self.tau is None:
            log_units = log_units + np.log(np.abs(own.inputs.scale))[:, np.newaxis]
        return self._with(tau=tau, targets=targets, log_units=self.log_units + log_units)

    def _with(self, **changed: Any) -> TangentPropagation:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **changed)
        return other

    def on(self, data: DataTerm) -> OnSamples:
        """The term for a network and its samples."""
        return OnSamples(self, data)


class OnSamples:
    """The term on the samples of a data term: a `Term` with all its parts, by passes of its own over the samples."""

    def __init__(self, given: TangentPropagation, data: DataTerm) -> None:
        self.given, self.data = given, data
        self.weight, self.of_logits = given.weight, given.of == "logits"
        self.tau, self.targets = _brought(given, data)
        self._compiled = Tangents(data.batch, (self.set_of(1.0),))

    def __reduce__(self) -> tuple[Any, ...]:
        return OnSamples, (self.given, self.data)

    def __repr__(self) -> str:
        return repr(self.given)

    def set_of(self, factor: float) -> tuple[Array, Array | None, float, bool]:
        """What the compiled floor takes, with the weight divided by a factor."""
        return self.tau, self.targets, self.weight / factor, self.of_logits

    @property
    def n_directions(self) -> int:
        """M."""
        return len(self.tau)

    @property
    def counts(self) -> Float:
        """For how many samples, by weight, each direction (M,) is one: zeros have no derivative that says anything."""
        there: Float = np.asarray(self.tau.any(axis=-1), np.float64)
        weight = self.data.samples.weight
        if there.ndim == 1:
            return there * float(self.data.samples.total_weight)
        return there @ (np.ones(there.shape[1]) if weight is None else weight.astype(np.float64))

    @property
    def n_threads(self) -> int:
        """Threads that are granted."""
        return _threads.resolve(self.data.n_threads)

    def value(self, params: Float) -> float:
        """The term at params (P,); inf where it overflows."""
        value = self._compiled.value(self._native(params), self.n_threads)[1]
        return value if value == value else math.inf

    def value_and_grad(self, params: Float) -> tuple[float, Float]:
        """The term and its gradient (P,); inf where one of them overflows."""
        _, value, gradient = self._compiled.value_and_grad(self._native(params), self.n_threads)
        if not (math.isfinite(value) and math.isfinite(largest(gradient))):
            return math.inf, np.zeros(params.size)
        return value, gradient.astype(np.float64, copy=False)

    def hess(self, params: Float) -> Float:
        """The Hessian (P, P), by P products."""
        return self._products(params, np.eye(params.size), exact=True)

    def hessp(self, params: Float, v: Float) -> Float:
        """The Hessian times v (P,)."""
        product: Float = self._products(params, v[np.newaxis], exact=True)[0]
        return product

    def ggn(self, params: Float) -> Float:
        """The Gauss-Newton matrix (P, P)."""
        if not all(layer.is_dense for layer in self.data.architecture.layers):
            return self._products(params, np.eye(params.size), exact=False)
        return _finite(tangent_rows.gauss_newton(self._compiled, self._native(params), self.n_threads))

    def ggnp(self, params: Float, v: Float) -> Float:
        """The Gauss-Newton matrix times v (P,)."""
        product: Float = self._products(params, v[np.newaxis], exact=False)[0]
        return product

    def residuals(self, params: Float) -> Float:
        """sqrt(w s_n) (J_n tau_nm - d_nm), sample by sample (N M K,): half their squares add up to the term."""
        data, native = self.data, self._native(params)
        X, weight = data.samples.X, data.samples.weight
        R = np.empty((len(X), len(self.tau), data.architecture.n_outputs))
        for m, tau in enumerate(self.tau):
            own = np.ascontiguousarray(np.broadcast_to(tau, X.shape))
            R[:, m] = jacobian.jvp_inputs(data.architecture.plan, native, X, own, self.of_logits, self.n_threads)
        if self.targets is not None:
            R -= self.targets.swapaxes(0, 1)
        s = np.ones(len(X)) if weight is None else weight.astype(np.float64)
        return (np.sqrt(self.weight * s)[:, np.newaxis, np.newaxis] * R).ravel()

    def residual_jac(self, params: Float) -> Float:
        """Derivatives of the residuals by the parameters (N M K, P)."""
        J = tangent_rows.rows(self._compiled, self._native(params), self.n_threads)
        return J.reshape(-1, params.size).astype(np.float64, copy=False)

    def _native(self, params: Float) -> Array:
        return params if self.data.architecture.dtype == np.float64 else arrays.narrowed(params)

    def _products(self, params: Float, V: Float, *, exact: bool) -> Float:
        native = np.ascontiguousarray(V, self.data.architecture.dtype)
        return _finite(tangent_products.products(self._compiled, self._native(params), native, exact, self.n_threads))


class Joint:
    """A data term with tangents: value and gradient in one pass over the samples, in the place of its own.

    Parameters
    ----------
    data : DataTerm
    terms : sequence of OnSamples
    """

    def __init__(self, data: DataTerm, terms: Sequence[OnSamples]) -> None:
        self.data, self.terms = data, tuple(terms)
        self.compiled = Tangents(data.batch, tuple(term.set_of(data.factor) for term in terms))
        self._latest: list[tuple[Array, float]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return Joint, (self.data, self.terms)

    def value(self, params: Array) -> float:
        """Both at parameters of the network's type."""
        loss, term = self.compiled.value(params, _threads.resolve(self.data.n_threads), True)
        return self.data.factor * (loss + self._noted(params, term))

    def value_and_grad(self, params: Array) -> tuple[float, Float]:
        """Both and their gradient, in float64."""
        loss, term, gradient = self.compiled.value_and_grad(params, _threads.resolve(self.data.n_threads), True)
        wide = gradient.astype(np.float64, copy=False)
        if self.data.factor != 1.0:
            with np.errstate(all="ignore"):
                wide *= self.data.factor
        return self.data.factor * (loss + self._noted(params, term)), wide

    def known(self, params: Array) -> float:
        """The tangents alone, without computing them again where that was one of the latest points."""
        for at, term in self._latest:
            if arrays.same(at, params):
                return self.data.factor * term
        return self.data.factor * self._noted(
            params, self.compiled.value(params, _threads.resolve(self.data.n_threads))[1]
        )

    def _noted(self, params: Array, term: float) -> float:
        self._latest = [(params.copy(), term), *self._latest[: REMEMBERED - 1]]
        return term


def with_derivatives(penalty: Penalty | None, derivatives: Any, weight: float) -> Any:
    """A penalty with derivative data, a pair (directions, targets) or None, beside it."""
    if derivatives is None:
        if check.number(weight, "derivative_weight", 0.0) != 1.0:
            raise ValueError("derivative_weight: expected with derivatives only, got it without")
        return penalty
    data = TangentPropagation.of_data(derivatives, weight)
    return data if penalty is None else Sum(penalty, data)


def _real(value: Any, name: str) -> Array:
    """A finite array of real numbers, in its own type where that is a float."""
    array = check.real_array(value, name, None)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _finite(array: Array) -> Float:
    """In float64, where it overflows as large as sums of a few may be: solvers turn back from there by the value."""
    wide = array.astype(np.float64, copy=False)
    return wide if math.isfinite(largest(wide)) else np.clip(np.nan_to_num(wide), -VAST, VAST)


def _brought(given: TangentPropagation, data: DataTerm) -> tuple[Array, Array | None]:
    """Directions (M, N, D) or (M, D), and targets (M, N, K), in the network's type."""
    given.require(data.architecture, len(data.samples.X))
    dtype, d = data.architecture.dtype, given.targets
    tau = np.eye(data.architecture.n_inputs) if given.tau is None else given.tau
    own = check.real_array(tau if tau.ndim == 2 else tau.swapaxes(0, 1), given._names[0], dtype)
    return own, None if d is None else check.real_array(d.swapaxes(0, 1), given._names[1], dtype)
