"""An objective's minimum, from parameters near by, by Levenberg-Marquardt that nobody looks at."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits.journal import Journal
from fastmlp.optimize import lm
from fastmlp.terms.objective import Objective

Float = NDArray[np.float64]

MOST_STEPS = 300  # of which a tenth are the rule
FEW = 8  # binary digits of the damping


def to_minimum(
    objective: Objective,
    tol: float,
    digits: int = 0,
    chunk: int = MOST_STEPS,
    left: Callable[[], float] | None = None,
) -> tuple[Float, bool]:
    """The free parameters where the gradient is at most `tol` or the objective falls no more, and whether that is so.

    After so many seconds as `left` tells they come back as they are.

    Data that differ by rounding lead along paths whose difference grows by half at each step, until they come to
    different minima. With parameters of few binary `digits`, at the start and after each `chunk` of steps, the paths
    are the same to the bit again; 0 leaves them as they are.
    """
    x = objective.x0
    if not x.size:
        return x, True
    x = shortened(x, digits) if digits else x
    seconds, state, n_steps = math.inf if left is None else left(), None, 0
    while True:
        descent = lm.begun(objective, x, tol, state=state)
        journal = None
        if seconds < math.inf:
            journal = Journal(chunk, x.size)
            journal.open(max(0.0, seconds))
        status = descent.advance(chunk, journal)
        n_steps += descent.counts[0]
        x, seconds = descent.params, math.inf if left is None else left()
        if status != "running" or descent.counts[0] < chunk or n_steps >= MOST_STEPS or seconds <= 0:
            return x, status == "converged"
        x, state = shortened(x, digits), descent.state
        state["mu"] = float(shortened(state["mu"], FEW))


def shortened(x: Any, digits: int) -> Float:
    """Numbers to so many binary digits each."""
    share, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(share, digits)), exponent - digits))
