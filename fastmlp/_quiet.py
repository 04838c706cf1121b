"""NumPy's floating-point errors within the library are nobody's business: what overflows is dealt with."""

from __future__ import annotations

from functools import wraps
from typing import Any, TypeVar

import numpy as np

from fastmlp._cached import cached_property

Thing = TypeVar("Thing")


def quiet(thing: Thing) -> Thing:
    """A function that is the same under any `np.errstate`, or a class of such methods and properties.

    For what takes far longer than the microsecond that it costs.
    """
    if isinstance(thing, type):
        for name, member in list(vars(thing).items()):
            if isinstance(member, cached_property):
                member.func = _quietly(member.func)
            elif isinstance(member, property) and member.fget is not None:
                setattr(thing, name, property(_quietly(member.fget), member.fset, member.fdel, member.__doc__))
            elif callable(member) and (name == "__init__" or not name.startswith("_")):
                setattr(thing, name, _quietly(member))
        return thing
    return _quietly(thing)  # type: ignore[no-any-return]


def _quietly(function: Any) -> Any:
    @wraps(function)
    def quietly(*arguments: Any, **options: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arguments, **options)

    return quietly
