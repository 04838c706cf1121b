"""What a network is made of, without its numbers: layers, activations, loss, and the order of the parameters.

The parameters are one vector: for each layer W (n_out, n_in) row by row, then b (n_out). `Architecture.unravel` and
`groups` are the one place that knows this order above the compiled floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._core.sums.plan import Plan
from fastmlp.errors import ModelFormatError
from fastmlp.model import losses
from fastmlp.model.activations import HIDDEN, OUTPUT, Activation
from fastmlp.model.losses import Loss


class LayerViews(NamedTuple):
    """Views into a parameter vector: weights (n_out, n_in) and biases (n_out,) of each layer."""

    weights: tuple[NDArray[Any], ...]
    biases: tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Architecture:
    """Sizes of the layers, activations, loss and number type; immutable.

    Use `Architecture.create` to check arguments and fill in defaults.
    """

    layers: tuple[int, ...]
    hidden: tuple[Activation, ...]
    output: Activation
    loss: Loss
    dtype: np.dtype[Any]
    plan: Plan = field(compare=False, repr=False, hash=False)

    @classmethod
    def create(cls, layers: Any, hidden: Any, output: Any, loss: Any, dtype: Any) -> Architecture:
        """Check the arguments of `fastmlp.Network` and make an architecture of them."""
        sizes = _sizes(layers)
        hidden = _hidden(hidden, len(sizes) - 2)
        output = Activation._chosen(output, "output", OUTPUT)
        if not output.is_elementwise and sizes[-1] < 2:
            raise ValueError(f"output: expected at least 2 outputs for {output}, got {sizes[-1]}; use 'logistic'")
        loss = losses.for_output(loss, output)
        number_type = _number_type(dtype)
        kinds = [activation.index for activation in (*hidden, output)]
        plan = Plan(sizes, kinds, loss.index, number_type.itemsize)
        return cls(sizes, hidden, output, loss, number_type, plan)

    @classmethod
    def restored(cls, state: Any) -> Architecture:
        """Of what a pickle holds, the arguments of `create`; ModelFormatError if it does not."""
        try:
            return cls.create(**state)
        except (TypeError, ValueError) as error:
            raise ModelFormatError(f"state: expected the architecture of a network, got another ({error})") from error

    def __getstate__(self) -> dict[str, Any]:
        """The arguments of `create`."""
        return {
            "layers": self.layers,
            "hidden": [activation.name for activation in self.hidden],
            "output": self.output.name,
            "loss": self.loss.name,
            "dtype": self.dtype.name,
        }

    def changed(self, **arguments: Any) -> Architecture:
        """Another one, with these arguments of `create` in place of its own."""
        return Architecture.create(**(self.__getstate__() | arguments))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Without the plan, which is compiled: states of plain types are what skops can write, too."""
        made = Architecture.restored(state)
        for each in fields(self):
            object.__setattr__(self, each.name, getattr(made, each.name))

    @property
    def n_inputs(self) -> int:
        """D."""
        return self.layers[0]

    @property
    def n_outputs(self) -> int:
        """K."""
        return self.layers[-1]

    @cached_property
    def n_params(self) -> int:
        """P = sum over layers of (n_in + 1) n_out."""
        return sum((n_in + 1) * n_out for n_in, n_out in self.shapes)

    def phrase(self) -> str:
        """In short, as tables have it: "2-5-1, tanh, identity, squared_error"."""
        hidden = self.hidden[:1] if len(set(self.hidden)) == 1 else self.hidden
        names = map(str, (*hidden, self.output, self.loss, self.dtype))
        return ", ".join(["-".join(map(str, self.layers)), *names])

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(n_in, n_out) of each layer of weights."""
        return list(pairwise(self.layers))

    @property
    def groups(self) -> dict[str, slice]:
        """Where the weights and biases of each layer lie in the vector: {"W1": slice, "b1": slice, ...}."""
        groups = {}
        for number, (weights, biases, _) in enumerate(self._places, 1):
            groups[f"W{number}"], groups[f"b{number}"] = weights, biases
        return groups

    @cached_property
    def _places(self) -> tuple[tuple[slice, slice, tuple[int, int]], ...]:
        """Of each layer, where its weights and its biases lie in the vector, and its (n_out, n_in)."""
        places, start = [], 0
        for n_in, n_out in self.shapes:
            middle, stop = start + n_in * n_out, start + (n_in + 1) * n_out
            places.append((slice(start, middle), slice(middle, stop), (n_out, n_in)))
            start = stop
        return tuple(places)

    def unravel(self, params: NDArray[Any]) -> LayerViews:
        """Views of a contiguous parameter vector as one matrix and one vector a layer."""
        weights = [params[weights].reshape(shape) for weights, _, shape in self._places]
        return LayerViews(tuple(weights), tuple([params[biases] for _, biases, _ in self._places]))

    def identical_units(self, params: NDArray[Any]) -> list[int]:
        """Hidden layers (from 1) in which some units have the same weights in and out, and so stay identical."""
        found = []
        for layer, (place, _, (n_out, n_in)) in enumerate(self._places[:-1]):
            column = params[place.start : place.stop : n_in]
            if len(set(column.tolist())) == n_out:  # mostly one tells
                continue
            weights, biases = self.unravel(params)
            units = np.hstack([weights[layer], biases[layer][:, np.newaxis], weights[layer + 1].T])
            if len({unit.tobytes() for unit in units + 0.0}) < len(units):  # + 0.0 makes -0.0 equal to 0.0
                found.append(layer + 1)
        return found


def _sizes(layers: Any) -> tuple[int, ...]:
    if isinstance(layers, (str, bytes)) or not isinstance(layers, (Sequence, np.ndarray)):
        raise TypeError(f"layers: expected a sequence of layer sizes [D, M1, ..., K], got {check.shown(layers)}")
    if isinstance(layers, np.ndarray) and layers.ndim != 1:
        raise ValueError(f"layers: expected one dimension, got shape {layers.shape}")
    sizes = tuple(check.integer(size, "layers", 1) for size in layers)
    if len(sizes) < 2:
        raise ValueError(f"layers: expected at least two sizes [D, K], got {list(sizes)}")
    if sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes)) > 2**40:
        raise ValueError(f"layers: expected a network of at most 2^40 parameters, got {list(sizes)}")
    return sizes


def _hidden(hidden: Any, n_hidden: int) -> tuple[Activation, ...]:
    if isinstance(hidden, str):
        return (_hidden_activation(hidden),) * n_hidden
    if not isinstance(hidden, (Sequence, np.ndarray)):
        raise TypeError(f"hidden: expected a name, or one for each hidden layer, got {check.shown(hidden)}")
    if isinstance(hidden, np.ndarray) and hidden.ndim != 1:
        raise ValueError(f"hidden: expected one dimension, got shape {hidden.shape}")
    if len(hidden) != n_hidden:
        raise ValueError(f"hidden: expected a name, or one for each of the {n_hidden} hidden layers, got {len(hidden)}")
    return tuple(_hidden_activation(name) for name in hidden)


def _hidden_activation(name: Any) -> Activation:
    return Activation._chosen(name, "hidden", HIDDEN)


def _number_type(dtype: Any) -> np.dtype[Any]:
    for number_type in (np.dtype(np.float64), np.dtype(np.float32)):
        if isinstance(dtype, str):
            matches = dtype in (number_type.name, number_type.str, number_type.str[1:])
        else:
            matches = dtype is not None and (dtype == number_type) is True
        if matches:
            return number_type
    raise ValueError(f"dtype: expected float32 or float64, got {check.shown(dtype)}")
