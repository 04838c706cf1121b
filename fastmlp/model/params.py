"""`Params`: the vector of a network's parameters. Its views, the units it was trained in, what of it is deleted."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._core.sums.predict import Function
from fastmlp._types import Array, Float, Mask
from fastmlp.model.architecture import Architecture, LayerViews
from fastmlp.model.units import Units

# bytes; for one row, vectors of weights that lay across two lines took 1.4 to 1.8 times as long where layers are wide;
# refused: padded rows of W, another order of the parameters
CACHE_LINE = 64


class Params:
    """The numbers of an architecture, and what holds of them."""

    # What calls read: attributes of an object whose dictionary has been looked at, as `_set_up` does, take Python 3.11
    # and 3.12 twice the time (a row 1.1 times)
    __slots__ = ("__dict__", "__weakref__", "_architecture", "_function", "_params", "_pruned", "_trained", "_units")

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
    def input_names(self) -> tuple[str, ...] | None:
        """Names of the inputs (D,): the columns of the table that the network was fitted to; None without.

        What `fit` and `fastmlp.fit_evidence` take from a data frame whose columns are called by texts, results show,
        and files keep. From then on a data frame with other columns, or with these in another order, is refused; arrays
        are taken as they are. Assigning names the inputs, None forgets the names.

        Raises
        ------
        TypeError, ValueError
            On assignment, if there is not one text for each input.
        """
        return self._architecture.input_names

    @input_names.setter
    def input_names(self, value: Any) -> None:
        self._architecture = self._architecture.named(value)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes, by number: those of the targets that the network was fitted to; None without.

        What `fit`, `fastmlp.fit_many`, `fastmlp.fit_evidence` and `fastmlp.sweep` take from targets (N,) that are
        texts, in sorted order, of a softmax output (K classes) or of a single logistic one (two). From then on targets
        may be texts in all calls. The most probable classes of a softmax are called
        ``numpy.array(net.class_names)[net(X).argmax(axis=1)]``. Assigning names the classes, None forgets the names.

        Raises
        ------
        TypeError, ValueError
            On assignment, if there is not one text for each class, each another.
        """
        return self._architecture.class_names

    @class_names.setter
    def class_names(self, value: Any) -> None:
        self._architecture = self._architecture.with_classes(value)

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
        self._have(params, own)

    def _have(self, params: Array, own: Units | None) -> None:
        """Keep what a fit in these units has left, in those of the data."""
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
