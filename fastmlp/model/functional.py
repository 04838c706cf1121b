"""The kernels as pure functions of (architecture, params, X, T): arguments checked here, arithmetic in `_core`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._core.sums import predict as predicting
from fastmlp._core.sums import trace as tracing
from fastmlp._core.sums.batch import Batch, bind_plain
from fastmlp._tables import Page, Table, how_many, printed
from fastmlp._types import Array, ArrayLike, Float, Index, Mask
from fastmlp.errors import ModelFormatError
from fastmlp.model.architecture import Architecture
from fastmlp.model.losses import Targets
from fastmlp.model.targets import encode_targets, measured, times, with_missing, with_precision, without_missing


class Samples(NamedTuple):
    """Checked samples in the network's type, as the kernels read them."""

    X: Array
    targets: Targets
    weight: Array | None

    @property
    def total_weight(self) -> float:
        """Sum of the sample weights, the number of samples without weights."""
        if self.weight is None:
            return float(len(self.X))
        with np.errstate(over="ignore"):
            return float(self.weight.sum(dtype=np.float64))

    def counts(self, n_outputs: int) -> Float:
        """How many targets of each output there are (K,), by weight."""
        observed = self.targets.observed
        if observed is None:
            return np.full(n_outputs, self.total_weight)
        return np.asarray(observed.sum(axis=0) if self.weight is None else self.weight @ observed, np.float64)

    def weighed(self, share: Float) -> Samples:
        """With the squared errors of each output times a number (K,)."""
        return self._replace(targets=times(self.targets, share))

    def rows(self, index: Index) -> Samples:
        """Some of the samples, copied; `np.take` is three times as fast as an index in brackets."""
        *targets, weight = (None if a is None else np.take(a, index, axis=0) for a in (*self.targets, self.weight))
        return Samples(np.take(self.X, index, axis=0), Targets(*targets), weight)


def check_samples(
    architecture: Architecture,
    X: ArrayLike,
    T: ArrayLike,
    sample_weight: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    missing: str = "raise",
) -> Samples:
    """Check inputs, targets, sample weights and the targets' measurement errors together."""
    X = architecture.rows(X)
    T, observed = without_missing(architecture.loss, T, missing)
    targets = encode_targets(architecture.loss, T, len(X), architecture.n_outputs, architecture.dtype)
    if sigma is not None:
        targets = measured(architecture.loss, targets, sigma, observed)
    weight = check.sample_weight(sample_weight, len(X), architecture.dtype)
    return Samples(X, targets, weight) if observed is None else _partly(Samples(X, targets, weight), observed)


def _partly(samples: Samples, observed: Mask) -> Samples:
    """Samples some of whose targets are missing; those of which all are have no weight."""
    weight, some = samples.weight, observed.any(axis=1)
    if not some.all():
        weight = some.astype(samples.X.dtype) if weight is None else np.where(some, weight, 0).astype(weight.dtype)
    return samples._replace(targets=with_missing(samples.targets, observed), weight=weight)


def restored_samples(architecture: Any, samples: Any) -> Samples:
    """Samples that a pickle holds, checked anew, as the kernels do not; ModelFormatError if they are none."""
    try:
        X, (values, labels, precision, *others), weight = samples
        observed = others[0] if others else None
        own = check_samples(architecture, X, values if labels is None else labels, weight)
        if precision is not None:
            own = own._replace(targets=with_precision(own.targets, precision, observed))
        if observed is None:
            return own
        return _partly(own, check.mask(np.ravel(observed), "observed", values.size).reshape(values.shape))
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelFormatError(f"state: expected samples of a network, got others ({error})") from error


def predict(
    architecture: Architecture, params: Array, X: ArrayLike, out: Array | None = None, n_threads: int | None = None
) -> Array:
    """Outputs Y (N, K) for inputs X (N, D); (K,) for one sample (D,)."""
    X, alone = architecture.sample_or_rows(X)
    shape = (architecture.n_outputs,) if alone else (len(X), architecture.n_outputs)
    Y = None if out is None else check.output_array(out, shape, architecture.dtype)
    if Y is None or np.may_share_memory(Y, X) or np.may_share_memory(Y, params):
        Y = np.empty(shape, architecture.dtype)
    predicting.predict(architecture.plan, params, X, Y, _threads.resolve(n_threads))
    if out is None or Y is out:
        return Y
    out[...] = Y
    return out


def bind(architecture: Architecture, samples: Samples, scale: Array | None = None) -> Batch:
    """The samples bound to a network: what the functions below take; `scale` is the precision of each output."""
    targets = samples.targets
    return Batch(architecture.plan, samples.X, targets.values, targets.labels, targets.factors, samples.weight, scale)


def check_and_bind(
    architecture: Architecture, X: ArrayLike, T: ArrayLike, sample_weight: ArrayLike | None = None
) -> Batch:
    """Inputs, targets and sample weights, checked and bound; fast where there is nothing to be done."""
    batch = bind_plain(architecture.plan, X, T) if sample_weight is None else None
    return batch or bind(architecture, check_samples(architecture, X, T, sample_weight))


def loss(batch: Batch, params: Array, n_threads: int | None = None) -> float:
    """Sum of the (weighted) losses of the samples."""
    return batch.loss(params, _threads_for(batch, n_threads))


def loss_and_grad(batch: Batch, params: Array, n_threads: int | None = None) -> tuple[float, Array]:
    """Sum of the (weighted) losses and its gradient (P,), in one pass forward and one backward."""
    return batch.loss_and_grad(params, _threads_for(batch, n_threads))


def sample_losses(architecture: Architecture, params: Array, samples: Samples, n_threads: int | None = None) -> Array:
    """Loss of each sample (N,), unweighted."""
    batch = bind(architecture, samples._replace(weight=None))
    values = np.empty(len(samples.X), architecture.dtype)
    batch.loss(params, _threads_for(batch, n_threads), values)
    return values


def _threads_for(batch: Batch, n_threads: int | None) -> int:
    """Little work is for one thread, whatever is granted."""
    return 1 if n_threads is None and batch.small else _threads.resolve(n_threads)


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
        samples = check_samples(architecture, X, T, sample_weight)
    batch = bind(architecture, samples)
    z, a, delta = tracing.trace(batch, params, _threads_for(batch, n_threads))
    return Trace(LayerTrace(*layer) for layer in zip(z, a, delta or repeat(None, len(z)), strict=True))
