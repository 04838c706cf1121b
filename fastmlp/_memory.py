"""Memory, and threads, for the BLAS of NumPy and SciPy: asked for before it is used.

OpenBLAS prints a line and exits where it gets no memory, and raises SIGINT where it gets no thread. It takes memory for
each thread when it is loaded, a buffer when it is first called, which it keeps, and a little more for each product by
several threads. So the buffer is brought in when this module is imported, and whoever calls BLAS or LAPACK with
matrices asks before: what could be mapped a moment ago is there. Products of vectors, and of a matrix and a vector,
take nothing more.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import importlib.util
import math
import mmap
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core.threads import crew
from fastmlp.errors import ThreadWarning, warn_caller

MB = 1 << 20
BUFFER = 32 * MB  # of OpenBLAS for each caller at the same time, and for each of its threads,
STACK = 8 * MB  # beside which these have stacks
SPARE = 4 * MB  # for a product by several threads
LIBRARIES = 160 * MB  # of SciPy; 124 in 1.17
SKLEARN = 80 * MB  # of scikit-learn beside SciPy; 19 in 1.9
LATE = {"numpy": 16 * MB}  # of modules imported late; numpy.random, once half imported, is so for good, and took 8
WITH = {"zipfile": "encodings.cp437"}  # what a module imports when it is first used
THREAD = 4 * MB  # of one of Python's, to begin with
BAND = 1 << 28  # multiplications of one call of BLAS: 15 ms on one core
SMALL = 1 << 15  # multiplications of a product that one thread does
COUNTS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # the first that is set counts


def ask(n_bytes: int, purpose: str) -> None:
    """See whether so much can be had now.

    Raises
    ------
    MemoryError
        If not. Says for what, and how much.
    """
    if not _can_have(n_bytes):
        raise MemoryError(
            f"no memory for {purpose}: expected {n_bytes / MB:.0f} MB of address space, got less; "
            "its limit (ulimit -v) decides"
        )


def _can_have(n_bytes: int) -> bool:
    if n_bytes > sys.maxsize:
        return False
    if not hasattr(mmap, "MAP_PRIVATE"):  # Windows, where there is no such limit
        return True
    try:
        mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        return False
    return True


def blas(n_bytes: int = 0) -> None:
    """Ask for what NumPy's BLAS takes for matrices, and for so much that the call allocates beside it."""
    alone = threading.active_count() == 1  # else other callers may have the buffer
    ask(SPARE + n_bytes + (0 if alone else BUFFER), "a product or factors of matrices by NumPy")


def product(A: NDArray[Any], B: NDArray[Any]) -> NDArray[Any]:
    """A @ B for matrices, or stacks of them."""
    size = A.size * B.shape[-1]
    if size > SMALL:
        blas(8 * size // A.shape[-1])
    return np.asarray(A @ B)


def banded(A: NDArray[Any], B: NDArray[Any]) -> NDArray[Any]:
    """A @ B for matrices, part by part, as Ctrl-C waits for each call of BLAS.

    Parts are bands of A's rows, or tiles of the result: each call reads all of its part of B, for which a band of few
    rows would not pay.
    """
    inner, width = max(1, len(B)), max(1, B.shape[1])
    height = max(1, math.isqrt(BAND // inner), BAND // (inner * width))
    step = max(1, BAND // (inner * height))
    if len(A) <= height and width <= step:
        return product(A, B)
    result = np.empty((len(A), B.shape[1]))
    for first in range(0, len(A), height):
        for left in range(0, width, step):
            tile = slice(first, first + height), slice(left, left + step)
            result[tile] = product(A[tile[0]], B[:, tile[1]])
    return result


def scipy(name: str) -> Any:
    """A module of SciPy, imported if there is memory for it; with one thread for its BLAS if there are no others."""
    if name in _whole:
        return _whole[name]
    with _enough_for_scipy() if "scipy.special" not in sys.modules else contextlib.nullcontext():
        _whole[name] = undisturbed(f"scipy.{name}", "SciPy")
        return _whole[name]


def undisturbed(module: str, library: str) -> Any:
    """A module, imported by a thread of its own, so that Ctrl-C does not leave half of it behind.

    What other threads are importing is waited for. MemoryError where there is too little for it.
    """
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(_imported(module)), daemon=True)
    if threading.current_thread() is not threading.main_thread() or _is_whole(module):
        found.append(_imported(module))
    else:
        try:
            start(thread)
        except (RuntimeError, MemoryError):  # there is no thread
            found.append(_imported(module))
        else:
            thread.join()
    return _had(found[0], library)


def start(thread: threading.Thread) -> None:
    """Start it, if it will have memory to begin with: Python would wait without end for one that has none.

    MemoryError or RuntimeError if not.
    """
    ask(THREAD, "a thread")
    thread.start()


def late(module: str) -> Any:
    """A small module of Python's own, of NumPy or of ours, imported where it is first needed.

    MemoryError where there is too little for it, before anything of it is there.
    """
    if _is_whole(module):
        return sys.modules[module]
    if module in WITH:
        late(WITH[module])
    ask(LATE.get(module.partition(".")[0], 2 * MB), f"the module {module}")
    return _had(_imported(module), module)


def _had(result: Any, library: str) -> Any:
    """What `_imported` has found, or raised: MemoryError where that was for want of memory."""
    if isinstance(result, ImportError) and any(words in str(result) for words in ("allocate memory", "map segment")):
        raise MemoryError(f"no memory for the libraries of {library}: {result}") from result
    starved = isinstance(result, OSError) and result.errno == errno.ENOMEM
    if starved or isinstance(result, SystemError):  # the interpreter's, where its compiler or importer gets no memory
        raise MemoryError(f"no memory to import {library}: {result}") from result
    if isinstance(result, BaseException):
        raise result
    return result


def _is_whole(module: str) -> bool:
    """Whether a module is imported to its end, so that Python takes no lock, which Ctrl-C may leave taken for ever."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return spec is not None and not getattr(spec, "_initializing", False)


def _imported(module: str) -> Any:
    """A module, or what its import has raised."""
    try:
        return importlib.import_module(module)
    except BaseException as error:
        return error


@contextlib.contextmanager
def _enough_for_scipy() -> Iterator[None]:
    others = _blas_threads() - 1
    one = LIBRARIES + BUFFER
    if not others or (_can_have(one + others * (BUFFER + STACK)) and not crew.lacking(others)):
        ask(one, "SciPy's libraries")
        yield
        return
    ask(one, "SciPy's libraries")
    warn_caller(
        f"SciPy: expected {others + 1} threads for its BLAS, got one, for the rest of this process, since the others "
        f"cannot be made; limits of threads (ulimit -u) and of memory (ulimit -v) decide, and {COUNTS[0]}",
        ThreadWarning,
    )
    known = os.environ.get(COUNTS[0])
    os.environ[COUNTS[0]] = "1"
    try:
        yield
    finally:
        del os.environ[COUNTS[0]]
        if known is not None:
            os.environ[COUNTS[0]] = known


def _blas_threads() -> int:
    """How many OpenBLAS will make, the caller's included."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = (int(text) for text in map(os.environ.get, COUNTS) if text and text.strip().isdecimal())
    return min(next((count for count in asked if count > 0), cores), cores, 64)


def estimators() -> None:
    """Import scikit-learn, if it is there, and the SciPy that it is made of, if there is memory for them."""
    if "sklearn.neural_network" not in sys.modules and importlib.util.find_spec("sklearn") is not None:
        scipy("optimize")
        ask(SKLEARN, "scikit-learn's libraries")
        undisturbed("sklearn.neural_network", "scikit-learn")


def scipy_blas() -> None:
    """Bring in the buffer of SciPy's BLAS too, of which NumPy's is another copy."""
    if not _warm:
        blas = scipy("linalg.blas")
        ask(BUFFER + SPARE, "the buffer of SciPy's BLAS")
        square = np.zeros((128, 128))
        blas.dgemm(1.0, square, square)
        _warm.append(True)


def for_scipy() -> None:
    """The same where SciPy has been imported, as it may be called next, and would not ask."""
    if "scipy.linalg.blas" in sys.modules:
        scipy_blas()


_whole: dict[str, Any] = {}
_warm: list[bool] = []
ask(BUFFER + SPARE, "the buffer of NumPy's BLAS")
np.linalg.cholesky(np.eye(16))  # by one thread: for a product that several do they spin for up to 30 ms
