"""The layers of the oracle: each gives z for rows a, the shape behind it, and how many parameters it has taken."""

import math

import jax.numpy as jnp
from jax import lax

from fastmlp import AveragePool, Conv, MaxPool

IMAGES = ("NCHW", "OIHW", "NCHW")


def input_shape(entry):
    return entry if isinstance(entry, tuple) else (entry,)


def is_pool(entry):
    return isinstance(entry, (AveragePool, MaxPool))


def images(a, shape):
    """Rows as images (N, C, H, W); signals have one row."""
    channels, *axes = shape
    return a.reshape(-1, channels, *([1] if len(axes) == 1 else []), *axes)


def per_axis(value, shape, of_one_row=1):
    """An extent for rows and one for columns."""
    value = (value,) * (len(shape) - 1) if isinstance(value, int) else value
    return (of_one_row, *value) if len(shape) == 2 else tuple(value)


def rows(z, like):
    """Back from (N, ...), as many leading axes as before."""
    return z.reshape(*like.shape[:-1], -1)


def maps(z, shape):
    """The shape behind a layer, without the row that signals do not have."""
    return z.shape[1:] if len(shape) == 3 else (z.shape[1], z.shape[3])


def dense(n_out, params, a, shape):
    n_in = math.prod(shape)
    W, b = params[: n_in * n_out].reshape(n_out, n_in), params[n_in * n_out : (n_in + 1) * n_out]
    return a @ W.T + b, (n_out,), (n_in + 1) * n_out


def conv(layer, params, a, shape):
    image = images(a, shape)
    size, stride = per_axis(layer.size, shape), per_axis(layer.stride, shape)
    padding, window = layer.padding.upper(), (image.shape[1], *size)
    n_window = math.prod(window)
    if layer.shared:
        n_weights = layer.channels * n_window
        W = params[:n_weights].reshape(layer.channels, *window)
        z = lax.conv_general_dilated(image, W, stride, padding, dimension_numbers=IMAGES)
    else:
        patches = lax.conv_general_dilated_patches(image, size, stride, padding)  # channel by channel, row by row
        n_weights = layer.channels * math.prod(patches.shape[2:]) * n_window
        W = params[:n_weights].reshape(layer.channels, *patches.shape[2:], n_window)
        z = jnp.einsum("iyxk,nkyx->niyx", W, patches)
    biases = {None: (0, 1, 1), "channel": (layer.channels, 1, 1), "position": z.shape[1:]}[layer.bias]
    n_biases = math.prod(biases)
    if n_biases:
        z = z + params[n_weights : n_weights + n_biases].reshape(biases)
    return rows(z, a), maps(z, shape), n_weights + n_biases


def pool(layer, params, a, shape):
    image, (high, wide) = images(a, shape), per_axis(layer.size, shape)
    H, W = image.shape[2] // high, image.shape[3] // wide
    windows = image[:, :, : H * high, : W * wide].reshape(*image.shape[:2], H, high, W, wide)
    z = (jnp.mean if isinstance(layer, AveragePool) else jnp.max)(windows, axis=(3, 5))
    return rows(z, a), maps(z, shape), 0


LAYERS = {int: dense, Conv: conv, AveragePool: pool, MaxPool: pool}
