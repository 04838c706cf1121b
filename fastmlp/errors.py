"""Errors and warnings of the library's own."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

import numpy as np

#: what stands between blocks or decorators and the functions that they call
BETWEEN = (contextlib.__file__, np.errstate.__call__.__code__.co_filename)

Said = tuple[str, type[Warning]]
_heard: ContextVar[list[Said] | None] = ContextVar("heard", default=None)


class ModelFormatError(ValueError):
    """A file is not a network saved by this library, is damaged, or was written by a newer version."""


class ForkWarning(RuntimeWarning):
    """One thread does the work in the child of a fork, where OpenMP's other threads do not exist."""


class ThreadWarning(RuntimeWarning):
    """One thread does the work, because the system gives no other."""


class IdenticalUnitsWarning(UserWarning):
    """Hidden units have the same weights in and out: their gradients are equal, and they stay identical for ever."""


class NotPositiveDefiniteError(ValueError):
    """A matrix of second derivatives is not positive definite: neither an inverse nor a posterior comes of it."""


class ScaleWarning(UserWarning):
    """Columns of the data are so scaled or shifted that a network cannot learn from them as they are."""


class ConvergenceWarning(UserWarning):
    """A search for precisions has not converged, or the noise that it has found is at its floor."""


class PosteriorWarning(UserWarning):
    """A posterior that should not be trusted: far from the optimum, or lost in rounding."""


class CheckpointWarning(UserWarning):
    """A folder of finished runs cannot be written, or a file in it cannot be read: what it would save is done again."""


@contextlib.contextmanager
def heard() -> Iterator[list[Said]]:
    """A list of what is warned of within, in place of the warnings: they are for a caller in another process."""
    said: list[Said] = []
    token = _heard.set(said)
    try:
        yield said
    finally:
        _heard.reset(token)


def warn_caller(text: str, category: type[Warning]) -> None:
    """Warn at the line outside of the library that has called it."""
    said = _heard.get()
    if said is not None:
        said.append((text, category))
        return
    package = str(Path(__file__).parent)
    frame, level = sys._getframe(1), 2
    ours = (package, *BETWEEN)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(ours):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, category, stacklevel=level)
