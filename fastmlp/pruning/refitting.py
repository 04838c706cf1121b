"""`refit`: to the optimum of new data from that of the old, and what Newton's method would have said of it."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._core.curvature import cholesky
from fastmlp._hints import hinting
from fastmlp._quiet import quiet
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model import selection
from fastmlp.network import Network
from fastmlp.optimize.monitor import CONVERGED, MAX_ITER, MESSAGES, STALLED, optimize_result
from fastmlp.pruning import retraining
from fastmlp.pruning.optimum import Optimum
from fastmlp.pruning.problem import Problem
from fastmlp.pruning.reduced import Reduced

if TYPE_CHECKING:
    from fastmlp.optimize.results import FitResult

Float = NDArray[np.float64]
MOST_STEPS = 1000
#: posterior standard deviations up to which quasi-Newton steps are tried, by how many eigenvalues are negative; where
#: more are, they may end at another minimum than Levenberg-Marquardt, mostly at a higher one
NEAR = {0: 2.0, 1: 1.0}
EPS = float(np.finfo(np.float64).eps)


@quiet
@hinting
def refit(
    net: Network,
    X: Any,
    T: Any = None,
    *,
    penalty: Any = None,
    sample_weight: Any = None,
    fixed: Any = None,
    tol: float | None = None,
    standardize: Any = False,
    n_threads: Any = None,
) -> FitResult:
    """Train a network again after its data have changed: from where it is, to the optimum of the new objective.

    Rows may have been added, dropped, labelled or weighted anew; give all that are to count now.

    Parameters
    ----------
    net : Network
        Trained on other data; is changed, as by `Network.fit`.
    X : array-like of shape (N, D), or Chunks
    T : array-like of shape (N, K) or (N,)
        As for `Network.loss`.
    penalty, sample_weight, fixed, standardize, n_threads
        As for `Network.fit`.
    tol : float, optional
        Likewise: for the largest element of the gradient.

    Returns
    -------
    FitResult
        As of `Network.fit`, without history; and `predicted` (P,), where Newton's step from the old parameters leads,
        in the data's units, or None where the exact Hessian is not positive definite; `predicted_decrease`,
        g' A^-1 g / 2, or nan; `newton_used`, whether the training began with it; `negative_eigenvalues` of the Hessian,
        how many, None where the old parameters were the optimum; `moved`, the length of the way in posterior standard
        deviations, sqrt(beta d' A d), A the second derivatives of the new objective at the old parameters (those of
        Gauss-Newton where the exact ones are not positive definite), or nan where these are not either.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or the objective or its second derivatives are not finite at the old parameters.
    RuntimeError
        If the network is being fitted already.

    Warns
    -----
    ScaleWarning
        As `Network.fit`: if nothing can be learned of the data as they are.

    Notes
    -----
    Where the optimum is predicted to be no farther than two posterior standard deviations away, quasi-Newton steps are
    tried: the first is Newton's, or within one standard deviation that of Gauss-Newton where the exact Hessian has one
    negative eigenvalue; it is corrected by the gradients that follow (BFGS). Where these do not arrive,
    Levenberg-Marquardt goes on. Else it goes from the old parameters: between saddles only its own steps end where it
    does. The objective is never left above the start.

    The optimum is the one that leads on from the old one: a fresh start may end at a lower one, or a higher, and this
    basin has been chosen with the rows that are gone. For who has to forget rows, the promise is that the gradient of
    the objective without them is within `tol`, not that they were never seen.

    Cost: a Hessian, P^3 / 6 multiplications, and as many gradients, or steps as `Network.fit`, as the change asks for.

    References
    ----------
    PRML 5.4, the second of four uses of the Hessian.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> T = np.sin(3 * X) + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    >>> net = fastmlp.Network([1, 3, 1], rng=0)
    >>> penalty = fastmlp.WeightDecay(0.1, 0.1)
    >>> _ = net.fit(X, T, penalty=penalty, method="lm")
    >>> left = np.arange(50) != 20  # a row less
    >>> result = fastmlp.refit(net, X[left], T[left], penalty=penalty)
    >>> result.success, result.newton_used, result.negative_eigenvalues, bool(result.moved < 1)
    (True, True, 0, True)
    """
    problem = Problem.of_network(net, X, T, sample_weight, penalty, standardize, n_threads)
    tol = problem.default_tol if tol is None else check.number(tol, "tol", 0.0)
    reduced, v = _reduced(problem, fixed)
    warned = problem.warn_of_scale()
    claim = (os.getpid(), object())
    net._claim(claim, "refit")
    try:
        found = _trained(reduced, v, tol)
        net._take(reduced.expand(found.pop("v")).astype(net.dtype), problem.frame.units)  # which maps them
    finally:
        if net._fitting.get("by") is claim:
            del net._fitting["by"]
    if found["predicted"] is not None:
        found["predicted"] = _for_the_user(reduced, found["predicted"])
    status = found["status"]
    message = f"stopped after {MOST_STEPS} steps; another refit goes on" if status == MAX_ITER else MESSAGES[status]
    return optimize_result(
        x=net.params.astype(np.float64), units=problem.frame.units, method="lm", warned=warned,
        message=message if found["success"] else message + problem.hint, **found,
    )  # fmt: skip


def _for_the_user(reduced: Reduced, v: Float) -> Float:
    return reduced.problem.frame.params(reduced.expand(v))


def _reduced(problem: Problem, fixed: Any) -> tuple[Reduced, Float]:
    """The problem of what is neither pruned nor fixed, and where it begins."""
    held = problem.start.copy()
    values = np.where(held, 0.0, problem.params)
    if fixed is not None:
        held[selection.positions(problem.architecture, fixed, "fixed")] = True
    if held.all():
        if fixed is None:
            problem.refuse_constant_targets()
        raise ValueError("fixed: expected at least one parameter that is not, got all of them")
    reduced = Reduced(problem, held, values)
    return reduced, problem.params[reduced.free]


def _trained(reduced: Reduced, v: Float, tol: float) -> dict[str, Any]:
    """Everything the result has but what is the network's."""
    start = Optimum(reduced, v, "exact", None)
    start.require_finite()
    value, gradient = start.value_and_grad
    report = {"predicted": v, "predicted_decrease": 0.0, "newton_used": False, "negative_eigenvalues": None}
    if start.grad_norm <= tol:
        found = {"v": v, "fun": value, "grad_norm": start.grad_norm, "nit": 0, "success": True, "status": CONVERGED}
        return report | found | {"moved": 0.0}
    known = _is_definite(start)
    definite = known and start.hessian == "exact"
    negative = 0 if definite else _negative(reduced.matrix(v, "exact"))
    report["negative_eigenvalues"] = negative
    if definite:
        report |= {"predicted": v - start.solve(gradient), "predicted_decrease": start.predicted_decrease}
    else:
        report |= {"predicted": None, "predicted_decrease": math.nan}
    arrival, quasi = _arrived(start, tol, known and start.distance < NEAR.get(negative, 0.0))
    report["newton_used"] = definite and quasi
    fun, gradient = arrival.value_and_grad
    grad_norm = float(np.abs(gradient).max(initial=0.0))
    status = CONVERGED if grad_norm <= tol else MAX_ITER if arrival.cut else STALLED
    found = {
        "v": arrival.v, "fun": fun, "grad_norm": grad_norm, "nit": arrival.nit, "success": status == CONVERGED,
        "status": status,
    }  # fmt: skip
    return report | found | {"moved": start.length(arrival.v - start.v) if known else math.nan}


def _arrived(start: Optimum, tol: float, is_close: bool) -> tuple[retraining.Arrival, bool]:
    """At the minimum, by quasi-Newton steps if it is close, or by Levenberg-Marquardt; whether the former were made."""
    reduced, v, nit = start.reduced, start.v, 0
    if is_close:
        arrival = retraining.near_minimum(reduced, v, tol, start.factor)
        if arrival.there:
            return arrival, True
        v, nit = arrival.v, arrival.nit
    arrival = retraining.to_minimum(reduced, v, tol, MOST_STEPS, math.inf)
    return arrival._replace(nit=nit + arrival.nit), nit > 0


def _is_definite(start: Optimum) -> bool:
    """Whether there are second derivatives to foresee by: not with more parameters than data and no penalty."""
    try:
        return bool(start.hessian)
    except NotPositiveDefiniteError:
        return False


def _negative(A: Float) -> int:
    """How many eigenvalues are negative, beyond rounding: as many as pivots of D in L D L' (Sylvester).

    Where its numbers grow, as none are chosen, those of Bunch and Kaufman: blocks of two rows have one of each sign, in
    a quarter of the time of all eigenvalues, and without threads that wait for other programs.
    """
    rounding = len(A) * EPS * float(np.abs(A).sum(axis=1).max())
    count = cholesky.negative_pivots(A, rounding)
    if count is not None:
        return count
    lapack = _memory.scipy("linalg.lapack")
    _memory.scipy_blas()
    L, rows, _ = lapack.dsytrf(A + rounding * np.eye(len(A)), lower=1)
    return int(np.count_nonzero((np.diagonal(L) < 0) & (rows > 0)) + np.count_nonzero(rows < 0) // 2)
