"""What stands behind an option, and what is said where it is something else."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wanted(read: Callable[[str], Value], holds: Callable[[Value], bool], expected: str) -> Callable[[str], Value]:
    """A type for argparse: what ``read`` makes of a text, where it can and the value ``holds``."""

    def value_of(text: str) -> Value:
        with contextlib.suppress(ValueError):
            value = read(text)
            if holds(value):
                return value
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")

    return value_of
