"""Learning rates that change from epoch to epoch: functions of the epoch, counted from 0, for ``learning_rate=``.

Any callable will do; these are the usual ones. Epochs go on counting when a fit is continued by `warm_start`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from fastmlp import _validation as check

Schedule = Callable[[int], float]


class _Decay:
    """A rule with its numbers, which prints as it is written."""

    def __init__(self, name: str, rule: Callable[..., float], **numbers: float) -> None:
        self._name, self._rule, self._numbers = name, rule, numbers

    def __call__(self, epoch: int) -> float:
        return self._rule(epoch, **self._numbers)

    def __repr__(self) -> str:
        return f"{self._name}({', '.join(f'{name}={number!r}' for name, number in self._numbers.items())})"


def _inverse_time(epoch: int, initial: float, decay: float) -> float:
    return initial / (1.0 + decay * epoch)


def _step(epoch: int, initial: float, factor: float, every: int) -> float:
    return float(initial * factor ** (epoch // every))


def _cosine(epoch: int, initial: float, n_epochs: int, final: float) -> float:
    return final + (initial - final) * 0.5 * (1.0 + math.cos(math.pi * min(epoch / n_epochs, 1.0)))


def inverse_time_decay(initial: float, decay: float) -> Schedule:
    """Initial / (1 + decay * epoch): meets Robbins and Monro's conditions.

    Parameters
    ----------
    initial : float
        The learning rate of epoch 0, positive.
    decay : float
        Per epoch, not negative: after 1 / decay epochs the rate is half of the initial one.

    Returns
    -------
    callable
        Takes the epoch, gives its learning rate.

    Raises
    ------
    TypeError, ValueError
        If initial is not a positive number, or decay not one that is at least 0.

    References
    ----------
    Robbins and Monro (1951), A stochastic approximation method.

    Examples
    --------
    >>> from fastmlp import schedules
    >>> schedules.inverse_time_decay(0.1, decay=0.5)(2)
    0.05
    """
    initial, decay = check.number(initial, "initial", 0.0, above=True), check.number(decay, "decay", 0.0)
    return _Decay("inverse_time_decay", _inverse_time, initial=initial, decay=decay)


def exponential_decay(initial: float, factor: float) -> Schedule:
    """Initial * factor^epoch.

    Parameters
    ----------
    initial : float
        The learning rate of epoch 0, positive.
    factor : float
        Of an epoch, 0 < factor <= 1.

    Returns
    -------
    callable
        Takes the epoch, gives its learning rate.

    Raises
    ------
    TypeError, ValueError
        If initial is not a positive number, or factor not in (0, 1].

    Examples
    --------
    >>> from fastmlp import schedules
    >>> schedules.exponential_decay(0.4, 0.5)(2)
    0.1
    """
    return step_decay(initial, factor, every=1)


def step_decay(initial: float, factor: float, every: int) -> Schedule:
    """Initial * factor^floor(epoch / every).

    Parameters
    ----------
    initial : float
        The learning rate to begin with, positive.
    factor : float
        Of a step, 0 < factor <= 1.
    every : int
        Epochs of a step, at least 1.

    Returns
    -------
    callable
        Takes the epoch, gives its learning rate.

    Raises
    ------
    TypeError, ValueError
        If initial is not a positive number, factor not in (0, 1], or every not an integer from 1 on.

    Examples
    --------
    >>> from fastmlp import schedules
    >>> [schedules.step_decay(0.4, 0.5, every=10)(epoch) for epoch in (0, 9, 10, 25)]
    [0.4, 0.4, 0.2, 0.1]
    """
    initial = check.number(initial, "initial", 0.0, above=True)
    factor = check.number(factor, "factor", 0.0, above=True, high=math.nextafter(1.0, 2.0))
    every = check.integer(every, "every", 1)
    return _Decay("step_decay", _step, initial=initial, factor=factor, every=every)


def cosine_decay(initial: float, n_epochs: int, final: float = 0.0) -> Schedule:
    """Half a cosine from `initial` down to `final`, final + (initial - final) (1 + cos(pi epoch / n_epochs)) / 2.

    Parameters
    ----------
    initial : float
        The learning rate of epoch 0, positive.
    n_epochs : int
        Epochs of the way down, at least 1; from then on the rate is `final`.
    final : float, default=0.0
        Not negative.

    Returns
    -------
    callable
        Takes the epoch, gives its learning rate.

    Raises
    ------
    TypeError, ValueError
        If initial is not a positive number, n_epochs not an integer from 1 on, or final not a number from 0 on.

    References
    ----------
    Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts.

    Examples
    --------
    >>> from fastmlp import schedules
    >>> rate = schedules.cosine_decay(0.2, n_epochs=10)
    >>> [round(rate(epoch), 12) for epoch in (0, 5, 10, 20)]
    [0.2, 0.1, 0.0, 0.0]
    """
    initial, final = check.number(initial, "initial", 0.0, above=True), check.number(final, "final", 0.0)
    n_epochs = check.integer(n_epochs, "n_epochs", 1)
    return _Decay("cosine_decay", _cosine, initial=initial, n_epochs=n_epochs, final=final)
