"""What every layer computes: z, a and delta of the samples, in the lecture's letters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from fastmlp import _validation as check
from fastmlp._core.sums import trace as tracing
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp._types import Array, ArrayLike
from fastmlp.model.architecture import Architecture
from fastmlp.model.functional import Samples, bind, check_at_hand, threads_for
from fastmlp.model.losses import Targets


@printed
class LayerTrace(NamedTuple):
    """What one layer computed, in the lecture's letters: z, a and delta = dE/dz, each (N, n_out)."""

    z: Array
    a: Array
    delta: Array | None

    def _shown(self) -> Page:
        return _traced((self,), "LayerTrace", [""])


@printed
class Trace(tuple[LayerTrace, ...]):
    """The layers' z, a and delta: `trace[l].z` of layer l (from 0), or `trace.z[l]`. What `Network.trace` returns."""

    __slots__ = ()

    def _shown(self) -> Page:
        return _traced(self, f"Trace of {how_many(len(self), 'layer')}", range(1, len(self) + 1))

    @property
    def z(self) -> tuple[Array, ...]:
        """Pre-activations of each layer."""
        return tuple(layer.z for layer in self)

    @property
    def a(self) -> tuple[Array, ...]:
        """Activations of each layer; the last are the outputs."""
        return tuple(layer.a for layer in self)

    @property
    def delta(self) -> tuple[Array | None, ...]:
        """Derivatives of the loss by the pre-activations; None without targets."""
        return tuple(layer.delta for layer in self)


def _traced(layers: Sequence[LayerTrace], title: str, names: Iterable[Any]) -> Page:
    n_samples = len(layers[0].z)
    rows = [
        (f"{letter}{name}", values.shape[1], values[0] if n_samples else "")
        for name, layer in zip(names, layers, strict=True)
        for letter, values in zip(layer._fields, layer, strict=True)
        if values is not None
    ]
    title += f" at {how_many(n_samples, 'sample')}" + (", of which the first:" if n_samples else "")
    return Page(title, (Table(rows, ("", "units", "values"), "<><"),))


def trace(
    architecture: Architecture,
    params: Array,
    X: ArrayLike,
    T: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    n_threads: int | None = None,
) -> Trace:
    """z, a and, with targets, delta of every layer."""
    if T is None:
        X = architecture.rows(X)
        samples = Samples(X, Targets(None), check.sample_weight(sample_weight, len(X), architecture.dtype))
    else:
        samples = check_at_hand(architecture, X, T, sample_weight)
    batch = bind(architecture, samples)
    z, a, delta = tracing.trace(batch, params, threads_for(batch, n_threads))
    return Trace(LayerTrace(*layer) for layer in zip(z, a, delta or repeat(None, len(z)), strict=True))
