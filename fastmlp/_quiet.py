"""NumPy's floating-point errors within the library are nobody's business: what overflows is dealt with.

What the caller's own functions do, such as callbacks, is the caller's: they run under the caller's `np.errstate`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from fastmlp._cached import cached_property

Thing = TypeVar("Thing")

_QUIETLY = np.errstate(all="ignore")  # as a decorator it costs a third of what a block in a wrapper of our own does


def quiet(thing: Thing) -> Thing:
    """A function that is the same under any `np.errstate`, or a class of such public methods and properties.

    For what takes longer than the half microsecond that it costs.
    """
    if isinstance(thing, type):
        for name, member in list(vars(thing).items()):
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(member, cached_property):
                member.func = _QUIETLY(member.func)
            elif isinstance(member, property) and member.fget is not None:
                setattr(thing, name, property(_QUIETLY(member.fget), member.fset, member.fdel, member.__doc__))
            elif callable(member):
                setattr(thing, name, _QUIETLY(member))
        return thing
    return _QUIETLY(thing)  # type: ignore[type-var]


def quiet_but(*names: str) -> Callable[[Thing], Thing]:
    """`quiet`, but for the caller's functions that are keyword arguments of these names, wherever they are called."""

    def decorate(function: Thing) -> Thing:
        within: Any = quiet(function)

        @functools.wraps(within)
        def without(*args: Any, **kwargs: Any) -> Any:
            own = {name: callers_own(kwargs[name]) for name in names if name in kwargs}
            return within(*args, **(kwargs | own))

        return without  # type: ignore[return-value]

    return decorate


def callers_own(value: Any) -> Any:
    """A function of the caller's, to be called under the errors that are in force now; whatever else as it is."""
    if not callable(value):
        return value
    return np.errstate(call=np.geterrcall(), **np.geterr())(value)  # type: ignore[arg-type]
