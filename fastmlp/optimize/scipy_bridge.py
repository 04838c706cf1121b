"""SciPy's minimizers, `scipy.optimize.minimize`, on an objective; each with the options that make it comparable."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from itertools import dropwhile
from traceback import walk_tb
from typing import Any, NamedTuple

import numpy as np

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp._types import Array
from fastmlp.optimize import scipy_options
from fastmlp.optimize.bounds import Bounds
from fastmlp.optimize.monitor import CONVERGED, MAX_FUN, MAX_ITER, STALLED, Monitor, Stop
from fastmlp.optimize.points import Point, Progress, evaluate, reduction, report
from fastmlp.optimize.scipy_options import UNLIMITED
from fastmlp.terms.objective import Objective


class Method(NamedTuple):
    """How to ask SciPy for one of its minimizers."""

    name: str
    tol: str | None  # the option that stops on the gradient
    settings: dict[str, Any]  # those that would stop earlier are switched off
    options: tuple[str, ...]  # left to the user
    second: str | None = None  # the second derivatives it takes: hess or hessp


TRUST_REGION = ("initial_trust_radius", "max_trust_radius", "eta")
RADII = {"initial_trust_radius": 1.0, "max_trust_radius": 1000.0}
WOLFE = {"c1": 1e-4, "c2": 0.9}  # SciPy's own, as are the radii
METHODS: dict[str, Method] = {
    "l-bfgs-b": Method(
        "l-bfgs-b", "gtol", {"ftol": 0.0, "maxfun": UNLIMITED, "maxcor": 20, "maxls": 50}, ("maxcor", "maxls", "maxfun")
    ),
    "bfgs": Method("bfgs", "gtol", WOLFE, ("c1", "c2", "hess_inv0")),
    "cg": Method("cg", "gtol", WOLFE | {"c2": 0.4}, ("c1", "c2")),
    "tnc": Method(
        "tnc", "gtol", {"ftol": 0.0, "xtol": 0.0, "maxfun": UNLIMITED}, ("eta", "stepmx", "rescale", "scale")
    ),
    "slsqp": Method("slsqp", None, {"ftol": 0.0}, ()),
    "newton-cg": Method("newton-cg", None, WOLFE | {"xtol": 0.0}, ("c1", "c2"), "hessp"),
    "trust-ncg": Method("trust-ncg", "gtol", RADII, TRUST_REGION, "hessp"),
    "trust-krylov": Method("trust-krylov", "gtol", RADII, (*TRUST_REGION, "inexact"), "hessp"),
    "trust-exact": Method("trust-exact", "gtol", RADII, TRUST_REGION, "hess"),
    "trust-constr": Method("trust-constr", "gtol", {"xtol": 0.0}, ("initial_tr_radius",)),
    "nelder-mead": Method("nelder-mead", None, {}, ("xatol", "fatol", "adaptive", "initial_simplex")),
    "powell": Method("powell", None, {}, ("xtol", "ftol", "direc")),
}
BOUNDED = "l-bfgs-b"
WITHOUT_GRADIENT = ("nelder-mead", "powell")
WITH_MATRICES = ("bfgs", "slsqp", "trust-exact", "trust-constr")  # (P, P),
MATRICES = 8  # so many of them at the most
MAX_RUNS = 10
MAX_REJECTED = 100  # steps of a trust region, whose radius would vanish, and SciPy's checks then see nan


def options(method: str) -> tuple[str, ...]:
    """Options of SciPy's that a user may set; tol and max_iter have names of their own."""
    return METHODS[method].options


class _Enough(Exception):  # noqa: N818 - it ends SciPy's loop from within its callback
    pass


class _Lost(Exception):  # noqa: N818 - it ends a loop that is asked about nan, or wanders about within rounding errors
    pass


@contextlib.contextmanager
def _giving_up() -> Iterator[None]:
    """Where nothing comes of a run, also as SciPy's own numbers overflow; what a term of the user's raises counts."""
    try:
        yield
    except _Lost:
        pass
    except ArithmeticError as error:
        modules = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
        inside = dropwhile(lambda name: name == __name__, modules)
        if not all(name.startswith(("scipy.", "numpy.")) for name in inside):
            raise


class _Evaluations:
    """The objective as SciPy asks for it; remembers the latest points, because accepted steps are among them."""

    def __init__(self, objective: Objective, bounds: Bounds | None, room: int) -> None:
        self.objective, self.bounds, self.room = objective, bounds, room
        self.n_values = self.n_second = 0
        self.scale = 1.0
        self._origin: Point | None = None
        self._latest: list[Point] = []

    def restart(self, origin: Point) -> None:
        """From now on give values less this one's, which keep their digits near it, in units of |g|_inf there."""
        self._origin, self.scale = origin, origin.grad_norm

    def value_and_grad(self, x: Array) -> tuple[float, Array]:
        point = self._evaluate(x)
        value = point.value if self._origin is None else -reduction(self.objective, self._origin, point)
        return value / self.scale, point.gradient / self.scale

    def value(self, x: Array) -> float:
        self.n_values += 1
        _memory.blas(self.room)
        value = self.objective.value(x)
        return value if np.isfinite(value) else np.inf

    def second(self, name: str | None) -> dict[str, Callable[..., Array]]:
        """Second derivatives, under the name that SciPy and the objective give them."""
        if name is None:
            return {}
        exact: Callable[..., Array] = getattr(self.objective, name)

        def derivatives(*arguments: Array) -> Array:
            if not all(np.isfinite(argument).all() for argument in arguments):
                raise _Lost
            self.n_second += 1
            _memory.blas(self.room)
            result = exact(*arguments) / self.scale
            if not np.isfinite(np.vdot(result, result)):  # SciPy takes squares too
                raise _Lost
            return result

        return {name: derivatives}

    def at(self, x: Array) -> Point:
        for point in reversed(self._latest):
            if arrays.same(point.x, x):
                return point
        return self._evaluate(x)

    def _evaluate(self, x: Array) -> Point:
        if np.isnan(x).any():
            raise _Lost
        self.n_values += 1
        _memory.blas(self.room)
        point = evaluate(self.objective, x, self.bounds)
        self._latest = [*self._latest[-3:], point]
        return point


def solve(
    method: str,
    objective: Objective,
    monitor: Monitor,
    *,
    max_iter: int,
    tol: float,
    options: dict[str, Any],
    bounds: Bounds | None = None,
) -> tuple[int, tuple[int, int, int]]:
    """Minimise until |g|_inf <= tol; returns a status, and (nfev, njev, nhev).

    What gives up or wanders about near the optimum, where differences of the objective drown in rounding errors or its
    gradient is less than SciPy reckons with, goes on from where it stopped as long as that helps: in differences from
    there that do not drown, and in units that make the gradient one.
    """
    minimize = _memory.scipy("optimize").minimize
    _memory.scipy_blas()

    way = METHODS[method]
    room = 8 * MATRICES * objective.x0.size**2 if method in WITH_MATRICES else 0
    evaluations = _Evaluations(objective, bounds, room)
    here = evaluations.at(objective.x0 if bounds is None else bounds.clip(objective.x0))
    report(monitor.begin, objective, here)
    n_rejected = 0  # in a row

    def callback(x: Array, *_: Any) -> None:
        nonlocal here, n_rejected
        if arrays.same(x, here.x):  # a rejected step
            n_rejected += 1
            if way.second and n_rejected > MAX_REJECTED:
                raise _Lost
            monitor.check_time()
            return
        n_rejected = 0
        here = evaluations.at(x)
        report(monitor.step, objective, here)
        if here.grad_norm <= tol or monitor.n_iter >= max_iter:
            raise _Enough
        if progress.ended(here):
            raise _Lost

    settings = scipy_options.checked(method, options, way.settings, objective.x0.size)
    if "maxcor" in settings:  # no more differences than there are steps
        settings["maxcor"] = check.integer(min(settings["maxcor"], max(1, max_iter)), "maxcor", 1, bits=15)
    limits = {} if bounds is None else {"bounds": list(zip(*bounds, strict=True))}
    if method != "tnc":  # which counts evaluations only; the callback counts steps for all
        settings["maxiter"] = min(max_iter, UNLIMITED)
    with_gradient = method not in WITHOUT_GRADIENT
    most_values = settings.get("maxfun", UNLIMITED)
    status = STALLED
    try:
        for attempt in range(MAX_RUNS if here.grad_norm > tol and max_iter > 0 else 0):
            before, progress, n_rejected = here, Progress(objective, here), 0
            if "maxfun" in settings:
                settings["maxfun"] = most_values - evaluations.n_values
            if way.tol:  # with bounds the projected gradient does not scale, and the callback decides
                settings[way.tol] = tol / evaluations.scale if bounds is None else 0.0
            # at the edge of what doubles hold SciPy computes with inf and nan, and tells
            with warnings.catch_warnings(), np.errstate(all="ignore"), _giving_up():
                # trust-constr on two equal gradients in a row
                warnings.filterwarnings("ignore", message="delta_grad == 0.0", category=UserWarning)
                minimize(
                    evaluations.value_and_grad if with_gradient else evaluations.value, here.x, jac=with_gradient,
                    method=way.name, options=settings, callback=callback, **limits,
                    **evaluations.second(way.second),
                )  # fmt: skip
            helped = here.value < before.value or here.grad_norm < 0.5 * before.grad_norm
            if evaluations.n_values >= most_values or (not helped and (attempt > 0 or here.value > before.value)):
                break
            evaluations.restart(here)
    except _Enough:
        pass
    except Stop as stop:
        status = stop.status
    if status == STALLED and evaluations.n_values >= most_values:
        status = MAX_FUN
    if monitor.n_iter >= max_iter and status == STALLED:
        status = MAX_ITER
    if here.grad_norm <= tol:
        status = CONVERGED
    return status, (evaluations.n_values, evaluations.n_values, evaluations.n_second)
