"""`Chunks`: samples that need not fit into memory, given as pieces that are read one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from fastmlp import _validation as check
from fastmlp._tables import how_many
from fastmlp.model import maps, spread
from fastmlp.model.row_groups import row_groups
from fastmlp.model.sums import summed

PARTS = ("X", "T", "sample_weight")


class Chunks:
    """Samples in pieces, of which one at a time is in memory: what sums over samples takes them in place of X and T.

    Parameters
    ----------
    X : sequence of chunks, or array-like of shape (N, D)
        Chunks: tuples (X, T) or (X, T, sample_weight), or callables without arguments that return one; (X,) where no
        targets are asked for. Or, with `rows`, all inputs: whatever gives rows i to j as ``X[i:j]``, such as a
        `numpy.memmap`, an array of zarr or a data set of h5py. Or an array or a data frame of Dask's, whose blocks of
        rows are the chunks; those of T and `sample_weight` are cut like them.
    T, sample_weight : array-like, optional
        With `rows`: targets and weights of all samples, likewise.
    rows : int, optional
        How many samples a chunk has; the last one may have fewer.
    client : distributed.Client, optional
        Of the cluster on which Dask's blocks are to lie, and sums over them to be made; None: the current one. Without
        any, a block is computed here each time it is read.

    Raises
    ------
    TypeError, ValueError
        If there are no chunks, an argument is none of these, lengths differ, or the cluster has no workers. What is in
        chunks is looked at when they are read; then an error names the chunk by its number, from 0.

    Notes
    -----
    A function of all samples, such as the loss, its gradient or Hessian, is computed chunk by chunk and added up by a
    tree over the chunks' numbers, in float64: 0 with 1, 2 with 3, then these sums, and so on. So it depends on where
    chunks begin and end, by rounding, but not on the number of threads. One chunk is the same as plain arrays, to the
    bit. Memory: a chunk, in the network's type, and log2(C) + 1 results of C chunks.

    On a cluster each worker gets neighbouring chunks, keeps them, and adds up its own part of the tree: one task and a
    few results for each worker and evaluation. Results have the same bits as here, also where workers die.

    Each evaluation reads all chunks. They have to hold the same each time: whether inputs are finite is looked at once.
    Chunks of 10,000 to 1,000,000 rows cost little beside one array; memory maps of the network's type are not copied.

    Examples
    --------
    >>> import numpy as np, fastmlp
    >>> X = np.linspace(-1, 1, 300)[:, None]
    >>> chunks = fastmlp.Chunks(X, X**2, rows=100)
    >>> net = fastmlp.Network([1, 3, 1], rng=0)
    >>> bool(np.isclose(net.loss(chunks), net.loss(X, X**2), rtol=1e-12))
    True
    >>> bool(net.fit(chunks, method="lm").fun < 1e-3)
    True
    >>> parts = [lambda i=i: (X[i : i + 100], X[i : i + 100] ** 2) for i in (0, 100, 200)]
    >>> net.loss(fastmlp.Chunks(parts)) == net.loss(chunks)
    True
    """

    reads_chunks = True  #: told by where arrays are checked

    def __init__(
        self, X: Any, T: Any = None, sample_weight: Any = None, *, rows: int | None = None, client: Any = None
    ) -> None:
        self._readers: list[Any]
        self._spread: spread.Spread | None = None
        if spread.is_dask(X):
            if rows is not None:
                raise TypeError(
                    f"rows: expected None with X of Dask's, whose blocks are the chunks, got {check.shown(rows)}"
                )
            self._readers = self._of_dask(spread.blocks_of(X, T, sample_weight), spread.client_of(client))
        elif client is not None:
            raise TypeError(f"client: expected None with X that is not Dask's, got {type(client).__name__}")
        elif rows is not None:
            given = [array for array in (X, T, sample_weight) if array is not None]
            self._readers = _cut(X, T, sample_weight, check.integer(rows, "rows", 1)) if given else []
        elif T is not None or sample_weight is not None:
            raise TypeError("rows: expected how many rows of X and T a chunk has, got None")
        elif hasattr(X, "shape"):
            raise TypeError(f"rows: expected how many rows a chunk has, of X that is {type(X).__name__}, got None")
        else:
            self._readers = check.sequence(X, "X", "a sequence of chunks, tuples (X, T) or callables that return them")
            for number, reader in enumerate(self._readers):
                if not (callable(reader) or (isinstance(reader, (tuple, list)) and len(reader) in (1, 2, 3))):
                    raise TypeError(
                        f"chunk {number}: expected a tuple (X, T) or (X, T, sample_weight), or a callable that returns "
                        f"one, got {type(reader).__name__}; arrays take rows="
                    )
        if not self._readers:
            raise ValueError("X: expected at least one chunk, got none")

    @classmethod
    def of_parquet(
        cls, path: Any, inputs: Sequence[str], targets: Sequence[str], sample_weight: str | None = None
    ) -> Chunks:
        """The row groups of a Parquet file, a chunk each, as pyarrow reads them.

        Parameters
        ----------
        path : str or path-like
        inputs, targets : sequence of str
            Names of the columns of X and T.
        sample_weight : str, optional
            That of the weights.

        Raises
        ------
        ImportError
            Without pyarrow.
        TypeError, ValueError
            If the file has no such columns, or no row group; for the chunk that is read, if a column has rows without a
            number.

        Notes
        -----
        A row group is read whole, and unpacked each time it is read. How many rows it has is said where the file is
        written (`row_group_size` of pyarrow and pandas): 10,000 to 1,000,000.
        """
        return cls(row_groups(path, inputs, targets, sample_weight))

    def _of_dask(self, blocks: list[Any], client: Any) -> list[Any]:
        if client is None:
            return list(map(spread.Computed, blocks))
        self._spread = spread.Spread(client, blocks)
        return [partial(self._spread.read, number) for number in range(len(blocks))]

    def __getstate__(self) -> dict[str, Any]:
        readers = self._readers if self._spread is None else [spread.Away()] * len(self)
        return {"_readers": readers, "_spread": None}

    def __len__(self) -> int:
        return len(self._readers)

    def __repr__(self) -> str:
        return f"Chunks({how_many(len(self), 'chunk')})"

    def read(self, number: int) -> tuple[Any, Any, Any]:
        """One chunk, (X, T, sample_weight), with None for what it has not; it is not looked at yet."""
        reader = self._readers[number]
        parts = reader() if callable(reader) else reader
        if not isinstance(parts, (tuple, list)) or not 0 < len(parts) <= len(PARTS):
            got = f"one of {len(parts)} items" if isinstance(parts, (tuple, list)) else type(parts).__name__
            raise TypeError(f"expected a tuple (X, T) or (X, T, sample_weight), got {got}")
        return (*map(maps.whole, parts), None, None)[:3]

    def summed(self, samples: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """The sum over the chunks of ``function(samples, number, *arguments)``: a number, an array, or several."""
        if self._spread is not None:
            return self._spread.summed(samples, function, arguments)
        return summed(function(samples, number, *arguments) for number in range(len(self)))

    def answers(
        self, samples: Any, function: Callable[..., Any], asked: Mapping[int, tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Numbers of chunks with ``function(samples, number, *arguments)``, by the arguments of each that is asked."""
        if self._spread is not None:
            return self._spread.answers(samples, function, asked)
        return ((number, function(samples, number, *arguments)) for number, arguments in asked.items())


class Slices:
    """Rows of arrays, whatever they lie in, as a chunk."""

    def __init__(self, arrays: tuple[Any, ...], rows: slice) -> None:
        self.arrays, self.rows = arrays, rows

    def __call__(self) -> tuple[Any, ...]:
        """X, T and weights, or None for what is not there."""
        return tuple(None if array is None else array[self.rows] for array in self.arrays)


def _cut(X: Any, T: Any, sample_weight: Any, rows: int) -> list[Slices]:
    arrays = X, T, sample_weight
    sizes = {}
    for name, array in zip(PARTS, arrays, strict=True):
        if array is not None:
            sizes[name] = _length(array, name)
    n = sizes.get("X", 0)
    for name, size in sizes.items():
        if size != n:
            raise ValueError(f"{name}: expected {n} rows, as many as X, got {size}")
    return [Slices(arrays, slice(first, min(first + rows, n))) for first in range(0, n, rows)]


def _length(array: Any, name: str) -> int:
    expected = f"expected an array whose rows are taken as {name}[i:j]"
    try:
        shape = getattr(array, "shape", None)
    except Exception as error:  # of a file that has been closed
        raise ValueError(f"{name}: {expected}, got {type(array).__name__} that cannot be read ({error})") from error
    try:
        if not hasattr(type(array), "__getitem__") or (shape is None and hasattr(array, "keys")):
            raise TypeError("it has no rows")  # as a group of arrays
        return int(shape[0]) if shape is not None and len(shape) else len(array)
    except TypeError:
        raise TypeError(f"{name}: {expected}, got {check.shown(array)}") from None
