"""PyTorch's sequences of layers and state dicts as networks, and networks as such a sequence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _optional
from fastmlp import _validation as check
from fastmlp.bridges.assembly import assembled
from fastmlp.model.activations import IDENTITY
from fastmlp.network.network import Network, check_network

Array = NDArray[Any]

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
PASSED_OVER = ("Identity", "Flatten")
DROPOUT = ("Dropout", "AlphaDropout", "FeatureAlphaDropout")


class Layer(NamedTuple):
    """Weights, biases if any, and what activation follows."""

    W: Array
    b: Array | None
    activation: str | None = None


def from_torch(module: Any, hidden: Any = None, output: str | None = None, loss: str | None = None) -> Network:
    """The network that PyTorch's layers or a state dict describe.

    Parameters
    ----------
    module : torch.nn.Sequential, torch.nn.Linear, or mapping of names to tensors
        Linear layers, with or without biases, and Tanh, Sigmoid, ReLU, LeakyReLU (slope 0.01), Softplus, ELU, SiLU,
        GELU (exact), Softmax, or the `Sin` and `Exp` of `to_torch`; also nested. Identity, Flatten and, in evaluation
        mode, dropout are passed over. A state dict has "NAME.weight" and "NAME.bias" of its linear layers: by number
        where the names are numbers ("0", "2", "10"; "net.0", "net.2"), in the order given where they are not.
    hidden : str or sequence of str, optional
        For a state dict with hidden layers: their activations, of which it does not tell.
    output : str, optional
        Activation of the outputs, where the last layer is linear: what belongs to PyTorch's loss, as softmax to
        CrossEntropyLoss, logistic to BCEWithLogitsLoss. identity by default.
    loss : str, optional
        As for `Network`.

    Returns
    -------
    Network
        In the type of the weights, which are the same to the last bit.

    Raises
    ------
    ImportError
        If a module is given, and torch is not installed.
    TypeError, ValueError
        If a layer has no counterpart, or computes something else than its class does: with a `forward` of its own,
        hooks, parametrizations. If weights are not float32 or float64 (bfloat16, say), not finite, or do not fit each
        other. If numbers in other names ("fc1", "fc10", "fc2") are not in order. The message has the name.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> state = {"0.weight": np.array([[1.0, -1.0]]), "0.bias": np.array([0.5])}  # NumPy's arrays will do, too
    >>> fastmlp.from_torch(state, output="logistic")
    Network([2, 1], hidden=[], output='logistic', loss='binary_cross_entropy', dtype='float64')
    """
    if isinstance(module, Mapping):
        layers = list(_layers_of_state(module))
        if hidden is None and len(layers) > 1:
            raise ValueError(f"hidden: expected the activations of {len(layers) - 1} hidden layers, got None")
    else:
        if hidden is not None:
            raise ValueError(f"hidden: expected None, as the modules tell the activations, got {check.shown(hidden)}")
        layers = list(_layers(module))
        hidden = [layer.activation or IDENTITY.name for layer in layers[:-1]]
    if not layers:
        raise ValueError("module: expected a linear layer at least, got none")
    last = layers[-1].activation
    if output is not None and last is not None and output != last:
        raise ValueError(f"output: expected None or {last}, with which the module ends, got {check.shown(output)}")
    weights, biases = [layer.W for layer in layers], [layer.b for layer in layers]
    return assembled(weights, biases, [] if len(layers) == 1 else hidden, output or last or IDENTITY.name, loss)


def _layers(module: Any) -> Iterator[Layer]:
    """Linear layers with the activations that follow them."""
    torch = _optional.load("torch", "torch", "fastmlp.from_torch")
    layer = None
    for place, each in _flat(torch.nn, module, ""):
        if isinstance(each, torch.nn.Linear):
            if layer is not None:
                yield layer
            layer = _layer(each.weight, each.bias, place)
        elif _is_one_of(torch.nn, each, DROPOUT) and not each.training:
            continue
        elif not _does_nothing(torch.nn, each):
            name = _activation(torch.nn, each)
            if layer is None or layer.activation is not None:
                raise ValueError(f"module: expected a linear layer before {type(each).__name__}, got none")
            layer = layer._replace(activation=name)
    if layer is not None:
        yield layer


def _flat(nn: Any, module: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The modules of a sequence, also of sequences within it, with their names."""
    if isinstance(module, nn.Module):
        _refuse_changes(nn, module, place)
    if isinstance(module, nn.Sequential):
        for name, each in module._modules.items():  # named_children() leaves out what comes twice
            yield from _flat(nn, each, f"{place}.{name}".lstrip("."))
    else:
        yield place, module


def _refuse_changes(nn: Any, module: Any, place: str) -> None:
    """TypeError where a sequence or a layer does something else than its class, or something besides."""
    what = f"{type(module).__name__} {place}".strip()
    own = next((cls for cls in (nn.Sequential, nn.Linear) if isinstance(module, cls)), None)
    changed = list(getattr(module, "parametrizations", ()))
    if changed:
        raise TypeError(
            f"module: expected plain weights, got a parametrization of {', '.join(changed)} in {what}; "
            "torch.nn.utils.parametrize.remove_parametrizations leaves their values"
        )
    if (own and type(module).forward is not own.forward) or "forward" in vars(module):
        raise TypeError(f"module: expected layers without a forward of their own, got one in {what}")
    hooks = [hook for kind in ("_forward_pre_hooks", "_forward_hooks") for hook in vars(module).get(kind, {}).values()]
    if hooks:
        names = ", ".join(getattr(hook, "__name__", type(hook).__name__) for hook in hooks)
        raise TypeError(
            f"module: expected layers without hooks, got {names} in {what}; remove it (weight_norm and the like by "
            "torch.nn.utils.remove_weight_norm, pruning by torch.nn.utils.prune.remove)"
        )


def _is_one_of(nn: Any, module: Any, names: Sequence[str]) -> bool:
    """Whether it is of one of PyTorch's classes, no subclass."""
    return type(module) in [getattr(nn, name, None) for name in names]


def _does_nothing(nn: Any, module: Any) -> bool:
    """Whether rows come out as they go in."""
    if not _is_one_of(nn, module, PASSED_OVER):
        return False
    if getattr(module, "start_dim", 1) not in (1, -1):
        raise ValueError(f"module: expected Flatten with start_dim 1, got {module.start_dim}")
    return True


def _activation(nn: Any, module: Any) -> str:
    """Name of the activation that a module is."""
    for name, (_, attributes) in UNITS.items():
        if type(module) is _unit_class(nn, name):
            for attribute, values in attributes.items():
                if getattr(module, attribute) not in values:
                    wanted = f"{type(module).__name__} with {attribute} {' or '.join(map(str, values))}"
                    raise ValueError(f"module: expected {wanted}, got {getattr(module, attribute)}")
            return name
    if _is_one_of(nn, module, DROPOUT):
        raise ValueError("module: expected no dropout, or .eval(), in which it does nothing, got it in training mode")
    raise TypeError(
        "module: expected nn.Sequential of Linear and activations, or a state dict, "
        f"got {type(module).__module__}.{type(module).__name__}"
    )


def _unit_class(nn: Any, name: str) -> Any:
    """PyTorch's class of an activation, or ours where it has none."""
    from fastmlp.bridges import torch_modules

    class_name = UNITS[name][0]
    return getattr(torch_modules, class_name, None) or getattr(nn, class_name)


def _layers_of_state(state: Mapping[str, Any]) -> Iterator[Layer]:
    """Linear layers of a state dict."""
    left, places = dict(state), []
    for key in state:
        if not isinstance(key, str):
            raise TypeError(f"module: expected a state dict with names for keys, got {check.shown(key)}")
        parts = key.split(".")
        if parts[-1] == "weight" and "parametrizations" not in parts and np.ndim(state[key]) == 2:
            places.append(".".join(parts[:-1]))
    for place in _in_order(places):
        weight, bias = (_joined(place, kind) for kind in ("weight", "bias"))
        yield _layer(left.pop(weight), left.pop(bias, None), place)
    if left:
        raise ValueError(f"module: expected weights (n_out, n_in) and biases of linear layers, got {', '.join(left)}")


def _in_order(places: list[str]) -> list[str]:
    """Names of layers in their order; safetensors has them sorted as text, "10" before "2", or not at all."""
    parts = [place.split(".") for place in places]
    shared = next((i for i, column in enumerate(zip(*parts, strict=False)) if len(set(column)) > 1), 0)
    if all(part.isdecimal() for each in parts for part in each[shared:]):
        numbers = [tuple(map(int, each[shared:])) for each in parts]
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"module: expected layers of different numbers, got {', '.join(places)}")
        return [place for _, place in sorted(zip(numbers, places, strict=True))]
    latest: dict[str, list[int]] = {}
    for place in places:
        stem, numbers_in = re.sub(r"\d+", "#", place), [int(number) for number in re.findall(r"\d+", place)]
        if latest.get(stem, numbers_in) > numbers_in:
            raise ValueError(
                "module: expected layers in their order, which a state dict of these names does not tell: "
                f"{', '.join(places)}; call them 0, 1, ... in the order of the layers"
            )
        latest[stem] = numbers_in
    return places


def _joined(place: str, kind: str) -> str:
    return f"{place}.{kind}" if place else kind


def _layer(weight: Any, bias: Any, place: str) -> Layer:
    W = _array(weight, _joined(place, "weight"))
    return Layer(W, None if bias is None else _array(bias, _joined(place, "bias")))


def _array(tensor: Any, name: str) -> Array:
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


def to_torch(net: Network) -> Any:
    """A torch.nn.Sequential that computes what the network does.

    Parameters
    ----------
    net : Network

    Returns
    -------
    torch.nn.Sequential
        Linear layers in the network's type, with copies of its weights, to the last bit, and modules of the
        activations. Where the output is softmax or logistic, and PyTorch's loss is CrossEntropyLoss or
        BCEWithLogitsLoss, which take logits, leave the last one out: ``module[:-1]``.

    Raises
    ------
    ImportError
        If torch is not installed.
    TypeError
        If `net` is not a network.
    ValueError
        If it has layers that are not dense.

    Notes
    -----
    sin and exp, of which PyTorch has no modules, are classes of this library: to load a module with them by
    ``torch.load``, it has to be installed. The state dict is free of them.
    """
    names = (*check_network(net).hidden, net.output)
    net._architecture.check_dense("net")
    torch = _optional.load("torch", "torch", "fastmlp.to_torch")
    modules = []
    for W, b, name in zip(net.weights, net.biases, names, strict=True):
        linear = torch.nn.Linear(*W.shape[::-1], device="meta")  # no starting values: the generator is left alone
        linear.weight = torch.nn.Parameter(torch.tensor(W))
        linear.bias = torch.nn.Parameter(torch.tensor(b))
        modules.append(linear)
        if name in UNITS:
            attributes = {attribute: values[0] for attribute, values in UNITS[name][1].items()}
            modules.append(_unit_class(torch.nn, name)(**attributes))
    return torch.nn.Sequential(*modules)
