"""Non-linear least squares for any residuals: Levenberg-Marquardt that goes on to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._core.curvature import singular
from fastmlp._core.storage import arrays

if TYPE_CHECKING:
    from fastmlp.optimize.results import LeastSquaresResult

Array = NDArray[np.float64]

STALLED, MAX_ITER, GTOL, FTOL, XTOL, ROUNDING = -1, 0, 1, 2, 3, 4
MESSAGES = {
    STALLED: "no step lowers the objective, although it should: is jac the exact Jacobian of fun?",
    MAX_ITER: "max_iter steps were done",
    GTOL: "the gradient is at most gtol",
    FTOL: "steps can remove at most the share ftol of |fun|",
    XTOL: "the Gauss-Newton step is at most xtol times x",
    ROUNDING: "whatever steps could still gain is lost in rounding errors",
}
EPS = float(np.finfo(np.float64).eps)
FIRST_DAMPING = 1e-2  # beside the columns of the scaled Jacobian, which have length one
LEAST_DAMPING = EPS**2  # less would not change a bit, and from zero it could not grow again
LEAST_GAIN = 1e-4  # of the reduction that was predicted
MAX_REJECTIONS = 40  # in a row: they multiply the damping by 2, 4, 8, ..., altogether by 2^820
GOOD_GAIN = 0.2  # |gain - 1| up to here needs no correction
LONGEST_CORRECTION = 0.75  # as a share of the move before
MAX_CORRECTIONS = 3
# numbers of a matrix up to which OpenBLAS does singular values on one thread; by two, 300 x 30 took 0.1 s in place of
# 0.2 ms where other programs wanted the cores. Columns or rows from which on that is its own affair
SMALL, LARGE = 9_000, 64
STALE = 2.0  # a scale this many times the length of its column


class _Point:
    """x, its residuals r, and their linear model r + J s, with J D^-1 = U S V' for the scales D of the columns."""

    def __init__(self, x: Array, r: Array, J: Array, scale: Array) -> None:
        self.x, self.r, self.J, self.scale = x, r, J, scale
        self.cost = _half_square(r)
        self.grad = J.T @ r
        self.stale = bool((scale > STALE * np.linalg.norm(J, axis=0)).any())
        self._divisor = np.where(scale > 0, scale, 1.0)
        U, S, Vt = _singular(J / self._divisor)
        rank = np.count_nonzero(EPS * max(J.shape) * S[0] < S)
        self._U, self._S, self._Vt = U[:, :rank], S[:rank], Vt[:rank]
        self._projection = self._U.T @ r
        self.removable = float(np.linalg.norm(self._projection))
        size = float(np.linalg.norm(r))
        #: what the rounding of x alone, up to eps |x|, does to the residuals and to the objective
        self.rounding = EPS * (float(np.linalg.norm(np.abs(J) @ np.abs(x))) + size)
        self.blur = self.rounding * size

    def length(self, step: Array) -> float:
        """|D s|."""
        return float(np.linalg.norm(self.scale * step))

    def step(self, mu: float, v: Array | None = None) -> Array:
        """-(J'J + mu D^2)^-1 J'v, with v = r unless given; of all solutions the shortest where J has not full rank."""
        projection = self._projection if v is None else self._U.T @ v
        return -(self._Vt.T @ (self._S * projection / (self._S**2 + mu))) / self._divisor

    def predicted(self, mu: float) -> float:
        """1/2 |r|^2 - 1/2 |r + J s|^2 for the step s of this damping, without cancellation."""
        removed = self._S**2 / (self._S**2 + mu)
        return 0.5 * float(np.sum(removed * (2 - removed) * self._projection**2))

    def status(self, ftol: float, xtol: float, gtol: float) -> int | None:
        """Which of the tests holds here, if any."""
        if np.abs(self.grad).max() <= gtol or self.cost == 0:
            return GTOL
        if self.removable <= ftol * float(np.linalg.norm(self.r)):
            return FTOL
        if self.length(self.step(0.0)) <= xtol * self.length(self.x):
            return XTOL
        return None

    def rescaled(self) -> _Point:
        """The same with the columns scaled to what they are here, not to what they have been."""
        return _Point(self.x, self.r, self.J, np.linalg.norm(self.J, axis=0))


class _Problem:
    """The user's functions: counted, checked, given copies, and their answers copied."""

    def __init__(self, fun: Callable[[Array], Any], jac: Callable[[Array], Any]) -> None:
        self._fun, self._jac = fun, jac
        self._shape: tuple[int, ...] | None = None
        self.nfev = self.njev = 0

    def residuals(self, x: Array) -> Array:
        self.nfev += 1
        r = np.array(check.real_array(self._fun(x.copy()), "fun", np.float64, finite=False))
        if self._shape is None:
            if r.ndim != 1 or r.size == 0:
                raise ValueError(f"fun: expected residuals of shape (m,), got {r.shape}")
            self._shape = r.shape
        elif r.shape != self._shape:
            raise ValueError(f"fun: expected shape {self._shape} as at x0, got {r.shape}")
        return r

    def jacobian(self, x: Array) -> Array:
        self.njev += 1
        J = np.array(check.real_array(self._jac(x.copy()), "jac", np.float64, finite=False))
        assert self._shape is not None
        if J.shape != (*self._shape, x.size):
            raise ValueError(f"jac: expected shape {(*self._shape, x.size)}, got {J.shape}")
        return J

    def start(self, x: Array) -> _Point:
        r = check.real_array(self.residuals(x), "fun at x0", np.float64)
        if not np.isfinite(_half_square(r)):
            raise ValueError(f"fun at x0: expected residuals with finite squares, got {np.abs(r).max()}")
        J = check.real_array(self.jacobian(x), "jac at x0", np.float64)
        scale = np.linalg.norm(J, axis=0)
        if not np.isfinite(scale).all():
            raise ValueError(f"jac at x0: expected columns with finite squares, got {np.abs(J).max()}")
        return _Point(x, r, J, scale)

    def next(self, point: _Point, x: Array, r: Array) -> _Point | None:
        """The point of a step, None if the Jacobian is not finite there. Scales only grow (Moré)."""
        J = self.jacobian(x)
        lengths = np.linalg.norm(J, axis=0)
        return _Point(x, r, J, np.maximum(lengths, point.scale)) if np.isfinite(lengths).all() else None


def _singular(A: Array) -> tuple[Array, Array, Array]:
    """U (m, k), singular values (k,) and V' (k, n) of A (m, n)."""
    if A.size <= SMALL or min(A.shape) > LARGE:
        _memory.blas(6 * A.nbytes)
        return np.linalg.svd(A, full_matrices=False)
    if A.shape[0] < A.shape[1]:
        V, s, B = singular.decomposed(np.ascontiguousarray(A))
        return V.T, s, B
    V, s, B = singular.decomposed(np.ascontiguousarray(A.T))
    return B.T, s, V


def _half_square(r: Array) -> float:
    return 0.5 * float(r @ r)


def _first_damping(point: _Point) -> float:
    """So that the first step is no longer than x0, unless that is zero."""
    mu, reach = FIRST_DAMPING, point.length(point.x)
    while reach > 0 and point.length(point.step(mu)) > reach:
        mu *= 2
    return mu


def _corrected(problem: _Problem, point: _Point, mu: float, x: Array, r: Array) -> tuple[Array, Array]:
    """A trial led back along the curve of the residuals: chord steps on what the linear model had left out."""
    step = move = x - point.x
    for _ in range(MAX_CORRECTIONS):
        gain = (point.cost - _half_square(r)) / point.predicted(mu)
        if abs(gain - 1) <= GOOD_GAIN or not np.isfinite(r).all():
            break
        correction = point.step(mu, r - point.r - point.J @ step)
        if not point.length(correction) <= LONGEST_CORRECTION * point.length(move):
            break
        corrected = problem.residuals(x + correction)
        if not _half_square(corrected) < _half_square(r):
            break
        x, r, move = x + correction, corrected, correction
    return x, r


def _try(problem: _Problem, point: _Point, mu: float) -> tuple[_Point | None, float]:
    """The point that a step leads to, None if the step is bad; and its gain, actual over predicted reduction."""
    x = point.x + point.step(mu)
    if not np.isfinite(x).all() or arrays.same(x, point.x):
        return None, 0.0
    predicted = point.predicted(mu)
    r = problem.residuals(x)
    resolved = predicted > point.blur
    if resolved:
        x, r = _corrected(problem, point, mu, x, r)
    reduction = point.cost - _half_square(r)
    if not reduction >= (LEAST_GAIN * predicted if resolved else -point.blur):  # nan fails here too
        return None, 0.0
    new = problem.next(point, x, r)
    if new is None:
        return None, 0.0
    if not resolved:  # the gradients at both ends tell what the difference of the objectives cannot
        reduction = 0.5 * float((point.grad + new.grad) @ (point.x - x))
        if not reduction > LEAST_GAIN * predicted:
            return None, 0.0
    return new, min(reduction / predicted, 1.0)


def _advance(problem: _Problem, point: _Point, mu: float) -> tuple[_Point | None, float]:
    """The next point and its damping by Nielsen's rule; None if there is no good step, however heavily damped."""
    growth = 2.0
    for _ in range(MAX_REJECTIONS):
        new, gain = _try(problem, point, mu)
        if new is not None:
            return new, max(mu * max(1 / 3, 1 - (2 * gain - 1) ** 3), LEAST_DAMPING)
        if point.removable <= point.rounding:
            break
        mu, growth = mu * growth, 2 * growth
    return None, mu


def _minimise(
    problem: _Problem, point: _Point, tolerances: tuple[float, float, float], max_iter: int
) -> tuple[_Point, float, int, int]:
    """The last point, its damping, the number of steps and the status."""
    mu, nit, verdict = _first_damping(point), 0, None
    while True:
        status = point.status(*tolerances)
        if status is None:
            if nit == max_iter:
                return point, mu, nit, MAX_ITER
            new, damping = _advance(problem, point, mu)
            if new is not None:
                point, mu, nit, verdict = new, damping, nit + 1, None
                continue
            status = verdict or (ROUNDING if point.predicted(mu) <= point.blur else STALLED)
        if not point.stale:
            return point, mu, nit, status
        # where columns have shrunk their scales may hide what is left to do: one fresh look before the verdict stands
        point, mu, verdict = point.rescaled(), FIRST_DAMPING, status


def levenberg_marquardt(
    fun: Callable[[Array], Any],
    jac: Callable[[Array], Any],
    x0: Any,
    *,
    ftol: float = 1e-14,
    xtol: float = 1e-14,
    gtol: float = 0.0,
    max_iter: int = 2000,
) -> LeastSquaresResult:
    r"""Minimise :math:`\tfrac{1}{2} |r(x)|^2` for any residuals r with an exact Jacobian, to the last digits.

    Steps are those of Levenberg and Marquardt, with the damping :math:`\mu` beside scaled columns:

    .. math:: s = -(J^T J + \mu D^2)^{-1} J^T r.

    Parameters
    ----------
    fun : callable
        r: takes x of shape (n,), gives residuals of shape (m,). Fewer residuals than unknowns are allowed.
    jac : callable
        J: takes x of shape (n,), gives :math:`\partial r_i / \partial x_j` of shape (m, n).
    x0 : array_like of shape (n,)
        The start.
    ftol : float, default 1e-14
        Stops where |P r| <= ftol |r| with P the projection on the columns of J: to first order a step could lower the
        objective by the share ftol^2 at most.
    xtol : float, default 1e-14
        Stops where the Gauss-Newton step s (no damping) has |D s| <= xtol |D x|.
    gtol : float, default 0.0
        Stops where :math:`|J^T r|_\infty` <= gtol.
    max_iter : int, default 2000
        The largest number of accepted steps.

    Returns
    -------
    LeastSquaresResult
        A `scipy.optimize.OptimizeResult` that prints as a table: ``x``, ``cost`` (:math:`\tfrac{1}{2} |r|^2`), ``fun``
        (r), ``jac`` (J), ``grad`` (J'r), ``optimality`` (:math:`|J^T r|_\infty`), ``nit`` (accepted steps), ``nfev``,
        ``njev``, ``mu``, ``message``, ``success``, and ``status``: 1 gtol, 2 ftol, 3 xtol, 4 what is left to gain is
        lost in rounding errors; without success: 0 max_iter, -1 no step lowers the objective although it should,
        because jac is wrong or fun noisy.

    Raises
    ------
    TypeError, ValueError
        If an argument, or what fun and jac return, is not what is asked for; fun and jac have to be finite at x0.

    Notes
    -----
    D holds the largest length so far of each column of J (Moré 1978), and is taken afresh before the search ends if a
    column has become much shorter. The damping follows Nielsen (1999): after a step with
    :math:`\varrho` = actual / predicted reduction it is multiplied by :math:`\max(1/3, 1 - (2 \varrho - 1)^3)`, after
    rejected steps by 2, 4, 8, ... The first step is no longer than x0. Where :math:`\varrho` is not near 1, up to three
    chord steps on the curvature :math:`r(x + s) - r - J s`, with the same factors, lead back into a curved valley for
    an evaluation of fun each. In leading order the first of them is the geodesic acceleration of Transtrum & Sethna.

    Systems are solved through the singular values of :math:`J D^{-1}`, never through :math:`J^T J`, so that digits are
    lost with the condition of J rather than with its square, and new dampings cost no new factors. Where the predicted
    reduction is less than what the rounding of x does to the objective, the actual one is taken from the gradients at
    both ends, :math:`-\tfrac{1}{2} (g_0 + g_1)^T s`, which does not cancel: steps go on until gradients are noise.

    A trial where r or J is not finite is a rejected step. Warnings of NumPy's about overflow and the like are silent
    within fun and jac. Exceptions propagate.

    Cost for each accepted step: one Jacobian, one to four residuals, and singular values in about 6 m n^2 + 20 n^3
    operations; for each rejected one, residuals and O(m n). Memory: four matrices of the size of J. Systems of up to 64
    unknowns or residuals leave BLAS's threads alone.

    References
    ----------
    .. [1] J. J. Moré, The Levenberg-Marquardt algorithm: implementation and theory, Numerical Analysis, LNM 630, 1978.
    .. [2] H. B. Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05, DTU, 1999.
    .. [3] K. Madsen, H. B. Nielsen, O. Tingleff, Methods for non-linear least squares problems, 2nd ed., DTU, 2004.
    .. [4] M. K. Transtrum, J. P. Sethna, Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares
       minimization, arXiv:1201.5885, 2012.

    Examples
    --------
    Rosenbrock's valley, and the decay of a signal:

    >>> import numpy as np, fastmlp
    >>> valley = fastmlp.levenberg_marquardt(
    ...     lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], lambda x: [[-20 * x[0], 10], [-1, 0]], [-1.2, 1]
    ... )
    >>> valley.success, valley.x.round(12).tolist()
    (True, [1.0, 1.0])
    >>> t = np.linspace(0, 4, 9)
    >>> y = np.array([2.01, 1.46, 1.12, 0.79, 0.61, 0.43, 0.33, 0.24, 0.19])
    >>> decay = fastmlp.levenberg_marquardt(
    ...     lambda b: b[0] * np.exp(-b[1] * t) - y,
    ...     lambda b: np.column_stack([np.exp(-b[1] * t), -b[0] * t * np.exp(-b[1] * t)]),
    ...     [1, 1],
    ... )
    >>> decay.success, decay.x.round(4).tolist()
    (True, [2.0031, 0.6043])
    """
    _memory.scipy("optimize")
    results = _memory.late("fastmlp.optimize.results")
    for name, function in (("fun", fun), ("jac", jac)):
        if not callable(function):
            raise TypeError(f"{name}: expected a callable, got {check.shown(function)}")
    x = np.array(check.real_array(x0, "x0", np.float64))
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"x0: expected shape (n,), got {x.shape}")
    tolerances = (check.number(ftol, "ftol", 0.0), check.number(xtol, "xtol", 0.0), check.number(gtol, "gtol", 0.0))
    max_iter = check.integer(max_iter, "max_iter", 0)

    problem = _Problem(fun, jac)
    with np.errstate(all="ignore"):
        point, mu, nit, status = _minimise(problem, problem.start(x), tolerances, max_iter)
    return results.LeastSquaresResult(  # type: ignore[no-any-return]
        x=point.x, cost=point.cost, fun=point.r, jac=point.J, grad=point.grad,
        optimality=float(np.abs(point.grad).max()), nit=nit, nfev=problem.nfev, njev=problem.njev, mu=mu,
        status=status, message=MESSAGES[status], success=status > 0,
    )  # fmt: skip
