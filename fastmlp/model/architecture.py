"""What a network is made of, without its numbers: layers, activations, loss, and the order of the parameters.

The parameters are one vector: for each layer W, of a dense one (n_out, n_in), row by row, then b (n_out).
`Architecture.unravel` and `groups` are the one place that knows this order above the compiled floor.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _images
from fastmlp import _validation as check
from fastmlp._cached import cached_property
from fastmlp._core.sums.plan import Plan
from fastmlp.errors import ModelFormatError
from fastmlp.model import arguments, losses, names
from fastmlp.model import layers as kinds
from fastmlp.model.activations import OUTPUT, Activation
from fastmlp.model.layers import Layer, Shape
from fastmlp.model.losses import Loss


class LayerViews(NamedTuple):
    """Views into a parameter vector: weights (n_out, n_in) and biases (n_out,) of each layer that has parameters."""

    weights: tuple[NDArray[Any], ...]
    biases: tuple[NDArray[Any], ...]


class Place(NamedTuple):
    """Where the parameters of a layer lie in the vector."""

    number: int  #: of the layer, from 0
    layer: Layer
    weights: slice
    biases: slice


@dataclass(frozen=True)
class Architecture:
    """Layers, loss and number type; immutable.

    Use `Architecture.create` to check arguments and fill in defaults.
    """

    layers: tuple[Layer, ...]
    hidden: tuple[Activation, ...]
    output: Activation
    loss: Loss
    dtype: np.dtype[Any]
    plan: Plan = field(compare=False, repr=False, hash=False)
    input_names: tuple[str, ...] | None = field(default=None, compare=False)  #: columns of a table
    class_names: tuple[str, ...] | None = field(default=None, compare=False)  #: by number

    @classmethod
    def create(
        cls, layers: Any, hidden: Any, output: Any, loss: Any, dtype: Any, input_names: Any = None,
        class_names: Any = None,
    ) -> Architecture:  # fmt: skip
        """Check the arguments of `fastmlp.Network` and make an architecture of them."""
        inputs, entries = arguments.entries_of(layers)
        hidden = arguments.hidden_of(hidden, sum(kind.has_activation for kind in entries[:-1]))
        output = Activation._chosen(output, "output", OUTPUT)
        layers = arguments.layers_of(inputs, entries, hidden, output)
        n_outputs = layers[-1].n_out
        if not output.is_elementwise and n_outputs < 2:
            raise ValueError(f"output: expected at least 2 outputs for {output}, got {n_outputs}; use 'logistic'")
        loss = losses.for_output(loss, output)
        number_type = arguments.number_type_of(dtype)
        plan = Plan(layers, loss.index, number_type.itemsize)
        return cls(layers, hidden, output, loss, number_type, plan).named(input_names).with_classes(class_names)

    @classmethod
    def restored(cls, state: Any) -> Architecture:
        """Of what `__getstate__` gave, as a pickle holds it; ModelFormatError if it is something else."""
        try:
            return cls.read(state)
        except (TypeError, ValueError) as error:
            raise ModelFormatError(f"state: expected the architecture of a network, got another ({error})") from error

    @classmethod
    def read(cls, state: Any) -> Architecture:
        """Of what `__getstate__` gave; TypeError or ValueError if it is something else."""
        if not isinstance(state, dict):
            raise TypeError(f"expected a dict, got {type(state).__name__}")
        layers = state.get("layers")
        if isinstance(layers, (list, tuple)):
            layers = [kinds.read(each) for each in layers]
        return cls.create(**(state | {"layers": layers}))

    @property
    def specification(self) -> tuple[Any, ...]:
        """The list that `create` takes: sizes, but for inputs of several axes, and for layers that are not dense."""
        return (self._first, *(kinds.shown(layer.kind) for layer in self.layers))

    @property
    def _first(self) -> Any:
        """The entry for the inputs."""
        shape = self.layers[0].inputs
        return shape[0] if len(shape) == 1 else shape

    def __getstate__(self) -> dict[str, Any]:
        """The arguments of `create`, in plain types."""
        named = {"input_names": self.input_names, "class_names": self.class_names}
        return {name: list(each) for name, each in named.items() if each is not None} | {
            "layers": (self._first, *(kinds.written(layer.kind) for layer in self.layers)),
            "hidden": [activation.name for activation in self.hidden],
            "output": self.output.name,
            "loss": self.loss.name,
            "dtype": self.dtype.name,
        }

    def changed(self, **arguments: Any) -> Architecture:
        """Another one, with these arguments of `create` in place of its own; with the names that still are as many."""
        state = self.__getstate__() | {"layers": self.specification, "input_names": None, "class_names": None}
        made = Architecture.create(**(state | arguments))
        if made.n_inputs == self.n_inputs and "input_names" not in arguments:
            made = made.named(self.input_names)
        return made.with_classes(self.class_names) if made.n_classes == self.n_classes else made

    def named(self, input_names: Any) -> Architecture:
        """With these names of the inputs, or None; TypeError or ValueError if there is not one text for each."""
        own = None if input_names is None else names.checked(input_names, "input_names", self.n_inputs, "input")
        return self if own == self.input_names else replace(self, input_names=own)

    def named_by(self, X: Any) -> Architecture:
        """With the names of the columns of X, if it has as many as there are inputs; ValueError if others are known."""
        self.check_names(X)
        columns = names.of_table(X)
        return self if columns is None or len(columns) != self.n_inputs else self.named(columns)

    def check_names(self, X: Any) -> None:
        """ValueError where X is a table whose columns are not the inputs, in their order."""
        if self.input_names is not None:
            names.check_same(self.input_names, X)

    @property
    def n_classes(self) -> int:
        """Of which a sample has one; 0 where outputs are something else."""
        if not self.loss.is_of_classes:
            return 0
        return self.n_outputs if self.loss.couples_outputs else 2 * (self.n_outputs == 1)

    def with_classes(self, class_names: Any) -> Architecture:
        """With these names of the classes, or None; TypeError or ValueError if there is not one text for each."""
        if class_names is not None and not self.n_classes:
            raise ValueError(f"class_names: expected None for {self.loss} of {self.n_outputs} outputs, got some")
        own = None if class_names is None else names.checked(class_names, "class_names", self.n_classes, "class")
        if own is not None and len(set(own)) < len(own):
            raise ValueError(f"class_names: expected different ones, got {names.listed(own)}")
        return self if own == self.class_names else replace(self, class_names=own)

    def called_as(self, other: Architecture) -> Architecture:
        """With the names of another one, whose inputs and outputs are the same."""
        return self.named(other.input_names).with_classes(other.class_names)

    def told_by(self, X: Any, T: Any) -> Architecture:
        """With the names of the columns of X, and those of the classes that T has, where they are not known."""
        named = self.named_by(X)
        found = names.texts(T) if self.n_classes and self.class_names is None else None
        return named if found is None else named.with_classes(names.of_classes(found, self.n_classes))

    def numbered(self, T: Any) -> Any:
        """Targets, those that are names of classes by number."""
        found = names.texts(T) if self.class_names is not None else None
        return T if found is None or self.class_names is None else names.numbers(self.class_names, found)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Without the plan, which is compiled: states of plain types are what skops can write, too."""
        made = Architecture.restored(state)
        for each in fields(self):
            object.__setattr__(self, each.name, getattr(made, each.name))

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """(D, M1, ..., K)."""
        return (self.layers[0].n_in, *(layer.n_out for layer in self.layers))

    @property
    def n_inputs(self) -> int:
        """D."""
        return self.widths[0]

    @property
    def n_outputs(self) -> int:
        """K."""
        return self.widths[-1]

    @cached_property
    def n_params(self) -> int:
        """P, over dense layers the sum of (n_in + 1) n_out."""
        return sum(layer.n_params for layer in self.layers)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """One of each layer."""
        return tuple([layer.activation for layer in self.layers])

    def phrase(self) -> str:
        """In short, as tables have it: "2-5-1, tanh, identity, squared_error"."""
        hidden = self.hidden[:1] if len(set(self.hidden)) == 1 else self.hidden
        words = map(str, (*hidden, self.output, self.loss, self.dtype))
        sizes = [layer.n_out if layer.is_dense else layer.phrase() for layer in self.layers]
        inputs = "x".join(map(str, self.layers[0].inputs))
        return ", ".join(["-".join(map(str, (inputs, *sizes))), *words])

    @property
    def has_maps(self) -> bool:
        """Whether samples have several axes, before a layer or behind it."""
        return any(len(layer.inputs) > 1 or len(layer.outputs) > 1 for layer in self.layers)

    def rows(self, X: Any, *, finite: bool = True) -> NDArray[Any]:
        """Inputs X, checked, as rows (N, D): rows already, or samples in the shape that the network was given.

        Raises
        ------
        TypeError, ValueError
            If they are something else; one channel of images need not have an axis of its own.
        """
        self.check_names(X)
        shape = self.layers[0].inputs
        if len(shape) > 1:
            X = _images.as_rows(check.real_array(X, "X", self.dtype, finite=finite), shape)
        return check.matrix(X, "X", self.n_inputs, self.dtype, finite=finite)

    def sample_or_rows(self, X: Any) -> tuple[NDArray[Any], bool]:
        """Inputs X as `rows`, and whether X is one sample of D numbers in one dimension, which is a row then."""
        if getattr(X, "ndim", 1) == 1:
            self.check_names(X)
            X = check.real_array(X, "X", self.dtype)
            if X.shape == (self.n_inputs,):
                return X[np.newaxis], True
        return self.rows(X), False

    @cached_property
    def is_dense(self) -> bool:
        """Whether all layers are."""
        return all(layer.is_dense for layer in self.layers)

    @property
    def is_plain(self) -> bool:
        """Whether sizes say all of its layers: they are dense, and samples are rows."""
        return self.is_dense and not self.has_maps

    def check_dense(self, argument: str, *numbers: int) -> None:
        """Refuse networks with other layers than dense ones: among those of these numbers, from 0, or among all.

        Raises
        ------
        ValueError
            That `argument` expects dense layers, which one is of another kind.
        """
        for number in numbers or range(len(self.layers)):
            layer = self.layers[number]
            if not layer.is_dense:
                which = 1 + number % len(self.layers)
                raise ValueError(f"{argument}: expected dense layers, got layer {which}, which is {layer.kind!r}")

    @property
    def groups(self) -> dict[str, slice]:
        """Where the weights and biases of each layer lie in the vector: {"W1": slice, "b1": slice, ...}."""
        groups = {}
        for number, place in enumerate(self.places, 1):
            groups[f"W{number}"] = place.weights
            if place.layer.biases:
                groups[f"b{number}"] = place.biases
        return groups

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Of the layers that have parameters: those that groups and views count."""
        places, start = [], 0
        for number, layer in enumerate(self.layers):
            middle, stop = start + layer.n_weights, start + layer.n_params
            if stop > start:
                places.append(Place(number, layer, slice(start, middle), slice(middle, stop)))
            start = stop
        return tuple(places)

    @property
    def first(self) -> Layer:
        """The first layer that has parameters, W1 and b1."""
        return self.places[0].layer

    @cached_property
    def absent(self) -> NDArray[np.bool_] | None:
        """Parameters (P,) that are not there and stay 0, for want of connections; None if all are there."""
        if not any(layer.n_absent for layer in self.layers):
            return None
        mask = np.zeros(self.n_params, bool)
        for place, W in zip(self.places, self.unravel(mask).weights, strict=True):
            if place.layer.present is not None:
                W[...] = ~place.layer.present
        return mask

    def held(self, pruned: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """What stays 0 where this has been pruned: what is absent too. None if it is nothing."""
        if pruned is None or self.absent is None:
            return self.absent if pruned is None or not pruned.any() else pruned
        return pruned | self.absent

    @cached_property
    def _shapes(self) -> tuple[list[tuple[slice, Shape]], list[tuple[slice, Shape]]]:
        """Where the weights lie and their shapes, and those of the biases."""
        weights = [(place.weights, place.layer.weights) for place in self.places]
        return weights, [(place.biases, place.layer.biases or (0,)) for place in self.places]

    def unravel(self, params: NDArray[Any]) -> LayerViews:
        """Views of a contiguous parameter vector as one array of weights and one of biases a layer with parameters."""
        weights, biases = self._shapes
        return LayerViews(
            tuple([params[place].reshape(shape) for place, shape in weights]),
            tuple([params[place].reshape(shape) if len(shape) > 1 else params[place] for place, shape in biases]),
        )

    def may_exchange(self, number: int) -> bool:
        """Whether units of hidden layer `number`, from 0, may change places: it and the layer behind are dense."""
        return self.layers[number].is_dense and self.layers[number + 1].is_dense

    @cached_property
    def _exchanged(self) -> list[tuple[int, int, slice, int]]:
        """Of hidden layers whose units may change places: which views and which layer, the first weights, how many."""
        places = [(view, *place) for view, place in enumerate(self.places[:-1]) if self.may_exchange(place.number)]
        return [
            (view, number, slice(weights.start, weights.stop, layer.n_in), layer.n_out)
            for view, number, layer, weights, _ in places
        ]

    def identical_units(self, params: NDArray[Any], pruned: NDArray[np.bool_] | None = None) -> list[int]:
        """Hidden layers (from 1) in which some units have the same weights in and out, and so stay identical.

        Units all of whose parameters are pruned do not count.
        """
        found = []
        for view, number, column, n_out in self._exchanged:
            if len(set(params[column].tolist())) == n_out:  # mostly one tells
                continue
            units = self._of_units(params, view)
            if pruned is not None:
                units = units[~self._of_units(pruned, view).all(axis=1)]
            if len({unit.tobytes() for unit in units + 0.0}) < len(units):  # + 0.0 makes -0.0 equal to 0.0
                found.append(number + 1)
        return found

    def _of_units(self, params: NDArray[Any], view: int) -> NDArray[Any]:
        """The parameters of each unit of a dense layer: row of weights, bias, column of the layer behind."""
        weights, biases = self.unravel(params)
        return np.hstack([weights[view], biases[view][:, np.newaxis], weights[view + 1].T])
