"""L-BFGS: `_core` makes the steps, here they are reported and stopped."""

from __future__ import annotations

from typing import Any

from fastmlp import _validation as check
from fastmlp._core.fits.lbfgs import Descent
from fastmlp.optimize.earlier import Earlier
from fastmlp.optimize.loops import compiled, follow
from fastmlp.optimize.monitor import Monitor
from fastmlp.terms.objective import Objective

UNLIMITED = 2**63 - 1
OPTIONS: dict[str, Any] = {"maxcor": 20, "maxls": 50, "maxfun": UNLIMITED, "ftol": 0.0, "fatol": 0.0}


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """All options, those that are not given with their defaults."""
    settings = {**OPTIONS, **options}
    limits = {name: check.integer(settings[name], name, 1) for name in ("maxcor", "maxls", "maxfun")}
    return limits | {name: check.number(settings[name], name, 0.0) for name in ("ftol", "fatol")}


def check_state(earlier: Earlier) -> None:
    """Pairs, and what the objective and its gradient have come down to."""
    steps, changes = earlier.rows("steps"), earlier.rows("changes")
    if len(steps) != len(changes):
        raise ValueError(f"warm_start: expected as many changes as steps, {len(steps)}, got {len(changes)}")
    earlier.number("lowest")
    earlier.number("flattest", 0.0)
    earlier.count("wandering")


def solve(
    objective: Objective,
    monitor: Monitor,
    *,
    max_iter: int,
    tol: float,
    state: dict[str, Any] | None,
    options: dict[str, Any],
) -> tuple[int, dict[str, Any], tuple[int, int, int]]:
    """Minimise until |g|_inf <= tol; a status, the solver's state, and (nfev, njev, nhev).

    An iteration takes a gradient, sometimes two, and 4 maxcor P multiply-adds; memory is 2 maxcor P numbers, and so is
    the state.
    Sources: Nocedal 1980, Liu and Nocedal 1989; the line search has rules of Moré and Thuente's (1994) and of Hager and
    Zhang's (2005).
    """
    options = checked(options)
    # each step tells of one pair; those of the fit that is continued come first
    pairs = max(1, max_iter) + (0 if state is None else len(state["steps"]))
    options["maxcor"] = min(options["maxcor"], pairs)
    problem = compiled(objective, curved=False)
    return follow(Descent(problem, objective.x0, tol, options, state), objective, monitor, max_iter)
