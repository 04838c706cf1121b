"""Levenberg-Marquardt without matrices, for many parameters: truncated conjugate gradients on damped equations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastmlp._core.fits.rules import ACCEPT, NEAR, NOISE
from fastmlp._types import Float
from fastmlp.optimize import dual
from fastmlp.optimize.dual import Dual
from fastmlp.optimize.monitor import CONVERGED, MAX_ITER, STALLED, Monitor, Stop
from fastmlp.optimize.points import report, seen
from fastmlp.terms.objective import Objective

MAX_PRODUCTS = dual.MOST_PRODUCTS
SOLVED = 1e-20  # of r'M^-1 r, beside what it was: the equations are solved
PROGRESS = 5e-4  # of the model in an iteration, averaged over the latest tenth: less ends the inner iterations
MAX_REJECTIONS = 40  # in a row


def minimise_model(
    product: Callable[[Float], Float], g: Float, mu: float, precondition: Callable[[Float], Float] = np.copy
) -> tuple[Float, float, bool]:
    """Conjugate gradients on m(s) = g's + s'B s/2 + mu s's/2: a step s, g's + s'B s/2, whether B + mu I was convex."""
    s, r = np.zeros_like(g), g.copy()
    z = precondition(r)
    d, rz = -z, float(r @ z)
    models, first = [0.0], rz
    for k in range(1, MAX_PRODUCTS + 1):
        Bd = product(d) + mu * d
        curvature = float(d @ Bd)
        if not curvature > 0:
            return s, models[-1] - 0.5 * mu * float(s @ s), False
        length = rz / curvature
        s += length * d
        r += length * Bd
        models.append(0.5 * float((g + r) @ s))
        gap = max(10, k // 10)
        if k > gap and models[-1] - models[-1 - gap] > gap * PROGRESS * models[-1]:
            break
        z = precondition(r)
        rz, earlier = float(r @ z), rz
        if not rz > SOLVED * first:
            break
        d = -z + (rz / earlier) * d
    return s, models[-1] - 0.5 * mu * float(s @ s), True


def watched(product: Callable[[Float], Float], monitor: Monitor) -> Callable[[Float], Float]:
    """The same, ended by Stop once the time is over."""

    def asked(v: Float) -> Float:
        monitor.check_time()
        return product(v)

    return asked


def solve(
    objective: Objective, monitor: Monitor, *, max_iter: int, tol: float, damping: float, state: dict[str, Any] | None
) -> tuple[int, dict[str, Any], tuple[int, int, int]]:
    """As `lm.solve`, but a point with |g|_inf <= tol is taken for a minimum.

    A step takes up to 250 products with the Gauss-Newton matrix, later with the Hessian; they end when they no longer
    bring the quadratic model down (Martens 2010). Memory is a few vectors. Where residuals are few they are
    preconditioned by the equations of Gauss-Newton, solved by a matrix of as many rows as there are residuals (`dual`):
    then one or two do for Gauss-Newton, some for the Hessian.
    """
    here = seen(objective, objective.x0)
    evaluations, noise = 1, NOISE[objective.architecture.dtype.itemsize]
    mu, exact = (None, False) if state is None else (state["mu"], state["is_exact"])
    if mu is None:
        g = here.gradient
        mu = damping * max(float(g @ objective.ggnp(here.x, g)) / max(float(g @ g), 1e-300), 1e-300)
    growth, ended = 2.0, MAX_ITER
    by_rows = dual.pays(objective)
    own: Dual | None = None
    try:
        report(monitor.begin, objective, here)
        while monitor.n_iter < max_iter:
            if here.grad_norm <= tol:
                ended = CONVERGED
                break
            if growth > 2.0**MAX_REJECTIONS:
                ended = STALLED
                break
            multiply: Callable[[Float], Float] = partial(objective.hessp if exact else objective.ggnp, here.x)
            precondition: Callable[[Float], Float] = np.copy
            if by_rows:
                own = own or Dual(objective, here.x)
                own.factor(mu)
                multiply, precondition = multiply if exact else own.product, own.solve
            step, model, convex = minimise_model(watched(multiply, monitor), here.gradient, mu, precondition)
            with np.errstate(all="ignore"):
                there = seen(objective, objective.rounded(here.x + step))
                gain = (here.value - there.value) / -model if model < 0 else -1.0
            evaluations += 1
            if model < 0 and min(-model, abs(here.value - there.value)) <= noise * abs(here.value):
                gain = 1.0 if there.grad_norm < here.grad_norm else -1.0
            if gain > ACCEPT:
                exact = convex and -model < NEAR * abs(here.value)
                here, own = there, None
                mu *= max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3)
                growth = 2.0
                report(monitor.step, objective, here)
            else:
                exact = exact and convex
                mu, growth = mu * growth, 2 * growth
                monitor.check_time()
    except Stop as stop:
        ended = CONVERGED if here.grad_norm <= tol else stop.status
    mu = min(mu, float(np.finfo(np.float64).max))  # after many rejections in a row
    return ended, {"mu": mu, "is_exact": exact}, (evaluations, evaluations, 0)
