"""An objective's minimum, or steps towards it, from parameters near by, by Levenberg-Marquardt that nobody looks at."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp._core.fits.journal import Journal
from fastmlp._core.fits.lm import Descent
from fastmlp._core.fits.span import Span
from fastmlp._core.threads import team
from fastmlp._types import Float
from fastmlp.optimize import lm
from fastmlp.optimize.loops import compiled, within
from fastmlp.optimize.subspace import Seen
from fastmlp.terms.objective import Objective

MOST_STEPS = 300  # of which a tenth are the rule
CHUNK = 10  # steps, in which differences that rounding has made grow a hundredfold
# of the objective in a chunk, in nats, from which on training is on its way to somewhere else. With 0.5 differences
# grow a millionfold on plateaus; without such a bound 39 of 288 runs came out elsewhere, in place of 6, by saddles
FALL = 0.1
FEW = 8  # binary digits of the damping
PAUSE = {"pause": 0, "wait": 5, "bold": False}  # the rest of a state, as at the start


class Place(NamedTuple):
    """Where training has come to: the free parameters, and the damping of the last step."""

    v: Float
    finished: bool  #: whether the gradient is at most `tol`, or the objective falls no more
    damping: float = 0.0
    cut: bool = False  #: whether time has ended it


def to_minimum(
    objective: Objective,
    tol: float,
    digits: int = 0,
    anew: bool = True,
    left: Callable[[], float] | None = None,
    span: Span | None = None,
) -> Place:
    """Where the gradient is at most `tol` or the objective falls no more.

    After so many seconds as `left` tells training ends where it is. `span` is that of an objective by coordinates.

    Data that differ by rounding lead along paths whose difference grows by half at each step, until they come to
    different minima. With parameters of few binary `digits` after each `CHUNK` of steps, the paths are the same to the
    bit again; 0 leaves them as they are. If training begins `anew` they are shortened at the start and after every
    chunk, else where the objective still falls as it does far from a minimum: near one paths come together by
    themselves, and at a saddle few digits would leave it to rounding where to go.
    """
    if span is None and (seen := Seen.of(objective)) is not None:
        place = to_minimum(seen.objective, tol, digits, anew, left, seen.span)
        return place._replace(v=objective.reduce(seen.expand(place.v)))
    x = objective.x0
    if not x.size:
        return Place(x, True)
    if digits and anew:
        x = shortened(x, digits)
    problem, n_steps = compiled(objective, span=span), 0
    descent = Descent(problem, x, tol, lm.OPTIONS)
    descent.advance(0)
    value = descent.value
    chunk = CHUNK if digits else MOST_STEPS
    while True:
        before = descent.counts[0]
        status = _advanced(descent, chunk, x.size, left)
        made = descent.counts[0] - before
        n_steps += made
        if status != "running" or made < chunk or n_steps >= MOST_STEPS:
            cut = made < chunk and status in ("running", "time_limit")  # between two steps, or within one
            return _place(descent, finished=status == "converged", cut=cut)
        fell, value = value - descent.value, descent.value
        if anew or fell > FALL:
            state = descent.state
            state["mu"] = float(shortened(state["mu"], FEW))
            descent = Descent(problem, shortened(descent.params, digits), tol, lm.OPTIONS, state)


def towards(
    objective: Objective, n_steps: int, digits: int, left: Callable[[], float] | None = None, damping: float = 0.0
) -> Place:
    """So many steps towards the minimum, by Gauss-Newton to begin with, from and to parameters of few binary digits."""
    seen = Seen.of(objective)
    own, span = (objective, None) if seen is None else (seen.objective, seen.span)
    x = shortened(own.x0, digits)
    if not x.size:
        return Place(x, True, damping)
    state = {"mu": float(shortened(damping, FEW)), "is_exact": False, **PAUSE} if damping else None
    descent = Descent(compiled(own, span=span), x, 0.0, lm.OPTIONS, state)
    _advanced(descent, n_steps, x.size, left)
    place = _place(descent, finished=False)
    v = shortened(place.v, digits)
    return place._replace(v=v if seen is None else objective.reduce(seen.expand(v)))


def _advanced(descent: Descent, n_steps: int, n: int, left: Callable[[], float] | None) -> str:
    """What comes of so many steps of n parameters; of fewer, even within one, when the time is over."""
    seconds = math.inf if left is None else left()
    if seconds == math.inf:
        return descent.advance(n_steps)
    journal = Journal(n_steps, n)
    journal.open(max(0.0, seconds))
    try:
        return within(seconds, descent.advance, n_steps, journal)
    except team.TimeOver:
        return "time_limit"


def _place(descent: Descent, *, finished: bool, cut: bool = False) -> Place:
    return Place(descent.params, finished, descent.state["mu"], cut)


def shortened(x: Any, digits: int) -> Float:
    """Numbers to so many binary digits each; to all with 0."""
    if not digits:
        return np.asarray(x)
    share, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(share, digits)), exponent - digits))
