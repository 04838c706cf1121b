"""A kind of layer that the library has not: z_i = w_i a_i + b_i, by the products of `fastmlp/_core/diagonal.pyx`."""

from dataclasses import dataclass

from fastmlp._core import diagonal
from fastmlp.model.layers import Kind, Layer


@dataclass(frozen=True)
class Diagonal(Kind):
    """As many units as there are inputs, each with one weight."""

    name = "diagonal"
    compiled = diagonal.DIAGONAL

    def after(self, inputs, activation):
        """The same shape again."""
        return Layer(
            self, inputs, inputs, activation, weights=inputs, biases=inputs, fan_in=1, fan_out=1, work=2 * inputs[0]
        )
