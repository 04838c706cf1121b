"""Starting values of the parameters, drawn from a NumPy Generator.

============= ================================================ ====================== ===========================
name          weights                                          biases                 source
============= ================================================ ====================== ===========================
glorot        U(-r, r), r = sqrt(6 / (n_in + n_out))           0                      Glorot & Bengio 2010, (16)
lecun         N(0, 1 / n_in)                                   0                      LeCun et al. 1998, sec. 4.6
he            N(0, 2 / n_in)                                   0                      He et al. 2015, (10)
nguyen_widrow rows of length 0.7 n_out^(1/n_in), U elsewhere   U over the same range  Nguyen & Widrow 1990
normal        N(0, 1 / (n_in + 1))                             N(0, 1 / (n_in + 1))   Nabney 2002 (NETLAB)
a number r    U(-r, r)                                         U(-r, r)               as R's nnet, 0.7; Prechelt 1994
zeros         0                                                0                      (a counter-example)
============= ================================================ ====================== ===========================

n_in and n_out are the fans, of inputs to a unit and of units that an input goes to: the sizes of a dense layer. Where
connections are missing they are those that are there, of each channel its own.
Nguyen-Widrow is for dense layers only. It spreads the active regions of the hidden units over inputs in [-1, 1]; its
output layer is U(-0.5, 0.5).
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastmlp import _validation as check
from fastmlp.model.architecture import Architecture
from fastmlp.model.layers import Layer

NAMES: tuple[str, ...] = ("glorot", "lecun", "he", "nguyen_widrow", "normal", "zeros")


def checked(init: Any, dtype: DTypeLike) -> str | float:
    """One of the names, or half the width of a uniform distribution of numbers of this type."""
    if isinstance(init, str):
        return check.choice(init, "init", NAMES)
    if isinstance(init, bool) or not isinstance(init, numbers.Real):
        raise TypeError(f"init: expected a name, or a number r for U(-r, r), got {check.shown(init)}")
    return check.number(init, "init", 0.0, above=True, high=float(np.finfo(dtype).max) / 2)


def initialize(architecture: Architecture, init: str | float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A parameter vector (P,) by the scheme `init`, in float64 whatever the network's type."""
    if init == "nguyen_widrow":
        architecture.check_dense(f"init={init!r}")
    params = np.zeros(architecture.n_params)
    for place, W, b in zip(architecture.places, *architecture.unravel(params), strict=True):
        last = place.number == len(architecture.layers) - 1
        W[...], b[...] = _draw(init, place.layer, last, rng)
    if architecture.absent is not None:
        params[architecture.absent] = 0.0
    return params


def _draw(init: str | float, layer: Layer, last: bool, rng: np.random.Generator) -> tuple[Any, Any]:
    shape, (n_in, n_out) = layer.weights, layer.fans
    if not isinstance(init, str):
        return rng.uniform(-init, init, shape), rng.uniform(-init, init, layer.biases)
    if init == "glorot":
        limit = np.sqrt(6.0 / (n_in + n_out))
        return rng.uniform(-limit, limit, shape), 0.0
    if init == "lecun":
        return rng.normal(0.0, np.sqrt(1.0 / n_in), shape), 0.0
    if init == "he":
        return rng.normal(0.0, np.sqrt(2.0 / n_in), shape), 0.0
    if init == "normal":
        scale = np.sqrt(1.0 / (n_in + 1.0))
        of_units = np.reshape(scale, (-1,) + (1,) * max(0, len(layer.biases) - 1))
        return rng.normal(0.0, scale, shape), rng.normal(0.0, of_units, layer.biases) if layer.biases else 0.0
    if init == "nguyen_widrow":
        if last:
            return rng.uniform(-0.5, 0.5, shape), rng.uniform(-0.5, 0.5, n_out)
        length = 0.7 * n_out ** (1.0 / n_in)
        W = rng.uniform(-1.0, 1.0, shape)
        return length * W / np.linalg.norm(W, axis=1, keepdims=True), rng.uniform(-length, length, n_out)
    return 0.0, 0.0
