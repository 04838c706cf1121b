"""From parameters near by to the maximum of the posterior at given precisions, by Levenberg-Marquardt."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _threads
from fastmlp._core.fits.journal import Journal
from fastmlp._core.fits.lm import Descent
from fastmlp._core.fits.objective import Objective
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.optimize import lm
from fastmlp.terms import DataTerm, reparam

Float = NDArray[np.float64]

MOST_STEPS = 300  # of which a tenth are the rule
FEW = 8  # binary digits of the damping


def to_maximum(
    architecture: Architecture, params: Float, samples: Samples, alpha: Float, beta: Any, tol: float, n_threads: Any
) -> Float:
    """Where beta E_D + sum alpha_i/2 w_i^2 has a gradient of at most tol, or falls no more; inf holds a parameter."""
    return steadily(architecture, params, samples, alpha, beta, tol, n_threads, 0)[0]


def steadily(
    architecture: Architecture,
    params: Float,
    samples: Samples,
    alpha: Float,
    beta: Any,
    tol: float,
    n_threads: Any,
    digits: int,
    chunk: int = MOST_STEPS,
    left: Callable[[], float] | None = None,
) -> tuple[Float, bool]:
    """The same, and whether it is there: after so many seconds as `left` tells parameters come back as they are.

    Data that differ by rounding lead along paths whose difference grows by half at each step, until they come to
    different maxima. With parameters of few binary `digits`, at the start and after each `chunk` of steps, the paths
    are the same to the bit again; 0 leaves them as they are.
    """
    held = np.flatnonzero(np.isinf(alpha))
    if len(held) == len(params):
        return params, True
    params = shortened(params, digits) if digits else params
    free = reparam.make(architecture, params, held, None)
    term = DataTerm(architecture, samples, beta, n_threads)
    x, ties = (params, None) if free is None else (free.reduce(params), free.compiled)
    objective = Objective(term.batch, term.factor, alpha[np.isfinite(alpha)], _threads.resolve(n_threads), ties)
    seconds, state, n_steps = math.inf if left is None else left(), None, 0
    while True:
        descent = Descent(objective, x, tol, lm.OPTIONS, state)
        journal = None
        if seconds < math.inf:
            journal = Journal(chunk, len(x))
            journal.open(max(0.0, seconds))
        status = descent.advance(chunk, journal)
        n_steps += descent.counts[0]
        x, seconds = descent.params, math.inf if left is None else left()
        if status != "running" or descent.counts[0] < chunk or n_steps >= MOST_STEPS or seconds <= 0:
            return x if free is None else free.expand(x), status == "converged"
        x, state = shortened(x, digits), descent.state
        state["mu"] = float(shortened(state["mu"], FEW))


def shortened(x: Any, digits: int) -> Float:
    """Numbers to so many binary digits each."""
    share, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(share, digits)), exponent - digits))
