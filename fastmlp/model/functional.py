"""The kernels as pure functions of (architecture, params, X, T): arguments checked here, arithmetic in `_core`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from fastmlp import _executors, _threads
from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._core.sums import predict as predicting
from fastmlp._core.sums.batch import Batch, bind_plain
from fastmlp._types import Array, ArrayLike, Float, Index, Mask
from fastmlp.errors import ModelFormatError
from fastmlp.model import maps, spread
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunked import Batches, ChunkedSamples
from fastmlp.model.chunks import Chunks
from fastmlp.model.losses import Targets
from fastmlp.model.reading import reading
from fastmlp.model.targets import (
    MISSING,
    encode_targets,
    measured,
    times,
    with_missing,
    with_precision,
    without_missing,
)


class Samples(NamedTuple):
    """Checked samples in the network's type, as the kernels read them."""

    X: Array
    targets: Targets
    weight: Array | None

    @property
    def n_samples(self) -> int:
        """How many there are."""
        return len(self.X)

    @property
    def n_counting(self) -> int:
        """How many have a weight."""
        return len(self.X) if self.weight is None else int(np.count_nonzero(self.weight))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The network's type."""
        return self.X.dtype

    @property
    def has_labels(self) -> bool:
        """Whether targets are classes by number."""
        return self.targets.labels is not None

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

    def mapped(self, step: Callable[[Samples], Samples], units: Float | None = None) -> Samples:
        """What a function makes of the samples; those that come in chunks do so chunk by chunk, as what follows.

        Where it does no more to X than to put it in units, those are told: shifts, scales and slacks (3, D).
        """
        return step(self)

    def summed(self, function: Callable[[Samples], Any], inputs: bool = True) -> Any:
        """A function of the samples that is a sum over them; whether it takes X."""
        return function(self)

    def of_each(self, function: Callable[[Samples], Any], inputs: bool = True) -> list[Any]:
        """A function of what is in memory at once: of all of them."""
        return [function(self)]

    def each(self) -> Iterable[Samples]:
        """What is in memory at once: all of them."""
        return (self,)

    def columns(self, targets: bool = False) -> Iterable[tuple[Array, Array | None]]:
        """X or T with the weights."""
        return ((cast("Array", self.targets.values) if targets else self.X, self.weight),)

    def rows(self, index: Index) -> Samples:
        """Some of the samples, copied; `np.take` is three times as fast as an index in brackets."""
        *targets, weight = (None if a is None else np.take(a, index, axis=0) for a in (*self.targets, self.weight))
        return Samples(np.take(self.X, index, axis=0), Targets(*targets), weight)

    def followed_by(self, others: Sequence[Samples]) -> Samples:
        """These samples and others, without measurement errors and missing targets, copied."""
        both = [self, *others]
        X, values, labels = (
            None if parts[0] is None else np.concatenate(parts)
            for parts in zip(*((one.X, one.targets.values, one.targets.labels) for one in both), strict=True)
        )
        weights = [np.ones(len(one.X), one.X.dtype) if one.weight is None else one.weight for one in both]
        weight = None if all(one.weight is None for one in both) else np.concatenate(weights)
        return Samples(cast("Array", X), Targets(values, labels), weight)


def check_samples(
    architecture: Architecture,
    X: ArrayLike | Chunks,
    T: ArrayLike | None,
    sample_weight: ArrayLike | None = None,
    sigma: ArrayLike | None = None,
    missing: str = "raise",
) -> Samples:
    """Check inputs, targets, sample weights and the targets' measurement errors together."""
    if type(X) is not np.ndarray:  # which has no names and is no chunks
        architecture.check_names(X)
        X, T, sample_weight = in_chunks(X, T, sample_weight)
        if isinstance(X, Chunks):
            return _in_chunks(architecture, X, {"T": T, "sample_weight": sample_weight, "sigma": sigma}, missing)
    X, observed = architecture.rows(X), None
    if architecture.class_names is not None:
        T = architecture.numbered(T)
    if type(missing) is not str or missing != "raise":
        T, observed = without_missing(architecture.loss, cast("ArrayLike", T), missing)
    targets = encode_targets(
        architecture.loss, cast("ArrayLike", T), len(X), architecture.n_outputs, architecture.dtype
    )
    if sigma is not None:
        targets = measured(architecture.loss, targets, sigma, observed)
    weight = check.sample_weight(sample_weight, len(X), architecture.dtype)
    return Samples(X, targets, weight) if observed is None else _partly(Samples(X, targets, weight), observed)


def check_at_hand(
    architecture: Architecture, X: ArrayLike, T: ArrayLike, sample_weight: ArrayLike | None = None
) -> Samples:
    """The same for what has a result for each sample: all of them are to be in memory."""
    check.refuse_masked_and_lazy(X, "X")
    return check_samples(architecture, X, T, sample_weight)


def in_chunks(X: Any, T: Any, sample_weight: Any, client: Any = None) -> tuple[Any, Any, Any]:
    """Arrays of Dask's as Chunks, which have T and weights too; all else as it is."""
    if client is None and not spread.is_dask(X):
        return X, T, sample_weight
    return Chunks(X, T, sample_weight, client=client), None, None


def _in_chunks(architecture: Architecture, chunks: Chunks, others: dict[str, Any], missing: str) -> Samples:
    """Samples that are read chunk by chunk, and have the face of `Samples`; of a single chunk, that one."""
    refuse_beside_chunks(others)
    if check.choice(missing, "missing", MISSING) != "raise":
        raise ValueError("missing: expected 'raise' with Chunks, got 'ignore'; leave such samples out, or take arrays")
    if len(chunks) == 1:
        with reading(0):
            return check_samples(architecture, *chunks.read(0))
    return cast("Samples", ChunkedSamples(chunks, partial(_chunk, architecture), architecture.dtype))


def refuse_beside_chunks(others: dict[str, Any]) -> None:
    """TypeError where an argument is given that chunks have themselves."""
    for name, value in others.items():
        if value is not None:
            raise TypeError(f"{name}: expected None with Chunks, {_WITH_CHUNKS[name]}, got {type(value).__name__}")


_WITH_CHUNKS = {
    "T": "which hold their own targets (method= takes its name)",
    "sample_weight": "which hold their own weights",
    "sigma": "which have no measurement errors yet; take arrays, or sample_weight 1/sigma^2 for one output",
}


def _chunk(
    architecture: Architecture, X: ArrayLike, T: ArrayLike, weight: ArrayLike, *, finite: bool, inputs: bool, bare: bool
) -> Samples:
    """The samples of a chunk: once it has been looked at, X is known to be finite; or without X.

    A bare X of float32 that lies in memory row by row stays as it is, whatever the network's type.
    """
    rows = None
    if bare and architecture.layers[0].is_dense:
        rows = arrays.plain(X, np.dtype(np.float32), finite)
    if rows is not None:
        rows = check.matrix(rows, "X", architecture.n_inputs, None, finite=False)
    elif inputs:
        rows = architecture.rows(X, finite=finite)
    n_samples = len(check.real_array(T, "T", None) if rows is None else rows)
    T = architecture.numbered(T)
    targets = encode_targets(architecture.loss, T, n_samples, architecture.n_outputs, architecture.dtype)
    return Samples(cast("Array", rows), targets, check.sample_weight(weight, n_samples, architecture.dtype))


def _partly(samples: Samples, observed: Mask) -> Samples:
    """Samples some of whose targets are missing; those of which all are have no weight."""
    weight, some = samples.weight, observed.any(axis=1)
    if not some.all():
        weight = some.astype(samples.X.dtype) if weight is None else np.where(some, weight, 0).astype(weight.dtype)
    return samples._replace(targets=with_missing(samples.targets, observed), weight=weight)


def restored_samples(architecture: Any, samples: Any) -> Samples:
    """Samples that a pickle holds, checked anew, as the kernels do not; ModelFormatError if they are none."""
    if isinstance(samples, ChunkedSamples):
        return cast("Samples", samples)
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
    architecture: Architecture,
    params: Array,
    X: ArrayLike | Chunks,
    out: Array | None = None,
    n_threads: int | None = None,
) -> Array:
    """Outputs Y (N, K) for inputs X (N, D); (K,) for one sample (D,)."""
    if isinstance(X, Chunks):
        return _predict_chunks(architecture, params, X, out, n_threads)
    if spread.is_dask(X):
        return cast("Array", _predict_lazily(architecture, params, X, out, n_threads))
    X, alone = architecture.sample_or_rows(X)
    shape = (architecture.n_outputs,) if alone else (len(X), architecture.n_outputs)
    Y = None if out is None else _written(out, shape, architecture)
    if Y is None or np.may_share_memory(Y, X) or np.may_share_memory(Y, params):
        Y = np.empty(shape, architecture.dtype)
    predicting.predict(architecture.plan, params, X, Y, _threads.resolve(n_threads))
    if out is None or Y is out:
        return Y
    out[...] = Y
    return out


def _predict_chunks(
    architecture: Architecture, params: Array, chunks: Chunks, out: Array | None, n_threads: int | None
) -> Array:
    """Outputs of one chunk after the other, into `out` where that is given."""
    own = None
    if out is not None:
        own = _written(out, (*np.shape(out)[:1], architecture.n_outputs), architecture).view(np.ndarray)
    parts: list[Array] = []
    first = 0
    for number in range(len(chunks)):
        with reading(number):
            X = architecture.rows(chunks.read(number)[0])
        last = first + len(X)
        if own is None:
            parts.append(predict(architecture, params, X, None, n_threads))
        elif last > len(own):
            raise ValueError(f"out: expected as many rows as the chunks have, got {len(own)}")
        else:
            predict(architecture, params, X, own[first:last], n_threads)
        first = last
    if out is None:
        return np.concatenate(parts)
    if first != len(out):
        raise ValueError(f"out: expected {first} rows, as many as the chunks have, got {len(out)}")
    return out


def _written(out: Any, shape: tuple[int, ...], architecture: Architecture) -> Array:
    """A user's array that is to be filled, of this shape; where it is a memory map, with room on disk."""
    array = check.output_array(out, shape, architecture.dtype)
    if type(out) is not np.ndarray:
        maps.reserve(out)
    return array


def _predict_lazily(architecture: Architecture, params: Array, X: Any, out: Any, n_threads: int | None) -> Any:
    """Outputs as an array of Dask's, block by block; with one thread, as many blocks are computed at once."""
    if out is not None:
        raise TypeError(
            f"out: expected None with X of Dask's, whose outputs are computed later, got {type(out).__name__}"
        )
    threads = 1 if n_threads is None else _threads.wanted(n_threads)
    architecture.check_names(X)
    X = spread.by_rows(X, "X")
    architecture.rows(np.empty((0, *X.shape[1:])))
    function = partial(_outputs_there, _executors.build(), architecture, params.copy(), threads)
    return spread.outputs(X, function, np.empty((0, architecture.n_outputs), architecture.dtype))


def _outputs_there(caller: Any, architecture: Architecture, params: Array, n_threads: int, X: Array) -> Array:
    _executors.refuse_other(caller, "X")
    return predict(architecture, params, X, None, n_threads)


def bind(architecture: Architecture, samples: Samples, scale: Array | None = None) -> Batch:
    """The samples bound to a network: what the functions below take; `scale` is the precision of each output."""
    if isinstance(samples, ChunkedSamples):
        return cast("Batch", Batches(architecture.plan, samples, partial(_bind, architecture, scale)))
    return _bind(architecture, scale, samples)


def _bind(architecture: Architecture, scale: Array | None, samples: Samples, units: Float | None = None) -> Batch:
    """Inputs may be seen in units, rows of shifts, scales and slacks (3, D), and be of float32 whatever the network."""
    X, (values, labels, *_), weight = samples
    return Batch(architecture.plan, X, values, labels, samples.targets.factors, weight, scale, units)


def check_and_bind(
    architecture: Architecture, X: ArrayLike | Chunks, T: ArrayLike | None, sample_weight: ArrayLike | None = None
) -> Batch:
    """Inputs, targets and sample weights, checked and bound; fast where there is nothing to be done."""
    batch = bind_plain(architecture.plan, X, T) if sample_weight is None else None
    return batch or bind(architecture, check_samples(architecture, X, T, sample_weight))


def loss(batch: Batch, params: Array, n_threads: int | None = None) -> float:
    """Sum of the (weighted) losses of the samples."""
    return batch.loss(params, threads_for(batch, n_threads))


def loss_and_grad(batch: Batch, params: Array, n_threads: int | None = None) -> tuple[float, Array]:
    """Sum of the (weighted) losses and its gradient (P,), in one pass forward and one backward."""
    return batch.loss_and_grad(params, threads_for(batch, n_threads))


def sample_losses(architecture: Architecture, params: Array, samples: Samples, n_threads: int | None = None) -> Array:
    """Loss of each sample (N,), unweighted."""
    batch = bind(architecture, samples._replace(weight=None))
    values = np.empty(len(samples.X), architecture.dtype)
    batch.loss(params, threads_for(batch, n_threads), values)
    return values


def threads_for(batch: Batch, n_threads: int | None) -> int:
    """Little work is for one thread, whatever is granted; where chunks lie, their number is asked for."""
    if n_threads is None and batch.small:
        return 1
    return cast("int", n_threads) if isinstance(batch, Batches) else _threads.resolve(n_threads)
