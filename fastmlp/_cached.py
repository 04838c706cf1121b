"""Properties that are computed once, without the lock that `functools.cached_property` has before Python 3.12.

It is one lock for all objects: threads would wait for each other, and the child of a fork for ever, if another thread
was inside. Without it two threads may compute a value twice; it is the same.
"""

from __future__ import annotations

import functools
from typing import Any, Self, TypeVar, overload

Value = TypeVar("Value")


class cached_property(functools.cached_property[Value]):  # noqa: N801 - it stands for the one of that name
    """A property whose value is kept in the object's dict, where Python finds it before it comes here again."""

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Value: ...
    def __get__(self, instance: Any, owner: Any = None) -> Self | Value:
        """Compute and keep it."""
        if instance is None:
            return self
        assert self.attrname is not None
        value = instance.__dict__[self.attrname] = self.func(instance)
        return value
