"""NumPy's floating-point errors within the library are nobody's business: what overflows is dealt with."""

from __future__ import annotations

from typing import TypeVar

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
