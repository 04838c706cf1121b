"""Chunks that lie on the workers of a Dask cluster: what is asked of them is computed there, by one task a worker.

A worker has neighbours by number, so that it sends few subtrees of a sum (`sums.py`); where the chunks lie, and who
answers first, is no part of the result. The chunks of a worker are the result of one task of Dask's, and so is what is
asked of them: what dies with a worker is computed by another one, from the same numbers.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import cycle, pairwise
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _executors, _optional
from fastmlp import _validation as check
from fastmlp.errors import Said, warn_caller
from fastmlp.model.reading import reading
from fastmlp.model.sums import Sums

ASKER = "samples of Dask"
LOOK = 2.0  # seconds without an answer after which workers are counted
Function = Callable[..., Any]


class Share(NamedTuple):
    """The chunks of a worker, as the result of a task."""

    worker: str
    numbers: range
    held: Any


class Spread:
    """Chunks on workers.

    Parameters
    ----------
    client : distributed.Client
    blocks : sequence of tuple
        What `blocks_of` gives.
    """

    def __init__(self, client: Any, blocks: Sequence[tuple[Any, ...]]) -> None:
        delayed = _optional.load("dask", "dask", ASKER).delayed(_chunk, pure=True)
        self._client, self._chunks = client, [delayed(*block) for block in blocks]
        workers, n = sorted(client.nthreads()), len(blocks)
        if not workers:
            raise ValueError(
                "client: expected a cluster with workers, got none; client.wait_for_workers(n) waits for n"
            )
        ends = [place * n // len(workers) for place in range(len(workers) + 1)]
        self._shares = self._placed([range(*pair) for pair in pairwise(ends) if pair[0] < pair[1]], workers)

    def _placed(self, shares: Sequence[range], workers: Sequence[str]) -> list[Share]:
        """Chunks brought together, by one worker after the other, once they have been computed, wherever that is."""
        chunks, placed = self._client.compute(self._chunks), []
        for numbers, worker in zip(shares, cycle(workers)):
            own = chunks[numbers.start : numbers.stop]
            held = self._client.submit(list, own, pure=False, workers=[worker], allow_other_workers=True)
            placed.append(Share(worker, numbers, held))
        return placed

    def _replaced(self) -> bool:
        """Whether there was a moment without workers, since which what was for one of them waits for ever.

        Dask gives the tasks of a worker that dies to another one, if there is one at that moment.
        """
        workers = sorted(self._client.nthreads())
        if not workers or any(share.worker in workers for share in self._shares):
            return False
        self._shares = self._placed([share.numbers for share in self._shares], workers)
        return True

    def read(self, number: int) -> Any:
        """One chunk, brought here."""
        share = next(share for share in self._shares if number in share.numbers)
        return self._client.submit(operator.getitem, share.held, number - share.numbers.start, pure=False).result()

    def summed(self, samples: Any, function: Function, arguments: tuple[Any, ...]) -> Any:
        """The sum over the chunks of ``function(samples, number, *arguments)``."""
        samples.known()
        sums = Sums()
        for answer in self._asked(samples, _part_of_sum, lambda share: (function, arguments)):
            sums.unpack(answer)
        return sums.total

    def answers(
        self, samples: Any, function: Function, asked: Mapping[int, tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Numbers of chunks with ``function(samples, number, *arguments)``, by the arguments of each that is asked."""

        def of_share(share: Share) -> Any:
            own = {number: asked[number] for number in share.numbers if number in asked}
            return (function, own) if own else None

        for answer in self._asked(samples, _answers, of_share):
            yield from answer

    def _asked(self, samples: Any, function: Function, arguments_of: Callable[[Share], Any]) -> Iterator[Any]:
        """What workers answer, as they do; what they are at is cancelled if that is not waited for."""
        distributed = _optional.load("distributed", "distributed", ASKER)
        asked = [arguments_of(share) for share in self._shares]
        pending = {place for place, arguments in enumerate(asked) if arguments is not None}
        futures: dict[Any, int] = {}  # places of shares
        told: set[Said] = set()
        try:
            while pending:
                if not futures:
                    futures = {self._sent(place, samples, (function, asked[place])): place for place in sorted(pending)}
                found = distributed.as_completed(
                    futures, loop=self._client.loop, with_results=True, raise_errors=False, timeout=LOOK
                )
                for future, result in _in_time(found):
                    pending.remove(futures.pop(future))
                    yield self._heard(future, result, told)
                if futures and self._replaced():
                    futures.clear()
        finally:
            if futures:
                self._client.cancel(list(futures))

    def _sent(self, place: int, samples: Any, asked: tuple[Function, Any]) -> Any:
        """The future of a call for the worker of a share."""
        _, numbers, held = self._shares[place]
        what = (_at_worker, (numbers, samples.facts_of(numbers), *asked))
        call = _executors.packed(what, "functions of samples", "client")
        name = f"chunk {numbers[0]}" if len(numbers) == 1 else f"chunks {numbers[0]} to {numbers[-1]}"
        return self._client.submit(
            _executors.work, _executors.build(), name, samples.packed(), call, held, pure=False
        )  # to be done where `held` is

    def _heard(self, future: Any, result: Any, told: set[Said]) -> Any:
        """The answer of a worker, or its exception."""
        if future.status != "finished":
            self._raise_of_chunk()
            error = result[1] if isinstance(result, tuple) else result
            raise RuntimeError(
                f"client: expected workers that answer, got {type(error).__name__}: {str(error).rstrip('.')}; they "
                "need fastmlp, and memory for their chunks and some matrices beside"
            ) from error
        answer, said = result
        for each in said:
            if each not in told:
                told.add(each)
                warn_caller(*each)
        if isinstance(answer, _executors.Failure):
            raise answer.error
        return answer

    def _raise_of_chunk(self) -> None:
        """The exception of a chunk that cannot be computed, if that is it."""
        if all(share.held.status == "finished" for share in self._shares):
            return
        chunks = self._client.compute(self._chunks)
        _optional.load("distributed", "distributed", ASKER).wait(chunks)
        for number, chunk in enumerate(chunks):
            with reading(number):
                chunk.result()


def _in_time(found: Iterator[Any]) -> Iterator[Any]:
    """What comes until then."""
    with suppress(TimeoutError):
        yield from found


# ---- at the workers ----


class Held:
    """The chunks that a worker has."""

    def __init__(self, numbers: Sequence[int], chunks: Sequence[tuple[Any, ...]]) -> None:
        self._chunks = dict(zip(numbers, chunks, strict=True))

    def read(self, number: int) -> tuple[Any, ...]:
        """One of them."""
        return self._chunks[number]


def _at_worker(samples: Any, chunks: Sequence[Any], numbers: range, facts: Any, function: Function, asked: Any) -> Any:
    return function(samples.held(Held(numbers, chunks), facts), numbers, asked)


def _part_of_sum(samples: Any, numbers: range, asked: tuple[Function, tuple[Any, ...]]) -> Any:
    function, arguments = asked
    sums = Sums()
    for number in numbers:
        sums.add(number, function(samples, number, *arguments))
    return sums.packed()


def _answers(samples: Any, _: range, asked: tuple[Function, Mapping[int, tuple[Any, ...]]]) -> list[tuple[int, Any]]:
    function, of_chunks = asked
    return [(number, function(samples, number, *arguments)) for number, arguments in of_chunks.items()]


def _chunk(X: Any, T: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    return X, T, sample_weight


# ---- Dask's collections ----


def is_dask(array: Any) -> bool:
    """Whether it is a collection of Dask's, told by its methods, so that nothing is imported."""
    kind = type(array)
    return kind is not np.ndarray and hasattr(kind, "to_delayed") and hasattr(kind, "__dask_graph__")


def blocks_of(X: Any, T: Any, sample_weight: Any) -> list[tuple[Any, Any, Any]]:
    """The blocks (X, T, sample_weight) of a chunk each, delayed, or None where there is nothing; rows as X has them."""
    X = by_rows(X, "X")
    n_chunks = X.numblocks[0]
    given = {"X": X, "T": T, "sample_weight": sample_weight}
    columns = []
    for name, array in given.items():
        columns.append([None] * n_chunks if array is None else _blocks(array, name, X))
    return list(zip(*columns, strict=True))


def _blocks(array: Any, name: str, X: Any) -> list[Any]:
    rows = X.chunks[0]
    if not is_dask(array):
        array = _optional.load("dask.array", "dask", ASKER).from_array(np.asarray(array), chunks=-1)
    array = by_rows(array, name)
    if any(math.isnan(size) for size in rows + array.chunks[0]):
        if array.numblocks[0] != len(rows):
            raise ValueError(
                f"{name}: expected {len(rows)} blocks, as many as X, got {array.numblocks[0]}; compute_chunk_sizes() "
                "tells how long they are"
            )
    elif array.shape[0] != X.shape[0]:
        raise ValueError(f"{name}: expected {X.shape[0]} rows, as many as X, got {array.shape[0]}")
    elif array.chunks[0] != rows:
        array = array.rechunk({0: rows})
    return array.to_delayed().ravel().tolist()  # type: ignore[no-any-return]


def by_rows(array: Any, name: str) -> Any:
    """A frame as an array; each block has all columns."""
    if hasattr(array, "to_dask_array"):
        array = array.to_dask_array()
    if not hasattr(array, "numblocks") or not array.ndim:
        raise TypeError(f"{name}: expected an array or a frame of Dask's, got {check.shown(array)}")
    return array.rechunk(dict.fromkeys(range(1, array.ndim), -1))


def outputs(X: Any, function: Callable[[Any], Any], like: Any) -> Any:
    """A function of the blocks of rows, as an array (N, K) of Dask's; `like` is one without rows."""
    chunks = (X.chunks[0], like.shape[1:])
    return X.map_blocks(function, chunks=chunks, drop_axis=range(2, X.ndim), dtype=like.dtype, meta=like)


def client_of(given: Any) -> Any:
    """The client that is given, or Dask's current one, or None."""
    if given is not None:
        if not all(hasattr(given, name) for name in ("submit", "compute", "nthreads")):
            raise TypeError(f"client: expected None or a distributed.Client, got {check.shown(given)}")
        return given
    distributed = sys.modules.get("distributed")  # else there is none
    try:
        return None if distributed is None else distributed.default_client()
    except ValueError:
        return None


class Computed:
    """A chunk that is computed here, each time it is read."""

    def __init__(self, block: tuple[Any, ...]) -> None:
        self.block = block

    def __call__(self) -> Any:
        """Its parts."""
        return _optional.load("dask", "dask", ASKER).compute(*self.block)


class Away:
    """A chunk on workers, in another process than its client's."""

    def __call__(self) -> Any:
        """Always a TypeError."""
        raise TypeError("expected the process whose client has the chunks, got another one")
