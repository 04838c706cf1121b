"""Resilient back-propagation (iRprop+, Igel & Huesken 2003): full-batch steps whose sizes adapt to signs alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp.optimize.earlier import Earlier
from fastmlp.optimize.monitor import CONVERGED, MAX_ITER, Monitor, Stop
from fastmlp.optimize.points import report, seen
from fastmlp.terms.objective import Objective

OPTIONS = {"initial_step": 0.01, "increase": 1.2, "decrease": 0.5, "min_step": 1e-12, "max_step": 50.0}


def check_state(earlier: Earlier) -> None:
    """Sizes of the steps, and the step and the gradient before; its objective is infinite before the first."""
    earlier.vector("step_size", low=0.0)
    earlier.vector("last_step")
    earlier.vector("last_gradient")
    earlier.number("last_value", high=math.inf)


def solve(
    objective: Objective,
    monitor: Monitor,
    *,
    max_iter: int,
    tol: float,
    state: dict[str, Any] | None,
    options: dict[str, Any],
) -> tuple[int, dict[str, Any], tuple[int, int, int]]:
    """Minimise until |g|_inf <= tol; returns a status, the solver's state, and (nfev, njev, nhev)."""
    for name, value in options.items():
        check.number(value, name, 0.0, above=True)
    settings = {**OPTIONS, **options}
    if not settings["decrease"] < 1 < settings["increase"]:
        raise ValueError(
            f"decrease, increase: expected decrease < 1 < increase, got {settings['decrease']}, {settings['increase']}"
        )
    here, evaluations = seen(objective, objective.x0), 1
    if state is None:
        size = np.full_like(here.x, settings["initial_step"])
        move, previous = np.zeros_like(here.x), np.zeros_like(here.x)
        previous_value = np.inf
    else:
        size, move, previous = (state[name].copy() for name in ("step_size", "last_step", "last_gradient"))
        previous_value = state["last_value"]
    status = CONVERGED if here.grad_norm <= tol else MAX_ITER
    try:
        report(monitor.begin, objective, here)
        while status != CONVERGED and monitor.n_iter < max_iter:
            agreement = np.sign(here.gradient) * np.sign(previous)
            if here.value == np.inf > previous_value:  # where the objective has no meaning: back, in every direction
                agreement[:] = -1.0
            grow, shrink = agreement > 0, agreement < 0
            size[grow] = np.minimum(size[grow] * settings["increase"], settings["max_step"])
            size[shrink] = np.maximum(size[shrink] * settings["decrease"], settings["min_step"])
            # where the sign has changed the last step is taken back if the objective rose, and none is made
            step = np.where(shrink, -move if here.value > previous_value else 0.0, -np.sign(here.gradient) * size)
            previous = np.where(shrink, 0.0, here.gradient)
            previous_value, move = here.value, np.where(shrink, 0.0, step)
            # rounded to what the network holds, so that k + k steps equal 2 k
            here = seen(objective, objective.rounded(here.x + step))
            evaluations += 1
            report(monitor.step, objective, here)
            if here.grad_norm <= tol:
                status = CONVERGED
    except Stop as stop:
        status = CONVERGED if here.grad_norm <= tol else stop.status
    final = {"step_size": size, "last_step": move, "last_gradient": previous, "last_value": previous_value}
    return status, final, (evaluations, evaluations, 0)
