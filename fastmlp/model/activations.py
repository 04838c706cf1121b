"""The activations: what each is, and h, h' and h'' as the compiled list (`src_c/activations.def`) has them."""

from __future__ import annotations

import math

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.bridge import kernels
from fastmlp._core.sums import plan, trace
from fastmlp._rows import Row
from fastmlp._types import Array, ArrayLike

Range = tuple[float, float]

ANY: Range = (-math.inf, math.inf)


class Activation(Row):
    """An activation h, by which the units of a layer answer: a = h(z).

    There is one object of each name; ``str`` gives the name again.

    Parameters
    ----------
    name : str
        As `Network` takes it.

    Attributes
    ----------
    range : (float, float)
        Between which numbers h(z) lies, the bounds included where rounding reaches them.
    is_odd : bool
        h(-z) = -h(z): a unit may change the signs of all its weights.
    smoothness : float
        So many derivatives are continuous: 0 with a kink (relu), 1 where h'' jumps (elu), else inf. At a kink h' is the
        one from the left.
    is_elementwise : bool
        Whether each unit answers to its own z: all but softmax, which couples the units of a layer.
    may_be_hidden : bool
        Whether hidden layers may have it; the output layer may have any.

    Raises
    ------
    TypeError, ValueError
        If no activation is called so.

    Examples
    --------
    >>> import fastmlp
    >>> tanh = fastmlp.Activation("tanh")
    >>> tanh.value([-1.0, 1.0]).round(4), tanh.slope([-1.0, 1.0]).round(4), tanh.curvature([-1.0, 1.0]).round(4)
    (array([-0.7616,  0.7616]), array([0.42, 0.42]), array([ 0.6397, -0.6397]))
    >>> str(tanh), tanh.range, tanh.is_odd, tanh.is_smooth
    ('tanh', (-1.0, 1.0), True, True)
    """

    range: Range = ANY
    is_odd: bool = False
    smoothness: float = math.inf
    is_elementwise: bool = True
    may_be_hidden: bool = True

    @property
    def is_linear(self) -> bool:
        """Whether h(z) = z."""
        return self is IDENTITY

    @property
    def is_smooth(self) -> bool:
        """Whether h' has no jumps."""
        return self.smoothness >= 1

    @property
    def is_bounded(self) -> bool:
        """Whether a single unit saturates on both sides, or never leaves some range."""
        return self.is_elementwise and math.isfinite(self.range[0]) and math.isfinite(self.range[1])

    @property
    def index(self) -> int:
        """Place in the compiled list; softmax has a number apart."""
        return kernels.activation_names.index(self.name) if self.is_elementwise else plan.softmax_index

    def value(self, z: ArrayLike) -> Array:
        """h(z), to the bits that layers compute; softmax to rounding.

        Parameters
        ----------
        z : array-like
            Real numbers of any shape, for softmax with the units of a layer along the last axis. Computed in float32
            if that is their type, else in float64; nan gives nan.

        Returns
        -------
        ndarray of the shape of z

        Raises
        ------
        TypeError, ValueError
            If z is not an array of real numbers.
        """
        return self._at(z, 0)

    def slope(self, z: ArrayLike) -> Array:
        """h'(z), element by element.

        Parameters
        ----------
        z : array-like
            As for `value`.

        Returns
        -------
        ndarray of the shape of z

        Raises
        ------
        TypeError, ValueError
            If z is not an array of real numbers; for softmax, whose derivative is a matrix diag(y) - y y'.
        """
        return self._at(z, 1)

    def curvature(self, z: ArrayLike) -> Array:
        """h''(z), element by element.

        Parameters
        ----------
        z : array-like
            As for `value`.

        Returns
        -------
        ndarray of the shape of z

        Raises
        ------
        TypeError, ValueError
            As `slope`.
        """
        return self._at(z, 2)

    def _at(self, z: ArrayLike, order: int) -> Array:
        single = getattr(z, "dtype", None) == np.float32
        z = check.real_array(z, "z", np.float32 if single else np.float64, finite=False)
        if self.is_elementwise:
            return trace.activation(self.index, order, z)
        if order:
            raise ValueError("slope, curvature: expected an activation element by element, got softmax")
        if not z.ndim:
            raise ValueError("z: expected an array of the logits of a layer, got a number")
        return trace.softmax(z) if z.size else z.copy()


IDENTITY = Activation._add("identity", is_odd=True)
Activation._add("tanh", range=(-1.0, 1.0), is_odd=True)
Activation._add("logistic", range=(0.0, 1.0))
Activation._add("relu", range=(0.0, math.inf), smoothness=0)
Activation._add("leaky_relu", smoothness=0)
Activation._add("softplus", range=(0.0, math.inf))
Activation._add("elu", range=(-1.0, math.inf), smoothness=1)
Activation._add("silu", range=(-0.27846454276107380, math.inf))
Activation._add("gelu", range=(-0.16997120747990369, math.inf))
Activation._add("sin", range=(-1.0, 1.0), is_odd=True)
Activation._add("exp", range=(0.0, math.inf), may_be_hidden=False)  # grows too fast
SOFTMAX = Activation._add("softmax", range=(0.0, 1.0), is_elementwise=False, may_be_hidden=False)

#: Names for the output layer.
OUTPUT: tuple[str, ...] = tuple(Activation._rows)
#: Names for hidden layers.
HIDDEN: tuple[str, ...] = tuple(name for name in OUTPUT if Activation(name).may_be_hidden)
