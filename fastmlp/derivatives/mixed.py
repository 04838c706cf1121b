"""Second derivatives of the outputs, once along a direction and once by the parameters: d2y_k / dx_i dw, H_k v.

The tangent along input i, zd_l = W_l ad_(l-1), ad_l = h'(z_l) zd_l, is itself differentiated by back-propagation. With
rho_l = d yd_k / d zd_l and sigma_l = d yd_k / d z_l,

    d yd_k / dW_l = rho_l ad_(l-1)' + sigma_l a_(l-1)'        d yd_k / db_l = sigma_l
    rho_l   = h'(z_l) W_(l+1)' rho_(l+1)
    sigma_l = h'(z_l) W_(l+1)' sigma_(l+1) + h''(z_l) zd_l W_(l+1)' rho_(l+1)

Along a direction v of the parameters zd_l has v(W_l) a_(l-1) + v(b_l) besides, and what comes back to a_l has
v(W_(l+1))' rho_(l+1): so sums of H_k v_k arise, with H_k = d2y_k / dw dw, which is never formed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp.model import functional
from fastmlp.model.activations import IDENTITY
from fastmlp.model.architecture import Architecture

Float = NDArray[np.float64]


def input_params(architecture: Architecture, params: Float, X: Float) -> Float:
    """d2y_k / dx_i dw (N, D, K, P) of a float64 network, at the cost of a Jacobian by the parameters for each input."""
    weights, _ = architecture.unravel(params)
    layers, groups = functional.trace(architecture, params, X), architecture.groups
    activations = (X, *layers.a)
    bends = [(h.slope(z), h.curvature(z)) for h, z in zip(architecture.hidden, layers.z[:-1], strict=True)]
    result = np.empty((len(X), X.shape[1], architecture.n_outputs, architecture.n_params))
    for i in range(X.shape[1]):
        tangents = [np.broadcast_to(np.eye(X.shape[1])[i], X.shape)]
        zd = [_memory.product(tangents[0], weights[0].T)]
        for (first, _), W in zip(bends, weights[1:], strict=True):
            tangents.append(first * zd[-1])
            zd.append(_memory.product(tangents[-1], W.T))
        rho, sigma = _seeds(architecture, layers.z[-1], layers.a[-1], zd[-1])
        for number in range(len(weights), 0, -1):
            a, ad = activations[number - 1], tangents[number - 1]
            by_weights = rho[..., np.newaxis] * ad[:, np.newaxis, np.newaxis]
            by_weights += sigma[..., np.newaxis] * a[:, np.newaxis, np.newaxis]
            result[:, i, :, groups[f"W{number}"]] = by_weights.reshape(*rho.shape[:2], -1)
            result[:, i, :, groups[f"b{number}"]] = sigma
            if number > 1:
                first, second = (each[:, np.newaxis] for each in bends[number - 2])
                back = _memory.product(rho, weights[number - 1])
                rho = first * back
                sigma = (
                    first * _memory.product(sigma, weights[number - 1]) + second * zd[number - 2][:, np.newaxis] * back
                )
    return result


def _seeds(architecture: Architecture, z: Float, y: Float, zd: Float) -> tuple[Float, Float]:
    """Derivatives of the outputs' tangents by zd and z of the last layer, (N, K, K) each."""
    eye = np.eye(architecture.n_outputs)
    h = architecture.output
    if h.is_elementwise:
        return h.slope(z)[:, np.newaxis] * eye, (h.curvature(z) * zd)[:, np.newaxis] * eye
    centred = zd - (y * zd).sum(axis=1, keepdims=True)
    rho = y[:, np.newaxis] * eye - y[:, :, np.newaxis] * y[:, np.newaxis]
    sums = centred[:, :, np.newaxis] + centred[:, np.newaxis]
    return rho, (y * centred)[:, np.newaxis] * eye - y[:, :, np.newaxis] * y[:, np.newaxis] * sums


def along_directions(architecture: Architecture, params: Float, X: Float, v: Float) -> Float:
    """Sum over samples and outputs of H_k v_k (P,), v (N, K, P); of the logits but for squared error.

    It is the gradient of sum_n,k dy_k/dw . v_k with v held, of the outputs' tangents along a direction for each sample.
    """
    weights, _ = architecture.unravel(params)
    layers, shape, groups = functional.trace(architecture, params, X), v.shape[:2], architecture.groups
    kinds = (*architecture.hidden, IDENTITY if architecture.loss.of_logits else architecture.output)
    bends = [(h.slope(z), h.curvature(z)) for h, z in zip(kinds, layers.z, strict=True)]
    activations = (X, *layers.a)
    steps = [v[..., groups[f"W{number}"]].reshape(*shape, *W.shape) for number, W in enumerate(weights, 1)]
    zd: list[Float] = []
    tangents: list[Float] = [np.zeros((*shape, 0))]  # the inputs' are 0, and take no part
    for number, (W, step, (first, _)) in enumerate(zip(weights, steps, bends, strict=True), 1):
        own = np.einsum("nkji,ni->nkj", step, activations[number - 1]) + v[..., groups[f"b{number}"]]
        zd.append(own if number == 1 else _memory.product(tangents[-1], W.T) + own)
        tangents.append(first[:, np.newaxis] * zd[-1])
    result = np.empty(len(params))
    by_tangent, by_activation = np.broadcast_to(np.eye(shape[1]), (*shape, shape[1])), np.zeros(layers.z[-1].shape)
    for number in range(len(weights), 0, -1):
        (first, second), W = bends[number - 1], weights[number - 1]
        rho = first[:, np.newaxis] * by_tangent
        sigma = first * by_activation + second * (zd[number - 1] * by_tangent).sum(axis=1)
        by_weights = _memory.product(sigma.T, activations[number - 1])
        if number > 1:
            by_weights += _memory.product(_flat(rho).T, _flat(tangents[number - 1]))
            by_tangent = _memory.product(rho, W)
            by_activation = _memory.product(sigma, W) + np.einsum("nkj,nkji->ni", rho, steps[number - 1])
        result[groups[f"W{number}"]] = by_weights.ravel()
        result[groups[f"b{number}"]] = sigma.sum(axis=0)
    return result


def _flat(array: Float) -> Float:
    """Samples and outputs as one axis."""
    return array.reshape(-1, array.shape[-1])
