"""`Model`: an architecture together with its numbers. Starting values, copies, other units, files, text."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from fastmlp import _validation as check
from fastmlp._hints import hinting
from fastmlp._types import Array, Mask
from fastmlp.errors import IdenticalUnitsWarning, warn_caller
from fastmlp.model import initializers, io, pickled, rescaling, text, units
from fastmlp.model.architecture import Architecture
from fastmlp.model.params import Params
from fastmlp.model.units import Units


class Model(Params):
    """What a network is, without what it computes; `fastmlp.Network` documents the arguments."""

    __hash__ = None  # type: ignore[assignment]  # equality goes by value, and values change

    @hinting
    def __init__(
        self,
        layers: Any,
        hidden: Any = "tanh",
        output: str = "identity",
        loss: str | None = None,
        dtype: Any = "float64",
        rng: Any = None,
        init: str | float = "glorot",
    ) -> None:
        architecture = Architecture.create(layers, hidden, output, loss, dtype)
        self._set_up(architecture, np.zeros(architecture.n_params, architecture.dtype), None, False)
        self._draw(init, rng)

    @classmethod
    def _make(
        cls, architecture: Architecture, params: Array, units: Units | None = None, *, trained: bool = False,
        pruned: Mask | None = None,
    ) -> Self:  # fmt: skip
        model = cls.__new__(cls)
        model._set_up(architecture, params, units, trained, pruned)
        return model

    @property
    def layers(self) -> tuple[int, ...]:
        """Sizes (D, M1, ..., K)."""
        return self._architecture.widths

    @property
    def hidden(self) -> tuple[str, ...]:
        """Activation of each hidden layer."""
        return tuple([activation.name for activation in self._architecture.hidden])

    @property
    def output(self) -> str:
        """Activation of the output layer."""
        return self._architecture.output.name

    @property
    def loss_name(self) -> str:
        """Name of the loss."""
        return self._architecture.loss.name

    def initialize(self, init: str | float = "glorot", rng: Any = None) -> Self:
        """Draw new parameters.

        Parameters
        ----------
        init : {"glorot", "lecun", "he", "nguyen_widrow", "normal", "zeros"} or float
            As for `Network`.
        rng : None, int or numpy.random.Generator

        Returns
        -------
        Network
            Itself.

        Raises
        ------
        TypeError, ValueError
            If `init` is neither one of the names nor a number > 0.

        Warns
        -----
        IdenticalUnitsWarning
            If units of a hidden layer come out identical.
        """
        self._draw(init, rng)
        return self

    def _draw(self, init: Any, rng: Any) -> None:
        init = initializers.checked(init, self._architecture.dtype)
        self._params[...] = initializers.initialize(self._architecture, init, check.generator(rng))
        self._units, self._trained = None, False
        self._delete_pruned()
        self._warn_about_identical_units(f"init={init!r}")

    def _warn_about_identical_units(self, cause: str) -> None:
        activations = self._architecture.activations
        for layer in self._architecture.identical_units(self._params, self._pruned):
            warn_caller(
                f"units of hidden layer {layer} ({activations[layer - 1]}) start out identical ({cause}): "
                "their gradients are equal, so that training keeps them identical",
                IdenticalUnitsWarning,
            )

    def copy(self) -> Self:
        """A network of its own with the same architecture, parameters and units."""
        return self._make(self._architecture, self._params, self._units, trained=self._trained, pruned=self._pruned)

    __copy__ = copy

    def rescale_inputs(self, scale: Any = 1.0, shift: Any = 0.0) -> Self:
        """A new network that does with scale * x + shift what this one does with x: for inputs in other units.

        Parameters
        ----------
        scale : float or array-like of shape (D,), default=1.0
            a, not zero; one number, one for each input, or one for each channel before a `Conv`.
        shift : float or array-like of shape (D,), default=0.0
            b.

        Returns
        -------
        Network
            w_ji / a_i and b_j - sum_i w_ji b_i / a_i in the first layer, all else the same: equal outputs to
            round-off, which is relative to |w_ji b_i / a_i| if shifts are large. Its `units` change along.

        Raises
        ------
        TypeError, ValueError
            If scale or shift are not finite real numbers, one or D of them, if a scale is 0, or a parameter would
            overflow.

        Notes
        -----
        No pass over data; `WeightDecay.rescaled` gives the penalty that belongs to the new units.

        References
        ----------
        PRML (5.113)-(5.115).

        Examples
        --------
        >>> import fastmlp
        >>> celsius = fastmlp.Network([1, 3, 1], rng=0)
        >>> fahrenheit = celsius.rescale_inputs(1.8, 32.0)
        >>> bool(abs(fahrenheit([[68.0]]) - celsius([[20.0]])) < 1e-14)
        True
        """
        params = rescaling.rescale_inputs(self._architecture, self._params, scale, shift)
        mapped = None if self._units is None else self._units.rescaled(inputs=(scale, shift))
        return self._mapped(params, mapped)

    def rescale_outputs(self, scale: Any = 1.0, shift: Any = 0.0) -> Self:
        """A new network that gives scale * y + shift where this one gives y: for targets in other units.

        Parameters
        ----------
        scale : float or array-like of shape (K,), default=1.0
            c, not zero; one number, or one for each output.
        shift : float or array-like of shape (K,), default=0.0
            d.

        Returns
        -------
        Network
            c_k w_kj and c_k b_k + d_k in the last layer, all else the same. Its `units` change along.

        Raises
        ------
        TypeError, ValueError
            As `rescale_inputs`; also if the outputs are not linear (identity).

        References
        ----------
        PRML (5.116)-(5.118).

        Examples
        --------
        >>> import fastmlp
        >>> metres = fastmlp.Network([1, 3, 1], rng=0)
        >>> feet = metres.rescale_outputs(1 / 0.3048)
        >>> bool(abs(0.3048 * feet([[1.0]]) - metres([[1.0]])) < 1e-14)
        True
        """
        params = rescaling.rescale_outputs(self._architecture, self._params, scale, shift)
        mapped = None if self._units is None else self._units.rescaled(targets=(scale, shift))
        return self._mapped(params, mapped)

    def _mapped(self, params: Array, own: Units | None) -> Self:
        """With other parameters; without units, biases that a shift has taken from 0 are no longer pruned."""
        pruned = self._pruned
        if pruned is not None and own is None:
            pruned = pruned & (params == 0)
        return self._make(self._architecture, params, own, trained=self._trained, pruned=pruned)

    def _stored(self) -> io.Stored:
        table = None if self._units is None else self._units.as_array()
        return io.Stored(self._architecture, self._params, table, self._trained, self._pruned)

    @classmethod
    def _restored(cls, stored: io.Stored) -> Self:
        own = units.restored(stored.architecture, stored.units)
        return cls._make(stored.architecture, stored.params, own, trained=stored.trained, pruned=stored.pruned)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        return pickled.state_of(self._stored())

    def __setstate__(self, state: dict[str, Any]) -> None:
        architecture, params, table, trained, pruned = pickled.stored_in(state)
        self._set_up(architecture, params, units.restored(architecture, table), trained, pruned)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        same = self._architecture == other._architecture and np.array_equal(self.pruned, other.pruned)
        return same and np.array_equal(self._params, other._params, equal_nan=True)

    def __repr__(self) -> str:
        return text.line(self._architecture, self._units, self._pruned)

    def summary(self) -> str:
        """A table of the layers: shape of W, activation, number of parameters.

        Examples
        --------
        >>> import fastmlp
        >>> print(fastmlp.Network([4, 3, 2], output="softmax").summary())
        layer  shape  activation  parameters
        1      3 x 4  tanh        15
        2      2 x 3  softmax     8
        total                     23
        loss: cross_entropy, dtype: float64
        """
        return text.table(self._architecture, self._units, self._pruned)
