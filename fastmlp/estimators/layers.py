"""The layers of an estimator's network, by `hidden_layer_sizes` or by `layers`, and the shape of its samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _images
from fastmlp import _validation as check
from fastmlp.model import activations
from fastmlp.model import layers as kinds
from fastmlp.model.layers import Kind, Shape


def hidden_layers(estimator: Any) -> tuple[Shape | None, tuple[Kind, ...]]:
    """The shape of a sample, where `layers` begins with one, and the hidden layers.

    Raises
    ------
    TypeError, ValueError
        If the argument, which the message names, is something else.
    """
    sizes = hidden_sizes(estimator.hidden_layer_sizes)
    if estimator.layers is None:
        return None, tuple([kinds.Dense(check.integer(size, "hidden_layer_sizes", 1)) for size in sizes])
    if sizes != (100,):
        raise ValueError(f"layers: expected None beside hidden_layer_sizes={check.shown(estimator.hidden_layer_sizes)}")
    return kinds.hidden(estimator.layers, "layers")


def specification(estimator: Any, shape: Shape) -> tuple[list[Any], list[str]]:
    """For samples of this shape, the list that `Network` takes but for its outputs, and the hidden activations."""
    hidden = hidden_layers(estimator)[1]
    names = hidden_activations(estimator.activation, sum(kind.has_activation for kind in hidden))
    return [shape[0] if len(shape) == 1 else shape, *map(kinds.shown, hidden)], names


def check_as_before(estimator: Any) -> None:
    """ValueError if the layers are not those of the network that there is."""
    net = estimator.network_
    layers, hidden = specification(estimator, net._architecture.layers[0].inputs)
    before = list(net._architecture.specification[:-1])
    if (before, list(net.hidden)) != (layers, hidden):
        raise ValueError(
            f"warm_start: expected the layers {tuple(before)} with {', '.join(net.hidden)} as before, "
            f"got {tuple(layers)} with {', '.join(hidden)}"
        )


def sample_shape(estimator: Any, X: Any, known: Shape | None) -> Shape | None:
    """The shape of samples: that which `layers` begins with, that which is known, or X's; None if X is of rows."""
    told = hidden_layers(estimator)[0] or known
    if told is not None or estimator.layers is None:
        return told
    axes = np.asarray(X).shape[1:]
    return (1, *axes) if len(axes) == 2 else axes if len(axes) > 2 else None


def as_rows(X: Any, shape: Shape | None) -> Any:
    """X with samples of this shape as rows; frames, sparse matrices, and what scikit-learn will refuse, as they are."""
    if shape is None or len(shape) == 1 or hasattr(X, "toarray") or hasattr(X, "columns"):
        return X
    array = np.asarray(X)
    return X if array.ndim <= 2 else _images.as_rows(array, shape)


def hidden_sizes(value: Any) -> tuple[Any, ...]:
    """The sizes of the hidden layers, of which a single one may be given as a number."""
    if not hasattr(value, "__iter__"):
        return (value,)
    return tuple(check.several(value, "hidden_layer_sizes", "numbers of hidden units"))


def hidden_activations(value: Any, n_hidden: int) -> list[str]:
    """The activation of each hidden layer."""
    kind = f"a name, or one for each of {n_hidden} hidden layers"
    several = isinstance(value, (list, tuple, np.ndarray))
    names = check.sequence(value, "activation", kind) if several else [value] * n_hidden
    if len(names) != n_hidden:
        raise ValueError(f"activation: expected {kind}, got {len(names)}")
    return [check.choice(name, "activation", activations.HIDDEN) for name in names]
