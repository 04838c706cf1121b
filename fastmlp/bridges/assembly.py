"""Networks from matrices and vectors of other libraries, and networks layer by layer, for other libraries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array
from fastmlp.model.architecture import Architecture
from fastmlp.model.layers import Kind, Layer
from fastmlp.network import Network


class Part(NamedTuple):
    """A layer, its W and b, None where there are none, and their number in the names of groups."""

    layer: Layer
    W: Array | None
    b: Array | None
    number: int


def network_of(model: Any) -> Network:
    """A network, or that of a fitted estimator."""
    net = getattr(model, "network_", model)
    if isinstance(net, Network):
        return net
    change = "; call its fit" if hasattr(model, "get_params") else ""
    if isinstance(getattr(type(model), "network", None), property):
        change = "; give its .network"
    raise TypeError(f"net: expected a fastmlp.Network or a fitted estimator, got {type(model).__name__}{change}")


def assembled(
    layers: Sequence[Any],
    weights: Sequence[Array],
    biases: Sequence[Array | None],
    hidden: Any,
    output: str,
    loss: Any,
    *,
    argument: str,
) -> Network:
    """A network of these layers with these W and b, to the last bit; no bias is one of zeros.

    ValueError, which names the argument that they come from, where they do not fit.
    """
    types = {array.dtype for array in (*weights, *biases) if array is not None}
    if len(types) > 1:
        raise ValueError(
            f"{argument}: expected weights of one number type, got {' and '.join(sorted(map(str, types)))}"
        )
    architecture = Architecture.create(layers, hidden, output, loss, types.pop())
    params = np.zeros(architecture.n_params, architecture.dtype)
    for target, source in zip(architecture.unravel(params).weights, weights, strict=True):
        if source.shape[1] != target.shape[1]:
            before = "inputs, as many as units" if source.ndim == 2 else "channels, as many as maps"
            raise ValueError(
                f"{argument}: expected weights of {target.shape[1]} {before} before, got {source.shape[1]}"
            )
        if source.shape != target.shape:
            raise ValueError(f"{argument}: expected weights of shape {target.shape}, got {source.shape}")
        target[...] = source
    for target, bias in zip(architecture.unravel(params).biases, biases, strict=True):
        if bias is not None:
            target[...] = bias
    numbers = check.vector(params, argument, len(params), architecture.dtype)
    return Network._make(architecture, numbers, trained=True)


def sizes(weights: Sequence[Array]) -> list[int]:
    """The list of dense layers with these W (n_out, n_in)."""
    return [weights[0].shape[1], *map(len, weights)]


def shortest(extents: Sequence[int]) -> int | tuple[int, ...]:
    """A number for all axes, if it is the same."""
    return extents[0] if len(set(extents)) == 1 else tuple(extents)


def taken_apart(net: Network, kinds: Collection[type[Kind]]) -> Iterator[Part]:
    """The layers of a network.

    Raises
    ------
    ValueError
        If a layer is of none of these kinds.
    """
    layers = net._architecture.layers
    for place, layer in enumerate(layers, 1):
        if type(layer.kind) not in kinds:
            names = ", ".join(kind.name for kind in kinds)
            raise ValueError(f"net: expected layers of kinds {names}, got layer {place}, which is {layer.kind!r}")
    weights, biases, number = iter(net.weights), iter(net.biases), 0
    for layer in layers:
        if not layer.n_params:
            yield Part(layer, None, None, 0)
            continue
        W, b, number = next(weights), next(biases), number + 1
        yield Part(layer, W, b if layer.n_biases else None, number)
