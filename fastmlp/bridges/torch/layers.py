"""What PyTorch's modules and layers have in common, and layers as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._types import Array
from fastmlp.bridges.assembly import Part
from fastmlp.model.convolution import AveragePool, Conv, MaxPool, Windows
from fastmlp.model.layers import Dense

#: class by activation, and the attributes that make it the same function: the first value is what `to_torch` sets
UNITS: dict[str, tuple[str, dict[str, tuple[Any, ...]]]] = {
    "tanh": ("Tanh", {}),
    "logistic": ("Sigmoid", {}),
    "relu": ("ReLU", {}),
    "leaky_relu": ("LeakyReLU", {"negative_slope": (0.01,)}),
    "softplus": ("Softplus", {"beta": (1.0,), "threshold": (40.0, 20.0)}),  # 20, torch's default, is wrong by 2e-9
    "elu": ("ELU", {"alpha": (1.0,)}),
    "silu": ("SiLU", {}),
    "gelu": ("GELU", {"approximate": ("none",)}),
    "softmax": ("Softmax", {"dim": (1, -1)}),
    "sin": ("Sin", {}),
    "exp": ("Exp", {}),
}
KINDS = (Dense, Conv, AveragePool, MaxPool)
#: classes for signals and for images
CONVS, PADS = ("Conv1d", "Conv2d"), ("ZeroPad1d", "ZeroPad2d")
POOLS: dict[type[AveragePool | MaxPool], tuple[str, str]] = {
    AveragePool: ("AvgPool1d", "AvgPool2d"),
    MaxPool: ("MaxPool1d", "MaxPool2d"),
}


def unit_class(nn: Any, name: str) -> Any:
    """PyTorch's class of an activation, or ours where it has none."""
    from fastmlp.bridges import torch_modules

    class_name = UNITS[name][0]
    return getattr(torch_modules, class_name, None) or getattr(nn, class_name)


def unit(nn: Any, name: str) -> list[Any]:
    """The module of an activation; none of the identity."""
    if name not in UNITS:
        return []
    return [unit_class(nn, name)(**{attribute: values[0] for attribute, values in UNITS[name][1].items()})]


def modules_of(torch: Any, part: Part) -> list[Any]:
    """The modules that compute a layer, without its activation: of rows if it is dense, else of maps."""
    layer, W, b, _ = part
    if isinstance(layer.kind, Dense):  # the meta device has no starting values: the generator is left alone
        return [_with(torch, torch.nn.Linear(layer.n_in, layer.n_out, device="meta"), W, b)]
    assert isinstance(layer.kind, (Conv, AveragePool, MaxPool))
    windows = layer.kind.windows(layer.inputs)
    if isinstance(layer.kind, Conv):
        return _convolution(torch, part, layer.kind, windows)
    pool = getattr(torch.nn, POOLS[type(layer.kind)][len(windows) - 1])
    return [pool(tuple([each.size for each in windows]))]


def _convolution(torch: Any, part: Part, kind: Conv, windows: Sequence[Windows]) -> list[Any]:
    """Zeros, where PyTorch's own, as many on both sides, are others; the convolution; biases by position."""
    from fastmlp.bridges import torch_modules

    layer, W, b, _ = part
    size, stride, _, before, after = zip(*windows, strict=True)
    modules = []
    balanced = kind.padding == "valid" or (kind.shared and before == after and any(before))
    if not balanced:
        pads = [number for each in reversed(windows) for number in (each.before, each.after)]
        modules.append(getattr(torch.nn, PADS[len(windows) - 1])(tuple(pads)))
    channel = b if kind.bias == "channel" else None
    if kind.shared:
        cls = getattr(torch.nn, CONVS[len(windows) - 1])
        conv = cls(
            layer.inputs[0], kind.channels, size, stride, before if balanced else 0, bias=channel is not None,
            device="meta",
        )  # fmt: skip
        modules.append(_with(torch, conv, W, channel))
    else:
        modules.append(_with(torch, torch_modules.Local(None, None, stride), W, channel))
    if kind.bias == "position":
        modules.append(_with(torch, torch_modules.PositionBias(None), None, b))
    return modules


def _with(torch: Any, module: Any, W: Array | None, b: Array | None) -> Any:
    """A module with copies of these numbers."""
    for name, array in (("weight", W), ("bias", b)):
        if array is not None:
            setattr(module, name, torch.nn.Parameter(torch.tensor(array)))
    return module


def array_of(tensor: Any, name: str) -> Array:
    """A tensor as an array in the processor's memory; arrays as they are."""
    kind = str(getattr(tensor, "dtype", "")).removeprefix("torch.")
    if not hasattr(tensor, "detach"):
        tensor = np.asarray(tensor)
        kind = str(tensor.dtype)
    if kind not in ("float32", "float64"):
        raise TypeError(
            f"module: expected weights of type float32 or float64, got {kind} in {name}; .float() or .double() makes "
            "such of a tensor or module"
        )
    try:
        return np.asarray(tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor)
    except RuntimeError as error:  # of a module on the meta device, say
        raise ValueError(f"module: expected weights in memory, got none in {name} ({error})") from error


def joined(place: str, name: str) -> str:
    """A name in a state dict."""
    return f"{place}.{name}" if place else name
