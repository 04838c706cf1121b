"""What each layer of Keras is here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp._types import Array
from fastmlp.bridges.assembly import shortest
from fastmlp.bridges.keras.chain import Affine, Chain, Found
from fastmlp.bridges.keras.config import Described, described
from fastmlp.model.activations import SOFTMAX
from fastmlp.model.convolution import AveragePool, Conv, MaxPool

EPSILON = 1e-7  #: of Normalization, keras.config.epsilon()
SLOPE = 0.01  #: of our leaky_relu
#: names of functions in Keras, and ours
FUNCTIONS = {
    "linear": "identity", "tanh": "tanh", "sigmoid": "logistic", "relu": "relu", "softplus": "softplus", "elu": "elu",
    "silu": "silu", "swish": "silu", "gelu": "gelu", "exponential": "exp", "softmax": "softmax",
}  # fmt: skip
#: what is said of some others
OTHERS = {"leaky_relu": f", whose slope is 0.2; here it is that of LeakyReLU(negative_slope={SLOPE})"}
AS_LAYERS = ("ReLU", "LeakyReLU", "ELU", "Softmax")  #: that may be given as activations, too
PASSED_OVER = (
    "InputLayer", "Identity", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout",
    "GaussianNoise", "ActivityRegularization",
)  # fmt: skip

ZERO = np.zeros(1)
KNOWN = (
    "Dense, Conv1D or Conv2D, pools, Flatten, Reshape, activations, Normalization, Rescaling, BatchNormalization, or "
    "what does nothing once a model is trained"
)


def take(chain: Chain, layer: Described) -> None:
    """The next layer.

    Raises
    ------
    ValueError
        If it has no counterpart, or cannot be here.
    """
    chain.agree(layer)
    if layer.kind in PASSED_OVER:
        return
    reader = READERS.get(layer.kind)
    if reader is None:
        layer.refuse(KNOWN, layer.kind)
    reader(chain, layer)
    if "activation" in layer.config and layer.kind != "Activation":
        _activate(chain, layer, layer.config["activation"])


# ---- linear layers ----


def _dense(chain: Chain, layer: Described) -> None:
    shape = chain.shape
    if shape is not None and len(shape) != 1:
        layer.refuse("Flatten before it", f"samples of shape {shape}, to whose last axis it applies")
    if layer.config.get("lora_rank") is not None or layer.config.get("quantization_config") is not None:
        layer.refuse("plain weights", "lora_rank or quantization_config")
    n_out = layer.integer("units")
    wanted: list[tuple[int | None, ...]] = [(shape[0] if shape else None, n_out)]
    kernel, b = _kernel(chain, layer, [*wanted, (n_out,)])
    W = np.ascontiguousarray(kernel.T)
    W, b = chain.taken_up(W, b)
    if chain.places is not None:
        channels, *axes = chain.places
        W = np.moveaxis(W.reshape(n_out, *axes, channels), -1, 1).reshape(W.shape)
        chain.places = None
    chain.begin((len(kernel),))
    chain.found.append(Found(layer, n_out, W, b))
    chain.shape = (n_out,)


def _convolution(chain: Chain, layer: Described) -> None:
    n_axes = int(layer.kind[-2])
    chain.maps(layer, n_axes)
    for key in ("groups", "dilation_rate"):
        if any(each != 1 for each in layer.extents(key, n_axes, 1)):
            layer.refuse(f"{key} 1", layer.config[key])
    padding = layer.config.get("padding", "valid")
    if padding not in ("valid", "same"):
        layer.refuse("padding valid or same", padding)
    size, stride = layer.extents("kernel_size", n_axes), layer.extents("strides", n_axes, 1)
    filters, channels = layer.integer("filters"), chain.channels(layer)
    kernel, b = _kernel(chain, layer, [(*size, channels, filters), (filters,)])
    W = np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))
    pending = chain.pending
    if pending is not None and padding == "same" and pending.of_zero.any():
        layer.refuse("padding valid behind a shift, which zeros around maps do not have", pending.source)
    W, b = chain.taken_up(W, b)
    kind = Conv(filters, shortest(size), shortest(stride), padding, None if b is None else "channel")
    chain.found.append(Found(layer, kind, W, b))
    chain.behind(kind)


def _kernel(chain: Chain, layer: Described, shapes: list[tuple[int | None, ...]]) -> tuple[Array, Array | None]:
    """Weights and biases, if it has any."""
    has_bias = layer.config.get("use_bias", True)
    arrays = chain.numbers.of(layer.name, layer.group, shapes if has_bias else shapes[:1])
    return arrays[0], arrays[1] if has_bias else None


# ---- pools and shapes ----


def _pool(chain: Chain, layer: Described) -> None:
    n_axes = int(layer.kind[-2])
    axes = chain.maps(layer, n_axes)
    size = axes if layer.kind.startswith("Global") else layer.extents("pool_size", n_axes, 2)
    stride = size if layer.config.get("strides") is None else layer.extents("strides", n_axes)
    cut = layer.config.get("padding") == "same" and any(n % each for n, each in zip(axes, size, strict=True))
    if stride != size or cut:
        layer.refuse(
            "windows side by side, and whole ones",
            f"pool_size {size}, strides {stride}, padding {layer.config.get('padding')}",
        )
    largest = "Max" in layer.kind
    if largest and chain.pending is not None and (chain.pending.scale <= 0).any():
        layer.refuse("scales above 0 before it", chain.pending.source)
    kind = (MaxPool if largest else AveragePool)(shortest(size))
    chain.found.append(Found(layer, kind))
    chain.behind(kind)
    if layer.kind.startswith("Global"):
        if layer.config.get("keepdims"):
            layer.refuse("keepdims False", True)
        _flatten(chain, layer)


def _flatten(chain: Chain, layer: Described) -> None:
    shape = chain.shape
    if shape is None or None in shape:
        layer.refuse("inputs of known shape", shape)
    if layer.config.get("data_format") not in (None, "channels_last"):
        layer.refuse("data_format channels_last", layer.config["data_format"])
    *axes, channels = map(int, shape)  # type: ignore[arg-type]
    n = math.prod((*axes, channels))
    if chain.pending is not None:
        chain.pending = chain.pending._replace(copies=chain.pending.copies * (n // channels))
    if chain.has_maps:
        chain.places, chain.has_maps = (channels, *axes), False
    chain.shape = (n,)


def _reshape(chain: Chain, layer: Described) -> None:
    """Into rows, or into maps in front of all layers."""
    wanted, shape = layer.sizes(layer.config.get("target_shape")), chain.shape
    if shape is None or None in shape:
        layer.refuse("inputs of known shape", shape)
    n = math.prod(each or 0 for each in shape)
    rest = n // max(1, math.prod(each for each in wanted if each not in (None, -1)))
    resolved = tuple([rest if each in (None, -1) else each for each in wanted])
    if not wanted or math.prod(each or 0 for each in resolved) != n:
        layer.refuse(f"a shape of {n} numbers", wanted)
    if len(resolved) == 1:
        _flatten(chain, layer)
    elif resolved != shape:
        if chain.found or chain.pending is not None:
            layer.refuse("maps made in front of all layers", f"{resolved} of {shape} behind others")
        chain.shape = resolved


# ---- activations ----


def _activate(chain: Chain, layer: Described, function: Any) -> None:
    """What Keras calls an activation: a name, or a function or layer as it is written."""
    if isinstance(function, dict) and function.get("class_name") in AS_LAYERS:
        inner = described(function)
        READERS[inner.kind](chain, inner._replace(name=layer.name))
        return
    own = isinstance(function, dict) and not str(function.get("module")).startswith("keras")
    name = "a function" if own else function.get("config") if isinstance(function, dict) else function
    if name is not None and (not isinstance(name, str) or name not in FUNCTIONS):
        layer.refuse(f"an activation of {', '.join(FUNCTIONS)}", f"{name}{OTHERS.get(str(name), '')}")
    chain.apply(layer, FUNCTIONS[name or "linear"])


def _activation(chain: Chain, layer: Described) -> None:
    _activate(chain, layer, layer.config.get("activation"))


def _relu(chain: Chain, layer: Described) -> None:
    given = (layer.config.get("max_value"), layer.number("threshold", 0.0), layer.number("negative_slope", 0.0))
    if given[:2] != (None, 0.0) or given[2] not in (0.0, SLOPE):
        layer.refuse(f"max_value None, threshold 0, negative_slope 0 or {SLOPE}", ", ".join(map(str, given)))
    chain.apply(layer, "leaky_relu" if given[2] else "relu")


def _leaky_relu(chain: Chain, layer: Described) -> None:
    slope = layer.number("negative_slope", layer.number("alpha", 0.3))  # alpha in Keras 2
    if not math.isclose(slope, SLOPE, rel_tol=1e-7):  # rounded to float32, maybe
        layer.refuse(f"negative_slope {SLOPE}", f"{slope:g}; Keras' own default is 0.3")
    chain.apply(layer, "leaky_relu")


def _elu(chain: Chain, layer: Described) -> None:
    if layer.number("alpha", 1.0) != 1.0:
        layer.refuse("alpha 1", layer.config["alpha"])
    chain.apply(layer, "elu")


def _softmax(chain: Chain, layer: Described) -> None:
    if layer.config.get("axis", -1) not in (-1, [-1], len(chain.shape or ())):
        layer.refuse("axis -1", layer.config["axis"])
    chain.apply(layer, SOFTMAX.name)


# ---- normalizations ----


def _normalization(chain: Chain, layer: Described) -> None:
    """(x - mean) / max(sqrt(variance), epsilon), or back."""
    n, axis = chain.channels(layer), layer.config.get("axis")
    shape: tuple[int | None, ...] = () if axis in (None, []) else (n,)
    if axis not in (None, [], -1, [-1], len(chain.shape or ()), [len(chain.shape or ())]):
        layer.refuse("axis -1 or None", axis)
    if layer.config.get("mean") is None:
        mean, variance = chain.numbers.of(layer.name, layer.group, [shape, shape], beside=1)  # a count
    else:
        mean, variance = (layer.vector(name, n) for name in ("mean", "variance"))
    mean, variance = (np.asarray(each, np.float64).ravel() for each in (mean, variance))
    if (variance < 0).any():
        layer.refuse("variances of at least 0", variance.min())
    deviation = np.maximum(np.sqrt(variance), EPSILON)
    if layer.config.get("invert", False):
        chain.scaled(Affine(layer, ZERO, deviation, mean))
    else:
        chain.scaled(Affine(layer, mean, 1 / deviation, ZERO))


def _rescaling(chain: Chain, layer: Described) -> None:
    n = chain.channels(layer)
    chain.scaled(Affine(layer, ZERO, layer.vector("scale", n), layer.vector("offset", n)))


def _batch_normalization(chain: Chain, layer: Described) -> None:
    """Gamma (x - mean) / sqrt(variance + epsilon) + beta, of the moving moments."""
    n, axis = chain.channels(layer), layer.config.get("axis", -1)
    if axis not in (-1, [-1], len(chain.shape or ()), [len(chain.shape or ())]):
        layer.refuse("axis -1", axis)
    if layer.config.get("renorm"):
        layer.refuse("renorm False", True)
    given = [name for name, key in (("gamma", "scale"), ("beta", "center")) if layer.config.get(key, True)]
    names = [*given, "mean", "variance"]
    arrays = chain.numbers.of(layer.name, layer.group, [(n,)] * len(names))
    values = dict(zip(names, (each.astype(np.float64) for each in arrays), strict=True))
    spread = values["variance"] + layer.number("epsilon", 1e-3)
    if (spread <= 0).any():
        layer.refuse("variances above -epsilon", spread.min())
    scale = values.get("gamma", 1.0) / np.sqrt(spread)
    chain.scaled(Affine(layer, values["mean"], scale, values.get("beta", ZERO)))


READERS: dict[str, Callable[[Chain, Described], None]] = {
    "Dense": _dense,
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    **{f"{which}Pooling{n}D": _pool for which in ("Average", "Max", "GlobalAverage", "GlobalMax") for n in (1, 2)},
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "Softmax": _softmax,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "BatchNormalization": _batch_normalization,
}
