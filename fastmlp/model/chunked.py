"""Samples that come in chunks, with the face of `Samples` as far as it can be had chunk by chunk; sums over chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastmlp._tables import how_many
from fastmlp._types import Array, Float, Index
from fastmlp.model.chunks import Chunks, reading


class Facts(NamedTuple):
    """What is remembered of a chunk that has been looked at."""

    size: int
    weight: float  #: the sum of its weights
    weighted: int  #: how many weights are not 0
    has_weights: bool
    has_labels: bool


class Sums:
    """Parts added up by a tree over their numbers, 0 with 1, 2 with 3, ..., in whatever order they arrive.

    A part is a number, an array, or a tuple of these; arrays are the caller's no more. They are added in float64, and
    the total has the types of the parts.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], Any] = {}  # by level and place there
        self._types: Any = None

    def add(self, number: int, part: Any) -> None:
        """Part `number`, from 0."""
        self._types = _types(part)
        part, level = _wide(part), 0
        while (other := self._waiting.pop((level, number ^ 1), None)) is not None:
            part = _plus(other, part) if number & 1 else _plus(part, other)
            level, number = level + 1, number >> 1
        self._waiting[level, number] = part

    @property
    def total(self) -> Any:
        """The sum of all parts 0 .. n - 1; subtrees without a neighbour wait for the next level."""
        last, *others = (self._waiting[place] for place in sorted(self._waiting))
        for part in others:
            last = _plus(part, last)
        self._waiting.clear()
        return _narrow(last, self._types)


def _types(part: Any) -> Any:
    return tuple(map(_types, part)) if isinstance(part, tuple) else getattr(part, "dtype", None)


def _wide(part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(map(_wide, part))
    return part.astype(np.float64, copy=False) if isinstance(part, np.ndarray) else part


def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, tuple):
        return tuple(map(_plus, a, b))
    with np.errstate(all="ignore"):
        return np.add(a, b, out=a) if isinstance(a, np.ndarray) else a + b


def _narrow(part: Any, types: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(map(_narrow, part, types))
    with np.errstate(over="ignore"):
        return part.astype(types, copy=False) if isinstance(part, np.ndarray) else part


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
        self._facts: list[Facts | None] = [None] * len(chunks)
        self._some: dict[int, Any] = {}

    def __getattr__(self, name: str) -> Any:
        """What `Samples` have besides takes all of them at once."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Elsewhere(name, self)._refuse()

    # ---- chunk by chunk ----

    def size_of(self, number: int) -> int:
        """How many samples a chunk has."""
        return self._known()[number].size

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
        known = self._known()[number]
        if others or units is None or known.weighted < known.size:  # what has no weight is kept near in units
            return self.of_chunk(number), None
        with reading(number):
            samples = self._read(number, bare=True)
            return step(samples._replace(X=None))._replace(X=samples.X), units

    def _read(self, number: int, inputs: bool = True, bare: bool = False) -> Any:
        known = self._facts[number]
        parts = self.chunks.read(number)
        samples = self._check(*parts, finite=known is None, inputs=inputs or known is None, bare=bare)
        found = _facts(samples)
        if known is None:
            first = self._facts[0] or found
            if found.has_labels != first.has_labels:
                raise ValueError("expected targets of the form that chunk 0 has, labels or rows, got the other")
            self._facts[number] = found
        elif found != known:
            raise ValueError(
                f"expected {how_many(known.size, 'sample')} as when it was read first, with the same weights, "
                f"got {how_many(found.size, 'sample')}"
            )
        return samples

    def summed(self, function: Callable[[Any], Any], inputs: bool = True) -> Any:
        """The sum of a function of the samples of each chunk: a number, an array, or a tuple of these."""
        sums = Sums()
        for number, samples in enumerate(self.each(inputs)):
            sums.add(number, function(samples))
        return sums.total

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
        return Elsewhere("sample_weight", self) if any(each.has_weights for each in self._known()) else None

    @property
    def n_samples(self) -> int:
        """How many there are."""
        return sum(each.size for each in self._known())

    @property
    def n_counting(self) -> int:
        """How many have a weight."""
        return sum(each.weighted for each in self._known())

    @property
    def total_weight(self) -> float:
        """Sum of the sample weights, the number of samples without weights."""
        return float(sum(each.weight for each in self._known()))

    @property
    def has_labels(self) -> bool:
        """Whether targets are classes by number; those of all chunks, or of none."""
        return self._known()[0].has_labels

    def counts(self, n_outputs: int) -> Float:
        """How many targets of each output there are (K,), by weight."""
        return np.full(n_outputs, self.total_weight)

    def rows(self, index: Index) -> Any:
        """Some of the samples, copied, by their ascending numbers."""
        return self._picked(index, [each.size for each in self._known()], None)

    def some(self, most: int, choose: Callable[[int], Index]) -> Any:
        """At most so many samples that count, as ``choose(n)`` picks them from n; remembered."""
        if most not in self._some:
            sizes = [each.weighted for each in self._known()]
            self._some[most] = self._picked(choose(sum(sizes)), sizes, np.flatnonzero)
        return self._some[most]

    def _picked(self, index: Index, sizes: list[int], among: Callable[[Any], Index] | None) -> Any:
        """Samples by number, of all, or of those that a function of the weights tells."""
        ends = np.searchsorted(index, np.cumsum([0, *sizes]))
        first, parts = 0, []
        for number, size in enumerate(sizes):
            own = index[ends[number] : ends[number + 1]] - first
            first += size
            if len(own):
                with reading(number):
                    samples = self._read(number, bare=True)
                    if among is not None and samples.weight is not None:
                        own = among(samples.weight)[own]
                    samples = samples.rows(own)
                    samples = samples._replace(X=samples.X.astype(self.dtype, copy=False))
                    for step, _ in self._steps:
                        samples = step(samples)
                parts.append(samples)
        return parts[0].followed_by(parts[1:])

    def _known(self) -> list[Facts]:
        """Of all chunks: those that have not been looked at yet are read."""
        for number, known in enumerate(self._facts):
            if known is None:
                with reading(number):
                    self._read(number, bare=True)
        return [each for each in self._facts if each is not None]


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
        sums = Sums()
        for number in range(len(self.samples.chunks)):
            sums.add(number, function(self.of_chunk(number), *arguments, **named))
        return sums.total

    def of_chunk(self, number: int) -> Any:
        """The `Batch` of one chunk."""
        return self._bind(*self.samples.bare(number))

    def loss(self, params: Array, n_threads: int) -> float:
        """Sum of losses."""
        return float(self.summed(_loss, params, n_threads))

    def loss_and_grad(self, params: Array, n_threads: int) -> tuple[float, Array]:
        """(Sum of losses, its gradient (P,))."""
        value, gradient = self.summed(_loss_and_grad, params, n_threads)
        return value, gradient


def _loss(batch: Any, params: Array, n_threads: int) -> float:
    return float(batch.loss(params, n_threads))


def _loss_and_grad(batch: Any, params: Array, n_threads: int) -> tuple[float, Array]:
    value, gradient = batch.loss_and_grad(params, n_threads)
    return value, gradient
