"""Standardised units: data with mean 0 and standard deviation 1, and the way into the weights and back.

A network of raw units and one of standardised ones are the same function: `Units.folded` and `Units.unfolded` map the
parameters of the one to those of the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _validation as check
from fastmlp._core.sums import moments as passes
from fastmlp._quiet import quiet
from fastmlp._tables import LINES, Page, Table, how_many, printed
from fastmlp._types import Array, Float, Index, Mask
from fastmlp.errors import ModelFormatError
from fastmlp.model import moments, rescaling
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunked import ChunkedSamples
from fastmlp.model.functional import Samples
from fastmlp.model.moments import Moments
from fastmlp.model.targets import precision_in

MOST_NAMED = 5  # constant columns
FARTHEST = 1e6  # standard deviations, of what has no weight


@printed
class Columns(NamedTuple):
    """Units of the columns of an array: x = scale * u + shift, with u in units of its standard deviation."""

    scale: Float
    shift: Float
    constant: Mask  #: columns without spread, up to rounding: their scale is 1, and u is 0

    def _shown(self) -> Page:
        return Page(f"Columns: standardised units of {how_many(len(self.scale), 'column')}", (_table(self, "x"),))

    def __eq__(self, other: object) -> bool:
        """Whether all numbers are the same."""
        return isinstance(other, Columns) and all(map(np.array_equal, self, other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def slack(self, dtype: np.dtype[Any]) -> Float:
        """How far a constant may be from its mean; twice the roundings, since that of other samples is rounded too."""
        info = np.finfo(dtype)
        return 2 * moments.ROUNDINGS[dtype][1] * float(info.eps) * np.abs(self.shift) + float(info.tiny)

    def standardized(self, array: Array) -> Array:
        """The columns u, in the array's type; 0 where a constant is itself up to rounding."""
        slack = np.where(self.constant, self.slack(array.dtype), 0.0)
        with np.errstate(over="ignore"):
            return passes.scaled(np.ascontiguousarray(array), self.shift, self.scale, slack)

    def seeing(self, parts: Iterable[tuple[Array, Array | None]]) -> Columns:
        """The same units, where only what is constant here too is called so: the others are to be learnt from."""
        places = np.flatnonzero(self.constant)
        if not len(places):
            return self
        there = Columns(self.scale[places], self.shift[places], self.constant[places])
        constant = self.constant.copy()
        for array, weight in parts:
            rows = slice(None) if weight is None else weight != 0
            constant[places] &= ~there.standardized(array[rows][:, places]).any(axis=0)
        return self._replace(constant=constant)

    def mapped(self, scale: Array, shift: Array) -> Columns:
        """The units of scale * x + shift, which has the same u."""
        return Columns(scale * self.scale, scale * self.shift + shift, self.constant)

    @property
    def deviation(self) -> Float:
        """The standard deviations, 0 of constants."""
        return np.where(self.constant, 0.0, self.scale)

    @property
    def places(self) -> tuple[int, ...]:
        """Indices of the constant columns."""
        return tuple(np.flatnonzero(self.constant).tolist())


@printed
class Units(NamedTuple):
    """Units of inputs and, where outputs are linear, of targets: `fastmlp.Network.units`.

    `inputs` and `targets` hold arrays (D,), (K,) of the columns' means, `shift`, and standard deviations, `scale`, in
    the units of the data, and which of them are `constant`. A column x is scale * u + shift. Before a convolution they
    are those of channels; if that cannot take up a shift, it is 0, and the scale the root of the mean square.
    """

    inputs: Columns
    targets: Columns | None

    def _shown(self) -> Page:
        tables = [_table(self.inputs, "X")] + ([] if self.targets is None else [_table(self.targets, "T")])
        title = f"Units: standardised, of {how_many(len(self.inputs.scale), 'input')}"
        title += "" if self.targets is None else f" and {how_many(len(self.targets.scale), 'target')}"
        return Page(title, tuple(tables))

    @quiet
    def applied(self, samples: Samples) -> Samples:
        """The samples in standardised units."""
        scale, shift, constant = self.inputs
        slack = np.where(constant, self.inputs.slack(samples.dtype), 0.0)
        return samples.mapped(self._applied, np.array([shift, scale, slack]))

    @quiet
    def _applied(self, samples: Samples) -> Samples:
        targets = samples.targets
        if self.targets is not None and targets.values is not None:
            precision, (scale, _, constant) = targets.precision, self.targets
            values = _kept_near(self.targets.standardized(targets.values), samples.weight)
            targets = targets._replace(
                values=values,
                precision=None if precision is None else precision_in(precision, scale, constant),
            )
        if samples.X is None:  # of a chunk whose targets alone are wanted
            return samples._replace(targets=targets)
        return samples._replace(X=_kept_near(self.inputs.standardized(samples.X), samples.weight), targets=targets)

    def of_inputs(self, places: Index) -> Units:
        """The units of some of the inputs, and of all targets."""
        scale, shift, constant = self.inputs
        return self._replace(inputs=Columns(scale[places], shift[places], constant[places]))

    def seeing(self, samples: Samples) -> Units:
        """The same units, where only columns that are constant in these samples too are called so."""
        targets = self.targets
        if targets is not None and not samples.has_labels:
            targets = targets.seeing(samples.columns(targets=True))
        return Units(self.inputs.seeing(samples.columns()), targets)

    @quiet
    def folded(self, architecture: Architecture, params: Array) -> Array:
        """Parameters of the network in the data's units from those in standardised ones.

        Outputs come first, so that without hidden layers too the biases take up the shift with the final weights.
        """
        params = self.without_constants(architecture, np.asarray(params, architecture.dtype))
        if self.targets is not None:
            params = rescaling.map_outputs(architecture, params, self.targets.scale, self.targets.shift)
        return rescaling.map_inputs(architecture, params, self.inputs.scale, self.inputs.shift)

    def unfolded(self, architecture: Architecture, params: Array) -> Float:
        """The way back, in float64: parameters of the network in standardised units from those in the data's."""
        wide = np.asarray(params, np.float64)
        wide = rescaling.unmap_inputs(architecture, wide, self.inputs.scale, self.inputs.shift)
        wide = self.without_constants(architecture, wide)
        if self.targets is None:
            return wide
        scale, shift = self.targets.scale, self.targets.shift
        return rescaling.unmap_outputs(architecture, wide, scale, shift)

    def without_constants(self, architecture: Architecture, params: Array) -> Array:
        """The parameters with weights of 0 for constant inputs, which have no say in training, and to constant outputs.

        Folded, any other weight w would put w c into a bias, which for a constant c far from zero holds nothing else.
        Targets without spread have no unit in which the rest of a training could be small.
        """
        outputs = None if self.targets is None else self.targets.constant
        if not self.inputs.constant.any() and (outputs is None or not outputs.any()):
            return params
        result = params.copy()
        weights, biases = architecture.unravel(result)
        constant = rescaling.by_input(architecture, self.inputs.constant)
        weights[0][np.broadcast_to(constant, weights[0].shape)] = 0.0
        if outputs is not None:
            weights[-1][outputs] = biases[-1][outputs] = 0.0
        return result

    def turned(self, architecture: Architecture, directions: Array) -> Float:
        """The linear part of `folded`: changes (n, P) of the parameters in the data's units."""
        result = np.array(directions, np.float64)
        groups, layer = architecture.groups, architecture.first
        first, *_ = groups
        *_, weights, biases = groups
        if self.targets is not None:
            result[:, groups[weights]] *= np.repeat(self.targets.scale, architecture.layers[-1].n_in)
            result[:, groups[biases]] *= self.targets.scale
        W = result[:, groups[first]].reshape(len(result), *layer.weights)
        W = W / rescaling.by_input(architecture, self.inputs.scale)
        result[:, groups[first]] = W.reshape(len(result), layer.n_weights)
        with np.errstate(over="ignore", invalid="ignore"):
            if layer.is_dense:
                result[:, groups["b1"]] -= W @ rescaling.by_input(architecture, self.inputs.shift)
            elif layer.kind.takes_shifts:
                sums = rescaling.moved(architecture, W, self.inputs.shift).sum(axis=-1)
                sums = sums.reshape(len(result), math.prod(sums.shape[1:]))
                result[:, groups["b1"]] -= np.repeat(sums, layer.n_biases // sums.shape[1], axis=1)
        return result

    def rescaled(self, inputs: tuple[Any, Any] = (1.0, 0.0), targets: tuple[Any, Any] = (1.0, 0.0)) -> Units:
        """The units that data have which are mapped as scale * x + shift."""
        (a, b), (c, d) = (map(np.asarray, pair) for pair in (inputs, targets))
        return Units(self.inputs.mapped(a, b), None if self.targets is None else self.targets.mapped(c, d))

    def phrase(self) -> str:
        """What is in standardised units, in words."""
        words = f"standardised units of {'X' if self.targets is None else 'X and T'}"
        return words + (f" (constant: {self.constants()})" if self.constants() else "")

    def constants(self, targets: str = "T") -> str:
        """Names of constant columns, some of them if there are many; `targets` is what the caller has called T."""
        counts = [("X", self.inputs)] if self.targets is None else [("X", self.inputs), (targets, self.targets)]
        names = [f"{name}[:,{place}]" for name, columns in counts for place in columns.places]
        return ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")

    def as_array(self) -> Float:
        """Scale, shift and 1 where constant, (3, D) or (3, D + K): what `restored` takes."""
        both = [self.inputs] if self.targets is None else [self.inputs, self.targets]
        return np.hstack([np.array([each.scale, each.shift, each.constant]) for each in both])


def _kept_near(standardized: Array, weight: Array | None) -> Array:
    """The array, where samples without weight, which may hold what stands for a missing number, lie not far away."""
    if weight is not None:
        left_out = np.flatnonzero(weight == 0)
        standardized[left_out] = np.clip(standardized[left_out], -FARTHEST, FARTHEST)
    return standardized


def restored(architecture: Architecture, table: Any) -> Units | None:
    """What `Units.as_array` gave, or None; ModelFormatError if that was not for such a network."""
    if table is None:
        return None
    D, K = architecture.n_inputs, architecture.n_outputs
    widths = (D, D + K) if architecture.output.is_linear else (D,)
    if type(table) not in check.PLAIN or table.dtype != np.float64 or table.shape not in [(3, w) for w in widths]:
        raise ModelFormatError(f"units: expected an array of 3 rows and {' or '.join(map(str, widths))} columns")
    if not (np.isfinite(table).all() and table[0].all()):
        raise ModelFormatError("units: expected finite numbers, and scales other than 0")
    scale, shift, constant = table
    columns = (slice(D), slice(D, None))
    parts = [Columns(scale[part].copy(), shift[part].copy(), constant[part] != 0) for part in columns]
    own = Units(parts[0], parts[1] if table.shape[1] > D else None)
    try:
        checked(own, architecture)
    except ValueError as error:
        raise ModelFormatError(f"units: expected none of such a network ({error})") from error
    return own


def checked(standardize: bool | Units, architecture: Architecture) -> bool | Units:
    """What a user gives as `standardize`: True, False, or units such as `Network.units`."""
    if isinstance(standardize, (bool, np.bool_)) and not standardize:
        return False
    if not isinstance(standardize, (bool, np.bool_, Units)):
        raise TypeError(f"standardize: expected True, False or units such as net.units, got {check.shown(standardize)}")
    rescaling.check_first(architecture, "standardize", shifts=False)
    if architecture.output.is_linear:
        architecture.check_dense("standardize", -1)
    if not isinstance(standardize, Units):
        return True
    for name, each in standardize._asdict().items():
        if each is not None and not (
            all(isinstance(part, np.ndarray) and part.shape == np.shape(each.scale) for part in each)
            and np.isfinite(each.scale).all()
            and np.isfinite(each.shift).all()
            and np.all(each.scale)
        ):
            raise ValueError(
                f"standardize: expected {name} with arrays of one length, finite, and scales other than 0, got {each!r}"
            )
    inputs, targets = (None if each is None else len(each.scale) for each in standardize)
    outputs = architecture.n_outputs if architecture.output.is_linear else None
    if inputs != architecture.n_inputs or targets not in (None, outputs):
        raise ValueError(
            f"standardize: expected units of {architecture.n_inputs} inputs and {outputs or 'no'} targets, "
            f"got those of {inputs} and {targets or 'no'}"
        )
    rescaling.check_first(architecture, "standardize", shifts=bool(standardize.inputs.shift.any()))
    rescaling.check_sign(architecture, "standardize", standardize.inputs.scale)
    for part in standardize.inputs:
        rescaling.check_by_channel(architecture, "standardize", part)
    return standardize


def chosen(
    standardize: bool | Units, known: Units | None, architecture: Architecture, samples: Samples
) -> Units | None:
    """The units that `standardize` means: False none; True those that are known, else of the samples; or as given.

    A column that is constant where they come from may vary here.
    """
    given = checked(standardize, architecture)
    if given is False:
        return None
    taken = given if isinstance(given, Units) else known
    if taken is None:
        return of(architecture, samples)
    seen = taken.seeing(samples)
    return seen._replace(inputs=by_channel(architecture, seen.inputs))


def of(architecture: Architecture, samples: Samples) -> Units:
    """The units of a set of samples."""
    has_units = architecture.output.is_linear and not samples.has_labels
    return Units(_of_inputs(architecture, samples), target_columns(samples, "T") if has_units else None)


def target_columns(samples: Samples, name: str) -> Columns:
    """Of targets, by weight, those that are missing apart."""
    observed = samples.targets.observed
    if observed is None:
        return _columns(moments.of_samples(samples, targets=True), name)
    values, weight = samples.targets.values, samples.weight
    assert values is not None
    each = observed if weight is None else weight[:, np.newaxis] * observed
    each = np.ascontiguousarray(each.T, values.dtype)
    found = [columns(values[:, [k]], own, name) for k, own in enumerate(each)]
    return Columns(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _of_inputs(architecture: Architecture, samples: Samples) -> Columns:
    """Of each column; before a convolution of each channel, for all columns of it.

    Where zeros around images are to stay zeros, or biases cannot take up a shift, there is none: the mean square is 1.
    """
    X, weight, layer = samples.X, samples.weight, architecture.layers[0]
    if layer.is_dense:
        return _columns(moments.of_samples(samples), "X")
    n_places = layer.n_in // layer.inputs[0]
    if isinstance(samples, ChunkedSamples):
        raise ValueError(f"standardize: expected False, or units, with Chunks before {layer.kind!r}, got True")
    places = X.reshape(len(X), layer.inputs[0], n_places).swapaxes(1, 2).reshape(-1, layer.inputs[0])
    weight = None if weight is None else np.repeat(weight, n_places)
    scale, shift, constant = columns(places, weight, "X")
    if not architecture.first.kind.takes_shifts:
        size = np.hypot(shift, np.where(constant, 0.0, scale))
        constant = size == 0
        scale, shift = np.where(constant, 1.0, size), np.zeros_like(shift)
    return Columns(np.repeat(scale, n_places), np.repeat(shift, n_places), np.repeat(constant, n_places))


def by_channel(architecture: Architecture, inputs: Columns) -> Columns:
    """Where one column of a channel is not constant, none is, before a convolution."""
    layer = architecture.layers[0]
    if layer.is_dense:
        return inputs
    channels = inputs.constant.reshape(layer.inputs[0], -1)
    return inputs._replace(constant=np.repeat(channels.all(axis=1), channels.shape[1]))


def columns(array: Array, weight: Array | None, name: str) -> Columns:
    """Mean and standard deviation of the columns, by weight; constant columns have the scale 1."""
    return _columns(moments.of_columns(array, weight), name)


def _columns(found: Moments, name: str) -> Columns:
    mean, deviation, _, low, high, _ = found
    with np.errstate(over="ignore"):
        wide = np.flatnonzero(~np.isfinite(high - low))
    if len(wide):
        raise ValueError(
            f"{name}: expected columns with finite differences for standardize, got column {wide[0]} from "
            f"{low[wide[0]]:g} to {high[wide[0]]:g}; divide it by a number"
        )
    constant = deviation == 0
    return Columns(np.where(constant, 1.0, deviation), mean, constant)


def _table(columns: Columns, name: str, most: int = LINES) -> Table:
    rows = [
        (f"{name}[:,{i}]", columns.shift[i], "constant" if columns.constant[i] else columns.scale[i])
        for i in range(min(len(columns.scale), most))
    ]
    return Table(rows, ("column", "mean", "standard deviation"), "<>", len(columns.scale))
