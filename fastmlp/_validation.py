"""The one place where users' arrays and options are checked.

Every message has the same form: which argument, what was expected, what came. Arrays come out C-contiguous, aligned,
native, of the wanted type and finite; inputs are never changed, and are copied only where they have to be. Each is a
view of our own, the shape of which no other code can assign. Numbers are of Python's exact types before they are
compared.
"""

from __future__ import annotations

import math
import numbers
import operator
import os
import sys
from collections.abc import Collection, Sequence, Sized
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _hints, _memory
from fastmlp._core.storage import arrays

REAL_KINDS = "fiub"
PLAIN = (np.ndarray, np.memmap)  #: arrays without a mask or units of their own, as pickles have them
START_BITS = 20  #: of the number of trainings from different starts: each takes a network of its own
MOST_ITEMS = 1 << 20  #: of a list; what has more may never end
SEED_BITS = 1 << 20  #: of one of the integers that a generator is seeded with
MOST_BITS = 1000  #: of an integer that is written out; Python itself refuses from 4,300 digits on

#: packages whose arrays lie elsewhere until they are asked for, and how to ask; told by name, so that none is imported
LAZY = {"dask": ".compute()", "zarr": "[:]", "h5py": "[:]", "netCDF4": "[:]", "tables": "[:]"}


def real_array(value: Any, name: str, dtype: Any, *, finite: bool = True) -> NDArray[Any]:
    """An array-like of real numbers as a C-contiguous, aligned, native array of `dtype`, and a finite one if asked."""
    view = arrays.plain(value, dtype, finite)
    if view is not None:
        return view
    array = value if type(value) is np.ndarray else _as_array(value, name)
    if array.dtype.kind not in REAL_KINDS:
        raise TypeError(f"{name}: expected real numbers, got dtype {array.dtype}")
    with np.errstate(all="ignore"):
        result = np.require(array, dtype, ["C", "A"]).view()  # of our own, if it is the user's array
        laid_out = result.flags.c_contiguous and result.flags.aligned
        if not laid_out or (
            dtype is not None and result.dtype != dtype
        ):  # another thread has given it another type or layout since
            raise ValueError(f"{name}: expected an array that stays as it is, got one that was changed meanwhile")
        floats = finite and array.dtype.kind == "f" and result.dtype.kind == "f"  # integers are finite in any type
        if floats and not np.isfinite(result.sum()) and not np.isfinite(result).all():
            _raise_not_finite(array, result, name)
    return result


def _as_array(value: Any, name: str) -> NDArray[Any]:
    """Lists, frames, subclasses of ndarray and the like as a plain array, of whatever type."""
    if value is None:
        raise TypeError(f"{name}: expected an array of real numbers, got None")
    refuse_masked_and_lazy(value, name)
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise TypeError(f"{name}: expected a dense array, got {type(value).__name__}; use .toarray()")
    if hasattr(value, "to_numpy") and hasattr(value, "dtypes"):
        return _frame_values(value, name)
    try:
        return np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:  # RuntimeError: PyTorch's, if a tensor requires a gradient
        raise ValueError(f"{name}: expected an array of real numbers, got {type(value).__name__} ({error})") from error


def refuse_masked_and_lazy(value: Any, name: str) -> None:
    """TypeError where NumPy would drop a mask, or load into memory what lies outside of it; rows of a list too."""
    kinds = {type(value)}
    if isinstance(value, list):  # whose own walk counts, whatever a subclass makes of it
        kinds = {*map(type, list.__iter__(value))}
    elif isinstance(value, tuple):
        kinds = {*map(type, tuple.__iter__(value))}
    for kind in kinds:
        if _is_masked(kind):
            raise TypeError(
                f"{name}: expected an array without a mask, got a masked array; fill or drop masked entries"
            )
        if getattr(kind, "reads_chunks", False):
            raise TypeError(
                f"{name}: expected an array, got {kind.__name__}, which this does not read; loss, gradients, Hessians "
                "and products, objective, fit, predict, fit_evidence, Laplace, sensitivity, saliencies, prune and "
                "refit do. Give it some of the samples as arrays"
            )
        package = kind.__module__.partition(".")[0]
        chunked = package == "xarray" and getattr(value, "chunks", None) is not None
        if package in LAZY or chunked:
            load = LAZY.get(package, ".compute()")
            raise TypeError(
                f"{name}: expected an array in memory, got {kind.__module__}.{kind.__name__}, all of which would be "
                f"loaded; if it fits, {name}{load} does so"
                + "; else fastmlp.Chunks read it in parts, for what takes them"
                * (load == "[:]")
            )


def _is_masked(kind: type) -> bool:
    """Whether a type is NumPy's of masked arrays, which nobody has where numpy.ma is not imported."""
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    return masked is not None and issubclass(kind, masked)


def _frame_values(frame: Any, name: str) -> NDArray[Any]:
    """Values of a data frame or series; columns of different real types become float64, missing values nan."""
    values = frame.to_numpy()
    if not isinstance(values, np.ndarray):
        raise TypeError(
            f"{name}: expected to_numpy() of a {type(frame).__name__} to give an array, got {type(values).__name__}"
        )
    if values.dtype != object:
        return values
    types = np.atleast_1d(np.asarray(frame.dtypes, dtype=object))
    wrong = [str(column) for column in types if getattr(column, "kind", "O") not in REAL_KINDS]
    if wrong:
        raise TypeError(f"{name}: expected real numbers, got a column of dtype {wrong[0]}")
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)  # type: ignore[no-any-return]


def _raise_not_finite(array: NDArray[Any], result: NDArray[Any], name: str) -> None:
    where = tuple(int(i) for i in np.argwhere(~np.isfinite(result))[0])
    place = f" at index {where[0] if len(where) == 1 else where}" if where else ""
    if np.isfinite(array[where]):
        raise ValueError(f"{name}: expected numbers that {result.dtype} can hold, got {array[where]!s}{place}")
    raise ValueError(f"{name}: expected finite numbers, got {result[where]}{place}")


def matrix(value: Any, name: str, width: int, dtype: Any, *, finite: bool = True) -> NDArray[Any]:
    """Rows of `width` real numbers: shape (n_samples, width)."""
    array = real_array(value, name, dtype, finite=finite)
    if array.ndim != 2 or array.shape[1] != width:
        hint = ""
        if array.ndim == 1 and array.size:
            hint = "; reshape your data with .reshape(-1, 1) for one feature or .reshape(1, -1) for one sample"
        raise ValueError(f"{name}: expected shape (n_samples, {width}), got {array.shape}{hint}")
    return array


def vector(value: Any, name: str, size: int, dtype: Any) -> NDArray[Any]:
    """`size` real numbers in one dimension."""
    array = real_array(value, name, dtype)
    if array.shape != (size,):
        raise ValueError(f"{name}: expected shape ({size},), got {array.shape}")
    return array


def at_least_one(samples: Sized, name: str = "X") -> None:
    """ValueError where there are no samples."""
    if len(samples) == 0:
        raise ValueError(f"{name}: expected at least one sample, got none")


def sample_weight(value: Any, n_samples: int, dtype: Any) -> NDArray[Any] | None:
    """Weights of the samples, non-negative; None stays None."""
    if value is None:
        return None
    weight = vector(value, "sample_weight", n_samples, dtype)
    if n_samples and weight.min() < 0:
        raise ValueError(f"sample_weight: expected non-negative numbers, got {weight.min()}")
    return weight


def integer(value: Any, name: str, low: int, bits: int = 63) -> int:
    """An integer in [low, 2^bits), 2^63 being what C counts to; bool is not one."""
    if type(value) is not int and (isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral)):
        raise TypeError(f"{name}: expected an integer, got {shown(value)}")
    result = operator.index(value)
    if low <= result and result.bit_length() <= bits:
        return result
    bound = f">= {low}" if result < low else f"< 2^{bits}"
    raise ValueError(f"{name}: expected an integer {bound}, got {shown(result)}")


def index(value: Any, name: str, size: int) -> int:
    """A place among so many, from 0."""
    place = integer(value, name, 0)
    if place >= size:
        raise ValueError(f"{name}: expected an index below {size}, got {shown(value)}")
    return place


def shown(value: Any) -> str:
    """As it is written, if it can be: integers may be too long for that."""
    if isinstance(value, int) and (bits := int.bit_length(value)) > MOST_BITS:  # int's own, whatever a subclass says
        return f"an integer of {bits} bits"
    try:
        return repr(value)
    except Exception:  # of what is in it, or its own
        return f"an object of type {type(value).__name__}"


def bits_for(width: int) -> int:
    """Of how many rows of so many numbers there may be: all their bytes are counted in 63 bits."""
    return 60 - int(width).bit_length()


def number(value: Any, name: str, low: float, *, above: bool = False, high: float = math.inf) -> float:
    """A finite real number in [low, high), or in (low, high) with `above`."""
    if type(value) is not float and (isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real)):
        raise TypeError(f"{name}: expected a real number, got {shown(value)}")
    try:
        result = float(value)
    except OverflowError:  # an integer or fraction of more than 308 digits
        result = math.inf
    except TypeError as error:  # of a subclass
        raise TypeError(f"{name}: expected a real number, got {type(value).__name__} ({error})") from error
    if not math.isfinite(result) or result < low or (above and result == low) or result >= high:
        bounds = f"{'>' if above else '>='} {low:g}" + (f" and < {high:g}" if high < math.inf else "")
        raise ValueError(f"{name}: expected a finite number {bounds}, got {result}")
    return result


def is_scalar(value: Any, name: str) -> bool:
    """Whether this is a number, or anything else that NumPy would not make into an array of more dimensions than 0."""
    if type(value) is float or value is None or isinstance(value, numbers.Number):
        return True
    return _as_array(value, name).ndim == 0


def several(values: Any, name: str, kind: str) -> list[Any]:
    """What an iterable holds, as a plain list, for which it is read once; words are none."""
    try:
        items = None if isinstance(values, (str, bytes)) else iter(values)
    except TypeError:  # also of an array without dimensions
        items = None
    if items is None:
        raise TypeError(f"{name}: expected {kind}, got {shown(values)}")
    given = list(islice(items, MOST_ITEMS + 1))
    if len(given) > MOST_ITEMS:
        raise ValueError(f"{name}: expected {kind}, got more than {MOST_ITEMS}")
    return given


def sequence(values: Any, name: str, kind: str) -> list[Any]:
    """The same of a sequence or an array of one dimension, which have an order and an end."""
    if isinstance(values, np.ndarray):
        refuse_masked_and_lazy(values, name)
        values = np.asarray(values)  # whatever a subclass says of itself
        if values.ndim > 1:
            raise ValueError(f"{name}: expected {kind}, in one dimension, got shape {values.shape}")
    if not isinstance(values, (Sequence, np.ndarray)):
        raise TypeError(f"{name}: expected {kind}, got {shown(values)}")
    return several(values, name, kind)


def boolean(value: Any, name: str) -> bool:
    """True or False, of Python's or NumPy's."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {shown(value)}")
    return bool(value)


def verbosity(value: Any) -> int:
    """How much is printed: a number, or whether anything is."""
    return integer(int(value) if isinstance(value, (bool, np.bool_)) else value, "verbose", 0)


def callback(value: Any) -> None:
    """TypeError where it cannot be called, unless it is None."""
    if value is not None and not callable(value):
        raise TypeError(f"callback: expected a callable or None, got {shown(value)}")


def mask(value: Any, name: str, size: int) -> NDArray[np.bool_]:
    """A new boolean array of this size."""
    array = _as_array(value, name)
    if array.dtype != bool or array.shape != (size,):
        got = f"{array.dtype} of shape {array.shape}"
        raise ValueError(f"{name}: expected a boolean mask of shape ({size},), got {got}")
    return np.asarray(array.view(np.uint8) != 0)  # whatever bytes NumPy takes for True


def table(value: Any, name: str, height: int) -> tuple[tuple[bool, ...], ...]:
    """A boolean table of so many rows, as tuples."""
    array = _as_array(value, name)
    if array.dtype != bool or array.ndim != 2 or len(array) != height or not array.size:
        got = f"{array.dtype} of shape {array.shape}"
        raise ValueError(f"{name}: expected a boolean table with {height} rows, got {got}")
    return tuple([tuple(row) for row in (array.view(np.uint8) != 0).tolist()])


def choice(value: Any, name: str, options: Collection[str]) -> str:
    """One of the names in `options`."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a name, got {shown(value)}")
    name_itself = str.__str__(value)  # a plain str, whose hash and comparisons nobody has overridden
    if name_itself not in options:
        hint = _hints.hint(name_itself, options)
        raise ValueError(f"{name}: expected one of {', '.join(options)}, got {shown(value)}{hint}")
    return name_itself


def path(value: Any) -> str:
    """The name of a file."""
    try:
        name = str.__str__(os.fsdecode(value))  # a plain str, whatever a subclass makes of itself
    except TypeError:
        raise TypeError(f"path: expected a str or path-like, got {shown(value)}") from None
    except UnicodeError:
        raise ValueError(f"path: expected a name that can be one of a file, got {shown(value)}") from None
    if "\0" in name:
        raise ValueError(f"path: expected a name that can be one of a file, got {shown(name)}")
    return name


def generator(rng: Any) -> np.random.Generator:
    """A NumPy Generator from None, an int, several, a SeedSequence, a BitGenerator or a Generator.

    NumPy would follow whatever can be iterated over into lists of lists, and lists of themselves without end.
    """
    expected = "rng: expected None, a non-negative int or a numpy Generator"
    given: Any
    if rng is None or isinstance(rng, _sources()):
        given = rng
    elif isinstance(rng, (list, tuple, np.ndarray)):
        given = [integer(each, "rng", 0, SEED_BITS) for each in several(rng, "rng", "non-negative integers")]
    elif isinstance(rng, numbers.Integral) and not isinstance(rng, bool):
        given = operator.index(rng)
        if given < 0:
            raise ValueError(f"{expected}, got {shown(given)}")
    else:
        raise TypeError(f"{expected}, got {shown(rng)}")
    return _random().default_rng(given)  # type: ignore[no-any-return]


def _random() -> Any:
    """numpy.random, imported when something is drawn: it takes a fifth of the time that importing fastmlp does."""
    return _memory.late("numpy.random")


def _sources() -> tuple[type, ...]:
    """What generators are made of, where NumPy has more to say about them than we."""
    random = _random()
    seeds = _memory.late("numpy.random.bit_generator").ISeedSequence  # no attribute after an import that was broken off
    return random.Generator, random.BitGenerator, seeds, random.RandomState


def seed_sequence(rng: Any) -> np.random.SeedSequence:
    """Of a generator from any of these, or a TypeError where it has none: others are drawn from it."""
    sequence = generator(rng).bit_generator.seed_seq
    if not isinstance(sequence, np.random.SeedSequence):
        raise TypeError(f"rng: expected a generator with a SeedSequence, got one with {type(sequence).__name__}")
    return sequence


def seeds(rng: Any, n: int) -> list[int]:
    """So many, of generators that are independent of each other and of this one; the first do not depend on `n`."""
    return [int(each.generate_state(1, np.uint64)[0]) for each in seed_sequence(rng).spawn(n)]


def output_array(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A user's array to be written to: exactly this shape and type, C-contiguous, aligned, writeable."""
    if not isinstance(out, np.ndarray) or _is_masked(type(out)):
        raise TypeError(f"out: expected a numpy array, got {type(out).__name__}")
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(f"out: expected shape {shape} and dtype {dtype}, got {out.shape} and {out.dtype}")
    if not out.flags.carray:
        raise ValueError("out: expected a C-contiguous, aligned, writeable array, got one that is not")
    return out
