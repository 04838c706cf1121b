"""Levenberg-Marquardt, in the end Newton's method: `_core` makes the steps, here they are reported and stopped."""

from __future__ import annotations

from typing import Any

from fastmlp import _validation as check
from fastmlp._core.fits.lm import Descent
from fastmlp.optimize import truncated
from fastmlp.optimize.earlier import Earlier
from fastmlp.optimize.loops import compiled, follow
from fastmlp.optimize.monitor import Monitor
from fastmlp.optimize.subspace import Seen
from fastmlp.terms.objective import Objective

OPTIONS = {"damping": 1e-3}
FRESH = {"pause": 0, "wait": 5, "bold": False}  # what `truncated` does not leave
MOST_PARAMS = 3000  # beyond, Cholesky's factorisation would take longer than products with vectors


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """All options, those that are not given with their defaults."""
    return {"damping": check.number({**OPTIONS, **options}["damping"], "damping", 0.0, above=True)}


def check_state(earlier: Earlier) -> None:
    """The damping, and when the Hessian is to be tried again."""
    earlier.number("mu", 0.0, above=True)
    earlier.flag("is_exact")
    in_span = "span" in earlier.items
    if in_span:
        earlier.members("span", "weights", "v").numbers("weights", 2)
        earlier.members("span", "weights", "v").numbers("v", 1)
    if in_span or earlier.n_params <= MOST_PARAMS:  # else it is of `truncated`
        earlier.count("pause")
        earlier.count("wait", 1)
        earlier.flag("bold")


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
    3,000 parameters on it goes without matrices. Of more inputs than samples P counts coordinates (`subspace`).
    Sources: Levenberg 1944; Marquardt 1963; the damping is Nielsen's (1999).
    """
    options = checked(options)
    if state is not None:
        state = FRESH | state
    seen = Seen.of(objective, state)
    if seen is not None and seen.x0.size <= MOST_PARAMS:
        first = state or FRESH | {"mu": options["damping"] * seen.scale, "is_exact": False}
        descent = Descent(compiled(seen.objective, span=seen.span), seen.x0, tol, options, first)
        ended, left, counts = follow(descent, seen, monitor, max_iter)
        return ended, seen.left(left, descent.params), counts
    if objective.architecture.n_params > MOST_PARAMS:
        return truncated.solve(objective, monitor, max_iter=max_iter, tol=tol, state=state, **options)
    return follow(Descent(compiled(objective), objective.x0, tol, options, state), objective, monitor, max_iter)
