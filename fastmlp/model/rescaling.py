"""Linear maps of inputs and outputs, carried over to the parameters, and to the coefficients of a penalty.

Inputs x~_i = a_i x_i + b_i and outputs y~_k = c_k y_k + d_k leave the function the same if

    first layer   w~_ji = w_ji / a_i      b~_j = b_j - sum_i w~_ji b_i
    last layer    w~_kj = c_k w_kj        b~_k = c_k b_k + d_k            (linear outputs only)

so sum_g alpha_g/2 |w_g|^2 stays the same if alpha is multiplied by a_i^2 in column i of the first layer, and divided by
c_k^2 in row k and bias k of the last. The squared error is then multiplied by c_k^2, which a noise precision divided by
c_k^2 takes back (the precision form); without one, and with one c for all outputs, the whole is multiplied by c^2 (the
lambda form). The lecture and PRML (p. 258) print a^(1/2) and c^(-1/2): `docs/linear-maps.md` shows that these fail.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array, Float
from fastmlp.model.architecture import Architecture

FORMS = ("lambda", "precision")


def per_feature(value: Any, name: str, size: int | None = None) -> Float:
    """A number, or one for each of `size` features, where that is known: shape () or (size,)."""
    array = check.real_array(value, name, np.float64)
    if array.ndim > 1 or (array.ndim == 1 and size is not None and len(array) != size):
        features = "feature" if size is None else f"of {size} features"
        raise ValueError(f"{name}: expected a number, or one for each {features}, got shape {array.shape}")
    return array


def nonzero(value: Any, name: str, size: int | None = None) -> Float:
    """The same of numbers other than zero."""
    array = per_feature(value, name, size)
    if not array.all():
        raise ValueError(f"{name}: expected numbers other than 0, got {check.shown(value)}")
    return array


def rescale_inputs(architecture: Architecture, params: Array, scale: Any, shift: Any) -> Array:
    """Parameters that do with scale * x + shift what `params` do with x."""
    scale = nonzero(_by_channel(architecture, scale, "scale"), "scale", architecture.n_inputs)
    shift = per_feature(_by_channel(architecture, shift, "shift"), "shift", architecture.n_inputs)
    check_first(architecture, "rescale_inputs", shifts=bool(shift.any()))
    for name, numbers in (("scale", scale), ("shift", shift)):
        check_by_channel(architecture, name, numbers)
    check_sign(architecture, "scale", scale)
    return _finite(map_inputs(architecture, params, scale, shift))


def rescale_outputs(architecture: Architecture, params: Array, scale: Any, shift: Any) -> Array:
    """Parameters that give scale * y + shift where `params` give y."""
    check_linear(architecture, "rescale_outputs")
    architecture.check_dense("rescale_outputs", -1)
    scale = nonzero(scale, "scale", architecture.n_outputs)
    shift = per_feature(shift, "shift", architecture.n_outputs)
    return _finite(map_outputs(architecture, params, scale, shift))


def map_inputs(architecture: Architecture, params: Array, scale: Array, shift: Array) -> Array:
    """The same without a look at the arguments, or at the result.

    The bias takes up the shift with the weights as they have been rounded, so that their rounding errors act on
    x~ - shift, not on x~; its sum is rounded once.
    """
    result = params.copy()
    views = architecture.unravel(result)
    W, b = views.weights[0], views.biases[0]
    with np.errstate(all="ignore"):
        W[...] = W / by_input(architecture, scale)
        b[...] = _shifted(architecture, b, W, -shift)
    return result


def unmap_inputs(architecture: Architecture, params: Array, scale: Array, shift: Array) -> Array:
    """Back from what `map_inputs` gives, with the weights that its bias has taken up the shift with."""
    result = params.copy()
    views = architecture.unravel(result)
    W, b = views.weights[0], views.biases[0]
    with np.errstate(all="ignore"):
        b[...] = _shifted(architecture, b, W, shift)
        W[...] = W * by_input(architecture, scale)
    return result


def by_input(architecture: Architecture, values: Array) -> Array:
    """Numbers of the inputs (D,), or one of all, as factors of the first layer's W: of channels, if there are any."""
    layer = architecture.first
    if architecture.layers[0].is_dense or np.ndim(values) == 0:
        return values
    channels, *axes = layer.inputs
    by_channel = values.reshape(channels, -1)[:, 0]
    return np.repeat(by_channel, math.prod(axes)) if layer.is_dense else by_channel.reshape(-1, *[1] * len(axes))


def moved(architecture: Architecture, W: Array, shift: Array) -> Array:
    """The terms w_ji shift_i of each unit, as last axis, for W with any axes before its own."""
    n_axes = 1 if architecture.first.is_dense else len(architecture.first.inputs)
    before = W.ndim - n_axes
    terms: Array = (W * by_input(architecture, shift)).reshape(*W.shape[:before], math.prod(W.shape[before:]))
    return terms


def _shifted(architecture: Architecture, b: Array, W: Array, shift: Array) -> Array:
    """The sums b_j + sum_i w_ji shift_i, each rounded once."""
    if not architecture.first.kind.takes_shifts:  # there is none
        return b
    terms = moved(architecture, W.astype(np.float64), shift)
    if b.ndim >= terms.ndim:  # one window for all positions
        terms = np.broadcast_to(terms.reshape(len(terms), *[1] * (b.ndim - 1), -1), (*b.shape, terms.shape[-1]))
    terms = np.concatenate([b.astype(np.float64)[..., np.newaxis], terms], axis=-1).reshape(b.size, -1)
    sizes = np.abs(terms).sum(axis=1)  # finite if all sums on the way are
    sums = [math.fsum(row) if math.isfinite(size) else size for row, size in zip(terms, sizes, strict=True)]
    return np.reshape(sums, b.shape)


def map_outputs(architecture: Architecture, params: Array, scale: Array, shift: Array) -> Array:
    """The same without a look at the arguments, or at the result."""
    result = params.copy()
    views = architecture.unravel(result)
    W, b = views.weights[-1], views.biases[-1]
    with np.errstate(all="ignore"):
        W[...] = (scale * W.T).T
        b[...] = scale * b + shift
    return result


def unmap_outputs(architecture: Architecture, params: Array, scale: Array, shift: Array) -> Array:
    """Back from what `map_outputs` gives."""
    result = params.copy()
    views = architecture.unravel(result)
    W, b = views.weights[-1], views.biases[-1]
    with np.errstate(all="ignore"):
        W[...] = (W.T / scale).T
        b[...] = (b - shift) / scale
    return result


def decay_factors(architecture: Architecture, input_scale: Array, output_scale: Array | None, form: str) -> Array:
    """By what the coefficient of each parameter (P,) is multiplied when inputs and targets are."""
    input_scale = nonzero(_by_channel(architecture, input_scale, "input_scale"), "input_scale", architecture.n_inputs)
    check_first(architecture, "input_scale", shifts=False)
    check_by_channel(architecture, "input_scale", input_scale)
    factors = np.ones(architecture.n_params)
    weights, biases = architecture.unravel(factors)
    with np.errstate(all="ignore"):
        weights[0][...] *= by_input(architecture, input_scale) ** 2
        if output_scale is not None:
            check_linear(architecture, "output_scale")
            architecture.check_dense("output_scale", -1)
            nonzero(output_scale, "output_scale", architecture.n_outputs)
            if form == "precision":
                weights[-1][...] /= (output_scale**2)[..., np.newaxis]
                biases[-1][...] /= output_scale**2
            else:
                for array in (*weights[:-1], *biases[:-1]):
                    array *= output_scale**2
    if not np.isfinite(factors).all():
        raise ValueError("input_scale, output_scale: expected numbers with finite squares and quotients")
    return factors


def check_first(architecture: Architecture, name: str, *, shifts: bool = True) -> None:
    """Refuse networks whose first layer cannot take up linear maps of the inputs."""
    number, kind = architecture.places[0].number, architecture.first.kind
    if not kind.takes_scales or not all(layer.kind.keeps_channels for layer in architecture.layers[:number]):
        architecture.check_dense(name, 0)
    if shifts and not kind.takes_shifts:
        raise ValueError(f"{name}: expected a first layer whose biases can take up a shift, got {kind!r}")


def check_by_channel(architecture: Architecture, name: str, values: Array) -> None:
    """Refuse numbers (D,) of inputs of a convolution that are not the same in all of a channel."""
    layer = architecture.layers[0]
    if layer.is_dense or np.ndim(values) == 0:
        return
    channels = values.reshape(layer.inputs[0], -1)
    if (channels != channels[:, :1]).any():
        raise ValueError(f"{name}: expected one number for all inputs of a channel before {layer.kind!r}, got several")


def check_sign(architecture: Architecture, name: str, scale: Array) -> None:
    """Refuse scales below 0 before a pool, which a largest number does not let through."""
    kind = architecture.layers[0].kind
    if kind.keeps_channels and np.any(scale < 0):
        raise ValueError(f"{name}: expected numbers above 0 before {kind!r}, got {np.min(scale):g}")


def _by_channel(architecture: Architecture, value: Any, name: str) -> Any:
    """One number for each channel of a convolution as one for each input (D,); all else as it is."""
    layer = architecture.layers[0]
    if layer.is_dense:
        return value
    array = check.real_array(value, name, np.float64)
    channels = layer.inputs[0]
    return np.repeat(array, layer.n_in // channels) if array.shape == (channels,) else array


def check_linear(architecture: Architecture, name: str) -> None:
    """Refuse networks whose outputs cannot be mapped by their weights."""
    if not architecture.output.is_linear:
        raise ValueError(f"{name}: expected a network with linear outputs (identity), got {architecture.output}")


def _finite(params: Array) -> Array:
    if not np.isfinite(params).all():
        raise ValueError(f"scale, shift: expected numbers that leave the parameters finite in {params.dtype}")
    return params
