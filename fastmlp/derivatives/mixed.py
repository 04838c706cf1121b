"""Second derivatives of the outputs, once along a direction and once by the parameters: d2y_k / dx_i dw, H_k v.

H_k = d2y_k / dw dw is never formed. Both are tangents of dy_k / dw (`_core/README.md`), of one sample after the other,
since each has a direction of its own, or is wanted by itself.
"""

from __future__ import annotations

import numpy as np

from fastmlp import _threads
from fastmlp._core.sums import jacobian, products
from fastmlp._types import Array
from fastmlp.model.architecture import Architecture


def input_params(architecture: Architecture, params: Array, X: Array, n_threads: int | None = None) -> Array:
    """d2y_k / dx_i dw (N, D, K, P), at the cost of two Jacobians by the parameters for each input; X is exact."""
    return jacobian.input_params(architecture.plan, params, X, _threads.resolve(n_threads))


def along_directions(
    architecture: Architecture, params: Array, X: Array, v: Array, n_threads: int | None = None
) -> Array:
    """Sum over samples and outputs of H_k v_k (P,), v (N, K, P); of the logits but for squared error."""
    of_logits, v = architecture.loss.of_logits, np.ascontiguousarray(v)
    return products.directed(architecture.plan, params, X, v, of_logits, _threads.resolve(n_threads))
