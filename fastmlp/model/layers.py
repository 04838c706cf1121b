"""What layers are: kinds, of which there may be more than the dense one, and records of the layers of a network.

A kind of layer is a subclass of `Kind`, whose objects stand in the list that `fastmlp.Network` takes, and its compiled
products (`fastmlp/_core/sums/kinds.pxd`). All that the rest of the library knows of a layer is its `Layer`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import _hints
from fastmlp import _validation as check
from fastmlp._core.sums import dense, kinds
from fastmlp.model.activations import Activation

#: the extents of what one sample has before or behind a layer: (n,), or those of several axes
Shape = tuple[int, ...]
#: what the layers of others may be called here
CALLED = (_hints.UNITS, "Conv", "AveragePool", "MaxPool")


@dataclass(frozen=True)
class Kind(ABC):
    """A layer as users write it: ``[784, Kind(...), 10]``. Fields of subclasses are arguments, which files keep.

    A subclass is a frozen dataclass; it is found by its `name`, if it has one of its own, from its definition on.
    """

    #: as files have it
    name: ClassVar[str]
    #: the three products
    compiled: ClassVar[kinds.CompiledKind]
    #: whether an activation follows; without, it is the identity, and `hidden` has no name for it
    has_activation: ClassVar[bool] = True
    #: whether its weights can take up a scale of its inputs, or of each of their channels
    takes_scales: ClassVar[bool] = False
    #: whether it has no weights and lets a scale above 0 and a shift of a channel through as they are
    keeps_channels: ClassVar[bool] = False

    _kinds: ClassVar[dict[str, type[Kind]]] = {}

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            Kind._kinds[cls.name] = cls

    def __repr__(self) -> str:
        """The call that makes it, without arguments that are left out: "Conv(4, 5, stride=2)"."""
        given = [(each, getattr(self, each.name)) for each in fields(self)]
        shown = [
            repr(value) if each.default is MISSING else f"{each.name}={value!r}"
            for each, value in given
            if each.default is MISSING or value != each.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    @abstractmethod
    def after(self, inputs: Shape, activation: Activation) -> Layer:
        """The layer behind one whose outputs have the shape `inputs`.

        Raises
        ------
        ValueError
            If it cannot be there; the message begins with "layers: ".
        """

    @property
    def takes_shifts(self) -> bool:
        """Whether its biases can take up a shift of its inputs, or of each of their channels."""
        return self.takes_scales

    def present(self, layer: Layer) -> NDArray[np.bool_] | None:
        """Which weights of a layer there are, a mask that broadcasts to W; the others are 0. None: all of them."""
        return None

    def phrase(self, layer: Layer) -> str:
        """What `summary` shows of a layer."""
        return f"{self.name} {' x '.join(map(str, layer.outputs))}"


class Layer(NamedTuple):
    """A layer z = B(w, a), linear in its parameters w and (piece by piece) in its inputs a, and its activation.

    Its parameters are W, then b, each row by row. A shape () stands for none.
    """

    kind: Kind
    inputs: Shape
    outputs: Shape
    activation: Activation
    weights: Shape = ()
    biases: Shape = ()
    fan_in: int = 0  #: inputs of a unit, where all weights are there
    fan_out: int = 0  #: units that an input goes to, likewise
    work: int = 0  #: multiply-adds of a sample
    geometry: tuple[int, ...] = ()  #: numbers that its products need besides

    @property
    def n_in(self) -> int:
        """Numbers before it."""
        return math.prod(self.inputs)

    @property
    def n_out(self) -> int:
        """Units."""
        return math.prod(self.outputs)

    @property
    def n_weights(self) -> int:
        """How many numbers W has."""
        return math.prod(self.weights) if self.weights else 0

    @property
    def n_biases(self) -> int:
        """How many numbers b has."""
        return math.prod(self.biases) if self.biases else 0

    @property
    def n_params(self) -> int:
        """Both together."""
        return self.n_weights + self.n_biases

    @property
    def present(self) -> NDArray[np.bool_] | None:
        """Which weights there are, a mask that broadcasts to W; None: all of them."""
        return self.kind.present(self)

    @property
    def n_absent(self) -> int:
        """How many weights are not there, and stay 0."""
        present = self.present
        return 0 if present is None else self.n_weights // present.size * int((~present).sum())

    @property
    def links(self) -> int:
        """Inputs and biases of all units: what `work` counts, without the weights that are not there."""
        uses = self.n_out * self.fan_in // max(1, self.n_weights)  # of each weight
        return self.work - uses * self.n_absent

    @property
    def fans(self) -> tuple[Any, Any]:
        """Inputs of a unit and units that an input goes to, as far as they are there: numbers that broadcast to W."""
        present = self.present
        if present is None:
            return self.fan_in, self.fan_out
        of_unit = present.mean(axis=tuple(range(1, present.ndim)), keepdims=True)
        return self.fan_in * of_unit, self.fan_out * present.mean(axis=0, keepdims=True)

    @property
    def is_dense(self) -> bool:
        """Whether each unit has a row of weights for all inputs."""
        return self.kind.compiled.is_dense

    def phrase(self) -> str:
        """What `summary` shows of it: "5 x 2"."""
        return self.kind.phrase(self)


@dataclass(frozen=True)
class Dense(Kind):
    """What a number in the list stands for: z = W a + b, with W (n_out, n_in)."""

    name = "dense"
    compiled = dense.DENSE
    takes_scales = True

    n_units: int

    def after(self, inputs: Shape, activation: Activation) -> Layer:
        """Inputs of any shape are taken as one row."""
        n_in, n_out = math.prod(inputs), self.n_units
        return Layer(
            self, inputs, (n_out,), activation, weights=(n_out, n_in), biases=(n_out,), fan_in=n_in, fan_out=n_out,
            work=(n_in + 1) * n_out,
        )  # fmt: skip

    def phrase(self, layer: Layer) -> str:
        """The shape of W."""
        return " x ".join(map(str, layer.weights))


def taken(item: Any, name: str = "layers") -> Kind:
    """The kind that an entry of a user's list behind the first one stands for."""
    if isinstance(item, Kind):
        return item
    try:
        return Dense(check.integer(item, name, 1))
    except TypeError as error:
        hint = _hints.hint(item if isinstance(item, str) else type(item).__name__, CALLED)
        how = "layers other than dense ones are written as Conv(4, 5), activations are given by hidden= and output="
        raise TypeError(f"{error}; {how}{hint}") from None


def hidden(entries: Any, name: str) -> tuple[Shape | None, tuple[Kind, ...]]:
    """What an argument of hidden layers says: the shape of a sample, if one stands before them, and the layers.

    Raises
    ------
    TypeError, ValueError
        If an entry is something else; the message begins with the name of the argument.
    """
    items = check.sequence(entries, name, "hidden layers, and before them the shape of a sample")
    shape = None
    if items and isinstance(items[0], (tuple, list)):
        shape = tuple([check.integer(each, name, 1) for each in items.pop(0)])
    return shape, tuple([taken(each, name) for each in items])


def shown(kind: Kind) -> Any:
    """The entry of a list that stands for a kind: a number if it is dense."""
    return kind.n_units if isinstance(kind, Dense) else kind


def written(kind: Kind) -> Any:
    """The same in types that files can hold."""
    return kind.n_units if isinstance(kind, Dense) else {"kind": kind.name, **asdict(kind)}


def read(item: Any) -> Any:
    """What `written` gave, as an entry of a list again, which is still to be checked."""
    if not isinstance(item, Mapping):
        return item
    arguments = dict(item)
    name = arguments.pop("kind", None)
    if name not in Kind._kinds:
        raise ValueError(f"layers: expected kinds among {', '.join(Kind._kinds)}, got {check.shown(name)}")
    return shown(Kind._kinds[name](**arguments))
