"""PyTorch's sequences of layers and state dicts as networks, and networks as such a sequence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastmlp import _optional
from fastmlp import _validation as check
from fastmlp.bridges.assembly import assembled, taken_apart
from fastmlp.bridges.torch.layers import KINDS, array_of, joined, modules_of, unit
from fastmlp.bridges.torch.reading import Found, read, specified
from fastmlp.model.activations import IDENTITY
from fastmlp.model.layers import Dense, Shape
from fastmlp.network.network import Network, check_network


def from_torch(
    module: Any,
    hidden: Any = None,
    output: str | None = None,
    loss: str | None = None,
    shape: tuple[int, ...] | None = None,
) -> Network:
    """The network that PyTorch's layers or a state dict describe.

    Parameters
    ----------
    module : torch.nn.Sequential, torch.nn.Linear, or mapping of names to tensors
        Linear layers, with or without biases, and Tanh, Sigmoid, ReLU, LeakyReLU (slope 0.01), Softplus, ELU, SiLU,
        GELU (exact), Softmax, or the `Sin` and `Exp` of `to_torch`; also nested. Before them Conv1d or Conv2d, AvgPool
        and MaxPool with windows side by side, ZeroPad and Flatten. Identity and, in evaluation mode, dropout are passed
        over. A state dict of linear layers has "NAME.weight" and "NAME.bias" of its linear layers: by number
        where the names are numbers ("0", "2", "10"; "net.0", "net.2"), in the order given where they are not.
    hidden : str or sequence of str, optional
        For a state dict with hidden layers: their activations, of which it does not tell.
    output : str, optional
        Activation of the outputs, where the last layer is linear: what belongs to PyTorch's loss, as softmax to
        CrossEntropyLoss, logistic to BCEWithLogitsLoss. identity by default.
    loss : str, optional
        As for `Network`.
    shape : tuple, optional
        Of a sample, (channels, height, width) or (channels, length), of which convolutions do not tell. By default that
        of an Unflatten in front, as `to_torch` has it, else the smallest square or the shortest signal that leaves the
        linear layer as many inputs as it has.

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
        hooks, parametrizations. If zeros around images are others than those of ``padding="same"``, or an activation
        stands behind a pool. If weights are not float32 or float64 (bfloat16, say), not finite, or do not fit each
        other. If numbers in other names ("fc1", "fc10", "fc2") are not in order. The message has the name.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> state = {"0.weight": np.array([[1.0, -1.0]]), "0.bias": np.array([0.5])}  # NumPy's arrays will do, too
    >>> fastmlp.from_torch(state, output="logistic")
    Network([2, 1], hidden=[], output='logistic', loss='binary_cross_entropy', dtype='float64')
    """
    if isinstance(module, Mapping):
        found = list(_layers_of_state(module))
        if hidden is None and len(found) > 1:
            raise ValueError(f"hidden: expected the activations of {len(found) - 1} hidden layers, got None")
    else:
        if hidden is not None:
            raise ValueError(f"hidden: expected None, as the modules tell the activations, got {check.shown(hidden)}")
        reading = read(_optional.load("torch", "torch", "fastmlp.from_torch"), module)
        found, shape = reading.found, _either(shape, reading.shape)
        hidden = [each.activation or IDENTITY.name for each in found[:-1] if each.kind.has_activation]
    if not found:
        raise ValueError("module: expected a linear layer at least, got none")
    last = found[-1].activation
    if output is not None and last is not None and output != last:
        raise ValueError(f"output: expected None or {last}, with which the module ends, got {check.shown(output)}")
    layers, weighted = specified(found, shape), [each for each in found if each.W is not None]
    weights, biases = [each.W for each in weighted if each.W is not None], [each.b for each in weighted]
    return assembled(
        layers,
        weights,
        biases,
        [] if len(found) == 1 else hidden,
        output or last or IDENTITY.name,
        loss,
        argument="module",
    )


def _either(shape: Any, own: Shape | None) -> Shape | None:
    """The shape of a sample that is given, or that a module begins with."""
    if shape is None:
        return own
    given = tuple(check.sequence(shape, "shape", "(channels, height, width) or (channels, length)"))
    if own not in (None, given):
        raise ValueError(f"shape: expected None or {own}, with which the module begins, got {check.shown(shape)}")
    return given


def _layers_of_state(state: Mapping[str, Any]) -> Iterator[Found]:
    """Linear layers of a state dict."""
    left, places = dict(state), []
    for key in state:
        if not isinstance(key, str):
            raise TypeError(f"module: expected a state dict with names for keys, got {check.shown(key)}")
        parts = key.split(".")
        if parts[-1] == "weight" and "parametrizations" not in parts and np.ndim(state[key]) == 2:
            places.append(".".join(parts[:-1]))
    for place in _in_order(places):
        weight, bias = (joined(place, kind) for kind in ("weight", "bias"))
        W, b = array_of(left.pop(weight), weight), left.pop(bias, None)
        yield Found(place, Dense(len(W)), W, None if b is None else array_of(b, bias))
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


def to_torch(net: Network) -> Any:
    """A torch.nn.Sequential that computes what the network does.

    Parameters
    ----------
    net : Network

    Returns
    -------
    torch.nn.Sequential
        Linear layers, convolutions and pools in the network's type, with copies of its weights, to the last bit, and
        modules of the activations. Images may come in as rows or in their shape. Where the output is softmax or
        logistic, and PyTorch's loss is CrossEntropyLoss or BCEWithLogitsLoss, which take logits, leave the last one
        out: ``module[:-1]``.

    Raises
    ------
    ImportError
        If torch is not installed.
    TypeError
        If `net` is not a network.
    ValueError
        If it has layers of other kinds than this library's own.

    Notes
    -----
    sin and exp, biases by position and layers whose weights are not shared, of which PyTorch has no modules, are
    classes of this library: to load a module with them by ``torch.load``, it has to be installed. The state dict is
    free of them.
    """
    parts = list(taken_apart(check_network(net), KINDS))
    torch = _optional.load("torch", "torch", "fastmlp.to_torch")
    modules, shape = [], parts[0].layer.inputs
    if len(shape) > 1:
        modules += [torch.nn.Flatten(), torch.nn.Unflatten(1, shape)]
    for part in parts:
        if part.layer.is_dense and len(part.layer.inputs) > 1:
            modules.append(torch.nn.Flatten())
        modules += modules_of(torch, part)
        if part is parts[-1] and len(part.layer.outputs) > 1:
            modules.append(torch.nn.Flatten())
        modules += unit(torch.nn, part.layer.activation.name)
    return torch.nn.Sequential(*modules)
