"""`compact`: a network without units and inputs that do nothing, and the same outputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastmlp._quiet import quiet
from fastmlp._types import Array, Index, Mask
from fastmlp.model.activations import Activation
from fastmlp.model.units import Units
from fastmlp.network import Network
from fastmlp.network.network import check_network


class Layer(NamedTuple):
    """One layer of weights while units are taken away."""

    W: Array
    b: Array
    kept_weights: Mask  # what has not been pruned
    kept_biases: Mask


@quiet
def compact(net: Network) -> tuple[Network, Index]:
    """The same function by a smaller network: without units that do nothing, and inputs that are not looked at.

    Parameters
    ----------
    net : Network
        Such as ``prune(...).best``; stays as it is.

    Returns
    -------
    small : Network
        With the mask of what has been deleted from the layers that are left, and the same units of its data.
    inputs : ndarray of shape (D',)
        The columns of X that it takes: ``small(X[:, inputs])`` equals ``net(X)``.

    Raises
    ------
    TypeError, ValueError
        If `net` is no network, or has other layers than dense ones.

    Notes
    -----
    A unit goes if all weights that leave it are 0. It goes too if all that lead into it are, and is then the constant
    h(b): h(b) times the weights that leave it goes into the next biases. One input is left at least; where no unit of a
    hidden layer is, the function is a constant, and the network has no hidden layer. Outputs are equal to rounding.

    Examples
    --------
    >>> import fastmlp
    >>> net = fastmlp.Network([3, 4, 1], rng=0)
    >>> net.weights[0][:, 1] = 0.0  # does not look at the second input,
    >>> net.weights[1][0, 2] = 0.0  # nor at the third unit
    >>> small, inputs = fastmlp.compact(net)
    >>> small.layers, inputs
    ((2, 3, 1), array([0, 2]))
    """
    architecture = check_network(net)._architecture
    architecture.check_dense("net")
    views, masks = architecture.unravel(net.params), architecture.unravel(~net.pruned)
    layers = [Layer(*each) for each in zip(*views, *masks, strict=True)]
    hidden = list(architecture.hidden)
    while _shrink(layers, hidden):
        pass
    if any(not len(layer.b) for layer in layers[:-1]):  # a constant, which the last biases have taken up
        last, hidden = layers[-1], []
        shape = len(last.b), layers[0].W.shape[1]
        layers = [last._replace(W=np.zeros(shape, last.W.dtype), kept_weights=np.zeros(shape, bool))]
    seen = layers[0].W.any(axis=0)
    inputs = np.flatnonzero(seen) if seen.any() else np.zeros(1, np.intp)
    layers[0] = layers[0]._replace(W=layers[0].W[:, inputs], kept_weights=layers[0].kept_weights[:, inputs])
    names = architecture.input_names
    small = architecture.changed(
        layers=[len(inputs), *(len(layer.b) for layer in layers)], hidden=[h.name for h in hidden],
        input_names=None if names is None else [names[i] for i in inputs],
    )  # fmt: skip
    params = np.concatenate([part for layer in layers for part in (layer.W.ravel(), layer.b)])
    kept = np.concatenate([part for layer in layers for part in (layer.kept_weights.ravel(), layer.kept_biases)])
    return Network._make(small, params, _units_of(net.units, inputs), trained=True, pruned=~kept), inputs


def _shrink(layers: list[Layer], hidden: list[Activation]) -> bool:
    """Take away units of the first layer that has such; whether there was one."""
    for number, h in enumerate(hidden):
        own, above = layers[number], layers[number + 1]
        used, varies = above.W.any(axis=0), own.W.any(axis=1)
        gone = ~used | ~varies
        if not gone.any():
            continue
        share = above.W[:, gone] @ h.value(own.b[gone])
        b = above.b + share.astype(above.b.dtype)
        layers[number] = Layer(own.W[~gone], own.b[~gone], own.kept_weights[~gone], own.kept_biases[~gone])
        kept_biases = above.kept_biases | (b != above.b)
        layers[number + 1] = Layer(above.W[:, ~gone], b, above.kept_weights[:, ~gone], kept_biases)
        return True
    return False


def _units_of(units: Units | None, inputs: Index) -> Units | None:
    return None if units is None else units.of_inputs(inputs)
