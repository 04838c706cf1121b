"""Levenberg-Marquardt, in the end Newton's method: `_core.lm` makes the steps, here they are reported and stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._core.fits.lm import Descent
from fastmlp.optimize import truncated
from fastmlp.optimize.earlier import Earlier
from fastmlp.optimize.loops import follow
from fastmlp.optimize.monitor import Monitor
from fastmlp.terms.objective import Objective

OPTIONS = {"damping": 1e-3}
MOST_PARAMS = 3000  # beyond, Cholesky's factorisation would take longer than products with vectors


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """All options, those that are not given with their defaults."""
    return {"damping": check.number({**OPTIONS, **options}["damping"], "damping", 0.0, above=True)}


def check_state(earlier: Earlier) -> None:
    """The damping, and when the Hessian is to be tried again."""
    earlier.number("mu", 0.0, above=True)
    earlier.flag("is_exact")
    if earlier.n_params <= MOST_PARAMS:  # else it is of `truncated`
        earlier.count("pause")
        earlier.count("wait", 1)
        earlier.flag("bold")


def begun(
    objective: Objective,
    x: NDArray[np.float64],
    tol: float,
    damping: float = OPTIONS["damping"],
    state: dict[str, Any] | None = None,
) -> Descent:
    """The compiled solver at the free parameters x, with the `state` of an earlier one there."""
    data, free = objective.data, objective.free
    return Descent(
        data.batch, x, data.factor, objective.decay, tol, damping, _threads.resolve(data.n_threads), state,
        None if free is None else free.compiled, objective.terms,
    )  # fmt: skip


def solve(
    objective: Objective,
    monitor: Monitor,
    *,
    max_iter: int,
    tol: float,
    state: dict[str, Any] | None,
    options: dict[str, Any],
) -> tuple[int, dict[str, Any], tuple[int, int, int]]:
    """Minimise until |g|_inf <= tol at a minimum; a status, the solver's state, and (nfev, njev, nhev).

    Each trial takes a forward pass and P^3 / 6 multiply-adds for Cholesky's factorisation, each step gradient and
    matrix besides, at most N P^2 / 2 (with many samples some trials that fail, too); memory is 3 P^2 numbers. From
    3,000 parameters on it goes without matrices.
    Sources: Levenberg 1944; Marquardt 1963; the damping is Nielsen's (1999).
    """
    damping = checked(options)["damping"]
    if objective.architecture.n_params > MOST_PARAMS:
        return truncated.solve(objective, monitor, max_iter=max_iter, tol=tol, damping=damping, state=state)
    descent = begun(objective, objective.x0, tol, damping, state)
    status = follow(descent, objective, monitor, max_iter)
    return status, descent.state, descent.counts[1:]
