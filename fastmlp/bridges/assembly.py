"""A network from matrices and vectors of other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp.model.architecture import Architecture
from fastmlp.network import Network

Array = NDArray[Any]


def assembled(weights: Sequence[Array], biases: Sequence[Array | None], hidden: Any, output: str, loss: Any) -> Network:
    """A network with these W (n_out, n_in) and b (n_out,), to the last bit; no bias is one of zeros."""
    sizes = [weights[0].shape[1], *(len(W) for W in weights)]
    for W, n_in in zip(weights, sizes, strict=False):
        if W.shape[1] != n_in:
            raise ValueError(f"weights: expected {n_in} inputs, as many as units before, got {W.shape[1]}")
    types = {array.dtype for array in (*weights, *biases) if array is not None}
    if len(types) > 1:
        raise ValueError(f"weights: expected one number type, got {' and '.join(sorted(map(str, types)))}")
    architecture = Architecture.create(sizes, hidden, output, loss, types.pop())
    params = np.zeros(architecture.n_params, architecture.dtype)
    for target, source in zip(architecture.unravel(params).weights, weights, strict=True):
        target[...] = source
    for target, bias in zip(architecture.unravel(params).biases, biases, strict=True):
        if bias is not None:
            target[...] = bias
    numbers = check.vector(params, "weights", len(params), architecture.dtype)
    return Network._make(architecture, numbers, trained=True)
