"""Two kinds of layers that the library has not, by the products of `fastmlp/_core/specimens.pyx`."""

import math
from dataclasses import dataclass

from fastmlp._core import specimens
from fastmlp.model.layers import Kind, Layer


@dataclass(frozen=True)
class Diagonal(Kind):
    """z_i = w_i a_i + b_i: as many units as there are inputs, each with one weight."""

    name = "diagonal"
    compiled = specimens.DIAGONAL

    def after(self, inputs, activation):
        """The same shape again."""
        return Layer(
            self, inputs, inputs, activation, weights=inputs, biases=inputs, fan_in=1, fan_out=1,
            work=2 * math.prod(inputs),
        )  # fmt: skip


@dataclass(frozen=True)
class Averages(Kind):
    """Means of so many neighbours, without parameters."""

    name = "averages"
    compiled = specimens.AVERAGES
    has_activation = False

    size: int

    def after(self, inputs, activation):
        """Inputs have one axis."""
        if len(inputs) != 1 or inputs[0] % self.size:
            raise ValueError(f"layers: expected a multiple of {self.size} units before {self!r}, got {inputs}")
        outputs = (inputs[0] // self.size,)
        return Layer(self, inputs, outputs, activation, work=inputs[0], geometry=(self.size,))
