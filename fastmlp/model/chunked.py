"""Samples that come in chunks, with the face of `Samples` as far as it can be had chunk by chunk; sums over chunks.

What is asked of chunks is a function of these samples and of a chunk's number, so that it can be sent to where chunks
lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _executors, _threads
from fastmlp._tables import how_many
from fastmlp._types import Array, Float, Index
from fastmlp.model.chunks import Chunks
from fastmlp.model.reading import reading


class Facts(NamedTuple):
    """What is remembered of a chunk that has been looked at."""

    size: int
    weight: float  #: the sum of its weights
    weighted: int  #: how many weights are not 0
    has_weights: bool
    has_labels: bool

    def told(self) -> str:
        """In words."""
        kind = "labels" if self.has_labels else "rows of targets"
        weights = f"weights, {self.weighted} not 0, of sum {self.weight:.17g}" if self.has_weights else "no weights"
        return f"{how_many(self.size, 'sample')} with {kind} and {weights}"


class Elsewhere:
    """In the place of an array of all samples, which nobody has: its length is known, all else is refused by name."""

    __array_ufunc__ = None

    def __init__(self, name: str, samples: ChunkedSamples) -> None:
        self._name, self._samples = name, samples

    def __len__(self) -> int:
        return self._samples.n_samples

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what NumPy, pickle and the like ask of any object
            raise AttributeError(name)
        self._refuse()

    def __getitem__(self, index: Any) -> Any:
        self._refuse()

    def __iter__(self) -> Any:
        self._refuse()

    def __array__(self, *arguments: Any, **named: Any) -> Any:
        self._refuse()

    def _refuse(self) -> Any:
        raise TypeError(
            f"X: expected arrays for this, which looks at {self._name} sample by sample, got {self._samples.chunks!r}; "
            "what is a sum over samples takes chunks. Give it some of the samples as arrays"
        )


class _TargetsElsewhere(Elsewhere):
    """Measurement errors and missing targets, of which chunks have none, are known."""

    precision = factors = observed = None


class ChunkedSamples:
    """Checked samples in the network's type, chunk by chunk, never two at once: what `check_samples` makes of `Chunks`.

    Parameters
    ----------
    chunks : Chunks
    check : callable
        ``check(X, T, sample_weight, finite=, inputs=, bare=)`` gives the `Samples` of a chunk: whether X is to be
        looked for what is not finite, whether it is wanted at all, and whether it may stay in float32.
    dtype : dtype
        The network's.
    """

    def __init__(self, chunks: Chunks, check: Callable[..., Any], dtype: Any) -> None:
        self.chunks, self.dtype, self._check = chunks, dtype, check
        self._steps: tuple[tuple[Callable[[Any], Any], Float | None], ...] = ()
        self._facts: dict[int, Facts] = {}
        self._some: dict[int, Any] = {}
        self._bytes = b""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_facts": {}, "_some": {}, "_bytes": b""}

    def packed(self) -> bytes:
        """For those who have chunks, and what is known of them: `held`."""
        if not self._bytes:
            self._bytes = _executors.packed(self, "samples")
        return self._bytes

    def facts_of(self, numbers: Iterable[int]) -> dict[int, Facts]:
        """What is known of some chunks."""
        return {number: self._facts[number] for number in numbers if number in self._facts}

    def held(self, chunks: Any, facts: dict[int, Facts]) -> ChunkedSamples:
        """The same of some of the chunks, which are at hand."""
        self.chunks, self._facts = chunks, facts
        return self

    def __getattr__(self, name: str) -> Any:
        """What `Samples` have besides takes all of them at once."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Elsewhere(name, self)._refuse()

    # ---- chunk by chunk ----

    def size_of(self, number: int) -> int:
        """How many samples a chunk has."""
        return self.looked_at(number).size

    def each(self, inputs: bool = True) -> Iterator[Any]:
        """The samples of one chunk after the other; without X if that is not wanted, once it has been looked at."""
        for number in range(len(self.chunks)):
            yield self.of_chunk(number, inputs)

    def of_chunk(self, number: int, inputs: bool = True) -> Any:
        """The samples of one chunk."""
        with reading(number):
            samples = self._read(number, inputs)
            for step, _ in self._steps:
                samples = step(samples)
        return samples

    def bare(self, number: int) -> tuple[Any, Float | None]:
        """The samples of one chunk with X as it lies there, and the units (3, D) in which a `Batch` is to see it."""
        if not self._steps:
            with reading(number):
                return self._read(number, bare=True), None
        (step, units), *others = self._steps
        known = self.looked_at(number)
        if others or units is None or known.weighted < known.size:  # what has no weight is kept near in units
            return self.of_chunk(number), None
        with reading(number):
            samples = self._read(number, bare=True)
            return step(samples._replace(X=None))._replace(X=samples.X), units

    def _read(self, number: int, inputs: bool = True, bare: bool = False) -> Any:
        is_new = number not in self._facts
        samples = self._check(*self.chunks.read(number), finite=is_new, inputs=inputs or is_new, bare=bare)
        self._note(number, _facts(samples))
        return samples

    def _note(self, number: int, found: Facts) -> None:
        """What has been seen of a chunk; ValueError if that is not what was seen of it, or of the first one, before."""
        known = self._facts.get(number)
        if known is None:
            if found.has_labels != self._facts.get(0, found).has_labels:
                raise ValueError("expected targets of the form that chunk 0 has, labels or rows, got the other")
            self._facts[number] = found
        elif found != known:
            raise ValueError(f"expected {known.told()} as when it was read first, got {found.told()}")

    def refuse_nan(self, number: int) -> None:
        """ValueError if inputs of a chunk are no longer finite: they have changed since they were looked at."""
        with reading(number):
            self._check(*self.chunks.read(number), finite=True, inputs=True, bare=False)

    def summed(self, function: Callable[[Any], Any], inputs: bool = True) -> Any:
        """The sum of a function of the samples of each chunk: a number, an array, or a tuple of these."""
        return self.chunks.summed(self, _of_samples, (function, inputs))

    def of_each(self, function: Callable[[Any], Any], inputs: bool = True) -> list[Any]:
        """A function of the samples of each chunk, in the order of these."""
        numbers = range(len(self.chunks))
        found = dict(self.chunks.answers(self, _of_samples, dict.fromkeys(numbers, (function, inputs))))
        return [found[number] for number in numbers]

    def columns(self, targets: bool = False) -> Columns:
        """X or T with the weights, chunk by chunk, as often as they are gone through."""
        return Columns(self, targets)

    def mapped(self, step: Callable[[Any], Any], units: Float | None = None) -> ChunkedSamples:
        """The same, where a function changes the samples of each chunk; `units` as for `Samples.mapped`."""
        other = ChunkedSamples(self.chunks, self._check, self.dtype)
        other._steps, other._facts = (*self._steps, (step, units)), self._facts
        other._some = {most: step(some) for most, some in self._some.items()}
        return other

    # ---- what `Samples` have ----

    @property
    def X(self) -> Any:
        """Its length."""
        return Elsewhere("X", self)

    @property
    def targets(self) -> Any:
        """That none is missing, or has a measurement error."""
        return _TargetsElsewhere("T", self)

    @property
    def weight(self) -> Any:
        """Whether there are any."""
        return Elsewhere("sample_weight", self) if any(each.has_weights for each in self.known()) else None

    @property
    def n_samples(self) -> int:
        """How many there are."""
        return sum(each.size for each in self.known())

    @property
    def n_counting(self) -> int:
        """How many have a weight."""
        return sum(each.weighted for each in self.known())

    @property
    def total_weight(self) -> float:
        """Sum of the sample weights, the number of samples without weights."""
        return float(sum(each.weight for each in self.known()))

    @property
    def has_labels(self) -> bool:
        """Whether targets are classes by number; those of all chunks, or of none."""
        return self.known()[0].has_labels

    def counts(self, n_outputs: int) -> Float:
        """How many targets of each output there are (K,), by weight."""
        return np.full(n_outputs, self.total_weight)

    def rows(self, index: Index) -> Any:
        """Some of the samples, copied, by their ascending numbers."""
        return self._picked(index, [each.size for each in self.known()], counting=False)

    def some(self, most: int, choose: Callable[[int], Index]) -> Any:
        """At most so many samples that count, as ``choose(n)`` picks them from n; remembered."""
        if most not in self._some:
            sizes = [each.weighted for each in self.known()]
            self._some[most] = self._picked(choose(sum(sizes)), sizes, counting=True)
        return self._some[most]

    def _picked(self, index: Index, sizes: list[int], counting: bool) -> Any:
        """Samples by number, of all, or of those that have a weight."""
        ends = np.cumsum([0, *sizes])
        places = np.searchsorted(index, ends)
        asked = {
            number: (index[first:last] - ends[number], counting)
            for number, (first, last) in enumerate(pairwise(places.tolist()))
            if first < last
        }
        parts = dict(self.chunks.answers(self, _some_of, asked))
        first, *others = (parts[number] for number in asked)
        return first.followed_by(others)

    def known(self) -> list[Facts]:
        """Of all chunks: those that have not been looked at yet are read."""
        numbers = range(len(self.chunks))
        left = {number: () for number in numbers if number not in self._facts}
        for number, found in self.chunks.answers(self, _looked_at, left) if left else ():
            with reading(number):
                self._note(number, found)
        return [self._facts[number] for number in numbers]

    def looked_at(self, number: int) -> Facts:
        """What there is to know of a chunk."""
        if number not in self._facts:
            with reading(number):
                self._read(number, bare=True)
        return self._facts[number]

    def some_of(self, number: int, own: Index, counting: bool) -> Any:
        """Samples of a chunk, by their numbers there, or among those that have a weight, copied."""
        with reading(number):
            samples = self._read(number, bare=True)
            if counting and samples.weight is not None:
                own = np.flatnonzero(samples.weight)[own]
            samples = samples.rows(own)
            samples = samples._replace(X=samples.X.astype(self.dtype, copy=False))
            for step, _ in self._steps:
                samples = step(samples)
        return samples


def _looked_at(samples: ChunkedSamples, number: int) -> Facts:
    return samples.looked_at(number)


def _some_of(samples: ChunkedSamples, number: int, own: Index, counting: bool) -> Any:
    return samples.some_of(number, own, counting)


def _of_samples(samples: ChunkedSamples, number: int, function: Callable[[Any], Any], inputs: bool) -> Any:
    return function(samples.of_chunk(number, inputs))


class Columns:
    """Arrays (n, m) and weights (n,) or None, chunk by chunk, as often as they are gone through."""

    def __init__(self, samples: ChunkedSamples, targets: bool) -> None:
        self._samples, self._targets = samples, targets

    def __iter__(self) -> Iterator[tuple[Array, Array | None]]:
        weighted = self._samples.weight is not None
        for samples in self._samples.each(inputs=not self._targets):
            array = samples.targets.values if self._targets else samples.X
            weight = samples.weight
            yield array, np.ones(len(array), array.dtype) if weighted and weight is None else weight


def _facts(samples: Any) -> Facts:
    values, labels, *_ = samples.targets
    size, weight = len(values if labels is None else labels), samples.weight
    counting = size if weight is None else int(np.count_nonzero(weight))
    total = float(size) if weight is None else samples.total_weight
    return Facts(size, total, counting, weight is not None, labels is not None)


class Batches:
    """The samples of chunks bound to a network, one chunk after the other: what is summed over a `Batch` of them.

    Parameters
    ----------
    plan : Plan
        The network's.
    samples : ChunkedSamples
    bind : callable
        Gives the `Batch` of the samples of a chunk, and of the units in which it sees their inputs, or None.
    """

    small = False

    def __init__(self, plan: Any, samples: ChunkedSamples, bind: Callable[..., Any]) -> None:
        self.plan, self.samples, self._bind = plan, samples, bind

    def summed(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The sum over the chunks of a function of a batch and these arguments."""
        return self.samples.chunks.summed(self.samples, _of_batch, (self._bind, function, arguments, named))

    def of_chunk(self, number: int) -> Any:
        """The `Batch` of one chunk."""
        return self._bind(*self.samples.bare(number))

    def loss(self, params: Array, n_threads: int | None) -> float:
        """Sum of losses."""
        return float(self.summed(_loss, params, n_threads))

    def loss_and_grad(self, params: Array, n_threads: int | None) -> tuple[float, Array]:
        """(Sum of losses, its gradient (P,))."""
        value, gradient = self.summed(_loss_and_grad, params, n_threads)
        return value, gradient


def _of_batch(
    samples: ChunkedSamples, number: int, bind: Callable[..., Any], function: Callable[..., Any],
    arguments: tuple[Any, ...], named: dict[str, Any],
) -> Any:  # fmt: skip
    found = function(bind(*samples.bare(number)), *arguments, **named)
    if _has_nan(found):
        samples.refuse_nan(number)
    return found


def _has_nan(found: Any) -> bool:
    """Of a number, an array, or the first of several: a value, which is nan where any of the samples is."""
    return bool(np.isnan(found[0] if isinstance(found, tuple) else found).any())


def _loss(batch: Any, params: Array, n_threads: int | None) -> float:
    return float(batch.loss(params, _threads.resolve(n_threads)))


def _loss_and_grad(batch: Any, params: Array, n_threads: int | None) -> tuple[float, Array]:
    value, gradient = batch.loss_and_grad(params, _threads.resolve(n_threads))
    return value, gradient
