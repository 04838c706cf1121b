"""An objective's minimum, from parameters near by, by Levenberg-Marquardt that nobody looks at."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

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


def to_minimum(
    objective: Objective,
    tol: float,
    digits: int = 0,
    anew: bool = True,
    left: Callable[[], float] | None = None,
    span: Span | None = None,
) -> tuple[Float, bool]:
    """The free parameters where the gradient is at most `tol` or the objective falls no more, and whether that is so.

    After so many seconds as `left` tells they come back as they are. `span` is that of an objective by coordinates.

    Data that differ by rounding lead along paths whose difference grows by half at each step, until they come to
    different minima. With parameters of few binary `digits` after each `CHUNK` of steps, the paths are the same to the
    bit again; 0 leaves them as they are. If training begins `anew` they are shortened at the start and after every
    chunk, else where the objective still falls as it does far from a minimum: near one paths come together by
    themselves, and at a saddle few digits would leave it to rounding where to go.
    """
    if span is None and (seen := Seen.of(objective)) is not None:
        v, finished = to_minimum(seen.objective, tol, digits, anew, left, seen.span)
        return objective.reduce(seen.expand(v)), finished
    x = objective.x0
    if not x.size:
        return x, True
    if digits and anew:
        x = shortened(x, digits)
    problem, n_steps = compiled(objective, span=span), 0
    descent = Descent(problem, x, tol, lm.OPTIONS)
    descent.advance(0)
    value = descent.value
    chunk = CHUNK if digits else MOST_STEPS
    while True:
        before, seconds = descent.counts[0], math.inf if left is None else left()
        journal = None
        if seconds < math.inf:
            journal = Journal(chunk, x.size)
            journal.open(max(0.0, seconds))
        try:
            status = within(seconds, descent.advance, chunk, journal)
        except team.TimeOver:
            return descent.params, False
        made = descent.counts[0] - before
        n_steps += made
        if status != "running" or made < chunk or n_steps >= MOST_STEPS:
            return descent.params, status == "converged"
        fell, value = value - descent.value, descent.value
        if anew or fell > FALL:
            state = descent.state
            state["mu"] = float(shortened(state["mu"], FEW))
            descent = Descent(problem, shortened(descent.params, digits), tol, lm.OPTIONS, state)


def shortened(x: Any, digits: int) -> Float:
    """Numbers to so many binary digits each."""
    share, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(share, digits)), exponent - digits))
