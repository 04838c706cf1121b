"""How many equivalent modes a posterior has: exchanges of hidden units, and changes of their signs.

All M! 2^M of them have the same evidence, and add up, as far as they are modes of their own. Those of a unit that does
nothing, w_u = 0, are one. A change of sign of its parameters w_u, in and out, takes N(w_u, C_u) to N(-w_u, C_u), which
overlap by exp(-d^2/2), d^2 = w_u' C_u^-1 w_u (Bhattacharyya). Unit u counts as o_u = 1 - exp(-d_u^2/2), and a layer as

    ln Gamma(1 + sum o_u) + sum ln(1 + o_u),

between 0 and ln M! + M ln 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float, Index
from fastmlp.model.architecture import Architecture


def log_symmetries(architecture: Architecture) -> float:
    """Of all modes, distinct or not: the sum over hidden layers of ln M!, and M ln 2 if the activation is odd."""
    layers = [layer for number, layer in enumerate(architecture.layers[:-1]) if architecture.may_exchange(number)]
    sizes = [(layer.n_out, layer.activation) for layer in layers]
    return sum(math.lgamma(M + 1) + (M * math.log(2) if h.is_odd else 0.0) for M, h in sizes)


def log_distinct(architecture: Architecture, params: Float, apart: Callable[[Index], float]) -> float:
    """Of those that are modes of their own, by the formula above; `apart` is d_u^2 of a unit's parameters."""
    total, places = 0.0, architecture.unravel(np.arange(len(params), dtype=np.float64))
    for view, (number, layer, _, _) in enumerate(architecture.places[:-1]):
        if not architecture.may_exchange(number):
            continue
        h = layer.activation
        own = np.column_stack([places.weights[view], places.biases[view], places.weights[view + 1].T]).astype(int)
        shares = [-math.expm1(-0.5 * apart(unit)) for unit in own]
        total += math.lgamma(1 + math.fsum(shares))
        if h.is_odd:
            total += math.fsum(math.log1p(share) for share in shares)
    return total


def distance(w: Float, C: Float) -> float:
    """The form w' C^-1 w; parameters that are held do not vary, and say nothing about it, unless all are.

    Nor do those whose variance is beyond float64, where nothing determines them.
    """
    variances = np.diagonal(C)
    told = np.isfinite(variances)
    free = told & (variances > 0)
    if not free.any():
        return math.inf if w.any() and told.all() else 0.0
    _memory.blas(8 * C.nbytes)
    return float(w[free] @ np.linalg.lstsq(C[np.ix_(free, free)], w[free], rcond=None)[0])
