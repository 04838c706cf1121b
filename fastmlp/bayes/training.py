"""From parameters near by to the maximum of the posterior at given precisions, by Levenberg-Marquardt."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _threads, reparam
from fastmlp._core.journal import Journal
from fastmlp._core.lm import Descent
from fastmlp.architecture import Architecture
from fastmlp.functional import Samples
from fastmlp.optimize import lm
from fastmlp.terms import DataTerm

Float = NDArray[np.float64]

MOST_STEPS = 300  # of which a tenth are the rule


def to_maximum(
    architecture: Architecture,
    params: Float,
    samples: Samples,
    alpha: Float,
    beta: Any,
    tol: float,
    n_threads: Any,
    left: Callable[[], float] | None = None,
) -> Float:
    """Where beta E_D + sum alpha_i/2 w_i^2 has a gradient of at most tol, or falls no more; inf holds a parameter.

    `left` tells how many seconds there are, after which the parameters come back as they are.
    """
    held = np.flatnonzero(np.isinf(alpha))
    if len(held) == len(params):
        return params
    free = reparam.make(architecture, params, held, None)
    term = DataTerm(architecture, samples, beta, n_threads)
    start, ties = (params, None) if free is None else (free.reduce(params), free.compiled)
    descent = Descent(
        term.batch,
        start,
        term.factor,
        alpha[np.isfinite(alpha)],
        tol,
        lm.OPTIONS["damping"],
        _threads.resolve(n_threads),
        None,
        ties,
    )
    seconds = math.inf if left is None else left()
    if seconds == math.inf:
        descent.advance(MOST_STEPS)
    elif seconds > 0:
        journal = Journal(MOST_STEPS, len(start))
        journal.open(seconds)
        descent.advance(MOST_STEPS, journal)
    return descent.params if free is None else free.expand(descent.params)
