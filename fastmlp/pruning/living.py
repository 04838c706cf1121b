"""An optimum without what has died there by itself.

Weight decay without a penalty on biases lets units die: their weights go to 0, or they are 0 in all samples, as those
of relu, and of their biases nothing is known any more, so that no matrix of second derivatives is positive definite.
Such units are taken away before it is asked again. Of units that are straight lines, or constants, in all samples the
biases are not known beside that of the outputs: these are held, as in `Reduced.held`.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from fastmlp._types import Mask
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model import traces
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples
from fastmlp.pruning.optimum import HESSIANS, Known, Optimum
from fastmlp.pruning.reduced import Reduced

Float = NDArray[np.float64]

SMALL = 1e-5  # beside the largest parameter; where Cholesky fails by such a unit it is 1e-6 at most
CHEAP = 1e-11  # of the objective


def living_optimum(
    reduced: Reduced, v: Float, hessian: str, noise_precision: float | None, known: Known | None = None
) -> Optimum:
    """The optimum at v; of less where the second derivatives are not positive definite and something has died.

    What a training has found out about it may be `known`.

    Raises
    ------
    ValueError
        If the objective is no finite number.
    NotPositiveDefiniteError
        If second derivatives are not, and nothing has died.
    """
    optimum = Optimum(reduced, v, hessian, noise_precision, known)
    optimum.require_finite()
    try:
        _ = optimum.hessian
    except NotPositiveDefiniteError:
        pruned = _without_dead(optimum)
        if not pruned.all() and not np.array_equal(pruned, reduced.pruned):
            less = Reduced(reduced.problem, pruned)
            return living_optimum(less, reduced.expand(v)[less.free], hessian, noise_precision)
        optimum.hold_biases()
        _ = optimum.hessian
    return optimum


def _without_dead(optimum: Optimum) -> NDArray[np.bool_]:
    """What is pruned, units that are 0 in all samples, and those whose weights a longer training would bring to 0."""
    reduced, v = optimum.reduced, optimum.v
    architecture, pruned = reduced.problem.architecture, reduced.pruned.copy()
    if not architecture.is_dense:
        return pruned
    curvatures = np.diagonal(reduced.matrix(v, HESSIANS[-1]))
    small = np.abs(v) <= SMALL * np.abs(v).max(initial=0.0)
    cheap = 0.5 * curvatures * v**2 <= CHEAP * abs(optimum.value_and_grad[0])
    faint = pruned.copy()
    faint[reduced.free[small & cheap]] = True
    speaking = reduced.problem.samples.summed(partial(_speaking, architecture, reduced.expand(v)))
    for W, speaks in zip(architecture.unravel(np.arange(len(pruned))).weights[1:], speaking, strict=True):
        pruned[W[:, faint[W].all(axis=0) | ~speaks]] = True
    return reduced.problem.dead(pruned)


def _speaking(architecture: Architecture, params: Float, samples: Samples) -> tuple[Mask, ...]:
    """Layer by layer, which hidden units are not 0 in all samples."""
    return tuple(np.asarray(a.any(axis=0)) for a in traces.trace(architecture, params, samples.X).a[:-1])
