"""What warnings and errors about data say: in the words of whoever has called, and once, however many trainings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from fastmlp.errors import ScaleWarning, warn_caller


class Remedies(NamedTuple):
    """What the caller has given, and can change, by the names that are known there."""

    units: str = "train with standardize=True, from new starting values (net.initialize())"
    start: str = "train from new starting values (net.initialize())"
    steps: str = "take more epochs (max_iter) or another learning_rate"
    digits: str = "take dtype='float64'"
    targets: str = "T"


SWEEP = Remedies(units="train with standardize=True", start="try other starting values (rng, init)")
ESTIMATOR = Remedies(
    units="take standardize=True",
    start="try other starting values (random_state, n_init)",
    steps="take more epochs (max_iter) or another learning_rate_init",
    digits="give X in float64",
    targets="y",
)


class _Caller(NamedTuple):
    remedies: Remedies
    said: list[str]


_caller: ContextVar[_Caller | None] = ContextVar("caller", default=None)


@contextmanager
def once(remedies: Remedies | None = None) -> Iterator[None]:
    """All trainings within are one to the caller, who is told once, in the words of the outermost block."""
    if _caller.get() is not None:
        yield
        return
    token = _caller.set(_Caller(remedies or Remedies(), []))
    try:
        yield
    finally:
        _caller.reset(token)


def remedies() -> Remedies:
    """For whoever has called."""
    caller = _caller.get()
    return Remedies() if caller is None else caller.remedies


def relay(text: str, category: type[Warning]) -> None:
    """Warn of what a worker in another process would have warned of."""
    if category is ScaleWarning:
        say(text)
    else:
        warn_caller(text, category)


def say(text: str) -> str:
    """Warn of it, unless something was said; the text."""
    caller = _caller.get()
    if caller is None or not caller.said:
        warn_caller(text, ScaleWarning)
    if caller is not None:
        caller.said.append(text)
    return text
