"""The objective: data term plus penalty, as a function of the parameter vector only."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _matrices, _threads
from fastmlp import _validation as check
from fastmlp._core.fits import penalty as compiled
from fastmlp._core.storage import arrays
from fastmlp._quiet import quiet
from fastmlp._tables import how_many, one_line
from fastmlp._types import Array, ArrayLike, Float, Index
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.terms import DataTerm, penalties
from fastmlp.terms.by_chunks import ByChunks
from fastmlp.terms.reparam import FreeParameters
from fastmlp.terms.tangents import Joint
from fastmlp.terms.term import Penalty, phrase

_FLOAT64 = np.dtype(np.float64)


class Objective:
    """beta sum_n s_n e_n(params) + sum_g lambda_g/2 |w_g|^2 + other terms, with X and T checked once.

    Made by `Network.objective`. Takes and returns float64, also for float32 networks; losses accumulate in float64.
    Calls with the same parameters give the same bits, for any number of threads. `hess`, `hessp`, `ggn` and `ggnp` are
    derivatives of all of it, penalty included, so that any of SciPy's `minimize` methods takes it as it is, and with
    squared error `least_squares` takes `residuals` and `residual_jac`. Without fixed and tied parameters it is a `Term`
    that another objective may have.

    Parameters
    ----------
    data : DataTerm
    penalty : WeightDecay, Term, Sum or None
    params : ndarray of shape (P,)
        The network's parameters when the objective was made.
    free : FreeParameters, optional
        The map from the free parameters where some are fixed or shared. Then these are the objective's variables, and P
        is their number.

    Examples
    --------
    >>> import numpy as np, scipy.optimize, fastmlp
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> net = fastmlp.Network([1, 3, 1], rng=0)
    >>> obj = net.objective(X, np.sin(3 * X))
    >>> res = scipy.optimize.minimize(obj.value_and_grad, obj.x0, jac=True, method="L-BFGS-B")
    >>> bool(res.fun < 1e-2)
    True
    """

    penalty: Any = None

    def __init__(
        self,
        data: DataTerm,
        penalty: Penalty | None,
        params: Float,
        free: FreeParameters | None = None,
    ) -> None:
        self.data = data
        self.penalty = penalty
        self.architecture = data.architecture
        self.free = free
        decay, others = penalties.split(penalty)
        self.decay, self.constant = penalties.decay_of(decay, data.architecture, free)
        others = penalties.bound(others, data)
        #: all terms but the data's and weight decay; value and gradient of those on the samples come with the data's
        self.terms = penalties.Terms(others, free) if others else None
        self.sums, rest = penalties.joined(others, data)
        self.rest = self.terms if len(rest) == len(others) else penalties.Terms(rest, free) if rest else None
        self._x0 = params if free is None else free.reduce(params)
        self._n, self._is_double = self._x0.size, self.architecture.dtype == _FLOAT64

    def __repr__(self) -> str:
        n_all, n_samples = self.architecture.n_params, len(self.data.samples.X)
        free = f"{n_all} parameters" if self.free is None else f"{self._n} of {n_all} parameters free"
        penalty = "" if self.penalty is None else f"; {one_line(phrase(self.penalty))}"
        return f"Objective({self.architecture.phrase()}; {how_many(n_samples, 'sample')}; {free}{penalty})"

    @property
    def x0(self) -> Float:
        """A copy of the parameters the network had when the objective was made."""
        return self._x0.copy()

    def on(self, data: DataTerm, params: Float) -> Objective:
        """The same penalty and free parameters with other data, from these parameters (P,) on."""
        return Objective(data, self.penalty, params, self.free)

    def native(self, p: ArrayLike) -> Array:
        """The network's parameters, in its type, contiguous; the shape of p is checked, not whether it is finite."""
        return self._native(self._vector(p))

    def _vector(self, p: Any) -> Float:
        """The argument itself if it is a plain array (P,) of float64, else as one."""
        if compiled.vector(p, self._n):
            return p  # type: ignore[no-any-return]
        array = check.real_array(p, "p", _FLOAT64, finite=False)
        if array.shape != self._x0.shape:
            raise ValueError(f"p: expected shape {self._x0.shape}, got {array.shape}")
        return array

    def _native(self, p: Float) -> Array:
        if self.free is not None:
            p = self.free.expand(p)
        # a line search may ask far outside what float32 holds: the value is inf there
        return p if self._is_double else arrays.narrowed(p)

    def expand(self, p: ArrayLike) -> Array:
        """All parameters of the network, from those that are free."""
        if type(p) is not np.ndarray or p.dtype.kind != "f" or p.shape != self._x0.shape:
            p = self._vector(p)
        return p if self.free is None else self.free.expand(p)

    def reduce(self, params: ArrayLike) -> Float:
        """The free ones of all parameters."""
        array = check.real_array(params, "params", _FLOAT64, finite=False)
        if array.shape != (self.architecture.n_params,):
            raise ValueError(f"params: expected shape ({self.architecture.n_params},), got {array.shape}")
        return array if self.free is None else self.free.reduce(array)

    @property
    def by_chunks(self) -> ByChunks | None:
        """The data term as compiled loops ask for it, where its samples come in chunks."""
        return ByChunks(self.data, self.free, self._native, self._n) if self.data.in_chunks else None

    def rounded(self, p: Float) -> Float:
        """What the network's type makes of p."""
        with np.errstate(all="ignore"):
            return p.astype(self.architecture.dtype).astype(np.float64)

    def value(self, p: ArrayLike) -> float:
        """The objective at p (P,): one forward pass.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        p = self._vector(p)
        value = self.sums.value(self._native(p))
        if self.decay is not None:
            value += compiled.penalise(self.decay, p) + self.constant
        return value if self.rest is None else value + self.rest.value(p.copy())

    def grad(self, p: ArrayLike) -> Float:
        """The gradient (P,) at p: one pass forward, one backward.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        return self.value_and_grad(p)[1]

    def value_and_grad(self, p: ArrayLike) -> tuple[float, Float]:
        """Value and gradient at p (P,): one pass forward, one backward; for SciPy's ``jac=True``.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        p = self._vector(p)
        value, gradient = self.sums.value_and_grad(self._native(p))
        if self.free is not None:
            gradient = self.free.pull(gradient)
        if self.decay is not None:
            value += compiled.penalise(self.decay, p, gradient) + self.constant
        return (value, gradient) if self.rest is None else _with_terms(self.rest, p, value, gradient)

    def hess(self, p: ArrayLike) -> Float:
        """The exact Hessian (P, P) at p (P,), symmetric to the last bit; about N P^2 / 2 multiplications.

        P is the number of free parameters, whose rows and columns alone are formed where they are few.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        p = self._vector(p)
        return self._with_penalty(self._curvature(p, "exact"), p, "exact")

    def ggn(self, p: ArrayLike) -> Float:
        """The Gauss-Newton matrix (P, P) at p (P,), with the penalty's matrix; cost as `hess`.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        p = self._vector(p)
        return self._with_penalty(self._curvature(p, "ggn"), p, "ggn")

    def normal_equations(self, p: ArrayLike) -> tuple[float, Float, Float]:
        """Value, gradient (P,) and Gauss-Newton matrix (P, P) at p (P,), in one pass over the samples.

        Raises
        ------
        ValueError
            If p has not the shape (P,).
        """
        p = self._vector(p)
        value, gradient, matrix = self.data.normal_equations(self._native(p), self._used)
        if self.free is not None:
            gradient = self.free.pull(gradient)
        if self.decay is not None:
            value += compiled.penalise(self.decay, p, gradient) + self.constant
        if self.terms is not None:
            value, gradient = _with_terms(self.terms, p, value, gradient)
        return value, gradient, self._with_penalty(matrix, p, "ggn")

    def hessp(self, p: ArrayLike, v: ArrayLike) -> Float:
        """The exact Hessian at p (P,) times v (P,), or times the columns of v (P, m): about three gradients.

        Raises
        ------
        ValueError
            If p or v has another shape, or v is not finite.
        """
        return self._product(p, v, "exact")

    def ggnp(self, p: ArrayLike, v: ArrayLike) -> Float:
        """The Gauss-Newton matrix at p (P,) times v (P,), or times the columns of v (P, m): about two gradients.

        Raises
        ------
        ValueError
            If p or v has another shape, or v is not finite.
        """
        return self._product(p, v, "ggn")

    def residuals(self, p: Any) -> Float:
        """What is squared: sqrt(s_n beta_k) (y_nk - t_nk) / sigma_nk sample by sample, then sqrt(lambda_i) p_i.

        These where lambda_i > 0. The penalty on fixed parameters, if there is one, is the next residual; those of other
        terms follow, which have to have `residuals`.

        ``0.5 * residuals @ residuals`` is the value, for `scipy.optimize.least_squares`. One forward pass.

        Raises
        ------
        ValueError
            If p has not the shape (P,), or the loss is not squared_error.
        """
        p = self._vector(p)
        rows = [self.data.residuals(self._native(p))]
        if self.decay is not None:
            penalised = self.decay > 0
            fixed = [np.sqrt(2 * self.constant)] if self.constant else []
            rows += [np.sqrt(self.decay[penalised]) * p[penalised], np.array(fixed)]
        if self.terms is not None:
            rows.append(self.terms.residuals(p))
        return np.concatenate(rows)

    def residual_jac(self, p: ArrayLike) -> Float:
        """Derivatives of the residuals by the parameters (rows, P); N K P numbers, at the speed of memory.

        Raises
        ------
        ValueError
            As `residuals`.
        """
        p = self._vector(p)
        data = self.data.residual_jac(self._native(p))
        if self.free is not None:
            data = np.ascontiguousarray(self.free.pull(data.T).T)
        rows = [data]
        if self.decay is not None:
            fixed = np.zeros((1 if self.constant else 0, self._n))
            rows += [np.diag(np.sqrt(self.decay))[self.decay > 0], fixed]
        if self.terms is not None:
            rows.append(self.terms.residual_jac(p))
        return _matrices.stacked(rows)

    @property
    def _used(self) -> Index | None:
        """The parameters whose second derivatives are needed."""
        return None if self.free is None else self.free.used

    def _curvature(self, p: Float, kind: str) -> Float:
        return self.data.hessian(self._native(p), kind, self._used)

    @quiet
    def _product(self, p: ArrayLike, v: ArrayLike, kind: str) -> Float:
        p = self._vector(p)
        if self.free is None:
            v = check.real_array(v, "v", _FLOAT64, finite=False)
            product = self.data.product(self._native(p), v, kind)
        else:
            v = check.real_array(v, "v", np.float64)
            if v.shape[:1] != self._x0.shape:
                raise ValueError(f"v: expected shape {self._x0.shape}, or {self._n} rows, got {v.shape}")
            product = self.free.pull(self.data.product(self._native(p), self.free.push(v), kind))
        if self.decay is not None:
            product += (self.decay * v.T).T
        return product if self.terms is None else product + self.terms.products(p, v, kind)

    def _with_penalty(self, matrix: Float, p: Float, kind: str) -> Float:
        if self.free is not None:
            matrix = self.free.project_used(matrix)
        if self.decay is not None:
            compiled.add_diagonal(matrix, self.decay)
        if self.terms is None:
            return matrix
        other = self.terms.matrix(p, kind)
        return matrix + 0.5 * (other + other.T)

    def penalty_value(self, p: ArrayLike) -> float:
        """The penalty's part of the value; terms in Python are not asked again at the latest points."""
        p = self._vector(p)
        value = 0.0 if self.decay is None else compiled.penalise(self.decay, p) + self.constant
        if isinstance(self.sums, Joint):
            value += self.sums.known(self._native(p))
        return value if self.rest is None else value + self.rest.known(p)


def _with_terms(terms: penalties.Terms, p: Float, value: float, gradient: Float) -> tuple[float, Float]:
    other, slope = terms.value_and_grad(p.copy())
    gradient += slope
    return value + other, gradient


def make(
    architecture: Architecture,
    params: Array,
    samples: Samples,
    penalty: Penalty | None,
    noise_precision: ArrayLike | None,
    n_threads: int | None,
    free: FreeParameters | None = None,
    name: str = "X",
) -> Objective:
    """An objective on checked samples, of which there must be at least one."""
    require_samples(samples, name)
    _threads.resolve(n_threads)
    data = DataTerm(architecture, samples, noise_precision, n_threads)
    return Objective(data, penalty, params.astype(np.float64), free)


def require_samples(samples: Samples, name: str = "X") -> None:
    """Refuse to minimise over nothing, or to learn an output that has no targets."""
    require_some(samples, name)
    observed = samples.targets.observed
    if observed is not None and not (counts := samples.counts(observed.shape[1])).all():
        raise ValueError(
            f"T: expected a number in each column at least, got none that has a weight in column {counts.argmin()}; "
            "leave it out"
        )


def require_some(samples: Samples, name: str = "X") -> None:
    """Refuse to go by nothing."""
    check.at_least_one(samples.X, name)
    if samples.weight is not None and not samples.total_weight > 0:
        raise ValueError("sample_weight: expected at least one positive number, got zeros only")
