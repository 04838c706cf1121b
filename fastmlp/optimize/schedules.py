"""Learning rates that change from epoch to epoch: functions of the epoch, counted from 0, for ``learning_rate=``.

Any callable will do; these are the usual ones. Epochs go on counting when a fit is continued by `warm_start`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from fastmlp import _validation as check

Schedule = Callable[[int], float]


def inverse_time_decay(initial: float, decay: float) -> Schedule:
    """Initial / (1 + decay * epoch): meets Robbins and Monro's conditions.

    Examples
    --------
    >>> from fastmlp import schedules
    >>> schedules.inverse_time_decay(0.1, decay=0.5)(2)
    0.05
    """
    initial, decay = check.number(initial, "initial", 0.0, above=True), check.number(decay, "decay", 0.0)
    return lambda epoch: initial / (1.0 + decay * epoch)


def exponential_decay(initial: float, factor: float) -> Schedule:
    """Initial * factor^epoch, 0 < factor <= 1."""
    return step_decay(initial, factor, every=1)


def step_decay(initial: float, factor: float, every: int) -> Schedule:
    """Initial * factor^floor(epoch / every), 0 < factor <= 1.

    Examples
    --------
    >>> from fastmlp import schedules
    >>> [schedules.step_decay(0.4, 0.5, every=10)(epoch) for epoch in (0, 9, 10, 25)]
    [0.4, 0.4, 0.2, 0.1]
    """
    initial = check.number(initial, "initial", 0.0, above=True)
    factor = check.number(factor, "factor", 0.0, above=True, high=math.nextafter(1.0, 2.0))
    every = check.integer(every, "every", 1)
    return lambda epoch: initial * factor ** (epoch // every)


def cosine_decay(initial: float, n_epochs: int, final: float = 0.0) -> Schedule:
    """Half a cosine from `initial` down to `final` at epoch `n_epochs`, then `final` (Loshchilov & Hutter 2017)."""
    initial, final = check.number(initial, "initial", 0.0, above=True), check.number(final, "final", 0.0)
    n_epochs = check.integer(n_epochs, "n_epochs", 1)
    return lambda epoch: final + (initial - final) * 0.5 * (1.0 + math.cos(math.pi * min(epoch / n_epochs, 1.0)))
