"""Central differences of what a network computes: the second opinion on its derivatives.

All of them are taken in float64, whatever the network computes in. A direction is measured by what it does to the
pre-activations: one of size 1 moves them by at most 1, so that steps suit inputs and layers of any units, and none is
too long for a curved activation. Layers with identity activation do not bend; they count only where they are acted on
directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fastmlp import _memory
from fastmlp._types import Float, Index
from fastmlp.model.architecture import Place
from fastmlp.model.functional import Samples
from fastmlp.model.layers import Layer
from fastmlp.network import Network

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # balances what is cut off, step^2, against rounding, eps / step
N_DIRECTIONS = 16  # of single numbers and of all together, for a group that has too many to go through
SMALLEST = 1e-6  # of a layer's activations, relative to the largest, that a step is still fitted to
KINK_MARGIN = 10.0  # steps


class Direction(NamedTuple):
    """A direction of size 1 within one group, as far as that group goes; `single`: the one number that changes."""

    group: str
    single: int | None
    v: Float


class Slopes(NamedTuple):
    """Derivatives along v: of each sample's loss (N,), of outputs and logits (N, K), of the gradient (P,)."""

    v: Float
    losses: Float
    outputs: Float
    logits: Float
    gradient: Float


class Twin:
    """A network in float64 with the same numbers, on the same samples, at which differences are taken.

    Parameters
    ----------
    net : Network
        Of any subclass: its methods are those that are called.
    samples : Samples
        At least one.

    Attributes
    ----------
    unit : ndarray of shape (P,)
        By how much each parameter may change until a pre-activation has changed by 1: 1 / max_n |a_nj| for a weight
        of unit j, 1 for a bias.
    input_unit : ndarray of shape (D,)
        The same of the inputs: 1 / max_j |w_ji|.
    loss_size : float
        Sum of the magnitudes of the samples' losses.
    """

    def __init__(self, net: Network, samples: Samples) -> None:
        architecture = net._architecture.changed(dtype="float64")
        self.params = net.params.astype(np.float64)
        self.net = net._make(architecture, self.params.copy())
        self.X = samples.X.astype(np.float64)
        self.T = samples.targets.given if samples.targets.values is None else samples.targets.values.astype(np.float64)
        self.weight = np.ones(len(self.X)) if samples.weight is None else samples.weight.astype(np.float64)
        layers = self.net.trace(self.X)
        self.inputs_of_layers = [self.X, *layers.a[:-1]]
        self.logits, self.outputs = layers.z[-1], layers.a[-1]
        self.loss_size = float(self.weight @ np.abs(self.net.sample_losses(self.X, self.T)))
        kinds = enumerate(architecture.activations)
        self._bent = [(layer, layers.z[layer]) for layer, kind in kinds if not kind.is_linear]
        self._first = FirstLayer(architecture.layers[0], self.net.weights)
        self.input_unit = self._first.input_unit()
        parts = [_units(place, self.inputs_of_layers[place.number]) for place in architecture.places]
        self.unit = np.concatenate(parts)

    # ---- parameters ----

    def directions(self, rng: np.random.Generator) -> Iterator[Direction]:
        """Each parameter of a small group; N_DIRECTIONS of a larger one, and as many random mixtures of all of it."""
        architecture = self.net._architecture
        for group, part in self.net.groups.items():
            place = architecture.places[int(group[1:]) - 1]
            for index, some in _choose(self.unit[part], rng):
                v = np.zeros_like(self.unit)
                if group.startswith("W"):
                    v[part] = some / _or_one(_moved(place.layer, self.inputs_of_layers[place.number], some))
                else:
                    v[part] = some / _or_one(np.abs(some).max())
                yield Direction(group, None if index is None else part.start + index, v)

    def slopes(self, v: Float, step: float) -> Slopes:
        """Central differences along v, shortened to size 1; the v that they belong to is what rounding leaves of it."""
        self.net._params[...] = self.params + step * v  # also of weights that are absent, which the network holds at 0
        v = v / self._size(self.X, step)
        above, below = self.params + step * v, self.params - step * v
        pairs = zip(self._at(above), self._at(below), strict=True)
        self.net._params[...] = self.params
        return Slopes((above - below) / (2 * step), *((high - low) / (2 * step) for high, low in pairs))

    def _at(self, params: Float) -> tuple[Float, ...]:
        net = self.net
        net._params[...] = params
        gradient = net.loss_and_grad(self.X, self.T, sample_weight=self.weight)[1]
        return net.sample_losses(self.X, self.T), net.predict(self.X), net.trace(self.X).z[-1], gradient

    # ---- inputs ----

    def input_directions(self, rng: np.random.Generator) -> Iterator[Direction]:
        """Each input, or N_DIRECTIONS of them and as many mixtures of all."""
        for index, v in _choose(self.input_unit, rng):
            yield Direction("x", index, v / _or_one(self._first.moved(v)))

    def input_slopes(self, v: Float, step: float, rows: Index) -> tuple[Float, Float, Float]:
        """The direction (N, D) itself, differences of the outputs and, of some rows, of the Jacobian."""
        v = v / self._size(self.X + step * v, step)
        above, below = self.X + step * v, self.X - step * v
        outputs = self.net.predict(above) - self.net.predict(below)
        jacobian = self.net.jacobian(above[rows]) - self.net.jacobian(below[rows])
        return (above - below) / (2 * step), outputs / (2 * step), jacobian / (2 * step)

    def _size(self, X: Float, step: float) -> float:
        """How far the pre-activations have moved by a step, in steps, where that is more than 1."""
        z = self.net.trace(X).z
        return max([1.0, *(float(np.abs(z[layer] - old).max()) / step for layer, old in self._bent)])


def _units(place: Place, a: Float) -> Float:
    """By how much the parameters of a layer with the inputs a may change until a pre-activation has changed by 1."""
    layer, size = place.layer, np.abs(a).max(axis=0)
    if layer.is_dense:
        weights = np.tile(_reciprocal(size), layer.n_out)
    else:  # which input a weight belongs to is not known
        weights = np.full(layer.n_weights, 1 / _or_one(size.max()))
    return np.append(weights, np.ones(layer.n_biases))


def _moved(layer: Layer, a: Float, v: Float) -> float:
    """How far a change v of the weights moves pre-activations, at most."""
    if layer.is_dense:
        return float(np.abs(_memory.product(a, v.reshape(-1, a.shape[1]).T)).max())
    return float(np.abs(a).max() * np.abs(v).max()) * layer.fan_in


class FirstLayer(NamedTuple):
    """What changes of the inputs do to its pre-activations."""

    layer: Layer
    weights: tuple[Float, ...]

    def input_unit(self) -> Float:
        """By how much each input may change until a pre-activation has changed by 1."""
        if self.layer.is_dense:
            return _reciprocal(np.abs(self.weights[0]).max(axis=0))
        return np.full(self.layer.n_in, 1 / _or_one(self._largest()))

    def moved(self, v: Float) -> float:
        """How far a change v moves them, at most."""
        if self.layer.is_dense:
            return float(np.abs(self.weights[0] @ v).max())
        return self._largest() * float(np.abs(v).max()) * max(1, self.layer.fan_in)

    def _largest(self) -> float:
        return float(np.abs(self.weights[0]).max()) if self.layer.n_params else 1.0


def _choose(unit: Float, rng: np.random.Generator) -> Iterator[tuple[int | None, Float]]:
    """Single ones of the numbers, each times its unit; then mixtures, if these were not all."""
    few = unit.size <= 2 * N_DIRECTIONS
    for index in range(unit.size) if few else np.sort(rng.choice(unit.size, N_DIRECTIONS, replace=False)):
        v = np.zeros_like(unit)
        v[index] = unit[index]
        yield int(index), v
    for _ in range(0 if few else N_DIRECTIONS):
        yield None, unit * rng.standard_normal(unit.size)


def _reciprocal(size: Float) -> Float:
    """1 / size, where sizes far below the largest count as not quite so small."""
    return 1 / np.maximum(size, SMALLEST * _or_one(size.max()))


def _or_one(size: float) -> float:
    return float(size) or 1.0


def away_from_kinks(net: Network, samples: Samples, step: float) -> Index:
    """Indices of the samples at which no pre-activation lies so close to a kink that a difference may step over it."""
    near, architecture = np.zeros(len(samples.X), bool), net._architecture
    for z, kind in zip(net.trace(samples.X).z, architecture.activations, strict=True):
        if kind.smoothness < 2:  # h' or h'' jumps at 0
            near |= (np.abs(z) < KINK_MARGIN * step).any(axis=1)
    return np.flatnonzero(~near)
