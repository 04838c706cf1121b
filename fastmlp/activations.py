"""The activations: what each is, and h, h' and h'' as the compiled list (`src_c/activations.def`) has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _validation as check
from fastmlp._core import kernels, plan, trace

Array = NDArray[Any]
Range = tuple[float, float]

ANY: Range = (-math.inf, math.inf)


@dataclass(frozen=True, eq=False, repr=False)
class Activation:
    """An activation h, by which the units of a layer answer: a = h(z).

    `Activation.named` gives it. There is one object of each, which is what its ``str`` is called.

    Attributes
    ----------
    name : str
        As `Network` takes it.
    range : (float, float)
        Between which numbers h(z) lies, the bounds included where rounding reaches them.
    is_odd : bool
        h(-z) = -h(z): a unit may change the signs of all its weights.
    smoothness : float
        So many derivatives are continuous: 0 with a kink (relu), 1 where h'' jumps (elu), else inf. At a kink h' is the
        one from the left.
    may_be_hidden : bool
        Whether hidden layers may have it; the output layer may have any.

    Examples
    --------
    >>> import fastmlp
    >>> tanh = fastmlp.Activation.named("tanh")
    >>> tanh.value([0.0, 1.0]).round(4), tanh.slope([0.0, 1.0]).round(4), tanh.curvature([0.0, 1.0]).round(4)
    (array([0.    , 0.7616]), array([1.  , 0.42]), array([ 0.    , -0.6397]))
    >>> str(tanh), tanh.range, tanh.is_odd, tanh.is_smooth
    ('tanh', (-1.0, 1.0), True, True)
    """

    name: str
    range: Range = ANY
    is_odd: bool = False
    smoothness: float = math.inf
    may_be_hidden: bool = True

    @classmethod
    def named(cls, name: str) -> Activation:
        """The activation of this name.

        Raises
        ------
        TypeError, ValueError
            If there is none.
        """
        return _ROWS[check.choice(name, "name", OUTPUT)]

    @property
    def is_linear(self) -> bool:
        """Whether h(z) = z."""
        return self is IDENTITY

    @property
    def is_elementwise(self) -> bool:
        """Whether each unit answers to its own z: all but softmax, which couples the units of a layer."""
        return self is not SOFTMAX

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

    def value(self, z: Any) -> Array:
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

    def slope(self, z: Any) -> Array:
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

    def curvature(self, z: Any) -> Array:
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

    def _at(self, z: Any, order: int) -> Array:
        single = getattr(z, "dtype", None) == np.float32
        z = check.real_array(z, "z", np.float32 if single else np.float64, finite=False)
        if self.is_elementwise:
            return trace.activation(self.index, order, z)
        if order:
            raise ValueError("slope, curvature: expected an activation element by element, got softmax")
        if not z.ndim:
            raise ValueError("z: expected an array of the logits of a layer, got a number")
        return trace.softmax(z) if z.size else z.copy()

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Activation.named({self.name!r})"

    def __reduce__(self) -> tuple[Callable[[str], Activation], tuple[str]]:
        """Copies and pickles are the one object again."""
        return Activation.named, (self.name,)


IDENTITY = Activation("identity", is_odd=True)
SOFTMAX = Activation("softmax", (0.0, 1.0), may_be_hidden=False)
_ROWS: dict[str, Activation] = {
    row.name: row
    for row in (
        IDENTITY,
        Activation("tanh", (-1.0, 1.0), is_odd=True),
        Activation("logistic", (0.0, 1.0)),
        Activation("relu", (0.0, math.inf), smoothness=0),
        Activation("leaky_relu", smoothness=0),
        Activation("softplus", (0.0, math.inf)),
        Activation("elu", (-1.0, math.inf), smoothness=1),
        Activation("silu", (-0.27846454276107380, math.inf)),
        Activation("gelu", (-0.16997120747990369, math.inf)),
        Activation("sin", (-1.0, 1.0), is_odd=True),
        Activation("exp", (0.0, math.inf), may_be_hidden=False),  # which grows too fast
        SOFTMAX,
    )
}
#: Names for the output layer.
OUTPUT: tuple[str, ...] = (*kernels.activation_names, SOFTMAX.name)
#: Names for hidden layers.
HIDDEN: tuple[str, ...] = tuple(name for name in OUTPUT if _ROWS[name].may_be_hidden)
