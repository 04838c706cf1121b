"""`Model`: an architecture together with its numbers. Construction, views, starting values, copies, units, text."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._core.sums.predict import Function
from fastmlp._types import Array, Float, Mask
from fastmlp.errors import IdenticalUnitsWarning, warn_caller
from fastmlp.model import initializers, io, pickled, rescaling, text, units
from fastmlp.model.architecture import Architecture, LayerViews
from fastmlp.model.units import Units

# bytes; for one row, vectors of weights that lay across two lines took 1.4 to 1.8 times as long where layers are wide;
# refused: padded rows of W, another order of the parameters
CACHE_LINE = 64


class Model:
    """What a network is, without what it computes; `fastmlp.Network` documents the arguments."""

    # What calls read: attributes of an object whose dictionary has been looked at, as `_set_up` does, take Python 3.11
    # and 3.12 twice the time (a row 1.1 times)
    __slots__ = ("__dict__", "__weakref__", "_architecture", "_function", "_params", "_pruned", "_trained", "_units")

    __hash__ = None  # type: ignore[assignment]  # equality goes by value, and values change

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

    def _set_up(
        self, architecture: Architecture, params: Array, units: Units | None, trained: bool,
        pruned: Mask | None = None,
    ) -> None:  # fmt: skip
        # made once: a call that has read the architecture counts on these parameters, whatever hooks of arguments do,
        # or other threads, which the dictionary tells apart
        self._fitting: dict[str, tuple[int, object]]
        claims: dict[str, tuple[int, object]] = {}
        if self.__dict__.setdefault("_fitting", claims) is not claims:
            raise RuntimeError("network: expected a new object, got one that is a network already; make another one")
        self._architecture = architecture
        self._params = _on_a_cache_line(params, architecture.dtype)
        self._function = Function(architecture.plan, self._params)
        if architecture.absent is not None:
            self._params[architecture.absent] = 0.0
        self._units = units
        self._pruned = architecture.held(pruned)  # never changed in place
        self._trained = trained  # whether a fit has left these parameters, so that they are of the data's own units

    def _claim(self, claim: tuple[int, object], name: str) -> None:
        """Have the network for a training, `name`; of a process and what is its own. RuntimeError if another has it."""
        held = self._fitting.setdefault("by", claim)
        if held is claim:
            return
        if held[0] == claim[0]:
            network = "this" if name == "fit" else "a"
            raise RuntimeError(f"{name}: {network} network is being fitted already; fit a copy")
        self._fitting["by"] = claim  # a thread of the parent of this fork had it

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

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32."""
        return self._architecture.dtype

    @property
    def n_params(self) -> int:
        """P = sum over dense layers of (n_in + 1) n_out; (D+1)M + (M+1)K with one hidden layer."""
        return self._architecture.n_params

    @property
    def groups(self) -> dict[str, slice]:
        """Where each group of parameters lies in the vector: {"W1": slice, "b1": slice, ...}."""
        return self._architecture.groups

    @property
    def params(self) -> Array:
        """All parameters (P,): for each layer W (n_out, n_in) row by row, then b. A copy; assigning sets them.

        Raises
        ------
        TypeError, ValueError
            On assignment, if the value is not P finite real numbers.
        """
        return self._params.copy()

    @params.setter
    def params(self, value: Any) -> None:
        params = check.vector(value, "params", self.n_params, self.dtype)
        if self._pruned is not None and self._units is None and params[self._pruned].any():
            raise ValueError("params: expected zeros where the network is pruned, got others; unprune() forgets that")
        self._params[...] = params
        self._trained = self._units is not None

    @property
    def units(self) -> Units | None:
        """Shift and scale of the columns of X and T in whose units the parameters were trained; None for raw ones.

        What ``fit(standardize=True)`` and `fastmlp.fit_evidence` leave. The network takes and gives raw units all the
        same: ``units.inputs.scale``, ``units.inputs.shift`` (D,), ``units.targets`` likewise (K,), or None where
        outputs are not linear, and ``constant``, a mask of the columns without spread. Training in standardised units
        goes on from where the network is, mapped into those of the new data. `initialize` forgets them.
        """
        return self._units

    @property
    def pruned(self) -> Mask:
        """Which parameters have been deleted, a mask (P,); a copy. Assigning one deletes these.

        What `fastmlp.prune` leaves. They are 0, and every training keeps them so: in the data's units, or in
        standardised ones where it works in these, in which a network with `units` has been pruned. `unprune` forgets.
        Weights between channels that `Conv` does not connect are among them for good.

        Raises
        ------
        TypeError, ValueError
            On assignment, if the value is no boolean mask (P,).
        """
        return np.zeros(self.n_params, bool) if self._pruned is None else self._pruned.copy()

    @pruned.setter
    def pruned(self, value: Any) -> None:
        self._pruned = self._architecture.held(check.mask(value, "pruned", self.n_params))
        self._delete_pruned()

    def unprune(self) -> Self:
        """Forget what has been pruned, not what `Conv` does not connect: 0 still, but training may change it again.

        Returns
        -------
        Network
            Itself.
        """
        self._pruned = self._architecture.absent
        return self

    def _delete_pruned(self) -> None:
        """Write the zeros, in the units in which they hold."""
        if self._pruned is None:
            return
        if self._units is None:
            self._params[self._pruned] = 0.0
            return
        own = self._units.unfolded(self._architecture, self._params)
        own[self._pruned] = 0.0
        self._params[...] = self._units.folded(self._architecture, own)

    def _take(self, params: Array, own: Units | None) -> None:
        """Keep what a fit has found in its own units, folded into those of the data."""
        if own is not None:
            params = own.folded(self._architecture, params)
        self._trained = self._trained or own is not None or not arrays.same(self._params, params)
        self._params[...] = params
        self._units = own

    def _in_units(self, own: Units) -> Float:
        """The parameters in standardised units: mapped if a fit has left them, else as they are, a start there."""
        if self._units is None and not self._trained:
            return own.without_constants(self._architecture, self._params.astype(np.float64))
        return own.unfolded(self._architecture, self._params)

    @property
    def weights(self) -> tuple[Array, ...]:
        """Views W (n_out, n_in) into the parameters, one a layer; writing to them takes effect on the next call."""
        return self._views.weights

    @property
    def biases(self) -> tuple[Array, ...]:
        """Views b (n_out,) into the parameters, one a layer; writing to them takes effect on the next call."""
        return self._views.biases

    @property
    def _views(self) -> LayerViews:
        return self._architecture.unravel(self._params)

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


def _on_a_cache_line(params: Array, dtype: np.dtype[Any]) -> Array:
    """A copy that starts on a cache line, so that vectors of weights lie across two of them as seldom as can be.

    In the network's type, whatever theirs: compiled code reads the bytes by what the plan says.
    """
    n_bytes = params.size * dtype.itemsize
    room = np.empty(n_bytes + CACHE_LINE, np.uint8)
    start = -room.__array_interface__["data"][0] % CACHE_LINE
    copy: Array = room[start : start + n_bytes].view(dtype)
    copy[...] = params
    return copy
